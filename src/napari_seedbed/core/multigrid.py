"""Solve the random walker's equations: flexible conjugate gradients, preconditioned by multigrid.

One preconditioning step is a red-black Gauss-Seidel sweep over the voxels, a block-wise
Gauss-Seidel sweep over the first graph level, one K-cycle over the rest, and the same sweeps back.

References
----------
Yvan Notay, "Flexible conjugate gradients", SIAM J. Sci. Comput. 22 (2000) 1444-1460.
Yvan Notay, Panayot Vassilevski, "Recursive Krylov-based multigrid cycles", Numer. Linear Algebra
Appl. 15 (2008) 473-487.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core import graph_kernels, grid_kernels
from napari_seedbed.core.hierarchy import BLOCKS, LARGEST_GROUP, Anchors, Hierarchy
from napari_seedbed.core.progress import ShouldStop, check_stop
from napari_seedbed.core.threads import Box, run_ranges, split

MAX_ITERATIONS = 200
TIGHTEST = 2e-6
"""Tolerance below which float32 solutions cannot be told apart."""

SAFETY = {2: 0.25, 3: 0.5}
"""The true error was at most 3 times the estimate in trials in 3D, and 8 times in 2D."""

TRUST_CARRIED_RESIDUAL = 1e-5
MAX_RESTARTS = 4
_VOXELS_PER_TASK = 1 << 19

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
IterationReport = Callable[[int, float], None]


@dataclass(frozen=True)
class Outcome:
    """How a solve went: iterations, the last estimate of the largest error, and whether it fits."""

    iterations: int
    error: float
    converged: bool


class Preconditioner:
    """One multigrid cycle for a hierarchy and a set of seeds."""

    def __init__(
        self,
        hierarchy: Hierarchy,
        anchors: Anchors,
        state: NDArray[np.uint8],
        n_solutions: int,
        should_stop: ShouldStop | None = None,
    ) -> None:
        self.hierarchy = hierarchy
        self.anchors = anchors
        self.state = state
        self.should_stop = should_stop
        self.n_solutions = n_solutions
        self.boxes, self.phases = _partition(hierarchy.shape)
        n_nodes = int(hierarchy.node[-1])
        self._x, self._b, self._r = (np.zeros((n_solutions, n_nodes), np.float32) for _ in "xbr")
        # The K-cycle keeps two more vectors a level; the top level is visited once only.
        self._c, self._v = (np.zeros((n_solutions, n_nodes), np.float32) for _ in "cv")

    def apply(self, rows: Rows, r: Floats, z: Floats) -> None:
        """Write into z about A^-1 r, for the solutions `rows`."""
        h, stop = self.hierarchy, self.should_stop
        args = (*h.weights, self.state)
        run_ranges(grid_kernels.start_red, self.boxes, rows, z, r, *args, should_stop=stop)
        run_ranges(grid_kernels.relax, self.boxes, 1, rows, z, r, *args, should_stop=stop)
        top = h.level(0)
        self._b[rows, top] = 0
        for phase in filter(None, self.phases):
            run_ranges(
                grid_kernels.restrict_after_black,
                phase,
                rows,
                z,
                *args,
                h.group,
                self._b,
                should_stop=stop,
            )
        self.correct(rows)
        run_ranges(
            grid_kernels.prolong,
            self.boxes,
            rows,
            z,
            self.state,
            h.group,
            self._x,
            should_stop=stop,
        )
        run_ranges(grid_kernels.relax, self.boxes, 1, rows, z, r, *args, should_stop=stop)
        run_ranges(grid_kernels.relax, self.boxes, 0, rows, z, r, *args, should_stop=stop)

    def correct(self, rows: Rows) -> None:
        """Solve the graph levels' equations approximately: right-hand sides in `b`, result `x`."""
        h, anchors = self.hierarchy, self.anchors
        size = int(h.node[1])
        blocks = split(size, BLOCKS)
        graph = (h.to, h.weight)
        levels = range(h.n_levels)
        if len(levels) == 1:
            for k in rows:
                self._cycle(0, int(k))
            return
        below = int(h.node[2] - h.node[1])
        for k in rows:
            x, b, r = self._x[k], self._b[k], self._r[k]
            run_ranges(
                graph_kernels.sweep_from_zero,
                blocks, 0, x, b, h.edge, h.middle, *graph, anchors.pivot,
            )  # fmt: skip
            run_ranges(
                graph_kernels.residual_after_sweep, blocks, 0, x, r, h.edge, h.middle, *graph
            )
            run_ranges(graph_kernels.gather, split(below, BLOCKS), 0, size, r, b, h.first, h.member)

        def cycle(start: int, stop: int) -> None:
            for k in rows[start:stop]:
                self._cycle(1, int(k))

        run_ranges(cycle, split(rows.size, rows.size), should_stop=self.should_stop)
        for k in rows:
            x, b, r = self._x[k], self._b[k], self._r[k]
            run_ranges(graph_kernels.spread, blocks, 0, size, x, r, h.parent)
            run_ranges(
                graph_kernels.sweep_back,
                blocks, 0, x, r, b, h.edge, *graph, anchors.pivot,
            )  # fmt: skip
            check_stop(self.should_stop)

    def solve_level(
        self, level: int, rounds: int, solution: Floats, source: Floats, k: int
    ) -> None:
        """Improve in place a solution on one graph level; `k` picks the work space."""
        h, anchors = self.hierarchy, self.anchors
        graph_kernels.coarse_solve(
            level, rounds, solution, source, h.node,
            self._x[k], self._b[k], self._r[k], self._c[k], self._v[k],
            h.edge, h.middle, h.to, h.weight, anchors.pivot, anchors.anchor,
            h.parent, h.first, h.member, anchors.bottom,
        )  # fmt: skip

    def _cycle(self, top: int, k: int) -> None:
        h, anchors = self.hierarchy, self.anchors
        graph_kernels.coarse_cycle(
            top, h.node, self._x[k], self._b[k], self._r[k], self._c[k], self._v[k],
            h.edge, h.middle, h.to, h.weight, anchors.pivot, anchors.anchor,
            h.parent, h.first, h.member, anchors.bottom,
        )  # fmt: skip


