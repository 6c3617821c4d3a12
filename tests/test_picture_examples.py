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


def test_twelve_blue_candies_are_counted(script):
    example = script("candies")
    result = example["counted"]()
    labels = np.asarray(result.image("labels").array)
    areas = np.unique(labels[labels > 0], return_counts=True)[1]
    assert len(areas) == 12
    assert areas.max() < 1.3 * areas.min()
    assert_repeats("candies", example["picture"](), result, "labels")


def test_random_walker_finds_the_astronauts_head(script):
    example = script("astronaut")
    result = example["by_random_walker"]()
    head = np.asarray(result.image("labels").array) == example["HEAD"]
    assert example["overlap"](example["truth"](), head) > 0.95
    assert_repeats("astronaut_random_walker", example["picture"](), result, "labels")


def test_merged_region_graph_finds_the_astronauts_head(script):
    example = script("astronaut")
    result = example["by_region_graph"]()
    labels = np.asarray(result.image("labels").array)
    head = labels == labels[example["CLICKS"][0]]
    assert example["overlap"](example["truth"](), head) > 0.93
    assert_repeats("astronaut_region_graph", example["picture"](), result, "labels")


def test_posterised_views_have_a_colour_for_each_region(script):
    views = script("astronaut")["posterised"]()
    counts = {name: len(np.unique(v.reshape(-1, 3), axis=0)) for name, v in views.items()}
    assert list(views) == ["SLIC", "Felzenszwalb", "cut region graph"]
    assert counts["cut region graph"] < counts["SLIC"] < counts["Felzenszwalb"]


def test_nuclei_of_a_volume_are_counted_and_measured(script, samples):
    example = script("nuclei_count")
    labels = example["found"]()
    scores = example["scores"](labels)
    assert scores["truth_objects"] == 54
    assert abs(scores["result_objects"] - 54) <= 4
    assert scores["objects_found"][0] >= 40
    assert scores["dice"] > 0.83
    result = example["measured"](labels)
    columns = result.table().columns
    sizes = np.bincount(np.asarray(labels.array).ravel())
    np.testing.assert_allclose(
        columns["volume"], sizes[columns["label"]] * np.prod(labels.spacing), rtol=1e-6
    )
    again = replay(load_recipe(EXAMPLES / "nuclei_count.yaml"), example["volume"]()).table()
    np.testing.assert_array_equal(again.columns["volume"], columns["volume"])
    np.testing.assert_array_equal(again.columns["mean_intensity"], columns["mean_intensity"])
