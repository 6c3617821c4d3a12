"""Differences are those of real numbers, and nothing is left of what was only moved or lit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage as ndi
from skimage import data, io
from skimage.metrics import structural_similarity

from napari_seedbed.core import (
    compare_images,
    image_difference,
    running,
    series_differences,
    structural_similarity_map,
)
from napari_seedbed.core.differences.difference_series import frame_pairs
from napari_seedbed.errors import Cancelled, InputError

_PAIRS = st.sampled_from(["u1", "u2", "i2", ">u2", "i4", "u4", "f4", "f8"]).flatmap(
    lambda dtype: st.tuples(
        *[
            arrays.arrays(
                dtype,
                (3, 4),
                elements=None
                if dtype[-2] in "ui"
                else st.floats(-1e6, 1e6, width=8 * int(dtype[-1])),
            )
        ]
        * 2
    )
)


@given(_PAIRS)
def test_types_do_not_wrap_around(pair):
    a, b = pair
    wide_a, wide_b = a.astype(float), b.astype(float)
    signed = image_difference(a, b)
    assert np.allclose(signed, wide_a - wide_b, rtol=1e-6, atol=1e-6 * np.abs(wide_a).max())
    assert np.array_equal(image_difference(b, a), -signed)
    assert np.array_equal(image_difference(a, b, mode="absolute"), np.abs(signed))
    assert np.array_equal(image_difference(a, a), np.zeros(a.shape))


def test_ratios_are_finite_and_one_where_both_are_zero():
    a = np.array([[0, 8, 5, 0]], np.uint8)
    b = np.array([[0, 4, 0, 3]], np.uint8)
    assert image_difference(a, b, mode="ratio").tolist() == [[1, 2, 5, 0]]
    floats = image_difference(a / 10, b / 10, mode="ratio")
    assert np.allclose(floats, [[1, 2, 0.5 / 0.3, 0]])
    tiny = image_difference(np.full((2, 2), 1e300), np.array([[0, 5e-324], [1, 2]]), mode="ratio")
    assert np.isfinite(tiny).all()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_channels_are_kept_averaged_or_the_most_different_one(rng, axis):
    a, b = rng.integers(0, 256, (2, 12, 15, 4), np.uint8)
    wide = a.astype(float) - b
    moved = [np.moveaxis(image, -1, axis) for image in (a, b)]
    each = image_difference(*moved, channel_axis=axis)
    assert np.array_equal(np.moveaxis(each, axis, -1), wide)
    mean = image_difference(*moved, channel_axis=axis, channels="mean")
    assert np.allclose(mean, wide.mean(axis=-1), atol=1e-4)
    largest = image_difference(*moved, channel_axis=axis, channels="largest")
    assert np.array_equal(np.abs(largest), np.abs(wide).max(axis=-1))
    assert (wide == largest[..., np.newaxis]).any(axis=-1).all()


def test_of_ratios_the_one_farthest_from_one_counts():
    a, b = np.array([[[10.0, 30, 20]]]), np.array([[[50.0, 10, 20]]])
    out = image_difference(a, b, channel_axis=-1, channels="largest", mode="ratio")
    assert out.tolist() == [[0.2]]


@pytest.mark.parametrize("register", ["shift", "rotation", "similarity"])
@pytest.mark.parametrize("match", ["mean_std", "percentiles", "histogram"])
def test_moved_and_lit_otherwise_is_no_difference(register, match):
    image = data.camera()
    a, b = image[100:300, 100:350], image[96:296, 107:357] * 0.7 + 12
    found = compare_images(a, b, register=register, match=match)
    assert np.abs(found.difference[found.covered]).mean() < 0.6  # of 255
    assert (found.difference[~found.covered] == 0).all()
    assert found.covered.sum() == pytest.approx(196 * 243, rel=0.02)
    assert np.abs(image_difference(a, b)).mean() > 20


def test_a_change_remains_where_it_is_in_the_first_image():
    image = data.camera()
    a, b = image[100:300, 100:350].copy(), image[96:296, 107:357]
    a[50:60, 80:95] = 255
    found = compare_images(a, b, register="shift")
    changed = found.difference != 0
    expected = np.zeros(a.shape, bool)
    expected[50:60, 80:95] = image[150:160, 180:195] != 255
    assert np.array_equal(changed, expected)


def test_a_ratio_is_one_where_the_second_image_does_not_reach():
    image = data.camera() + 1.0
    found = compare_images(
        image[100:300, 100:350], image[96:296, 107:357], register="shift", mode="ratio"
    )
    assert np.allclose(found.difference, 1)
    assert not found.covered.all()


def test_a_registration_once_found_can_be_used_again():
    image = data.camera()
    first = compare_images(image[100:300, 100:350], image[96:296, 107:357], register="shift")
    again = compare_images(image[100:300, 100:350].T, image[96:296, 107:357].T, register=None)
    assert again.registration is None
    other = compare_images(
        255 - image[100:300, 100:350], 255 - image[96:296, 107:357], register=first.registration
    )
    assert (other.difference == 0).all()


def test_volumes_and_inputs_are_left_alone(rng):
    a, b = rng.integers(0, 60000, (2, 20, 30, 40)).astype(np.uint16)
    a.setflags(write=False)
    before = b.copy()
    assert np.array_equal(image_difference(a, b, mode="signed"), a.astype(float) - b)
    compare_images(a[:, ::2], b[:, ::2], mode="ratio", match="mean_std")
    assert np.array_equal(b, before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"b": np.ones((5, 6))}, r"\(5, 5\) and \(5, 6\)"),
        ({"mode": "xor"}, "mode must be one of"),
        ({"channels": "first"}, "channels must be one of"),
        ({"register": "affine"}, "kind must be one of"),
        ({"register": "shift"}, "constant"),
        ({"match": "gamma"}, "match must be one of"),
        ({"channel_axis": 2}, "channel_axis"),
        ({"a": np.full((5, 5), np.nan)}, "NaN"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        image_difference(**({"a": np.ones((5, 5)), "b": np.ones((5, 5))} | arguments))


def test_it_stops_when_asked():
    image = np.zeros((2000, 2000), np.uint8)
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        image_difference(image, image)


@pytest.mark.parametrize("channel_axis", [None, 0, -1])
def test_structural_similarity_equals_scikit_image(channel_axis):
    a = data.chelsea()[:120, :150]
    b = ndi.gaussian_filter(a, (2, 2, 0))
    if channel_axis is None:
        a, b = a[..., 0], b[..., 0]
    elif channel_axis == 0:
        a, b = np.moveaxis(a, -1, 0), np.moveaxis(b, -1, 0)
    _, expected = structural_similarity(a, b, channel_axis=channel_axis, full=True)
    if channel_axis is not None:
        expected = expected.mean(axis=channel_axis)
    assert np.allclose(structural_similarity_map(a, b, channel_axis=channel_axis), expected)


def test_structural_similarity_of_large_images_and_volumes(rng):
    for shape in [(1500, 900), (70, 100, 110)]:
        a, b = rng.random((2, *shape))
        _, expected = structural_similarity(a, b, data_range=1.0, full=True)
        assert np.allclose(structural_similarity_map(a, b, data_range=1), expected, atol=1e-9)


def test_equal_images_are_alike_everywhere_even_if_constant():
    assert np.allclose(structural_similarity_map(np.ones((9, 9)), np.ones((9, 9))), 1)
    with pytest.raises(InputError, match="window"):
        structural_similarity_map(np.ones((5, 9)), np.ones((5, 9)))
    with pytest.raises(InputError, match="different sizes"):
        structural_similarity_map(np.ones((9, 9)), np.ones((9, 8)))


def test_frames_are_compared_with_the_one_before_the_first_or_any():
    assert frame_pairs(4) == [(0, 0), (1, 0), (2, 1), (3, 2)]
    assert frame_pairs(3, "first") == [(0, 0), (1, 0), (2, 0)]
    assert frame_pairs(3, -1) == [(0, 2), (1, 2), (2, 2)]
    for wrong in (3, "last", None):
        with pytest.raises(InputError, match="against"):
            frame_pairs(3, wrong)
    with pytest.raises(InputError, match="n_times"):
        frame_pairs(0)


@pytest.mark.parametrize(("against", "reads"), [("previous", 5), ("first", 5), (2, 5)])
def test_a_series_is_read_once_and_compared_frame_by_frame(rng, against, reads):
    frames = rng.integers(0, 256, (5, 8, 9), np.uint8)
    read = []

    def load(t):
        read.append(t)
        return frames[t]

    found = [c.difference for c in series_differences(load, 5, against=against)]
    other = [pair[1] for pair in frame_pairs(5, against)]
    assert np.array_equal(found, frames.astype(float) - frames[other])
    assert len(read) == reads


def test_nuclei_that_move_appear_and_leave_a_hole(shared_data):
    files = sorted((shared_data / "pairs" / "mitocheck_movie").glob("*.tif"))[:6]
    found = list(series_differences(lambda t: io.imread(files[t]), 6))
    assert (found[0].difference == 0).all()
    for comparison in found[1:]:
        assert comparison.difference.max() > 20
        assert comparison.difference.min() < -20
        assert abs(np.median(comparison.difference)) <= 2
