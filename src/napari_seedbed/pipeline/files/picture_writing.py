"""Pictures of results to show: outlines of labels over an image, with a scale bar, as PNG."""

import math
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.image_statistics import contrast_limits
from napari_seedbed.pipeline.data.label_palette import distinct_colours
from napari_seedbed.pipeline.data.units import ome_symbol
from napari_seedbed.pipeline.files.atomic_files import written_whole

if TYPE_CHECKING:
    from PIL import ImageFont
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

CHANNEL_COLOURS = ("#ff00ff", "#00ff00", "#00ffff", "#ffff00", "#ff0000", "#0000ff")
"""Of channels whose file says none, as they are shown in the window."""

_LEAST_SIDE = 800
"""Pixels of the longer side; smaller images are enlarged."""
_LARGEST_PICTURE = 1 << 28
_BAR_SHARE = 0.25
_STEPS = (5, 2, 1)
_FONTS = ("DejaVuSans.ttf", "Arial.ttf", "arial.ttf", "Helvetica.ttc")
_IN_ENGLISH = str.maketrans({"µ": "u", "Å": "A"})

Colours = NDArray[np.uint8]


def write_picture(
    path: str | PathLike[str],
    image: Image | None,
    labels: Image | None = None,
    *,
    z: int | None = None,
    t: int = 0,
) -> Path:
    """Write a picture of a slice: the image, outlines of labels over it, and a scale bar.

    Channels have their colours, and values between the darkest and brightest thousandth are
    spread over the range of the picture. Small images are enlarged, and pixels that are not square
    are stretched to their size.

    Parameters
    ----------
    path : path-like
    image : Image or None
    labels : Image, optional
        On the same grid; without an image the objects are filled with their colours.
    z : int, optional
        Slice, from 0; the middle one by default.
    t : int
        Time point, from 0.

    Raises
    ------
    InputError
        When the image has no such slice or time point, or the labels lie on another grid.
    FileError
        When the file cannot be written; nothing is left behind.
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    shown = image if image is not None else labels
    if shown is None:
        raise InputError("image: give an image, labels or both.")
    if image is not None and labels is not None and labels.spatial_shape != image.spatial_shape:
        raise InputError(
            f"labels: their shape {labels.spatial_shape} is not the image's shape "
            f"{image.spatial_shape}; give labels of this image."
        )
    path = Path(path)
    rows, columns = _size(shown)
    if rows * columns > _LARGEST_PICTURE:
        raise InputError(
            f"image: {columns} x {rows} pixels are too many for a picture; crop it first."
        )
    if image is None:
        canvas = np.zeros((rows, columns, 3), np.uint8)
    else:
        colours = _colours(image, _plane(image, z, t))
        canvas = np.asarray(
            Pillow.fromarray(colours).resize((columns, rows), Pillow.Resampling.NEAREST)
        ).copy()
    if labels is not None:
        _draw_labels(canvas, _enlarged(_plane(labels, z, t), rows, columns), fill=image is None)
    picture = Pillow.fromarray(canvas)
    _draw_bar(ImageDraw.Draw(picture), columns, rows, shown)
    with written_whole(path) as temporary:
        picture.save(temporary, format="PNG", optimize=True)
    return path


def write_labels_picture(path: str | PathLike[str], labels: Image) -> Path:
    """Write a picture of the middle slice of labels, as `write_picture`."""
    return write_picture(path, None, labels)


def bar_length(width: float) -> float:
    """The longest of 1, 2, 5, 10, 20 … and 0.5, 0.2, 0.1 … that is at most a quarter of a width."""
    room = width * _BAR_SHARE
    power = 10.0 ** math.floor(math.log10(room))
    step = next(step for step in _STEPS if step * power <= room * (1 + 1e-9))
    return float(f"{step * power:.1g}")


def text_and_font(text: str, size: int) -> tuple[str, "FreeTypeFont | ImageFont.ImageFont"]:
    """A text of units and a font that has all signs of it: one of the system, or Pillow's own."""
    from PIL import ImageFont

    for name in _FONTS:
        try:
            return text, ImageFont.truetype(name, size)
        except OSError:
            continue
    # Pillow's font has the letters of English alone.
    return text.translate(_IN_ENGLISH), ImageFont.load_default(size=size)


