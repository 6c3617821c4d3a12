"""Many objects that grow or shrink at once as morphological snakes, none into another.

Each label is a mask of its own that moves as in `morphological_snakes`, in a box around it. All
masks of an iteration are found from the labels before it; then a voxel that was free goes to the
only one that wants it. What several want stays free, and what belongs to an object no other can
take. So the result does not depend on the order of the labels, and where fronts meet they stop,
with a line of free voxels between them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core import bit_grids
from napari_seedbed.core.bit_grids import pack, unpack
from napari_seedbed.core.progress import ShouldStop, check_stop
from napari_seedbed.core.snake_inputs import balloon_limit
from napari_seedbed.core.stop_reasons import LIMIT, SETTLED, SHRUNK_AWAY
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.validation import (
    check_channel_axis,
    check_count,
    check_image,
    check_number,
)
from napari_seedbed.errors import InputError

Seek = Literal["regions", "edges"]

_SPARE = 8
"""Boxes are so much larger than they must be, in voxels, that they need not grow all the time."""

Box = tuple[slice, ...]


@dataclass(frozen=True)
class LabelsState:
    """Moving labels after some iterations.

    Attributes
    ----------
    labels : (M, N[, P]) ndarray of int
        The labels; 0 is free.
    iteration : int
        How many iterations were made.
    changed : int
        Number of voxels that the last one changed.
    lost : tuple of int
        Labels that have shrunk to nothing.
    reason : str or None
        Why the evolution has stopped; None while it goes on.
    """

    labels: NDArray[np.integer]
    iteration: int
    changed: int
    lost: tuple[int, ...]
    reason: str | None


@dataclass
class _Object:
    """One label: its box in the image (as a volume), its mask there, and what it wants next."""

    value: int
    box: Box
    mask: NDArray[np.bool_]
    wanted: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    gained: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))


def evolve_labels(
    image: NDArray[Any],
    labels: NDArray[np.integer],
    seek: Seek = "regions",
    *,
    num_iter: int,
    smoothing: int = 1,
    lambda1: float = 1,
    lambda2: float = 1,
    threshold: float | str = "auto",
    balloon: float = 0,
    channel_axis: int | None = None,
    should_stop: ShouldStop | None = None,
) -> Iterator[LabelsState]:
    """Let labels move onto regions or edges; yield the states, the first one before any iteration.

    Parameters
    ----------
    image : (M, N[, P]) ndarray, or with channels where `channel_axis` says so
        Image to seek regions in, or an edge map, small where labels shall stop.
    labels : (M, N[, P]) ndarray of int
        Where to begin: 0 is free, positive numbers are objects.
    seek : {'regions', 'edges'}
        'regions' lets each object gather what is closer to its own mean than to that of all free
        voxels (as `morphological_chan_vese`), 'edges' lets it settle on the edges of an edge map
        (as `morphological_geodesic_active_contour`).
    num_iter : int
        Largest number of iterations.
    smoothing : int
        How often each mask is smoothed in an iteration.
    lambda1, lambda2 : float
        For regions: how much the spread inside and outside counts.
    threshold : float or 'auto'
        For edges: where the map is smaller, the balloon does not push.
    balloon : float
        For edges: positive to grow where the map is flat, negative to shrink.
    channel_axis : int, optional
        For regions: which axis holds channels.
    should_stop : callable, optional
        Asked between objects; True raises `Cancelled`.

    Yields
    ------
    LabelsState

    Raises
    ------
    InputError
        If there are no labels, negative ones, or an argument makes no sense.
    """
    array = check_image(image, "image", allow_bool=seek == "regions")
    axis = check_channel_axis(channel_axis, array.ndim)
    if seek not in ("regions", "edges"):
        raise InputError(f"seek is {seek!r}; it must be 'regions' or 'edges'.")
    if seek == "edges" and axis is not None:
        raise InputError("channel_axis is given, but an edge map has no channels.")
    channels = array[np.newaxis] if axis is None else np.moveaxis(array, axis, 0)
    shape = channels.shape[1:]
    if len(shape) not in (2, 3):
        raise InputError(
            f"image has {len(shape)} spatial axes (shape {shape}); it must have 2 or 3."
        )
    start = np.asarray(labels)
    if start.shape != shape or start.dtype.kind not in "iu":
        raise InputError(
            f"labels has the shape {start.shape} and the type {start.dtype}; it must have that of "
            f"the image, {shape}, and hold integers."
        )
    if start.min() < 0 or start.max() <= 0:
        raise InputError("labels must be 0 or more, and hold at least one object.")
    n_iterations = check_count(num_iter, "num_iter")
    n_smoothings = check_count(smoothing, "smoothing")
    term: _Regions | _Edges
    volume = channels if len(shape) == 3 else channels[:, np.newaxis]
    if seek == "regions":
        term = _Regions(volume, check_number(lambda1, "lambda1"), check_number(lambda2, "lambda2"))
    else:
        term = _Edges(volume[0], balloon_limit(volume[0], threshold, balloon), float(balloon))
    evolution = _Evolution(start, term, n_smoothings, should_stop)
    return evolution.states(n_iterations)


class _Regions:
    """Each voxel of the front joins the object or the free voxels, whose mean is closer."""

    def __init__(self, image: NDArray[Any], lambda1: float, lambda2: float) -> None:
        self.image = image.view(np.uint8) if image.dtype == bool else image
        self.lambdas = np.float64(lambda1), np.float64(lambda2)

    def look(self, labels: NDArray[np.integer]) -> None:
        """Find the mean of all free voxels."""
        free = labels == 0
        n_free = max(int(free.sum()), 1)
        self.outer = np.array(
            [float(channel.sum(where=free, dtype=np.float64)) / n_free for channel in self.image]
        )

    def attach(self, item: _Object) -> NDArray[np.uint64]:
        part = np.ascontiguousarray(self.image[:, *item.box])
        n_inside = max(int(item.mask.sum()), 1)
        inner = np.array(
            [float(channel.sum(where=item.mask, dtype=np.float64)) / n_inside for channel in part]
        )
        bits = pack(item.mask)
        out, unsure = np.empty_like(bits), np.empty(bits.shape[0], np.uint8)
        n_x = item.mask.shape[2]
        bit_grids.attach_to_regions(
            0, bits.shape[0], bits, n_x, part, inner, self.outer, *self.lambdas, 0.0, out, unsure
        )
        return out


class _Edges:
    """A balloon where the edge map is flat, then down its slope."""

    def __init__(self, image: NDArray[Any], limit: float, balloon: float) -> None:
        single = image.dtype in (np.float32, np.float64)
        self.image = image if single else image.astype(np.float64)
        self.balloon = balloon
        self.limit = limit / abs(balloon) if balloon != 0 else 0.0
        self.half = self.image.dtype.type(0.5)

    def look(self, labels: NDArray[np.integer]) -> None:
        pass

    def attach(self, item: _Object) -> NDArray[np.uint64]:
        part = np.ascontiguousarray(self.image[item.box])
        bits, n_x, n_z = pack(item.mask), item.mask.shape[2], item.mask.shape[0]
        out = np.empty_like(bits)
        if self.balloon != 0:
            grown = np.empty_like(bits)
            flip = np.uint64(0) if self.balloon > 0 else ~np.uint64(0)
            bit_grids.grow(0, n_z, bits, n_x, flip, pack(part > self.limit), 1, 1, grown)
            bits = grown
        bit_grids.attach_to_edges(0, n_z, bits, n_x, part, self.half, np.ones(3), out)
        return out


class _Evolution:
    """All objects, and the labels that they make together."""

    def __init__(
        self,
        labels: NDArray[np.integer],
        term: _Regions | _Edges,
        smoothing: int,
        should_stop: ShouldStop | None,
    ) -> None:
        self.shape = labels.shape
        self.labels = np.array(labels if labels.ndim == 3 else labels[np.newaxis])
        self.term, self.smoothing, self.should_stop = term, smoothing, should_stop
        self.curve = bit_grids.curve_2d if labels.ndim == 2 else bit_grids.curve_3d
        self.n_smoothed = 0
        # One iteration moves a front by so much at most, and sees one voxel further.
        self.reach = 3 + 2 * smoothing
        self.claims = np.zeros(self.labels.shape, np.uint16)
        self.lost: list[int] = []
        self.objects = [
            self._boxed(number + 1, box, self.labels[box] == number + 1)
            for number, box in enumerate(ndi.find_objects(self.labels))
            if box is not None
        ]

    def states(self, n_iterations: int) -> Iterator[LabelsState]:
        """Yield the states."""
        reason = LIMIT if n_iterations == 0 else None
        yield LabelsState(self.labels.reshape(self.shape).copy(), 0, 0, (), reason)
        idle = 0
        for iteration in range(1, n_iterations + 1):
            changed = self._iterate()
            # Two iterations see both orders of the smoothing operators.
            idle = idle + 1 if changed == 0 else 0
            if not self.objects:
                reason = SHRUNK_AWAY
            elif idle == 2:
                reason = SETTLED
            elif iteration == n_iterations:
                reason = LIMIT
            labels = self.labels.reshape(self.shape).copy()
            yield LabelsState(labels, iteration, changed, tuple(self.lost), reason)
            if reason is not None:
                return

    def _iterate(self) -> int:
        self.term.look(self.labels)
        dilate_first = [(self.n_smoothed + i) % 2 == 0 for i in range(self.smoothing)]
        self.n_smoothed += self.smoothing

        def propose(first: int, last: int) -> None:
            for item in self.objects[first:last]:
                item.wanted = self._next(item, dilate_first)
                item.gained = item.wanted & ~item.mask & (self.labels[item.box] == 0)

        n = len(self.objects)
        run_ranges(propose, split(n, n), should_stop=self.should_stop)
        for item in self.objects:
            self.claims[item.box] += item.gained
        changed = 0
        for item in self.objects:
            granted = item.gained & (self.claims[item.box] == 1)
            given_up = item.mask & ~item.wanted
            item.mask = (item.mask & item.wanted) | granted
            part = self.labels[item.box]
            part[granted], part[given_up] = item.value, 0
            changed += int(granted.sum()) + int(given_up.sum())
        for item in self.objects:
            self.claims[item.box] = 0
        check_stop(self.should_stop)
        self.objects = [self._fitted(item) for item in self.objects if self._is_left(item)]
        return changed

    def _next(self, item: _Object, dilate_first: list[bool]) -> NDArray[np.bool_]:
        bits = self.term.attach(item)
        n_z, n_x = bits.shape[0], item.mask.shape[2]
        spare = np.empty_like(bits)
        grow, shrink = np.uint64(0), ~np.uint64(0)
        for first, second in (
            (grow, shrink) if dilate else (shrink, grow) for dilate in dilate_first
        ):
            self.curve(0, n_z, bits, n_x, first, spare)
            self.curve(0, n_z, spare, n_x, second, bits)
        return unpack(bits, n_x).view(bool)

    def _is_left(self, item: _Object) -> bool:
        left = bool(item.mask.any())
        if not left:
            self.lost.append(item.value)
        return left

    def _fitted(self, item: _Object) -> _Object:
        """Give an object a new box when its front is close to the border of its box."""
        inner = ndi.find_objects(item.mask.view(np.uint8))[0]
        for axis, (part, whole) in enumerate(zip(inner, item.box, strict=True)):
            before = whole.start > 0 and part.start < self.reach
            size = whole.stop - whole.start
            behind = whole.stop < self.labels.shape[axis] and size - part.stop < self.reach
            if before or behind:
                box = tuple(
                    slice(whole.start + part.start, whole.start + part.stop)
                    for part, whole in zip(inner, item.box, strict=True)
                )
                return self._boxed(item.value, box, item.mask[inner])
        return item

    def _boxed(self, value: int, box: Box, mask: NDArray[np.bool_]) -> _Object:
        """Make an object with room around its mask."""
        room = self.reach + _SPARE
        larger = tuple(
            slice(max(part.start - room, 0), min(part.stop + room, n))
            for part, n in zip(box, self.labels.shape, strict=True)
        )
        inner = tuple(
            slice(part.start - around.start, part.stop - around.start)
            for part, around in zip(box, larger, strict=True)
        )
        whole = np.zeros([s.stop - s.start for s in larger], bool)
        whole[inner] = mask
        return _Object(value, larger, whole)
