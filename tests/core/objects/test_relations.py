"""Parents and children of two label images, against counting by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_seedbed.core import relate_objects
from napari_seedbed.errors import InputError

PAIRS = st.tuples(*[arrays(np.int32, (5, 6), elements=st.integers(0, 4))] * 2)


@given(PAIRS)
def test_parents_are_those_of_counting_voxel_by_voxel(pair):
    labels, parents = (2 * part for part in pair)
    table = relate_objects(labels, parents)
    assert table["label"].tolist() == sorted(set(labels[labels > 0].tolist()))
    families = {}
    for label, parent, share in zip(
        table["label"], table["parent"], table["parent_share"], strict=True
    ):
        counts = np.bincount(parents[labels == label], minlength=9)
        size = counts.sum()
        counts[0] = 0
        assert parent == counts.argmax()
        assert share == counts.max() / size
        families[parent] = families.get(parent, 0) + 1
    expected = [families[parent] - 1 if parent else 0 for parent in table["parent"]]
    assert table["siblings"].tolist() == expected
    counted = relate_objects(labels, parents, "parents")
    assert counted["label"].tolist() == sorted(set(parents[parents > 0].tolist()))
    assert counted["children"].tolist() == [families.get(n, 0) for n in counted["label"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((3, 3), int), np.ones((2, 3), int)), r"parents has the shape \(2, 3\)"),
        ((np.ones((3, 3), int), np.full((3, 3), 0.5)), "parents has the type float64"),
        ((np.ones((3, 3), int), np.ones((3, 3), int), "cousins"), "rows is 'cousins'"),
    ],
)
def test_wrong_arguments_are_refused_by_name(arguments, message):
    with pytest.raises(InputError, match=message):
        relate_objects(*arguments)
