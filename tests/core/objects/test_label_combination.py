"""Two label images put together voxel by voxel and object by object."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_seedbed.core import combine_labels
from napari_seedbed.errors import InputError

PAIRS = st.tuples(*[arrays(np.int32, (5, 6), elements=st.integers(0, 3))] * 2)


@given(PAIRS)
def test_masks_combine_as_truth_values_do(pair):
    one, other = (labels > 1 for labels in pair)
    for how, expected in (
        ("and", one & other),
        ("or", one | other),
        ("xor", one ^ other),
        ("minus", one & ~other),
    ):
        found = combine_labels(one, other, how)
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found, expected)


@given(PAIRS)
def test_voxels_keep_their_labels(pair):
    one, other = pair
    for how in ("and", "or", "minus", "xor"):
        found = combine_labels(one, other, how)
        inside = found > 0
        own = np.where(one > 0, one, other)
        np.testing.assert_array_equal(found[inside], own[inside])


@given(PAIRS)
def test_renumbered_objects_are_apart(pair):
    one, other = pair
    found = combine_labels(one, other, "or", renumber=True)
    np.testing.assert_array_equal(found > 0, (one > 0) | (other > 0))
    np.testing.assert_array_equal(found[one > 0], one[one > 0])
    added = (one == 0) & (other > 0)
    assert (found[added] > one.max()).all()
    for value in np.unique(other[added]):
        assert len(np.unique(found[added & (other == value)])) == 1


@given(PAIRS)
def test_pairs_are_the_parts_that_share_both_labels(pair):
    one, other = pair
    found = combine_labels(one, other, "pairs")
    both = (one > 0) & (other > 0)
    np.testing.assert_array_equal(found > 0, both)
    triples = set(zip(one[both], other[both], found[both], strict=True))
    pairs = sorted({(a, b) for a, b, _ in triples})
    assert triples == {(a, b, i) for i, (a, b) in enumerate(pairs, start=1)}


@given(PAIRS)
def test_whole_objects_stay_or_go(pair):
    one, other = pair
    together = combine_labels(one, other, "overlapping")
    apart = combine_labels(one, other, "apart")
    np.testing.assert_array_equal(together + apart, one)
    for value in range(1, 4):
        meets = ((one == value) & (other > 0)).any()
        assert (together == value).any() == meets


def test_different_shapes_are_refused():
    with pytest.raises(InputError, match=r"other has the shape \(2, 3\)"):
        combine_labels(np.zeros((3, 3), int), np.zeros((2, 3), int), "and")


def test_unknown_way_is_refused():
    with pytest.raises(InputError, match="how is 'nor'"):
        combine_labels(np.zeros((3, 3), int), np.zeros((3, 3), int), "nor")
