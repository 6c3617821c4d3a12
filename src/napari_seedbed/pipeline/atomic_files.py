"""Files that appear whole or not at all."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_seedbed.errors import FileError

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "your quota on this disk is used up; free some space or choose another folder",
    errno.EACCES: "writing there is not allowed; choose another folder",
    errno.EPERM: "writing there is not allowed; choose another folder",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.ENOENT: "the folder does not exist; make it first",
    errno.ENOTDIR: "part of the path is a file, not a folder",
    errno.EISDIR: "there is a folder of that name",
    errno.ENAMETOOLONG: "the name is too long",
}


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path in the same folder; move it to `path` when the block succeeds.

    Whatever goes wrong, a cancelled job included, no half-written file stays and a file that was
    at `path` before is untouched.

    Raises
    ------
    FileError
        For every error of the operating system, with the reason in plain words.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        candidate = path.parent / f".{path.name[:40]}-{secrets.token_hex(4)}.part"
        candidate.open("xb").close()
        temporary = candidate
        yield temporary
        with temporary.open("rb+") as file:
            # A full disk may show only now, on network drives above all.
            os.fsync(file.fileno())
        temporary.replace(path)
        temporary = None
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} could not be written: {why_unwritable(error)}.") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def why_unwritable(error: OSError) -> str:
    """Why the operating system refused, in plain words and with what to do."""
    if error.errno in _REASONS:
        return _REASONS[error.errno]
    return error.strerror or str(error) or type(error).__name__


def why_unreadable(error: OSError) -> str:
    """Why a file could not be read, in plain words."""
    return {
        errno.ENOENT: "there is no such file",
        errno.ENOTDIR: "there is no such file",
        errno.EISDIR: "it is a folder, not a file",
        errno.EACCES: "reading it is not allowed",
        errno.EPERM: "reading it is not allowed",
    }.get(error.errno or 0, error.strerror or str(error))
