"""Move prepared contours until they converge, and say on the way where they are."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from operator import index as as_index

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.snakes.contour_energy import ImageEnergy
from napari_seedbed.core.snakes.contour_kernels import (
    JOINED,
    MEMORY,
    RUNNING,
    SHRUNK,
    evolve,
    signed_area,
)
from napari_seedbed.core.snakes.contour_systems import (
    BOUNDARY_CONDITIONS,
    Points,
    System,
    build_system,
    evenly_spaced,
    is_uneven,
    segment_lengths,
)
from napari_seedbed.core.snakes.stop_reasons import CONVERGED, LEFT, LIMIT, NOTHING, SHRUNK_AWAY
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.errors import InputError

_CYCLE = MEMORY + 1
"""Contours are compared with their past, and their points placed anew, each so many iterations."""

_BATCH = 10 * _CYCLE
_MOST_POINTS = 100_000
_FEWEST_POINTS = 8


@dataclass(frozen=True)
class ContourState:
    """Where the contours are after some iterations.

    Attributes
    ----------
    contours : list of (N, 2) ndarray
        Row and column of the points, in pixels; copies that later steps leave alone.
    iteration : int
        Iterations made so far.
    moved : float
        Farthest that any point moved in one of the iterations since the last state, in pixels (of
        the smaller voxel size).
    finished : bool
        Whether this is the last state.
    reason : str
        Why it stopped: ``'converged'``, ``'iteration limit'``, ``'shrunk to nothing'`` or
        ``'left the image'``; for contours that differ the number of each, as in
        ``'3 converged, 1 shrunk to nothing'``. Empty while a contour still moves.
    reasons : tuple of str
        The same for each contour by itself.
    """

    contours: list[NDArray[np.floating]]
    iteration: int
    moved: float
    finished: bool
    reason: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class ContourOptions:
    """The parameters that all contours share, as `active_contour` explains them."""

    alpha: float
    beta: float
    w_line: float
    w_edge: float
    gamma: float
    max_px_move: float
    max_num_iter: int
    convergence: float
    resample: bool | float
    balloon: float

    def __post_init__(self) -> None:
        """Check each by itself."""
        for name in ("alpha", "beta", "w_line", "w_edge", "convergence", "balloon", "resample"):
            self._check(name, positive=False)
        for name in ("gamma", "max_px_move"):
            self._check(name, positive=True)
        try:
            limit = as_index(int(self.max_num_iter))
        except (TypeError, ValueError, OverflowError):
            limit = 0
        if limit < 1:
            raise InputError(
                f"max_num_iter must be a whole number of at least 1; got {self.max_num_iter!r}."
            )
        if not isinstance(self.resample, bool | np.bool_) and self.resample <= 0:
            raise InputError(
                "resample must be True, False or a positive distance in pixels; "
                f"got {self.resample!r}."
            )

    def _check(self, name: str, positive: bool) -> None:
        value = getattr(self, name)
        try:
            fine = bool(np.isfinite(value)) and np.ndim(value) == 0 and (value > 0 or not positive)
        except (TypeError, ValueError):
            fine = False
        if not fine:
            kind = "positive" if positive else "finite"
            raise InputError(f"{name} must be a {kind} number; got {value!r}.")


class Contour:
    """One contour on its way; its points are (2, N), in units of the smaller voxel size."""

    def __init__(
        self, points: Points, boundary_condition: str, options: ContourOptions, name: str
    ) -> None:
        self.ends = BOUNDARY_CONDITIONS[boundary_condition]
        self.closed = self.ends[0] == JOINED
        self.options = options
        self.iteration = 0
        self.moved = 0.0
        self.reason = ""
        self.turn = float(np.sign(signed_area(np.ascontiguousarray(points)))) or 1.0
        self._status = RUNNING
        self._distance = 0.0
        self._fewest = min(_FEWEST_POINTS, points.shape[1])
        if options.resample:
            self._distance = self._wanted_distance(points, name)
            points = evenly_spaced(points, self.closed, self._distance, self._fewest)
        self._place(points)

    def advance(self, steps: int, energy: ImageEnergy) -> None:
        """Make up to `steps` steps; fewer if the contour converges."""
        options, system = self.options, self._system
        made, self._status, moved = evolve(
            self.points,
            self._history,
            self.iteration,
            steps,
            energy.coefficients,
            energy.voxel,
            self.ends,
            system.lower,
            system.upper,
            system.swaps,
            system.border,
            system.across_border,
            system.corner,
            system.touching,
            float(options.gamma),
            float(options.max_px_move),
            float(options.convergence),
            float(options.balloon),
            self.turn,
        )
        self.iteration += made
        self.moved = max(self.moved, moved)

    def conclude(self, energy: ImageEnergy) -> None:
        """After a run of steps: place the points anew if due, and say whether the contour stops."""
        stops = self._status != RUNNING or self.iteration >= int(self.options.max_num_iter)
        # A contour that has drawn together has no length to spread points over.
        if self._distance and self._status != SHRUNK:
            self._check_length()
            cycle_over = self.iteration % _CYCLE == 0
            if stops or (cycle_over and is_uneven(self.points, self.closed, self._distance)):
                self._place(evenly_spaced(self.points, self.closed, self._distance, self._fewest))
        if stops:
            self.reason = self._why(energy)

    def pixels(self, energy: ImageEnergy) -> NDArray[np.floating]:
        """Return rows and columns in pixels, (N, 2)."""
        return (self.points / energy.voxel[:, np.newaxis]).T.astype(energy.dtype, order="C")

    def _place(self, points: Points) -> None:
        """Go on from other points; the past of points of another number means nothing."""
        options = self.options
        self.points = np.array(points, dtype=np.float64, order="C")
        n = self.points.shape[1]
        self._system: System = build_system(
            n, self.ends, float(options.alpha), float(options.beta), float(options.gamma)
        )
        self._history = np.full((MEMORY, 2, n), np.inf)

    def _wanted_distance(self, points: Points, name: str) -> float:
        length = float(segment_lengths(points, self.closed).sum())
        n_segments = points.shape[1] - (0 if self.closed else 1)
        asked = self.options.resample
        distance = length / n_segments if isinstance(asked, bool | np.bool_) else float(asked)
        if length > _MOST_POINTS * distance:
            raise InputError(
                f"resample={asked!r} would give {name} more than {_MOST_POINTS} points; it must be "
                f"at least {length / _MOST_POINTS:.3g} for a contour {length:.3g} pixels long."
            )
        return distance

    def _check_length(self) -> None:
        length = float(segment_lengths(self.points, self.closed).sum())
        if length > _MOST_POINTS * self._distance:
            raise InputError(
                f"max_px_move: with {self.options.max_px_move:g} a contour flies apart; it is "
                f"{length:.3g} pixels long after {self.iteration} iterations. Let points move less "
                "in one iteration, give gamma a larger value, or let the image pull less."
            )

    def _why(self, energy: ImageEnergy) -> str:
        low, high = self.points.min(axis=1), self.points.max(axis=1)
        if self._status == SHRUNK or (high - low < 1).all():
            return SHRUNK_AWAY
        shape = np.array(energy.coefficients.shape)
        if (high < -0.5 * energy.voxel).any() or (low > (shape - 0.5) * energy.voxel).any():
            return LEFT
        return LIMIT if self._status == RUNNING else CONVERGED


def states(
    contours: list[Contour], energy: ImageEnergy, options: ContourOptions, steps_a_state: int
) -> Iterator[ContourState]:
    """Move the contours on, and yield where they are every `steps_a_state` iterations."""
    limit = int(options.max_num_iter)
    iteration = 0
    while True:
        for contour in contours:
            contour.moved = 0.0
        goal = min(iteration + steps_a_state, limit)
        active = [contour for contour in contours if not contour.reason]
        while active and iteration < goal:
            stop = goal
            if options.resample:
                # Where points are placed anew must not depend on when a state is asked for.
                stop = min(goal, (iteration // _CYCLE + 1) * _CYCLE)
            run_ranges(_advance, split(len(active), 64), active, stop - iteration, energy)
            for contour in active:
                contour.conclude(energy)
            iteration = stop
            active = [contour for contour in active if not contour.reason]
        yield _state(contours, energy)
        if not active:
            return


def last_state(
    contours: list[Contour], energy: ImageEnergy, options: ContourOptions
) -> ContourState:
    """Move the contours until all have stopped."""
    *_, last = states(contours, energy, options, _BATCH)
    return last


def _advance(
    start: int, stop: int, contours: list[Contour], steps: int, energy: ImageEnergy
) -> None:
    for contour in contours[start:stop]:
        contour.advance(steps, energy)


def _state(contours: list[Contour], energy: ImageEnergy) -> ContourState:
    reasons = tuple(contour.reason for contour in contours)
    finished = all(reasons)
    reason = ""
    if finished:
        counts = Counter(reasons)
        reason = ", ".join(f"{count} {why}" for why, count in counts.items())
        if len(counts) < 2:
            reason = next(iter(counts), NOTHING)
    return ContourState(
        contours=[contour.pixels(energy) for contour in contours],
        iteration=max((contour.iteration for contour in contours), default=0),
        moved=max((contour.moved for contour in contours), default=0.0),
        finished=finished,
        reason=reason,
        reasons=reasons,
    )
