"""Solve the random walker's equations for all labels, a group of labels at a time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import Preview, tell
from napari_seedbed.core.threads import run_ranges
from napari_seedbed.core.walker import grid_kernels
from napari_seedbed.core.walker.label_choice import Ballot
from napari_seedbed.core.walker.multigrid import IterationReport, Preconditioner, flat, solve
from napari_seedbed.core.walker.seed_map import SeedMap
from napari_seedbed.core.walker.slice_preview import coarse_solution, on_first_level, preview_slice
from napari_seedbed.errors import NotConvergedError

KEPT_BYTES = 1 << 30
"""Solutions are kept for the next stroke while they need no more than this."""

MOST_PREVIEWED = 64
"""More labels than these would make the first look late."""

ENOUGH_TO_TRY_ONE = 4
"""With so many labels at once, one is tried alone first: giving up costs that much less then."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class LabelSolutions:
    """Solutions for a set of seeds.

    Attributes
    ----------
    label_values : tuple of int
        The labels, ascending.
    solutions : (K, Z, Y, X) ndarray or None
        One a label, or a single one if there are two labels; None if they were not kept.
    coarse : (K, nodes) ndarray or None
        The same on the preview's level.
    winner : (Z * Y * X,) ndarray of int
        Number of the most probable label.
    ballot : Ballot or None
        The votes, if there are more than two labels.
    iterations : int
        How many were needed; the most for any group.
    """

    label_values: tuple[int, ...]
    solutions: Floats | None
    coarse: Floats | None
    winner: NDArray[np.integer]
    ballot: Ballot | None
    iterations: int


def solve_labels(
    preconditioner: Preconditioner,
    seeds: SeedMap,
    tol: float,
    *,
    previous: LabelSolutions | None = None,
    view: tuple[int, int] | None = None,
    keep: bool | None = None,
    patience: int | None = None,
) -> LabelSolutions:
    """Solve for all labels of some seeds.

    Parameters
    ----------
    preconditioner : Preconditioner
        Of the equations, with room for as many solutions as shall be looked for at once.
    seeds : SeedMap
        The seeds.
    tol : float
        Largest error of a probability.
    previous : LabelSolutions, optional
        Where to start from, if it is for the same labels.
    view : tuple of int, optional
        Axis (of z, y, x) and index of a slice to report a first answer for.
    keep : bool, optional
        Whether to keep the solutions; by default if there is room.
    patience : int, optional
        Give up when it looks as if it will take more iterations than this.

    Raises
    ------
    NotConvergedError, Cancelled
    """
    shape, n = preconditioner.hierarchy.shape, seeds.n_solutions
    size = shape[0] * shape[1] * shape[2]
    at_once = min(preconditioner.n_solutions, n)
    values = tuple(int(v) for v in seeds.values)
    if previous is not None and (previous.coarse is None or previous.label_values != values):
        previous = None
    if keep is None:
        keep = n == 1 or 4 * n * size <= KEPT_BYTES
    kept = np.empty((n if keep else at_once, *shape), np.float32)
    coarse = _solve_coarsely(preconditioner, seeds, at_once, previous)
    if view is not None and n <= MOST_PREVIEWED:
        tell(0.1, "First look", _preview(preconditioner, seeds, previous, coarse, view))
    if patience is not None and previous is None and at_once >= ENOUGH_TO_TRY_ONE:
        # The label with most seeds is the background as a rule, whose walks are the longest.
        most = int(seeds.given(range(at_once)).sum(axis=0).argmax())
        x = kept[:1]
        _start(preconditioner, seeds, range(most, most + 1), None, coarse, x)
        _improve(preconditioner, x, tol, None, patience)
    ballot = Ballot(size) if n > 1 else None
    iterations = 0
    for first in range(0, n, at_once):
        numbers = range(first, min(first + at_once, n))
        x = kept[first : numbers.stop] if keep else kept[: len(numbers)]
        _start(preconditioner, seeds, numbers, previous, coarse, x)
        steps = _Steps(numbers, n, tol)
        iterations = max(iterations, _improve(preconditioner, x, tol, steps, patience))
        if ballot is not None:
            for solution in x:
                ballot.cast(solution)
    winner = ballot.winner if ballot is not None else (kept[0] < 0.5).view(np.uint8).reshape(-1)
    return LabelSolutions(
        values,
        kept if keep else None,
        coarse if keep else None,
        winner,
        ballot,
        iterations,
    )


