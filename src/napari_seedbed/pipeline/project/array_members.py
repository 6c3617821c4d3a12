"""Arrays as members of a zip file: NumPy's own format, without Python objects."""

import tokenize
import zipfile
import zlib
from io import BufferedIOBase
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop, tell
from napari_seedbed.errors import FileError

_CHUNK = 1 << 22
_LONGEST_HEADER = 10_000
_MOST_AXES = 16
_KINDS = "biuf"
_SAVING, _OPENING = "saving the project", "opening the project"


def write_array(member: IO[bytes], array: NDArray) -> None:
    """Write an array, in pieces, between which a job can stop."""
    if array.dtype.kind not in _KINDS:
        raise ValueError(f"array: {array.dtype} is never kept.")
    header = {"descr": npy.dtype_to_descr(array.dtype), "fortran_order": False}
    npy.write_array_header_1_0(member, {**header, "shape": array.shape})
    rows = array.reshape(1, *array.shape) if not array.ndim else array
    step = max(1, _CHUNK // max(1, rows[:1].nbytes))
    for start in range(0, len(rows), step):
        check_stop()
        tell(start / len(rows), _SAVING)
        piece = np.ascontiguousarray(rows[start : start + step])
        member.write(piece.reshape(-1).view(np.uint8).data)


def read_array(
    member: BufferedIOBase, size: int, shape: tuple[int, ...], dtype: str
) -> NDArray[Any]:
    """Read an array that must be of a known shape and type.

    Parameters
    ----------
    member : file
    size : int
        Bytes of the member. No memory is taken for an array that says to be larger or smaller.
    shape, dtype
        What it must be.

    Raises
    ------
    FileError
        Where it is something else, or damaged.
    """
    try:
        if npy.read_magic(member) != (1, 0):
            raise FileError("an array is of another format")
        found, in_columns, kind = npy.read_array_header_1_0(member, max_header_size=_LONGEST_HEADER)
        begin = member.tell()
        if kind.kind not in _KINDS or in_columns or len(found) > _MOST_AXES:
            raise FileError("an array is of a type that is never kept")
        if tuple(found) != shape or kind.str != dtype:
            raise FileError("an array is of another shape or type than the project says")
        if int(np.prod([*found, kind.itemsize], dtype=object)) != size - begin:
            raise FileError("an array is longer or shorter than it says")
        array = np.empty(found, kind)
        _fill(member, array)
        return array
    except FileError:
        raise
    except (
        ValueError,
        SyntaxError,
        TypeError,
        EOFError,
        OverflowError,
        RecursionError,
        tokenize.TokenError,
        zlib.error,
        zipfile.BadZipFile,
    ) as error:
        raise FileError("an array is damaged") from error


def _fill(member: BufferedIOBase, array: NDArray[Any]) -> None:
    raw = array.reshape(-1).view(np.uint8).data
    place = 0
    while place < len(raw):
        check_stop()
        tell(place / len(raw), _OPENING)
        piece = member.read(min(_CHUNK, len(raw) - place))
        if not piece:
            raise EOFError
        raw[place : place + len(piece)] = piece
        place += len(piece)
    # Only at its end does a member say that its checksum is wrong.
    if member.read(1):
        raise FileError("an array is longer than it says")
