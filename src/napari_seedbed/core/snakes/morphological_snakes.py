"""Surfaces that seek edges or regions by morphology alone: masks that move, 64 voxels at a time.

As in scikit-image, bit for bit, but only voxels at the front are looked at in the image, and the
smoothing works on whole machine words. There is no memory between calls: the two smoothing
operators always begin with the same one.

References
----------
Pablo Márquez-Neila, Luis Baumela, Luis Álvarez, "A morphological approach to curvature-based
evolution of curves and surfaces", IEEE Trans. PAMI 36 (2014) 2-17.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.snakes import bit_grids
from napari_seedbed.core.snakes.bit_grids import Bits, in_planes, pack, smooth, unpack
from napari_seedbed.core.snakes.ordered_sums import masked_sum
from napari_seedbed.core.snakes.smoothing_schedule import (
    SmoothingSchedule,
    Turn,
    smoothing_schedule,
)
from napari_seedbed.core.snakes.snake_inputs import Mask, balloon_limit, starting_mask
from napari_seedbed.core.snakes.stop_reasons import CONVERGED, FULL, LIMIT, SHRUNK_AWAY
from napari_seedbed.core.validation import (
    channels_first,
    check_channel_axis,
    check_count,
    check_image,
    check_number,
)

# Rounding of sums: as many times the spacing of numbers as a long sum can be off.
_ROUNDINGS = 64


@dataclass(frozen=True)
class LevelSetState:
    """A moving mask after some iterations.

    Attributes
    ----------
    bits : (Z, Y, W) ndarray
        The mask as `bit_grids` packs it, its axes sorted by `schedule`.
    shape : tuple of int
        Shape of the mask with its axes sorted.
    iteration : int
        How many iterations were made.
    changed : float
        Fraction of voxels that the last iteration changed.
    reason : str or None
        Why the evolution has stopped; None while it goes on.
    schedule : SmoothingSchedule
        What iterations do, and in which order axes are.
    """

    bits: Bits
    shape: tuple[int, ...]
    iteration: int
    changed: float
    reason: str | None
    schedule: SmoothingSchedule

    @property
    def level_set(self) -> Mask:
        """The mask, (M, N[, P]): 1 inside, 0 outside; made anew each time."""
        mask = unpack(self.bits, self.shape[-1]).reshape(self.shape)
        return self.schedule.restore_axes(mask)


def morphological_chan_vese(
    image: NDArray[Any],
    num_iter: int,
    init_level_set: str | NDArray[Any] = "checkerboard",
    smoothing: int = 1,
    lambda1: float = 1,
    lambda2: float = 1,
    iter_callback: Callable[[Mask], Any] | None = None,
    *,
    channel_axis: int | None = None,
    spacing: Sequence[float] | None = None,
) -> Mask:
    """Segment an image into two regions of different mean, with scikit-image's arguments.

    Parameters
    ----------
    image : (M, N[, P]) ndarray, or with channels where `channel_axis` says so
        Image.
    num_iter : int
        Number of iterations.
    init_level_set : (M, N[, P]) ndarray, 'checkerboard' or 'disk'
        Where to begin; positive values are inside.
    smoothing : int
        How often the mask is smoothed in each iteration.
    lambda1, lambda2 : float
        How much the spread inside and outside counts.
    iter_callback : callable, optional
        Called with the mask at the beginning and after each iteration.
    channel_axis : int, optional
        Which axis holds channels; the squared differences of all channels are added.
    spacing : sequence of float, optional
        Voxel size along each spatial axis; cubes when None. Only ratios matter.

    Returns
    -------
    (M, N[, P]) ndarray of int8
        1 inside, 0 outside.

    Raises
    ------
    InputError
        If an argument makes no sense.

    References
    ----------
    Tony Chan, Luminita Vese, "Active contours without edges", IEEE Trans. Image Processing 10
    (2001) 266-277; and see the module.
    """
    states = evolve_chan_vese(
        image, init_level_set, num_iter=num_iter, smoothing=smoothing, lambda1=lambda1,
        lambda2=lambda2, channel_axis=channel_axis, spacing=spacing,
    )  # fmt: skip
    return _run(states, num_iter, iter_callback)


def morphological_geodesic_active_contour(
    gimage: NDArray[Any],
    num_iter: int,
    init_level_set: str | NDArray[Any] = "disk",
    smoothing: int = 1,
    threshold: float | str = "auto",
    balloon: float = 0,
    iter_callback: Callable[[Mask], Any] | None = None,
    *,
    spacing: Sequence[float] | None = None,
) -> Mask:
    """Let a mask settle on the edges of an image, with scikit-image's arguments.

    Parameters
    ----------
    gimage : (M, N[, P]) ndarray
        Edge map, small where the mask shall stop, such as `inverse_gaussian_gradient` gives.
    num_iter : int
        Number of iterations.
    init_level_set : (M, N[, P]) ndarray, 'checkerboard' or 'disk'
        Where to begin; positive values are inside.
    smoothing : int
        How often the mask is smoothed in each iteration.
    threshold : float or 'auto'
        Where the edge map is smaller than this (over the size of `balloon`), the balloon does not
        push; 'auto' is its 40 % quantile.
    balloon : float
        Positive to grow where the map is flat, negative to shrink, 0 for neither.
    iter_callback : callable, optional
        Called with the mask at the beginning and after each iteration.
    spacing : sequence of float, optional
        Voxel size along each axis; cubes when None. Only ratios matter.

    Returns
    -------
    (M, N[, P]) ndarray of int8
        1 inside, 0 outside.

    Raises
    ------
    InputError
        If an argument makes no sense.

    References
    ----------
    Vicent Caselles, Ron Kimmel, Guillermo Sapiro, "Geodesic active contours", International
    Journal of Computer Vision 22 (1997) 61-79; and see the module.
    """
    states = evolve_geodesic(
        gimage, init_level_set, num_iter=num_iter, smoothing=smoothing, threshold=threshold,
        balloon=balloon, spacing=spacing,
    )  # fmt: skip
    return _run(states, num_iter, iter_callback)


def evolve_chan_vese(
    image: NDArray[Any],
    init_level_set: str | NDArray[Any] = "checkerboard",
    *,
    num_iter: int,
    smoothing: int = 1,
    lambda1: float = 1,
    lambda2: float = 1,
    channel_axis: int | None = None,
    spacing: Sequence[float] | None = None,
) -> Iterator[LevelSetState]:
    """Yield the states of `morphological_chan_vese`, the first one before any iteration.

    It ends, and says why, when nothing changes any more.

    Parameters
    ----------
    image, init_level_set, num_iter, smoothing, lambda1, lambda2, channel_axis, spacing
        As in `morphological_chan_vese`.

    Yields
    ------
    LevelSetState
    """
    array = check_image(image, "image")
    axis = check_channel_axis(channel_axis, array.ndim)
    channels = channels_first(array, axis)
    mask = starting_mask(init_level_set, channels.shape[1:], "image")
    smoothing = check_count(smoothing, "smoothing")
    schedule = smoothing_schedule(spacing, mask.ndim)
    channels = schedule.sort_axes(channels)
    volume = channels[:, np.newaxis] if mask.ndim == 2 else channels
    regions = _Regions(volume, check_number(lambda1, "lambda1"), check_number(lambda2, "lambda2"))
    return _evolve(mask, regions, num_iter, smoothing, schedule)


def evolve_geodesic(
    gimage: NDArray[Any],
    init_level_set: str | NDArray[Any] = "disk",
    *,
    num_iter: int,
    smoothing: int = 1,
    threshold: float | str = "auto",
    balloon: float = 0,
    spacing: Sequence[float] | None = None,
) -> Iterator[LevelSetState]:
    """Yield the states of `morphological_geodesic_active_contour`, as `evolve_chan_vese` does.

    Parameters
    ----------
    gimage, init_level_set, num_iter, smoothing, threshold, balloon, spacing
        As in `morphological_geodesic_active_contour`.
    """
    array = check_image(gimage, "gimage", allow_bool=False)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    mask = starting_mask(init_level_set, array.shape, "gimage")
    smoothing = check_count(smoothing, "smoothing")
    schedule = smoothing_schedule(spacing, mask.ndim)
    limit = balloon_limit(array, threshold, balloon)
    array = schedule.sort_axes(array)
    volume = array[np.newaxis] if mask.ndim == 2 else array
    edges = _Edges(volume, limit, balloon, schedule)
    return _evolve(mask, edges, num_iter, smoothing, schedule)


class _Regions:
    """The image term of Chan and Vese: each voxel of the front joins the side it is closer to."""

    balloon = 0.0

    def __init__(self, image: NDArray[Any], lambda1: float, lambda2: float) -> None:
        self.image = image.view(np.uint8) if image.dtype == bool else image
        # Means are as exact as the image, as everything that is computed with them.
        self.kind = image.dtype.type if image.dtype.kind == "f" else np.float64
        self.exact = image.dtype.kind != "f"
        self.lambda1, self.lambda2 = self.kind(lambda1), self.kind(lambda2)
        n_c, n_z = image.shape[:2]
        self.size = image[0].size
        self.totals, self.counts = np.zeros((n_z, n_c)), np.zeros((n_z, 2), np.int64)
        self.unsure = np.zeros(n_z, np.uint8)
        self.all = np.array([channel.sum(dtype=np.float64) for channel in self.image])
        self.largest = np.array(
            [max(abs(float(channel.min())), abs(float(channel.max()))) for channel in self.image]
        )
        self.inside, self.n_inside = np.zeros(n_c), 0

    def note(self, old: Bits, new: Bits) -> int:
        """Take the changes of the mask into account; return how many there are."""
        in_planes(
            bit_grids.add_changes, old, new, self.image, self.totals, self.counts,
        )  # fmt: skip
        self.inside = self.inside + self.totals.sum(axis=0)
        n_set, n_cleared = (int(n) for n in self.counts.sum(axis=0))
        self.n_inside += n_set - n_cleared
        return n_set + n_cleared

    def attach(self, bits: Bits, turn: Turn, out: Bits) -> None:
        n_x = self.image.shape[-1]
        inner = (self.inside / float(self.n_inside + 1e-8)).astype(self.kind)
        outer = ((self.all - self.inside) / float(self.size - self.n_inside + 1e-8)).astype(
            self.kind
        )
        # Sums of floats depend on their order. Where that might matter, they are summed in the
        # order in which NumPy, and thus scikit-image, does.
        margin = 0.0
        if not self.exact:
            margin = _ROUNDINGS * float(np.finfo(self.kind).eps) * float(self.largest.max())
        if self._choose(bits, n_x, inner, outer, margin, out):
            mask = unpack(bits, n_x)
            n_inside = float(mask.sum(dtype=np.int64) + 1e-8)
            n_outside = float(self.size - mask.sum(dtype=np.int64) + 1e-8)
            for c, channel in enumerate(self.image):
                check_stop()
                inner[c] = masked_sum(channel, mask) / n_inside
                check_stop()
                outer[c] = masked_sum(channel, 1 - mask) / n_outside
            self._choose(bits, n_x, inner, outer, 0.0, out)

    def _choose(
        self,
        bits: Bits,
        n_x: int,
        inner: NDArray[Any],
        outer: NDArray[Any],
        margin: float,
        out: Bits,
    ) -> bool:
        in_planes(
            bit_grids.attach_to_regions, bits, n_x, self.image, inner, outer, self.lambda1,
            self.lambda2, margin, out, self.unsure,
        )  # fmt: skip
        return margin > 0 and bool(self.unsure.any())


class _Edges:
    """The image term of geodesic contours: a balloon where the map is flat, then the slope."""

    def __init__(
        self, image: NDArray[Any], limit: float, balloon: float, schedule: SmoothingSchedule
    ) -> None:
        self.image, self.balloon = image, balloon
        self.half = image.dtype.type(0.5)
        self.weights = np.array(schedule.weights)
        self.flat: Bits | None = None
        if balloon != 0:
            self.flat = pack(image > limit / np.abs(balloon))
            self.grown = np.empty_like(self.flat)

    def note(self, old: Bits, new: Bits) -> int:
        """Return how many voxels have changed."""
        return int(np.bitwise_count(old ^ new).sum(dtype=np.int64))

    def attach(self, bits: Bits, turn: Turn, out: Bits) -> None:
        n_x = self.image.shape[-1]
        if self.flat is not None:
            flip = np.uint64(0) if self.balloon > 0 else ~np.uint64(0)
            in_planes(
                bit_grids.grow, bits, n_x, flip, self.flat, turn.reach_z, turn.reach_y, self.grown,
            )  # fmt: skip
            bits = self.grown
        in_planes(
            bit_grids.attach_to_edges, bits, n_x, self.image, self.half, self.weights, out,
        )  # fmt: skip


def _evolve(
    mask: NDArray[np.bool_],
    image_term: _Regions | _Edges,
    num_iter: int,
    smoothing: int,
    schedule: SmoothingSchedule,
) -> Iterator[LevelSetState]:
    n_iterations = check_count(num_iter, "num_iter")
    mask = schedule.sort_axes(mask)
    shape = mask.shape
    bits = pack(mask[np.newaxis] if mask.ndim == 2 else mask)
    period = schedule.period(smoothing, has_balloon=image_term.balloon != 0)

    def states() -> Iterator[LevelSetState]:
        new = bits
        image_term.note(np.zeros_like(new), new)
        spare = np.empty_like(new)
        # What was done to this very mask without effect; doing it again would have none either.
        in_vain: set[Turn] = set()
        idle = 0
        yield LevelSetState(new, shape, 0, 0.0, None, schedule)
        for iteration in range(1, n_iterations + 1):
            turn = schedule.turn(iteration, smoothing)
            n_changed = 0
            if turn not in in_vain:
                old = new
                new = np.empty_like(old)
                image_term.attach(old, turn, new)
                smooth(new, shape[-1], turn.smoothings, spare)
                n_changed = image_term.note(old, new)
            check_stop()
            if n_changed == 0:
                idle += 1
                in_vain.add(turn)
            else:
                idle = 0
                in_vain.clear()
            reason = None
            if idle == period:
                full = np.bitwise_count(new).sum(dtype=np.int64)
                reason = SHRUNK_AWAY if full == 0 else FULL if full == mask.size else CONVERGED
            elif iteration == n_iterations:
                reason = LIMIT
            yield LevelSetState(new, shape, iteration, n_changed / mask.size, reason, schedule)
            if reason is not None:
                return

    return states()


def _run(
    states: Iterator[LevelSetState], num_iter: int, callback: Callable[[Mask], Any] | None
) -> Mask:
    state = None
    for state in states:
        if callback is not None:
            callback(state.level_set)
    assert state is not None
    if callback is not None:
        # Nothing would change in what is left of the iterations.
        for _ in range(state.iteration, num_iter):
            callback(state.level_set)
    return state.level_set
