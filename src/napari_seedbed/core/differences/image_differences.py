"""What differs between two images, after one was brought onto the other if wanted."""

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.colour.colour_spaces import result_type
from napari_seedbed.core.differences.intensity_matching import PERCENTILES, match_intensity
from napari_seedbed.core.differences.registration import (
    Registration,
    check_same_shape,
    register_images,
    warp_image,
)
from napari_seedbed.core.differences.registration_choice import needed_registration
from napari_seedbed.core.magnitudes import divided, exponent_of, restored
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.validation import check_channel_axis, check_image
from napari_seedbed.errors import InputError

DifferenceMode = Literal["signed", "absolute", "ratio"]
DIFFERENCE_MODES: tuple[DifferenceMode, ...] = get_args(DifferenceMode)

ChannelRule = Literal["each", "mean", "largest"]
CHANNEL_RULES: tuple[ChannelRule, ...] = get_args(ChannelRule)


@dataclass(frozen=True)
class Comparison:
    """Two images on one grid, and what differs between them.

    Attributes
    ----------
    difference : ndarray of float
        On the grid of the first image; 0 (1 for a ratio) where the second one does not reach.
    covered : ndarray of bool
        Pixels that both images cover, without channels.
    moved : ndarray
        The second image as it was compared: on the grid of the first one, intensities matched.
    registration : Registration or None
        How the second image was moved; None if it was not.
    """

    difference: NDArray[np.floating]
    covered: NDArray[np.bool_]
    moved: NDArray[Any]
    registration: Registration | None


def compare_images(
    a: Any,
    b: Any,
    *,
    mode: str = "signed",
    channel_axis: int | None = None,
    channels: str = "each",
    register: str | Registration | None = None,
    match: str | None = None,
    percentiles: tuple[float, float] = PERCENTILES,
) -> Comparison:
    """Return the difference of two images, and what they were compared by.

    Parameters
    ----------
    a, b, mode, channel_axis, channels, register, match, percentiles
        As in `image_difference`, which gives the difference alone.

    Returns
    -------
    Comparison
    """
    first, second = check_image(a, "a"), check_image(b, "b")
    check_same_shape(first, second, ("a", "b"))
    axis = check_channel_axis(channel_axis, first.ndim)
    if mode not in DIFFERENCE_MODES:
        raise InputError(
            f"mode must be one of {', '.join(map(repr, DIFFERENCE_MODES))}; got {mode!r}."
        )
    if channels not in CHANNEL_RULES:
        raise InputError(
            f"channels must be one of {', '.join(map(repr, CHANNEL_RULES))}; got {channels!r}."
        )
    exponent = exponent_of(first, second)
    if exponent:
        found = compare_images(
            divided(first, exponent), divided(second, exponent), mode=mode, channel_axis=axis,
            channels=channels, register=register, match=match, percentiles=percentiles,
        )  # fmt: skip
        difference = restored(found.difference, 0 if mode == "ratio" else exponent)
        return replace(found, difference=difference, moved=restored(found.moved, exponent))
    shape = tuple(n for i, n in enumerate(first.shape) if i != axis)
    registration = None
    covered = np.ones(shape, bool)
    if register is not None:
        registration = _registration(first, second, register, axis)
    if registration is not None:
        second, covered = warp_image(second, registration, channel_axis=axis)
        if not covered.any():
            raise InputError(
                "b has no pixel in common with a after the registration; take images that overlap."
            )
    if match is not None:
        second = match_intensity(
            second, first, match, mask=covered, channel_axis=axis, percentiles=percentiles,
        )  # fmt: skip
    check_stop()
    if axis is not None:
        first, second_last = np.moveaxis(first, axis, -1), np.moveaxis(second, axis, -1)
    else:
        first, second_last = first[..., np.newaxis], second[..., np.newaxis]
    difference = _difference(first, second_last, covered, mode, channels)
    if channels == "each" and axis is not None:
        difference = np.ascontiguousarray(np.moveaxis(difference, -1, axis))
    elif channels == "each":
        difference = difference[..., 0]
    return Comparison(difference, covered, second, registration)


