"""The worked examples of snakes: each as good as its page says, and its recipe repeats it."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.recipes import load_recipe, replay

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.fixture(scope="module")
def script():
    """A function that gives what an example's script defines; it is not run as a program."""
    before = list(sys.path)
    yield lambda name: runpy.run_path(str(EXAMPLES / f"snakes_{name}.py"))
    sys.path[:] = before


def labels_of(result):
    return np.asarray(result.outputs["labels"].array)


def assert_repeats(name, image, result):
    """The recipe beside the script gives the same labels and shapes, to the bit."""
    again = replay(load_recipe(EXAMPLES / f"snakes_{name}.yaml"), image)
    np.testing.assert_array_equal(labels_of(again), labels_of(result))
    assert len(again.outputs) == len(result.outputs)
    if "shapes" in result.outputs:
        pairs = zip(again.shapes().shapes, result.shapes().shapes, strict=True)
        assert all(np.array_equal(one.points, other.points) for one, other in pairs)


def test_circle_finds_the_astronauts_head_and_hair_without_tuning(script):
    example = script("astronaut")
    result = example["grown"]()
    truth = example["truth"]()
    (circle,) = result.shapes().shapes
    assert circle.closed
    assert example["overlap"](truth, labels_of(result) == 1) >= 0.9
    assert_repeats("astronaut", example["picture"](), result)


def test_rough_ellipses_find_the_nuclei_whatever_the_method(script, samples):
    example = script("nuclei")
    start = example["overlaps"](example["started"]())
    assert np.mean(list(start.values())) < 0.75
    for operation in example["OPERATIONS"]:
        result = example["grown"](operation)
        found = list(example["overlaps"](labels_of(result)).values())
        assert len(found) == 22
        assert np.mean(found) > 0.85, operation
        assert min(found) > 0.7, operation
    assert_repeats("nuclei", read_image(samples / "nuclei_2d.tif"), result)


def test_outlines_on_three_slices_grow_beyond_what_interpolation_gives(script, samples):
    example = script("volume")
    result = example["grown"]()
    found = example["overlaps"](labels_of(result))
    for cap in ("flat", "round"):
        interpolated = example["overlaps"](example["interpolated"](cap))
        assert all(found[label] > interpolated[label] for label in found), cap
    assert_repeats("volume", read_image(samples / "nuclei.ome.tif"), result)


def test_paths_are_pulled_onto_the_membranes(script, samples):
    example = script("membranes")
    result = example["grown"]()
    before = example["distances"](example["PATHS"])
    after = example["distances"](result.shapes().shapes)
    assert all(not path.closed for path in result.shapes().shapes)
    for label, pixels in before.items():
        assert pixels > 1.4
        assert after[label] < 0.6
    assert_repeats("membranes", read_image(samples / "membranes.tif"), result)


def test_nuclei_are_followed_through_the_film_and_the_dividing_one_is_lost(script, samples):
    example = script("film")
    result = example["grown"]()
    labels = labels_of(result)
    found = example["overlaps"](labels)
    assert len(found) == 6
    assert min(found.values()) > 0.7
    lost = [note for note in result.record["notes"] if "was lost" in note]
    assert len(lost) == 1
    assert f"Object {example['DIVIDES']} was lost at time point 1" in lost[0]
    assert not (labels[1:] == example["DIVIDES"]).any()
    assert_repeats("film", read_image(samples / "nuclei_film.ome.tif"), result)
