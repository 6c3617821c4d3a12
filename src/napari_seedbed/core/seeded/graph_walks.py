"""Walks of all labels on the graph of basins.

References
----------
Grady L (2006). Random walks for image segmentation. IEEE Trans. PAMI 28(11), 1768-1783.
"""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, csr_array, diags_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.one_thread import one_library_thread
from napari_seedbed.core.seeded.walk_kernels import TOGETHER, solve_walks
from napari_seedbed.core.threads import run_ranges, split

Floats = NDArray[np.float64]

TOLERANCE = 1e-3
MOST_STEPS = 1000
STEPS_OF_A_LOOK = 4


def walk_probabilities(
    weights: csr_array,
    given: NDArray[np.int32],
    n_labels: int,
    rest: int,
    *,
    is_flat: bool = False,
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
    is_flat : bool
        Whether the nodes lie in a picture or a slab. From few seeds in a large one steps lead
        nowhere, and its equations are quickly solved directly.
    start : (K, N) ndarray of float32, optional
        A guess that is improved by a few steps only, for a quick look.
    changed : collection of int, optional
        With `start`, the labels that are worth it.

    Returns
    -------
    (K, N) ndarray of float32
        From 0 to 1; the sum over the labels is 1 where there is a way to a seed, else all are 0.
    """
    part = connected_components(weights, directed=False)[1]
    is_reached = np.zeros(part.max(initial=0) + 1, np.bool_)
    is_reached[part[given >= 0]] = True
    free = np.flatnonzero((given < 0) & is_reached[part])
    others = [label for label in range(n_labels) if label != rest]
    inner = weights[free][:, free].sorted_indices()
    # How well each free node is tied to the seeds of each label.
    held = np.flatnonzero(given >= 0)
    member = coo_array(
        (np.ones(len(held)), (held, given[held])), shape=(given.size, n_labels)
    ).tocsr()
    ties = (weights[free] @ member).tocsc()
    diagonal = np.asarray(weights.sum(axis=1)).reshape(-1)[free]
    out = np.zeros((n_labels, given.size), np.float32) if start is None else start.copy()
    out[:, held] = 0
    out[given[held], held] = 1
    out[:, ~is_reached[part]] = 0
    if start is None and is_flat:
        solved = call_aside(lambda: _solved_directly(inner, diagonal, ties[:, others]))
        for column, label in enumerate(others):
            out[label, free] = np.clip(solved[:, column], 0, 1)
    else:
        looked_at = others if changed is None else [label for label in others if label in changed]
        _solve_in_steps(inner, diagonal, ties, looked_at, free, start, out)
    total = out[others][:, free].sum(axis=0)
    scale = 1 / np.maximum(total, 1)
    for label in others:
        out[label, free] *= scale
    out[rest, free] = np.clip(1 - total, 0, 1)
    return out


def _solved_directly(inner: csr_array, diagonal: Floats, ties: csc_array) -> Floats:
    """Solve by a factorisation, in the order of least degree: (nodes, labels)."""
    matrix = diags_array(diagonal) - inner
    with one_library_thread():
        # Without the symmetric mode this order takes a hundred times as long.
        factors = splu(
            matrix.tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
        found: Floats = factors.solve(ties.toarray())
    return found


def _solve_in_steps(
    inner: csr_array,
    diagonal: Floats,
    ties: csc_array,
    labels: Sequence[int],
    free: NDArray[np.intp],
    start: NDArray[np.float32] | None,
    out: NDArray[np.float32],
) -> None:
    """Solve by conjugate gradients for some labels, and write them into `out`."""
    begin, to = inner.indptr.astype(np.int32), inner.indices.astype(np.int32)
    row = np.repeat(np.arange(len(free), dtype=np.int32), np.diff(begin))
    middle = begin[:-1] + np.bincount(row[to < row], minlength=len(free)).astype(np.int32)

    def solve(first: int, last: int) -> None:
        together = labels[first * TOGETHER : last * TOGETHER]
        source = np.zeros((len(free), TOGETHER))
        source[:, : len(together)] = ties[:, together].toarray()
        x = np.zeros_like(source)
        steps = MOST_STEPS
        if start is not None:
            x[:, : len(together)] = start[together][:, free].T
            source -= diagonal[:, np.newaxis] * x - inner @ x
            steps = STEPS_OF_A_LOOK
        solve_walks(begin, middle, to, inner.data, diagonal, source, TOLERANCE, steps, x)
        for column, label in enumerate(together):
            out[label, free] = np.clip(x[:, column], 0, 1)

    n_tasks = -(-len(labels) // TOGETHER)
    if n_tasks:
        run_ranges(solve, split(n_tasks, n_tasks))
