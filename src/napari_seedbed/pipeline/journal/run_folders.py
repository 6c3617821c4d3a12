"""Folders that runs in blocks write their results into, and what tells of those not over."""

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.data.plain_values import to_plain
from napari_seedbed.pipeline.files.atomic_files import why_unwritable, written_whole
from napari_seedbed.pipeline.journal.folder_lock import NAME, FolderLock

RUN_FILE = "unfinished_run.json"

_NOT_IN_NAMES = re.compile(r"[^\w.() -]+")


@dataclass(frozen=True)
class UnfinishedRun:
    """A run that was paused, or whose process ended.

    Attributes
    ----------
    folder : Path
        Of its results.
    operation : str
    parameters : dict
    source : str
        The file of its image, or the image's name where it is in no file.
    """

    folder: Path
    operation: str
    parameters: Mapping[str, Any]
    source: str

    def note(self) -> None:
        """Keep it in its folder, which is made where it is not there.

        Raises
        ------
        FileError
            When it cannot be written.
        """
        said = {
            "operation": self.operation,
            "parameters": to_plain(dict(self.parameters), {}, "parameters"),
            "source": self.source,
        }
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(
                f"{self.folder} could not be written: {why_unwritable(error)}."
            ) from error
        with written_whole(self.folder / RUN_FILE) as path:
            path.write_text(json.dumps(said), encoding="utf-8")

    def hold(self) -> FolderLock | None:
        """Let nobody else go on with it or remove it, until the lock is released.

        Returns
        -------
        FolderLock or None
            None where the disk knows no locks.

        Raises
        ------
        InputError
            When it is under way, in this process or another.
        """
        try:
            return FolderLock(self.folder)
        except BlockingIOError as error:
            raise InputError(
                f"'{self.folder.name}' is under way in another panel or window; wait for its end."
            ) from error
        except OSError:
            return None

    @property
    def is_held(self) -> bool:
        """Whether it is under way."""
        try:
            lock = self.hold()
        except InputError:
            return True
        if lock is not None:
            lock.release()
        return False

    def finish(self) -> None:
        """It is over: only its results stay."""
        for name in (RUN_FILE, NAME):
            (self.folder / name).unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove its folder, unless something else than its stores lies there.

        A run that is under way, or that somebody has finished meanwhile, stays.
        """
        if not (self.folder / RUN_FILE).is_file() or self.is_held:
            return
        for store in self.folder.glob("*.zarr"):
            shutil.rmtree(store, ignore_errors=True)
        self.finish()
        if not any(self.folder.iterdir()):
            self.folder.rmdir()


def new_folder(parent: Path, name: str) -> Path:
    """A folder that is not there yet: ``name``, ``name 2`` …"""
    name = _NOT_IN_NAMES.sub(" ", name).strip(" .")[:100] or "results"
    folder, number = parent / name, 2
    while folder.exists():
        folder, number = parent / f"{name} {number}", number + 1
    return folder


def unfinished_runs(parent: Path, operation: str, source: str) -> list[UnfinishedRun]:
    """Runs of an operation on an image that are neither over nor under way, by their folders."""
    found = []
    try:
        files = sorted(parent.glob(f"*/{RUN_FILE}"))
    except OSError:
        return []
    for file in files:
        run = _read(file)
        is_wanted = run is not None and (run.operation, run.source) == (operation, source)
        if run is not None and is_wanted and not run.is_held:
            found.append(run)
    return found


def is_writable(folder: Path) -> bool:
    """Whether results can be written into a folder."""
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _read(file: Path) -> UnfinishedRun | None:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        return UnfinishedRun(
            file.parent, str(said["operation"]), dict(said["parameters"]), str(said["source"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
