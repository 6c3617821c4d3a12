"""Files that appear whole or not at all, alone or several together."""

import errno
import hashlib
import os
import platform
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
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

_PART = re.compile(r"\..*-([0-9a-f]{6})\.([0-9]+)-[0-9a-f]{8}\.part", re.DOTALL)
_DAY = 86400.0
# Clocks of disks and processes differ by less.
_CLOCKS = 2.0


@contextmanager
def written_whole(path: str | os.PathLike[str], *, lasts: bool = True) -> Iterator[Path]:
    """Give a temporary path in the same folder; move it to `path` when the block succeeds.

    Whatever goes wrong, a cancelled job included, no half-written file stays and a file that was
    at `path` before is untouched.

    Parameters
    ----------
    path : path-like
    lasts : bool
        Whether the file must outlive a loss of power, not only the end of the process. Waiting
        for the disk takes some milliseconds.

    Raises
    ------
    FileError
        For every error of the operating system, with the reason in plain words.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        candidate = path.parent / _part_name(path.name)
        candidate.open("xb").close()
        temporary = candidate
        yield temporary
        if lasts:
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


@contextmanager
def folder_written_whole(
    path: str | os.PathLike[str], is_own: Callable[[Path], bool]
) -> Iterator[Path]:
    """Give a new folder beside `path`; it is called `path` when the block succeeds.

    Whatever goes wrong, no half-written folder stays and what was at `path` before is untouched.

    Parameters
    ----------
    path : path-like
    is_own : callable
        Whether a folder that is at `path` may be replaced, since it was written in the same way.

    Raises
    ------
    FileError
        For every error of the operating system, and where something else is at `path`.
    """
    path = Path(path)
    temporary = path.parent / _part_name(path.name)
    try:
        _refuse_other(path, is_own)
        temporary.mkdir()
        yield temporary
        _refuse_other(path, is_own)
        before = path.parent / _part_name(path.name)
        there = path.is_dir()
        if there:
            path.rename(before)
        try:
            temporary.rename(path)
        except BaseException:
            if there:
                before.rename(path)
            raise
        if there:
            shutil.rmtree(before, ignore_errors=True)
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} could not be written: {why_unwritable(error)}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _refuse_other(path: Path, is_own: Callable[[Path], bool]) -> None:
    if os.path.lexists(path) and (path.is_symlink() or not path.is_dir() or not is_own(path)):
        raise FileError(
            f"{path} is there already and was not written by Seedbed, so it is not replaced; "
            "choose another name."
        )


@contextmanager
def moved_together(folder: Path) -> Iterator[Path]:
    """Give a new folder inside `folder`; move what is in it to `folder` when the block succeeds.

    Files replace files of their names, and folders replace folders. All are moved or, whatever
    goes wrong, none is, and what was in `folder` before is untouched.

    Raises
    ------
    FileError
        For every error of the operating system, with the reason in plain words.
    """
    stage = folder / _part_name("results")
    try:
        stage.mkdir()
        yield stage
        _move_all(stage, folder)
    except FileError as error:
        # Files are known by the place where they are going to be.
        raise FileError(str(error).replace(str(stage), str(folder))) from error
    except OSError as error:
        raise FileError(f"{folder} could not be written: {why_unwritable(error)}.") from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _move_all(stage: Path, folder: Path) -> None:
    files = sorted(stage.iterdir())
    kept = stage / "kept"
    moved: list[Path] = []
    try:
        for file in files:
            target = folder / file.name
            try:
                if os.path.lexists(target):
                    # Making and removing a folder takes milliseconds for each input of a batch.
                    kept.mkdir(exist_ok=True)
                if _is_folder(target) and _is_folder(file):
                    moved.append(target)
                    target.rename(kept / file.name)
                else:
                    if os.path.lexists(target):
                        _keep(target, kept / file.name)
                    moved.append(target)
                file.replace(target)
            except OSError as error:
                raise FileError(
                    f"{target} could not be written: {why_unwritable(error)}."
                ) from error
    except BaseException:
        for target in moved:
            before = kept / target.name
            replaced = not os.path.lexists(stage / target.name)
            if replaced and _is_folder(target):
                shutil.rmtree(target)
            if os.path.lexists(before):
                before.replace(target)
            elif replaced:
                target.unlink(missing_ok=True)
        raise


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _keep(file: Path, place: Path) -> None:
    """A second name for a file, or a copy of it where the disk knows no second names."""
    try:
        os.link(file, place, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(file, place, follow_symlinks=False)


def _part_name(name: str) -> str:
    """A name for what is not finished, with whose it is, for `sweep`."""
    start = name.encode("utf-8", "ignore")[:40].decode("utf-8", "ignore")
    return f".{start}-{_machine()}.{os.getpid()}-{secrets.token_hex(4)}.part"


def _machine() -> str:
    return hashlib.blake2b(platform.node().encode(), digest_size=3).hexdigest()


def sweep(folder: Path) -> None:
    """Remove what writers that were killed have left in a folder.

    What belongs to a process that still runs stays; so does, for a day, what another machine wrote.
    """
    for path in folder.iterdir():
        found = _PART.fullmatch(path.name)
        try:
            if found is None or not _is_left(found[1], int(found[2]), path.lstat().st_mtime):
                continue
            if _is_folder(path):
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError:
            # It disappeared meanwhile, or is somebody else's.
            continue


def _is_left(machine: str, process: int, written: float) -> bool:
    import psutil

    if machine != _machine():
        return written < time.time() - _DAY
    try:
        # A number that was given to another process since is no sign of life.
        owner = psutil.Process(process)
        ended = owner.status() == psutil.STATUS_ZOMBIE
        return ended or written < owner.create_time() - _CLOCKS
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


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
        errno.ENAMETOOLONG: "the name is too long",
        errno.EACCES: "reading it is not allowed",
        errno.EPERM: "reading it is not allowed",
    }.get(error.errno or 0, error.strerror or str(error))
