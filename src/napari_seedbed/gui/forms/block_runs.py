"""Runs of a form block by block into files: paused, gone on with, and shown while they fill in."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import QObject

from napari_seedbed.core.progress import Progress
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.filling_layers import FillingLayers
from napari_seedbed.gui.forms.inputs_panel import Task
from napari_seedbed.gui.forms.operation_results import Finished, OperationResults, counted
from napari_seedbed.gui.forms.storage_choice import StorageChoice
from napari_seedbed.gui.layers.autosaved_layers import file_of
from napari_seedbed.gui.layers.chain_names import name_in_chain, step_name
from napari_seedbed.gui.layers.image_layers import ImageLayer
from napari_seedbed.gui.layers.resolutions import place_in_view
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.memory import seconds_in_words
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.engine.block_plans import Blocks
from napari_seedbed.pipeline.engine.block_runs import may_work_in_blocks
from napari_seedbed.pipeline.files.image_reading import lower_levels
from napari_seedbed.pipeline.files.places import is_url, place_of
from napari_seedbed.pipeline.journal.folder_lock import FolderLock
from napari_seedbed.pipeline.journal.run_folders import UnfinishedRun, new_folder, unfinished_runs
from napari_seedbed.pipeline.operations import Operation

_DISCARD_SECONDS = 3.0
"""Blocks that were begun before a run was cancelled are written within this time, as a rule."""


class BlockRuns(QObject):
    """What a form does for runs into files.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    storage : StorageChoice
    results : OperationResults
    parent : QObject
    """

    def __init__(
        self,
        viewer: ViewerModel,
        storage: StorageChoice,
        results: OperationResults,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._storage, self._results = viewer, storage, results
        self._run: UnfinishedRun | None = None
        self._hold: FolderLock | None = None
        self._filling: FillingLayers | None = None
        self._is_pausing = False
        self._left = _TimeLeft()
        self._gone: list[UnfinishedRun] = []
        self._discard_soon = Delay(self, _DISCARD_SECONDS, self._remove_gone)

    @property
    def is_on(self) -> bool:
        """Whether the run that is under way is one into files."""
        return self._run is not None

    def offer(self, layer: Layer | None, image: Image | None, operation: Operation) -> None:
        """Another image is chosen: offer files for it, and what is left of earlier runs."""
        possible = image is not None and image.is_lazy and _may(operation, image)
        beside = None if layer is None else _folder_of(layer)
        self._storage.offer(beside, possible=possible)
        self._storage.show_unfinished(None)
        if possible and layer is not None and beside is not None:
            gone = [run.folder for run in self._gone]
            runs = unfinished_runs(beside, operation.name, _source_of(layer))
            found = [run for run in runs if run.folder not in gone]
            if found:
                self._storage.show_unfinished(found[-1], _unfinished_in_words(found[-1]))

    def begin(self, task: Task, resumed: UnfinishedRun | None) -> Callable[[], Finished]:
        """What the job of the run does.

        Parameters
        ----------
        task : Task
        resumed : UnfinishedRun or None
            The one to go on with.

        Raises
        ------
        InputError
            When no folder is chosen, or the run is gone on with elsewhere.
        FileError
            When it cannot be written into.
        """
        parent = self._storage.parent_folder
        operation, given = task.operation, task.given
        if resumed is None:
            if parent is None:
                raise InputError("Result in: choose a folder for the files first.")
            title = f"{name_in_chain(given.like)} {step_name(operation, task.parameters)}"
            folder = new_folder(parent, title)
            resumed = UnfinishedRun(folder, operation.name, task.parameters, _source_of(given.like))
            resumed.note()
        self._hold = resumed.hold()
        self._remove_gone()
        self._run, self._is_pausing, self._left = resumed, False, _TimeLeft()
        self._drop_filling()
        show = partial(self._results.show_filling, (operation, task.parameters))
        self._filling = FillingLayers(
            resumed.folder, lambda key, levels: show(key, levels, task.origin), self
        )
        near = place_in_view(self._viewer, given.like, given.time_axis)
        self._storage.show_unfinished(None)
        blocks = Blocks(resumed.folder, near=near, watch=self._filling.take)
        return partial(_run, operation, dict(given.inputs), task.parameters, blocks)

    def in_words(self, progress: Progress) -> str:
        """How far it is, and the time left."""
        left = self._left.after(progress.fraction)
        said = f"{progress.message[:1].upper()}{progress.message[1:]}"
        return f"{said}, {seconds_in_words(left)} left" if left is not None else said

    def pause(self) -> None:
        """The run will be cancelled, and gone on with later."""
        self._is_pausing = True

    def on_finished(self) -> None:
        """All is written."""
        run = self._run
        self._end()
        # its layers, if they stay, show the result
        self._drop_filling()
        if run is not None:
            run.finish()

    def on_stopped(self) -> str:
        """It was paused or cancelled, or failed; what to say of that, where it was no failure."""
        run = self._run
        self._end(keep_layers=self._is_pausing)
        if run is None:
            return ""
        if not self._is_pausing:
            self._gone.append(run)
            self._discard_soon.start()
            return "Cancelled."
        self._storage.show_unfinished(run, _unfinished_in_words(run))
        return "Paused; what is written stays. Press Resume to go on, also after a restart."

    def keep(self, why: str) -> None:
        """It failed: what is written stays and can be gone on with."""
        run = self._run
        self._end(keep_layers=True)
        if run is not None:
            self._storage.show_unfinished(run, f"{_unfinished_in_words(run)} {why}")

    def discard(self) -> None:
        """Remove what the unfinished run has written, and its layers."""
        run = self._storage.unfinished
        self._storage.show_unfinished(None)
        if run is None:
            return
        if self._filling is not None and self._filling.folder == run.folder:
            self._remove_layers()
        run.discard()

    def close(self) -> None:
        """The window goes away; what is written stays."""
        self._let_go()
        if self._filling is not None:
            self._filling.close()
        self._remove_gone()

    def _end(self, *, keep_layers: bool = True) -> None:
        self._run = None
        self._let_go()
        if self._filling is not None:
            self._filling.close()
        if not keep_layers:
            self._remove_layers()

    def _let_go(self) -> None:
        hold, self._hold = self._hold, None
        if hold is not None:
            hold.release()

    def _remove_layers(self) -> None:
        for layers in [] if self._filling is None else self._filling.layers.values():
            for layer in layers:
                if layer in self._viewer.layers:
                    self._viewer.layers.remove(layer)
        self._drop_filling()

    def _drop_filling(self) -> None:
        """Leave its layers alone from now on, and keep nothing of what is in them."""
        filling, self._filling = self._filling, None
        if filling is not None:
            filling.close()
            filling.deleteLater()

    def _remove_gone(self) -> None:
        gone, self._gone = self._gone, []
        for run in gone:
            with suppress(OSError):
                run.discard()


def _may(operation: Operation, image: Image) -> bool:
    """Whether an operation can work block by block, with its usual parameters at least."""
    return may_work_in_blocks(operation, image, operation.defaults(image.spacing))


def _unfinished_in_words(run: UnfinishedRun) -> str:
    return f"'{run.folder.name}' is not finished."


class _TimeLeft:
    """How long the rest of what is under way takes, as it went so far."""

    def __init__(self) -> None:
        self._began = (time.monotonic(), 0.0)
        self._last = 0.0

    def after(self, fraction: float) -> float | None:
        """Seconds; None while that would be a guess."""
        now = time.monotonic()
        if fraction < self._last:
            # something else has begun
            self._began = (now, fraction)
        self._last = fraction
        since, first = self._began
        done, seconds = fraction - first, now - since
        if done < 0.02 or seconds < 2:
            return None
        return seconds / done * (1 - fraction)


def _run(
    operation: Operation,
    inputs: dict[str, Image | Shapes],
    parameters: Mapping[str, Any],
    blocks: Blocks,
) -> Finished:
    result = operations.run(operation, dict(inputs), parameters, blocks=blocks)
    inputs.clear()
    finished = counted(result)
    lower = {
        key: lower_levels(str(blocks.folder / f"{key}.zarr"), None)
        for key, output in result.outputs.items()
        if isinstance(output, Image) and output.is_lazy
    }
    return Finished(finished.result, finished.counts, lower)


def _folder_of(layer: Layer) -> Path | None:
    """The folder that holds the file of an image; None where it is in no file of this machine."""
    if not isinstance(layer, ImageLayer):
        return None
    path = file_of(layer)[0]
    place = place_of(path)
    return None if not path or is_url(place) else place.parent


def _source_of(layer: Layer) -> str:
    """What tells an image from others after a restart."""
    if not isinstance(layer, ImageLayer):
        return str(layer.name)
    path, series, channel = file_of(layer)
    return f"{path} {series or 1} {channel or 0}" if path else str(layer.name)
