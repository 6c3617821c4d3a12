"""Whether a TIFF file is all there.

A stack that was cut off in copying opens without complaint in most readers, as its first page
or with black slices at the end. Here it is refused.
"""

import json
import lzma
import math
import struct
import zipfile
import zlib
from os import PathLike
from pathlib import Path
from typing import Any

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.number_runs import number_runs
from napari_seedbed.pipeline.files.declared_size import GIGABYTE, LARGEST_RATIO

TIFF_STARTS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
# What decoders raise on damaged files, besides their own errors, which are ValueErrors or
# RuntimeErrors.
DECODER_ERRORS = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    NameError,
    RuntimeError,
    EOFError,
    SystemError,
    SyntaxError,
    AssertionError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)
_ADVICE = "Copy it again from where it came from"
# Pages and their data begin at even places, or at multiples of 16.
_PADDING = 16
# More than the header of a page takes.
_HEADER = 4096
# Description, and offsets and lengths of strips and tiles.
_TAGS_THAT_MATTER = frozenset({270, 273, 279, 324, 325})
_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 16: 8}


def check_pages(path: str | PathLike[str]) -> int | None:
    """Follow the chain of page headers to its end.

    Returns
    -------
    int or None
        Where the last page says that another one begins, if that is after the end of the file.

    Raises
    ------
    FileError
        When the chain leads out of the file, in a circle or to nothing.
    """
    path = Path(path)
    size = path.stat().st_size
    with path.open("rb") as file:
        header = file.read(16)
        order = {b"II": "<", b"MM": ">"}.get(header[:2])
        magic = struct.unpack(f"{order}H", header[2:4])[0] if order and len(header) >= 8 else 0
        if magic == 42:
            first, count_format, entry, next_format = header[4:8], "H", 12, "I"
        elif magic == 43 and len(header) == 16:
            first, count_format, entry, next_format = header[8:16], "Q", 20, "Q"
        else:
            raise FileError(f"{path} is not a TIFF image: {_header_in_words(size)}.")
        offset = struct.unpack(f"{order}{next_format}", first)[0]
        count_size, next_size = struct.calcsize(count_format), struct.calcsize(next_format)
        seen: set[int] = set()
        while offset:
            if offset in seen:
                raise FileError(f"{path} is damaged: its pages run in a circle. {_ADVICE}.")
            seen.add(offset)
            file.seek(offset)
            raw = file.read(count_size)
            if len(raw) < count_size and len(seen) > 1:
                return offset
            if len(raw) < count_size:
                raise _cut_off(path, "page 1 begins after the end of the file")
            n_entries = struct.unpack(f"{order}{count_format}", raw)[0]
            end = offset + count_size + n_entries * entry
            if end > size:
                raise _cut_off(path, f"the header of page {len(seen)} is incomplete")
            entries = file.read(n_entries * entry)
            if _points_outside(entries, entry, order, size):
                raise _cut_off(path, f"the description of page {len(seen)} is incomplete")
            raw = file.read(next_size)
            # Some writers leave out the last pointer; then this was the last page.
            offset = struct.unpack(f"{order}{next_format}", raw)[0] if len(raw) == next_size else 0
    if not seen:
        raise FileError(f"{path} is damaged: it is a TIFF file without any page. {_ADVICE}.")
    return None


def check_loose_end(path: Path, tif: Any, place: int) -> str:
    """Return what a pointer to a page behind the end of the file means.

    A file that was cut off ends within a page, or its next page begins not far behind the end:
    after the voxels of that page at most.

    Parameters
    ----------
    path : Path
    tif : tifffile.TiffFile
    place : int
        Where the page should begin.

    Returns
    -------
    str
        A note, where the pointer leads nowhere.

    Raises
    ------
    FileError
        Where the file was cut off.
    """
    sizes = (8, 20, 8) if tif.is_bigtiff else (2, 12, 4)
    end = largest = 0
    for page in tif.pages:
        ends = [page.offset + sizes[0] + len(page.tags) * sizes[1] + sizes[2]]
        ends += [tag.valueoffset + tag.valuebytecount for tag in page.tags]
        data = list(zip(page.dataoffsets, page.databytecounts, strict=False))
        ends += [start + length for start, length in data]
        end = max(end, *ends)
        largest = max(largest, sum(length for _, length in data))
    n_pages, size = len(tif.pages), path.stat().st_size
    if end + _PADDING < size or place < size + 2 * largest + _HEADER:
        raise _cut_off(path, f"page {n_pages + 1} begins after the end of the file")
    return (
        f"The last of {n_pages} pages points to another one where there is nothing; the pointer "
        "was left out."
    )


