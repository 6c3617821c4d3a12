"""The folders of journals: one for each window, held while it is open, and those left over."""

import os
import secrets
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.files.atomic_files import why_unwritable
from napari_seedbed.pipeline.journal.folder_lock import FolderLock
from napari_seedbed.pipeline.journal.kept_work import KeptWork, newest_generation, read_work

ROOT_VARIABLE = "NAPARI_SEEDBED_JOURNALS"
"""Names another folder for journals."""

DAYS_LEFT = 30
"""How long the work of windows that ended at once is kept."""
DAYS_CLOSED, MOST_CLOSED = 14, 5
"""How long that of windows that were closed is kept, and of how many."""

_CLOSED = "closed"
_DAY = 86400.0
_MAKING = 60.0
"""Seconds in which a folder without a journal may be about to get one."""


def journals_root() -> Path:
    """The folder of all journals, whether it is there or not."""
    given = os.environ.get(ROOT_VARIABLE)
    if given:
        return Path(given)
    return platformdirs.user_data_path("napari-seedbed", appauthor=False) / "journals"


class SessionFolder:
    """A folder that this process holds, until it is released or removed.

    Parameters
    ----------
    path : Path

    Raises
    ------
    BlockingIOError
        Where another window holds it.
    OSError
        Where it cannot be held.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FolderLock(path)

    @classmethod
    def new(cls, root: Path) -> "SessionFolder":
        """Make a new one.

        Raises
        ------
        FileError
            Where the operating system refuses.
        """
        path = root / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{secrets.token_hex(3)}"
        try:
            path.mkdir(parents=True)
            return cls(path)
        except OSError as error:
            shutil.rmtree(path, ignore_errors=True)  # there are disks without locks
            raise FileError(
                f"Autosave could not write to {root}: {why_unwritable(error)}."
            ) from error

    def close(self) -> None:
        """Say that the window was closed in the ordinary way, or its work is not wanted now."""
        (self.path / _CLOSED).touch()

    def release(self) -> None:
        """Let others have it."""
        self._lock.release()

    def put_aside(self) -> None:
        """Keep it as if the window had been closed in the ordinary way, and let others have it."""
        with suppress(OSError):
            self.close()
        self.release()

    def remove(self) -> None:
        """Take it off the disk."""
        for file in self.path.iterdir():
            if file != self._lock.path:
                file.unlink(missing_ok=True)
        # Windows removes no file that is open
        self._lock.release()
        shutil.rmtree(self.path, ignore_errors=True)


@dataclass(frozen=True, eq=False)
class Left:
    """The folder of a window, which may be no more.

    Attributes
    ----------
    folder : Path
    time : float
        When the last change was kept, in seconds since 1970.
    n_bytes : int
    is_closed : bool
        Whether the window was closed in the ordinary way.
    """

    folder: Path
    time: float
    n_bytes: int
    is_closed: bool


@dataclass(frozen=True, eq=False)
class EarlierWork(Left):
    """What a window that is no more has left.

    Attributes
    ----------
    work : KeptWork
        Without voxels.
    """

    work: KeptWork

    @property
    def layer_names(self) -> list[str]:
        """Those of the layers with marks, from above to below."""
        return [layer.name for layer in reversed(self.work.layers.values()) if layer.marks]

    @property
    def project(self) -> Path | None:
        """The project that all of it is in, which is still there; None where it is in none."""
        path = Path(self.work.project)
        return path if self.work.project and path.is_file() else None


def earlier_works(root: Path) -> list[EarlierWork]:
    """All that windows have left in which somebody drew, the newest first.

    What another window holds is not among it, nor what cannot be read.
    """
    found = []
    for left in _all_left(root):
        session = held(left.folder)
        if session is None:
            continue
        try:
            work = read_work(left.folder, with_voxels=False)
        except OSError:
            continue
        finally:
            session.release()
        if work.has_marks:
            found.append(EarlierWork(left.folder, left.time, left.n_bytes, left.is_closed, work))
    return found


def discard(folder: Path) -> None:
    """Remove what a window has left, unless another holds it now."""
    session = held(folder)
    if session is not None:
        with suppress(OSError):  # it disappears meanwhile, or is somebody else's
            session.remove()


def set_aside(folder: Path) -> None:
    """Keep what a window has left as if that had been closed in the ordinary way."""
    session = held(folder)
    if session is not None:
        session.put_aside()


def is_left(folder: Path) -> bool:
    """Whether what a window has left is still there, and no other window holds it."""
    session = held(folder)
    if session is not None:
        session.release()
    return session is not None


def make_room(root: Path, max_bytes: int) -> None:
    """Remove what is older or more than is kept.

    Parameters
    ----------
    root : Path
    max_bytes : int
        For all together; what was closed in the ordinary way goes first, then the oldest.
    """
    now = time.time()
    n_closed = 0
    kept: list[Left] = []
    for one in _all_left(root):
        age = (now - one.time) / _DAY
        n_closed += one.is_closed
        too_many = age > DAYS_CLOSED or n_closed > MOST_CLOSED
        if age > DAYS_LEFT or (one.is_closed and too_many):
            discard(one.folder)
        else:
            kept.append(one)
    total = sum(one.n_bytes for one in kept)
    for one in sorted(kept, key=lambda one: (not one.is_closed, one.time)):
        if total <= max_bytes:
            return
        discard(one.folder)
        total -= one.n_bytes


def _all_left(root: Path) -> list[Left]:
    """All folders with a journal, the newest first; those that never got one are removed."""
    try:
        paths = sorted(path for path in root.iterdir() if path.is_dir())
    except OSError:
        return []
    found = []
    for path in paths:
        try:
            file = newest_generation(path)
            changed = (file or path).stat().st_mtime
            n_bytes = sum(one.stat().st_size for one in path.iterdir())
        except OSError:
            continue  # it disappears meanwhile
        if file is not None:
            found.append(Left(path, changed, n_bytes, (path / _CLOSED).exists()))
        elif time.time() - changed > _MAKING:
            discard(path)
    return sorted(found, key=lambda one: one.time, reverse=True)


def held(path: Path) -> SessionFolder | None:
    """Hold a folder; None where somebody else does, or it is gone."""
    try:
        return SessionFolder(path)
    except OSError:
        return None
