"""Walks on a graph, beside NumPy's solver."""

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array, diags_array

from napari_seedbed.core.progress import running
from napari_seedbed.core.seeded.graph_walks import walk_probabilities
from napari_seedbed.errors import Cancelled


def random_graph(n, rng, span):
    full = np.zeros((n, n))
    for i in range(n):
        for j in rng.integers(0, n, 3):
            if i != j:
                full[i, j] = full[j, i] = 10 ** rng.uniform(-span, 0)
    chain = np.arange(n - 1)
    full[chain, chain + 1] = full[chain + 1, chain] = 0.1
    return full


@pytest.mark.parametrize("span", [0, 4])
@pytest.mark.parametrize("n_labels", [2, 11])
def test_probabilities_are_those_of_the_equations(span, n_labels):
    rng = np.random.default_rng(n_labels)
    full = random_graph(300, rng, span)
    given = np.full(300, -1, np.int32)
    given[rng.permutation(300)[: 2 * n_labels]] = np.tile(np.arange(n_labels), 2)
    free = given < 0
    matrix = np.diag(full.sum(axis=1)) - full
    source = full[np.ix_(free, ~free)] @ np.eye(n_labels)[given[~free]]
    wanted = np.linalg.solve(matrix[np.ix_(free, free)], source)
    for is_flat, near in ((False, 0.02), (True, 1e-5)):
        found = walk_probabilities(
            csr_array(full), given, n_labels, rest=n_labels - 1, is_flat=is_flat
        )
        np.testing.assert_allclose(found[:, free].T, wanted, atol=near)
        np.testing.assert_array_equal(found[:, ~free].T, np.eye(n_labels)[given[~free]])
        np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-5)


def test_what_no_walk_reaches_has_no_label():
    full = np.zeros((6, 6))
    for i, j in ((0, 1), (1, 2), (3, 4), (4, 5)):
        full[i, j] = full[j, i] = 1
    given = np.array([0, -1, 1, -1, -1, -1], np.int32)
    for is_flat in (False, True):
        found = walk_probabilities(csr_array(full), given, 2, 1, is_flat=is_flat)
        np.testing.assert_allclose(found[:, 1], [0.5, 0.5], atol=1e-3)
        assert (found[:, 3:] == 0).all()


def test_few_seeds_reach_the_whole_of_a_large_plane():
    n = 250
    number = np.arange(n * n).reshape(n, n)
    weights = np.random.default_rng(0).uniform(0.01, 1, (2, n, n))
    first = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    second = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    weight = np.concatenate([weights[0, :, :-1].ravel(), weights[1, :-1].ravel()])
    half = coo_array((weight, (first, second)), shape=(n * n, n * n))
    full = (half + half.T).tocsr()
    given = np.full(n * n, -1, np.int32)
    given[[0, -1]] = 0, 1
    found = walk_probabilities(full, given, 2, 1, is_flat=True)
    free = given < 0
    matrix = (diags_array(full.sum(axis=1)) - full).tocsr()[free]
    residual = matrix[:, free] @ found[0, free] + matrix[:, ~free] @ found[0, ~free]
    assert abs(residual).max() < 1e-5
    # Nothing tells the two corners apart.
    assert abs((found[0] > 0.5).mean() - 0.5) < 0.15


def test_it_can_be_cancelled():
    given = np.array([0, -1, 1], np.int32)
    full = csr_array(np.ones((3, 3)) - np.eye(3))
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        walk_probabilities(full, given, 2, 1)
