"""A folder of results and its summary: what may be replaced in it, and what happened so far."""

import json
import os
import platform
import time
from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.batch.logs import LOGS, read_log
from napari_seedbed.pipeline.engine.provenance import package_version
from napari_seedbed.pipeline.files.atomic_files import (
    sweep,
    why_unreadable,
    why_unwritable,
    written_whole,
)
from napari_seedbed.pipeline.files.zarr_writing import is_all_own
from napari_seedbed.pipeline.journal.folder_lock import FolderLock

SUMMARY = "summary.json"
_SHARE = 50
"""A summary that took a second to write is written again after so many seconds."""

_HOLDER = "holder"
_TOKEN = "running-"


class ResultFolder:
    """Results of one run in a folder that may hold those of others; no other run may use it.

    Parameters
    ----------
    folder : path
        Made if it does not exist.
    sources : iterable of path
        All files that the run reads; none of them is replaced.
    recipe_name : str
        What the summary calls the recipe.
    overwrite : bool
        Whether results that a summary or a log in the folder lists may be replaced.
    resume : bool
        Whether inputs may have results that their logs in the folder list.

    Attributes
    ----------
    token : Path
        A file that is there as long as the run goes on.

    Raises
    ------
    InputError
        When another run uses the folder.
    FileError
        When the folder cannot be made, or has a summary of another program.
    """

    def __init__(
        self,
        folder: Path,
        sources: Iterable[Path],
        recipe_name: str,
        *,
        overwrite: bool = False,
        resume: bool = False,
    ) -> None:
        self.folder = folder
        self._overwrite, self._resume = overwrite, resume
        try:
            (folder / LOGS).mkdir(parents=True, exist_ok=True)
            self._lock = _lock_of(folder)
            sweep(folder)
            sweep(folder / LOGS)
            for left in (folder / LOGS).glob(f"{_TOKEN}*"):
                left.unlink(missing_ok=True)
            self.token = folder / LOGS / f"{_TOKEN}{os.getpid()}"
            self.token.touch()
        except OSError as error:
            raise FileError(f"{folder} could not be made: {why_unwritable(error)}.") from error
        # Disks that know no capital letters find this file under both names.
        self._is_caseless = (folder / LOGS / _HOLDER.upper()).exists()
        self._sources = {key: source for source in sources for key in _identities(source)}
        self._claimed: set[str] = set()
        try:
            self._earlier, self._whole = _listed(folder)
        except BaseException:
            self.__exit__()
            raise
        self._there = bool(self._earlier) or (folder / SUMMARY).exists()
        self._begun = False
        self._written, self._took = 0.0, 0.0
        self.summary: dict[str, Any] = {
            "version": package_version(),
            "recipe": recipe_name,
            # As long as not all is done: whatever ends the program, the file tells the truth.
            "cancelled": True,
            "outputs": dict(self._whole),
            "inputs": [],
            "earlier": self._earlier,
        }
        self._order: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        """Let others use the folder, and let workers know that the run is over."""
        with suppress(OSError):
            self.token.unlink(missing_ok=True)
            # of workers that were killed
            sweep(self.folder)
        if self._lock is not None:
            self._lock.release()

    def refuse_existing(self, source_name: str, names: Iterable[str]) -> None:
        """Raise FileError where results of these names would replace what has to stay.

        Parameters
        ----------
        source_name : str
            What the input is called, whose log tells its earlier results.
        names : iterable of str
        """
        log = read_log(self.folder, source_name)
        logged = set() if log is None else set(log.made)
        listed = {name for entry in self._earlier for name in entry["outputs"].values()}
        for name in names:
            target = self.folder / name
            try:
                there = _exists(target)
            except OSError as error:
                raise FileError(f"{target} cannot be written: {why_unwritable(error)}.") from error
            same = _identities(target)
            source = next((self._sources[key] for key in same if key in self._sources), None)
            if source is not None:
                raise FileError(
                    f"{target} would replace {source}, which is an input of this run; choose "
                    "another folder."
                )
            claim = name.casefold() if self._is_caseless else name
            if claim in self._claimed:
                raise FileError(
                    f"{target} is made from another input of this run; run them into different "
                    "folders."
                )
            self._claimed.add(claim)
            if not there or (self._resume and name in logged):
                continue
            if not self._overwrite:
                raise FileError(
                    f"{target} is there already; pass --overwrite to replace it, or choose "
                    "another folder."
                )
            if name not in listed | logged:
                raise FileError(
                    f"{target} is there already, and {SUMMARY} does not list it as a result of "
                    "seedbed, so it is not replaced; move it away, or choose another folder."
                )
            if target.is_dir() and not is_all_own(target):
                raise FileError(
                    f"{target} is a folder that was not all written by seedbed, so it is not "
                    "replaced; move it away, or choose another folder."
                )

    def begin(self) -> None:
        """Write a first summary, before the first input that is worked on.

        Raises
        ------
        FileError
            When it cannot be written: better now than after hours.
        """
        if not self._begun:
            self._begun = True
            self._write()

    def add(self, nth: int, entry: Mapping[str, Any]) -> None:
        """Note what became of an input, the `nth` of all."""
        place = bisect(self._order, nth)
        self._order.insert(place, nth)
        self.summary["inputs"].insert(place, entry)
        replaced = set(entry["outputs"].values())
        for old in self._earlier:
            old["outputs"] = {k: name for k, name in old["outputs"].items() if name not in replaced}
        self._earlier[:] = [old for old in self._earlier if old["outputs"]]
        is_first = len(self._order) == 1
        if is_first or time.monotonic() - self._written > _SHARE * self._took:
            # The disk may have room for what comes; the end tells whether it had.
            with suppress(FileError):
                self._write()

    def finish(self, *, cancelled: bool) -> None:
        """Write the summary.

        Raises
        ------
        FileError
            When it cannot be written.
        """
        self.summary["cancelled"] = cancelled
        self._write()

    def refuse_foreign(self, names: Iterable[str]) -> None:
        """Raise FileError where what is about all inputs would replace what is not ours."""
        for name in names:
            path = self.folder / name
            if os.path.lexists(path) and name not in self._whole.values():
                raise FileError(_foreign(path))

    def _write(self) -> None:
        # Where every input was refused, the summary that is there tells more.
        if self._there and not self._begun:
            return
        self._written = time.monotonic()
        text = json.dumps(self.summary, indent=2, ensure_ascii=False) + "\n"
        with written_whole(self.folder / SUMMARY) as temporary:
            # Bytes of a name that are no letters are escaped as JSON does.
            temporary.write_bytes(text.encode("utf-8", "backslashreplace"))
        self._took = time.monotonic() - self._written


