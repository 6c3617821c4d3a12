"""A folder of results and its summary: what may be replaced in it, and what happened so far."""

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.atomic_files import (
    moved_together,
    sweep,
    why_unreadable,
    why_unwritable,
    written_whole,
)
from napari_seedbed.pipeline.provenance import package_version

SUMMARY = "summary.json"
# Seconds; a summary that takes longer to write is written less often than after each input.
_QUICK = 0.05
_SHARE = 20


class ResultFolder:
    """Results of one run in a folder that may hold those of others.

    Parameters
    ----------
    folder : path
        Made if it does not exist.
    sources : iterable of path
        All files that the run reads; none of them is replaced.
    recipe_name : str
        What the summary calls the recipe.
    overwrite : bool
        Whether results that a summary in the folder lists may be replaced.

    Raises
    ------
    FileError
        When the folder cannot be made, or has a summary of another program.
    """

    def __init__(
        self, folder: Path, sources: Iterable[Path], recipe_name: str, overwrite: bool
    ) -> None:
        self.folder = folder
        self._overwrite = overwrite
        try:
            folder.mkdir(parents=True, exist_ok=True)
            sweep(folder)
        except OSError as error:
            raise FileError(f"{folder} could not be made: {why_unwritable(error)}.") from error
        self._sources = {key: source for source in sources for key in _identities(source)}
        self._made: set[Any] = set()
        self._earlier = _listed(folder)
        self._there = bool(self._earlier) or (folder / SUMMARY).exists()
        self._begun = False
        self._written, self._took = 0.0, 0.0
        self._error: FileError | None = None
        self.summary: dict[str, Any] = {
            "version": package_version(),
            "recipe": recipe_name,
            # As long as not all is done: whatever ends the program, the file tells the truth.
            "cancelled": True,
            "inputs": [],
            "earlier": self._earlier,
        }

    def refuse_existing(self, names: Iterable[str]) -> None:
        """Raise FileError where results of these names would replace what has to stay."""
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
            if not there:
                continue
            if self._made.intersection(same):
                raise FileError(
                    f"{target} was made from another input of this run; run them into different "
                    "folders."
                )
            if not self._overwrite:
                raise FileError(
                    f"{target} is there already; pass --overwrite to replace it, or choose "
                    "another folder."
                )
            if name not in listed:
                raise FileError(
                    f"{target} is there already, and {SUMMARY} does not list it as a result of "
                    "seedbed, so it is not replaced; move it away, or choose another folder."
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

    @contextmanager
    def results(self) -> Iterator[Path]:
        """A place for the results of one input, which come to the folder together or not at all."""
        with moved_together(self.folder) as stage:
            yield stage
            names = [path.name for path in stage.iterdir()]
        for name in names:
            self._made.update(_identities(self.folder / name))

    def add(self, entry: Mapping[str, Any]) -> None:
        """Note what became of an input."""
        self.summary["inputs"].append(entry)
        replaced = set(entry["outputs"].values())
        for old in self._earlier:
            old["outputs"] = {k: name for k, name in old["outputs"].items() if name not in replaced}
        self._earlier[:] = [old for old in self._earlier if old["outputs"]]
        if self._took < _QUICK or time.monotonic() - self._written > _SHARE * self._took:
            try:
                self._write()
            except FileError:
                # The disk may have room for what comes; the end tells whether it had.
                self._took = _QUICK

    def finish(self, *, cancelled: bool) -> None:
        """Write the summary.

        Raises
        ------
        FileError
            When it cannot be written.
        """
        self.summary["cancelled"] = cancelled
        self._write()

    def _write(self) -> None:
        # Where every input was refused, the summary that is there tells more.
        if self._there and not self._begun:
            return
        start = time.monotonic()
        text = json.dumps(self.summary, indent=2, ensure_ascii=False) + "\n"
        with written_whole(self.folder / SUMMARY) as temporary:
            # Bytes of a name that are no letters are escaped as JSON does.
            temporary.write_bytes(text.encode("utf-8", "backslashreplace"))
        self._written = time.monotonic()
        self._took = self._written - start


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


def _listed(folder: Path) -> list[dict[str, Any]]:
    """Entries of earlier runs whose results are there still, as the folder's summary has them."""
    path = folder / SUMMARY
    other = FileError(
        f"{path} is there and was not made by seedbed, so it is not replaced; choose another "
        "folder."
    )
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return []
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
    except (LookupError, TypeError, AttributeError) as error:
        raise other from error
    return [entry for entry in entries if entry["outputs"]]
