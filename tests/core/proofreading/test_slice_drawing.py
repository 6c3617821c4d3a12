"""Slices filled, and objects drawn on every n-th slice."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage as ndi

from napari_seedbed.core.proofreading.chosen_objects import Chosen
from napari_seedbed.core.proofreading.slice_drawing import (
    fill_slice,
    interpolate_between_slices,
)
from napari_seedbed.errors import InputError


def after(labels, edit):
    found = labels.copy()
    edit.apply(found)
    return found


@pytest.fixture
def labels(rng):
    """Return blocks of the labels 0 to 4 in 3D."""
    return rng.integers(0, 5, (4, 5, 6)).repeat(3, 0).repeat(3, 1).repeat(3, 2).astype(np.uint16)


@pytest.mark.parametrize(
    ("value", "place", "message"),
    [
        (3, lambda labels: np.argwhere(labels == 0)[0], "Object 3 is locked"),
        (1 << 16, lambda labels: np.argwhere(labels == 0)[0], "uint16 end at 65535"),
        (4, lambda labels: (0, 0, 99), "must lie within"),
        (4, lambda labels: np.argwhere(labels == 2)[0], "is in object 2"),
    ],
)
def test_fills_that_cannot_be_are_refused(labels, value, place, message):
    with pytest.raises(InputError, match=message):
        fill_slice(Chosen(labels, value, locked=[3]), place(labels))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_fill_stays_in_its_slice_and_within_walls(labels, axis):
    point = np.argwhere(labels == 0)[-1]
    plane = np.take(labels, point[axis], axis)
    pieces = ndi.label(plane == 0)[0]
    here = pieces == pieces[tuple(np.delete(point, axis))]
    expected = labels.copy()
    np.moveaxis(expected, axis, 0)[point[axis]][here] = 8
    assert_array_equal(after(labels, fill_slice(Chosen(labels, 8), point, axis=axis)), expected)
    flat = labels[0]
    spot = np.argwhere(flat == 0)[0]
    found = after(flat, fill_slice(Chosen(flat, 8), spot))
    assert_array_equal(found == 8, ndi.label(flat == 0)[0] == ndi.label(flat == 0)[0][tuple(spot)])


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("every", [0, 5])
def test_a_cone_drawn_on_every_fifth_slice_is_a_cone(axis, every):
    z, y, x = np.indices((31, 50, 50))
    inside = np.hypot(y - 25, x - 25) <= 4 + 0.5 * z
    cone = np.moveaxis(np.where(inside, 3, 0), 0, axis).astype(np.int32)
    given = cone.copy()
    slices = np.moveaxis(given, axis, 0)
    between = np.arange(31) % 5 != 0
    if every:
        # What lies between is rough: it is drawn anew.
        rough = np.random.default_rng(3).random(slices.shape) < 0.3
        slices[between[:, None, None] & rough] = 0
    else:
        slices[between] = 0
    # Another object in the way stays.
    slices[8, 25, 25] = 9
    found = after(given, interpolate_between_slices(Chosen(given, 3), every=every, axis=axis))
    planes = np.moveaxis(found, axis, 0)
    assert planes[8, 25, 25] == 9
    assert_array_equal(planes[~between], slices[~between])
    wrong = (found == 3) != (cone == 3)
    assert wrong.sum() < 0.03 * (cone == 3).sum()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint32, np.int64, np.uint64])
def test_gaps_of_the_highest_label_of_a_type_are_filled(dtype):
    value = int(np.iinfo(dtype).max)
    labels = np.zeros((5, 12, 12), dtype)
    labels[[0, 4], 3:9, 3:9] = value
    expected = np.zeros(labels.shape, bool)
    expected[:, 3:9, 3:9] = True
    found = after(labels, interpolate_between_slices(Chosen(labels, value)))
    assert_array_equal(found == value, expected)


def test_spacing_counts_between_slices_and_gaps_alone_are_filled():
    labels = np.zeros((9, 20, 20), np.uint8)
    labels[0, 5:15, 5:15] = labels[8, 5:15, 5:15] = 2
    labels[4, 8:12, 8:12] = 2
    edit = interpolate_between_slices(Chosen(labels, 2, (3, 1, 1)))
    sizes = (after(labels, edit) == 2).sum(axis=(1, 2))
    assert sizes[0] == sizes[8] == 100
    assert sizes[4] == 16
    assert 16 < sizes[2] < 100
    with pytest.raises(InputError, match="nothing would change"):
        interpolate_between_slices(Chosen(after(labels, edit), 2))
    with pytest.raises(InputError, match="in a volume alone"):
        interpolate_between_slices(Chosen(labels[0], 2))
