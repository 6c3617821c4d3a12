"""The file of a journal: records come behind each other, whole or not at all."""

import os
from collections.abc import Iterable
from contextlib import suppress
from io import FileIO
from pathlib import Path

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.files.atomic_files import why_unwritable
from napari_seedbed.pipeline.journal.kept_work import SUFFIX
from napari_seedbed.pipeline.journal.records import HEADER, Record, encoded

PART = ".part"


class NoRoomError(FileError):
    """More would be in the file than may be."""


class JournalFile:
    """Records that are added to a file, and now and then a new file in its place.

    A process that is killed leaves what was added before, whatever it was at.

    Parameters
    ----------
    folder : Path
        Which this alone writes to.
    max_bytes : int

    Attributes
    ----------
    size : int
        Bytes of what is whole.

    Raises
    ------
    FileError
        As all methods do where the operating system refuses, and `NoRoomError` where the file
        would be too large.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self._generation = 0
        self.size = 0
        self._file: FileIO | None = None
        self.renew([])

    def add(self, record: Record) -> None:
        """Add a record; where that fails, the file is as it was."""
        assert self._file is not None, "the journal is closed"
        try:
            self._write(self._file, record)
        except FileError:
            raise
        except OSError as error:
            self._cut()
            raise self._refused(error) from error
        self.size = self._file.tell()

    def sync(self) -> None:
        """Let a machine that loses power keep what a killed process leaves anyway."""
        if self._file is not None:
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                raise self._refused(error) from error

    def renew(self, records: Iterable[Record]) -> None:
        """Begin anew with these records; where that fails, the file is as it was.

        The new file counts from when it is whole, and only then the old one goes.
        """
        new = self._folder / f"{self._generation + 1:08d}{SUFFIX}"
        part = new.with_suffix(PART)
        file = None
        try:
            file = part.open("wb", buffering=0)
            _write(file, HEADER)
            for record in records:
                self._write(file, record)
            os.fsync(file.fileno())
            size = file.tell()
            file.close()
            part.replace(new)
            file = new.open("r+b", buffering=0)
            file.seek(size)
        except BaseException as error:
            if file is not None:
                file.close()
            # the newest file would count, and no more is written to it
            for made in (part, new):
                made.unlink(missing_ok=True)
            if isinstance(error, OSError) and not isinstance(error, FileError):
                raise self._refused(error) from error
            raise
        old = self._folder / f"{self._generation:08d}{SUFFIX}"
        self.close()
        self._file, self.size, self._generation = file, size, self._generation + 1
        with suppress(OSError):  # Windows removes no file that somebody reads; the newest counts
            old.unlink(missing_ok=True)

    def close(self) -> None:
        """Write no more."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, file: FileIO, record: Record) -> None:
        content = encoded(record)
        if file.tell() + len(content) > self._max_bytes:
            raise NoRoomError(
                f"Autosave keeps no more for now: the work in this window takes more than "
                f"{self._max_bytes / 1e6:.0f} MB. Save it to files, or let autosave take more in "
                "the preferences."
            )
        _write(file, content)

    def _cut(self) -> None:
        """Take away what was written in part; where even that fails, readers pass it over."""
        assert self._file is not None
        try:
            self._file.truncate(self.size)
            self._file.seek(self.size)
        except OSError:
            self._file.seek(0, os.SEEK_END)

    def _refused(self, error: OSError) -> FileError:
        return FileError(f"Autosave could not write to {self._folder}: {why_unwritable(error)}.")


def _write(file: FileIO, content: bytes) -> None:
    """Write all of it; a disk that is nearly full takes a part at first."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]
