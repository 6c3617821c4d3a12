"""Labels at many moments, of which only the newest are kept as an array."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Moment:
    """Labels at one moment, while their array goes on changing.

    A moment knows the next one and what they differ in, and no earlier one: what nobody holds is
    forgotten, and one that is held costs as much memory as voxels have changed since.

    Parameters
    ----------
    array : ndarray of int
        The labels, C-contiguous; they must change through `change` alone from now on.
    """

    def __init__(self, array: NDArray[np.integer]) -> None:
        self._array = array
        self._next: tuple[NDArray[np.intp], NDArray[np.integer], Moment] | None = None

    def change(self, places: NDArray[np.intp], labels: Any) -> "Moment":
        """Change the labels at some flat indices; return the moment after it."""
        flat = self._array.reshape(-1)
        after = Moment(self._array)
        self._next = places, flat[places], after
        flat[places] = labels
        return after

    def labels(self) -> NDArray[np.integer]:
        """Return the labels of this moment, a new array; not while another thread changes them."""
        changes = []
        following = self._next
        while following is not None:
            places, before, moment = following
            changes.append((places, before))
            following = moment._next
        array = self._array.copy()
        flat = array.reshape(-1)
        for places, before in reversed(changes):
            flat[places] = before
        return array
