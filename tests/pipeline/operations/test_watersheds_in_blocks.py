"""Watersheds in blocks: how well they agree with the same at once."""

import numpy as np
import pytest
from block_comparison import BLOCKS, check_same
from scipy import ndimage as ndi

from napari_seedbed.core.scores.segmentation_scoring import segmentation_scores
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.block_plans import Blocks
from napari_seedbed.pipeline.engine.runs import run

AXES, SPACING = ("z", "y", "x"), (2.0, 0.5, 0.7)


def touching_cells(rng, shape=(20, 48, 56), count=12):
    """Noisy cells with bright borders, one seed in each."""
    middles = (rng.random((count, 3)) * (np.array(shape) - 4) + 2).astype(int)
    grid = np.indices(shape).reshape(3, 1, -1)
    steps = np.array(SPACING)[:, np.newaxis, np.newaxis]
    away = np.sqrt((((grid - middles.T[:, :, np.newaxis]) * steps) ** 2).sum(axis=0))
    nearest = np.sort(away, axis=0)[:2]
    border = np.exp(-(((nearest[1] - nearest[0]) / 2) ** 2)).reshape(shape)
    image = 1000 * border + 100 * rng.standard_normal(shape) + 500
    seeds = np.zeros(shape, np.int32)
    seeds[tuple(middles.T)] = np.arange(1, count + 1)
    return np.clip(image, 0, 65_000).astype(np.uint16), ndi.grey_dilation(seeds, (1, 3, 3))


def dice(found, expected):
    """Of each object of the expected labels."""
    values = np.unique(expected[expected > 0])
    pairs = [(found == value, expected == value) for value in values]
    return [2 * (a & b).sum() / (a.sum() + b.sum()) for a, b in pairs]


def test_grown_seeds_in_blocks_agree_with_those_at_once(tmp_path, rng):
    image, seeds = touching_cells(rng)
    inputs = {"image": Image(image, AXES, SPACING), "seeds": Image(seeds, AXES, SPACING)}
    mask = np.ones(image.shape, bool)
    mask[:, 20:22, :30] = False
    masked = inputs | {"other": Image(mask, AXES, SPACING)}
    for nth, (given, landscape) in enumerate(((inputs, "bright"), (masked, "gradient"))):
        parameters = {"landscape": landscape, "sigma": 0.8}
        expected = run("seeded_watershed", given, parameters).image("labels").array
        folder = tmp_path / str(nth)
        folder.mkdir()
        result = run("seeded_watershed", given, parameters, blocks=Blocks(folder, (8, 24, 24)))
        found = np.asarray(result.image("labels").array)
        assert found.dtype == expected.dtype
        overlaps = dice(found, expected)
        assert np.mean(overlaps) > 0.98
        assert min(overlaps) > 0.94
        assert segmentation_scores(expected, found)["adapted_rand_error"] < 0.04
        if "other" in given:
            assert not found[~mask].any()
        assert [path.name for path in folder.iterdir()] == ["labels.zarr"]


def test_what_grows_against_all_of_the_landscape_is_refused(tmp_path, rng):
    image, seeds = touching_cells(rng, count=3)
    inputs = {"image": Image(image, AXES), "seeds": Image(seeds, AXES)}
    with pytest.raises(InputError, match="cannot work in blocks with these parameters"):
        run("seeded_watershed", inputs, {"compactness": 0.1}, blocks=Blocks(tmp_path, (16, 16, 16)))


def test_objects_cut_in_blocks_are_those_at_once(tmp_path, rng):
    smooth = ndi.gaussian_filter(rng.random((20, 48, 56)), 2.0)
    cells = Image(smooth > np.quantile(smooth, 0.8), AXES)
    check_same("split_touching", {"image": cells}, {"depth": 0.4}, tmp_path, BLOCKS[:1])
    with pytest.raises(InputError, match="cannot work in blocks with these parameters"):
        run("split_touching", {"image": cells}, {"smallest": 9.0}, blocks=Blocks(tmp_path))
