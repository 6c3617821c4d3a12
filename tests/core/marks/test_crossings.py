"""Whether outlines cross themselves, against solving for the crossing of each pair of edges."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_seedbed.core.marks.crossings import crosses_itself


def edges_cross(a, b, c, d):
    """Whether a + s (b - a) = c + t (d - c) for 0 < s < 1 and 0 < t < 1."""
    matrix = np.stack([b - a, c - d], axis=1)
    if np.linalg.matrix_rank(matrix) < 2:
        return False
    s, t = np.linalg.solve(matrix, c - a)
    return bool(min(s, t) > 1e-9 and max(s, t) < 1 - 1e-9)


@given(arrays(float, st.tuples(st.integers(3, 9), st.just(2)), elements=st.integers(0, 12)))
def test_as_each_pair_of_edges_tells(points):
    edges = list(zip(points, np.roll(points, -1, axis=0), strict=True))
    expected = any(edges_cross(*one, *other) for one, other in combinations(edges, 2))
    assert crosses_itself(points) == expected


@pytest.mark.parametrize("turned", range(5))
def test_edge_from_the_last_point_to_the_first_counts(turned):
    points = np.roll(np.array([[0.0, 0], [9, 9], [9, 0], [0, 9], [-4, 4]]), turned, axis=0)
    assert crosses_itself(points)


def test_neighbours_on_one_line_do_not_cross():
    assert not crosses_itself(np.array([[0.0, 0], [0, 5], [0, 9], [9, 9], [9, 0], [4, 0]]))
