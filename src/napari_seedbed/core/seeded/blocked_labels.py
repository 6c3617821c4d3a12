"""The labels of a volume that was segmented block by block."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.seeded.blocked_islands import without_islands
from napari_seedbed.core.seeded.linear_scores import Region
from napari_seedbed.core.seeded.stored_volumes import BlockGrid, RunsTasks, Writable, within


@dataclass(frozen=True, eq=False)
class BlockedLabels:
    """The labels of a volume that was segmented, block by block.

    Attributes
    ----------
    grid : BlockGrid
    painted : (Z, Y, X) Writable of int32
        Labels, islands among them; those that `settled` has marked are below 0.
    islands : mapping of int to ndarray of bool
        For blocks with islands, which of their connected parts are.
    background : tuple of int
        The labels that are no objects.
    rest : int
        The label that islands are given to.
    changed : frozenset of int
        Blocks that may be others than after the solve before.
    """

    grid: BlockGrid
    painted: Writable
    islands: Mapping[int, NDArray[np.bool_]]
    background: tuple[int, ...]
    rest: int
    changed: frozenset[int]

    def block(self, number: int) -> NDArray[np.int32]:
        """Return the labels of a block (Z, Y, X); 0 outside and where no seed can reach."""
        labels = np.asarray(self.painted[self.grid.region(number)])
        if number not in self.islands:
            return self._unmarked(labels)
        return without_islands(np.abs(labels), self.background, self.islands[number], self.rest)

    def read(self, region: Region) -> NDArray[np.int32]:
        """Return the labels of a region (Z, Y, X)."""
        found = np.empty([part.stop - part.start for part in region], np.int32)
        for number in self.grid.touched(region):
            own = self.grid.common(number, region)
            if number in self.islands:
                part = self.block(number)[within(own, self.grid.region(number))]
            else:
                part = self._unmarked(np.asarray(self.painted[own]))
            found[within(own, region)] = part
        return found

    def settled(self, run: RunsTasks) -> "BlockedLabels":
        """Mark the voxels of islands, so that parts of blocks are quickly read.

        The segmenter cannot go on from what it has painted then, but anew.
        """
        for _ in run(mark_islands, list(self.islands), self):
            pass
        return replace(self, islands={})

    def _unmarked(self, painted: NDArray[np.int32]) -> NDArray[np.int32]:
        """Labels from what is painted, marked voxels given to `rest`."""
        return np.where(painted < 0, np.int32(self.rest), painted)


def mark_islands(number: int, labels: BlockedLabels) -> None:
    """Write a block with the labels of its islands below 0.

    What was painted is still known from that: the task may be done again where its worker was lost.
    """
    region = labels.grid.region(number)
    painted = np.abs(np.asarray(labels.painted[region]))
    is_island = labels.block(number) != painted
    labels.painted[region] = np.where(is_island, -painted, painted)
