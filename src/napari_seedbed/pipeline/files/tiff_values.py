"""What the stored values of a TIFF file stand for: its colours, and its calibration."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_seedbed.errors import FileError

_RGB, _SEPARATED, _YCBCR = 2, 5, 6
_LAB = (8, 9, 10)
# Without and with LZW, Deflate, PackBits, LZMA and Zstandard: these decoders leave YCbCr as it is.
_PLAIN_CODECS = (1, 5, 8, 32773, 32946, 34925, 50000)
_INK_SET, _INK_NAMES, _YCBCR_COEFFICIENTS, _BLACK_AND_WHITE = 332, 333, 529, 532


@dataclass
class Colours:
    """An array whose channels are known; of red, green and blue the axis is the last one."""

    array: Any
    axes: list[str]
    rgb: bool = False
    channel_names: Sequence[str] = ()
    notes: Sequence[str] = ()


def check_colours(path: Path, page: Any) -> None:
    """Refuse colours that cannot be unpacked.

    Raises
    ------
    FileError
        For YCbCr that has fewer values of colour than of brightness, other than in JPEG.
    """
    steps = page.subsampling
    plain = page.photometric == _YCBCR and page.compression in _PLAIN_CODECS
    if plain and steps is not None and tuple(steps) != (1, 1):
        raise FileError(
            f"{path} could not be read: its colours are sub-sampled ({steps[0]} x {steps[1]} "
            "pixels share one), which is supported for JPEG only. Save it as RGB."
        )


def with_colours(array: Any, axes: list[str], page: Any, *, samples: bool) -> Colours:
    """Colours as red, green and blue wherever they can be.

    Parameters
    ----------
    array : ndarray or dask array
    axes : list of str
        Names of its axes.
    page : tifffile.TiffPage
    samples : bool
        Whether the axis 'c' holds the samples of pixels, so that the page says what they are.
    """
    if "c" not in axes:
        return Colours(array, axes)
    position = axes.index("c")
    count = array.shape[position]
    if count == 1:
        array = array[(slice(None),) * position + (0,)]
        return Colours(array, [axis for axis in axes if axis != "c"])
    if not samples:
        return Colours(array, axes)
    kind, type_ = page.photometric, array.dtype
    order = [i for i in range(len(axes)) if i != position] + [position]
    last, last_axes = array.transpose(order), [axes[i] for i in order]
    if kind == _YCBCR and page.compression in _PLAIN_CODECS:
        if type_ == np.uint8 and count == 3:
            return Colours(_rgb_of_ycbcr(last, page), last_axes, True)
        luma = ("luma", "blue difference", "red difference")
        return Colours(array, axes, channel_names=luma if count == 3 else ())
    if kind in (_RGB, _YCBCR) and count in (3, 4) and type_.kind in "uf":
        return Colours(last, last_axes, True)
    if kind == _SEPARATED:
        if _value(page, _INK_SET, 1) == 1 and count in (4, 5) and type_ in (np.uint8, np.uint16):
            note = "The inks of the picture (cyan, magenta, yellow, black) were read as RGB."
            return Colours(_rgb_of_inks(last), last_axes, True, notes=[note])
        names = tuple(filter(None, str(_value(page, _INK_NAMES, "")).split("\0")))
        return Colours(array, axes, channel_names=names if len(names) == count else ())
    if kind in _LAB and count == 3:
        note = "The colours of the picture are L*a*b*; values are as stored."
        return Colours(array, axes, channel_names=("L*", "a*", "b*"), notes=[note])
    return Colours(array, axes)


def _value(page: Any, code: int, default: Any) -> Any:
    tag = page.tags.get(code)
    return default if tag is None else tag.value


def _rgb_of_inks(array: Any) -> Any:
    """Paper of which each ink takes its share; alpha is kept."""
    top = int(np.iinfo(array.dtype).max)
    light = (top - array[..., :4]).astype(np.uint32)
    colours = [(light[..., i] * light[..., 3] + top // 2) // top for i in range(3)]
    alpha = [array[..., i] for i in range(4, array.shape[-1])]
    return np.stack([part.astype(array.dtype) for part in (*colours, *alpha)], axis=-1)


def _rgb_of_ycbcr(array: Any, page: Any) -> Any:
    """As the TIFF 6.0 specification says (Adobe, 1992), section 21."""
    red, green, blue = _numbers(page, _YCBCR_COEFFICIENTS, (0.299, 0.587, 0.114))
    ends = _numbers(page, _BLACK_AND_WHITE, (0, 255, 128, 255, 128, 255))
    luma, blue_difference, red_difference = (
        (array[..., i].astype(np.float32) - ends[2 * i]) * (top / (ends[2 * i + 1] - ends[2 * i]))
        for i, top in enumerate((255, 127, 127))
    )
    r = luma + red_difference * (2 - 2 * red)
    b = luma + blue_difference * (2 - 2 * blue)
    g = (luma - blue * b - red * r) / green
    return np.stack([np.clip(np.rint(part), 0, 255).astype(np.uint8) for part in (r, g, b)], -1)


def _numbers(page: Any, code: int, default: Sequence[float]) -> Sequence[float]:
    """Numbers of a tag, which may be fractions: above and below in turn."""
    values = _value(page, code, default)
    if len(values) == 2 * len(default):
        return [above / below for above, below in zip(values[::2], values[1::2], strict=True)]
    return values if len(values) == len(default) else default


def calibrated(array: Any, start: float, step: float) -> Any:
    """``start + step * array`` in the smallest type that holds it exactly, or as nearly as floats.

    Parameters
    ----------
    array : ndarray or dask array of integers
    start, step : float
    """
    limits = np.iinfo(array.dtype)
    if float(start).is_integer() and float(step).is_integer():
        start, step = int(start), int(step)
        ends = sorted((start + step * int(limits.min), start + step * int(limits.max)))
        for name in (array.dtype.name, "uint16", "int16", "int32"):
            fits = np.iinfo(name)
            if fits.min <= ends[0] and ends[1] <= fits.max:
                return (array.astype(np.int64) * step + start).astype(name)
    exact = (array.astype(np.float64) * step) + start
    return exact.astype(np.float32) if array.dtype.itemsize <= 2 else exact
