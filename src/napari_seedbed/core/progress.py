"""How a long computation tells its caller how far it is, and learns that it should stop."""

from collections.abc import Callable
from dataclasses import dataclass
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


def check_stop(should_stop: ShouldStop | None) -> None:
    """Raise `Cancelled` when `should_stop` says so."""
    if should_stop is not None and should_stop():
        raise Cancelled("The job was cancelled.")
