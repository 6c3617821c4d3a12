"""Differences along a series of images: from frame to frame, or from one frame to all others."""

from collections.abc import Callable, Iterator
from operator import index as as_index
from typing import Any

from numpy.typing import NDArray

from napari_seedbed.core.differences.image_differences import Comparison, compare_images
from napari_seedbed.core.differences.intensity_matching import PERCENTILES
from napari_seedbed.core.progress import check_stop
from napari_seedbed.errors import InputError

Against = str | int


def frame_pairs(n_times: int, against: Against = "previous") -> list[tuple[int, int]]:
    """Return for each frame which other one it is compared with: pairs (frame, other).

    Parameters
    ----------
    n_times : int
        Number of frames.
    against : {'previous', 'first'} or int
        The frame before (the first frame has none and is compared with itself), the first frame,
        or the frame of a number, counted from the end if negative.

    Returns
    -------
    list of tuple of two int

    Raises
    ------
    InputError
        If there are no frames, or `against` is none of them.
    """
    if n_times < 1:
        raise InputError(f"n_times must be at least 1; got {n_times}.")
    if against == "previous":
        return [(t, max(0, t - 1)) for t in range(n_times)]
    if against == "first":
        against = 0
    try:
        frame = as_index(against)  # type: ignore[arg-type]
    except TypeError:
        raise InputError(
            f"against must be 'previous', 'first' or the number of a frame; got {against!r}."
        ) from None
    if not -n_times <= frame < n_times:
        raise InputError(f"against is frame {frame}, but there are only {n_times} frames.")
    return [(t, frame % n_times) for t in range(n_times)]


def series_differences(
    load: Callable[[int], NDArray[Any]],
    n_times: int,
    *,
    against: Against = "previous",
    mode: str = "signed",
    channel_axis: int | None = None,
    channels: str = "each",
    register: str | None = None,
    match: str | None = None,
    percentiles: tuple[float, float] = PERCENTILES,
) -> Iterator[Comparison]:
    """Compare each frame of a series with another one, two frames in memory at a time.

    Parameters
    ----------
    load : callable
        Gives the image of a frame by its number.
    n_times : int
        Number of frames.
    against : {'previous', 'first'} or int
        Which frame each is compared with; see `frame_pairs`.
    mode, channel_axis, channels, register, match, percentiles
        As in `image_difference`.

    Yields
    ------
    Comparison
        One a frame, on the frame's own grid: positive where the frame is brighter than the one it
        is compared with. A frame compared with itself differs nowhere.
    """
    pairs = frame_pairs(n_times, against)
    kept: dict[int, NDArray[Any]] = {}
    for frame, other in pairs:
        check_stop()
        kept = {t: kept[t] if t in kept else load(t) for t in {frame, other}}
        same = frame == other
        yield compare_images(
            kept[frame], kept[other], mode=mode, channel_axis=channel_axis, channels=channels,
            register=None if same else register, match=None if same else match,
            percentiles=percentiles,
        )  # fmt: skip
