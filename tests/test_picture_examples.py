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


def test_text_in_the_dark_corner_of_a_page_is_read(script):
    example = script("page")
    read = {way: example["read"](way) for way in example["WAYS"]}
    scores = {way: example["scores"](found.image("mask").array) for way, found in read.items()}
    page, corner = scores["Sauvola"]
    assert page > 0.95
    assert corner > 0.92
    assert scores["local mean less ten"][1] > 0.85
    assert scores["Otsu, one threshold for all"][1] < 0.3
    assert_repeats("page", example["picture"](), read["Sauvola"], "mask")


def test_front_of_the_fingers_is_one_closed_line(script):
    example = script("fingers")
    result = example["grown"]()
    (front,) = example["fronts"](np.asarray(result.image("labels").array))
    np.testing.assert_array_equal(front[0], front[-1])
    away = example["distances"](front)
    assert away.mean() < 2
    assert away.max() < 6
    assert_repeats("fingers", example["picture"](), result, "labels")
