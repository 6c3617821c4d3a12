"""Shapes on a few slices become the solids that geometry says, at any spacing and in any order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from skimage.draw import polygon2mask

from napari_seedbed.core.marks.slice_interpolation import volume_from_slices
from napari_seedbed.errors import InputError

quick = settings(max_examples=30, deadline=None)
ANGLE = np.linspace(0, 2 * np.pi, 120, endpoint=False)


def ellipse(radii, centre, spacing=(1, 1)):
    around = np.stack([np.sin(ANGLE), np.cos(ANGLE)], axis=1)
    return np.array(centre) + around * np.broadcast_to(radii, 2) / spacing


def between(volume, first, last):
    """Return the volume between the middles of two slices, by the trapezoid rule."""
    area = np.count_nonzero(volume, axis=(1, 2))
    return area[first : last + 1].sum() - (area[first] + area[last]) / 2


def square(low, high):
    return np.array([[low, low], [low, high], [high, high], [high, low]], float)


# --- solids with a formula ----------------------------------------------------------------------


@pytest.mark.parametrize("spacing", [(1, 1, 1), (2, 1, 1), (0.5, 1, 0.5), (3, 1, 1)])
def test_a_disc_on_one_slice_becomes_a_ball_of_the_same_physical_size(spacing):
    shape = [int(48 / s) | 1 for s in spacing]
    middle = [n // 2 for n in shape]
    outline = ellipse(18, middle[1:], spacing[1:])
    ball = volume_from_slices([(3, middle[0], outline)], shape, spacing)
    assert np.count_nonzero(ball == 3) * np.prod(spacing) == pytest.approx(
        4 / 3 * np.pi * 18**3, rel=0.02
    )
    extent = np.ptp(np.nonzero(ball)[0]) * spacing[0]
    assert abs(extent - 36) <= 2 * spacing[0]


def test_a_ring_on_one_slice_becomes_a_torus():
    outlines = [(1, 10, ellipse(25, (30, 30))), (1, 10, ellipse(11, (30, 30)))]
    torus = volume_from_slices(outlines, (21, 61, 61))
    assert np.count_nonzero(torus) == pytest.approx(2 * np.pi**2 * 18 * 7**2, rel=0.05)
    assert not torus[:, 30, 30].any()


@pytest.mark.parametrize("thickness", [1, 0.5, 4])
def test_discs_on_two_slices_become_a_cut_cone_whatever_the_slice_spacing(thickness):
    outlines = [(1, 3, ellipse(24, (30, 30))), (1, 33, ellipse(8, (30, 30)))]
    cone = volume_from_slices(outlines, (40, 61, 61), (thickness, 1, 1))
    assert between(cone, 3, 33) == pytest.approx(np.pi * 30 / 3 * (24**2 + 24 * 8 + 8**2), rel=0.02)
    assert not cone[:3].any()
    assert not cone[34:].any()


def test_the_same_ellipse_on_three_slices_becomes_a_cylinder():
    outline = ellipse((20, 9), (25, 25))
    cylinder = volume_from_slices([(1, z, outline) for z in (2, 9, 20)], (24, 51, 51))
    assert between(cylinder, 2, 20) == pytest.approx(np.pi * 20 * 9 * 18, rel=0.02)
    assert (cylinder[2:21] == cylinder[2]).all()


def test_round_caps_make_a_capsule_of_a_cylinder():
    outlines = [(1, z, ellipse(12, (20, 20))) for z in (15, 25)]
    capsule = volume_from_slices(outlines, (41, 41, 41), cap="round")
    expected = 4 / 3 * np.pi * 12**3 + np.pi * 12**2 * 10
    assert np.count_nonzero(capsule) == pytest.approx(expected, rel=0.02)
    assert np.array_equal(capsule, capsule[::-1])


def test_spacing_in_the_plane_decides_where_an_outline_runs_between_slices():
    spacing = (1, 2, 0.5)
    middle = (15, 60)
    outlines = [(1, z, ellipse(r, middle, spacing[1:])) for z, r in ((0, 26), (10, 6))]
    cone = volume_from_slices(outlines, (11, 31, 121), spacing)
    inside = ellipse(16, middle, spacing[1:])
    expected = polygon2mask((31, 121), inside)
    assert np.count_nonzero((cone[5] > 0) != expected) < 0.03 * expected.sum()


@quick
@given(
    waves=st.lists(st.tuples(st.floats(0, 0.1), st.floats(0, 6.28)), min_size=3, max_size=3),
    lengths=st.tuples(*[st.sampled_from([0.5, 1.0, 1.5])] * 2),
)
def test_half_the_thickness_is_what_the_formula_says(waves, lengths):
    shape, spacing = (41, 33, 35), np.array(lengths)
    bumps = sum(a * np.sin(n * ANGLE + b) for n, (a, b) in enumerate(waves, start=1))
    around = np.stack([np.sin(ANGLE), np.cos(ANGLE)], axis=1)
    outline = np.array([16.02, 17.03]) + 9 * (1 + bumps)[:, None] * around
    volume = volume_from_slices([(1, 20, outline)], shape, (1, *lengths))
    inside = np.argwhere(polygon2mask(shape[1:], outline)) * spacing
    # The distance of each voxel from each edge of the outline.
    start, along = outline * spacing, (np.roll(outline, -1, axis=0) - outline) * spacing
    to_start = inside[:, None] - start
    t = np.clip((to_start * along).sum(axis=2) / (along**2).sum(axis=1), 0, 1)
    squared_depth = ((to_start - t[..., None] * along) ** 2).sum(axis=2).min(axis=1)
    half = np.sqrt((squared_depth - cdist(inside, inside, "sqeuclidean")).max(axis=1))
    found = (np.count_nonzero(volume, axis=0)[volume[20] > 0] - 1) / 2
    # Outlines are sampled, so that distances are a little too large.
    assert (found >= np.floor(half - 1e-3)).all()
    assert (found <= np.floor(half + 0.05)).all()


# --- what was drawn stays -----------------------------------------------------------------------


# Closer points than these would count as one.
HUNDREDTHS = st.integers(-400, 2400).map(lambda n: n / 100)


@quick
@given(
    drawn=st.dictionaries(
        st.integers(0, 8),
        st.lists(st.tuples(*[HUNDREDTHS] * 2), min_size=3, max_size=7, unique=True),
        min_size=1,
        max_size=3,
    ),
    axis=st.sampled_from([0, 1, 2, -1]),
    cap=st.sampled_from(["flat", "round"]),
)
def test_drawn_slices_hold_exactly_the_rasterised_shapes(drawn, axis, cap):
    drawn = {z: np.add(points, (0.0031, 0.0027)) for z, points in drawn.items()}
    shape = [20, 18]
    shape.insert(axis % 3, 9)
    outlines = [(4, z, points) for z, points in drawn.items()]
    volume = np.moveaxis(volume_from_slices(outlines, shape, axis=axis, cap=cap), axis, 0)
    for z, points in drawn.items():
        expected = polygon2mask((20, 18), points)
        if expected.any():
            assert np.array_equal(volume[z] == 4, expected)


def test_one_outline_splits_into_two_without_a_gap():
    outlines = [
        (1, 0, ellipse((8, 20), (20, 30))),
        (1, 10, ellipse(6, (20, 18))),
        (1, 10, ellipse(6, (20, 42))),
    ]
    volume = volume_from_slices(outlines, (11, 41, 61))
    assert volume[:, 20, 18].all()
    assert volume[:, 20, 42].all()
    assert volume[0, 20, 30] == 1
    assert volume[9, 20, 30] == 0


def test_a_hole_closes_towards_a_slice_without_it():
    outlines = [(1, z, ellipse(20, (25, 25))) for z in (0, 10)] + [(1, 0, ellipse(8, (25, 25)))]
    hole = np.count_nonzero(
        volume_from_slices(outlines, (11, 51, 51))[:, 20:31, 20:31] == 0, (1, 2)
    )
    assert hole[0] == 121
    assert (np.diff(hole) <= 0).all()
    assert hole[10] == 0


def test_overlapping_shapes_of_an_object_are_measured_as_one():
    halves = [(1, 20, square(10, 30)), (1, 20, square(10, 30) + np.array([0, 15]))]
    whole = [(1, 20, np.array([[10, 10], [10, 45], [30, 45], [30, 10]]))]
    shape = (41, 41, 61)
    assert np.array_equal(volume_from_slices(halves, shape), volume_from_slices(whole, shape))


def test_what_leaves_the_volume_is_cut_and_costs_nothing():
    volume = volume_from_slices([(1, z, square(-1e9, 1e9)) for z in (1, 3)], (5, 6, 7))
    assert (volume == np.array([0, 1, 1, 1, 0])[:, None, None]).all()
    outside = volume_from_slices([(1, 1, square(50, 60)), (2, 1, square(1, 3))], (3, 6, 6))
    assert set(np.unique(outside)) == {0, 2}


# --- where objects meet -------------------------------------------------------------------------


@quick
@given(data=st.data())
def test_the_order_of_the_outlines_does_not_matter(data):
    entry = st.tuples(
        st.integers(1, 3),
        st.integers(0, 6),
        st.integers(4, 20),
        st.integers(4, 20),
        st.integers(2, 8),
    )
    entries = data.draw(st.lists(entry, min_size=2, max_size=6))
    outlines = [(label, z, ellipse(r, (y, x))) for label, z, y, x, r in entries]
    shuffled = data.draw(st.permutations(outlines))
    cap = data.draw(st.sampled_from(["flat", "round"]))
    first = volume_from_slices(outlines, (7, 25, 25), (2, 1, 1), cap=cap)
    assert np.array_equal(first, volume_from_slices(shuffled, (7, 25, 25), (2, 1, 1), cap=cap))


def test_overlapping_objects_part_where_they_are_equally_deep():
    shape = (11, 41, 61)
    outlines = [
        (label, z, ellipse(14, (20, x))) for z in (0, 10) for label, x in ((2, 20), (1, 40))
    ]
    volume = volume_from_slices(outlines, shape)
    assert (volume[:, 20, 10:30] == 2).all()
    assert (volume[:, 20, 31:50] == 1).all()


def test_what_was_drawn_wins_over_what_is_interpolated():
    outlines = [(1, 0, ellipse(18, (20, 20))), (1, 10, ellipse(18, (20, 20)))]
    volume = volume_from_slices([*outlines, (2, 5, square(18, 22))], (11, 41, 41))
    assert np.array_equal(volume[5] == 2, polygon2mask((41, 41), square(18, 22)))
    assert not (volume[[0, 10]] == 2).any()


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outlines", "options", "words"),
    [
        ([], {}, "outlines is empty"),
        (
            [(1, 2, square(1, 3)[:2])],
            {},
            "entry 1: points: a closed outline needs 3 points .* got 2",
        ),
        (
            [(1, 2, square(1, np.nan))],
            {},
            "entry 1: points has 3 points that are NaN or infinite, the first at index 1",
        ),
        ([(1, 2, np.ones((4, 3)))], {}, r"entry 1: points has the shape \(4, 3\)"),
        ([(1, 5, square(1, 3))], {}, "slice index is 5; axis 0 has the slices 0 to 4"),
        ([(1, 8, square(1, 3))], {"axis": -1}, "slice index is 8; axis 2 has the slices 0 to 6"),
        ([(1, -1, square(1, 3))], {}, "slice index is -1"),
        ([(1, 1.5, square(1, 3))], {}, "slice index must be a whole number; got 1.5"),
        ([(0, 1, square(1, 3))], {}, "entry 1: its label is 0"),
        ([("a", 1, square(1, 3))], {}, "entry 1: its label must be a whole number"),
        ([(1, 1)], {}, r"entry 1 must be \(label, slice index, points\)"),
        ([(1, 1, square(1, 3))], {"shape": (5, 6)}, "shape must be 3 whole numbers"),
        ([(1, 1, square(1, 3))], {"spacing": (1, 1)}, "spacing has 2 values"),
        ([(1, 1, square(1, 3))], {"axis": 3}, "axis is 3"),
        ([(1, 1, square(1, 3))], {"axis": 0.5}, "axis must be a whole number"),
        ([(1, 1, square(1, 3))], {"cap": "sharp"}, "cap must be 'flat' or 'round'; got 'sharp'"),
    ],
)
def test_malformed_slices_are_refused_by_number(outlines, options, words):
    with pytest.raises(InputError, match=words):
        volume_from_slices(outlines, **{"shape": (5, 6, 7), **options})
