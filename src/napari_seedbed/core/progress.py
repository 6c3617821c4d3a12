"""How a long computation reports its progress to its caller, and learns that it should stop.

Whoever starts a job says so once, with `running`; the loops in it call `check_stop` and `tell`.
What is set holds for everything that is called within, in threads that `napari_seedbed` starts as
well.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import Cancelled

if TYPE_CHECKING:
    from napari_seedbed.core.marks.shapes import Shape


@dataclass(frozen=True)
class Preview:
    """A first answer for one slice.

    Attributes
    ----------
    axis : int
        Spatial axis that the slice is perpendicular to.
    index : int
        Position along that axis, in voxels.
    labels : ndarray
        Labels of the slice: the image's shape without `axis` (the whole image if it is 2D).
    """

    axis: int
    index: int
    labels: NDArray[np.integer]


@dataclass(frozen=True)
class Moving:
    """Where something that moves step by step is now.

    Attributes
    ----------
    shapes : list of Shape
        Those of the present frame alone.
    labels : ndarray of int or None
        Of the present frame: a slice, or the whole volume where `index` is None.
    time : int
        Time point.
    axis : int or None
        Spatial axis that the slice is perpendicular to; None for a whole volume or a 2D image.
    index : int or None
        Position of the slice along `axis`, in voxels.
    iteration : int
        Steps done in this frame.
    changed : float
        What the last step changed: the largest move in pixels, or the fraction of the voxels.
    """

    shapes: "list[Shape]"
    labels: NDArray[np.integer] | None
    time: int
    axis: int | None
    index: int | None
    iteration: int
    changed: float


@dataclass(frozen=True)
class Progress:
    """State of a running job: `fraction` from 0 to 1, a few words, and maybe something to show."""

    fraction: float
    message: str
    preview: Preview | Moving | None = None


Report = Callable[[Progress], None]
ShouldStop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class RunningJob:
    """Where the running job reports its progress, and what says whether to stop."""

    report: Report | None = None
    should_stop: ShouldStop | None = None

    def tell(self, progress: Progress) -> None:
        """Report how far the job is, if anything listens."""
        if self.report is not None:
            self.report(progress)

    def is_stopped(self) -> bool:
        """Whether the job should stop."""
        return self.should_stop is not None and self.should_stop()


_NOBODY = RunningJob()
_job: ContextVar[RunningJob] = ContextVar("napari_seedbed_job", default=_NOBODY)


def running_job() -> RunningJob:
    """Return what the innermost `running` around this call has set."""
    return _job.get()


@contextmanager
def _as_job(job: RunningJob) -> Iterator[None]:
    token = _job.set(job)
    try:
        yield
    finally:
        _job.reset(token)


@contextmanager
def running(
    *, report: Report | None = None, should_stop: ShouldStop | None = None
) -> Iterator[None]:
    """Let what is computed within a `with` block report its progress, and stop on request.

    Parameters
    ----------
    report : callable, optional
        Called with a `Progress`, maybe by several threads. By default that of the block around.
    should_stop : callable, optional
        Asked many times a second, by several threads; true raises `Cancelled`. By default that of
        the block around.

    Examples
    --------
    >>> import threading
    >>> from napari_seedbed.core import running
    >>> stop = threading.Event()
    >>> with running(report=print, should_stop=stop.is_set):
    ...     pass  # any function; `stop.set()`, called by another thread, ends it
    """
    outer = _job.get()
    with _as_job(RunningJob(report or outer.report, should_stop or outer.should_stop)):
        yield


@contextmanager
def unwatched() -> Iterator[None]:
    """Let what is computed within a `with` block report no progress."""
    with _as_job(replace(_job.get(), report=None)):
        yield


@contextmanager
def progress_as(change: Callable[[Progress], Progress]) -> Iterator[None]:
    """Change the progress within a `with` block before it is passed on."""
    job = _job.get()
    with running(report=job.report and (lambda told: job.tell(change(told)))):
        yield


def part_of(nth: int, count: int, prefix: str = "") -> AbstractContextManager[None]:
    """Take the progress within a `with` block for that of the `nth`, from 0, of so many parts."""

    def change(told: Progress) -> Progress:
        fraction = (nth + told.fraction) / count
        return replace(told, fraction=fraction, message=prefix + told.message)

    return progress_as(change)


def check_stop() -> None:
    """Raise `Cancelled` when the running job should stop."""
    should_stop = _job.get().should_stop
    if should_stop is not None and should_stop():
        raise Cancelled("The job was cancelled.")


def tell(fraction: float, message: str, preview: Preview | Moving | None = None) -> None:
    """Report how far the running job is, if anything listens."""
    job = _job.get()
    if job.report is not None:
        job.report(Progress(fraction, message, preview))
