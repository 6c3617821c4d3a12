"""What the slice on screen looks like, as soon as that is known."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import Preview, tell
from napari_seedbed.core.seeded.evidence import Region
from napari_seedbed.core.seeded.label_painting import Painter


class Look:
    """Reports once how the slice in view comes out.

    Parameters
    ----------
    view : (region, axis, index) or None
        The slice in the volume; None where nobody looks.
    named : callable
        Labels for the numbers of labels in a region.
    """

    def __init__(
        self,
        view: tuple[Region, int, int] | None,
        named: Callable[[NDArray[np.int32], Region], NDArray[np.integer]],
    ) -> None:
        self.is_wanted = view is not None
        self._view, self._named = view, named

    def __call__(
        self,
        painter: Painter,
        done: float,
        known: NDArray[np.integer] | None = None,
        changed: Region | None = None,
    ) -> None:
        """Paint the slice in view; where labels are `known`, only what has `changed`."""
        if self._view is None or not self.is_wanted:
            return
        whole, axis, index = self._view
        if known is None:
            plane = self._painted(painter, whole)
        else:
            plane = known[whole].copy()
            part = None if changed is None else _intersection(whole, changed)
            if part is not None:
                plane[_within(part, whole)] = self._painted(painter, part)
        tell(done, "Painting", Preview(axis, index, np.take(plane, 0, axis)))
        self.is_wanted = False

    def _painted(self, painter: Painter, region: Region) -> NDArray[Any]:
        return self._named(painter.paint(region).winner, region)


def _intersection(one: Region, other: Region) -> Region | None:
    z, y, x = (
        slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
    return None if any(part.stop <= part.start for part in (z, y, x)) else (z, y, x)


def _within(part: Region, whole: Region) -> Region:
    """The place of a region in another one that it is part of."""
    z, y, x = (slice(a.start - b.start, a.stop - b.start) for a, b in zip(part, whole, strict=True))
    return z, y, x
