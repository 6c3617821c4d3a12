"""Jobs beside the window, one at a time for each purpose."""

from collections.abc import Callable
from typing import Any

from napari_seedbed.core.progress import Progress
from napari_seedbed.gui.jobs import Job, JobFunction


class PurposeJobs:
    """Keeps the jobs of a panel: a newer one for the same purpose takes the place of the older.

    Parameters
    ----------
    on_end : callable
        Called whenever a job has ended, after what it was for.
    """

    def __init__(self, on_end: Callable[[], None]) -> None:
        self._on_end = on_end
        self._jobs: dict[str, Job] = {}

    def __contains__(self, purpose: str) -> bool:
        return purpose in self._jobs

    def __len__(self) -> int:
        return len(self._jobs)

    def start(
        self,
        purpose: str,
        function: JobFunction,
        on_done: Callable[[Any], None],
        on_error: Callable[[BaseException], None],
        *,
        on_progress: Callable[[Progress], None] | None = None,
        on_cancelled: Callable[[], None] | None = None,
    ) -> None:
        """Begin a job; one that is under way for the purpose is not wanted any more."""
        before = self._jobs.pop(purpose, None)
        if before is not None:
            before.abandon()

        def ended(tell: Callable[..., None] | None, *what: Any) -> None:
            self._jobs.pop(purpose, None)
            if tell is not None:
                tell(*what)
            self._on_end()

        job = Job(
            function,
            on_done=lambda result: ended(on_done, result),
            on_error=lambda error: ended(on_error, error),
            on_progress=on_progress,
            on_cancelled=lambda: ended(on_cancelled),
        )
        self._jobs[purpose] = job
        job.start()

    def cancel(self, purpose: str) -> None:
        """Ask the job of a purpose to stop."""
        if purpose in self._jobs:
            self._jobs[purpose].cancel()

    def close(self) -> None:
        """Stop all of them and call nobody any more."""
        self._on_end = _nothing
        for job in self._jobs.values():
            job.abandon()
        self._jobs.clear()


def _nothing() -> None:
    pass
