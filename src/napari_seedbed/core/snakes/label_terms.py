"""What moves the fronts of labels: the means of regions, or the edges, of an image."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.boxes import widened
from napari_seedbed.core.snakes import bit_grids
from napari_seedbed.core.snakes.bit_grids import Bits, at_once, in_planes, pack
from napari_seedbed.core.snakes.smoothing_schedule import SmoothingSchedule, Turn

_LARGE = 1 << 14
"""From so many words on, an object is worked on by all cores at once."""

_NEAR = 4
"""What is so near an object, in voxels of the finest axis, is near however small the object is."""

Box = tuple[slice, slice, slice]
Run = Callable[..., None]


@dataclass(eq=False)
class MovingLabel:
    """One label: its box in the image (as a volume), its mask there, and what it wants next.

    Boxes begin at whole words along x. `within` is the smallest box that holds the mask. For
    regions, `total` is the sum of each channel over the mask of `count` voxels.
    """

    value: int
    box: Box
    bits: Bits
    within: Box
    wanted: Bits = field(default_factory=lambda: np.zeros(0, np.uint64))
    gained: Bits = field(default_factory=lambda: np.zeros(0, np.uint64))
    total: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    count: int = 0

    @property
    def words(self) -> Box:
        """The box in a packed mask of the whole image."""
        return words_of(self.box)

    @property
    def is_large(self) -> bool:
        """Whether all cores work on it at once."""
        return self.bits.size >= _LARGE

    @property
    def n_x(self) -> int:
        """Length of the rows of the box, in voxels."""
        return self.box[2].stop - self.box[2].start


def words_of(box: Box) -> Box:
    """Return a box of an image as one of its packed masks; it takes all words that it touches."""
    return box[0], box[1], slice(box[2].start // 64, -(-box[2].stop // 64))


class RegionTerm:
    """Each voxel of the front joins the object or the free voxels, whose mean is closer.

    With `near`, free voxels are those near the object alone.
    """

    balloon = 0.0

    def __init__(
        self,
        image: NDArray[Any],
        lambdas: tuple[float, float],
        near: bool,
        schedule: SmoothingSchedule,
    ) -> None:
        self.image = image.view(np.uint8) if image.dtype == bool else image
        self.lambdas = np.float64(lambdas[0]), np.float64(lambdas[1])
        self.near = near
        self.least_margin = [int(np.ceil(_NEAR * np.sqrt(weight))) for weight in schedule.weights]
        self.free_total, self.n_free = np.zeros(len(image)), 0
        self.free = np.zeros(0, np.uint64)

    def begin(self, free: Bits, objects: list[MovingLabel]) -> None:
        """Take note of the free voxels and the objects at the beginning."""
        self.note_free(np.zeros_like(free), free)
        for item in objects:
            new, item.bits = item.bits, np.zeros_like(item.bits)
            item.total = np.zeros(len(self.image))
            self.move(item, new)

    def note_free(self, old: Bits, new: Bits) -> int:
        """Take note that free voxels have changed; return how many have."""
        total, n_set, n_cleared = self._sum(old, new, self.image, in_planes)
        self.free_total += total
        self.n_free += n_set - n_cleared
        self.free = new
        return n_set + n_cleared

    def move(self, item: MovingLabel, new: Bits) -> None:
        """Give an object another mask."""
        run = in_planes if item.is_large else at_once
        total, n_set, n_cleared = self._sum(item.bits, new, self.image[:, *item.box], run)
        item.total += total
        item.count += n_set - n_cleared
        item.bits = new

    def attach(self, item: MovingLabel, turn: Turn, run: Run) -> Bits:
        bits = item.bits
        out, unsure = np.empty_like(bits), np.empty(bits.shape[0], np.uint8)
        run(
            bit_grids.attach_to_regions, bits, item.n_x, self.image[:, *item.box],
            item.total / item.count, self._outer(item, run), *self.lambdas, 0.0, out, unsure,
        )  # fmt: skip
        return out

    def _outer(self, item: MovingLabel, run: Run) -> NDArray[np.float64]:
        """Return the mean of the free voxels that an object is compared with."""
        if self.near:
            box = self._surroundings(item)
            words = self.free[words_of(box)].copy()
            first, last = box[2].start % 64, box[2].stop % 64
            # Bits of the first and last word that lie beyond the box.
            words[..., 0] &= ~np.uint64((1 << first) - 1)
            if last:
                words[..., -1] &= np.uint64((1 << last) - 1)
            start = box[2].start - first
            part = self.image[:, box[0], box[1], start : box[2].stop]
            total, n_free, _ = self._sum(np.zeros_like(words), words, part, run)
            if n_free:
                return total / n_free
        return self.free_total / self.n_free if self.n_free else np.zeros(len(self.image))

    def _surroundings(self, item: MovingLabel) -> Box:
        lengths = [part.stop - part.start for part in item.within]
        margins = map(max, lengths, self.least_margin)
        z, y, x = widened(item.within, margins, self.image.shape[1:])
        return z, y, x

    def _sum(
        self, old: Bits, new: Bits, image: NDArray[Any], run: Run
    ) -> tuple[NDArray[np.float64], int, int]:
        """Return the change of each channel's sum over a mask, and how many bits were set and
        cleared. It is summed plane by plane, whatever the number of threads."""
        totals, counts = np.empty((len(old), len(image))), np.empty((len(old), 2), np.int64)
        run(bit_grids.add_changes, old, new, image, totals, counts)
        n_set, n_cleared = counts.sum(axis=0).tolist()
        return totals.sum(axis=0), n_set, n_cleared


class EdgeTerm:
    """A balloon where the edge map is flat, then down its slope."""

    def __init__(
        self, image: NDArray[Any], limit: float, balloon: float, schedule: SmoothingSchedule
    ) -> None:
        single = image.dtype in (np.float32, np.float64)
        self.image = image if single else image.astype(np.float64)
        self.balloon = balloon
        if balloon != 0:
            self.flat = pack(self.image > limit / abs(balloon))
        self.half = self.image.dtype.type(0.5)
        self.weights = np.array(schedule.weights)

    def begin(self, free: Bits, objects: list[MovingLabel]) -> None:
        pass

    def note_free(self, old: Bits, new: Bits) -> int:
        """Return how many free voxels have changed."""
        return int(np.bitwise_count(old ^ new).sum(dtype=np.int64))

    def move(self, item: MovingLabel, new: Bits) -> None:
        item.bits = new

    def attach(self, item: MovingLabel, turn: Turn, run: Run) -> Bits:
        bits = item.bits
        out = np.empty_like(bits)
        if self.balloon != 0:
            grown = np.empty_like(bits)
            flip = np.uint64(0) if self.balloon > 0 else ~np.uint64(0)
            flat = np.ascontiguousarray(self.flat[item.words])
            run(
                bit_grids.grow, bits, item.n_x, flip, flat, turn.reach_z, turn.reach_y, grown,
            )  # fmt: skip
            bits = grown
        run(
            bit_grids.attach_to_edges, bits, item.n_x, self.image[item.box], self.half,
            self.weights, out,
        )  # fmt: skip
        return out
