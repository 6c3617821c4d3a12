"""What is in the zip file of a project, as far as it may be read: checked before memory is taken.

Nothing is ever unpacked to the disk. A file whose directory is damaged or cut off is read by the
headers that each member has of its own.
"""

import re
import struct
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.deflate import TIGHTEST
from napari_seedbed.pipeline.data.memory import available_memory, bytes_in_words

KNOWN = re.compile(r"project\.json|layers/[0-9]{1,6}\.json|arrays/[0-9]{1,6}/[0-9]{1,6}\.npy")
LARGEST_TEXT = 128 << 20
"""Bytes of a member that is text."""

_MOST_MEMBERS = 50_000
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_LOCAL_START = b"PK\x03\x04"
# A header with sizes that do not fit into 32 bits says these, and has the sizes in a field behind
# its name: unpacked, packed.
_IN_FIELD = 0xFFFFFFFF
_FIELD = struct.Struct("<HH")
_SIZES, _SIZES_FIELD = 1, struct.Struct("<QQ")
_SMALL = 1 << 16
# A text becomes objects of Python, which are larger.
_TEXT_GROWS = 10
_SPARE = 0.8


class Members:
    """The members of a project that is open.

    Attributes
    ----------
    sizes : dict of str to int
        Bytes of each, unpacked.
    is_damaged : bool
        Whether the directory at the end of the file is damaged or missing.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name = file, name
        self.is_damaged = False
        try:
            with zipfile.ZipFile(file) as directory:
                self._infos = self._checked(directory.infolist())
        except _WrongPathError as error:
            raise FileError(str(error)) from error
        except (zipfile.BadZipFile, FileError, NotImplementedError, ValueError, OSError):
            self.is_damaged = True
            self._infos = self._checked(list(_by_their_headers(file)))
            if not self._infos:
                raise FileError(
                    f"{name} could not be opened: it is no project of Seedbed, or so damaged that "
                    "nothing in it can be read."
                ) from None
        self.sizes = {key: info.file_size for key, info in self._infos.items()}

    def __contains__(self, member: str) -> bool:
        return member in self._infos

    @contextmanager
    def open(self, member: str) -> Iterator[zipfile.ZipExtFile]:
        """Read a member; its checksum is looked at when all of it was read."""
        info = self._infos[member]
        self._file.seek(info.header_offset)
        head = self._file.read(_LOCAL.size)
        if len(head) < _LOCAL.size or not head.startswith(_LOCAL_START):
            raise zipfile.BadZipFile("the header of a member is damaged")
        *_, name, extra = _LOCAL.unpack(head)
        if self._file.read(name) != info.filename.encode():
            raise zipfile.BadZipFile("a member has two names")
        self._file.seek(extra, 1)
        with zipfile.ZipExtFile(self._file, "r", info) as opened:
            yield opened

    def _checked(self, infos: Sequence[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        """The members that are known, by their names, where all of them are sound."""
        if len(infos) > _MOST_MEMBERS:
            raise FileError(
                f"{self._name} was not opened: it has more than {_MOST_MEMBERS} members, which no "
                "project has."
            )
        for info in infos:
            parts = re.split(r"[/\\]", info.filename)
            if info.filename[:1] in ("/", "\\") or ":" in parts[0] or ".." in parts:
                raise _WrongPathError(
                    f"{self._name} was not opened: it has a member {info.filename!r}, a path out "
                    "of the project, which Seedbed never writes."
                )
        known = [info for info in infos if KNOWN.fullmatch(info.filename)]
        self._check_sizes(known)
        found = {info.filename: info for info in known}
        if len(found) < len(known):
            raise FileError(f"{self._name} was not opened: two of its members have one name.")
        return found

    def _check_sizes(self, infos: Sequence[zipfile.ZipInfo]) -> None:
        needed, place = 0, 0
        for info in sorted(infos, key=lambda one: one.header_offset):
            packed = info.compress_type == zipfile.ZIP_DEFLATED
            if info.flag_bits & 1 or not (packed or info.compress_type == zipfile.ZIP_STORED):
                raise FileError(
                    f"{self._name} was not opened: a member is packed in a way unknown."
                )
            most = info.compress_size * TIGHTEST + _SMALL if packed else info.compress_size
            is_text = info.filename.endswith(".json")
            if info.file_size > (min(most, LARGEST_TEXT) if is_text else most):
                raise FileError(
                    f"{self._name} was not opened: {info.filename} says to be "
                    f"{bytes_in_words(info.file_size)}, more than can be true."
                )
            if info.header_offset < place:
                raise FileError(f"{self._name} was not opened: its members overlap.")
            place = info.header_offset + _LOCAL.size + len(info.filename) + info.compress_size
            needed += info.file_size * (_TEXT_GROWS if is_text else 1)
        free = available_memory()
        if needed > free * _SPARE:
            raise FileError(
                f"{self._name} was not opened: it takes {bytes_in_words(needed)} of memory and "
                f"{bytes_in_words(free)} are free. Close other programs."
            )


class _WrongPathError(FileError):
    """A member lies outside of the project: made to do harm, and not by an accident."""


def _by_their_headers(file: IO[bytes]) -> Iterator[zipfile.ZipInfo]:
    """The members whose own headers can be found, in the order of the file."""
    end = file.seek(0, 2)
    place = 0
    while place + _LOCAL.size <= end:
        file.seek(place)
        head = file.read(_LOCAL.size)
        start, _, flags, packing, _, _, checksum, packed, size, name, extra = _LOCAL.unpack(head)
        if start != _LOCAL_START:
            place = _next_header(file, place + 1)
            continue
        info = zipfile.ZipInfo(file.read(name).decode("utf-8", "replace") or "?")
        info.flag_bits, info.compress_type, info.CRC = flags, packing, checksum
        if _IN_FIELD in (packed, size):
            size, packed = _sizes_in(file.read(extra)) or (size, packed)
        info.header_offset, info.compress_size, info.file_size = place, packed, size
        after = place + _LOCAL.size + name + extra + packed
        if KNOWN.fullmatch(info.filename) and after <= end:
            yield info
            place = after
        else:
            place = _next_header(file, place + 1)


def _sizes_in(extra: bytes) -> tuple[int, int] | None:
    """The sizes of a large member, unpacked and packed, in the fields behind its name.

    A member's own header always has both (APPNOTE.TXT of PKWARE, 4.5.3).
    """
    place = 0
    while place + _FIELD.size <= len(extra):
        kind, length = _FIELD.unpack_from(extra, place)
        place += _FIELD.size
        if kind == _SIZES and place + _SIZES_FIELD.size <= len(extra):
            size, packed = _SIZES_FIELD.unpack_from(extra, place)
            return size, packed
        place += length
    return None


def _next_header(file: IO[bytes], place: int) -> int:
    """Where the next header may begin; the end of the file where none does."""
    overlap = len(_LOCAL_START) - 1
    while True:
        file.seek(place)
        piece = file.read(1 << 20)
        found = piece.find(_LOCAL_START)
        if found >= 0:
            return place + found
        if len(piece) <= overlap:
            return place + len(piece)
        place += len(piece) - overlap


def shown_name(path: Path) -> str:
    """What a project is called in messages."""
    return path.name or str(path)
