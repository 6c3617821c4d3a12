"""The worked example of colours: as good as its page says, and its recipe repeats it."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from napari_seedbed.core import masks_at_levels
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import load_recipe, replay

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"

# Share of the water that is found at the levels 0.2, 0.4, 0.6 and 0.8, as its page states.
FOUND = {
    "chromaticity_gaussian": (0.7, 0.5, 0.15, 0.05),
    "histogram_backprojection": (0.95, 0.9, 0.9, 0.85),
}


@pytest.fixture(scope="module")
def example():
    """What the script defines; it is not run as a program."""
    return runpy.run_path(str(EXAMPLES / "water_painting.py"))


@pytest.mark.parametrize("method", FOUND)
def test_one_patch_finds_the_water_and_neither_sky_nor_boats(example, method):
    masks = masks_at_levels(example["found"](method).image("image").array)
    for mask, least in zip(masks, FOUND[method], strict=True):
        water, other = example["shares"](mask)
        assert water >= least
        assert other < 0.005


@pytest.mark.parametrize("method", FOUND)
def test_places_of_patches_and_their_colours_give_the_same_water(example, method, samples):
    image = read_image(samples / "great_wave.jpg")
    marked = run(method, {"image": image, "shapes": example["PATCH"]})
    by_colours = example["found"](method).image("image").array
    np.testing.assert_array_equal(marked.image("image").array, by_colours)


def test_recipe_repeats_it(example, samples):
    recipe = load_recipe(EXAMPLES / "water_painting.yaml")
    again = replay(recipe, read_image(samples / "great_wave.jpg"))
    result = example["found"](example["METHODS"][0])
    for key in ("mask", "composite"):
        np.testing.assert_array_equal(again.image(key).array, result.image(key).array)


def test_recipe_works_on_a_part_of_the_picture(example, samples):
    image = read_image(samples / "great_wave.jpg")
    recipe = load_recipe(EXAMPLES / "water_painting.yaml")
    part = image.crop((slice(100, 283), slice(40, 512)))
    whole = replay(recipe, image).image("mask").array
    np.testing.assert_array_equal(replay(recipe, part).image("mask").array, whole[100:283, 40:512])
