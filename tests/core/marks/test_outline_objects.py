"""Which outlines on different slices are of one object."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_seedbed.core.marks.outline_objects import object_of, objects_of
from napari_seedbed.core.marks.shapes import Shape


def square(z, corner, side=10.0, label=1, axis=0, **more):
    flat = np.array([[0, 0], [0, side], [side, side], [side, 0]]) + corner
    return Shape(label, np.insert(flat.astype(float), axis, z, axis=1), **more)


@pytest.mark.parametrize(
    ("other", "joins"),
    [
        (square(5, (0, 4)), True),
        (square(5, (0, 6)), False),
        (square(5, (2, 2), side=3), True),
        (square(14, (0, 0)), True),
        (square(15, (0, 0)), False),
        (square(4, (0, 0)), False),
        (square(5, (0, 0), time=1), False),
        (square(5, (0, 0), axis=1), False),
        (Shape(1, square(5, (0, 0)).points, closed=False), False),
    ],
    ids=[
        "more than half", "less than half", "small within large", "as far as wide", "farther",
        "on the same slice", "at another time", "across another axis", "a path",
    ],
)  # fmt: skip
def test_outline_joins_what_it_overlaps_on_a_slice_that_is_not_too_far(other, joins):
    assert object_of(square(4, (0, 0)), [other]) == (1 if joins else None)


def test_distance_counts_in_the_unit_of_the_spacing():
    one, other = square(0, (0, 0)), square(6, (0, 0))
    assert object_of(one, [other], (1, 1, 1)) == 1
    assert object_of(one, [other], (3, 1, 1)) is None
    assert object_of(one, [other], (3, 2, 2)) == 1


def test_nearest_slice_counts_before_the_larger_overlap():
    others = [square(0, (0, 0), label=3), square(6, (0, 4), label=7)]
    assert object_of(square(4, (0, 0)), others) == 7
    assert object_of(square(3, (0, 0)), others) == 3


def test_object_with_an_outline_on_the_same_slice_is_not_joined():
    others = [square(0, (0, 0), label=3), square(4, (0, 30), label=3)]
    assert object_of(square(4, (0, 0)), others) is None


@given(order=st.permutations(list(range(6))))
def test_slices_of_two_objects_are_told_apart_in_whatever_order_they_were_drawn(order):
    shapes = [square(z, (0, x)) for x in (0, 30) for z in (0, 8, 16)]
    drawn = [shapes[i] for i in order]
    found = objects_of(drawn)
    truth = [i // 3 for i in order]
    assert found[0] == 1
    assert sorted(set(found)) == [1, 2]
    assert {(a, b) for a, b in zip(truth, found, strict=True)} == {
        (truth[0], 1), (1 - truth[0], 2)
    }  # fmt: skip