def _points_outside(entries: bytes, entry: int, order: str | None, size: int) -> bool:
    """Whether the value of a tag that matters lies after the end of the file."""
    count_format, value_size = ("I", 4) if entry == 12 else ("Q", 8)
    for start in range(0, len(entries), entry):
        code, kind = struct.unpack_from(f"{order}HH", entries, start)
        if code in _TAGS_THAT_MATTER and kind in _TYPE_SIZES:
            count = struct.unpack_from(f"{order}{count_format}", entries, start + 4)[0]
            length = count * _TYPE_SIZES[kind]
            where = struct.unpack_from(f"{order}{count_format}", entries, start + 4 + value_size)[0]
            if length > value_size and where + length > size:
                return True
    return False


def check_series(path: Path, tif: Any, series: Any) -> list[str]:
    """Check that all planes that the metadata promises are in the file.

    Parameters
    ----------
    path : Path
    tif : tifffile.TiffFile
    series : tifffile.TiffPageSeries
        The one to be read.

    Returns
    -------
    list of str
        Notes on tiles that were left out, as slide scanners do where there is nothing.

    Raises
    ------
    FileError
        When planes or part of their data are missing, or sizes make no sense.
    """
    if not series.shape or 0 in series.shape or series.dtype is None:
        raise FileError(f"{path} is damaged: it declares an image of shape {series.shape}.")
    keyframe = series.keyframe
    planes = math.prod(series.shape) // max(math.prod(keyframe.shape), 1)
    promised = _promised_planes(tif, series)
    if promised is not None and planes < promised:
        raise _cut_off(path, f"it should hold {promised} planes and has {planes}")
    size = path.stat().st_size
    if series.dataoffset is not None:
        if series.dataoffset + series.nbytes > size:
            raise _cut_off(path, "the image data end after the end of the file")
        return []
    pages = list(series.pages)
    lacking = [number for number, page in enumerate(pages, start=1) if page is None]
    if lacking:
        raise _cut_off(path, f"{_planes(lacking)} of {len(pages)} missing")
    stored = 0
    for number, page in enumerate(pages, start=1):
        n_stored = 0
        for start, length in zip(page.dataoffsets, page.databytecounts, strict=False):
            if start + length > page.parent.filehandle.size:
                raise _cut_off(path, f"the data of plane {number} end after the end of the file")
            stored += length
            n_stored += start > 0 and length > 0
        if n_stored < math.prod(page.chunked):
            lacking.append(number)
    if lacking and not keyframe.is_tiled and keyframe.compression != 1:
        raise _cut_off(path, f"strips of {_planes(lacking)} missing")
    declared = math.prod(series.shape) * series.dtype.itemsize
    bits = math.prod(series.shape) * keyframe.bitspersample
    if keyframe.compression == 1 and stored * 8 < bits and not (lacking and keyframe.is_tiled):
        raise _cut_off(path, f"it declares {bits // 8} bytes of image data and has {stored}")
    if declared > GIGABYTE and declared > stored * LARGEST_RATIO:
        raise FileError(
            f"{path} is damaged: it declares {declared / 1e9:.0f} GB of image data, but the file "
            f"has {size} bytes. {_ADVICE}."
        )
    if not lacking:
        return []
    return [
        f"Tiles of {_planes(lacking)} missing in the file; they were read as {keyframe.nodata:g}."
    ]


def _planes(numbers: list[int]) -> str:
    """``plane 3 is``, ``planes 7 to 10 and 12 are``, and so on."""
    if len(numbers) == 1:
        return f"plane {numbers[0]} is"
    runs = number_runs(numbers)
    words = [f"{low} to {high}" if low < high else f"{low}" for low, high in runs]
    if len(words) > 8:
        words = [*words[:7], f"{sum(high - low + 1 for low, high in runs[7:])} more"]
    return (
        f"planes {' and '.join([', '.join(words[:-1]), words[-1]]) if words[1:] else words[0]} are"
    )


def _promised_planes(tif: Any, series: Any) -> int | None:
    """How many planes the description of its first page speaks of."""
    if tif.is_imagej:
        first = series is tif.series[0]
        return int((tif.imagej_metadata or {}).get("images", 1)) if first else None
    keyframe = series.keyframe
    if keyframe.description.startswith("{") and "shape" in keyframe.description:
        try:
            shape = json.loads(keyframe.description)["shape"]
            return math.prod(int(n) for n in shape) // max(math.prod(keyframe.shape), 1)
        except (ValueError, TypeError, KeyError):
            return None
    return None


def _cut_off(path: Path, what: str) -> FileError:
    return FileError(f"{path} is cut off or damaged: {what}. {_ADVICE}.")


def _header_in_words(size: int) -> str:
    return "it is empty (0 bytes)" if size == 0 else "its first bytes are those of something else"
