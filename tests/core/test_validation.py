"""The shared checks refuse what they should, say where it is, and let good input through."""

import re

import numpy as np
import pytest

from napari_seedbed.core.validation import (
    check_channel_axis,
    check_count,
    check_image,
    check_labels,
    check_number,
    check_points,
    check_spacing,
)
from napari_seedbed.errors import InputError


@pytest.mark.parametrize("dtype", ["u1", "i2", "<u2", ">u2", "u8", "f2", "f4", ">f8", "?"])
def test_numeric_types_pass_with_their_values(dtype):
    data = np.array([[0, 1], [1, 0]], dtype=dtype)
    checked = check_image(data)
    assert checked.dtype.isnative
    assert np.array_equal(checked, data)


def test_an_array_is_not_copied():
    data = np.zeros((4, 5), np.float32)
    assert check_image(data) is data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.zeros((2, 2), complex), "complex"),
        (np.array([[1, None]], dtype=object), "type object"),
        (np.array(["a"]), "type <U1"),
        (np.zeros((0, 3)), r"empty: its shape is \(0, 3\)"),
        (np.ma.zeros((2, 2)), "masked"),
    ],
)
def test_what_is_no_image_is_refused(data, words):
    with pytest.raises(InputError, match=words):
        check_image(data)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_counted_and_located(value):
    data = np.zeros((3, 4), np.float32)
    data[1, 2] = data[2, 3] = value
    with pytest.raises(InputError, match=r"picture has 2 values .* first at index \(1, 2\)"):
        check_image(data, "picture")


def test_large_finite_values_pass():
    data = np.full((100, 100), np.finfo(np.float32).max, np.float32)
    assert check_image(data) is data


def test_number_of_axes_and_masks_can_be_restricted():
    with pytest.raises(InputError, match=r"1 axes .* must have 2 or 3"):
        check_image(np.zeros(3), ndim=(2, 3))
    with pytest.raises(InputError, match="mask"):
        check_image(np.zeros((2, 2), bool), allow_bool=False)


def test_labels():
    assert check_labels(np.array([[True, False]])).tolist() == [[1, 0]]
    assert check_labels(np.array([-1, 2], ">i4")).tolist() == [-1, 2]
    with pytest.raises(InputError, match="float64; it must hold whole numbers"):
        check_labels(np.zeros((2, 2)))
    with pytest.raises(InputError, match=r"shape \(2,\); .* image's shape \(3,\)"):
        check_labels(np.zeros(2, int), (3,))


def test_labels_held_as_floating_point_numbers():
    whole = check_labels(np.array([-1.0, 2.0], np.float16), any_type=True)
    assert whole.dtype == np.int32
    assert whole.tolist() == [-1, 2]
    assert check_labels(np.array([2.0**40]), any_type=True).tolist() == [2**40]
    for wrong in (0.5, np.nan, np.inf, 1e30):
        with pytest.raises(InputError, match=re.escape(f"value {wrong}; it must hold whole num")):
            check_labels(np.array([0, wrong]), any_type=True)
    with pytest.raises(InputError, match="complex128; it must hold whole numbers"):
        check_labels(np.zeros((2, 2), complex), any_type=True)


def test_spacing():
    assert check_spacing(None, 2) == (1.0, 1.0)
    assert check_spacing(0.5, 3) == (0.5, 0.5, 0.5)
    assert check_spacing(np.array([2, 1]), 2) == (2.0, 1.0)
    for wrong in [(1, 2, 3), (1, 0), (1, -1), (1, np.nan), "ab"]:
        with pytest.raises(InputError, match="spacing"):
            check_spacing(wrong, 2)


def test_channel_axis():
    assert check_channel_axis(None, 3) is None
    assert check_channel_axis(-1, 3) == 2
    for wrong in (3, -4, 1.5):
        with pytest.raises(InputError, match="channel_axis"):
            check_channel_axis(wrong, 3)


@pytest.mark.parametrize("value", [0, 2.5, np.float32(1), True])
def test_numbers_pass(value):
    assert check_number(value, "mu") == float(value)


@pytest.mark.parametrize("value", [-1, np.nan, np.inf, "wide", None, [1, 2]])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(InputError, match="mu must be a number, 0 or more"):
        check_number(value, "mu")


def test_zero_is_refused_where_it_makes_no_sense():
    with pytest.raises(InputError, match="dt must be a number, more than 0; got 0"):
        check_number(0, "dt", allow_zero=False)


@pytest.mark.parametrize("value", [0, 7, 3.0, np.int8(4)])
def test_counts_pass(value):
    assert check_count(value, "num_iter") == int(value)


@pytest.mark.parametrize("value", [-1, 2.5, np.nan, np.inf, "many", None, True])
def test_what_is_no_count_is_refused(value):
    with pytest.raises(InputError, match="num_iter must be a whole number, 0 or more"):
        check_count(value, "num_iter")


def test_points_become_floats():
    assert check_points([(0, 1), (2, 3)], "snake").dtype == np.float64


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ("round", "array of numbers"),
        ([(0, 1), (2,)], "array of numbers"),
        (np.ones((4, 3)), r"the shape \(4, 3\)"),
        ([(0, 1), (np.nan, 3), (np.inf, 2)], "2 points that are NaN or infinite, .* index 1"),
    ],
)
def test_what_are_no_points_is_refused(points, words):
    with pytest.raises(InputError, match=f"snake .*{words}"):
        check_points(points, "snake")
