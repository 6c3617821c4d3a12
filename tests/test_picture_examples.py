"""Worked examples on pictures: each as good as its page says, and its recipe repeats it."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_seedbed.pipeline.recipes import load_recipe, replay

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.fixture(scope="module")
def script():
    """A function that gives what an example's script defines; it is not run as a program."""
    before = list(sys.path)
    yield lambda name: runpy.run_path(str(EXAMPLES / f"{name}.py"))
    sys.path[:] = before


def assert_repeats(name, image, result, key):
    """The recipe beside the script gives the same voxels, to the bit."""
    again = replay(load_recipe(EXAMPLES / f"{name}.yaml"), image).image(key)
    np.testing.assert_array_equal(np.asarray(again.array), np.asarray(result.image(key).array))


def test_few_scribbles_find_the_cats_eye_and_nose(script):
    example = script("cat")
    result = example["grown"]()
    found = example["overlaps"](np.asarray(result.image("labels").array))
    assert found["eye"] > 0.9
    assert found["nose"] > 0.7
    assert_repeats("cat", example["picture"](), result, "labels")
