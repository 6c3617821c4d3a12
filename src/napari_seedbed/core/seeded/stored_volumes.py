"""Volumes that are read window by window: they may be far larger than memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.seeded.linear_scores import Region
from napari_seedbed.errors import InputError

Found = TypeVar("Found")


class Readable(Protocol):
    """An array that gives its parts: of NumPy, Zarr, dask and others."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each axis."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of its numbers."""
        ...

    def __getitem__(self, place: Any, /) -> Any:
        """Give a part, of which NumPy makes an array."""
        ...


class Writable(Readable, Protocol):
    """The same, where parts can be written."""

    def __setitem__(self, place: Any, part: Any, /) -> None:
        """Write a part."""
        ...


class RunsTasks(Protocol):
    """Calls a function of a module for each task; results come in the order of the tasks."""

    def __call__(
        self, function: Callable[..., Found], tasks: Iterable[Any], *shared: Any
    ) -> Iterator[Found]:
        """Yield ``function(task, *shared)`` for each task."""
        ...


def run_here(function: Callable[..., Found], tasks: Iterable[Any], *shared: Any) -> Iterator[Found]:
    """Call a function for each task in this thread; its kernels use all cores."""
    for task in tasks:
        check_stop()
        yield function(task, *shared)


@dataclass(frozen=True, eq=False)
class StoredVolume:
    """An image as (Z, Y, X, C), whatever it is and wherever it lies.

    Attributes
    ----------
    stored : (Y, X), (Z, Y, X) or with channels, Readable
    steps : (3,) ndarray
        Voxel size along z, y, x, the finest being 1.
    channel_axis : int or None
    """

    stored: Readable
    steps: NDArray[np.float64]
    channel_axis: int | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Size along z, y, x."""
        sizes = [n for axis, n in enumerate(self.stored.shape) if axis != self.channel_axis]
        z, y, x = [1] * (3 - len(sizes)) + sizes
        return z, y, x

    def read(self, region: Region) -> NDArray[Any]:
        """Return a window (Z, Y, X, C)."""
        n_axes = len(self.stored.shape) - (self.channel_axis is not None)
        place: list[slice] = list(region[3 - n_axes :])
        if self.channel_axis is not None:
            place.insert(self.channel_axis, slice(None))
        window = np.asarray(self.stored[tuple(place)])
        if not window.dtype.isnative:
            window = window.astype(window.dtype.newbyteorder("="))
        window = (
            window[..., np.newaxis]
            if self.channel_axis is None
            else np.moveaxis(window, self.channel_axis, -1)
        )
        return window[np.newaxis] if window.ndim == 3 else window


def read_mask(mask: Readable, region: Region) -> NDArray[np.bool_]:
    """Return a window (Z, Y, X) of a mask of two or three axes."""
    window = np.asarray(mask[region[3 - len(mask.shape) :]], np.bool_)
    return window[np.newaxis] if window.ndim == 2 else window


@dataclass(frozen=True)
class BlockGrid:
    """How a volume is cut into blocks.

    Attributes
    ----------
    shape : (int, int, int)
        Of the volume.
    block : (int, int, int)
        Of a block; those at the end may be smaller.
    """

    shape: tuple[int, int, int]
    block: tuple[int, int, int]

    def __post_init__(self) -> None:
        if min(self.block) < 1:
            raise InputError(f"block is {self.block}; it must have at least one voxel an axis.")

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many blocks there are along each axis."""
        z, y, x = (ceil(n / b) for n, b in zip(self.shape, self.block, strict=True))
        return z, y, x

    @property
    def regions(self) -> list[Region]:
        """All blocks, in the order of their first voxels."""
        return [self.region(number) for number in range(int(np.prod(self.counts)))]

    def region(self, number: int) -> Region:
        """One block."""
        at = np.unravel_index(number, self.counts)
        z, y, x = (
            slice(int(i) * b, min((int(i) + 1) * b, n))
            for i, b, n in zip(at, self.block, self.shape, strict=True)
        )
        return z, y, x

    def numbers_at(self, places: Sequence[NDArray[np.integer]]) -> NDArray[np.int64]:
        """Which block each of these voxels lies in: three arrays (S,) give one."""
        at = tuple(p // b for p, b in zip(places, self.block, strict=True))
        return np.asarray(np.ravel_multi_index(at, self.counts), np.int64)

    def neighbour(self, number: int, axis: int) -> int | None:
        """The block behind one along an axis, if there is one."""
        at = [int(i) for i in np.unravel_index(number, self.counts)]
        at[axis] += 1
        if at[axis] == self.counts[axis]:
            return None
        return int(np.ravel_multi_index(at, self.counts))

    def common(self, number: int, region: Region) -> Region:
        """The part of a region that lies in a block."""
        z, y, x = (
            slice(max(a.start, b.start), min(a.stop, b.stop))
            for a, b in zip(region, self.region(number), strict=True)
        )
        return z, y, x

    def touched(self, region: Region) -> list[int]:
        """Numbers of the blocks that hold voxels of a region."""
        ranges = [
            range(part.start // b, ceil(part.stop / b))
            for part, b in zip(region, self.block, strict=True)
        ]
        grid = np.meshgrid(*ranges, indexing="ij")
        return [int(n) for n in np.ravel_multi_index([g.ravel() for g in grid], self.counts)]


def aligned(region: Region, factor: Sequence[int], shape: Sequence[int]) -> Region:
    """Return the smallest region around one that begins and ends at multiples of factors.

    It ends at the end of the volume where that comes first.
    """
    z, y, x = (
        slice(part.start // f * f, min(-(-part.stop // f) * f, n))
        for part, f, n in zip(region, factor, shape, strict=True)
    )
    return z, y, x


def within(region: Region, around: Region, factor: Sequence[int] = (1, 1, 1)) -> Region:
    """The place of a region in one around it, in voxels of a grid that begins where that does."""
    z, y, x = (
        slice((part.start - whole.start) // f, -(-(part.stop - whole.start) // f))
        for part, whole, f in zip(region, around, factor, strict=True)
    )
    return z, y, x


def shape_of(region: Region) -> tuple[int, int, int]:
    """How many voxels a region has along each axis."""
    z, y, x = (part.stop - part.start for part in region)
    return z, y, x
