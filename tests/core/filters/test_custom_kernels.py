"""Kernels that are typed: how they are read, and what they do."""

import numpy as np
import pytest
from scipy import ndimage

from napari_seedbed.core import custom_filter, parse_kernel
from napari_seedbed.errors import InputError

MODES = ("reflect", "constant", "nearest", "mirror", "wrap")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 2 1", [1, 2, 1]),
        ("-0.5, 0, +.5", [-0.5, 0, 0.5]),
        ("1/4 2/4 1e-3", [0.25, 0.5, 0.001]),
        ("7", [7]),
        ("1; 2", [[1], [2]]),
        ("1 2\n3 4", [[1, 2], [3, 4]]),
        (" 1 2 ;\n3 4;\n", [[1, 2], [3, 4]]),
        ("1 2\r\n3 4\r\n", [[1, 2], [3, 4]]),
        ("1 | 2 | 3", [[[1]], [[2]], [[3]]]),
        ("1 2\n3 4\n\n5 6\n7 8", [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]),
        ("1 2;3 4 | 5 6;7 8\n", [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]),
    ],
)
def test_kernel_is_read_as_it_is_written(text, expected):
    found = parse_kernel(text)
    assert found.shape == np.shape(expected)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there are no numbers"),
        (" ; | \n", "there are no numbers"),
        ("1 2\n1 2 3", "row 2 has 3 numbers and the first 2"),
        ("1;2 | 1", "its slices have 2, 1 rows"),
        ("1 x", "'x' is not a number"),
        ("1/0", "'1/0' is not a number"),
        ("1/", "'1/' is not a number"),
        ("nan inf", "'nan' is not a number"),
        ("1 " * 100_001, "at most 100000"),
    ],
)
def test_text_that_is_no_kernel_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        parse_kernel(text)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["correlation", "convolution"])
@pytest.mark.parametrize("shape", [(3,), (4,), (3, 3), (2, 5), (1, 40)], ids=str)
def test_filter_is_that_of_scipy(rng, mode, kind, shape):
    image, kernel = rng.random((30, 33)), rng.normal(size=shape)
    theirs = ndimage.correlate if kind == "correlation" else ndimage.convolve
    whole = np.atleast_2d(kernel)
    expected = theirs(image, whole, mode=mode, cval=0.7)
    found = custom_filter(image, kernel, kind=kind, mode=mode, cval=0.7)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_slabs_of_a_large_image_fit_together(rng, mode):
    image, kernel = rng.random((600, 300)), rng.normal(size=(13, 12))
    expected = ndimage.correlate(image, kernel, mode=mode)
    np.testing.assert_array_equal(custom_filter(image, kernel, mode=mode), expected)


def test_correlation_lays_the_kernel_as_it_is_written_and_convolution_turns_it():
    dot = np.zeros((1, 7))
    dot[0, 3] = 1
    np.testing.assert_array_equal(custom_filter(dot, "1 2 3")[0], [0, 0, 3, 2, 1, 0, 0])
    turned = custom_filter(dot, "1 2 3", kind="convolution")
    np.testing.assert_array_equal(turned[0], [0, 0, 1, 2, 3, 0, 0])


def test_kernel_of_slices_lies_along_z(rng):
    volume = rng.random((6, 5, 4))
    found = custom_filter(volume, "-1 | 0 | 1", mode="nearest")
    np.testing.assert_allclose(found[1:-1], volume[2:] - volume[:-2])


def test_divided_by_its_sum_a_kernel_leaves_even_images():
    found = custom_filter(np.full((5, 6), 9, np.uint8), "1 2 1; 2 4 2; 1 2 1", normalize=True)
    np.testing.assert_allclose(found, 9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel": "1 | 2"}, "^kernel has 3 axes and the image 2"),
        ({"kernel": "-1 0 1", "normalize": True}, "add up to 0"),
        ({"kernel": "1", "kind": "x"}, "^kind is 'x'"),
        ({"kernel": "1", "mode": "x"}, "^mode is 'x'"),
        ({"kernel": "1", "cval": np.nan}, "^cval is nan"),
    ],
)
def test_what_cannot_be_done_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        custom_filter(np.zeros((5, 5)), **arguments)
