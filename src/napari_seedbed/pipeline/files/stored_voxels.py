"""Voxels behind a header, as they are or packed: in the file itself or in files beside it.

Never more is unpacked than the header declares, and that is checked against the file and the
memory first.
"""

import bz2
import gzip
import io
import math
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.files.declared_size import check_declared, check_memory
from napari_seedbed.pipeline.files.files_beside import file_beside
from napari_seedbed.pipeline.files.voxels_in_file import LAZY_ABOVE, Planes, lazy_voxels

Packing = Literal["", "gzip", "zlib", "bz2", "text"]

_PIECE = 1 << 20
_MOST_SKIPPED = 64 * _PIECE
_MOST_FILES = 100_000
_COUNTER = re.compile(r"%0?\d{0,2}d")


@dataclass(frozen=True)
class StoredVoxels:
    """Where voxels are, and how.

    Attributes
    ----------
    files : tuple of Path
        One, or several that hold equal shares, the slowest axis first.
    shape : tuple of int
        The slowest axis first.
    dtype : dtype
        As stored, with the order of bytes.
    start : int
        Bytes of each file before the voxels, or before the packed stream.
    skip : int
        Bytes of the unpacked stream before the voxels.
    packing : {'', 'gzip', 'zlib', 'bz2', 'text'}
    """

    files: tuple[Path, ...]
    shape: tuple[int, ...]
    dtype: np.dtype
    start: int = 0
    skip: int = 0
    packing: Packing = ""


def check_stored(path: Path, stored: StoredVoxels) -> None:
    """Refuse voxels that are not all there, and types that are no numbers.

    Raises
    ------
    FileError
    """
    if stored.dtype.kind not in "biuf" or stored.dtype.itemsize > 8:
        raise FileError(
            f"{path} could not be read: its voxels are of the type {stored.dtype}. Save whole "
            "numbers or floats of up to 64 bits."
        )
    sizes = [file.stat().st_size for file in stored.files]
    check_declared(path, stored.shape, stored.dtype.itemsize, sum(sizes))
    if stored.start < 0 or stored.skip < 0 or stored.skip > _MOST_SKIPPED:
        raise FileError(f"{path} could not be read: it is damaged; its voxels begin nowhere.")
    declared = math.prod(stored.shape) * stored.dtype.itemsize
    share, rest = divmod(declared, len(sizes))
    if rest:
        raise FileError(
            f"{path} could not be read: {len(sizes)} files cannot share its voxels equally."
        )
    for file, size in zip(stored.files, sizes, strict=True):
        if not stored.packing and stored.start + share > size:
            raise FileError(
                f"{path} is cut off or damaged: its header declares {share} bytes of voxels, and "
                f"{file.name} has {max(size - stored.start, 0)}. Copy it again from where it came "
                "from."
            )


def read_stored(path: Path, stored: StoredVoxels, lazy: bool | None) -> Any:
    """The voxels; packed ones are read at once.

    Parameters
    ----------
    path : Path
        What was opened, for messages.
    stored : StoredVoxels
    lazy : bool or None
        As in `read_image`.

    Returns
    -------
    ndarray or dask array

    Raises
    ------
    FileError
        When they are not all there, or do not fit into memory.
    """
    check_stored(path, stored)
    size = math.prod(stored.shape) * stored.dtype.itemsize
    lazy = size > LAZY_ABOVE if lazy is None else lazy
    if lazy and not stored.packing and len(stored.files) == 1 and len(stored.shape) > 1:
        reopen = partial(_planes, stored)
        return lazy_voxels(path, reopen(), token=stored.start, lock=False, reopen=reopen)
    check_memory(path, stored.shape, stored.dtype.itemsize)
    voxels = np.empty(stored.shape, stored.dtype)
    share = size // len(stored.files)
    raw = voxels.reshape(-1).view(np.uint8)
    for nth, file in enumerate(stored.files):
        _fill(path, raw[nth * share : (nth + 1) * share], file, stored)
    return voxels.astype(stored.dtype.newbyteorder("="), copy=False)


