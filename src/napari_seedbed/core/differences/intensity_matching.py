"""Bring the intensities of an image to those of another one that shows the same."""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.differences.light_changes import gain_and_offset
from napari_seedbed.core.differences.registration import check_same_shape
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.validation import (
    channels_first,
    check_channel_axis,
    check_image,
    check_labels,
)
from napari_seedbed.errors import InputError

MatchMethod = Literal["robust", "mean_std", "percentiles", "histogram"]
MATCH_METHODS: tuple[MatchMethod, ...] = get_args(MatchMethod)

PERCENTILES = (1.0, 99.0)


def match_intensity(
    image: Any,
    reference: Any,
    method: str = "mean_std",
    *,
    mask: Any = None,
    channel_axis: int | None = None,
    percentiles: tuple[float, float] = PERCENTILES,
) -> NDArray[np.floating]:
    """Change an image's intensities so that they are spread as those of a reference.

    Parameters
    ----------
    image : ndarray
        Image of real numbers.
    reference : ndarray
        Image of the same shape.
    method : {'robust', 'mean_std', 'percentiles', 'histogram'}
        'robust': the gain and the offset of what has not changed (`gain_and_offset`).
        'mean_std': a gain and an offset that make mean and standard deviation equal.
        'percentiles': a gain and an offset that make two percentiles equal, which what has changed
        sways less. 'histogram': a curve that makes the whole distribution equal.
    mask : ndarray of bool or int, optional
        Pixels that are compared, of the image's shape without channels; all are changed.
    channel_axis : int, optional
        Axis of the channels, each of which is matched by itself.
    percentiles : tuple of two float
        For 'percentiles', the lower and the upper one.

    Returns
    -------
    ndarray of float64, of the image's shape
        Where the image (or the two percentiles) is constant, only an offset is added.

    Raises
    ------
    InputError
        If shapes differ, the mask is empty, or a parameter is wrong.
    """
    source, target = check_image(image), check_image(reference, "reference")
    check_same_shape(source, target, ("image", "reference"))
    axis = check_channel_axis(channel_axis, source.ndim)
    if method not in MATCH_METHODS:
        raise InputError(
            f"match must be one of {', '.join(map(repr, MATCH_METHODS))}; got {method!r}."
        )
    low, high = percentiles
    if not 0 <= low < high <= 100:
        raise InputError(f"percentiles must rise, from 0 to 100; got {percentiles!r}.")
    out = source.astype(np.float64)
    planes = list(zip(channels_first(out, axis), channels_first(target, axis), strict=True))
    inside = None
    if mask is not None:
        inside = check_labels(mask, planes[0][0].shape, "mask") > 0
        if not inside.any():
            raise InputError("mask is empty; there is nothing to compare intensities by.")
        if inside.all():
            inside = None
    for plane, wanted in planes:
        check_stop()
        here, there = (plane, wanted) if inside is None else (plane[inside], wanted[inside])
        if method == "histogram":
            _match_histogram(plane, here, there)
            continue
        if method == "robust":
            _scale(plane, *gain_and_offset(plane, wanted, inside))
            continue
        if method == "mean_std":
            place, width = float(here.mean()), float(here.std())
            new_place = float(there.mean(dtype=np.float64))
            new_width = float(there.std(dtype=np.float64))
        else:
            place, top = map(float, np.percentile(here, percentiles))
            # Of a mask NumPy takes no percentiles.
            grey = there.astype(np.uint8) if there.dtype.kind == "b" else there
            new_place, new_top = map(float, np.percentile(grey, percentiles))
            width, new_width = top - place, new_top - new_place
        gain = new_width / width if width > 0 and new_width > 0 else 1.0
        _scale(plane, gain, new_place - gain * place)
    return out


def _scale(plane: NDArray[np.float64], gain: float, offset: float) -> None:
    def work(slab: Slab) -> None:
        part = plane[slab]
        part *= gain
        part += offset

    in_slabs(work, plane.shape)


def _match_histogram(
    plane: NDArray[np.float64], here: NDArray[np.float64], there: NDArray[Any]
) -> None:
    """Give each value the one of the same rank in the other image, as scikit-image does."""
    values, counts = np.unique(here, return_counts=True)
    check_stop()
    new_values, new_counts = np.unique(there, return_counts=True)
    ranks = np.cumsum(counts) / here.size
    curve = np.interp(ranks, np.cumsum(new_counts) / there.size, new_values.astype(np.float64))

    def work(slab: Slab) -> None:
        plane[slab] = np.interp(plane[slab], values, curve)

    in_slabs(work, plane.shape)
