"""Seeded segmentation in blocks: what the operation gives is what it gives in memory."""

import dask.array
import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_seedbed.core.seeded.blocked_painting import Palette
from napari_seedbed.errors import Cancelled, InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.block_plans import Blocks
from napari_seedbed.pipeline.operations import run, seeded_blocks

BACKGROUND = 4
AXES = ("z", "y", "x")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(seeded_blocks, "SIDES", {2: 20, 3: 20})


def balls(shape=(32, 40, 48)):
    """Three noisy balls, a stroke in each and lines of background, and a mask."""
    grid = np.meshgrid(*map(np.arange, shape), indexing="ij", sparse=True)
    centres = ((14, 12, 14), (16, 12, 34), (16, 30, 22))
    inside = np.zeros(shape, bool)
    seeds = np.zeros(shape, np.int32)
    for number, centre in enumerate(centres, start=1):
        inside |= sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) < 81
        z, y, x = centre
        seeds[z, y, x - 3 : x + 4] = number
    for z, y in ((1, 20), (16, 21), (30, 38)):
        seeds[z, y] = BACKGROUND
    image = 300 + 1200 * ndi.gaussian_filter(inside.astype(float), 1)
    image += np.random.default_rng(0).normal(0, 100, shape)
    mask = np.zeros(shape, np.uint8)
    mask[:, :, 40:] = 1
    return image.astype(np.uint16), seeds, mask


def results(folder, image, seeds, parameters, other=None, spacing=(1.0, 1.0, 1.0)):
    """Labels in memory and in blocks, from arrays and lazily."""
    given = {
        name: Image(array, axes, spacing)
        for name, array, axes in (
            ("image", image, AXES if image.ndim == 3 else ("c", *AXES)),
            ("seeds", seeds, AXES),
            ("other", other, AXES),
        )
        if array is not None
    }
    lazily = {
        name: Image(dask.array.from_array(one.array, chunks=17), one.axes, spacing)
        for name, one in given.items()
    }
    eager = run("seeded_segmentation", given, parameters)
    blocked = run("seeded_segmentation", lazily, parameters, blocks=Blocks(folder, (16, 32, 32)))
    assert list(folder.iterdir()) == [folder / "labels.zarr"]
    return eager.outputs["labels"], blocked.outputs["labels"]


def test_labels_in_blocks_are_those_in_memory(tmp_path):
    image, seeds, mask = balls()
    outside = seeds.copy()
    outside[:, 36:, :10] = -1
    cases = (
        {"image": image, "seeds": seeds, "parameters": {"background": BACKGROUND}},
        {
            "image": np.stack([image, image[::-1]]),
            "seeds": outside,
            "parameters": {"background": BACKGROUND, "darker_than": 500.0},
            "other": mask,
            "spacing": (2.0, 1.0, 1.0),
        },
        {"image": image, "seeds": seeds, "parameters": {}},
    )
    for number, case in enumerate(cases):
        folder = tmp_path / str(number)
        folder.mkdir()
        eager, blocked = results(folder, **case)
        assert blocked.is_lazy
        assert blocked.dtype == eager.dtype
        assert blocked.spacing == eager.spacing
        differ = np.count_nonzero(np.asarray(blocked.array) != eager.array)
        # Sums in another order are rounded otherwise.
        assert differ < 1e-4 * eager.array.size


def test_what_blocks_cannot_do_is_refused_with_a_proposal(tmp_path):
    image, seeds, _ = balls()
    for parameters, message in (
        ({"engine": "random_walker"}, "lower level of the image's pyramid"),
        ({"uncertainty": True}, "uncertainty: runs in blocks give labels only"),
    ):
        with pytest.raises(InputError, match=message):
            results(tmp_path, image, seeds, parameters)
    with pytest.raises(InputError, match="seeds"):
        results(tmp_path, image, np.where(seeds == 1, 1, 0), {})


def test_a_run_that_was_ended_while_it_painted_is_gone_on_with(tmp_path, monkeypatch):
    image, seeds, _ = balls()
    given = {"image": Image(image, AXES), "seeds": Image(seeds, AXES)}
    parameters = {"background": BACKGROUND}
    blocks = Blocks(tmp_path, (16, 32, 32))
    late = []

    def report(told):
        if told.message == "Painting" and told.fraction > 0.75:
            late.append(told)

    with pytest.raises(Cancelled):
        run(
            "seeded_segmentation", given, parameters, blocks=blocks, report=report,
            should_stop=lambda: bool(late),
        )  # fmt: skip
    n_painted = []
    paint = Palette.paint

    def counting(palette, region):
        n_painted.append(region)
        return paint(palette, region)

    monkeypatch.setattr(Palette, "paint", counting)
    found = run("seeded_segmentation", given, parameters, blocks=blocks).outputs["labels"]
    assert 0 < len(n_painted) < 8
    expected = run("seeded_segmentation", given, parameters).outputs["labels"]
    assert np.count_nonzero(np.asarray(found.array) != expected.array) < 1e-4 * image.size
