"""Solve the random walker's equations: conjugate gradients, preconditioned by multigrid.

One preconditioning step is a red-black Gauss-Seidel sweep over the voxels, a block-wise
Gauss-Seidel sweep over the first graph level, one K-cycle over the rest, and the same sweeps back.

References
----------
Yvan Notay, Panayot Vassilevski, "Recursive Krylov-based multigrid cycles", Numer. Linear Algebra
Appl. 15 (2008) 473-487.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core import graph_kernels, grid_kernels
from napari_seedbed.core.anchors import Anchors
from napari_seedbed.core.hierarchy import (
    LARGEST_GROUP,
    Hierarchy,
    is_large,
    sweep_blocks,
)
from napari_seedbed.core.progress import ShouldStop, check_stop
from napari_seedbed.core.threads import Box, run_ranges, split

MAX_ITERATIONS = 200
TIGHTEST = 2e-6
"""Tolerance below which float32 solutions cannot be told apart."""

SAFETY = 0.25
"""The true error was at most 8 times the estimate in trials."""

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
        self._b, self._r = (np.zeros((n_solutions, n_nodes), np.float32) for _ in "br")
        n_copied = max(
            (int(hierarchy.node[i + 1]) for i in range(hierarchy.n_levels) if self._is_large(i)),
            default=0,
        )
        self._x = np.zeros((n_solutions, n_nodes + n_copied), np.float32)
        # The K-cycle keeps two more vectors for each level that it visits twice: not the first.
        self._skipped = int(hierarchy.node[1]) if self._is_large(0) else 0
        n_kept = n_nodes - self._skipped
        self._c, self._v = (np.zeros((n_solutions, n_kept), np.float32) for _ in "cv")

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
        self.sweep(rows, z, r)

    def sweep(self, rows: Rows, x: Floats, b: Floats) -> None:
        """One Gauss-Seidel sweep over the voxels, black ones first."""
        args = (*self.hierarchy.weights, self.state)
        for colour in (1, 0):
            run_ranges(
                grid_kernels.relax, self.boxes, colour, rows, x, b, *args,
                should_stop=self.should_stop,
            )  # fmt: skip

    def residual(self, rows: Rows, x: Floats) -> Floats:
        """Return -A x: what the equations lack, for solutions that hold their given values."""
        r = np.zeros_like(x)
        args = (*self.hierarchy.weights, self.state)
        run_ranges(grid_kernels.residual, self.boxes, rows, x, r, *args)
        return r

    def correct(self, rows: Rows) -> None:
        """Solve the graph levels' equations approximately: right-hand sides in `b`, result `x`."""
        if self._is_large(0):
            self._cycle_in_blocks(0, rows)
        else:
            self._cycle_serially(0, rows)

    def solve_level(self, level: int, solution: Floats, source: Floats, k: int) -> None:
        """Improve in place a solution on one small level; `k` picks the work space."""
        h, anchors = self.hierarchy, self.anchors
        check_stop(self.should_stop)
        x, b, r, c, v = self._vectors(k)
        graph_kernels.coarse_solve(
            level, solution, source, h.node, x, b, r, c, v, self._skipped,
            h.slot, h.middle, h.to, h.weight, anchors.pivot, anchors.anchor,
            h.parent, anchors.bottom,
        )  # fmt: skip

    def _vectors(self, k: int) -> tuple[Floats, ...]:
        return self._x[k], self._b[k], self._r[k], self._c[k], self._v[k]

    def _is_large(self, level: int) -> bool:
        h = self.hierarchy
        return level < h.n_levels - 1 and is_large(int(h.node[level + 1] - h.node[level]))

    def _cycle_serially(self, top: int, rows: Rows) -> None:
        """One K-cycle over the small levels; solutions side by side."""
        h, anchors = self.hierarchy, self.anchors

        def cycle(start: int, stop: int) -> None:
            for k in rows[start:stop]:
                x, b, r, c, v = self._vectors(k)
                graph_kernels.coarse_cycle(
                    top, 1, h.node, x, b, r, c, v, self._skipped,
                    h.slot, h.middle, h.to, h.weight, anchors.pivot, anchors.anchor,
                    h.parent, anchors.bottom,
                )  # fmt: skip

        run_ranges(cycle, split(rows.size, rows.size), should_stop=self.should_stop)

    def _cycle_in_blocks(self, level: int, rows: Rows) -> None:
        """Sweep over a large level on all cores, correct it from the next, and sweep back."""
        h, anchors, stop = self.hierarchy, self.anchors, self.should_stop
        at, below, end = (int(n) for n in h.node[level : level + 3])
        shadow = int(h.node[-1])
        blocks = sweep_blocks(below - at)
        graph = (h.to, h.weight)
        for k in rows:
            x, b, r, _, _ = self._vectors(k)
            run_ranges(
                graph_kernels.sweep_from_zero,
                blocks, at, shadow, x, b, h.slot, h.middle, *graph, anchors.pivot, should_stop=stop,
            )  # fmt: skip
            run_ranges(
                graph_kernels.residual_after_sweep, blocks, at, x, r, h.slot, h.middle, *graph
            )
            graph_kernels.collect(at, below, end, r, b, h.parent)
        if self._is_large(level + 1):
            for k in rows:
                self._k_cycle_in_blocks(level + 1, int(k))
        else:
            self._cycle_serially(level + 1, rows)
        for k in rows:
            x, b, _, _, _ = self._vectors(k)
            run_ranges(
                graph_kernels.spread, blocks, at, below, shadow, x, h.parent, should_stop=stop
            )
            run_ranges(graph_kernels.sweep_back, blocks, at, x, b, h.slot, *graph, anchors.pivot)

    def _k_cycle_in_blocks(self, level: int, k: int) -> None:
        """Two conjugate gradient steps on a large level, as `coarse_cycle` on the small ones."""
        h, skip = self.hierarchy, self._skipped
        at, end = int(h.node[level]), int(h.node[level + 1])
        here, kept = slice(at, end), slice(at - skip, end - skip)
        x, b, r, c, v = self._vectors(k)
        row = np.array([k])
        self._cycle_in_blocks(level, row)
        self._apply_in_blocks(level, x, v, skip)
        rho, gain = self._dot(x, v, skip, at, end), self._dot(x, b, 0, at, end)
        if rho <= 0:
            return
        c[kept] = x[here]
        before = self._dot(b, b, 0, at, end)
        b[here] -= np.float32(gain / rho) * v[kept]
        if self._dot(b, b, 0, at, end) <= graph_kernels.ENOUGH * before:
            x[here] *= np.float32(gain / rho)
            return
        self._cycle_in_blocks(level, row)
        self._apply_in_blocks(level, x, r, 0)
        gamma = self._dot(x, v, skip, at, end)
        second = self._dot(x, r, 0, at, end) - gamma * gamma / rho
        second_gain = self._dot(x, b, 0, at, end)
        t_first, t_second = gain / rho, 0.0
        if second > 0:
            t_first -= gamma * second_gain / (rho * second)
            t_second = second_gain / second
        x[here] *= np.float32(t_second)
        x[here] += np.float32(t_first) * c[kept]

    def _apply_in_blocks(self, level: int, x: Floats, y: Floats, skip: int) -> None:
        h = self.hierarchy
        at, end = int(h.node[level]), int(h.node[level + 1])
        x[h.node[-1] + at : h.node[-1] + end] = x[at:end]
        run_ranges(
            graph_kernels.apply,
            sweep_blocks(end - at), at, x, y, skip, h.slot, h.to, h.weight, self.anchors.anchor,
            should_stop=self.should_stop,
        )  # fmt: skip

    def _dot(self, a: Floats, b: Floats, skip: int, start: int, stop: int) -> float:
        return float(graph_kernels.dot(a, b, skip, start, stop))


