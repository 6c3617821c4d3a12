"""One uncertain place after the other, searched for beside the window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.walker.uncertain_regions import UncertainRegion, next_uncertain_region
from napari_seedbed.gui.qt.jobs import Jobs

_SEARCH = "uncertain place"


@dataclass(frozen=True, eq=False)
class Doubt:
    """What is known of one time point, after a run.

    Attributes
    ----------
    uncertainty, labels, second : ([Z, ]Y, X) ndarray
    spacing : tuple of float
    time : int or None
    across : int or None
        Axis across which planes are looked at.
    """

    uncertainty: NDArray[np.floating]
    labels: NDArray[np.integer]
    second: NDArray[np.integer]
    spacing: tuple[float, ...]
    time: int | None
    across: int | None


class UncertainPlaces:
    """Finds one place after the other; knows which ones were visited.

    Parameters
    ----------
    jobs : Jobs
    on_found : callable
        `on_found(region or None, time)` in the window's thread.
    on_error : callable
        `on_error(error)` when the search fails.
    """

    def __init__(
        self,
        jobs: Jobs,
        on_found: Callable[[UncertainRegion | None, int | None], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._jobs, self._on_found = jobs, on_found
        self._on_error = on_error
        self._visited: dict[int | None, list[tuple[int, ...]]] = {}

    def forget(self) -> None:
        """Begin anew: another image, or other seeds."""
        self._visited = {}
        self.stop()

    def stop(self) -> None:
        """Drop a search in progress."""
        self._jobs.cancel(_SEARCH)

    def visited(self, time: int | None = None) -> list[tuple[int, ...]]:
        """Places shown so far, in voxels."""
        return list(self._visited.get(time, ()))

    def find(self, doubt: Doubt) -> None:
        """Search beside the window, then call `on_found`. One time point at a time."""
        if _SEARCH in self._jobs and not self._jobs.is_stopping(_SEARCH):
            return
        time = doubt.time
        visited = self.visited(time)

        def search() -> UncertainRegion | None:
            return next_uncertain_region(
                doubt.uncertainty,
                visited,
                n_labels=len(np.unique(doubt.labels)),
                spacing=doubt.spacing,
                labels=doubt.labels,
                second=doubt.second,
                across=doubt.across,
            )

        def found(region: UncertainRegion | None) -> None:
            if region is not None:
                self._visited.setdefault(time, []).append(region.center)
            self._on_found(region, time)

        self._jobs.start(_SEARCH, search, found, self._on_error)


def question(region: UncertainRegion, background: int) -> str:
    """A sentence that says between which objects a region is undecided, and what depends on it.

    Parameters
    ----------
    region : UncertainRegion
    background : int
        The label that is background, which results do not hold; 0 where none is.
    """
    names = [str(label) for label in region.labels if label or not background]
    if len(names) < len(region.labels):
        names.append("background")
    return (
        f"Undecided between {_in_words(names)}: {region.change:,} "
        f"{'voxel depends' if region.change == 1 else 'voxels depend'} on it. "
        "Paint the right one; then comes the next."
    )


def _in_words(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
