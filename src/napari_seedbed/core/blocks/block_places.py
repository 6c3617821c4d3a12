"""Where a block lies in an image, and what is seen around it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError

Region = tuple[slice, ...]


@dataclass(frozen=True)
class BlockPlace:
    """Where a block lies.

    Attributes
    ----------
    region : tuple of slice
        The block itself, in voxels along each axis of the image.
    seen : tuple of slice
        The block with its halo, cut off at the border of the image.
    shape : tuple of int
        Of the image.
    """

    region: Region
    seen: Region
    shape: tuple[int, ...]

    @property
    def start(self) -> tuple[int, ...]:
        """First voxel of the block, which tells it from the others."""
        return tuple(part.start for part in self.region)

    @property
    def inner(self) -> Region:
        """Where the block lies in what is seen."""
        return tuple(
            slice(own.start - seen.start, own.stop - seen.start)
            for own, seen in zip(self.region, self.seen, strict=True)
        )

    def own(self, seen: NDArray[Any]) -> NDArray[Any]:
        """The block's part, (…), of an array of what is seen."""
        return seen[self.inner]

    @property
    def ahead(self) -> "BlockPlace":
        """The block with the part of its halo that comes after it along each axis alone."""
        seen = tuple(
            slice(own.start, around.stop)
            for own, around in zip(self.region, self.seen, strict=True)
        )
        return BlockPlace(self.region, seen, self.shape)

    def part_ahead(self, seen: NDArray[Any]) -> NDArray[Any]:
        """What is seen, (…), without the halo before the block: as `ahead` has it."""
        return seen[tuple(slice(part.start, None) for part in self.inner)]

    @property
    def planes(self) -> list["BlockPlace"]:
        """Where the block's slices lie, each in a slice of the image."""
        own, *_ = self.region
        flat = BlockPlace(self.region[1:], self.seen[1:], self.shape[1:])
        return [flat] * (own.stop - own.start)

    def own_planes(self, seen: NDArray[Any]) -> NDArray[Any]:
        """The slices of the block alone, with what is seen around them in each."""
        return seen[self.inner[0]]

    def ringed(self, seen: NDArray[Any]) -> NDArray[Any]:
        """The block with one voxel more on each side of each axis, 0 beyond the image.

        Parameters
        ----------
        seen : (…) ndarray
            With a halo of at least one voxel, or with channels or other axes before those of the
            image.
        """
        lead = seen.ndim - len(self.region)
        index: list[slice] = [slice(None)] * lead
        margins = [(0, 0)] * lead
        for own, around, length in zip(self.region, self.seen, self.shape, strict=True):
            before, after = min(own.start, 1), min(length - own.stop, 1)
            first, last = own.start - before - around.start, own.stop + after - around.start
            if first < 0 or last > around.stop - around.start:
                raise InputError("seen: a block without a halo given; it needs one voxel or more.")
            index.append(slice(first, last))
            margins.append((1 - before, 1 - after))
        return np.pad(seen[tuple(index)], margins)
