"""Surfaces in images larger than memory: what is around them is read, and they are the same."""

import dask.array
import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.engine.block_plans import Blocks
from napari_seedbed.pipeline.operations import run, snakes_in_blocks

AXES = ("z", "y", "x")
CENTRES = ((16, 20, 22), (20, 24, 50), (60, 125, 215))
BLOCK = (32, 64, 64)


def balls(shape=(80, 160, 250)):
    """Three noisy balls, two of them near each other, and a small seed in each."""
    grid = np.meshgrid(*map(np.arange, shape), indexing="ij", sparse=True)
    inside = np.zeros(shape, bool)
    seeds = np.zeros(shape, np.int32)
    for number, centre in enumerate(CENTRES, start=1):
        distance = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True))
        inside |= distance < 11**2
        seeds[distance < 7**2] = number * 3
    image = 200 + 1000 * ndi.gaussian_filter(inside.astype(np.float32), 1)
    image += np.random.default_rng(0).normal(0, 60, shape)
    return image.astype(np.uint16), seeds


def outlines(radius):
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return Shapes(
        tuple(
            Shape(
                number,
                np.stack(
                    [
                        np.full(24, z + dz),
                        y + radius * np.sin(angle),
                        x + radius * np.cos(angle),
                    ],
                    axis=1,
                ),
            )
            for number, (z, y, x) in enumerate(CENTRES, start=1)
            for dz in (-4.0, 0.0, 4.0)
        )
    )


@pytest.mark.parametrize("operation", ["region_surface", "edge_surface"])
def test_surfaces_are_those_in_memory_and_move_in_small_regions(tmp_path, monkeypatch, operation):
    image, seeds = balls()
    moved_in = []
    needed = snakes_in_blocks._needed

    def watched(found, job):
        moved_in.append(found.labels.size)
        return needed(found, job)

    monkeypatch.setattr(snakes_in_blocks, "_needed", watched)
    # Regions begin so small that they must grow.
    monkeypatch.setattr(snakes_in_blocks, "LEAST_MARGIN", 2)
    lazy = dask.array.from_array(image, chunks=BLOCK)
    for number, marks in enumerate(({"seeds": Image(seeds, AXES)}, {"shapes": outlines(9)})):
        parameters = {"extent": "volume", "max_num_iter": 40}
        folder = tmp_path / str(number)
        folder.mkdir()
        eager = run(operation, {"image": Image(image, AXES), **marks}, parameters)
        found = run(
            operation, {"image": Image(lazy, AXES), **marks}, parameters,
            blocks=Blocks(folder, BLOCK),
        )  # fmt: skip
        labels = np.asarray(found.image("labels").array)
        expected = eager.image("labels").array
        np.testing.assert_array_equal(np.unique(labels), np.unique(expected))
        assert np.count_nonzero(labels != expected) <= 1e-3 * np.count_nonzero(expected)
    assert max(moved_in) < 0.3 * image.size


def test_what_looks_at_the_whole_image_is_refused(tmp_path):
    image, seeds = balls((20, 30, 70))
    for operation, parameters, message in (
        ("region_surface", {"extent": "volume", "outer": "all"}, "cannot work in blocks"),
        ("edge_surface", {"extent": "volume", "balloon": 1.0}, "cannot work in blocks"),
        ("edge_surface", {"extent": "slice"}, "cannot work in blocks"),
        ("edge_surface", {"extent": "volume", "shapes": True}, "give labels only"),
    ):
        with pytest.raises(InputError, match=message):
            run(
                operation, {"image": Image(image, AXES), "seeds": Image(seeds, AXES)}, parameters,
                blocks=Blocks(tmp_path, (16, 16, 64)),
            )  # fmt: skip


@pytest.mark.parametrize("operation", ["region_surface", "edge_surface"])
def test_outlines_may_leave_the_image_but_not_lie_outside(tmp_path, operation):
    image = np.zeros((90, 140), np.float32)
    rows, columns = np.indices(image.shape)
    image[(rows - 45) ** 2 + columns**2 < 22**2] = 1000
    image[(rows - 45) ** 2 + (columns - 110) ** 2 < 15**2] = 1000
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    # The middle of the first one lies outside.
    crossing, inside, outside = (
        Shape(label, np.stack([45 + r * np.sin(angle), x + r * np.cos(angle)], axis=1))
        for label, x, r in ((1, -5, 26), (2, 110, 18), (3, -50, 20))
    )
    given = {"image": Image(image, ("y", "x")), "shapes": Shapes((crossing, inside))}
    expected = run(operation, given).image("labels").array
    found = run(operation, given, blocks=Blocks(tmp_path, (32, 32))).image("labels")
    np.testing.assert_array_equal(found.array, expected)
    assert set(np.unique(expected)) == {0, 1, 2}
    given["shapes"] = Shapes((inside, outside))
    with pytest.raises(InputError, match="shape 2 lies wholly outside the image"):
        run(operation, given, blocks=Blocks(tmp_path, (32, 32)))
