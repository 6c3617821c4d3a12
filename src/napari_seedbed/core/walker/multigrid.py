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

from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.walker import graph_kernels, grid_kernels
from napari_seedbed.core.walker.anchors import Anchors
from napari_seedbed.core.walker.graph_layout import sweep_blocks
from napari_seedbed.core.walker.hierarchy import Hierarchy
from napari_seedbed.core.walker.tiles import Tiles

MAX_ITERATIONS = 200
TIGHTEST = 2e-6
"""Tolerance below which float32 solutions cannot be distinguished."""

SAFETY = 0.25
"""The true error was at most 8 times the estimate in trials."""

TRUST_CARRIED_RESIDUAL = 1e-5
MAX_RESTARTS = 4
_LOOK_BACK = 8
"""The error falls in fits and starts: its rate is taken over so many iterations."""


Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
IterationReport = Callable[[int, float], None]
Move = tuple[Floats, Floats, NDArray[np.float32]]
"""Solutions, directions and lengths of the steps along them."""


@dataclass(frozen=True)
class Outcome:
    """How a solve went: iterations, the last estimate of the largest error, and whether it fits."""

    iterations: int
    error: float
    converged: bool


class Preconditioner:
    """One multigrid cycle for a hierarchy and a set of seeds."""

    def __init__(
        self, hierarchy: Hierarchy, anchors: Anchors, state: NDArray[np.uint8], n_solutions: int
    ) -> None:
        self.hierarchy = hierarchy
        self.anchors = anchors
        self.state = state
        self.n_solutions = n_solutions
        self.tiles = Tiles(hierarchy.shape)
        self.grid = self.tiles.shape, self.tiles.on
        self.equations = (*(w.reshape(-1) for w in hierarchy.weights), state.reshape(-1))
        self._group = hierarchy.group.reshape(-1)
        n_nodes = int(hierarchy.node[-1])
        self.b, self.r = (np.zeros((n_solutions, n_nodes), np.float32) for _ in "br")
        # Large levels have room for a copy behind each.
        self._n_large = hierarchy.n_large
        self._n_copied = int(hierarchy.node[self._n_large])
        self.x = np.zeros((n_solutions, n_nodes + self._n_copied), np.float32)
        n_kept = n_nodes - hierarchy.skipped
        self.c, self.v = (np.zeros((n_solutions, n_kept), np.float32) for _ in "cv")
        self._large = [_LargeLevel(self, level) for level in range(self._n_large)]

    def apply(
        self, rows: Rows, r: Floats, z: Floats, shares: Floats, move: Move | None = None
    ) -> None:
        """Write into z about A^-1 r, for the solutions `rows`.

        `shares` (Z, Y, K, 2) gets each row's share of r . z and its largest |z|. With a `move`,
        a step along its direction is made first: x += step * p, r -= step * q, where z comes as q.
        """
        tiles = self.tiles
        equations = (*self.equations, self._group)
        # Without a move, the kernel looks at neither.
        x, p, step = move if move is not None else (z, z, np.zeros(len(z), np.float32))
        x, r, p, z = (flat(vectors) for vectors in (x, r, p, z))
        self.b[rows, self.hierarchy.level(0)] = 0
        for phase in tiles.phases_apart:
            run_ranges(
                grid_kernels.descend,
                phase, tiles.along_y, *self.grid, rows, move is not None, step, x, r, p, z,
                *equations, self.b,
            )  # fmt: skip
        self.correct(rows)
        for phase in tiles.phases:
            run_ranges(
                grid_kernels.ascend,
                phase, tiles.along_y, *self.grid, rows, r, z, z.view(np.int32), *equations, self.x,
                shares, shares.view(np.int32),
            )  # fmt: skip

    def sweep(self, rows: Rows, x: Floats, b: Floats) -> None:
        """One Gauss-Seidel sweep over the voxels, black ones first."""
        for colour in (1, 0):
            run_ranges(
                grid_kernels.relax,
                self.tiles.boxes, *self.grid, colour, rows, flat(x), flat(b), *self.equations,
            )  # fmt: skip

    def write_residual(self, rows: Rows, x: Floats, r: Floats) -> None:
        """Write -A x into r."""
        run_ranges(
            grid_kernels.residual,
            self.tiles.boxes, *self.grid, rows, flat(x), flat(r), *self.equations,
        )  # fmt: skip

    def correct(self, rows: Rows) -> None:
        """Solve the graph levels' equations approximately: right-hand sides in `b`, result `x`."""
        if self._n_large > 0:
            self._cycle_in_blocks(0, rows)
        else:
            self._cycle_serially(0, rows)

    def solve_level(self, level: int, solution: Floats, source: Floats, k: int) -> None:
        """Improve in place a solution on one small level; `k` picks the work space."""
        h, anchors = self.hierarchy, self.anchors
        check_stop()
        x, b, r, _, _ = self._vectors(k)
        here = h.level(level)
        held = anchors.anchor[here.start - h.skipped : here.stop - h.skipped]
        rows = h.rows(level)
        graph_kernels.apply(0, rows.size - 1, solution, r[here], rows, h.to, h.weight, held)
        free = anchors.pivot[here] > graph_kernels.NOTHING_FREE
        b[here] = np.where(free, source - r[here], 0)
        self._coarse_cycle(level, level, k)
        solution += x[here]

    def x_of_level(self, level: int) -> Floats:
        """Return solutions on a graph level, with room for a copy if it is a large one."""
        here = self.hierarchy.level(level)
        if level >= self._n_large:
            return self.x[:, self._n_copied + here.start : self._n_copied + here.stop]
        return self.x[:, 2 * here.start : 2 * here.stop]

    def _vectors(self, k: int) -> tuple[Floats, ...]:
        """Return the work space for the small levels."""
        return self.x[k, self._n_copied :], self.b[k], self.r[k], self.c[k], self.v[k]

    def _cycle_serially(self, top: int, rows: Rows) -> None:
        """One K-cycle over the small levels; solutions side by side."""

        def cycle(start: int, stop: int) -> None:
            for k in rows[start:stop]:
                self._coarse_cycle(top, 1, int(k))

        run_ranges(cycle, split(rows.size, rows.size))

    def _coarse_cycle(self, top: int, k_from: int, k: int) -> None:
        """One K-cycle over the small levels from `top` on, for one solution."""
        h, anchors = self.hierarchy, self.anchors
        x, b, r, c, v = self._vectors(k)
        graph_kernels.coarse_cycle(
            top, k_from, h.node, x, b, r, c, v, h.skipped, h.slot, h.lower, h.to, h.weight,
            anchors.pivot, anchors.anchor, h.parent, anchors.bottom,
        )  # fmt: skip

    def _cycle_in_blocks(self, level: int, rows: Rows) -> None:
        """Sweep over a large level on all cores, correct it from the next, and sweep back."""
        here = self._large[level]
        graph = here.graph
        for k in rows:
            x, b, r = here.x[k], here.b[k], here.r[k]
            run_ranges(
                graph_kernels.sweep_from_zero,
                here.blocks, x, b, here.rows, here.lower, *graph, here.pivot,
            )  # fmt: skip
            run_ranges(
                graph_kernels.residual_after_sweep,
                here.blocks, x, r, here.rows, here.lower, *graph,
            )  # fmt: skip
            graph_kernels.collect(r, here.parent, here.b_below[k])
        if level + 1 < self._n_large:
            for k in rows:
                self._k_cycle_in_blocks(level + 1, int(k))
        else:
            self._cycle_serially(level + 1, rows)
        for k in rows:
            x, b = here.x[k], here.b[k]
            run_ranges(
                graph_kernels.spread,
                here.blocks, x, b.size, here.x_below[k], here.parent,
            )  # fmt: skip
            run_ranges(
                graph_kernels.sweep_back,
                here.blocks, x, b, here.rows, *graph, here.pivot,
            )  # fmt: skip

    def _k_cycle_in_blocks(self, level: int, k: int) -> None:
        """Two conjugate gradient steps on a large level, as `coarse_cycle` on the small ones."""
        here = self._large[level]
        x, b, r, c, v = (vectors[k] for vectors in (here.x, here.b, here.r, here.c, here.v))
        row = np.array([k])

        def apply(y: Floats) -> None:
            x[b.size :] = x[: b.size]
            run_ranges(
                graph_kernels.apply,
                here.blocks, x, y, here.rows, *here.graph, here.anchor,
            )  # fmt: skip

        self._cycle_in_blocks(level, row)
        apply(v)
        enough, rho, gain = graph_kernels.start_step(x, b, c, v)
        if not enough:
            self._cycle_in_blocks(level, row)
            apply(r)
            graph_kernels.finish_step(x, b, r, c, v, rho, gain)


