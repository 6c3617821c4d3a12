"""Images in another type, their range carried along."""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.images.value_ranges import ValueRange, range_of_type, value_range
from napari_seedbed.core.magnitudes import divided, moderate_range
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.validation import check_image
from napari_seedbed.errors import InputError

TypeName = Literal["uint8", "uint16", "int16", "float32", "float64"]
TYPES: tuple[TypeName, ...] = get_args(TypeName)

Source = Literal["usual", "type", "image", "keep"]
SOURCES: tuple[Source, ...] = get_args(Source)


def convert_type(
    image: Any, to: TypeName = "uint8", source: Source | ValueRange | tuple[float, float] = "usual"
) -> NDArray[Any]:
    """Convert an image to another type, so that black stays black and white stays white.

    Parameters
    ----------
    image : (…) array_like
    to : {'uint8', 'uint16', 'int16', 'float32', 'float64'}
    source : str, ValueRange or (float, float)
        What becomes the range of the new type: 0 to 255, 65535, 32767 or 1.

        - 'usual': the range that the values were made for, as `value_range` finds it, or one that
          it has found for several images together. 12-bit images stored in 16 bits fill the new
          type. 0 stays 0.
        - 'type': that of the image's type, as ``skimage.util.img_as_ubyte``, ``img_as_uint``,
          ``img_as_int`` and ``img_as_float`` have it, except that they leave integers alone that
          happen to fit the new type. 0 stays 0.
        - 'image': from the lowest to the highest value that occurs.
        - 'keep': none; the values stay, rounded where need be.
        - (low, high): these values.

        What lies beyond is cut off, and so are negative values where the new type has none.

    Returns
    -------
    (…) ndarray
        Of the type `to`.

    Raises
    ------
    InputError
        If an argument is malformed, or a floating-point image is not within -1 to 1 and `source`
        is 'type'.
    """
    array = check_image(image)
    if to not in TYPES:
        raise InputError(f"to must be one of {', '.join(map(repr, TYPES))}; got {to!r}.")
    wanted = np.dtype(to)
    if isinstance(source, ValueRange):
        low, high, by_type = source.low, source.high, _is_of_type(source, array.dtype)
        keep_zero = source.signed or low == 0
    elif isinstance(source, str):
        if source not in SOURCES:
            raise InputError(
                f"source must be one of {', '.join(map(repr, SOURCES))} or two numbers; got "
                f"{source!r}."
            )
        if source == "keep":
            return _kept(array, wanted)
        found = value_range(array)
        if source == "usual":
            return convert_type(array, to, found)
        low, high, by_type = found.lowest, found.highest, source == "type"
        keep_zero = False
    else:
        low, high = check_bounds(source, "source")
        by_type = keep_zero = False
    if by_type:
        return _by_type(array, wanted)
    top = 1.0 if wanted.kind == "f" else float(np.iinfo(wanted).max)
    out = np.empty(array.shape, wanted)
    bottom = -top if keep_zero and wanted.kind != "u" else 0.0
    start = 0.0 if keep_zero else float(low)
    start, high, exponent = moderate_range(start, float(high))
    scale = top / (high - start) if high > start else 0.0

    def convert(slab: Slab) -> None:
        part = array[slab].astype(np.float64)
        # Values far beyond the range are cut off anyway.
        with np.errstate(over="ignore"):
            part = divided(part, exponent)
            part -= start
            part *= scale
        np.clip(part, bottom, top, out=part)
        out[slab] = np.rint(part, out=part) if wanted.kind != "f" else part

    in_slabs(convert, array.shape)
    return out


def check_bounds(bounds: Any, name: str, *, allow_equal: bool = False) -> tuple[float, float]:
    """Return two finite numbers, the first the lower one, or raise `InputError`."""
    try:
        low, high = bounds
        fits = np.isfinite(float(low)) and np.isfinite(float(high))
    except (TypeError, ValueError):
        raise InputError(f"{name} must be two numbers, low and high; got {bounds!r}.") from None
    if not fits or low > high or (low == high and not allow_equal):
        raise InputError(f"{name} must be two numbers, the lower one first; got {low:g}, {high:g}.")
    return low, high


def _is_of_type(found: ValueRange, dtype: np.dtype) -> bool:
    """Whether the range is the one that scikit-image converts such a type by."""
    if dtype.kind == "f":
        return found.bits is None and found.high == 1 and found.low in (-1, 0)
    return (found.low, found.high) == range_of_type(dtype)


def _by_type(array: NDArray[Any], wanted: np.dtype) -> NDArray[Any]:
    from skimage import util

    if array.dtype.kind == "f" and not (array.min() >= -1 and array.max() <= 1):
        raise InputError(
            f"image holds {array.min():g} to {array.max():g}; by its type, floating-point numbers "
            "must lie between -1 and 1. Take the range of its values instead."
        )
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        array = array.astype(np.float32 if array.dtype.itemsize < 4 else np.float64)
    convert = {
        "uint8": util.img_as_ubyte,
        "uint16": util.img_as_uint,
        "int16": util.img_as_int,
        "float32": util.img_as_float32,
        "float64": util.img_as_float64,
    }[wanted.name]
    out = np.empty(array.shape, wanted)
    if array.dtype.kind in "iu":
        # scikit-image leaves an image unscaled whose highest value happens to fit the new type:
        # a dark frame of a series would come out brighter than the others
        brightest = np.array([np.iinfo(array.dtype).max], array.dtype)
    else:
        brightest = np.empty(0, array.dtype)

    def work(slab: Slab) -> None:
        part = array[slab]
        converted = convert(np.concatenate([part.ravel(), brightest]))
        out[slab] = converted[: part.size].reshape(part.shape)

    in_slabs(work, array.shape)
    return out


def _kept(array: NDArray[Any], wanted: np.dtype) -> NDArray[Any]:
    out = np.empty(array.shape, wanted)

    def work(slab: Slab) -> None:
        part = array[slab]
        if wanted.kind in "iu":
            limits = np.iinfo(wanted)
            if part.dtype.kind == "f":
                part = np.rint(part.astype(np.float64))
            low, high = int(limits.min), int(limits.max)
            if part.dtype.kind == "b":
                part = part.view(np.uint8)
            if part.dtype.kind in "iu":
                own = np.iinfo(part.dtype)
                low, high = max(low, int(own.min)), min(high, int(own.max))
            part = np.clip(part, low, high)
        out[slab] = part

    in_slabs(work, array.shape)
    return out


def in_type_of(values: NDArray[Any], image: NDArray[Any]) -> NDArray[Any]:
    """Round floating-point colours to the type of the image that they come from.

    Parameters
    ----------
    values, image : (…) ndarray

    Returns
    -------
    (…) ndarray
        Whole numbers within the type of `image` where that is an unsigned one; otherwise, and
        where they are whole numbers already, `values` themselves.
    """
    if image.dtype.kind != "u" or values.dtype.kind != "f":
        return values
    # Colours in floating point would be taken to lie between 0 and 1.
    return np.rint(np.clip(values, 0, np.iinfo(image.dtype).max)).astype(image.dtype)


def as_numbers(image: NDArray[Any]) -> NDArray[Any]:
    """Give an image of numbers: a mask has 0 and 1 instead of False and True (a view).

    Parameters
    ----------
    image : (…) ndarray
    """
    return image.view(np.uint8) if image.dtype == bool else image