def _lock_of(folder: Path) -> FolderLock | None:
    """The lock of a folder; None where the disk knows no locks."""
    holder = folder / LOGS / _HOLDER
    try:
        lock = FolderLock(folder / LOGS)
    except BlockingIOError as error:
        try:
            who = f" ({holder.read_text('utf-8')})"
        except OSError:
            who = ""
        raise InputError(
            f"folder: another run of seedbed{who} is writing to {folder}; wait for its end, or "
            "choose another folder."
        ) from error
    except OSError:
        return None
    holder.write_text(
        f"process {os.getpid()} on {platform.node()} since {time.strftime('%Y-%m-%d %H:%M:%S')}",
        "utf-8",
    )
    return lock


def _exists(path: Path) -> bool:
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def _identities(path: Path) -> Sequence[Any]:
    """By what a file is known: its place and, where it exists, its number on the disk."""
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return (os.path.realpath(path),)
    return (os.path.realpath(path), (stat.st_dev, stat.st_ino))


def _listed(folder: Path) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """What earlier runs made and is there still, as the folder's summary has it.

    The entries of inputs, and the names of files about all of them, by kind.
    """
    path = folder / SUMMARY
    other = FileError(_foreign(path))
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return [], {}
    except OSError as error:
        raise FileError(f"{path} could not be read: {why_unreadable(error)}.") from error
    except (ValueError, RecursionError) as error:
        raise other from error
    try:
        known = {"version": content["version"], "recipe": content["recipe"]}
        entries = [known | entry for entry in content["inputs"]] + content.get("earlier", [])
        for entry in entries:
            entry["outputs"] = {
                kind: name
                for kind, name in entry["outputs"].items()
                if os.path.lexists(folder / name)
            }
        whole = {
            kind: name
            for kind, name in content.get("outputs", {}).items()
            if os.path.lexists(folder / name)
        }
    except (LookupError, TypeError, AttributeError) as error:
        raise other from error
    return [entry for entry in entries if entry["outputs"]], whole


def _foreign(path: Path) -> str:
    return (
        f"{path} is there and was not made by seedbed, so it is not replaced; choose another "
        "folder."
    )
