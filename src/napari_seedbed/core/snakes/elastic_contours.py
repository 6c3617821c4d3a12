"""Active contours ("snakes"): lines that are drawn to the edges of an image.

A contour minimises its length and its bending, weighted by `alpha` and `beta`, less the energy of
the image under it. Each step is implicit in the contour and explicit in the image. The image is
prepared once for all contours, and a step costs a time proportional to the number of points.

References
----------
Kass, Witkin, Terzopoulos, "Snakes: Active contour models", International Journal of Computer
Vision 1 (1988) 321-331.
Cohen, "On active contour models and balloons", CVGIP: Image Understanding 53 (1991) 211-218.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_seedbed.core.snakes.contour_energy import ImageEnergy, image_energy
from napari_seedbed.core.snakes.contour_evolution import (
    Contour,
    ContourOptions,
    ContourState,
    last_state,
    states,
)
from napari_seedbed.core.snakes.contour_systems import BOUNDARY_CONDITIONS
from napari_seedbed.core.validation import check_points, check_spacing
from napari_seedbed.errors import InputError

__all__ = ["ContourState", "active_contour", "active_contours", "evolve_contours"]


def active_contour(
    image: Any,
    snake: ArrayLike,
    alpha: float = 0.01,
    beta: float = 0.1,
    w_line: float = 0,
    w_edge: float = 1,
    gamma: float = 0.01,
    max_px_move: float = 1.0,
    max_num_iter: int = 2500,
    convergence: float = 0.1,
    *,
    boundary_condition: str = "periodic",
    resample: bool | float = False,
    balloon: float = 0.0,
    spacing: float | Sequence[float] | None = None,
) -> NDArray[np.floating]:
    """Fit a line to the edges or the bright lines of an image.

    Takes the arguments of ``skimage.segmentation.active_contour`` and gives its result.

    Parameters
    ----------
    image : (M, N) or (M, N, C) array_like
        Grey or multichannel image; integers are scaled to their type's range. Brightness and edges
        are summed over the channels.
    snake : (K, 2) array_like
        Row and column of the points to start from, in pixels; at least 3 of a closed contour, whose
        first point is not repeated, and 2 of an open one.
    alpha : float
        Tension: how strongly the contour shortens itself.
    beta : float
        Stiffness: how strongly it resists bending.
    w_line : float
        Pull of bright places, or of dark ones if negative.
    w_edge : float
        Pull of edges; negative to push away from them.
    gamma : float
        Inertia: the larger, the smaller the steps; positive.
    max_px_move : float
        Limit of the move of a point in one iteration along each axis, in pixels.
    max_num_iter : int
        Limit of the number of iterations.
    convergence : float
        The contour has converged when the ``|row| + |column|`` that points moved since one of the
        ten iterations before is below this, in pixels.
    boundary_condition : str
        ``'periodic'`` for a closed contour; for an open one ``'free'``, ``'fixed'``,
        ``'free-fixed'`` or ``'fixed-free'``: whether its first and its last point can move.
    resample : bool or float
        Keep the distance of points about constant, so that their number follows the length: True
        for the mean distance at the start, or a distance in pixels (of the smaller voxel size).
    balloon : float
        Force along the normals of a closed contour, in the units of the pull of the image: positive
        swells it, negative shrinks it. Contours with a balloon stay in the image, and `max_px_move`
        limits the length of their moves instead of each axis.
    spacing : float or (2,) sequence of float, optional
        Voxel size. Lengths, bending, edges and limits of moves are measured in it, in units of the
        smaller voxel size: only the ratio counts, not whether micrometres or nanometres were given.
        Points are in pixels nonetheless.

    Returns
    -------
    (K, 2) ndarray
        Row and column of the fitted points; float32 for images of float32 or float16, float64 for
        all others. With `resample` K may differ.

    Raises
    ------
    InputError
        If an argument is wrong; if the contour lies wholly outside the image; if the image is the
        same everywhere although `w_line` or `w_edge` asks for its pull.
    Cancelled
        If the running job should stop.

    References
    ----------
    Kass, Witkin, Terzopoulos, "Snakes: Active contour models", International Journal of Computer
    Vision 1 (1988) 321-331.
    Cohen, "On active contour models and balloons", CVGIP: Image Understanding 53 (1991) 211-218.
    """
    options = ContourOptions(
        alpha, beta, w_line, w_edge, gamma, max_px_move, max_num_iter, convergence, resample,
        balloon,
    )  # fmt: skip
    ready = _prepare(image, [snake], ["snake"], options, boundary_condition, spacing)
    return last_state(*ready).contours[0]


def active_contours(
    image: Any,
    snakes: Sequence[ArrayLike],
    alpha: float = 0.01,
    beta: float = 0.1,
    w_line: float = 0,
    w_edge: float = 1,
    gamma: float = 0.01,
    max_px_move: float = 1.0,
    max_num_iter: int = 2500,
    convergence: float = 0.1,
    *,
    boundary_condition: str | Sequence[str] = "periodic",
    resample: bool | float = False,
    balloon: float = 0.0,
    spacing: float | Sequence[float] | None = None,
) -> list[NDArray[np.floating]]:
    """Fit many lines to one image, each as `active_contour` would by itself.

    Parameters
    ----------
    image : (M, N) or (M, N, C) array_like
        Grey or multichannel image.
    snakes : sequence of (K, 2) array_like
        Row and column of the points of each contour, in pixels; K may differ.
    alpha : float
        Tension.
    beta : float
        Stiffness.
    w_line : float
        Pull of bright places.
    w_edge : float
        Pull of edges.
    gamma : float
        Inertia; positive.
    max_px_move : float
        Limit of the move of a point in one iteration along each axis, in pixels.
    max_num_iter : int
        Limit of the number of iterations.
    convergence : float
        Move in pixels below which a contour has converged.
    boundary_condition : str or sequence of str
        One for all contours, or one each.
    resample : bool or float
        Whether to keep the distance of points constant, or the distance in pixels.
    balloon : float
        Force along the normals; positive swells.
    spacing : float or (2,) sequence of float, optional
        Voxel size.

    Returns
    -------
    list of (K, 2) ndarray
        The fitted contours, in the order of `snakes`.

    Raises
    ------
    InputError
        As `active_contour`; the message names the contour, as in ``snakes[3]``.
    Cancelled
        If the running job should stop.

    See Also
    --------
    active_contour : Explains the parameters.
    evolve_contours : Shows the contours on their way.
    """
    options = ContourOptions(
        alpha, beta, w_line, w_edge, gamma, max_px_move, max_num_iter, convergence, resample,
        balloon,
    )  # fmt: skip
    names = _names(snakes)
    ready = _prepare(image, snakes, names, options, boundary_condition, spacing)
    return last_state(*ready).contours


def evolve_contours(
    image: Any,
    snakes: Sequence[ArrayLike],
    alpha: float = 0.01,
    beta: float = 0.1,
    w_line: float = 0,
    w_edge: float = 1,
    gamma: float = 0.01,
    max_px_move: float = 1.0,
    max_num_iter: int = 2500,
    convergence: float = 0.1,
    *,
    boundary_condition: str | Sequence[str] = "periodic",
    resample: bool | float = False,
    balloon: float = 0.0,
    spacing: float | Sequence[float] | None = None,
    steps_a_state: int = 10,
) -> Iterator[ContourState]:
    """Fit many lines to one image and show them on their way.

    The arguments are checked and the image is prepared at once; contours move only while states
    are asked for. The last state equals `active_contours`, whatever `steps_a_state`.

    Parameters
    ----------
    image : (M, N) or (M, N, C) array_like
        Grey or multichannel image.
    snakes : sequence of (K, 2) array_like
        Row and column of the points of each contour, in pixels; K may differ.
    alpha : float
        Tension.
    beta : float
        Stiffness.
    w_line : float
        Pull of bright places.
    w_edge : float
        Pull of edges.
    gamma : float
        Inertia; positive.
    max_px_move : float
        Limit of the move of a point in one iteration along each axis, in pixels.
    max_num_iter : int
        Limit of the number of iterations.
    convergence : float
        Move in pixels below which a contour has converged.
    boundary_condition : str or sequence of str
        One for all contours, or one each.
    resample : bool or float
        Whether to keep the distance of points constant, or the distance in pixels.
    balloon : float
        Force along the normals; positive swells.
    spacing : float or (2,) sequence of float, optional
        Voxel size.
    steps_a_state : int
        Iterations from one state to the next.

    Returns
    -------
    iterator of ContourState
        Ends after the state that is `finished`: when every contour has converged, or shrunk to
        nothing, or at `max_num_iter`.

    Raises
    ------
    InputError
        As `active_contour`; the message names the contour, as in ``snakes[3]``.
    Cancelled
        While iterating, if the running job should stop.

    See Also
    --------
    active_contour : Explains the parameters.
    """
    options = ContourOptions(
        alpha, beta, w_line, w_edge, gamma, max_px_move, max_num_iter, convergence, resample,
        balloon,
    )  # fmt: skip
    if not isinstance(steps_a_state, int | np.integer) or steps_a_state < 1:
        raise InputError(
            f"steps_a_state must be a whole number of at least 1; got {steps_a_state!r}."
        )
    names = _names(snakes)
    ready = _prepare(image, snakes, names, options, boundary_condition, spacing)
    return states(*ready, int(steps_a_state))


_Ready = tuple[list[Contour], ImageEnergy, ContourOptions]


def _prepare(
    image: Any,
    snakes: Sequence[ArrayLike],
    names: list[str],
    options: ContourOptions,
    boundary_condition: str | Sequence[str],
    spacing: float | Sequence[float] | None,
) -> _Ready:
    conditions = _conditions(boundary_condition, len(names))
    if options.balloon != 0 and set(conditions) - {"periodic"}:
        raise InputError(
            f"balloon={options.balloon:g} needs closed contours, since open ones have no inside; "
            "use boundary_condition='periodic' or balloon=0."
        )
    row_size, column_size = check_spacing(spacing, 2)
    smaller = min(row_size, column_size)
    voxel = (row_size / smaller, column_size / smaller)
    starts = [
        _points(snake, name, condition)
        for snake, name, condition in zip(snakes, names, conditions, strict=True)
    ]
    energy = image_energy(image, options.w_line, options.w_edge, voxel)
    contours = []
    for points, name, condition in zip(starts, names, conditions, strict=True):
        _check_inside(points, name, energy.coefficients.shape)
        contours.append(Contour(points.T * energy.voxel[:, np.newaxis], condition, options, name))
    return contours, energy, options


def _names(snakes: Sequence[ArrayLike]) -> list[str]:
    try:
        return [f"snakes[{i}]" for i in range(len(snakes))]
    except TypeError:
        raise InputError(
            "snakes must be a list of contours, each an (N, 2) array of rows and columns; "
            f"got {type(snakes).__name__}."
        ) from None


def _conditions(boundary_condition: str | Sequence[str], count: int) -> list[str]:
    conditions: list[Any] = [boundary_condition] * count
    if isinstance(boundary_condition, Sequence | np.ndarray) and not isinstance(
        boundary_condition, str
    ):
        conditions = list(boundary_condition)
    if len(conditions) != count:
        raise InputError(
            f"boundary_condition has {len(conditions)} values; it must be one for all contours, or "
            f"{count}, one each."
        )
    for condition in conditions:
        if not isinstance(condition, str) or condition not in BOUNDARY_CONDITIONS:
            raise InputError(
                f"boundary_condition is {condition!r}; it must be one of "
                f"{', '.join(map(repr, BOUNDARY_CONDITIONS))}."
            )
    return [str(condition) for condition in conditions]


def _points(snake: ArrayLike, name: str, condition: str) -> NDArray[np.float64]:
    points = check_points(snake, name)
    fewest = 3 if condition == "periodic" else 2
    if len(points) < fewest:
        kind = "a closed" if condition == "periodic" else "an open"
        raise InputError(
            f"{name} has {len(points)} points; {kind} contour needs at least {fewest}."
        )
    return points


def _check_inside(points: NDArray[np.float64], name: str, shape: tuple[int, ...]) -> None:
    low, high = points.min(axis=0), points.max(axis=0)
    if (high < -0.5).any() or (low > np.array(shape) - 0.5).any():
        raise InputError(
            f"{name} lies wholly outside the image: its rows go from {low[0]:g} to {high[0]:g} and "
            f"its columns from {low[1]:g} to {high[1]:g}, but the image has {shape[0]} rows and "
            f"{shape[1]} columns."
        )
