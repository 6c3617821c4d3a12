"""Snakes over a whole image: from slice to slice, as volumes, and through time.

References
----------
Kass, Witkin, Terzopoulos, "Snakes: Active contour models", International Journal of Computer
Vision 1 (1988) 321-331.
Caselles, Kimmel, Sapiro, "Geodesic active contours", International Journal of Computer Vision 22
(1997) 61-79.
Chan, Vese, "Active contours without edges", IEEE Trans. Image Processing 10 (2001) 266-277.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.label_values import label_values
from napari_seedbed.core.marks.shapes import (
    Plane,
    Shape,
    clean_shapes,
    filled,
    in_plane,
    outlines_of_labels,
    plane_of,
)
from napari_seedbed.core.marks.slice_interpolation import volume_from_slices
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.snakes.frame_order import Follow, visits
from napari_seedbed.core.snakes.object_ends import with_ends
from napari_seedbed.core.snakes.snake_frames import (
    AXES,
    Frame,
    Frames,
    Journal,
    Labels,
    Task,
    TimePoint,
    joined,
    labels_in,
    within,
)
from napari_seedbed.core.snakes.snake_images import Limits, NoContrastError, contrast_limits
from napari_seedbed.core.snakes.snake_methods import ElasticContour, Method
from napari_seedbed.core.validation import (
    check_channel_axis,
    check_number,
    check_small_labels,
    check_spacing,
)
from napari_seedbed.errors import InputError

Extent = Literal["slice", "stack", "volume"]
Cap = Literal["image", "flat", "round"]
_Drawn = dict[Plane | None, tuple[list[Shape], Labels | None]]

# Outlines that contours begin with, where labels were given: as exact as voxels are.
_OUTLINE_TOLERANCE = 0.5
_NO_INSIDE = "that a surface could grow from; draw closed shapes, or choose the active contour"


@dataclass(frozen=True)
class Grown:
    """Where snakes have come to rest.

    Attributes
    ----------
    labels : (T, M, N[, P]) ndarray of int32
        0 where no object is; all 0 at time points that were not worked on.
    shapes : list of Shape
        Outlines and paths, if asked for.
    notes : tuple of str
        Why they stopped, and which objects were lost where, in plain words.
    """

    labels: Labels
    shapes: list[Shape]
    notes: tuple[str, ...]


def grow_snakes(
    load: Callable[[int], NDArray[Any]],
    n_times: int,
    spatial_shape: Sequence[int],
    method: Method,
    *,
    shapes: Iterable[Shape] = (),
    seeds: Callable[[int], NDArray[np.integer]] | None = None,
    extent: Extent = "slice",
    follow: Follow = "off",
    cap: Cap = "image",
    spacing: float | Sequence[float] | None = None,
    channel_axis: int | None = None,
    tolerance: float = 0.0,
    give_shapes: bool = True,
    watch: Callable[[int], bool] | None = None,
    limits: Limits | None = None,
) -> Grown:
    """Let snakes start from shapes or labels and move until they converge.

    Parameters
    ----------
    load : callable
        ``load(t)`` gives the image at a time point, (M, N[, P]), or with channels where
        `channel_axis` says so.
    n_times : int
    spatial_shape : sequence of 2 or 3 ints
    method : ElasticContour, EdgeSurface or RegionSurface
    shapes : iterable of Shape
        Where to start; shapes of one label are one object.
    seeds : callable, optional
        ``seeds(t)`` gives labels to start from instead; what is not positive is free.
    extent : {'slice', 'stack', 'volume'}
        In a volume: each shape on its own slice; from the drawn slices on slice by slice, each
        slice beginning with the last one's result, until the object is more like its surroundings
        than like itself; or as a surface in 3D that begins between the drawn slices
        (`volume_from_slices`).
    follow : {'off', 'forwards', 'backwards', 'both'}
        Whether the result at a time point is the start of the next one.
    cap : {'image', 'flat', 'round'}
        For volumes: how an object begins beyond its outermost drawn slices: as far as the image
        shows it (`with_ends`), or as `volume_from_slices` does.
    spacing : sequence of float, optional
        Voxel size.
    channel_axis : int, optional
        Which axis of the images holds channels.
    tolerance : float
        Points of shapes are left out that lie within so much of the line without them, in the unit
        of `spacing`.
    give_shapes : bool
        Whether to give shapes beside the labels.
    watch : callable, optional
        ``watch(iteration)`` says whether to report where the snakes are now.
    limits : list of (float, float), optional
        `contrast_limits` of the whole of what `load` gives parts of.

    Returns
    -------
    Grown

    Raises
    ------
    InputError
        For shapes or parameters that make no sense, an image with NaN or without contrast.
    Cancelled
        If the running job should stop.
    """
    size = tuple(int(n) for n in spatial_shape)
    if extent not in ("slice", "stack", "volume"):
        raise InputError(f"extent is {extent!r}; it must be 'slice', 'stack' or 'volume'.")
    if follow not in ("off", "forwards", "backwards", "both"):
        raise InputError(
            f"follow is {follow!r}; it must be 'off', 'forwards', 'backwards' or 'both'."
        )
    if cap not in ("image", "flat", "round"):
        raise InputError(f"cap is {cap!r}; it must be 'image', 'flat' or 'round'.")
    in_3d = len(size) == 3
    if extent == "volume" and in_3d and isinstance(method, ElasticContour):
        raise InputError(
            "extent: an active contour moves within slices, not as a surface; choose 'slice' or "
            "'stack', or another method."
        )
    axis = check_channel_axis(channel_axis, len(size) + 1)
    starts, values = _starts(shapes, seeds, size, n_times)
    journal = Journal(
        method=method,
        n_times=n_times,
        spacing=check_spacing(spacing, len(size)),
        channel_axis=None if axis is None else 0,
        tolerance=check_number(tolerance, "tolerance"),
        values=values,
        follows=extent == "stack" or n_times > 1,
        watch=watch,
    )
    if isinstance(method, ElasticContour) and method.balloon != 0:
        _check_closed(
            [shape for start in starts.values() for shape in start.shapes],
            values,
            "that a balloon could swell; set balloon to 0 or draw closed shapes",
        )

    def image(t: int) -> NDArray[Any]:
        array = np.asarray(load(t))
        spatial = array.shape if axis is None else np.delete(array.shape, axis)
        if tuple(spatial) != size:
            raise InputError(
                f"load: time point {t} has the shape {array.shape}; its spatial axes must be "
                f"{size}."
            )
        return array if axis is None else np.moveaxis(array, axis, 0)

    growing = _Growing(image, size, extent if in_3d else "slice", cap, journal, limits)
    found = growing.through_time(starts, follow)
    return Grown(
        growing.labels, journal.all_outlined(found) if give_shapes else [], journal.notes()
    )


@dataclass
class _Start:
    """What was drawn at one time point: shapes, or labels."""

    shapes: list[Shape] = field(default_factory=list)
    labels: Labels | None = None

    def values(self) -> set[int]:
        return labels_in(self.shapes, self.labels)


def _starts(
    shapes: Iterable[Shape],
    seeds: Callable[[int], NDArray[np.integer]] | None,
    size: tuple[int, ...],
    n_times: int,
) -> tuple[dict[int, _Start], Labels]:
    """What was drawn at each time point, its labels numbered from 1, and their values."""
    starts: dict[int, _Start] = {}
    if seeds is None:
        drawn = clean_shapes(shapes, size, n_times)
        values = np.unique([shape.label for shape in drawn]).astype(np.int32)
        for shape in drawn:
            number = int(np.searchsorted(values, shape.label)) + 1
            at_time = starts.setdefault(shape.time, _Start())
            at_time.shapes.append(replace(shape, label=number))
        return starts, values
    found = {}
    each = [np.empty(0, np.int32)]
    for t in range(n_times):
        labels = check_small_labels(seeds(t), size, "seeds")
        values = label_values(labels)
        if len(values):
            found[t] = labels
            each.append(values)
    if not found:
        raise InputError("seeds: there are none; mark at least one object with a label above 0.")
    values = np.unique(np.concatenate(each))
    for t, labels in found.items():
        starts[t] = _Start(labels=_numbered(labels, values))
    return starts, values


def _numbered(labels: NDArray[np.integer], values: Labels) -> Labels:
    """Labels numbered from 1 in the order of `values`; what is not positive becomes 0."""
    out = np.zeros(labels.shape, np.int32)

    def number(slab: Slab) -> None:
        part = labels[slab]
        inside = part > 0
        out[slab][inside] = np.searchsorted(values, part[inside]) + 1

    in_slabs(number, labels.shape)
    return out


class _Growing:
    """The run of one call of `grow_snakes`."""

    def __init__(
        self,
        load: Callable[[int], NDArray[Any]],
        size: tuple[int, ...],
        extent: Extent,
        cap: Cap,
        journal: Journal,
        limits: Limits | None,
    ) -> None:
        self._load, self._size, self._extent, self._cap = load, size, extent, cap
        self._limits = limits
        self._journal = journal
        self._moves_contours = isinstance(journal.method, ElasticContour)
        self._labels = np.zeros((journal.n_times, *size), np.int32)

    def through_time(self, starts: Mapping[int, _Start], follow: Follow) -> dict[int, Frames]:
        """Work on all time points that something was drawn at, or is followed to."""
        journal = self._journal
        drawn = {t: start.values() for t, start in starts.items()}
        plan = visits(drawn, journal.n_times, follow)
        found: dict[int, Frames] = {}
        for nth, visit in enumerate(plan):
            check_stop()
            journal.portion(nth, len(plan), (0.0, 1.0))
            t = visit.position
            before = {} if visit.source is None else found.get(visit.source, {})
            start = starts[t] if visit.drawn else _Start()
            if visit.drawn or any(visit.carried & frame.values() for frame in before.values()):
                frames = self._time_point(t, start, visit.carried, before, found.get(t, {}))
                self._keep(t, frames, found)
        return found

    @property
    def labels(self) -> Labels:
        """What has been found so far, at all time points."""
        return self._journal.original(self._labels)

    def _keep(self, t: int, frames: Frames, found: dict[int, Frames]) -> None:
        """Write the labels, and add frames to those that an earlier visit has found."""
        known = found.setdefault(t, {})
        for plane, frame in frames.items():
            target = _slice_of(self._labels[t], plane)
            free = target == 0
            target[free] = frame.labels[free]
            known[plane] = joined(known.get(plane), frame)

    def _time_point(
        self, t: int, start: _Start, carried: frozenset[int], before: Frames, fixed: Frames
    ) -> Frames:
        image = self._load(t)
        try:
            limits = self._limits or contrast_limits(image, self._journal.channel_axis)
        except NoContrastError:
            if start.values():
                raise
            # Objects that come here are lost, which is no reason to lose the other time points.
            limits = [(0.0, 0.0)] * (1 if self._journal.channel_axis is None else len(image))
        point = TimePoint(self._journal, t, image, limits, fixed)
        if self._extent == "volume":
            return point.run(
                [Task(None, [], self._volume(start, point), carried, before.get(None))]
            )
        drawn = self._by_plane(start)
        going_on = {plane: frame for plane, frame in before.items() if carried & frame.values()}
        if self._extent == "slice":
            # Together, so that what was drawn here and what comes here stop at each other.
            tasks = {plane: Task(plane, *begun) for plane, begun in drawn.items()}
            for plane, frame in going_on.items():
                task = tasks.setdefault(plane, Task(plane, [], None))
                task.carried, task.before = carried, frame
            return point.run(list(tasks.values()))
        first, last = self._journal.share
        middle = (first + last) / 2 if drawn and going_on else last if drawn else first
        self._journal.share = first, middle
        frames = self._stack(point, drawn, start)
        self._journal.share = middle, last
        tasks = {plane: Task(plane, [], None, carried, f) for plane, f in going_on.items()}
        for plane, frame in point.run(list(tasks.values()), frames).items():
            frames[plane] = joined(frames.get(plane), frame)
        return frames

    def _stack(self, point: TimePoint, drawn: _Drawn, start: _Start) -> Frames:
        """Go from the drawn slices to all others, slice by slice."""
        if not drawn:
            return {}
        axis = _common_axis(drawn)
        about = None
        if start.shapes and not self._moves_contours:
            # An object that is drawn on another slice is no background on this one.
            about, _, _ = self._between(start.shapes, "round")
        values = {plane[1]: labels_in(*begun) for plane, begun in drawn.items() if plane}
        plan = visits(values, self._size[axis], "both")
        whole = self._journal.share
        frames: Frames = {}
        for nth, visit in enumerate(plan):
            self._journal.portion(nth, len(plan), whole)
            plane = (axis, visit.position)
            shapes, labels = drawn[plane] if visit.drawn else ([], None)
            before = None if visit.source is None else frames.get((axis, visit.source))
            others = None if about is None else _neighbours(about, plane, frames.get(plane))
            task = Task(plane, shapes, labels, visit.carried, before, others)
            frame = point.evolve(task, frames.get(plane))
            if frame is not None:
                frames[plane] = joined(frames.get(plane), frame)
        self._journal.share = whole
        return frames

    # Where frames begin

    def _by_plane(self, start: _Start) -> _Drawn:
        """What was drawn on each slice, within the slice."""
        if start.labels is not None:
            return self._labelled_planes(start.labels)
        by_plane: dict[Plane | None, list[Shape]] = {}
        for shape in start.shapes:
            flat = replace(shape, points=in_plane(shape))
            by_plane.setdefault(plane_of(shape), []).append(flat)
        return {
            plane: (shapes, None if self._moves_contours else self._filled(shapes, plane))
            for plane, shapes in by_plane.items()
        }

    def _labelled_planes(self, labels: Labels) -> _Drawn:
        planes: list[Plane | None] = [None]
        if labels.ndim == 3:
            planes = [(0, int(z)) for z in np.flatnonzero(labels.any(axis=(1, 2)))]
        drawn: _Drawn = {}
        for plane in planes:
            flat = np.ascontiguousarray(_slice_of(labels, plane))
            shapes = []
            if self._moves_contours:
                size = within(self._journal.spacing, plane)
                shapes = outlines_of_labels(flat, size, _OUTLINE_TOLERANCE * min(size))
            drawn[plane] = (shapes, None if self._moves_contours else flat)
        return drawn

    def _filled(self, shapes: Sequence[Shape], plane: Plane | None) -> Labels:
        values = self._journal.values
        _check_closed(shapes, values, _NO_INSIDE)
        labels = filled(shapes, within(self._size, plane))
        _check_started(labels, {shape.label for shape in shapes}, values)
        return labels

    def _volume(self, start: _Start, point: TimePoint) -> Labels | None:
        if start.labels is not None or not start.shapes:
            return start.labels
        values = self._journal.values
        _check_closed(start.shapes, values, _NO_INSIDE)
        cap = "flat" if self._cap == "image" else self._cap
        volume, axis, ends = self._between(start.shapes, cap)
        _check_started(volume, {shape.label for shape in start.shapes}, values)
        if self._cap == "image":
            image, channel_axis = point.whole.even, self._journal.channel_axis
            volume = with_ends(image, volume, ends, axis, self._journal.spacing, channel_axis)
        return volume

    def _between(
        self, shapes: Sequence[Shape], cap: Literal["flat", "round"]
    ) -> tuple[Labels, int, dict[int, tuple[int, int]]]:
        """What outlines alone say of the volume, the axis that their slices are cut across, and
        the first and last drawn slice of each object."""
        planes = [plane_of(shape) for shape in shapes]
        axis = _common_axis(planes)
        outlines = [
            (shape.label, plane[1], in_plane(shape))
            for shape, plane in zip(shapes, planes, strict=True)
            if plane is not None
        ]
        ends: dict[int, tuple[int, int]] = {}
        for label, z, _ in outlines:
            first, last = ends.get(label, (z, z))
            ends[label] = min(first, z), max(last, z)
        volume = volume_from_slices(outlines, self._size, self._journal.spacing, axis=axis, cap=cap)
        return volume, axis, ends


def _neighbours(about: Labels, plane: Plane, known: Frame | None) -> Labels:
    """What lies on a slice besides: what was found there, else where objects are likely to be."""
    likely = _slice_of(about, plane)
    if known is None:
        return likely
    likely = np.where(np.isin(likely, list(known.values())), 0, likely)
    return np.where(known.labels == 0, likely, known.labels)


def _slice_of(array: NDArray[Any], plane: Plane | None) -> NDArray[Any]:
    """A view of one slice; everything for None."""
    return array if plane is None else array[(slice(None),) * plane[0] + (plane[1],)]


def _check_closed(shapes: Iterable[Shape], values: Labels, end: str) -> None:
    paths = sorted({int(values[shape.label - 1]) for shape in shapes if not shape.closed})
    if paths:
        raise InputError(
            f"shapes: {_objects(paths)} drawn as an open path, which has no inside {end}."
        )


def _check_started(labels: Labels, wanted: set[int], values: Labels) -> None:
    missing = sorted(int(values[label - 1]) for label in wanted - labels_in((), labels))
    if missing:
        raise InputError(
            f"shapes: {_objects(missing)} left without a voxel to begin with (too small, or "
            "covered by others); draw larger or apart."
        )


def _objects(values: Sequence[int]) -> str:
    """``object 3 is`` or ``objects 3, 5 are``."""
    names = ", ".join(str(value) for value in values)
    return f"object {names} is" if len(values) == 1 else f"objects {names} are"


def _common_axis(planes: Iterable[Plane | None]) -> int:
    axes = {plane[0] for plane in planes if plane is not None}
    if len(axes) != 1:
        names = ", ".join(AXES[3][axis] for axis in sorted(axes))
        raise InputError(
            f"shapes: they are drawn on slices across different axes ({names}); draw all of them "
            "on slices across the same one."
        )
    return axes.pop()
