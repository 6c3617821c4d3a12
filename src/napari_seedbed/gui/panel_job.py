"""The one job that a panel runs at a time, told by its run controls."""

from collections.abc import Callable
from typing import Any

from napari_seedbed.core.progress import Progress
from napari_seedbed.gui import errors
from napari_seedbed.gui.jobs import Job
from napari_seedbed.gui.run_controls import RunControls


class PanelJob:
    """What a panel does with its job, for panels to inherit from.

    Attributes
    ----------
    job : Job or None
        The one that runs.
    """

    job: Job | None = None

    def _controls(self) -> RunControls:
        """The controls that tell of the job."""
        raise NotImplementedError

    def _show_running(self, running: bool) -> None:
        """Switch buttons as a job begins or ends."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Stop; what is shown stays."""
        if self.job is not None:
            self._say("Stopping…")
            self.job.cancel()

    def _start(
        self, work: Callable[..., Any], on_done: Callable[[Any], None], message: str
    ) -> None:
        """Begin a job beside the window."""
        self.job = Job(
            work,
            on_done=on_done,
            on_error=self._on_error,
            on_progress=self._on_progress,
            on_cancelled=self._on_cancelled,
        )
        self._say(message)
        self._show_running(True)
        self.job.start()

    def _on_progress(self, progress: Progress) -> None:
        self._controls().show_progress(progress)
        self._say(progress.message)

    def _on_error(self, error: BaseException) -> None:
        self._end(errors.show(error))

    def _on_cancelled(self) -> None:
        self._end("Cancelled.")

    def _end(self, message: str) -> None:
        self.job = None
        self._show_running(False)
        self._say(message)

    def _say(self, message: str) -> None:
        self._controls().say(message)
