"""Images from PNG and JPEG files."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files.declared_size import check_declared, check_memory

PNG_START, JPEG_START = b"\x89PNG", b"\xff\xd8\xff"
_PNG_HEADER = 26
_ORIENTATION = 274
_GREY = 0
_KINDS = {_GREY: "grey", 2: "RGB", 3: "palette", 4: "grey and alpha", 6: "RGBA"}


def read_picture(path: Path, name: str, *, as_stored: bool = True) -> Image:
    """Read a picture, colours as RGB, in the depth of the file.

    Unless it is wanted as it is stored, a picture whose pixels are all grey and opaque is grey.

    Raises
    ------
    FileError
        When the file declares more than it can hold, or than fits into memory.
    """
    raw = path.read_bytes()
    array, notes = _read_png(path, raw) if raw.startswith(PNG_START) else _read_jpeg(path, len(raw))
    if array.ndim == 3 and array.shape[-1] == 2:
        array = array[..., 0]
        notes.append("The picture is grey with transparency; transparency was left out.")
    if not as_stored and _is_grey(array):
        array = array[..., 0]
    if array.ndim == 2:
        return Image(array, ("y", "x"), name=name, notes=tuple(notes))
    if array.ndim == 3 and array.shape[-1] in (3, 4):
        return Image(array, ("y", "x", "c"), rgb=True, name=name, notes=tuple(notes))
    raise FileError(f"{path} could not be read: its shape is {array.shape}.")


def _is_grey(array: NDArray[Any]) -> bool:
    """Whether red, green and blue are the same, and nothing is transparent."""
    if array.ndim != 3 or array.shape[-1] not in (3, 4):
        return False
    red, green, blue, *alpha = np.moveaxis(array, -1, 0)
    opaque = np.iinfo(array.dtype).max
    return bool(
        all((plane == opaque).all() for plane in alpha)
        and (red == green).all()
        and (red == blue).all()
    )


def picture_header(path: Path) -> tuple[tuple[int, int], str]:
    """Shape, and what a pixel is, without reading the pixels."""
    with path.open("rb") as file:
        start = file.read(_PNG_HEADER)
    if start.startswith(PNG_START):
        width, height, depth, kind = _png_header(path, start)
        return (height, width), f"{_KINDS.get(kind, kind)} of {depth} bits"
    from PIL.JpegImagePlugin import JpegImageFile

    with JpegImageFile(path) as picture:
        return picture.size[::-1], picture.mode


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
    check_declared(path, (width, height), depth, size, "a picture of {} pixels")
    check_memory(path, (width, height), depth, "{} pixels")
