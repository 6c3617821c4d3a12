"""Outlines are closed, enclose the area of their labels, and fill to the same labels again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import data
from skimage.draw import polygon2mask
from skimage.measure import label as connected_parts

from napari_seedbed.core.marks.outlines import (
    Outline,
    contours_from_labels,
    fill_outline,
    labels_from_contours,
)
from napari_seedbed.errors import InputError

quick = settings(max_examples=100, deadline=None)
label_images = arrays(
    np.int32, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.integers(0, 3)
)
# Off the grid: where an outline crosses itself on a voxel centre, scikit-image leaves that out.
points = st.tuples(*[st.floats(-6, 26).map(lambda x, s=s: x + s) for s in (0.0031, 0.0027)])


def disc(radius, centre, shape):
    row, column = np.indices(shape)
    return (np.hypot(row - centre[0], column - centre[1]) <= radius).astype(int)


def shoelace(points):
    y, x = np.asarray(points).T
    return abs(y @ np.roll(x, -1) - x @ np.roll(y, -1)) / 2


def enclosed(outlines):
    return sum(-shoelace(o.points) if o.hole else shoelace(o.points) for o in outlines)


def square(low, high):
    return np.array([[low, low], [low, high], [high, high], [high, low]], float)


# --- outlines of labels -------------------------------------------------------------------------


@quick
@given(labels=label_images, level=st.sampled_from([0.01, 0.3, 0.5, 0.99]))
def test_filling_the_outlines_gives_the_labels_back(labels, level):
    outlines = contours_from_labels(labels, level=level)
    assert np.array_equal(labels_from_contours(outlines, labels.shape), labels)


@quick
@given(labels=label_images)
def test_every_outline_is_closed_and_every_part_and_hole_has_one(labels):
    outlines = contours_from_labels(labels)
    assert all(np.array_equal(o.points[0], o.points[-1]) for o in outlines)
    for value in np.unique(labels[labels > 0]):
        mask = np.pad(labels == value, 1)
        own = [o for o in outlines if o.label == value]
        assert sum(not o.hole for o in own) == connected_parts(mask, connectivity=1).max()
        assert sum(o.hole for o in own) == connected_parts(~mask, connectivity=2).max() - 1


@pytest.mark.parametrize("radius", [10, 17.3, 40])
def test_a_disc_encloses_as_much_as_it_has_voxels(radius):
    mask = disc(radius, (45.2, 44.7), (90, 90))
    assert enclosed(contours_from_labels(mask)) == pytest.approx(mask.sum(), rel=0.01)


def test_real_masks_enclose_as_much_as_they_have_voxels():
    labels = connected_parts(data.coins() > 110)
    for value, size in enumerate(np.bincount(labels.ravel())):
        labels[labels == value] *= int(size > 300)
    outlines = contours_from_labels(labels)
    assert enclosed(outlines) == pytest.approx(np.count_nonzero(labels), rel=0.01)
    assert np.array_equal(labels_from_contours(outlines, labels.shape), labels)


def test_a_simplified_outline_stays_within_the_physical_tolerance():
    mask, spacing, tolerance = disc(30, (40, 40), (81, 81)), (0.5, 2.0), 1.0
    (full,) = contours_from_labels(mask, spacing)
    (fewer,) = contours_from_labels(mask, spacing, tolerance=tolerance)
    assert len(fewer.points) < len(full.points) / 3
    a, b = fewer.points[:-1] * spacing, fewer.points[1:] * spacing
    along = b - a
    for point in full.points * spacing:
        t = np.clip(((point - a) * along).sum(1) / (along**2).sum(1), 0, 1)
        assert np.linalg.norm(a + t[:, None] * along - point, axis=1).min() <= tolerance + 1e-9


def test_parts_and_holes_smaller_than_the_tolerance_do_not_vanish():
    mask = np.ones((9, 9), int)
    mask[4, 4] = 0
    labels = np.pad(mask, 2)
    labels[0, 0] = 2
    outlines = contours_from_labels(labels, tolerance=50)
    assert [(o.label, o.hole) for o in outlines] == [(1, False), (1, True), (2, False)]
    assert all(len(o.points) >= 4 and shoelace(o.points) > 0 for o in outlines)


def test_labels_may_be_sparse_huge_and_negative():
    labels = np.zeros((6, 6), np.int64)
    labels[1, 1], labels[3, 3], labels[5, 5] = 2**40, -1, 7
    assert [o.label for o in contours_from_labels(labels)] == [7, 2**40]
    assert contours_from_labels(np.zeros((4, 4), int)) == []


@pytest.mark.parametrize(
    ("labels", "options", "words"),
    [
        (np.ones((3, 3, 3), int), {}, "3 axes"),
        (np.ones((3, 3)), {}, "whole numbers"),
        (np.ones((3, 3), int), {"tolerance": -1}, "tolerance must be 0 or more; got -1"),
        (np.ones((3, 3), int), {"tolerance": np.nan}, "tolerance must be finite"),
        (np.ones((3, 3), int), {"tolerance": "wide"}, "tolerance must be a number"),
        (np.ones((3, 3), int), {"level": 1}, "level must lie between"),
        (np.ones((3, 3), int), {"spacing": (1, 1, 1)}, "spacing has 3 values"),
    ],
)
def test_malformed_labels_are_refused_by_name(labels, options, words):
    with pytest.raises(InputError, match=words):
        contours_from_labels(labels, **options)


# --- labels from outlines -----------------------------------------------------------------------


@quick
@given(corners=st.lists(points, min_size=3, max_size=9, unique=True))
def test_an_outline_is_filled_as_scikit_image_fills_it_by_the_even_odd_rule(corners):
    filled = labels_from_contours([corners], (21, 19))
    assert np.array_equal(filled == 1, polygon2mask((21, 19), corners))


def test_voxels_on_the_outline_belong_to_it():
    assert np.argwhere(labels_from_contours([square(2, 5)], (9, 9))).tolist() == [
        [r, c] for r in range(2, 6) for c in range(2, 6)
    ]
    diamond = np.array([[4, 0], [0, 4], [4, 8], [8, 4]])
    row, column = np.indices((9, 9))
    expected = abs(row - 4) + abs(column - 4) <= 4
    assert np.array_equal(labels_from_contours([diamond], (9, 9)) == 1, expected)
    assert np.array_equal(fill_outline(diamond.astype(float), (1, 3), (4, 2)), expected[1:5, 3:5])


def test_both_loops_of_a_figure_of_eight_are_filled_and_lie_on_a_larger_outline():
    eight = np.array([[4, 4], [24, 24], [24, 4], [4, 24]]) + 0.1
    for order in (1, -1):
        out = labels_from_contours(
            [eight, square(0, 29)][::order], (30, 30), labels=[1, 2][::order]
        )
        assert out[6, 14] == out[22, 14] == 1
        assert out[14, 6] == out[14, 22] == 2


def test_what_reaches_out_of_the_image_is_cut_off():
    assert labels_from_contours([square(-1e9, 1e9)], (5, 6)).all()
    assert not labels_from_contours([square(50, 60)], (5, 6)).any()
    assert np.count_nonzero(labels_from_contours([square(-3, 1)], (5, 6))) == 4


def test_plain_outlines_of_one_label_nest_as_holes_and_join_where_they_overlap():
    rings = [square(0, 20), square(4, 16), square(8, 12)]
    out = labels_from_contours(rings, (21, 21), labels=[5, 5, 5])
    assert (out[10, [2, 6, 10]] == [5, 0, 5]).all()
    joined = labels_from_contours([square(0, 9), square(5, 15)], (21, 21), labels=[5, 5])
    assert np.count_nonzero(joined) == 100 + 121 - 25
    twice = labels_from_contours([square(2, 6), np.roll(square(2, 6), 1, 0)], (9, 9), labels=[1, 1])
    assert np.count_nonzero(twice) == 25


def test_a_hole_shows_what_lies_under_it():
    outlines = [
        Outline(1, square(3, 17)),
        Outline(1, square(6, 14), hole=True),
        Outline(2, square(0, 20)),
    ]
    out = labels_from_contours(outlines, (21, 21))
    assert (out[10, [1, 4, 10]] == [2, 1, 2]).all()


@quick
@given(
    corners=st.lists(st.tuples(*[st.integers(0, 15)] * 4), min_size=2, max_size=6),
    values=st.lists(st.integers(1, 3), min_size=6, max_size=6),
    order=st.permutations(range(6)),
)
def test_the_smaller_outline_lies_on_top_in_any_order(corners, values, order):
    boxes = [np.array([[a, b], [a, d], [c, d], [c, b]]) for a, b, c, d in corners]
    order = [i for i in order if i < len(boxes)]
    out = labels_from_contours(boxes, (16, 16), labels=values[: len(boxes)])
    again = labels_from_contours(
        [boxes[i] for i in order], (16, 16), labels=[values[i] for i in order]
    )
    assert np.array_equal(out, again)
    # A box that is the smallest, and the only one of its label, is all there.
    size = [np.count_nonzero(labels_from_contours([box], (16, 16))) for box in boxes]
    least = int(np.argmin(size))
    if values[: len(boxes)].count(values[least]) == 1 and size.count(size[least]) == 1:
        alone = labels_from_contours([boxes[least]], (16, 16)) == 1
        assert (out[alone] == values[least]).all()


def test_no_outlines_give_an_empty_image():
    assert not labels_from_contours([], (3, 4)).any()


def test_many_holes_and_islands_come_back():
    labels = np.random.default_rng(0).integers(0, 2, (150, 150))
    outlines = contours_from_labels(labels)
    assert len(outlines) > 1000
    assert np.array_equal(labels_from_contours(outlines, labels.shape), labels)


@pytest.mark.parametrize(
    ("contours", "options", "words"),
    [
        ([square(1, 3)[:2]], {}, "outline 1: a closed outline needs 3 points .* got 2"),
        ([square(1, 3)[[0, 1, 0]]], {}, "outline 1: a closed outline needs 3 points .* got 2"),
        (
            [square(1, 3), square(1, np.nan)],
            {},
            "outline 2 has .* NaN or infinite, the first at index 1",
        ),
        ([np.ones((4, 3))], {}, r"outline 1 has the shape \(4, 3\)"),
        ([["a", "b"]], {}, "outline 1 must be an .* array of numbers"),
        ([square(1, 3)], {"labels": [0]}, "label of outline 1 is 0"),
        ([square(1, 3)], {"labels": [2**31]}, "between 1 and 2147483647"),
        ([square(1, 3)], {"labels": [1.5]}, "must be a whole number; got 1.5"),
        ([square(1, 3)], {"labels": [1, 2]}, "labels has 2 values"),
        ([Outline(1, square(1, 3))], {"labels": [1]}, "labels must be None"),
        ([Outline(-1, square(1, 3))], {}, "label of outline 1 is -1"),
        ([Outline(1, square(1, 3)), square(1, 3)], {}, "contours mixes 1 Outline"),
        ([square(1, 3)], {"shape": (5,)}, "shape must be 2 whole numbers"),
        ([square(1, 3)], {"shape": (5, 0)}, "shape must be 2 whole numbers above 0"),
        ([square(1, 3)], {"shape": (5, 1.5)}, "shape must be 2 whole numbers"),
    ],
)
def test_malformed_outlines_are_refused_by_number(contours, options, words):
    with pytest.raises(InputError, match=words):
        labels_from_contours(contours, **{"shape": (9, 9), **options})