def _solve_coarsely(
    preconditioner: Preconditioner,
    seeds: SeedMap,
    at_once: int,
    previous: LabelSolutions | None,
) -> Floats:
    """Solve for all labels on the preview's level: (K, nodes)."""
    parts = []
    for first in range(0, seeds.n_solutions, at_once):
        numbers = range(first, min(first + at_once, seeds.n_solutions))
        guess = None
        if previous is not None and previous.coarse is not None:
            guess = previous.coarse[first : numbers.stop]
        parts.append(coarse_solution(preconditioner, seeds.places, seeds.given(numbers), guess))
    return np.concatenate(parts)


def _preview(
    preconditioner: Preconditioner,
    seeds: SeedMap,
    previous: LabelSolutions | None,
    coarse: Floats,
    view: tuple[int, int],
) -> Preview:
    """Choose labels for the slice in view from the coarse solution."""
    change, before = coarse, None
    if previous is not None and previous.coarse is not None:
        change, before = coarse - previous.coarse, previous.solutions
    given = seeds.given(range(seeds.n_solutions))
    x = preview_slice(preconditioner, change, before, seeds.places, given, *view)
    winner = (x[0] < 0.5).astype(np.int32) if x.shape[0] == 1 else x.argmax(axis=0)
    labels = seeds.values[winner]
    if seeds.nowhere is not None:
        labels[np.take(seeds.nowhere, view[1], axis=view[0])] = 0
    return Preview(*view, labels)


def _improve(
    preconditioner: Preconditioner,
    x: Floats,
    tol: float,
    report: IterationReport | None,
    patience: int | None,
) -> int:
    """Solve in place; how many iterations that took."""
    outcome = solve(preconditioner, x, tol, report, patience)
    if not outcome.converged:
        raise NotConvergedError(
            f"The random walker's equations were solved only to {outcome.error:.1e} after "
            f"{outcome.iterations} iterations, not to tol={tol:g}. Use a larger tol or a "
            "smaller beta."
        )
    return outcome.iterations


def _start(
    preconditioner: Preconditioner,
    seeds: SeedMap,
    numbers: range,
    previous: LabelSolutions | None,
    coarse: Floats,
    x: Floats,
) -> None:
    """Write a first guess into x.

    It is the coarse solution, or the last solution with the change of the coarse one since.
    """
    hierarchy = preconditioner.hierarchy
    chosen = slice(numbers.start, numbers.stop)
    change = coarse[chosen]
    before = x
    if previous is not None and previous.coarse is not None and previous.solutions is not None:
        change = change - previous.coarse[chosen]
        before = previous.solutions[chosen]
    run_ranges(
        grid_kernels.prolong,
        preconditioner.tiles.ranges,
        before is x,
        flat(before),
        flat(x),
        hierarchy.group.reshape(-1),
        on_first_level(hierarchy, change),
    )
    x.reshape(len(numbers), -1)[:, seeds.places] = seeds.given(numbers).T


class _Steps:
    """Turns the falling error of an iteration into a rising fraction."""

    def __init__(self, numbers: range, n_solutions: int, tol: float) -> None:
        self.numbers, self.n_solutions, self.tol = numbers, n_solutions, tol
        self.furthest = 0.0

    def __call__(self, iteration: int, error: float) -> None:
        span = np.log(1 / self.tol) + 1e-9 if self.tol < 1 else 1.0
        part = float(np.clip(1 - np.log(max(error, self.tol) / self.tol) / span, 0, 1))
        done = (self.numbers.start + part * len(self.numbers)) / self.n_solutions
        self.furthest = max(self.furthest, 0.1 + 0.9 * done)
        what = "Solving"
        if len(self.numbers) < self.n_solutions:
            what += f" labels {self.numbers.start + 1} to {self.numbers.stop} of {self.n_solutions}"
        tell(self.furthest, f"{what} (error {error:.1e})")
