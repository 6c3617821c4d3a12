"""Records in a file that may be cut off or damaged anywhere: those that are whole are found."""

import hashlib
import json
import math
import struct
import zlib
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.data.deflate import TIGHTEST
from napari_seedbed.pipeline.data.memory import available_memory

HEADER = b"seedbed journal 1\n"
"""What each file begins with; the number is that of the format."""

NUMBERS = "biuf"
"""The kinds of arrays that are kept, as NumPy names them."""

_MARK = b"\x93rec"
_HEAD = struct.Struct("<4sQ16s")
_LENGTH = struct.Struct("<I")
# Labels are mostly runs of one number; higher levels take longer and hardly save.
_LEVEL = 1
_BLOCK = 1 << 20
_SMALL = 64 << 20
"""Bytes for which nobody asks how much is free."""
_WRONG = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What NumPy, zlib and Python raise for content that was never written."""


@dataclass(frozen=True)
class Record:
    """One entry of a journal.

    Attributes
    ----------
    kind : str
    values : dict
        JSON can hold it.
    arrays : dict of str to ndarray
        Of numbers.
    """

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, NDArray] = field(default_factory=dict)


def encoded(record: Record) -> bytes:
    """A record as bytes, with its length and a checksum."""
    blobs, table = [], []
    for name, array in record.arrays.items():
        blob = zlib.compress(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data, _LEVEL)
        blobs.append(blob)
        table.append([name, array.dtype.str, list(array.shape), len(blob)])
    text = json.dumps(
        {"kind": record.kind, "values": record.values, "arrays": table}, separators=(",", ":")
    ).encode()
    payload = b"".join([_LENGTH.pack(len(text)), text, *blobs])
    return _HEAD.pack(_MARK, len(payload), _checksum(payload)) + payload


@dataclass
class Damage:
    """What could not be read.

    Attributes
    ----------
    has_torn_tail : bool
        Whether the end is missing, as when a process is killed while it writes: nothing unusual.
    is_damaged : bool
        Whether something else is not readable.
    lacks_memory : bool
        Whether something takes more memory than is free now.
    """

    has_torn_tail: bool = False
    is_damaged: bool = False
    lacks_memory: bool = False


def records_in(path: Path, damage: Damage, without: Container[str] = ()) -> Iterator[Record]:
    """Yield the whole records of a file in their order.

    Parameters
    ----------
    path : Path
    damage : Damage
        Says afterwards what was passed over.
    without : container of str
        The kinds of records whose arrays are not wanted.

    Raises
    ------
    OSError
        Where the file cannot be read.
    """
    with path.open("rb") as file:
        if file.read(len(HEADER)) != HEADER:
            damage.is_damaged = True
            return
        size = path.stat().st_size
        skipped = False
        while (start := file.tell()) < size:
            record = _record_at(file, size, damage, without)
            if record is not None:
                damage.is_damaged |= skipped
                skipped = False
                yield record
            else:
                skipped = True
                file.seek(_next_mark(file, start + 1, size))
        damage.has_torn_tail = skipped


def _record_at(file: BinaryIO, size: int, damage: Damage, without: Container[str]) -> Record | None:
    """The record that begins here; None where there is no whole one, or none that can be held."""
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    mark, length, checksum = _HEAD.unpack(head)
    if mark != _MARK or length > size - file.tell():
        return None
    try:
        payload = file.read(length)
        if _checksum(payload) != checksum:
            return None
        record = _decoded(payload, without)
    except MemoryError:
        damage.lacks_memory = True
        return None
    damage.is_damaged |= record is None
    return record


def _next_mark(file: BinaryIO, start: int, size: int) -> int:
    """Where a record may begin, from `start` on; the end of the file where none does."""
    file.seek(start)
    place, before = start, b""
    while block := file.read(_BLOCK):
        found = (before + block).find(_MARK)
        if found >= 0:
            return place - len(before) + found
        place += len(block)
        before = block[-len(_MARK) + 1 :]
    return size


def _decoded(payload: bytes, without: Container[str]) -> Record | None:
    """What was written; None where a later version of the program wrote what is not known.

    Raises MemoryError where it takes more than is free.
    """
    try:
        (length,) = _LENGTH.unpack_from(payload)
        place = _LENGTH.size + length
        content = json.loads(payload[_LENGTH.size : place])
        arrays = {}
        table = [] if content["kind"] in without else content["arrays"]
        for name, dtype, shape, n_bytes in table:
            arrays[name] = _array(payload[place : place + n_bytes], np.dtype(dtype), shape)
            place += n_bytes
        return Record(content["kind"], content["values"], arrays)
    except _WRONG:
        return None


def _array(blob: bytes, dtype: np.dtype, shape: list[int]) -> NDArray:
    size = math.prod(shape) * dtype.itemsize
    if dtype.kind not in NUMBERS or min(shape, default=0) < 0:
        raise ValueError(f"an array of {dtype} and shape {shape} is never written")
    if size > len(blob) * TIGHTEST:
        raise ValueError(f"{len(blob)} bytes cannot hold {size}")
    if size > _SMALL and size > available_memory():
        raise MemoryError  # the system may end the process before it says so itself
    # no more than it says, whatever the bytes hold
    content = zlib.decompressobj().decompress(blob, size + 1)
    if len(content) != size:
        raise ValueError(f"{len(content)} bytes instead of {size}")
    return np.ndarray(shape, dtype, buffer=bytearray(content))


def _checksum(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=16).digest()
