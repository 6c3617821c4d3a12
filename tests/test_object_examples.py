"""Worked examples on objects: each finds what people see, and its recipe repeats it."""

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


def repeated(name, image):
    return replay(load_recipe(EXAMPLES / f"{name}.yaml"), image)


def test_each_of_the_24_coins_is_one_object(script):
    example = script("coins")
    result = example["counted"]()
    labels = np.asarray(result.image("labels").array)
    matched = example["overlaps"](labels)
    assert len(np.unique(labels)) - 1 == 24
    assert {label for label, _ in matched} == set(range(1, 25))
    assert min(iou for _, iou in matched) > 0.85
    again = repeated("coins", example["picture"]())
    np.testing.assert_array_equal(again.image("labels").array, labels)


def test_circle_has_the_area_of_the_pill(script):
    example = script("pill")
    result = example["fitted"]()
    table = result.table("table").columns
    assert table["area"][0] == pytest.approx(example["area_by_hand"](), rel=0.03)
    away = np.linalg.norm(
        example["outline_by_hand"]() - (table["centre_y"][0], table["centre_x"][0]), axis=1
    )
    assert np.abs(away - table["radius"][0]).mean() < 4
    again = repeated("pill", example["picture"]())
    for name, column in again.table("table").columns.items():
        np.testing.assert_array_equal(column, table[name])


def test_circle_has_the_area_of_the_top_of_the_pill(script):
    example = script("pill")
    area = example["top_face"]().table("table").columns["area"][0]
    assert area == pytest.approx(example["TOP_FACE_BY_EYE"], rel=0.03)


def test_every_end_of_the_zigzags_is_found_and_nothing_else(script):
    example = script("zigzags")
    result = example["found"]()
    points = result.points("points")
    assert set(points.columns["kind"]) == {"end"}
    assert len(points) == len(example["ends_by_hand"]()) == 42
    assert example["distances"](points.points).max() < 3
    again = repeated("zigzags", example["picture"]())
    np.testing.assert_array_equal(again.points("points").points, points.points)
