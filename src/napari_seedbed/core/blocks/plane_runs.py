"""Planes of labels kept as runs of equal ones: what a block tells of its faces."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class PlaneRuns:
    """A plane of labels as runs.

    Attributes
    ----------
    shape : tuple of int
    begins : (R,) ndarray of int
        Flat places at which runs begin.
    values : (R,) ndarray of int
        What they hold.
    """

    shape: tuple[int, ...]
    begins: NDArray[np.integer]
    values: NDArray[np.int32]

    @classmethod
    def of(cls, plane: NDArray[np.int32]) -> "PlaneRuns":
        """The runs of a plane (…)."""
        flat = plane.ravel()
        begins = np.flatnonzero(np.diff(flat, prepend=flat[:1] - 1))
        small = np.int32 if flat.size <= np.iinfo(np.int32).max else np.int64
        return cls(plane.shape, begins.astype(small), flat[begins])

    def plane(self) -> NDArray[np.int32]:
        """The plane itself."""
        size = int(np.prod(self.shape))
        return np.repeat(self.values, np.diff(self.begins, append=size)).reshape(self.shape)
