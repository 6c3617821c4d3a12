"""A quick answer for the slice on screen, long before the whole volume is solved.

The equations are solved on a coarse level only; then a slab a few voxels thick around the slice is
relaxed on the fine grid, with the coarse answer at its faces. After a stroke, only the difference
that the stroke makes on the coarse level is added to the solution from before, so that nothing
flickers where nothing changed.
"""

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.walker import graph_kernels, grid_kernels, seed_kernels
from napari_seedbed.core.walker.hierarchy import Hierarchy
from napari_seedbed.core.walker.multigrid import Preconditioner, flat

HALF_THICKNESS = 4
RELAXATIONS = {2: 2, 3: 10}
ROUNDS_FROM_NOTHING = 3
ROUNDS_FROM_GUESS = 1

Floats = NDArray[np.float32]


def coarse_solution(
    preconditioner: Preconditioner,
    places: NDArray[np.int64],
    values: Floats,
    guess: Floats | None = None,
) -> Floats:
    """Solve on the preview's level, the first that is not large: (K, nodes).

    Parameters
    ----------
    preconditioner : Preconditioner
        Of the equations, for at least K solutions.
    places : (S,) ndarray
        Flat indices of the given voxels.
    values : (S, K) ndarray of float32
        What each holds in each solution.
    guess : (K, nodes) ndarray of float32, optional
        Where to start from, such as the solution before a stroke.
    """
    hierarchy = preconditioner.hierarchy
    level = hierarchy.n_large
    top = hierarchy.level(0)
    source = seed_kernels.pull_of_seeds(
        places, values, hierarchy.weights, preconditioner.state, hierarchy.group, top.stop
    )
    for index in range(level):
        parent = hierarchy.parent[hierarchy.level(index)]
        size = int(hierarchy.node[index + 2] - hierarchy.node[index + 1])
        below = np.empty((source.shape[0], size), np.float32)
        for values, total in zip(source, below, strict=True):
            graph_kernels.collect(values, parent, total)
        source = below
    solution = np.zeros_like(source) if guess is None else guess.copy()
    rounds = ROUNDS_FROM_NOTHING if guess is None else ROUNDS_FROM_GUESS

    def improve(first: int, stop: int) -> None:
        for k in range(first, stop):
            for _ in range(rounds):
                preconditioner.solve_level(level, solution[k], source[k], k)

    n_solutions = source.shape[0]
    run_ranges(improve, split(n_solutions, n_solutions))
    return solution


def on_first_level(hierarchy: Hierarchy, coarse: Floats) -> Floats:
    """Spread a solution on the preview's level over the nodes of the first graph level."""
    if hierarchy.n_large == 0:
        return coarse
    node = hierarchy.parent[hierarchy.level(0)]
    for level in range(1, hierarchy.n_large):
        node = hierarchy.parent[hierarchy.level(level)][node]
    return np.take(coarse, node, axis=1)


def preview_slice(
    preconditioner: Preconditioner,
    coarse: Floats,
    previous: Floats | None,
    places: NDArray[np.int64],
    values: Floats,
    axis: int,
    index: int,
) -> Floats:
    """Return a first answer for one slice: (K, A, B).

    Parameters
    ----------
    preconditioner : Preconditioner
        Of the equations.
    coarse : (K, nodes) ndarray of float32
        Coarse solution, or where `previous` is given what changed in it.
    previous : (K, Z, Y, X) ndarray of float32, optional
        The solution from before the change.
    places, values : ndarray
        The given voxels, as for `coarse_solution`.
    axis, index : int
        The slice, in the volume's (z, y, x).
    """
    hierarchy = preconditioner.hierarchy
    shape = hierarchy.shape
    start = max(0, index - HALF_THICKNESS)
    stop = min(shape[axis], index + HALF_THICKNESS + 1)
    box = tuple(slice(start, stop) if a == axis else slice(None) for a in range(3))
    x = np.ascontiguousarray(on_first_level(hierarchy, coarse)[:, hierarchy.group[box]])
    if previous is not None:
        x += previous[:, *box]
    z_y_x = np.unravel_index(places, shape)
    inside = (z_y_x[axis] >= start) & (z_y_x[axis] < stop)
    for k in range(values.shape[1]):
        solution = x[k]
        solution[tuple(c[inside] - (start if a == axis else 0) for a, c in enumerate(z_y_x))] = (
            values[inside, k]
        )
    state = np.array(preconditioner.state[box], order="C")
    # The slab's faces inside the volume keep the coarse answer.
    if start > 0:
        state[(slice(None),) * axis + (0,)] = grid_kernels.SEED
    if stop < shape[axis]:
        state[(slice(None),) * axis + (-1,)] = grid_kernels.SEED
    weights = tuple(w[box].copy() for w in hierarchy.weights)
    # Kernels rely on it that no edge leads out of their grid.
    np.moveaxis(weights[axis], axis, 0)[-1] = 0
    rows, solutions = np.arange(x.shape[0]), flat(x)
    nothing = np.zeros_like(solutions)
    n_z, n_y, _ = state.shape
    on = grid_kernels.colours(state.shape, one_row=False)
    equations = (*(w.reshape(-1) for w in weights), state.reshape(-1))
    boxes = [(0, n_z, *rows_of_box) for rows_of_box in split(n_y, 4)]
    for _ in range(RELAXATIONS[2 if shape[0] == 1 else 3]):
        for colour in (0, 1):
            run_ranges(
                grid_kernels.relax,
                boxes, state.shape, on, colour, rows, solutions, nothing, *equations,
            )  # fmt: skip
    return np.take(x, index - start, axis=axis + 1)
