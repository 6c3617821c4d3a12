"""Many objects that grow or shrink at once as morphological snakes, none into another.

Each label is a mask of its own that moves as in `morphological_snakes`, in a box around it. All
masks of an iteration are found from the labels before it; then a voxel that was free goes to the
only one that wants it. What several want stays free, and what belongs to an object no other can
take. So the result does not depend on the order of the labels, and where fronts meet they stop,
with a line of free voxels between them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.boxes import widened
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.regions.region_graphs import numbered
from napari_seedbed.core.snakes import bit_grids
from napari_seedbed.core.snakes.bit_grids import at_once, in_planes, pack, smooth
from napari_seedbed.core.snakes.label_history import Moment
from napari_seedbed.core.snakes.label_terms import EdgeTerm, MovingLabel, RegionTerm, Run
from napari_seedbed.core.snakes.smoothing_schedule import (
    SmoothingSchedule,
    Turn,
    smoothing_schedule,
)
from napari_seedbed.core.snakes.snake_inputs import balloon_limit
from napari_seedbed.core.snakes.stop_reasons import CONVERGED, LIMIT, SHRUNK_AWAY
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.validation import (
    channels_first,
    check_channel_axis,
    check_count,
    check_image,
    check_labels,
    check_number,
    check_spatial_axes,
)
from napari_seedbed.errors import InputError

Seek = Literal["regions", "edges"]
Outer = Literal["all", "near"]

_SPARE = 8
"""Boxes are so much larger than they must be, in voxels, that they need not grow all the time."""


@dataclass(frozen=True, eq=False)
class LabelsState:
    """Moving labels after some iterations.

    Attributes
    ----------
    iteration : int
        How many iterations were made.
    changed : int
        Number of voxels that the last one changed.
    lost : tuple of int
        Labels that have shrunk to nothing.
    reason : str or None
        Why the evolution has stopped; None while it goes on.
    moment : Moment
        The labels as a volume, its axes sorted by `schedule`.
    schedule : SmoothingSchedule
        What iterations do, and in which order axes are.
    """

    iteration: int
    changed: int
    lost: tuple[int, ...]
    reason: str | None
    moment: Moment
    schedule: SmoothingSchedule

    @property
    def labels(self) -> NDArray[np.integer]:
        """The labels, (M, N[, P]), 0 where it is free; made anew each time.

        They may be asked for later, too, but not while another thread makes the next state.
        """
        volume = self.moment.labels()
        return self.schedule.restore_axes(volume if self.schedule.n_axes == 3 else volume[0])


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
    outer: Outer = "all",
    channel_axis: int | None = None,
    spacing: Sequence[float] | None = None,
) -> Iterator[LabelsState]:
    """Let labels move onto regions or edges; yield the states, the first one before any iteration.

    Parameters
    ----------
    image : (M, N[, P]) ndarray, or with channels where `channel_axis` says so
        Image to seek regions in, or an edge map, small where labels shall stop.
    labels : (M, N[, P]) ndarray of int
        Where to begin: 0 is free, positive numbers are objects.
    seek : {'regions', 'edges'}
        'regions' lets each object gather what is closer to its own mean than to that of free
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
    outer : {'all', 'near'}
        For regions: whether an object is compared with all free voxels, or with those near it, as
        in [1]_: in the box that holds it with a margin of its own size along each axis. So an
        uneven background does not matter, nor bright things far away that are no object. What is
        near should hold some background from the beginning: begin with a third of an object.
    channel_axis : int, optional
        For regions: which axis holds channels.
    spacing : sequence of float, optional
        Voxel size along each spatial axis; cubes when None. Only ratios matter.

    Yields
    ------
    LabelsState

    Raises
    ------
    InputError
        If there are no labels, negative ones, or an argument makes no sense.

    References
    ----------
    .. [1] Shawn Lankton, Allen Tannenbaum, "Localizing region-based active contours", IEEE Trans.
       Image Processing 17 (2008) 2029-2039.
    """
    array = check_image(image, "image", allow_bool=seek == "regions")
    axis = check_channel_axis(channel_axis, array.ndim)
    if seek not in ("regions", "edges"):
        raise InputError(f"seek is {seek!r}; it must be 'regions' or 'edges'.")
    if seek == "edges" and axis is not None:
        raise InputError("channel_axis is given, but an edge map has no channels.")
    if outer not in ("all", "near"):
        raise InputError(f"outer is {outer!r}; it must be 'all' or 'near'.")
    check_spatial_axes(array.shape, axis)
    channels = channels_first(array, axis)
    shape = channels.shape[1:]
    start = check_labels(labels, shape)
    if start.min() < 0 or start.max() <= 0:
        raise InputError("labels must be 0 or more, and hold at least one object.")
    n_iterations = check_count(num_iter, "num_iter")
    n_smoothings = check_count(smoothing, "smoothing")
    schedule = smoothing_schedule(spacing, len(shape))
    channels = schedule.sort_axes(channels)
    volume = channels if len(shape) == 3 else channels[:, np.newaxis]
    start = schedule.sort_axes(start)
    term: RegionTerm | EdgeTerm
    if seek == "regions":
        lambdas = check_number(lambda1, "lambda1"), check_number(lambda2, "lambda2")
        term = RegionTerm(volume, lambdas, outer == "near", schedule)
    else:
        limit = balloon_limit(volume[0], threshold, balloon)
        term = EdgeTerm(volume[0], limit, float(balloon), schedule)
    return _Evolution(start, term, n_smoothings, schedule).states(n_iterations)


class _Evolution:
    """All objects, and the labels that they make together."""

    def __init__(
        self,
        labels: NDArray[np.integer],
        term: RegionTerm | EdgeTerm,
        smoothing: int,
        schedule: SmoothingSchedule,
    ) -> None:
        self.labels = np.array(labels if labels.ndim == 3 else labels[np.newaxis], order="C")
        self.moment = Moment(self.labels)
        self.term, self.smoothing = term, smoothing
        self.schedule = schedule
        # One iteration moves a front by so much at most, and sees one voxel further.
        self.reach = 3 + 2 * smoothing
        self.free = pack(self.labels == 0)
        # What at least one object wants, and what more than one wants.
        self.claimed, self.disputed = np.zeros_like(self.free), np.zeros_like(self.free)
        self.lost: list[int] = []
        self.objects = []
        # SciPy looks for each number up to the largest: labels may be large and far apart.
        values, numbers = numbered(self.labels)
        for value, box in zip(values.tolist(), ndi.find_objects(numbers), strict=True):
            item = MovingLabel(value, box, np.zeros(0, np.uint64), box)
            self._enclose(item)
            self.objects.append(item)
        self.term.begin(self.free, self.objects)

    def states(self, n_iterations: int) -> Iterator[LabelsState]:
        """Yield the states."""
        reason = LIMIT if n_iterations == 0 else None
        yield LabelsState(0, 0, (), reason, self.moment, self.schedule)
        period = self.schedule.period(self.smoothing, has_balloon=self.term.balloon != 0)
        # What was done to these very labels without effect; doing it again would have none either.
        in_vain: set[Turn] = set()
        idle = 0
        for iteration in range(1, n_iterations + 1):
            turn = self.schedule.turn(iteration, self.smoothing)
            changed = 0 if turn in in_vain else self._iterate(turn)
            if changed == 0:
                idle += 1
                in_vain.add(turn)
            else:
                idle = 0
                in_vain.clear()
            if not self.objects:
                reason = SHRUNK_AWAY
            elif idle == period:
                reason = CONVERGED
            elif iteration == n_iterations:
                reason = LIMIT
            yield LabelsState(
                iteration, changed, tuple(self.lost), reason, self.moment, self.schedule
            )
            if reason is not None:
                return

    def _iterate(self, turn: Turn) -> int:
        small = [item for item in self.objects if not item.is_large]

        def propose(first: int, last: int) -> None:
            for item in small[first:last]:
                self._propose(item, turn, at_once)

        run_ranges(propose, split(len(small), len(small)))
        for item in self.objects:
            if item.is_large:
                self._propose(item, turn, in_planes)
        for item in self.objects:
            words = item.words
            self.disputed[words] |= self.claimed[words] & item.gained
            self.claimed[words] |= item.gained
        before = self.free.copy()
        changes = [self._settle(item) for item in self.objects]
        for item in self.objects:
            self.claimed[item.words] = 0
            self.disputed[item.words] = 0
        places, labels = (np.concatenate(parts) for parts in zip(*changes, strict=True))
        self.moment = self.moment.change(places, labels)
        changed = self.term.note_free(before, self.free)
        check_stop()
        self.objects = [item for item in self.objects if self._is_left(item)]
        return changed

    def _propose(self, item: MovingLabel, turn: Turn, run: Run) -> None:
        """Find what an object wants, and what it would gain."""
        bits = self.term.attach(item, turn, run)
        spare = np.empty_like(bits)
        smooth(bits, item.n_x, turn.smoothings, spare, run)
        item.wanted = bits
        item.gained = bits & ~item.bits & self.free[item.words]

    def _settle(self, item: MovingLabel) -> tuple[NDArray[np.intp], NDArray[np.integer]]:
        """Give an object what it alone wants; return the flat indices that change their labels,
        and these."""
        new = (item.bits & item.wanted) | (item.gained & ~self.disputed[item.words])
        changed = item.bits ^ new
        z, y, x = bit_grids.places(changed).T
        is_set = new[z, y, x // 64] >> (x % 64).astype(np.uint64) & np.uint64(1)
        self.free[item.words] ^= changed
        if len(z):
            self.term.move(item, new)
        corner = [part.start for part in item.box]
        places = np.ravel_multi_index(
            (z + corner[0], y + corner[1], x + corner[2]), self.labels.shape
        )
        return places, is_set.astype(self.labels.dtype) * self.labels.dtype.type(item.value)

    def _is_left(self, item: MovingLabel) -> bool:
        """Find out where an object lies, and give it a new box when its front is close to the
        border of its box; False if it has shrunk to nothing."""
        within = bit_grids.bounds(item.bits)
        if within is None:
            self.lost.append(item.value)
            return False
        close = False
        moved = []
        for part, whole, n in zip(within, item.box, self.labels.shape, strict=True):
            size = whole.stop - whole.start
            close |= whole.start > 0 and part.start < self.reach
            close |= whole.stop < n and size - part.stop < self.reach
            moved.append(slice(whole.start + part.start, whole.start + part.stop))
        item.within = moved[0], moved[1], moved[2]
        if close:
            self._enclose(item)
        return True

    def _enclose(self, item: MovingLabel) -> None:
        """Give an object a box with room around its mask."""
        room = self.reach + _SPARE
        z, y, x = widened(item.within, (room,) * 3, self.labels.shape)
        stop = min(-(-x.stop // 64) * 64, self.labels.shape[2])
        item.box = z, y, slice(x.start // 64 * 64, stop)
        item.bits = pack(self.labels[item.box] == item.value)
