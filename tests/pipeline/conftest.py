"""A small scene with seeds, and recipes made from it."""

import numpy as np
import pytest

from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record

MICRO = ("micrometer",) * 3


@pytest.fixture
def cells(rng) -> Image:
    """Two bright boxes on a noisy ground, (8, 20, 24), uint16, anisotropic voxels."""
    array = rng.integers(0, 100, (8, 20, 24)).astype(np.uint16)
    array[2:6, 3:9, 3:11] += 500
    array[3:7, 12:18, 12:22] += 400
    return Image(array, ("z", "y", "x"), (0.3, 0.1, 0.1), MICRO, name="cells")


@pytest.fixture
def seeds(cells) -> Image:
    """A stroke in each box and one on the ground."""
    array = np.zeros(cells.shape, np.int32)
    array[4, 5, 4:9] = 1
    array[4, 15, 14:20] = 2
    array[4, 10, :] = 3
    return Image(array, cells.axes, cells.spacing, cells.units, name="seeds")


@pytest.fixture
def segmented(cells, seeds):
    """Result of the random walker with everything that it can give."""
    inputs = {"image": cells, "seeds": seeds}
    return run("random_walker", inputs, {"probabilities": True, "uncertainty": True})


@pytest.fixture
def recipe(segmented):
    """The recipe of `segmented`."""
    return recipe_from_record(segmented.record)