class _LargeLevel:
    """Views of what belongs to one large level."""

    def __init__(self, of: Preconditioner, level: int) -> None:
        h = of.hierarchy
        here, below = h.level(level), h.level(level + 1)
        self.blocks = sweep_blocks(here.stop - here.start)
        self.rows = h.rows(level)
        self.lower = h.lower[here]
        self.graph = (h.to, h.weight)
        self.parent = h.parent[here]
        self.pivot = of.anchors.pivot[here]
        self.x = of.x_of_level(level)
        self.x_below = of.x_of_level(level + 1)
        self.b, self.b_below, self.r = of.b[:, here], of.b[:, below], of.r[:, here]
        # The first level has none of these.
        kept = slice(max(here.start - h.skipped, 0), max(here.stop - h.skipped, 0))
        self.anchor, self.c, self.v = of.anchors.anchor[kept], of.c[:, kept], of.v[:, kept]


def solve(
    preconditioner: Preconditioner,
    x: Floats,
    tol: float,
    report: IterationReport | None = None,
    patience: int | None = None,
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
    patience : int, optional
        Give up when it looks as if it will take more iterations than this; by default only after
        `MAX_ITERATIONS`.
    """
    accepted = SAFETY * max(tol, TIGHTEST)
    search = _Search(preconditioner, x)
    active = np.arange(x.shape[0])
    errors = np.full(x.shape[0], np.inf)
    iterations = 0
    course: list[float] = []
    # Rounding gathers in the residual that is carried along; a tight tolerance is checked afresh.
    for _ in range(1 if tol >= TRUST_CARRIED_RESIDUAL else 1 + MAX_RESTARTS):
        search.restart(active)
        pending = active
        while True:
            errors[pending] = search.measure(pending)
            course.append(float(errors.max()))
            if report is not None:
                report(iterations, course[-1])
            done = errors[pending] <= accepted
            search.finish(pending[done])
            pending = pending[~done]
            if pending.size == 0 or iterations >= MAX_ITERATIONS:
                break
            if patience is not None and iterations + _left(course, accepted) > patience:
                break
            search.step(pending)
            iterations += 1
        if pending.size > 0:
            return Outcome(iterations, float(errors.max()), False)
        if search.steps_since_restart == 0:
            break
    return Outcome(iterations, float(errors.max()), True)


def _left(course: list[float], accepted: float) -> float:
    """Return about how many more iterations are needed, from the course of the error so far."""
    if len(course) <= _LOOK_BACK:
        return 0
    gained = np.log(course[-1 - _LOOK_BACK] / course[-1])
    missing = np.log(max(course[-1] / accepted, 1))
    return float(_LOOK_BACK * missing / gained) if gained > 0 else np.inf


def flat(solutions: Floats) -> Floats:
    """See solutions (K, Z, Y, X) as (K, Z * Y * X)."""
    return solutions.reshape(len(solutions), -1)


class _Search:
    """The vectors and numbers of conjugate gradients, for several solutions at once."""

    def __init__(self, preconditioner: Preconditioner, x: Floats) -> None:
        self.preconditioner = preconditioner
        self.tiles = preconditioner.tiles
        self.x = x
        # A p is wanted when the correction z is not any more: z holds both in turn.
        self.r = np.empty_like(x)
        # Kernels look beyond the end of a row, with weight 0: there must be numbers.
        self.p, self.z = np.zeros(x.shape, np.float32), np.zeros(x.shape, np.float32)
        n_k = x.shape[0]
        self.shares = np.zeros((*x.shape[1:3], n_k, 2), np.float32)
        self.energies = np.zeros((*x.shape[1:3], n_k), np.float32)
        self.gain = np.zeros(n_k)
        self.new_gain = np.zeros(n_k)
        self.length = np.zeros(n_k)
        self.steps_since_restart = 0

    def restart(self, rows: Rows) -> None:
        """Compute the residual from the solutions themselves, and forget old directions."""
        self.preconditioner.write_residual(rows, self.x, self.r)
        self.gain[rows] = 0
        self.steps_since_restart = 0

    def measure(self, rows: Rows) -> NDArray[np.float32]:
        """Make the step that is due and apply the preconditioner to the residual; return the
        largest correction of each solution."""
        move = (
            (self.x, self.p, self.length.astype(np.float32)) if self.steps_since_restart else None
        )
        self.preconditioner.apply(rows, self.r, self.z, self.shares, move)
        gain = self.shares[..., rows, 0].sum(axis=(0, 1), dtype=np.float64)
        self.new_gain[rows] = np.maximum(gain, 0)
        largest: NDArray[np.float32] = self.shares[..., rows, 1].max(axis=(0, 1))
        return largest

    def finish(self, rows: Rows) -> None:
        """Take the last correction as well: it is at hand, and lies within the tolerance."""
        if rows.size:
            run_ranges(
                grid_kernels.add,
                self.tiles.ranges, rows, flat(self.x), flat(self.z),
            )  # fmt: skip

    def step(self, rows: Rows) -> None:
        """Find the next direction, and how far to go; `measure` then goes there."""
        old = self.gain[rows]
        # A K-cycle is not quite linear; in trials that cost nothing beside the flexible form of
        # this factor, which needs one more vector.
        turn = np.where(old > 0, self.new_gain[rows] / np.where(old > 0, old, 1), 0)
        factor = np.zeros(self.gain.size, np.float32)
        factor[rows] = turn
        self.gain[rows] = self.new_gain[rows]
        for phase in self.tiles.phases:
            run_ranges(
                grid_kernels.turn,
                phase, self.tiles.along_y, *self.preconditioner.grid, rows, factor,
                flat(self.p), flat(self.z), *self.preconditioner.equations, self.energies,
            )  # fmt: skip
        energy = self.energies[..., rows].sum(axis=(0, 1), dtype=np.float64)
        self.length[rows] = np.where(
            energy > 0, self.gain[rows] / np.where(energy > 0, energy, 1), 0
        )
        self.steps_since_restart += 1
