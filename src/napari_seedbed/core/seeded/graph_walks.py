"""Walks of all labels on the graph of basins.

References
----------
Grady L (2006). Random walks for image segmentation. IEEE Trans. PAMI 28(11), 1768-1783.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from napari_seedbed.core.progress import ShouldStop
from napari_seedbed.core.seeded.walk_kernels import solve_walks
from napari_seedbed.core.threads import run_ranges

TOLERANCE = 1e-3
MOST_STEPS = 300
LABELS_AT_ONCE = 8


def walk_probabilities(
    weights: csr_array,
    given: NDArray[np.int32],
    n_labels: int,
    rest: int,
    should_stop: ShouldStop | None = None,
) -> NDArray[np.float32]:
    """Return how probably a walk from each node meets each label first.

    Parameters
    ----------
    weights : (N, N) csr_array
        Symmetric; how well walkers cross from node to node.
    given : (N,) ndarray of int32
        Label of nodes with seeds, from 0; -1 of others.
    n_labels : int
    rest : int
        The label that gets what the others leave: it is not solved for.
    should_stop : callable, optional
        Asked between labels; True raises `Cancelled`.

    Returns
    -------
    (K, N) ndarray of float32
        From 0 to 1; the sum over the labels is 1 where there is a way to a seed, else all are 0.
    """
    others = [label for label in range(n_labels) if label != rest]
    # Solved labels come first, so that ranges of them are solved at once.
    order = np.full(n_labels + 1, -1, np.int32)
    order[others] = np.arange(len(others), dtype=np.int32)
    order[rest] = len(others)
    out = np.empty((n_labels, given.size), np.float32)
    steps = np.zeros(n_labels, np.int32)
    ranges = [
        (start, min(start + LABELS_AT_ONCE, len(others)))
        for start in range(0, len(others), LABELS_AT_ONCE)
    ]
    run_ranges(
        solve_walks, ranges, order[given], weights.indptr.astype(np.int32, copy=False),
        weights.indices.astype(np.int32, copy=False), weights.data, TOLERANCE, MOST_STEPS, out,
        steps, should_stop=should_stop,
    )  # fmt: skip
    total = out[: len(others)].sum(axis=0)
    out[: len(others)] /= np.maximum(total, 1)
    np.clip(1 - total, 0, 1, out=out[len(others)])
    n_parts, part = connected_components(weights, directed=False)
    if n_parts > 1:
        reached = np.zeros(n_parts, np.bool_)
        reached[part[given >= 0]] = True
        out[:, ~reached[part]] = 0
    return out[order[:n_labels]]
