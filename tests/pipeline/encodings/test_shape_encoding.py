"""Shapes as text: every bit comes back, and what is no shape is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.errors import RecipeError
from napari_seedbed.pipeline.encodings.shape_encoding import (
    decode_shapes,
    encode_shapes,
    points_from_text,
)

COORDINATES = st.floats(allow_nan=False, allow_infinity=False)
POINTS = st.tuples(st.integers(1, 9), st.sampled_from([2, 3])).flatmap(
    lambda size: arrays(np.float64, size, elements=COORDINATES)
)


@given(POINTS, st.integers(1, 2**31 - 1), st.booleans(), st.integers(0, 10**6))
def test_every_bit_comes_back(points, label, closed, time):
    (found,) = decode_shapes(encode_shapes([Shape(label, points, closed, time)]))
    assert (found.label, found.closed, found.time) == (label, closed, time)
    assert found.points.tobytes() == points.tobytes()
    assert found.points.shape == points.shape


def test_text_is_what_people_would_write():
    (encoded,) = encode_shapes([Shape(3, np.array([[10.5, 20], [11, -21.25]]))])
    expected = {"label": 3, "closed": True, "time": 0, "points": "10.5 20, 11 -21.25"}
    assert encoded == expected


def test_lines_are_short_and_break_between_points(rng):
    points = rng.random((40, 3)) * 1000
    (encoded,) = encode_shapes([Shape(1, points)])
    lines = encoded["points"].splitlines()
    assert max(map(len, lines)) <= 88
    assert all(len(point.split()) == 3 for line in lines for point in line.strip(",").split(","))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "2 or 3 numbers, not 0"),
        ("1 2 3 4", "2 or 3 numbers, not 4"),
        ("1 2, 3", r"point 2 has 1 number\(s\) and the first one has 2"),
        ("1 2,", "point 2 has 0"),
        ("1 2, 3 4 5", "point 2 has 3"),
        ("1 nan", "'nan' in point 1"),
        ("1 inf", "'inf' in point 1"),
        ("1 1e999", "'1e999' in point 1"),
        ("1 1_0", "'1_0' in point 1"),
        ("1 0x10", "'0x10' in point 1"),
        ("1 ٣", "in point 1 is not a number"),
        ("1 " + "9" * 100_000 + "x", "in point 1 is not a number"),
    ],
)
def test_what_is_no_point_is_refused(text, message):
    with pytest.raises(RecipeError, match=message):
        points_from_text(text)
