"""The worked example of differences: every planted change is boxed, and nothing else is."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from napari_seedbed.pipeline.cli import main
from napari_seedbed.pipeline.recipes import load_recipe, replay

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
RECIPE = EXAMPLES / "spot_the_difference.yaml"


@pytest.fixture(scope="module")
def example():
    """What the script defines; it is not run as a program."""
    return runpy.run_path(str(EXAMPLES / "spot_the_difference.py"))


@pytest.fixture(scope="module")
def spotted(example):
    return example["spotted"]()


def overlaps(found, wanted):
    """Intersection over union of each pair of boxes, (found, wanted)."""
    first, second = found[:, np.newaxis], wanted[np.newaxis]
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(
        first[..., :2], second[..., :2]
    )
    inter = np.clip(sides, 0, None).prod(axis=-1)
    areas = [(box[..., 2:] - box[..., :2]).prod(axis=-1) for box in (first, second)]
    return inter / (areas[0] + areas[1] - inter)


def test_every_planted_change_is_boxed_and_nothing_else(example, spotted):
    found, planted = example["boxes"](spotted), example["planted"]()
    assert len(found) == len(planted) == 6
    # One box each; the smallest, of 7 pixels, may be a pixel or two larger on each side.
    assert sorted(overlaps(found, planted).argmax(axis=1)) == list(range(6))
    assert np.abs(found - planted).max() <= 3


def test_recipe_on_the_command_line_boxes_the_same(example, spotted, tmp_path):
    images = [str(example["IMAGES"] / name) for name in ("candies.jpg", "candies_changed.jpg")]
    out = tmp_path / "out"
    assert main(["run", str(RECIPE), images[0], "--other", images[1], "-o", str(out)]) == 0
    table = np.genfromtxt(out / "candies_table.csv", delimiter=",", names=True, dtype=None)
    columns = spotted.table().columns
    assert np.allclose(table["centroid_x"], columns["centroid_x"])


def test_recipe_repeats_the_mask(example, spotted):
    first, second = example["pictures"]()
    again = replay(load_recipe(RECIPE), first, other=second)
    assert np.array_equal(again.image("mask").array, spotted.image("mask").array)