def image_difference(
    a: Any,
    b: Any,
    *,
    mode: str = "signed",
    channel_axis: int | None = None,
    channels: str = "each",
    register: str | Registration | None = None,
    match: str | None = None,
    percentiles: tuple[float, float] = PERCENTILES,
) -> NDArray[np.floating]:
    """Return ``a - b``, on the grid of `a`.

    Parameters
    ----------
    a : ndarray
        Image that stays as it is; 2D or 3D, with or without channels.
    b : ndarray
        Image of the same shape. It is the one that is moved and whose intensities are matched.
    mode : {'signed', 'absolute', 'ratio'}
        ``a - b``, its size, or ``a / b``. Unsigned types do not wrap around. A ratio of 0 to 0 is
        1, and a `b` of 0 otherwise counts as 1 in integer images and as the smallest size in the
        image in others: ratios are always finite.
    channel_axis : int, optional
        Axis of the channels; None if there is none.
    channels : {'each', 'mean', 'largest'}
        'each': one difference a channel. 'mean': of the mean of the channels. 'largest': of each
        pixel's channels, the one that differs most.
    register : {None, 'auto', 'shift', 'rotation', 'similarity'} or Registration
        How `b` is brought onto `a`; see `register_images`, and `needed_registration` for 'auto'.
        A `Registration` is used as it is.
    match : {None, 'robust', 'mean_std', 'percentiles', 'histogram'}
        How intensities of `b` are brought to those of `a`; see `match_intensity`.
    percentiles : tuple of two float
        For `match='percentiles'`, the lower and the upper one.

    Returns
    -------
    ndarray of float
        Of the shape of `a`, without channels if they are combined. float32 where that holds the
        images' numbers, else float64. 0 (1 for a ratio) where the moved `b` does not reach;
        `compare_images` says where that is.

    Raises
    ------
    InputError
        If the images have different sizes (the message says both), hold no finite numbers, cannot
        be registered, or a parameter is wrong.
    """
    return compare_images(
        a, b, mode=mode, channel_axis=channel_axis, channels=channels, register=register,
        match=match, percentiles=percentiles,
    ).difference  # fmt: skip


def _registration(
    a: NDArray[Any], b: NDArray[Any], register: str | Registration, axis: int | None
) -> Registration | None:
    if isinstance(register, Registration):
        return register
    if register == "auto":
        return needed_registration(a, b, channel_axis=axis)
    return register_images(a, b, register, channel_axis=axis)


def _difference(
    a: NDArray[Any], b: NDArray[Any], covered: NDArray[np.bool_], mode: str, channels: str
) -> NDArray[np.floating]:
    """Return the difference of images with their channels last."""
    number = np.result_type(*(_exact(image.dtype) for image in (a, b))).type
    shape = covered.shape
    out = np.empty((*shape, a.shape[-1]) if channels == "each" else shape, number)
    least = _smallest(b) if mode == "ratio" else 0.0
    everywhere = bool(covered.all())

    def work(slab: Slab) -> None:
        here, there = a[slab].astype(number), b[slab].astype(number)
        if channels == "mean":
            # In float64, so that equal images have equal means whatever their type.
            here = here.mean(axis=-1, keepdims=True, dtype=np.float64).astype(number)
            there = there.mean(axis=-1, keepdims=True, dtype=np.float64).astype(number)
        if mode == "ratio":
            values = _ratio(here, there, least)
        else:
            values = here - there
            if mode == "absolute":
                np.abs(values, out=values)
        if not everywhere:
            values[~covered[slab]] = 1 if mode == "ratio" else 0
        if channels == "largest":
            values = _most_different(values, mode)
        elif channels == "mean":
            values = values[..., 0]
        out[slab] = values

    in_slabs(work, shape)
    return out


def _exact(dtype: np.dtype[Any]) -> type[np.floating]:
    wide_integer = dtype.kind in "iu" and dtype.itemsize > 2
    return np.float64 if wide_integer else result_type(dtype)


def _smallest(image: NDArray[Any]) -> float:
    """Return what a divisor of 0 counts as."""
    if image.dtype.kind != "f":
        return 1.0
    sizes = np.abs(image)
    least = sizes.min(where=sizes > 0, initial=np.inf)
    # The inverse of the very smallest numbers is no finite one.
    return max(float(least), 1 / float(np.finfo(np.float32).max)) if np.isfinite(least) else 1.0


def _ratio(a: NDArray[Any], b: NDArray[Any], least: float) -> NDArray[Any]:
    none = b == 0
    b[none] = least
    largest = np.finfo(a.dtype).max
    with np.errstate(over="ignore"):
        values: NDArray[Any] = np.clip(a / b, -largest, largest)
    values[none & (a == 0)] = 1
    return values


def _most_different(values: NDArray[Any], mode: str) -> NDArray[Any]:
    size = np.abs(values)
    if mode == "ratio":
        size = np.abs(np.log(np.maximum(values, np.finfo(values.dtype).tiny)))
    most = size.argmax(axis=-1)
    chosen: NDArray[Any] = np.take_along_axis(values, most[..., np.newaxis], -1)[..., 0]
    return chosen
