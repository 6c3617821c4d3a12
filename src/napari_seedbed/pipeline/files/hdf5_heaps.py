"""Text in HDF5 files, looked at before libhdf5 reads it: damaged, it would read for ever.

Text of any length lies in heaps: a signature, the heap's size, then objects of which each says its
number and size. libhdf5 goes on by that size, and stays where it is for one of zero (HDF5 File
Format Specification 3.0, "Global Heap").
"""

import mmap
import struct
from pathlib import Path
from typing import Any

from napari_seedbed.errors import FileError

_SIGNATURE = b"GCOL\x01\x00\x00\x00"
_HEAP = struct.Struct("<8sQ")
_OBJECT = struct.Struct("<HH4xQ")
_SUPERBLOCK_2, _LENGTH_BYTES = 2, 8
# Libraries write attributes beside the description of a dataset: of files of more than twice as
# many bytes, which take long to search, the two ends.
_SEARCHED = 64 << 20


def check_heaps(path: Path) -> None:
    """Refuse a file in which the objects of a heap do not follow one another.

    Raises
    ------
    FileError
    """
    size = path.stat().st_size
    parts = [(0, size)]
    if size > 2 * _SEARCHED:
        parts = [(0, _SEARCHED), (size - _SEARCHED, size)]
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        # lengths of 4 bytes are allowed, and no library writes them
        if raw[14 if raw[8] < _SUPERBLOCK_2 else 10] != _LENGTH_BYTES:
            return
        for begin, end in parts:
            place = raw.find(_SIGNATURE, begin, end)
            while place >= 0:
                if not _is_sound(raw, place, size):
                    raise FileError(
                        f"{path} is cut off or damaged: text in it, {place} bytes from its start, "
                        "has no end. Copy it again from where it came from."
                    )
                place = raw.find(_SIGNATURE, place + 1, end)


def _is_sound(raw: Any, place: int, file_size: int) -> bool:
    """Whether each object of a heap begins where the one before ends."""
    if place + _HEAP.size > file_size:
        return False
    end = place + _HEAP.unpack_from(raw, place)[1]
    if end > file_size:
        return False
    at = place + _HEAP.size
    while at + _OBJECT.size <= end:
        number, _, size = _OBJECT.unpack_from(raw, at)
        # what is free says its size with its head, and without padding
        taken = _OBJECT.size + -(-size // 8) * 8 if number else size
        if not _OBJECT.size <= taken <= end - at:
            return False
        at += taken
    return True
