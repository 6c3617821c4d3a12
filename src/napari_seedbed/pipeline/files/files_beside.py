"""Other files that a file names: followed only to regular files of its own folder."""

import stat
from pathlib import Path, PurePosixPath, PureWindowsPath

from napari_seedbed.errors import FileError


def check_beside(path: Path, name: str) -> None:
    """Refuse a name that leads out of the folder of the file that gives it.

    Raises
    ------
    FileError
    """
    plain = name not in ("", ".", "..") and PurePosixPath(name).name == name
    if not plain or PureWindowsPath(name).name != name:
        raise is_elsewhere(path, name)


def is_beside(path: Path, name: str) -> bool:
    """Whether it is a regular file of the folder; a link could lead anywhere."""
    try:
        return stat.S_ISREG((path.parent / name).lstat().st_mode)
    except (OSError, ValueError):
        return False


def file_beside(path: Path, name: str) -> Path:
    """The file that a header names for its voxels.

    Raises
    ------
    FileError
        Where it is elsewhere, missing or no regular file.
    """
    check_beside(path, name)
    if not is_beside(path, name):
        raise FileError(
            f"{path} could not be read: its voxels are in the file {name}, which is not in its "
            "folder as a regular file. Put it there."
        )
    return path.parent / name


def is_elsewhere(path: Path, name: str) -> FileError:
    """What to say of a file that is not in the folder."""
    return FileError(
        f"{path} could not be read: it takes planes from {name!r}, outside its folder. Only "
        "regular files of the same folder are read; put all files of the data set into one folder."
    )
