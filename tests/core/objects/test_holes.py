"""Holes are filled as SciPy fills them, each object on its own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage as ndi

from napari_seedbed.core import fill_holes

MASKS = st.one_of(
    arrays(bool, st.tuples(*[st.integers(2, 12)] * 2)),
    arrays(bool, st.tuples(*[st.integers(2, 6)] * 3)),
)
LABELS = arrays(np.int32, st.tuples(*[st.integers(2, 9)] * 2), elements=st.integers(0, 2))


@given(MASKS)
def test_holes_of_a_mask_are_those_of_scipy(mask):
    np.testing.assert_array_equal(fill_holes(mask), ndi.binary_fill_holes(mask))


@given(LABELS)
def test_each_label_is_filled_on_its_own(labels):
    found = fill_holes(labels)
    own = {value: ndi.binary_fill_holes(labels == value) for value in (1, 2)}
    either = own[1] | own[2]
    np.testing.assert_array_equal(found > 0, either | (labels > 0))
    np.testing.assert_array_equal(found[labels > 0], labels[labels > 0])
    for value, other in ((1, 2), (2, 1)):
        alone = own[value] & ~own[other] & (labels == 0)
        assert (found[alone] == value).all()


def ring(shape, low, high):
    """A square ring, one voxel thick."""
    mask = np.zeros(shape, bool)
    mask[low : high + 1, low : high + 1] = True
    mask[low + 1 : high, low + 1 : high] = False
    return mask


def test_rings_in_rings_fill_what_they_enclose_first():
    labels = np.zeros((11, 11), int)
    labels[ring(labels.shape, 1, 9)] = 1
    labels[ring(labels.shape, 3, 7)] = 2
    expected = labels.copy()
    expected[2:9, 2:9] = 1
    expected[3:8, 3:8] = 2
    np.testing.assert_array_equal(fill_holes(labels), expected)


def test_ground_that_several_objects_enclose_together_is_no_hole():
    labels = ring((7, 7), 1, 5).astype(int)
    labels[:, 4:] *= 2
    np.testing.assert_array_equal(fill_holes(labels), labels)


def test_large_holes_stay_open():
    mask = ring((9, 12), 1, 5) | np.roll(ring((9, 12), 1, 3), 6, axis=1)
    spacing = (0.5, 2.0)
    np.testing.assert_array_equal(fill_holes(mask, 0.9, spacing), mask)
    filled = fill_holes(mask, 1.0, spacing)
    assert filled.sum() - mask.sum() == 1
    assert fill_holes(mask, 9.0, spacing).sum() - mask.sum() == 10


@pytest.mark.parametrize("slicewise", [False, True])
def test_tube_is_a_hole_of_its_slices_only(slicewise):
    tube = np.broadcast_to(ring((7, 7), 1, 5), (4, 7, 7))
    found = fill_holes(tube, slicewise=slicewise)
    assert found[:, 3, 3].all() == slicewise
    assert found.sum() - tube.sum() == (36 if slicewise else 0)


def test_slice_of_a_volume_has_holes():
    flat = ring((7, 7), 1, 5)[None]
    assert fill_holes(flat).sum() == 25


def test_largest_hole_of_a_slice_is_an_area():
    cube = np.broadcast_to(ring((5, 5), 1, 3), (4, 5, 5))
    spacing = (10.0, 1.0, 1.0)
    assert fill_holes(cube, 1.0, spacing, slicewise=True)[:, 2, 2].all()
    assert not fill_holes(cube, 0.9, spacing, slicewise=True)[:, 2, 2].any()