def solve(
    preconditioner: Preconditioner,
    x: Floats,
    tol: float,
    report: IterationReport | None = None,
) -> Outcome:
    """Improve solutions in place until the estimated error is at most `tol` everywhere.

    Parameters
    ----------
    preconditioner : Preconditioner
        Of the equations to solve.
    x : (K, Z, Y, X) ndarray of float32
        First guesses, with the given values at the seeds.
    tol : float
        Largest error allowed. It is estimated by the correction that one multigrid cycle would
        make, which tracks the true error within a small factor however weak some edges are; the
        residual, which other solvers look at, does not.
    report : callable, optional
        Called after each iteration with its number and the estimated error.
    """
    ndim = 3 if min(preconditioner.hierarchy.shape) > 1 else 2
    accepted = SAFETY[ndim] * max(tol, TIGHTEST)
    search = _Search(preconditioner, x)
    active = np.arange(x.shape[0])
    errors = np.full(x.shape[0], np.inf)
    iterations = 0
    # Rounding gathers in the residual that is carried along; a tight tolerance is checked afresh.
    for _ in range(1 if tol >= TRUST_CARRIED_RESIDUAL else 1 + MAX_RESTARTS):
        search.restart(active)
        pending = active
        while True:
            errors[pending] = search.measure(pending)
            if report is not None:
                report(iterations, float(errors.max()))
            done = errors[pending] <= accepted
            search.finish(pending[done])
            pending = pending[~done]
            if pending.size == 0 or iterations >= MAX_ITERATIONS:
                break
            search.step(pending)
            iterations += 1
        if pending.size > 0:
            return Outcome(iterations, float(errors.max()), False)
        if search.steps_since_restart == 0:
            break
    return Outcome(iterations, float(errors.max()), True)


