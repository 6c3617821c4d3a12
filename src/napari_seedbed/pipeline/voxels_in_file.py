"""Voxels that stay in their file until they are needed."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.tiff_structure import DECODER_ERRORS

LAZY_ABOVE = 512 * 1024**2
"""Bytes; larger images are lazy by themselves."""


def lazy_voxels(path: Path, voxels: Any, *, token: object, lock: bool) -> Any:
    """A dask array over a Zarr array in a file, block by block as they are stored.

    Parameters
    ----------
    path : Path
        The file; for messages, and so that the name stays the same for the same file.
    voxels : zarr.Array
    token : object
        Which array of the file.
    lock : bool
        Whether only one thread may read at a time.
    """
    import dask.array

    stat = path.stat()
    name = f"voxels-{path.resolve()}-{token}-{stat.st_mtime_ns}-{stat.st_size}"
    array = _VoxelsInFile(path, voxels)
    return dask.array.from_array(array, chunks=array.chunks, lock=lock, name=name, asarray=False)


class _VoxelsInFile:
    """Reads parts of an array; damage found on the way is a FileError, as it is at once."""

    def __init__(self, path: Path, voxels: Any) -> None:
        self._path = path
        self._zarr = voxels
        self.shape = tuple(voxels.shape)
        self.dtype = np.dtype(voxels.dtype).newbyteorder("=")
        self.chunks = tuple(voxels.shards or voxels.chunks)
        self.ndim = len(self.shape)

    def __getitem__(self, index: Any) -> NDArray:
        try:
            return np.asarray(self._zarr[index], dtype=self.dtype)
        except (*DECODER_ERRORS, OSError) as error:
            raise FileError(f"{self._path} is damaged or was removed ({error}).") from error
