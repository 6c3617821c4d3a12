"""The three kinds of snakes, each on one frame: a slice or a whole volume.

A frame begins with shapes or with labels, and is a sequence of states until nothing moves.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.label_values import label_values
from napari_seedbed.core.marks.seeds import seeds_from_shapes
from napari_seedbed.core.marks.shapes import Shape, filled, untangled
from napari_seedbed.core.snakes.contour_systems import evenly_spaced, segment_lengths
from napari_seedbed.core.snakes.elastic_contours import ContourState, evolve_contours
from napari_seedbed.core.snakes.label_snakes import LabelsState, evolve_labels
from napari_seedbed.core.snakes.smoothing_schedule import smoothing_schedule
from napari_seedbed.core.snakes.snake_images import (
    Limits,
    check_contrast,
    edge_strength,
    evened,
    quantile,
    stopping_map,
)
from napari_seedbed.core.snakes.stillness import until_repeated, until_still
from napari_seedbed.core.snakes.stop_reasons import CONVERGED, LEFT, SHRUNK_AWAY

Margins = list[tuple[int, int]]
Ends = Literal["fixed", "free", "fixed-free", "free-fixed"]

_STEPS_A_STATE = 10
# In every image the slope of which this is the quantile pulls like 1: so tension and stiffness keep
# their meaning from one image to the next.
_STEEP_QUANTILE = 0.999
# Voxels between the points of long lines, which get more of them.
_FARTHEST = 4.0
# An image is thin along an axis on which it has fewer voxels than so many margins.
_THIN = 4


@dataclass(frozen=True)
class ElasticContour:
    """An elastic line that is pulled to edges (`active_contours`).

    Attributes
    ----------
    sigma : float
        Smoothing of the image, in the unit of the spacing.
    alpha, beta, gamma, balloon, max_px_move, max_num_iter, convergence
        As those of `active_contour`.
    attracted_by : {'edges', 'bright', 'dark'}
        What pulls: steep places, or bright or dark ones (`w_edge` and `w_line` of
        `active_contour`), in an image whose contrast was made even.
    pull : float
        How strongly; 1 for the steepest edges, or between dark and bright.
    ends : str
        Whether the ends of open paths can move.
    points : int
        Points of each line at the start: their distance then follows its size, and with it the
        pull of tension, so that one `alpha` serves small and large objects. More where a line
        would have fewer than one each four voxels.
    """

    sigma: float
    alpha: float
    beta: float
    gamma: float
    attracted_by: Literal["edges", "bright", "dark"]
    pull: float
    balloon: float
    ends: Ends
    points: int
    max_px_move: float
    max_num_iter: int
    convergence: float


@dataclass(frozen=True)
class EdgeSurface:
    """A border that settles on edges (`evolve_labels`, `seek='edges'`).

    Attributes
    ----------
    sigma : float
        Smoothing of the image, in the unit of the spacing.
    steepness : float
        Of the edge map, see `stopping_map`.
    edge_share : float
        Share of the frame's voxels that count as edges, on which the balloon does not push.
    balloon : float
        Positive to grow in flat parts, negative to shrink, 0 for neither.
    smoothing, max_num_iter
        As those of `evolve_labels`.
    """

    sigma: float
    steepness: float
    edge_share: float
    balloon: float
    smoothing: int
    max_num_iter: int


@dataclass(frozen=True)
class RegionSurface:
    """A border between regions of different mean (`evolve_labels`, `seek='regions'`).

    Attributes
    ----------
    sigma : float
        Smoothing of the image, in the unit of the spacing.
    lambda1, lambda2, outer, smoothing, max_num_iter
        As those of `evolve_labels`.
    """

    sigma: float
    lambda1: float
    lambda2: float
    outer: Literal["near", "all"]
    smoothing: int
    max_num_iter: int


Method = ElasticContour | EdgeSurface | RegionSurface


class FrameState(Protocol):
    """Where the snakes of a frame are.

    Attributes
    ----------
    iteration : int
    changed : float
        Farthest move in pixels, or share of voxels that changed.
    reasons : tuple of str
        Why they have stopped, one for each contour or one for all labels; empty while they move.
    lost : mapping of int to str
        Labels that are gone, and what has happened to them.
    """

    iteration: int
    changed: float
    reasons: tuple[str, ...]

    @property
    def lost(self) -> Mapping[int, str]:
        """Labels that are gone."""

    def shapes(self) -> list[Shape] | None:
        """Contours within the frame; None where labels move. Ask before the next state."""

    def labels(self) -> NDArray[np.int32]:
        """Labels of the frame. Ask before the next state."""


class _Contours:
    """State of active contours."""

    def __init__(
        self, state: ContourState, still: bool, start: Sequence[Shape], size: tuple[int, ...]
    ) -> None:
        self.iteration, self.changed = state.iteration, state.moved
        self.reasons = state.reasons if state.finished else ()
        if still:
            self.reasons = tuple(reason or CONVERGED for reason in state.reasons)
        self._size = size
        self._shapes = [
            Shape(shape.label, np.asarray(points, float), shape.closed)
            for shape, points, reason in zip(start, state.contours, state.reasons, strict=True)
            if reason not in (SHRUNK_AWAY, LEFT)
        ]
        if self.reasons:
            self._shapes = [part for shape in self._shapes for part in untangled(shape) or [shape]]
        left = {shape.label for shape in self._shapes}
        self.lost = {
            shape.label: "it left the image" if reason == LEFT else "it shrank to nothing"
            for shape, reason in zip(start, state.reasons, strict=True)
            if shape.label not in left
        }

    def shapes(self) -> list[Shape]:
        return self._shapes

    def labels(self) -> NDArray[np.int32]:
        labels = filled(self._shapes, self._size)
        last = np.array(self._size) - 1.0
        paths = [shape for shape in self._shapes if not shape.closed]
        lines = [("path", np.clip(shape.points, 0, last)) for shape in paths]
        drawn = seeds_from_shapes(lines, [shape.label for shape in paths], self._size)
        return np.where(labels == 0, drawn, labels)


class _Surfaces:
    """State of moving labels, in a frame with a margin around the image."""

    def __init__(
        self, state: LabelsState, repeated: bool, start: NDArray[np.int32], margins: Margins
    ) -> None:
        self._state, self._start, self._margins = state, start, margins
        self.iteration, self.changed = state.iteration, state.changed / start.size
        reason = CONVERGED if repeated else state.reason
        self.reasons: tuple[str, ...] = () if reason is None else (reason,)

    @property
    def lost(self) -> dict[int, str]:
        left = label_values(self.labels())
        gone = np.setdiff1d(label_values(self._start), left, assume_unique=True)
        return dict.fromkeys(gone.tolist(), "it shrank to nothing")

    def shapes(self) -> None:
        return None

    def labels(self) -> NDArray[np.int32]:
        inner = tuple(
            slice(first, first + n)
            for (first, _), n in zip(self._margins, self._start.shape, strict=True)
        )
        return np.array(self._state.labels[inner], np.int32)


class FrameImage:
    """The image of a frame.

    Parameters
    ----------
    array : (M, N[, P]) ndarray, or (C, M, N[, P])
    limits : list of (float, float)
        From `contrast_limits` of the whole time point.
    sigma : float
        Smoothing, in the unit of the spacing.
    spacing : tuple of float
    channel_axis : int or None
        0 or None.
    """

    def __init__(
        self,
        array: NDArray[Any],
        limits: Limits,
        sigma: float,
        spacing: tuple[float, ...],
        channel_axis: int | None,
    ) -> None:
        self.spacing = spacing
        self.channel_axis = channel_axis
        self.shape: tuple[int, ...] = array.shape if channel_axis is None else array.shape[1:]
        self._array, self._limits, self._sigma = array, limits, sigma

    @cached_property
    def even(self) -> NDArray[np.float32]:
        """The image smoothed and of even contrast."""
        return evened(self._array, self._limits, self._sigma, self.spacing, self.channel_axis)

    @cached_property
    def strength(self) -> NDArray[np.float32]:
        """How steep it is, of even contrast."""
        return edge_strength(self.even, self.spacing, self.channel_axis)

    @cached_property
    def grey(self) -> NDArray[np.float32]:
        """The mean of all channels."""
        if self.channel_axis is None:
            return self.even
        return self.even.mean(axis=0, dtype=np.float32)


def evolve_frame(
    method: Method, image: FrameImage, shapes: Sequence[Shape], labels: NDArray[np.int32] | None
) -> Iterator[FrameState]:
    """Let snakes move on one frame; the last state says why they stopped.

    Parameters
    ----------
    method : ElasticContour, EdgeSurface or RegionSurface
    image : FrameImage
    shapes : sequence of Shape
        Where contours begin, within the frame; other methods take `labels`.
    labels : ndarray of int32 or None
        Where surfaces begin.

    Yields
    ------
    FrameState

    Raises
    ------
    NoContrastError
        If the image is the same everywhere.
    InputError
        If a parameter makes no sense.
    Cancelled
        If the running job should stop.
    """
    check_contrast(image.even)
    if isinstance(method, ElasticContour):
        return _contours(method, image, shapes)
    assert labels is not None
    return _surfaces(method, image, labels)


def _contours(
    method: ElasticContour, image: FrameImage, shapes: Sequence[Shape]
) -> Iterator[FrameState]:
    last = np.array(image.shape) - 1.0
    voxel = np.array(image.spacing) / min(image.spacing)
    starts = [
        _evenly(np.clip(shape.points, 0, last), shape.closed, method.points, voxel)
        for shape in shapes
    ]
    states = evolve_contours(
        _pull(method, image),
        starts,
        alpha=method.alpha,
        beta=method.beta,
        # Without any pull the surface is flat, which would be an error where it counts.
        w_line=1.0 if method.pull else 0.0,
        w_edge=0.0,
        gamma=method.gamma,
        max_px_move=method.max_px_move,
        max_num_iter=method.max_num_iter,
        convergence=method.convergence,
        boundary_condition=["periodic" if shape.closed else method.ends for shape in shapes],
        resample=True,
        balloon=method.balloon,
        spacing=image.spacing,
        steps_a_state=_STEPS_A_STATE,
    )
    watched = until_still(states, [shape.closed for shape in shapes], voxel)
    return (_Contours(state, still, shapes, image.shape) for state, still in watched)


def _pull(method: ElasticContour, image: FrameImage) -> NDArray[np.float64]:
    """The surface that contours climb."""
    if method.attracted_by != "edges":
        sign = 1 if method.attracted_by == "bright" else -1
        return sign * method.pull * image.grey.astype(np.float64)
    strength = image.strength
    # The slope of the flat half of an image is its noise, on which lines would get stuck.
    noise, steepest = (quantile(strength, share) for share in (0.5, _STEEP_QUANTILE))
    pull = np.maximum(strength - np.float64(noise), 0.0)
    pull *= method.pull / ((steepest - noise) or 1.0)
    return np.asarray(pull)


def _evenly(
    points: NDArray[np.floating], closed: bool, n_points: int, voxel: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Points at the same distance along the same line."""
    line = np.asarray(points, float).T * voxel[:, np.newaxis]
    length = float(segment_lengths(line, closed).sum())
    n = max(n_points, round(length / _FARTHEST))
    return (evenly_spaced(line, closed, length / n, 3) / voxel[:, np.newaxis]).T