class _Search:
    """The vectors and numbers of flexible conjugate gradients, for several solutions at once."""

    def __init__(self, preconditioner: Preconditioner, x: Floats) -> None:
        self.preconditioner = preconditioner
        self.stop = preconditioner.should_stop
        self.boxes = preconditioner.boxes
        self.x = x
        self.r, self.z, self.p, self.q = (np.zeros_like(x) for _ in "rzpq")
        n_k = x.shape[0]
        self.shares = np.zeros((*x.shape[1:3], n_k, 3), np.float32)
        self.energies = np.zeros((*x.shape[1:3], n_k), np.float32)
        self.gain = np.zeros(n_k)
        self.new_gain = np.zeros(n_k)
        self.overlap = np.zeros(n_k)
        self.length = np.zeros(n_k)
        self.steps_since_restart = 0

    @property
    def equations(self) -> tuple[NDArray[np.generic], ...]:
        return (*self.preconditioner.hierarchy.weights, self.preconditioner.state)

    def restart(self, rows: Rows) -> None:
        """Compute the residual from the solutions themselves, and forget old directions."""
        run_ranges(
            grid_kernels.residual,
            self.boxes, rows, self.x, self.r, *self.equations, should_stop=self.stop,
        )  # fmt: skip
        self.gain[rows] = 0
        self.steps_since_restart = 0

    def measure(self, rows: Rows) -> NDArray[np.float32]:
        """Apply the preconditioner to the residual; return the largest correction of each."""
        self.preconditioner.apply(rows, self.r, self.z)
        run_ranges(
            grid_kernels.products,
            self.boxes, rows, self.r, self.z, self.q, self.shares, should_stop=self.stop,
        )  # fmt: skip
        sums = self.shares[..., rows, :2].sum(axis=(0, 1), dtype=np.float64)
        self.new_gain[rows] = np.maximum(sums[:, 0], 0)
        self.overlap[rows] = sums[:, 1]
        largest: NDArray[np.float32] = self.shares[..., rows, 2].max(axis=(0, 1))
        return largest

    def finish(self, rows: Rows) -> None:
        """Take the last correction as well: it is at hand, and lies within the tolerance."""
        if rows.size:
            run_ranges(grid_kernels.add, self.boxes, rows, self.x, self.z, should_stop=self.stop)

    def step(self, rows: Rows) -> None:
        """Move along the next direction."""
        old = self.gain[rows]
        # Polak-Ribiere's form, as a K-cycle is not quite linear; r . z changed by -length * q . z.
        turn = np.where(
            old > 0, -self.length[rows] * self.overlap[rows] / np.where(old > 0, old, 1), 0
        )
        factor = np.zeros(self.gain.size, np.float32)
        factor[rows] = np.maximum(turn, 0)
        self.gain[rows] = self.new_gain[rows]
        run_ranges(
            grid_kernels.combine, self.boxes, rows, self.p, self.z, factor, should_stop=self.stop
        )
        run_ranges(
            grid_kernels.apply,
            self.boxes, rows, self.p, self.q, *self.equations, self.energies,
            should_stop=self.stop,
        )  # fmt: skip
        energy = self.energies[..., rows].sum(axis=(0, 1), dtype=np.float64)
        self.length[rows] = np.where(
            energy > 0, self.gain[rows] / np.where(energy > 0, energy, 1), 0
        )
        run_ranges(
            grid_kernels.advance,
            self.boxes, rows, self.x, self.r, self.p, self.q, self.length.astype(np.float32),
            should_stop=self.stop,
        )  # fmt: skip
        self.steps_since_restart += 1


def _partition(shape: tuple[int, int, int]) -> tuple[list[Box], list[list[Box]]]:
    """Cut a grid into boxes across its longer outer axis, and those into two sets.

    A group of voxels can reach over the border of its box, never over a whole box, so the boxes of
    one set add to different groups.
    """
    n_z, n_y, _ = shape
    wanted = max(4, int(np.prod(shape)) // _VOXELS_PER_TASK)
    pieces = split(max(n_z, n_y), min(wanted, max(n_z, n_y) // LARGEST_GROUP))
    boxes: list[Box]
    if n_z >= n_y:
        boxes = [(start, stop, 0, n_y) for start, stop in pieces]
    else:
        boxes = [(0, n_z, start, stop) for start, stop in pieces]
    return boxes, [boxes[0::2], boxes[1::2]]
