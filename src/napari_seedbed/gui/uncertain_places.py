"""One uncertain place after the other, searched for beside the window."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import Report, ShouldStop
from napari_seedbed.core.walker.uncertain_regions import UncertainRegion, next_uncertain_region
from napari_seedbed.gui.jobs import Job


class UncertainPlaces:
    """Finds one place after the other; knows which ones were visited.

    Parameters
    ----------
    on_found : callable
        `on_found(region or None, time)` in the window's thread.
    on_error : callable
        `on_error(error)` when the search fails.
    """

    def __init__(
        self,
        on_found: Callable[[UncertainRegion | None, int | None], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._on_found = on_found
        self._on_error = on_error
        self._visited: dict[int | None, list[tuple[int, ...]]] = {}
        self._job: Job | None = None

    def forget(self) -> None:
        """Begin anew: another image, or other seeds."""
        self._visited = {}
        self.stop()

    def stop(self) -> None:
        """Drop a search in progress."""
        if self._job is not None:
            self._job.abandon()
            self._job = None

    def visited(self, time: int | None = None) -> list[tuple[int, ...]]:
        """Places shown so far, in voxels."""
        return list(self._visited.get(time, ()))

    def find(
        self,
        uncertainty: NDArray[np.floating],
        labels: NDArray[np.integer],
        spacing: tuple[float, ...],
        time: int | None,
    ) -> None:
        """Search beside the window, then call `on_found`. One time point at a time."""
        if self._job is not None:
            return
        visited = self.visited(time)

        def search(report: Report, should_stop: ShouldStop) -> UncertainRegion | None:
            n_labels = len(np.unique(labels))
            return next_uncertain_region(uncertainty, visited, n_labels=n_labels, spacing=spacing)

        def found(region: UncertainRegion | None) -> None:
            self._job = None
            if region is not None:
                self._visited.setdefault(time, []).append(region.center)
            self._on_found(region, time)

        def failed(error: BaseException) -> None:
            self._job = None
            self._on_error(error)

        self._job = Job(search, on_done=found, on_error=failed).start()
