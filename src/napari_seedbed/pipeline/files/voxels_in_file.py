"""Voxels that stay in their file until they are needed."""

import hashlib
import math
import os
import weakref
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop
from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.files.declared_size import check_declared, check_memory
from napari_seedbed.pipeline.files.places import is_url, network_errors
from napari_seedbed.pipeline.files.tiff_structure import DECODER_ERRORS
from napari_seedbed.pipeline.files.whole_blocks import with_whole_blocks

LAZY_ABOVE = 512 * 1024**2
"""Bytes; larger images are lazy by themselves."""

# dask keeps a list of them.
_MOST_BLOCKS = 5_000_000
# A viewer reads all of a block to show one of its planes, and keeps some of them.
_LARGEST_BLOCK = 16 * 1024**2

# Names of arrays of this machine begin so, and end in the path of the file.
_HERE = "voxels-"


def lazy_voxels(
    path: Path,
    voxels: Any,
    *,
    token: object,
    lock: bool,
    reopen: Callable[[], Any] | None = None,
) -> Any:
    """A dask array over an array in a file, block by block as they are stored.

    Parameters
    ----------
    path : Path
        The file; for messages, and so that the name stays the same for the same file.
    voxels : zarr.Array, h5py.Dataset or `Planes`
        Without chunks of its own, a plane is a block.
    token : object
        Which array of the file.
    lock : bool
        Whether only one thread may read at a time.
    reopen : callable, optional
        Picklable; gives `voxels` again, in another process that sees the file.

    Raises
    ------
    FileError
        Where there are more blocks than can be listed.
    """
    import dask.array

    start, about = "remote-voxels-", f"{token}"
    if not is_url(path):
        stat = path.stat()
        start, about = _HERE, f"{token} {stat.st_mtime_ns} {stat.st_size}"
    digest = hashlib.blake2b(about.encode(), digest_size=8).hexdigest()
    name = f"{start}{digest}-{path.resolve()}"
    array = _VoxelsInFile(path, voxels, reopen)
    counts = [-(-n // size) for n, size in zip(array.shape, array.chunks, strict=True)]
    if math.prod(counts) > _MOST_BLOCKS:
        raise FileError(
            f"{path} could not be read: it declares {math.prod(counts)} blocks, more than can be "
            f"worked with ({_MOST_BLOCKS}). It is damaged, or its blocks are too small."
        )
    return dask.array.from_array(array, chunks=array.chunks, lock=lock, name=name, asarray=False)


def files_of(array: Any) -> list[Path]:
    """The files or folders of this machine that a dask array reads its voxels in, sorted."""
    layers = getattr(getattr(array, "dask", None), "layers", {})
    names = [str(name) for name in layers if str(name).startswith(_HERE)]
    return sorted({Path(name.removeprefix(_HERE).partition("-")[2]) for name in names})


def last_change(path: Path) -> tuple[int, int, int]:
    """When a file, or what lies in a folder, was last changed, and how many files and bytes it is.

    Voxels of a Zarr store may be changed without a trace in the folder itself. What is hidden does
    not count.

    Raises
    ------
    FileError
        When it was removed.
    """
    try:
        found = [path.stat()] if path.is_file() else []
        for folder, folders, files in os.walk(path):
            check_stop()
            folders[:] = [name for name in folders if not name.startswith(".")]
            found += [(Path(folder) / name).stat() for name in files if not name.startswith(".")]
    except OSError as error:
        raise FileError(f"{path} is damaged or was removed ({error}).") from error
    newest = max((one.st_mtime_ns for one in found), default=0)
    return newest, len(found), sum(one.st_size for one in found)


def read_voxels(
    path: Path,
    voxels: Any,
    lazy: bool | None,
    *,
    token: object,
    reopen: Callable[[], Any] | None = None,
) -> Any:
    """The voxels of an array in a file, at once or when they are needed.

    Parameters
    ----------
    path : Path
    voxels : h5py.Dataset or `Planes`
    lazy : bool or None
        As in `read_image`.
    token : object
        Which array of the file.
    reopen : callable, optional
        As for `lazy_voxels`.

    Returns
    -------
    ndarray or dask array

    Raises
    ------
    FileError
        When they cannot be in the file, or do not fit into memory.
    """
    itemsize = np.dtype(voxels.dtype).itemsize
    check_declared(path, voxels.shape, itemsize, path.stat().st_size)
    if lazy or (lazy is None and math.prod(voxels.shape) * itemsize > LAZY_ABOVE):
        return lazy_voxels(path, voxels, token=token, lock=True, reopen=reopen)
    check_memory(path, voxels.shape, itemsize)
    return _VoxelsInFile(path, voxels)[(slice(None),) * len(voxels.shape)]


def missing_note(there: int, count: int, what: str, filler: float = 0) -> list[str]:
    """What to say where planes or blocks are not in a file; nothing where all are.

    Parameters
    ----------
    there, count : int
        How many there are, and how many there should be.
    what : str
        What they are, in the plural.
    filler : float, optional
        What their voxels were read as.
    """
    if there >= count:
        return []
    missing = count - there
    return [f"{missing} of {count} {what} are not in the file; they were read as {filler:g}."]


class _VoxelsInFile:
    """Reads parts of an array; damage found on the way is a FileError, as it is at once.

    Other processes are told how it is opened, and get no voxels.
    """

    def __init__(self, path: Path, voxels: Any, reopen: Callable[[], Any] | None = None) -> None:
        self._path = path
        self._reopen = reopen
        self._voxels = with_whole_blocks(voxels)
        self.shape = tuple(voxels.shape)
        self.dtype = np.dtype(voxels.dtype).newbyteorder("=")
        self.ndim = len(self.shape)
        plane = (1,) * (self.ndim - 2) + self.shape[-2:]
        self.chunks = tuple(voxels.chunks or plane)
        shards = getattr(voxels, "shards", None)
        if shards and math.prod(shards) * self.dtype.itemsize <= _LARGEST_BLOCK:
            self.chunks = tuple(shards)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._reopen is None:
            raise InputError(
                f"{self._path}: other processes cannot read parts of this kind of file; convert "
                "it to OME-Zarr first."
            )
        return _opened_again, (self._path, self._reopen)

    def __getitem__(self, index: Any) -> NDArray:
        try:
            return np.asarray(self._voxels[index], dtype=self.dtype)
        except network_errors() as error:
            raise FileError(f"{self._path} could not be read: {error}.") from error
        except (*DECODER_ERRORS, OSError) as error:
            raise FileError(f"{self._path} is damaged or was removed ({error}).") from error


def _opened_again(path: Path, reopen: Callable[[], Any]) -> _VoxelsInFile:
    return _VoxelsInFile(path, reopen(), reopen)


class Planes:
    """An array of planes that a function reads one by one.

    Parameters
    ----------
    shape : sequence of int
    dtype : dtype
    read : callable
        ``(index) -> plane``, `index` having an int for each axis before those of a plane.
    plane_axes : int
        How many axes, the last ones, a plane has.
    close : callable, optional
        Called when the array is no longer needed; closes the file.
    """

    def __init__(
        self,
        shape: Sequence[int],
        dtype: Any,
        read: Callable[[tuple[int, ...]], NDArray],
        plane_axes: int = 2,
        close: Callable[[], None] | None = None,
    ) -> None:
        if close is not None:
            weakref.finalize(self, close)
        self.shape = tuple(int(n) for n in shape)
        self.dtype = np.dtype(dtype)
        self._read = read
        self._outer = len(self.shape) - plane_axes
        self.chunks = (1,) * self._outer + self.shape[self._outer :]

    def __getitem__(self, index: tuple[Any, ...]) -> NDArray:
        outer = [np.arange(n)[i] for n, i in zip(self.shape, index, strict=False)][: self._outer]
        within = index[self._outer :]
        kept = [len(places) for places in outer if places.ndim]
        shape = np.broadcast_to(0, self.shape[self._outer :])[within].shape
        planes = [self._plane(place)[within] for place in product(*map(np.atleast_1d, outer))]
        return np.reshape(np.array(planes, self.dtype), (*kept, *shape))

    def _plane(self, place: tuple[Any, ...]) -> NDArray:
        plane = np.asarray(self._read(tuple(int(n) for n in place)))
        if plane.shape != self.shape[self._outer :]:
            raise ValueError(f"a plane has the shape {plane.shape}")
        return plane
