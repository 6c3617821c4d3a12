"""Walks of all labels on the graph of basins.

References
----------
Grady L (2006). Random walks for image segmentation. IEEE Trans. PAMI 28(11), 1768-1783.
"""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from napari_seedbed.core.progress import ShouldStop
from napari_seedbed.core.seeded.walk_kernels import TOGETHER, solve_walks
from napari_seedbed.core.threads import run_ranges, split

TOLERANCE = 1e-3
MOST_STEPS = 300
STEPS_OF_A_LOOK = 4


def walk_probabilities(
    weights: csr_array,
    given: NDArray[np.int32],
    n_labels: int,
    rest: int,
    should_stop: ShouldStop | None = None,
    *,
    start: NDArray[np.float32] | None = None,
    changed: Collection[int] | None = None,
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
    start : (K, N) ndarray of float32, optional
        A guess that is improved by a few steps only, for a quick look.
    changed : collection of int, optional
        With `start`, the labels that are worth it.

    Returns
    -------
    (K, N) ndarray of float32
        From 0 to 1; the sum over the labels is 1 where there is a way to a seed, else all are 0.
    """
    free = np.flatnonzero(given < 0)
    others = [label for label in range(n_labels) if label != rest]
    inner = weights[free][:, free].sorted_indices()
    # How well each free node is tied to the seeds of each label.
    held = np.flatnonzero(given >= 0)
    member = coo_array(
        (np.ones(len(held)), (held, given[held])), shape=(given.size, n_labels)
    ).tocsr()
    ties = (weights[free] @ member).tocsc()
    diagonal = np.asarray(weights.sum(axis=1)).reshape(-1)[free]
    diagonal[diagonal == 0] = 1
    begin, to = inner.indptr.astype(np.int32), inner.indices.astype(np.int32)
    row = np.repeat(np.arange(len(free), dtype=np.int32), np.diff(begin))
    middle = begin[:-1] + np.bincount(row[to < row], minlength=len(free)).astype(np.int32)
    out = np.zeros((n_labels, given.size), np.float32) if start is None else start.copy()
    out[:, held] = 0
    out[given[held], held] = 1
    looked_at = others if changed is None else [label for label in others if label in changed]

    def solve(first: int, last: int) -> None:
        labels = looked_at[first * TOGETHER : last * TOGETHER]
        source = np.zeros((len(free), TOGETHER))
        source[:, : len(labels)] = ties[:, labels].toarray()
        x = np.zeros_like(source)
        steps = MOST_STEPS
        if start is not None:
            x[:, : len(labels)] = start[labels][:, free].T
            source -= diagonal[:, np.newaxis] * x - inner @ x
            steps = STEPS_OF_A_LOOK
        solve_walks(begin, middle, to, inner.data, diagonal, source, TOLERANCE, steps, x)
        for column, label in enumerate(labels):
            out[label, free] = np.clip(x[:, column], 0, 1)

    n_tasks = -(-len(looked_at) // TOGETHER)
    if n_tasks:
        run_ranges(solve, split(n_tasks, n_tasks), should_stop=should_stop)
    total = out[others][:, free].sum(axis=0)
    scale = 1 / np.maximum(total, 1)
    for label in others:
        out[label, free] *= scale
    out[rest, free] = np.clip(1 - total, 0, 1)
    n_parts, part = connected_components(weights, directed=False)
    if n_parts > 1:
        reached = np.zeros(n_parts, np.bool_)
        reached[part[given >= 0]] = True
        out[:, ~reached[part]] = 0
    return out