def solve(
    preconditioner: Preconditioner,
    x: Floats,
    tol: float,
    report: IterationReport | None = None,
    max_iterations: int | None = None,
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
    max_iterations : int, optional
        When to give up; `MAX_ITERATIONS` by default.
    """
    most = MAX_ITERATIONS if max_iterations is None else min(max_iterations, MAX_ITERATIONS)
    accepted = SAFETY * max(tol, TIGHTEST)
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
            if pending.size == 0 or iterations >= most:
                break
            search.step(pending)
            iterations += 1
        if pending.size > 0:
            return Outcome(iterations, float(errors.max()), False)
        if search.steps_since_restart == 0:
            break
    return Outcome(iterations, float(errors.max()), True)


class _Search:
    """The vectors and numbers of conjugate gradients, for several solutions at once."""

    def __init__(self, preconditioner: Preconditioner, x: Floats) -> None:
        self.preconditioner = preconditioner
        self.stop = preconditioner.should_stop
        self.boxes = preconditioner.boxes
        self.x = x
        self.r, self.p, self.z = (np.zeros_like(x) for _ in "rpz")
        # A p is wanted when the correction z is not any more: they share their memory.
        self.q = self.z
        n_k = x.shape[0]
        self.shares = np.zeros((*x.shape[1:3], n_k, 2), np.float32)
        self.energies = np.zeros((*x.shape[1:3], n_k), np.float32)
        self.gain = np.zeros(n_k)
        self.new_gain = np.zeros(n_k)
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
            self.boxes, rows, self.r, self.z, self.shares, should_stop=self.stop,
        )  # fmt: skip
        gain = self.shares[..., rows, 0].sum(axis=(0, 1), dtype=np.float64)
        self.new_gain[rows] = np.maximum(gain, 0)
        largest: NDArray[np.float32] = self.shares[..., rows, 1].max(axis=(0, 1))
        return largest

    def finish(self, rows: Rows) -> None:
        """Take the last correction as well: it is at hand, and lies within the tolerance."""
        if rows.size:
            run_ranges(grid_kernels.add, self.boxes, rows, self.x, self.z, should_stop=self.stop)

    def step(self, rows: Rows) -> None:
        """Move along the next direction."""
        old = self.gain[rows]
        # A K-cycle is not quite linear; in trials that cost nothing beside the flexible form of
        # this factor, which needs one more vector.
        turn = np.where(old > 0, self.new_gain[rows] / np.where(old > 0, old, 1), 0)
        factor = np.zeros(self.gain.size, np.float32)
        factor[rows] = turn
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