def _margins(labels: NDArray[np.int32], width: int) -> Margins:
    """How many voxels to add before and behind a frame along each axis.

    Beyond its border the image goes on as it ends there: otherwise smoothing would take objects
    that the border cuts for ones that end there, and round them off, or away in a few slices. That
    is done only where an object touches the border, and near the ends of thin stacks, since it
    changes what lies around objects farther away.
    """
    margins = []
    for axis, n in enumerate(labels.shape):
        used = np.flatnonzero(labels.any(axis=tuple(a for a in range(labels.ndim) if a != axis)))
        first, last = int(used[0]), n - 1 - int(used[-1])
        near = width if n < _THIN * width else 1
        margins.append((width if first < near else 0, width if last < near else 0))
    return margins


def _surfaces(
    method: EdgeSurface | RegionSurface, image: FrameImage, labels: NDArray[np.int32]
) -> Iterator[FrameState]:
    margins = _margins(labels, 2 * method.smoothing + 2)
    begin = np.pad(labels, margins, "edge")
    if isinstance(method, RegionSurface):
        widths = list(margins)
        if image.channel_axis is not None:
            widths.insert(image.channel_axis, (0, 0))
        states = evolve_labels(
            np.pad(image.even, widths, "edge"),
            begin,
            "regions",
            num_iter=method.max_num_iter,
            smoothing=method.smoothing,
            lambda1=method.lambda1,
            lambda2=method.lambda2,
            outer=method.outer,
            channel_axis=image.channel_axis,
            spacing=image.spacing,
        )
    else:
        edges = stopping_map(image.strength, method.steepness)
        states = evolve_labels(
            np.pad(edges, margins, "edge"),
            begin,
            "edges",
            num_iter=method.max_num_iter,
            smoothing=method.smoothing,
            threshold=quantile(edges, method.edge_share),
            balloon=method.balloon,
            spacing=image.spacing,
        )
    schedule = smoothing_schedule(image.spacing, len(image.shape))
    # Circles may take the smoothing's period once or twice.
    period = 2 * schedule.period(method.smoothing, has_balloon=getattr(method, "balloon", 0) != 0)
    return (
        _Surfaces(state, repeated, labels, margins)
        for state, repeated in until_repeated(states, period)
    )
