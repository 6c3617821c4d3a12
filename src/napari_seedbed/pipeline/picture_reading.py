"""Images from PNG and JPEG files."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.memory import available_memory, bytes_in_words
from napari_seedbed.pipeline.tiff_structure import GIGABYTE, LARGEST_RATIO

_PNG, _JPEG = b"\x89PNG", b"\xff\xd8\xff"
PICTURE_STARTS = (_PNG, _JPEG)
_PNG_HEADER = 26
_ORIENTATION = 274
_GREY = 0
_KINDS = {_GREY: "grey", 2: "RGB", 3: "palette", 4: "grey and alpha", 6: "RGBA"}


def read_picture(path: Path, name: str) -> Image:
    """Read a picture, colours as RGB, in the depth of the file.

    Raises
    ------
    FileError
        When the file declares more than it can hold, or than fits into memory.
    """
    raw = path.read_bytes()
    array, notes = _read_png(path, raw) if raw.startswith(_PNG) else _read_jpeg(path, len(raw))
    if array.ndim == 3 and array.shape[-1] == 2:
        array = array[..., 0]
        notes.append("The picture is grey with transparency; transparency was left out.")
    if array.ndim == 2:
        return Image(array, ("y", "x"), name=name, notes=tuple(notes))
    if array.ndim == 3 and array.shape[-1] in (3, 4):
        return Image(array, ("y", "x", "c"), rgb=True, name=name, notes=tuple(notes))
    raise FileError(f"{path} could not be read: its shape is {array.shape}.")


def picture_header(path: Path) -> tuple[str, tuple[int, int], str]:
    """Kind of file, shape, and what a pixel is, without reading the pixels."""
    with path.open("rb") as file:
        start = file.read(_PNG_HEADER)
    if start.startswith(_PNG):
        width, height, depth, kind = _png_header(path, start)
        return "PNG", (height, width), f"{_KINDS.get(kind, kind)} of {depth} bits"
    from PIL.JpegImagePlugin import JpegImageFile

    with JpegImageFile(path) as picture:
        return "JPEG", picture.size[::-1], picture.mode


def _png_header(path: Path, raw: bytes) -> tuple[int, int, int, int]:
    if len(raw) < _PNG_HEADER or raw[12:16] != b"IHDR":
        raise FileError(f"{path} could not be read: it is cut off or damaged. Copy it again.")
    width, height, depth, kind = struct.unpack(">IIBB", raw[16:_PNG_HEADER])
    return width, height, depth, kind


def _read_png(path: Path, raw: bytes) -> tuple[NDArray[Any], list[str]]:
    import imagecodecs

    width, height, depth, kind = _png_header(path, raw)
    _check_size(path, width, height, max(depth // 8, 1) * (1 if kind == _GREY else 4), len(raw))
    array = np.asarray(imagecodecs.png_decode(raw))
    notes = []
    if b"acTL" in raw[: raw.find(b"IDAT")]:
        notes.append("The picture moves; the first frame was read.")
    return array > 0 if (depth, kind) == (1, _GREY) else array, notes


def _read_jpeg(path: Path, size: int) -> tuple[NDArray[Any], list[str]]:
    # The class itself, because `PIL.Image.open` takes large pictures for attacks.
    from PIL.JpegImagePlugin import JpegImageFile

    with JpegImageFile(path) as picture:
        _check_size(path, *picture.size, len(picture.getbands()), size)
        turned = picture.getexif().get(_ORIENTATION, 1)
        notes = []
        if turned != 1:
            notes.append(
                f"The camera was turned (orientation {turned}); the picture was read as stored."
            )
        if picture.mode == "CMYK":
            notes.append("The inks of the picture (cyan, magenta, yellow, black) were read as RGB.")
            return np.asarray(picture.convert("RGB")), notes
        return np.asarray(picture), notes


def _check_size(path: Path, width: int, height: int, depth: int, size: int) -> None:
    declared = width * height * depth
    if declared > GIGABYTE and declared > size * LARGEST_RATIO:
        raise FileError(
            f"{path} could not be read: it is damaged. It declares a picture of {width} x {height} "
            f"pixels, but the file has {size} bytes."
        )
    if declared > available_memory():
        raise FileError(
            f"{path} could not be read: its {width} x {height} pixels take "
            f"{bytes_in_words(declared)}, and {bytes_in_words(available_memory())} are free. Close "
            "other programs, or save it as TIFF, which can be read in parts."
        )
