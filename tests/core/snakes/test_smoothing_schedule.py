"""How often masks are smoothed and pushed along axes of different voxel sizes."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_seedbed.core.snakes.smoothing_schedule import smoothing_schedule


def cycle(schedule):
    """Return the smoothings until they come again."""
    return [schedule.smoothing(n) for n in range(1, schedule.period(1, has_balloon=False) + 1)]


SIZES = st.floats(0.5, 20)


@pytest.mark.parametrize("n_axes", [2, 3])
@pytest.mark.parametrize("spacing", [None, 0.5, 3])
def test_cubes_are_smoothed_along_all_axes_every_time(n_axes, spacing):
    schedule = smoothing_schedule(spacing, n_axes)
    assert cycle(schedule) == [(n_axes, True), (n_axes, False)]
    assert schedule.order == tuple(range(n_axes))
    assert schedule.weights == (1, 1, 1)


@pytest.mark.parametrize(
    ("spacing", "three", "two", "none"),
    [
        ((3, 1, 1), 1 / 9, 8 / 9, 0),
        ((1, 1, 2), 1 / 4, 3 / 4, 0),
        ((2, 2, 1), 1 / 4, 0, 3 / 4),
        ((4, 2, 1), 1 / 16, 3 / 16, 3 / 4),
    ],
)
def test_smoothings_are_as_frequent_as_squared_voxel_sizes_say(spacing, three, two, none):
    smoothings = cycle(smoothing_schedule(spacing, 3))
    kinds = Counter(smoothing and smoothing.n_axes for smoothing in smoothings)
    assert [kinds[kind] / len(smoothings) for kind in (3, 2, None)] == [three, two, none]


def test_planes_that_lie_ever_so_far_apart_are_smoothed_by_themselves():
    schedule = smoothing_schedule((1e50, 1, 1), 3)
    assert [schedule.smoothing(n) for n in (1, 2, 3)] == [(2, True), (2, False), (2, True)]


def test_a_ratio_of_two_and_a_half_is_rounded_alike_however_it_is_written():
    for spacing in ((2.5, 1, 1), (0.35, 0.14, 0.14), (0.15, 0.06, 0.06)):
        assert smoothing_schedule(spacing, 3).strides == (3, 1, 1)


@settings(max_examples=50, deadline=None)
@given(st.tuples(SIZES, SIZES, SIZES))
def test_each_kind_is_met_equally_often_with_either_operator_first(spacing):
    counts = Counter(cycle(smoothing_schedule(spacing, 3)))
    for kind in (2, 3):
        assert counts[kind, True] == counts[kind, False]


@settings(max_examples=50, deadline=None)
@given(st.tuples(SIZES, SIZES, SIZES), st.integers(0, 4), st.booleans())
def test_after_a_period_everything_comes_again(spacing, count, has_balloon):
    schedule = smoothing_schedule(spacing, 3)
    period = schedule.period(count, has_balloon=has_balloon)
    for iteration in (1, 2, 3, 10):
        before, after = (schedule.turn(n, count) for n in (iteration, iteration + period))
        assert before.smoothings == after.smoothings
        assert not has_balloon or before == after


@settings(max_examples=50, deadline=None)
@given(st.tuples(SIZES, SIZES, SIZES))
def test_axes_are_sorted_from_coarse_to_fine_and_put_back(spacing):
    schedule = smoothing_schedule(spacing, 3)
    assert sorted(spacing, reverse=True) == [spacing[axis] for axis in schedule.order]
    array = np.arange(120).reshape(2, 3, 4, 5)
    np.testing.assert_array_equal(schedule.restore_axes(schedule.sort_axes(array)), array)
