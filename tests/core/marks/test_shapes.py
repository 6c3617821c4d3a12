"""Drawn shapes: what is made sound, what is refused and in which words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.draw import polygon2mask

from napari_seedbed.core.marks.shapes import (
    Shape,
    clean_shapes,
    filled,
    in_plane,
    on_plane,
    outlines_of_labels,
    plane_of,
    simplified,
)
from napari_seedbed.errors import InputError

SQUARE = np.array([[2.0, 2], [2, 8], [8, 8], [8, 2]])
SIZE = (10, 12)
VOLUME = (10, 12, 14)


def cleaned(points, size=SIZE, n_times=1, **attributes):
    return clean_shapes([Shape(3, np.asarray(points, float), **attributes)], size, n_times)


def on_slice(points, z, axis=0):
    return np.insert(np.asarray(points, float), axis, z, axis=1)


def area(points):
    y, x = np.asarray(points).T
    return abs(y @ np.roll(x, -1) - x @ np.roll(y, -1)) / 2


def star(radius, turned=0.0, centre=(50, 50)):
    angle = turned + 4 * np.pi / 5 * np.arange(5)
    return np.stack([np.sin(angle), np.cos(angle)], axis=1) * radius + centre


def test_sound_shape_stays_as_it_is():
    (found,) = cleaned(SQUARE, time=2, n_times=3)
    assert (found.label, found.closed, found.time) == (3, True, 2)
    np.testing.assert_array_equal(found.points, SQUARE)


def test_repeated_points_are_left_out():
    doubled = np.repeat(SQUARE, [1, 3, 2, 1], axis=0)
    (found,) = cleaned(np.vstack([doubled, SQUARE[:1]]))
    assert area(found.points) == 36
    assert sorted(map(tuple, found.points)) == sorted(map(tuple, SQUARE))


def test_path_that_ends_where_it_begins_keeps_both_ends():
    (found,) = cleaned(np.vstack([SQUARE, SQUARE[:1]]), closed=False)
    assert len(found.points) == 5


@pytest.mark.parametrize(
    ("points", "closed", "n_points"),
    [
        (SQUARE[:2], True, 2),
        (np.repeat(SQUARE[:2], 3, axis=0), True, 2),
        (SQUARE[[0, 0, 0, 0]], True, 1),
        (SQUARE[[0, 0]], False, 1),
    ],
)
def test_too_few_points_are_counted_and_the_right_number_is_named(points, closed, n_points):
    fewest = 3 if closed else 2
    with pytest.raises(InputError, match=rf"shape 1 has {n_points} diff.*at least {fewest}\.$"):
        cleaned(points, closed=closed)


def test_two_points_are_a_path():
    assert len(cleaned(SQUARE[:2], closed=False)) == 1


def test_shape_partly_off_the_image_is_kept_whole():
    (found,) = cleaned(SQUARE - 5)
    np.testing.assert_array_equal(found.points, SQUARE - 5)


@pytest.mark.parametrize("offset", [(-9, 0), (8, 0), (0, -9), (0, 10)])
def test_shape_wholly_off_the_image_is_refused_with_the_axis(offset):
    axis = int(offset[0] == 0)
    with pytest.raises(InputError, match=rf"shape 1 lies wholly outside .* axis {axis}, where"):
        cleaned(SQUARE + offset)


def test_half_a_voxel_around_the_outermost_centres_belongs_to_the_image():
    edge = np.array([[9.2, 2], [9.4, 4], [9.4, 2]])
    assert len(cleaned(edge)) == 1
    with pytest.raises(InputError, match="wholly outside"):
        cleaned(edge + np.array([0.4, 0]))


def test_slice_outside_the_volume_is_named_with_the_slices_that_there_are():
    with pytest.raises(InputError, match=r"shape 1 lies outside .* slice 99 .* slices 0 to 9"):
        cleaned(on_slice(SQUARE, 99), VOLUME)


def test_shape_across_slices_is_refused():
    tilted = on_slice(SQUARE, 4)
    tilted[0, 0] = 6
    with pytest.raises(InputError, match="shape 1 spans several slices"):
        cleaned(tilted, VOLUME)


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize(
    "points",
    [[[1, 1], [5, 5], [9, 9]], [[1, 1], [1, 5], [1, 3], [1, 9]], [[0, 0.0], [4, 2], [2, 1]]],
)
def test_outline_without_area_is_refused_and_a_path_is_not(points, closed):
    if not closed:
        assert len(cleaned(points, closed=False)) == 1
        return
    with pytest.raises(InputError, match=r"shape 1 has no area.*Draw around"):
        cleaned(points)


def test_figure_of_eight_becomes_two_outlines():
    # The edges cross at (50, 50): two triangles of a base and a height of 40.
    eight = np.array([[10.0, 30], [90, 70], [90, 30], [10, 70]])
    loops = cleaned(eight, (100, 100), time=1, n_times=2)
    assert [(loop.label, loop.closed, loop.time) for loop in loops] == [(3, True, 1)] * 2
    for loop in loops:
        assert area(loop.points) == pytest.approx(800, rel=0.02)
    sides = sorted(loop.points[:, 0].mean() for loop in loops)
    assert sides[0] < 50 < sides[1]


def test_figure_of_eight_stays_on_its_slice():
    eight = np.array([[1.0, 3], [9, 7], [9, 3], [1, 7]])
    loops = cleaned(on_slice(eight, 5, axis=1), VOLUME)
    assert [plane_of(loop) for loop in loops] == [(1, 5)] * 2


@given(st.floats(0, 7))
def test_pentagram_is_one_outline_around_all_that_it_encloses(turned):
    (found,) = cleaned(star(40, turned), (100, 100))
    # Five tips and the pentagon between them: ten corners, every other one closer to the middle.
    inner = np.cos(2 * np.pi / 5) / np.cos(np.pi / 5)
    expected = 5 * 40**2 * inner * np.sin(np.pi / 5)
    assert area(found.points) == pytest.approx(expected, rel=0.02)


def test_inner_loop_of_a_limacon_belongs_to_the_outer_one():
    angle = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    radius = 20 + 30 * np.cos(angle)
    curve = np.stack([np.sin(angle) * radius + 50, np.cos(angle) * radius + 40], axis=1)
    (found,) = cleaned(curve, (100, 100))
    assert area(found.points) == pytest.approx(area(curve[radius > 0]), rel=0.02)


def test_slip_of_the_hand_at_the_end_gives_no_outline_of_its_own():
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    circle = np.stack([np.sin(angle), np.cos(angle)], axis=1) * 40 + 50
    slipped = np.vstack([circle, circle[0] + [0, 3], circle[1] + [1, 3], circle[0] + [2, -3]])
    (found,) = cleaned(slipped, (100, 100))
    assert area(found.points) == pytest.approx(area(circle), rel=0.02)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_points_that_are_no_numbers_are_refused(bad):
    points = SQUARE.copy()
    points[1, 0] = bad
    with pytest.raises(InputError, match="shape 1 has points that are NaN or infinite; draw it"):
        cleaned(points)


@pytest.mark.parametrize("points", [np.zeros((4, 3)), np.zeros(4), np.zeros((4, 1)), [["a", "b"]]])
def test_points_of_a_wrong_kind_are_refused(points):
    with pytest.raises(InputError, match=r"shape 1: its points"):
        clean_shapes([Shape(1, points)], SIZE)


@pytest.mark.parametrize(
    ("label", "message"),
    [(0, "is 0"), (-4, "is -4"), (1 << 31, "between 1 and"), (1.5, "whole number; got 1.5")],
)
def test_wrong_label_is_refused(label, message):
    with pytest.raises(InputError, match=f"shape 2: its label .*{message}"):
        clean_shapes([Shape(1, SQUARE), Shape(label, SQUARE)], SIZE)


@pytest.mark.parametrize("time", [3, -1])
def test_time_point_beyond_the_series_is_refused(time):
    with pytest.raises(InputError, match=f"shape 1 is drawn at time point {time}; the image has 3"):
        cleaned(SQUARE, n_times=3, time=time)


def test_empty_list_is_refused():
    with pytest.raises(InputError, match="shapes: there are none; draw at least one"):
        clean_shapes([], SIZE)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_plane_and_points_within_it_come_back(axis):
    shape = Shape(1, on_slice(SQUARE, 6.4, axis))
    assert plane_of(shape) == (axis, 6)
    np.testing.assert_array_equal(in_plane(shape), SQUARE)
    np.testing.assert_array_equal(on_plane(in_plane(shape), (axis, 6)), on_slice(SQUARE, 6, axis))


def test_image_of_two_dimensions_has_no_plane():
    assert plane_of(Shape(1, SQUARE)) is None
    np.testing.assert_array_equal(on_plane(SQUARE, None), SQUARE)


def test_filled_shapes_are_those_of_scikit_image(rng):
    points = rng.random((5, 2)) * 9
    points = points[np.argsort(np.arctan2(*(points - points.mean(axis=0)).T))]
    found = filled([Shape(7, points), Shape(9, SQUARE, closed=False)], SIZE)
    np.testing.assert_array_equal(found, 7 * polygon2mask(SIZE, points))


def test_outlines_of_labels_enclose_them_again():
    labels = np.zeros((40, 40), np.int32)
    labels[5:15, 6:20] = 4
    labels[20:35, 10:30] = 2_000_000_000
    labels[25:28, 15:20] = 0
    found = outlines_of_labels(labels, (1, 1), 0.0, plane=(1, 7), time=3)
    assert [(s.label, s.time, plane_of(s)) for s in found] == [
        (4, 3, (1, 7)),
        (2_000_000_000, 3, (1, 7)),
    ]
    labels[25:28, 15:20] = 2_000_000_000
    np.testing.assert_array_equal(filled(found, labels.shape), labels)


@pytest.mark.parametrize("closed", [True, False])
def test_simplified_shape_stays_within_the_tolerance(rng, closed):
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = np.stack([np.sin(angle), np.cos(angle)], axis=1) * [10, 20]
    shape = Shape(1, on_slice(circle, 4), closed)
    found = simplified(shape, (2.0, 1.0), 0.5)
    assert len(found.points) < 40
    # A circle of radius 20 in physical units: a chord that leaves it by no more than 0.5.
    dense = np.vstack([found.points, found.points[:1]]) if closed else found.points
    steps = np.linspace(0, 1, 20)[:, None, None]
    along = dense[None, :-1] + steps * np.diff(dense, axis=0)[None]
    radii = np.hypot(along[..., 1] * 2, along[..., 2])
    assert radii.min() > 20 - 0.5
    assert plane_of(found) == (0, 4)
