"""Objects split by cuts, strokes, points and necks: where the parts must be, is known."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage as ndi
from skimage.morphology import ball

from napari_seedbed.core.proofreading.chosen_objects import Chosen
from napari_seedbed.core.proofreading.cuts import split_by_cut
from napari_seedbed.core.proofreading.splits import (
    split_by_necks,
    split_by_points,
    split_by_strokes,
)
from napari_seedbed.errors import InputError


def after(labels, edit):
    found = labels.copy()
    edit.apply(found)
    edit.revert(labels)  # writes what is there
    return found


def two_balls(gap=14, radius=9, value=5):
    """Return labels of two balls of one label that overlap, and the places of their centres."""
    labels = np.zeros((30, 40, 60), np.uint16)
    centres = np.array([[15, 20, 30 - gap // 2], [15, 20, 30 + gap // 2]])
    grid = np.indices(labels.shape).reshape(3, -1).T
    for centre in centres:
        near = np.linalg.norm(grid - centre, axis=1) <= radius
        labels.reshape(-1)[near] = value
    labels[1:4, 1:4, 1:4] = 9
    return labels, centres


def assert_parted(labels, found, value, side):
    """The object is parted by which side its voxels are on; the larger part keeps the label."""
    mask = labels == value
    parts = [mask & side, mask & ~side]
    parts.sort(key=lambda part: -part.sum())
    expected = labels.copy()
    expected[parts[1]] = labels.max() + 1
    assert_array_equal(found, expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("ends", ["across", "short"])
def test_a_line_cuts_all_slices_where_it_is_drawn(axis, ends):
    labels, _ = two_balls()
    labels = np.moveaxis(labels, 0, axis).copy()
    plane = [a for a in range(3) if a != axis]
    # No voxel lies on the line itself, where rounding would decide.
    middle = np.array([labels.shape[a] / 2 + 0.137 for a in range(3)])
    along = np.zeros(3)
    along[plane[0]], along[plane[1]] = 1.0, 0.4
    reach = 60 if ends == "across" else 4
    path = np.stack([middle - reach * along, middle, middle + reach * along])
    found = after(labels, split_by_cut(Chosen(labels, 5), path=path, axis=axis))
    grid = np.indices(labels.shape) - middle.reshape(3, 1, 1, 1)
    turn = along[plane[0]] * grid[plane[1]] - along[plane[1]] * grid[plane[0]]
    assert_parted(labels, found, 5, turn >= 0)


def test_a_line_cuts_a_picture_and_only_the_arm_that_it_crosses():
    labels = np.zeros((40, 40), np.uint8)
    labels[5:35, 5:12] = 4  # the back of a C, and its two arms
    labels[5:12, 5:35] = labels[28:35, 5:35] = 4
    edit = split_by_cut(Chosen(labels, 4), path=[(2, 20.5), (15, 20.5)])
    found = after(labels, edit)
    expected = labels.copy()
    expected[5:12, 21:35] = 5
    assert_array_equal(found, expected)
    assert edit.name == "split 4"
    # Right across both arms: what lies beyond is one object still.
    found = after(labels, split_by_cut(Chosen(labels, 4), path=[(0, 20.5), (39, 20.5)]))
    assert_array_equal(found == 5, (labels == 4) & (np.arange(40) > 20.5))


def test_a_bent_line_cuts_where_it_is_bent():
    labels = np.ones((30, 30), np.int64)
    found = after(labels, split_by_cut(Chosen(labels, 1), path=[(0, 10), (15, 10), (15, 29)]))
    rows, columns = np.indices(labels.shape)
    beyond = (rows < 15) & (columns > 10)
    assert (found[(rows < 14) & (columns > 11)] == 2).all()
    assert (found[~beyond & ~((rows == 15) | (columns == 10))] == 1).all()


def test_a_plane_cuts_a_volume():
    labels, _ = two_balls()
    point, normal = (15, 20, 29.5), (0.3, -0.2, 1.0)
    found = after(labels, split_by_cut(Chosen(labels, 5), plane=(point, normal)))
    grid = np.indices(labels.shape)
    away = sum(n * (g - p) for n, g, p in zip(normal, grid, point, strict=True))
    assert_parted(labels, found, 5, away >= 0)


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        ({"path": [(15, 0, 0), (15, 0, 50)]}, "leaves object 5 whole"),
        ({"path": [(15, 0, 0), (16, 9, 50)]}, "lies in no slice"),
        ({"path": [(15, 0, 0)]}, "2 or more points"),
        ({"plane": ((0, 0, 0), (0, 0, 0))}, "its normal is 0"),
        ({}, "give one of them"),
    ],
)
def test_cuts_that_part_nothing_are_refused(cut, message):
    labels, _ = two_balls()
    with pytest.raises(InputError, match=message):
        split_by_cut(Chosen(labels, 5), **cut)
    with pytest.raises(InputError, match="Object 5 is locked"):
        split_by_cut(Chosen(labels, 5, locked=[5]), path=[(15, 0, 30), (15, 39, 30)])


def test_a_split_takes_a_free_label_where_the_type_ends_and_needs_one():
    labels = np.zeros((20, 20), np.uint8)
    labels[3:17, 3:17] = 254
    labels[0, 0] = 1
    across, along = [(0, 10), (19, 10)], [(10, 0), (10, 9)]
    found = after(labels, split_by_cut(Chosen(labels, 254), path=across))
    assert set(np.unique(found)) == {0, 1, 254, 255}
    again = after(found, split_by_cut(Chosen(found, 254), path=along))
    assert set(np.unique(again)) == {0, 1, 2, 254, 255}
    assert ((again == 254) | (again == 2))[found == 254].all()
    full = np.concatenate([again, np.arange(260).clip(0, 255).reshape(13, 20).astype(np.uint8)])
    with pytest.raises(InputError, match="all labels of type uint8"):
        split_by_cut(Chosen(full, 255), plane=((10, 10), (1, 0)))


@pytest.mark.parametrize("spacing", [None, (2.0, 1.0, 1.0)])
def test_points_split_a_convex_object_where_they_are_equally_near(spacing):
    labels = np.zeros((24, 30, 40), np.int32)
    labels[2:22, 3:27, 4:36] = 6
    points = np.array([[6, 8, 10], [17, 20, 30], [12, 24, 6]])
    found = after(labels, split_by_points(Chosen(labels, 6, spacing), points))
    size = np.array(spacing or (1, 1, 1.0))
    grid = np.indices(labels.shape).reshape(3, -1).T
    away = np.stack([np.linalg.norm((grid - p) * size, axis=1) for p in points])
    nearest = np.argmin(away, axis=0).reshape(labels.shape)
    two = np.sort(away, axis=0)[:2].reshape(2, *labels.shape)
    clear = (labels == 6) & (two[1] - two[0] > 1e-6)
    named = found[tuple(points.T)]
    assert sorted(named) == [6, 7, 8]
    # Propagation from voxel to voxel may be off by a voxel at a border between two.
    assert (found[clear] != named[nearest][clear]).mean() < 0.002
    assert np.bincount(found[labels == 6])[6] == max(np.bincount(found[labels == 6]))


def test_strokes_split_along_the_object_not_through_the_air():
    labels = np.zeros((30, 31), np.uint8)
    labels[3:27, 3:8] = labels[3:27, 23:28] = labels[22:27, 3:28] = 1  # a U
    strokes = [[(4, 5), (24, 5), (24, 18)], [(4, 25), (8, 25)]]
    found = after(labels, split_by_strokes(Chosen(labels, 1), strokes))
    # The foot of the second arm is nearer to the first stroke.
    assert (found[3:27, 3:8] == found[24, 18]).all()
    assert (found[3:12, 23:28] == found[4, 25]).all()
    assert found[4, 25] != found[24, 18]


def test_pieces_without_a_stroke_go_to_the_nearest_part():
    labels = np.zeros((20, 50), np.uint8)
    labels[5:15, 2:30] = labels[5:15, 40:44] = 3
    found = after(labels, split_by_points(Chosen(labels, 3), [(10, 4), (10, 26)]))
    assert (found[5:15, 40:44] == found[10, 26]).all()


def test_the_image_says_where_the_border_is(rng):
    labels, centres = two_balls()
    # The border lies away from the middle, where distances would put it.
    image = np.where(np.arange(60) < 26, 100.0, 60.0) * (labels == 5)
    image = ndi.gaussian_filter(image, 0.7) + rng.normal(0, 4, labels.shape)
    strokes = [centre + np.array([[0, -4, -2], [0, 4, -2]]) for centre in centres]
    found = after(labels, split_by_strokes(Chosen(labels, 5), strokes, image=image))
    one = found == found[tuple(centres[0])]
    wrong = one[labels == 5] != (np.indices(labels.shape)[2] < 26)[labels == 5]
    assert wrong.mean() < 0.03
    by_distance = after(labels, split_by_strokes(Chosen(labels, 5), strokes))
    one = by_distance == by_distance[tuple(centres[0])]
    assert (one[labels == 5] != (np.indices(labels.shape)[2] < 26)[labels == 5]).mean() > 0.06


@pytest.mark.parametrize(
    ("strokes", "message"),
    [
        ([[(15, 20, 23)]], "2 or more"),
        ([[(15, 20, 23)], [(0, 0, 0)]], "Stroke 2 lies outside object 5"),
        ([[(15, 20, 23)], [(15, 20, 23.2)]], "or on another stroke"),
        ([[(15, 20)]], "3 coordinates"),
    ],
)
def test_strokes_that_part_nothing_are_refused(strokes, message):
    labels, _ = two_balls()
    with pytest.raises(InputError, match=message):
        split_by_strokes(Chosen(labels, 5), strokes)


def test_necks_are_where_two_balls_meet():
    labels, centres = two_balls(gap=16)
    found = after(labels, split_by_necks(Chosen(labels, [5, 9]), 1.0))
    side = np.indices(labels.shape)[2]
    assert found[tuple(centres[0])] != found[tuple(centres[1])]
    clear = (labels == 5) & (side != 30)
    assert_array_equal((found == found[tuple(centres[0])])[clear], (side < 30)[clear])
    assert (found == 9).sum() == (labels == 9).sum()
    one = np.pad(ball(6), 3).astype(np.uint8)
    with pytest.raises(InputError, match="nothing would change"):
        split_by_necks(Chosen(one, 1))
