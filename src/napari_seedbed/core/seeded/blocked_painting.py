"""From walks on basins to labels of voxels, in any part of a volume that is read in windows."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.boxes import widened
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.seeded.appearance import Appearance
from napari_seedbed.core.seeded.basin_splits import Splits
from napari_seedbed.core.seeded.blocked_basins import Landscape, renumbered
from napari_seedbed.core.seeded.blocked_islands import ConnectedParts, connected_parts
from napari_seedbed.core.seeded.label_painting import Canvas, Claims, smoothing_kernels
from napari_seedbed.core.seeded.linear_scores import Region
from napari_seedbed.core.seeded.seed_problems import PlacedSeeds
from napari_seedbed.core.seeded.stored_volumes import Readable, Writable, within
from napari_seedbed.core.seeded.window_features import WindowEvidence, describe_window
from napari_seedbed.core.threads import split

Floats = NDArray[np.float32]

MOST_DESCRIBED = 256
"""Features are made of windows of up to so many voxels along each axis, and what lies around."""


@dataclass(frozen=True, eq=False)
class Palette:
    """All that parts of a volume are painted with.

    Attributes
    ----------
    landscape : Landscape
    basins : (Z, Y, X) Readable of int32
        As they are before any is split.
    splits : Splits
    claims : Claims
        Which labels are painted in which nodes; without boxes.
    low, high : (N, 3) ndarray of int32
        Bounding boxes of the nodes.
    of_class : (C, N) ndarray of float32
        How probable each class is in each node.
    class_of : (K,) ndarray of int
    appearance : Appearance or None
    """

    landscape: Landscape
    basins: Readable
    splits: Splits
    claims: Claims
    low: NDArray[np.int32]
    high: NDArray[np.int32]
    of_class: Floats
    class_of: NDArray[np.intp]
    appearance: Appearance | None

    def nodes_of(self, region: Region) -> NDArray[np.int32]:
        """Return the node of each voxel of a region."""
        return self.splits.applied(np.asarray(self.basins[region]), region)

    def paint(self, region: Region) -> NDArray[np.int32]:
        """Return the number of each voxel's label in a region, -1 where there is none."""
        volume = self.landscape.volume
        smoothing = smoothing_kernels(volume.steps, volume.shape)
        z, y, x = widened(region, [len(kernel) // 2 for kernel in smoothing], volume.shape)
        around = (z, y, x)
        local, nodes = renumbered(self.nodes_of(around))
        # The last one is for -1.
        only = np.append(self.claims.only[nodes], np.int32(-1))
        inner = within(region, around)
        winner = only[local[inner]]
        in_doubt = self.claims.in_doubt[nodes]
        if not in_doubt.any():
            return winner
        canvas = self._canvas(local, nodes, around, smoothing)
        doubtful = np.append(in_doubt, False)[local[inner]]
        for tile in _tiles(doubtful):
            check_stop()
            z, y, x = (
                slice(part.start + own.start, part.stop + own.start)
                for part, own in zip(tile, inner, strict=True)
            )
            winner[tile] = self._painted(canvas, (z, y, x), around)
        return winner

    def _canvas(
        self,
        local: NDArray[np.int32],
        nodes: NDArray[np.int32],
        around: Region,
        smoothing: list[Floats],
    ) -> Canvas:
        """What is painted on in a window."""
        claims = self.claims
        walks = np.append(claims.walks[:, nodes], np.zeros((len(claims.walks), 1), "f4"), axis=1)
        in_doubt = claims.in_doubt[nodes]
        start = np.array([part.start for part in around], np.int32)
        low, high = self.low[nodes] - start, self.high[nodes] - start
        boxes = [(low[own], high[own]) for own in (walks[:, :-1] > 0) & in_doubt]
        only = np.append(claims.only[nodes], np.int32(-1))
        here = Claims(walks, only, in_doubt, boxes)
        of_class = np.ascontiguousarray(self.of_class[:, nodes])
        return Canvas(local, here, smoothing, None, self.class_of, of_class)

    def _painted(self, canvas: Canvas, tile: Region, around: Region) -> NDArray[np.int32]:
        """Paint a part of a window, both in voxels of the window."""
        evidence = None
        if self.appearance is not None:
            reach = [len(kernel) // 2 for kernel in canvas.smoothing]
            start = np.array([part.start for part in around])
            z, y, x = (
                slice(int(part.start + s), int(part.stop + s))
                for part, s in zip(widened(tile, reach, canvas.basin.shape), start, strict=True)
            )
            volume, statistics = self.landscape.volume, self.landscape.statistics
            own = describe_window((z, y, x), volume, statistics).evidence(self.appearance)
            evidence = WindowEvidence(own.evidence, own.corner - start)
        whole = Canvas(
            canvas.basin, canvas.claims, canvas.smoothing, evidence, canvas.class_of,
            canvas.of_class,
        )  # fmt: skip
        return whole.paint(tile).winner


def _tiles(wanted: NDArray[np.bool_]) -> list[Region]:
    """Cut the box of what is wanted into tiles; those without any of it are left out."""
    box = hull_of(wanted)
    if box is None:
        return []
    ranges = []
    for part in box:
        length = part.stop - part.start
        pieces = split(length, -(-length // MOST_DESCRIBED))
        ranges.append([slice(part.start + a, part.start + b) for a, b in pieces])
    return [(z, y, x) for z, y, x in product(*ranges) if wanted[z, y, x].any()]


def hull_of(wanted: NDArray[np.bool_]) -> Region | None:
    """The smallest box that holds all true voxels; None where there are none."""
    found = []
    for axis in range(3):
        along = np.flatnonzero(wanted.any(axis=tuple(a for a in range(3) if a != axis)))
        if not len(along):
            return None
        found.append(slice(int(along[0]), int(along[-1]) + 1))
    z, y, x = found
    return z, y, x


def seeds_within(seeds: PlacedSeeds, region: Region) -> NDArray[np.bool_]:
    """Which seeds lie in a region."""
    inside = np.ones(len(seeds.numbers), np.bool_)
    for axis, part in zip(seeds.places, region, strict=True):
        inside &= (axis >= part.start) & (axis < part.stop)
    return inside


@dataclass(frozen=True, eq=False)
class Repaint:
    """What is to be painted in a block.

    Attributes
    ----------
    block : tuple of three slice
    region : tuple of three slice or None
        The part of it that is painted; the rest stays as it is. None: nothing is.
    """

    block: Region
    region: Region | None


def paint_block(
    task: Repaint, palette: Palette, seeds: PlacedSeeds, painted: Writable
) -> ConnectedParts:
    """Paint a block, keep what was painted, and return its connected parts.

    Parameters
    ----------
    task : Repaint
    palette : Palette
    seeds : PlacedSeeds
        They keep their labels.
    painted : (Z, Y, X) Writable of int32
        Labels, 0 where there is none; islands among them.
    """
    # The last one is for -1.
    names = np.array([*seeds.values, 0], np.int32)
    if task.region == task.block:
        labels = names[palette.paint(task.block)]
    else:
        # Below 0 are islands that a run before this one has marked.
        labels = np.abs(np.asarray(painted[task.block], np.int32))
        if task.region is not None:
            labels[within(task.region, task.block)] = names[palette.paint(task.region)]
    inside = seeds_within(seeds, task.block)
    numbers = seeds.numbers[inside]
    places = tuple(p[inside] - part.start for p, part in zip(seeds.places, task.block, strict=True))
    if task.region is not None:
        labels[places] = names[numbers]
        painted[task.block] = labels
    of_objects = ~seeds.is_background[numbers]
    return connected_parts(labels, seeds.background, tuple(p[of_objects] for p in places))
