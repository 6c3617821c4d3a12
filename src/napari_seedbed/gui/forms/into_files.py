"""Panels whose runs can go into files, block by block."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from napari.layers import Layer

from napari_seedbed.core.progress import Progress
from napari_seedbed.gui.forms.block_runs import BlockRuns
from napari_seedbed.gui.forms.inputs_panel import Task
from napari_seedbed.gui.forms.operation_results import Finished, OperationResults
from napari_seedbed.gui.forms.panel import RunPanel
from napari_seedbed.gui.forms.storage_choice import StorageChoice
from napari_seedbed.gui.qt import errors
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.journal.run_folders import UnfinishedRun
from napari_seedbed.pipeline.operations import Forecast, Operation


class IntoFiles(RunPanel):
    """Offers files for what is larger than memory; comes before the panel's other bases.

    Attributes
    ----------
    storage : StorageChoice
    block_runs : BlockRuns
    """

    def _offer_files(self, results: OperationResults) -> None:
        """Put the choice above the controls; called once, when these are in the form."""
        self.storage = StorageChoice()
        self.block_runs = BlockRuns(self.viewer, self.storage, results, self)
        column = self.form.column
        column.insertWidget(column.indexOf(self.controls), self.storage)
        self.storage.changed.connect(self._show_forecast)
        self.storage.resumed.connect(self._resume)
        self.storage.discarded.connect(self.block_runs.discard)
        self.controls.pause.clicked.connect(self._pause)

    # What each panel says for itself

    def _task_into_files(self) -> Task:
        """What a run into files is asked for; InputError for what is missing."""
        raise NotImplementedError

    def _take_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Show the parameters of a run that is gone on with."""
        raise NotImplementedError

    def _on_made(self, task: Task, finished: Finished) -> None:
        """Show the result."""
        raise NotImplementedError

    def _is_into_files(self) -> bool:
        """Whether the next run goes into files."""
        return self.storage.in_files

    # A run

    def run(self) -> None:
        """Run, in memory or into files."""
        if self._is_into_files():
            self._run_into_files(None)
        else:
            super().run()

    def cancel(self) -> None:
        """Stop what is running."""
        if self.block_runs.is_on:
            RunPanel.cancel(self)
        else:
            super().cancel()

    def _offer_storage(self, layer: Layer | None, image: Image | None, what: Operation) -> None:
        """Another image is chosen."""
        self.block_runs.offer(layer, image, what)
        self._show_forecast()

    def _run_into_files(self, unfinished: UnfinishedRun | None) -> None:
        if self.is_running:
            return
        with errors.shown(self._say):
            task = self._task_into_files()
            work = self.block_runs.begin(task, unfinished)
            if self._follow_box is not None:
                self.preview.finish()
            # what it takes, maybe for a part of the blocks, says nothing of runs in memory
            self._start(work, partial(self._on_written, task), is_foretold=False)
            self.controls.pause.show()

    def _resume(self) -> None:
        unfinished = self.storage.unfinished
        if unfinished is not None and not self.is_running:
            self._take_parameters(unfinished.parameters)
            self._run_into_files(unfinished)

    def _pause(self) -> None:
        self.block_runs.pause()
        self.cancel()

    def _on_written(self, task: Task, finished: Finished) -> None:
        self.block_runs.on_finished()
        self.controls.show_running(False)
        self._on_made(task, finished)

    def _on_progress(self, progress: Progress) -> None:
        super()._on_progress(progress)
        if self.block_runs.is_on and progress.message:
            self._say(self.block_runs.in_words(progress))

    def _on_cancelled(self) -> None:
        told = self.block_runs.on_stopped()
        super()._on_cancelled()
        if told:
            self.controls.show_running(False)
            self._say(told)

    def _on_error(self, error: BaseException) -> None:
        super()._on_error(error)
        if self.block_runs.is_on:
            self.controls.show_running(False)
            self.block_runs.keep(self.controls.status.text())

    # What is shown

    def _enable(self) -> None:
        super()._enable()
        self.storage.set_running(self.is_running)
        if self.block_runs.is_on:
            self.controls.run.setEnabled(False)
            self.controls.show_running(True)

    def _show_forecast(self, *_: Any) -> Forecast | None:
        forecast = super()._show_forecast()
        if forecast is not None:
            self.storage.suggest(fits=forecast.fits)
            if self._is_into_files() and forecast.blocks is not None:
                self.controls.forecast.setText(
                    f"One run, block by block into files: about {forecast.blocks.text}; in memory "
                    f"{forecast.memory_text}."
                )
        return forecast

    def _on_ended(self) -> None:
        super()._on_ended()
        self.block_runs.close()
