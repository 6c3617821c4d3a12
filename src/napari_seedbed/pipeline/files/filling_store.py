"""OME-Zarr that is looked at while a run writes it block by block."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.data.box_views import Bounds, BoxView
from napari_seedbed.pipeline.files.zarr_reading import lower_levels_of_zarr, read_zarr
from napari_seedbed.pipeline.files.zarr_store import ZarrStore

MOST_BYTES = 512 * 1024**2
"""Of lower resolutions that are kept in memory until the run has written its own."""

_STORED = ("t", "c", "z", "y", "x")


class FillingStore:
    """The resolutions of a store: the full one in its files, lower ones in memory.

    The run writes lower resolutions at its end; until then they hold one voxel of several of each
    block that is on disk. A series over time has none meanwhile.

    Parameters
    ----------
    path : Path
        Of the store, which the run has begun.

    Attributes
    ----------
    levels : list of Image
        The full resolution first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        image = read_zarr(path, path.stem, True, None)
        voxels = _FillingVoxels(path, image.axes)
        self.levels = [replace(image, array=voxels, notes=())]
        left = MOST_BYTES
        # the lowest are the smallest
        for level in reversed(lower_levels_of_zarr(path, None) if image.n_times == 1 else []):
            left -= math.prod(level.shape) * level.dtype.itemsize
            if left < 0:
                break
            empty = np.zeros(level.shape, level.dtype)
            self.levels.insert(1, replace(level, array=empty, notes=()))

    def take_written(self) -> None:
        """Take what an earlier run has left on disk."""
        full = self.levels[0]
        voxels: Any = ZarrStore(self._path).array("0")
        size = (voxels.shards or voxels.chunks)[-len(full.spatial_axes) :]
        grid = [-(-n // length) for n, length in zip(full.spatial_shape, size, strict=True)]
        before = (0,) * (voxels.ndim - len(size))
        for place in np.ndindex(*grid):
            if (self._path / "0" / voxels.metadata.encode_chunk_key((*before, *place))).is_file():
                ends = zip(place, size, full.spatial_shape, strict=True)
                self.take([slice(i * m, min(n, (i + 1) * m)) for i, m, n in ends])

    def take(self, region: Sequence[slice]) -> None:
        """A block, along the axes of space, is on disk: put it into the lower resolutions."""
        full = self.levels[0]
        if len(self.levels) == 1:
            return
        part = np.asarray(full.crop(region).array)
        for level in self.levels[1:]:
            taken, put = [slice(None)] * part.ndim, [slice(None)] * part.ndim
            for side, axis in zip(region, full.spatial_axes, strict=True):
                i = full.axes.index(axis)
                factor = _factor(full.shape[i], level.shape[i])
                first = -(-side.start // factor)
                taken[i] = slice(first * factor - side.start, None, factor)
                put[i] = slice(first, first + len(range(first * factor, side.stop, factor)))
            level.array[tuple(put)] = part[tuple(taken)]


def _factor(full: int, lower: int) -> int:
    factor = 1
    while -(-full // factor) > lower:
        factor *= 2
    return factor


class _FillingVoxels(BoxView):
    """Reads what is in the files now; nothing of it is kept."""

    def __init__(self, path: Path, axes: Sequence[str]) -> None:
        self._voxels: Any = ZarrStore(path).array("0")
        super().__init__(self._voxels.shape, self._voxels.dtype)
        stored = [axis for axis in _STORED if axis in axes]
        self._kept = tuple(stored.index(axis) for axis in axes)

    def _read(self, bounds: Bounds) -> NDArray[Any]:
        return np.asarray(self._voxels[tuple(slice(*pair) for pair in bounds)])
