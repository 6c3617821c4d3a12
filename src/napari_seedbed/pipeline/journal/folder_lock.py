"""A folder that one window works in: the lock goes with the process, however that ends."""

import os
from io import BufferedRandom
from pathlib import Path
from weakref import WeakSet

try:
    import fcntl
except ImportError:  # Windows, which has msvcrt instead
    fcntl = None  # type: ignore[assignment]

NAME = "lock"


class FolderLock:
    """Holds a folder, for as long as the process lives or until it is released.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    path : Path
        Of the file that is locked.

    Raises
    ------
    BlockingIOError
        Where somebody holds it already, in this process or another.
    OSError
        Where the disk or the system knows no locks.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._file = self.path.open("a+b")
        try:
            _lock(self._file)
        except OSError:
            self._file.close()
            raise
        _held.add(self)

    def release(self) -> None:
        """Let others have the folder."""
        _held.discard(self)
        if not self._file.closed:
            _unlock(self._file)
            self._file.close()

    def leave_to_parent(self) -> None:
        """Hold it no more in a copy of the process that locked it, which holds it on."""
        self._file.close()


_held: WeakSet[FolderLock] = WeakSet()


def _after_fork() -> None:
    """A child that is a copy of this process would hold the locks on when this one ends."""
    for lock in list(_held):
        lock.leave_to_parent()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _lock(file: BufferedRandom) -> None:
    """Lock the first byte of a file, which need not be there."""
    if fcntl is not None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    try:
        import msvcrt
    except ImportError as error:
        raise OSError("this system knows no locks of files") from error
    file.seek(0)
    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except PermissionError as error:
        raise BlockingIOError(error.errno, "somebody holds the folder") from error


def _unlock(file: BufferedRandom) -> None:
    """Unlock it now; Windows may take its time with what is only closed."""
    if fcntl is None:
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