def _planes(stored: StoredVoxels) -> Planes:
    """A plane at a time; the file is open only meanwhile, so that it may be replaced."""
    (file,) = stored.files
    *outer, height, width = stored.shape
    size = height * width

    def read(index: tuple[int, ...]) -> NDArray:
        nth = int(np.ravel_multi_index(index, outer)) if outer else 0
        start = stored.start + nth * size * stored.dtype.itemsize
        plane = np.fromfile(file, stored.dtype, size, offset=start)
        return plane.reshape(height, width)

    return Planes(stored.shape, stored.dtype.newbyteorder("="), read)


def _fill(path: Path, raw: NDArray[np.uint8], file: Path, stored: StoredVoxels) -> None:
    with file.open("rb") as opened:
        opened.seek(stored.start)
        if stored.packing == "text":
            raw[...] = _numbers(path, opened, len(raw), stored.dtype)
            return
        buffer: Any = raw
        with _damage_in_words(path), _unpacked(opened, stored.packing) as stream:
            skipped = stored.skip
            while skipped:
                piece = stream.read(min(skipped, _PIECE))
                if not piece:
                    raise EOFError("it ends before its voxels")
                skipped -= len(piece)
            filled = 0
            while filled < len(raw):
                count = stream.readinto(memoryview(buffer)[filled : filled + _PIECE])
                if not count:
                    raise EOFError(f"{filled} of {len(raw)} bytes of voxels are there")
                filled += count
            # checksums are compared at the end of a stream
            if stored.packing:
                stream.read(_PIECE)


@contextmanager
def _damage_in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, OSError) as error:
        raise FileError(
            f"{path} is cut off or damaged: its voxels cannot be read ({error}). Copy it again "
            "from where it came from."
        ) from error


def _unpacked(file: IO[bytes], packing: Packing) -> Any:
    if packing == "gzip":
        return gzip.GzipFile(fileobj=file)
    if packing == "bz2":
        return bz2.BZ2File(file)
    if packing == "zlib":
        return io.BufferedReader(_ZlibStream(file))
    return nullcontext(file)


class _ZlibStream(io.RawIOBase):
    """What zlib packed, unpacked piece by piece."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file
        self._unpacker = zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._unpacker.eof:
            packed = self._unpacker.unconsumed_tail or self._file.read(_PIECE)
            piece = self._unpacker.decompress(packed, len(buffer))
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)
            if not packed:
                raise EOFError("the packed data end too early")
        return 0


def _numbers(path: Path, file: IO[bytes], size: int, dtype: np.dtype) -> NDArray[np.uint8]:
    """Numbers that are written as text."""
    words = file.read().split()
    count = size // dtype.itemsize
    if len(words) < count:
        raise FileError(
            f"{path} is cut off or damaged: {len(words)} of its {count} numbers are there."
        )
    kind: type = float if dtype.kind == "f" else int
    return np.array([kind(word) for word in words[:count]], dtype).view(np.uint8)


def detached_files(path: Path, stated: str, listed: Sequence[str] = ()) -> tuple[Path, ...]:
    """The files that a header names: one, those of a list, or those of a counting pattern.

    Parameters
    ----------
    path : Path
        The file with the header.
    stated : str
        A name, ``LIST``, or ``slice%03d.raw 1 20 1``: pattern, first, last and step.
    listed : sequence of str
        The names that follow in the header, for ``LIST``.

    Raises
    ------
    FileError
        Where one is outside the folder, missing or no regular file.
    """
    if stated.split()[:1] == ["LIST"]:
        return tuple(file_beside(path, name) for name in listed[:_MOST_FILES])
    pattern, *numbers = stated.rsplit(maxsplit=3)
    if len(numbers) == 3 and all(number.isdecimal() for number in numbers):
        first, last, step = map(int, numbers)
        counted = range(first, last + 1, max(step, 1))
        if len(_COUNTER.findall(pattern)) == pattern.count("%") == 1 and len(counted) < _MOST_FILES:
            return tuple(file_beside(path, pattern % nth) for nth in counted)
    return (file_beside(path, stated),)
