"""What is known of each finished input of a batch, by which a later run knows what is finished."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.engine.provenance import package_version
from napari_seedbed.pipeline.files.atomic_files import why_unreadable, written_whole

LOGS = "logs"
"""The folder beside the results that holds a log for each input."""

_PIECE = 1 << 20


@dataclass(frozen=True)
class Log:
    """How the results of an input were made.

    Attributes
    ----------
    made_from : dict
        Digests of the recipe with its options, of the input, and of the second image if any.
    made : dict
        Digests of the results, by file name.
    entry : dict
        The summary's entry.
    is_moving : bool
        Whether the results were not yet all at their places.
    picture : str
        A small JPEG of the result, in base 64; empty where there is none.
    sizes : tuple of float
        Sizes of the objects; some of them where there are very many.
    version : str
        Of napari-seedbed.
    """

    made_from: Mapping[str, str]
    made: Mapping[str, str]
    entry: Mapping[str, Any]
    is_moving: bool = False
    picture: str = ""
    sizes: tuple[float, ...] = ()
    version: str = field(default_factory=package_version)

    def is_whole(self, folder: Path) -> bool:
        """Whether all results are in the folder as they were written."""
        return not self.is_moving and all(
            digest_if_there(folder / name) == digest for name, digest in self.made.items()
        )

    def changed(self, folder: Path) -> list[str]:
        """Names of results that somebody changed since they were written."""
        if self.is_moving:
            return []
        there = {name: digest_if_there(folder / name) for name in self.made}
        return [name for name, now in there.items() if now not in (None, self.made[name])]


def read_log(folder: Path, name: str) -> Log | None:
    """The log of the input of a name in a folder of results; None where there is none.

    Raises
    ------
    FileError
        When a file of that name is something else.
    """
    path = log_path(folder, name)
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError(f"{path} could not be read: {why_unreadable(error)}.") from error
    except (ValueError, RecursionError):
        content = None
    try:
        log = Log(**content)
        whole = all(isinstance(text, str) for text in (log.version, log.picture, *log.made))
        entry_is_ours = {"input", "outputs", "objects", "seconds"} <= set(log.entry)
    except TypeError:
        whole = entry_is_ours = False
    if not whole or not entry_is_ours:
        raise FileError(
            f"{path} is there and is no log of seedbed, so it is not replaced; choose another "
            "folder."
        )
    return log


def log_if_read(folder: Path, name: str) -> Log | None:
    """As `read_log`; None also where a file of that name is something else."""
    try:
        return read_log(folder, name)
    except FileError:
        return None


def write_log(folder: Path, name: str, log: Log) -> None:
    """Write the log of an input; whole or not at all. One of files that are moved is soon replaced.

    Raises
    ------
    FileError
        When it cannot be written.
    """
    text = json.dumps(vars(log), ensure_ascii=False)
    with written_whole(log_path(folder, name), lasts=not log.is_moving) as temporary:
        temporary.write_bytes(text.encode("utf-8", "backslashreplace"))


def log_path(folder: Path, name: str) -> Path:
    """Where the log of the input of a name lies."""
    return folder / LOGS / f"{name}.json"


def digest_of_text(text: str) -> str:
    """Digest of a text."""
    return hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()


def digest_if_there(path: Path) -> str | None:
    """Digest of a file or folder; None where there is none."""
    try:
        return digest_of_paths([path])
    except (FileNotFoundError, NotADirectoryError):
        return None


def digest_of_paths(paths: Iterable[Path]) -> str:
    """Digest of what is in files; of a folder, of the names, sizes and dates of all in it.

    Raises
    ------
    OSError
        When one cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        if path.is_dir():
            for place, folders, names in os.walk(path):
                folders.sort()
                for name in sorted(names):
                    file = Path(place, name)
                    about = file.stat()
                    known = (str(file.relative_to(path)), about.st_size, about.st_mtime_ns)
                    digest.update(repr(known).encode())
            continue
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                digest.update(piece)
    return digest.hexdigest()