def _size(image: Image) -> tuple[int, int]:
    """Rows and columns of the picture, its pixels being square."""
    lengths = np.multiply(image.spatial_shape[-2:], image.spacing[-2:]) / min(image.spacing[-2:])
    zoom = max(1, math.ceil(_LEAST_SIDE / float(lengths.max())))
    rows, columns = np.maximum(np.rint(lengths * zoom), 1).astype(int).tolist()
    return rows, columns


def _plane(image: Image, z: int | None, t: int) -> NDArray[Any]:
    """(Y, X), or (C, Y, X) of an image with channels."""
    if image.n_times > 1:
        image = image.select_time(t)
    elif image.time_axis is not None:
        image = image.select_time(0)
    volume = image.volume()
    if "z" not in image.axes:
        return volume
    count = volume.shape[-3]
    place = count // 2 if z is None else z
    if not 0 <= place < count:
        raise InputError(f"z: slice {place + 1} asked for, but the image has {count}.")
    return volume[..., place, :, :]


def _colours(image: Image, plane: NDArray[Any]) -> Colours:
    channels = plane[None] if plane.ndim == 2 else plane
    if image.rgb:
        stacked = np.stack([*channels[:3]], axis=-1)
        return stacked if stacked.dtype == np.uint8 else _as_bytes(stacked, image)
    if len(channels) == 1:
        return np.repeat(_as_bytes(channels[0], image)[..., None], 3, axis=2)
    total = np.zeros((*channels.shape[1:], 3))
    for n, (channel, values) in enumerate(zip(image.channels(), channels, strict=True)):
        told = image.channel_colors[n] if image.channel_colors else None
        code = told or CHANNEL_COLOURS[n % len(CHANNEL_COLOURS)]
        colour = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        total += _as_bytes(values, channel)[..., None] * colour
    return np.minimum(total, 255).astype(np.uint8)


def _as_bytes(values: NDArray[Any], image: Image) -> Colours:
    low, high = contrast_limits(image) or (0.0, 1.0)
    spread = (np.nan_to_num(values.astype(np.float64)) - low) / (high - low)
    return np.asarray(np.rint(np.clip(spread, 0, 1) * 255), np.uint8)


def _enlarged(labels: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    places = [
        np.minimum((np.arange(count) + 0.5) * size / count, size - 1).astype(int)
        for count, size in zip((rows, columns), labels.shape, strict=True)
    ]
    return labels[np.ix_(*places)]


def _draw_labels(canvas: Colours, labels: NDArray[Any], *, fill: bool) -> None:
    """Colours of the objects, or of their voxels at the border alone."""
    values, number = np.unique(labels, return_inverse=True)
    drawn = (labels > 0) if fill else (labels > 0) & _border(labels)
    colours = distinct_colours(values.astype(np.int64))
    canvas[drawn] = colours[number.reshape(labels.shape)[drawn]]


def _border(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Pixels with a side, or the next but one, to another label."""
    found = np.zeros(labels.shape, bool)
    for step in (1, 2):
        for axis in (0, 1):
            moved = np.swapaxes(labels, 0, axis)
            differs = moved[step:] != moved[:-step]
            view = np.swapaxes(found, 0, axis)
            view[step:] |= differs
            view[:-step] |= differs
    return found


def _draw_bar(draw: "ImageDraw", columns: int, rows: int, image: Image) -> None:
    """A white bar with its length, edged with black, in the lower right corner."""
    width = image.spatial_shape[-1] * image.spacing[-1]
    length = bar_length(width)
    pixels = max(1, round(columns * length / width))
    text_height = max(12, min(rows, columns) // 24)
    thick, gap = max(3, text_height // 4), text_height
    right, bottom = columns - gap, rows - gap
    left, top = right - pixels, bottom - thick
    draw.rectangle((left, top, right - 1, bottom - 1), fill="white", outline="black")
    text, font = text_and_font(f"{length:g} {ome_symbol(image.unit)}", text_height)
    draw.text(
        ((left + right) / 2, top - text_height // 3),
        text,
        fill="white",
        font=font,
        anchor="ms",
        stroke_width=max(1, text_height // 12),
        stroke_fill="black",
    )
