"""Flat arrays with a border of one voxel around them, so that no neighbour lies outside."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError


@dataclass(frozen=True)
class BorderedGrid:
    """How an image lies in flat arrays with a border.

    Attributes
    ----------
    shape : tuple of int
        Of the image.
    """

    shape: tuple[int, ...]

    @property
    def strides(self) -> NDArray[np.int64]:
        """How far apart neighbours along each axis are."""
        outer = [n + 2 for n in self.shape]
        return np.array([int(np.prod(outer[i + 1 :])) for i in range(len(outer))], np.int64)

    def ways(self, corners: bool) -> NDArray[np.int64]:
        """Ways (N, D) to neighbours, nearest first: that share a face, or a corner as well."""
        around = [m for m in product((-1, 0, 1), repeat=len(self.shape)) if any(m)]
        if not corners:
            around = [m for m in around if sum(map(abs, m)) == 1]
        return np.array(sorted(around, key=lambda m: sum(map(abs, m))), np.int64)

    def steps(self, corners: bool) -> NDArray[np.int64]:
        """How far apart in the flat arrays these neighbours are."""
        return self.ways(corners) @ self.strides

    def flat(self, array: NDArray[Any], dtype: Any, border: int = 0) -> NDArray[Any]:
        """A copy of an array (…, *shape), flat but for axes before, with a border."""
        lead = array.ndim - len(self.shape)
        outer = (*array.shape[:lead], *(n + 2 for n in self.shape))
        out = np.full(outer, border, dtype)
        out[(slice(None),) * lead + self._inner] = array
        return out.reshape(*array.shape[:lead], -1)

    def image(self, flat: NDArray[Any]) -> NDArray[Any]:
        """The image again, without the border."""
        return np.ascontiguousarray(flat.reshape([n + 2 for n in self.shape])[self._inner])

    @property
    def _inner(self) -> tuple[slice, ...]:
        return (slice(1, -1),) * len(self.shape)


def check_corners(connectivity: str) -> bool:
    """Whether voxels that share only a corner are neighbours: 'faces' or 'corners'."""
    if connectivity not in ("faces", "corners"):
        raise InputError(f"connectivity is {connectivity!r}; it must be 'faces' or 'corners'.")
    return connectivity == "corners"
