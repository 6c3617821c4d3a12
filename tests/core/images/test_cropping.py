"""Typed ranges mean what they mean in Python; boxes hold the voxels within shapes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.draw import polygon2mask

from napari_seedbed.core import box_of_shapes, inside_shapes
from napari_seedbed.core.images.cropping import range_within
from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.errors import InputError

TRIANGLE = np.array([[2.5, 3.2], [9.8, 4.0], [6.0, 14.9]])
ends = st.none() | st.integers(-30, 30)


@given(start=ends, stop=ends, length=st.integers(1, 20))
def test_ranges_as_in_python(start, stop, length):
    text = f"{'' if start is None else start} : {'' if stop is None else stop}"
    wanted = list(range(length))[start:stop]
    if wanted:
        found = range_within(text, length, "x")
        assert list(range(length)[found]) == wanted
    else:
        with pytest.raises(InputError, match="x: nothing"):
            range_within(text, length, "x")


def test_empty_range_is_everything():
    assert range_within("  ", 7, "x") == slice(0, 7)


@pytest.mark.parametrize("text", ["5", "1:2:3", "a:b", "1.5:3"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(InputError, match="no range"):
        range_within(text, 9, "x")


def test_box_of_a_polygon_is_that_of_its_voxels():
    inside = np.argwhere(polygon2mask((20, 20), TRIANGLE))
    box = box_of_shapes([Shape(1, TRIANGLE)], (20, 20))
    assert [(part.start, part.stop - 1) for part in box] == [(3, 9), (4, 14)]
    assert (inside.min(axis=0) >= [3, 4]).all()
    assert (inside.max(axis=0) <= [9, 14]).all()


def test_box_is_cut_off_at_the_border():
    far = Shape(1, np.array([[-5.0, 2], [-5, 30], [4, 30], [4, 2]]))
    assert box_of_shapes([far], (20, 20)) == (slice(0, 5), slice(2, 20))


def test_shapes_on_one_slice_keep_all_slices():
    drawn = Shape(1, np.insert(TRIANGLE, 0, 3.0, axis=1))
    assert box_of_shapes([drawn], (8, 20, 20))[0] == slice(0, 8)


def test_shapes_on_several_slices_keep_those_between():
    drawn = [Shape(1, np.insert(TRIANGLE, 0, float(z), axis=1)) for z in (2, 5)]
    assert box_of_shapes(drawn, (8, 20, 20))[0] == slice(2, 6)


def test_a_point_like_shape_keeps_one_voxel():
    small = Shape(1, np.array([[3.2, 4.2], [3.4, 4.2], [3.4, 4.4]]))
    assert box_of_shapes([small], (9, 9)) == (slice(3, 4), slice(4, 5))


def test_inside_is_the_union_of_the_shapes():
    square = np.array([[0.0, 0], [0, 4], [4, 4], [4, 0]])
    inside = inside_shapes([Shape(1, TRIANGLE), Shape(2, square)], (20, 20))
    wanted = polygon2mask((20, 20), TRIANGLE)
    wanted[:5, :5] = True
    np.testing.assert_array_equal(inside, wanted)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_inside_holds_for_all_slices_along_the_axis(axis):
    drawn = Shape(1, np.insert(TRIANGLE, axis, 3.0, axis=1))
    shape = np.insert([20, 20], axis, 8)
    wanted = np.expand_dims(polygon2mask((20, 20), TRIANGLE), axis)
    np.testing.assert_array_equal(inside_shapes([drawn], tuple(shape)), wanted)


def test_shapes_on_slices_along_different_axes_are_refused():
    drawn = [Shape(1, np.insert(TRIANGLE, axis, 3.0, axis=1)) for axis in (0, 2)]
    with pytest.raises(InputError, match="different axes"):
        inside_shapes(drawn, (20, 20, 20))


def test_open_paths_hold_nothing_within():
    with pytest.raises(InputError, match="closed"):
        inside_shapes([Shape(1, TRIANGLE, closed=False)], (20, 20))


def test_shapes_outside_the_image_are_refused():
    with pytest.raises(InputError, match="outside"):
        box_of_shapes([Shape(1, TRIANGLE + 50)], (20, 20))
