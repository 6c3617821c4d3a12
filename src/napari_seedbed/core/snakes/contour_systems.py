"""What holds an active contour together: its stiffness, factorised, and its even spacing.

One implicit step of a contour of N points solves a system that couples each point with two to
either side. It is a band for an open contour, and for a closed one a band bordered by the last two
points: both cost a time proportional to N, where an inverse matrix costs its square.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.snakes.contour_kernels import (
    FIXED,
    FREE,
    JOINED,
    factorise_band,
    solve_band,
)
from napari_seedbed.errors import InputError

Points = NDArray[np.float64]
Ends = tuple[int, int]

BOUNDARY_CONDITIONS: dict[str, Ends] = {
    "periodic": (JOINED, JOINED),
    "free": (FREE, FREE),
    "fixed": (FIXED, FIXED),
    "free-fixed": (FREE, FIXED),
    "fixed-free": (FIXED, FREE),
    "fixed-fixed": (FIXED, FIXED),
    "free-free": (FREE, FREE),
}


@dataclass(frozen=True)
class System:
    """The factorised system of a step, in the form that `contour_kernels.evolve` takes."""

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    swaps: NDArray[np.int64]
    border: NDArray[np.float64]
    across_border: NDArray[np.float64]
    corner: NDArray[np.float64]
    touching: NDArray[np.int64]


def build_system(n: int, ends: Ends, alpha: float, beta: float, gamma: float) -> System:
    """Factorise stiffness + `gamma` for a contour of `n` points.

    Raises
    ------
    InputError
        If the parameters leave no unique solution.
    """
    # Tension is the second difference, stiffness against bending the fourth.
    middle = 2 * alpha + 6 * beta + gamma
    row = np.array([beta, -alpha - 4 * beta, middle, -alpha - 4 * beta, beta])
    n_border = 2 if ends[0] == JOINED else 0
    m = n - n_border
    band = np.zeros((m, 5))
    corner = np.zeros((n_border, n_border))
    across = np.zeros((n_border, m))
    if n_border:
        _fill_ring(row, n, band, across, corner)
    else:
        _fill_open(row, ends, gamma, band)
    lower, upper, swaps = factorise_band(band)
    with np.errstate(all="ignore"):
        border = _solved(across, lower, upper, swaps)
        corner = corner - border @ across.T
        # The rows of the system as it would be written out, to see whether the factors hold.
        right = np.vstack([np.ones(m), np.cos(np.arange(m))])
        error = np.abs(_times(band, _solved(right, lower, upper, swaps)) - right).max()
        sound = bool(error < 1e-6) and (n_border == 0 or np.linalg.cond(corner) < 1e13)
    if not sound:
        raise InputError(
            f"alpha={alpha:g}, beta={beta:g} and gamma={gamma:g} leave a contour of {n} points "
            "without a unique next position; take alpha and beta of at least 0, or a larger gamma."
        )
    touching = np.flatnonzero(across.any(axis=0)).astype(np.int64)
    inverse = np.asarray(np.linalg.inv(corner), dtype=np.float64)
    at_border = np.ascontiguousarray(across[:, touching])
    return System(lower, upper, swaps, border, at_border, inverse, touching)


def _fill_ring(
    row: NDArray[np.float64],
    n: int,
    band: NDArray[np.float64],
    across: NDArray[np.float64],
    corner: NDArray[np.float64],
) -> None:
    m = len(band)
    # Very short rings meet themselves, so that two entries of a row may fall on one place.
    for offset, value in zip(range(-2, 3), row, strict=True):
        i = np.arange(n)
        j = (i + offset) % n
        inner = (i < m) & (j < m)
        np.add.at(band, (i[inner], j[inner] - i[inner] + 2), value)
        bordering = (i >= m) & (j < m)
        np.add.at(across, (i[bordering] - m, j[bordering]), value)
        last = (i >= m) & (j >= m)
        np.add.at(corner, (i[last] - m, j[last] - m), value)


def _fill_open(
    row: NDArray[np.float64], ends: Ends, gamma: float, band: NDArray[np.float64]
) -> None:
    """Fill the band; at the ends stand the conditions of scikit-image, with their signs.

    Where a contour has too few points for a condition, only the image moves these points.
    """
    n = len(band)
    band[2 : n - 2] = row
    for i in {0, 1, n - 2, n - 1}:
        band[i] = 0
        band[i, 2] = gamma
    if n >= 3:
        # In this order, since the two ends share rows in contours of three points.
        if ends[0] == FIXED:
            band[1] = [0, 1, -2 + gamma, 1, 0]
        if ends[1] == FIXED:
            band[n - 2] = [0, 1, -2 + gamma, 1, 0]
        if ends[0] == FREE:
            band[0] = [0, 0, 1 + gamma, -2, 1]
        if ends[1] == FREE:
            band[n - 1] = [1, -2, 1 + gamma, 0, 0]
    if n >= 4:
        if ends[0] == FREE:
            band[1] = [0, -1, 3 + gamma, -3, 1]
        if ends[1] == FREE:
            band[n - 2] = [-1, 3, -3 + gamma, 1, 0]


def _solved(
    right: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    swaps: NDArray[np.int64],
) -> NDArray[np.float64]:
    m = len(lower)
    if len(right) == 0:
        return np.zeros((0, m))
    padded = np.zeros((2, m + 4))
    padded[:, :m] = right
    solve_band(padded, lower, upper, swaps)
    return np.ascontiguousarray(padded[:, :m])


def _times(band: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    m = len(band)
    padded = np.zeros((len(x), m + 4))
    padded[:, 2 : m + 2] = x
    return np.stack([band[:, k] * padded[:, k : k + m] for k in range(5)]).sum(axis=0)


def segment_lengths(points: Points, closed: bool) -> NDArray[np.float64]:
    """Return the distances from each of the (2, N) points to the next."""
    line = np.concatenate([points, points[:, :1]], axis=1) if closed else points
    return np.asarray(np.hypot(*np.diff(line, axis=1)))


def evenly_spaced(points: Points, closed: bool, distance: float, fewest: int) -> Points:
    """Return points along the same line whose distance is about `distance`, and the same for all.

    The first point stays, and the last of an open contour.
    """
    lengths = segment_lengths(points, closed)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    if along[-1] == 0:
        return points
    line = np.concatenate([points, points[:, :1]], axis=1) if closed else points
    n = max(fewest, round(along[-1] / distance) + (0 if closed else 1))
    places = np.linspace(0, along[-1], n, endpoint=not closed)
    return np.stack([np.interp(places, along, axis) for axis in line])


def is_uneven(points: Points, closed: bool, distance: float) -> bool:
    """Whether the points have moved far enough apart, or together, to be placed anew."""
    lengths = segment_lengths(points, closed)
    mean = lengths.mean()
    return bool(
        abs(mean - distance) > 0.1 * distance
        or lengths.max() > 1.5 * distance
        or lengths.min() < 0.5 * distance
    )
