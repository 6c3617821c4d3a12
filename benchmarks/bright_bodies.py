"""A volume of any size, made block by block: bright bodies on an uneven, noisy ground."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

DARK, BRIGHT = 400.0, 2000.0
NOISE = 250.0
EDGE = 2.0
"""Half the width of the bodies' soft edges, in voxels."""

LARGEST, SMALLEST = 0.075, 0.03
"""Half axes over the side of the volume."""


@dataclass(frozen=True, eq=False)
class Bodies:
    """Ellipsoids that touch at the most, each as bright as chance has it.

    Attributes
    ----------
    side : int
        Voxels along each axis of the volume.
    centres, half_axes : (N, 3) ndarray
    turns : (N, 3, 3) ndarray
        Rows are the directions of the half axes.
    heights : (N,) ndarray
    """

    side: int
    centres: NDArray[np.float64]
    half_axes: NDArray[np.float64]
    turns: NDArray[np.float64]
    heights: NDArray[np.float64]

    @classmethod
    def thrown(cls, side: int, count: int, seed: int = 0) -> "Bodies":
        """Throw bodies into the volume until so many lie beside each other."""
        rng = np.random.default_rng(seed)
        centres: list[NDArray[np.float64]] = []
        half_axes: list[NDArray[np.float64]] = []
        while len(centres) < count:
            axes = rng.uniform(SMALLEST, LARGEST, 3) * side
            centre = rng.uniform(axes.max(), side - axes.max(), 3)
            # The largest half axes keep all others away: no two bodies overlap.
            if all(
                np.linalg.norm(centre - other) >= axes.max() + reach.max()
                for other, reach in zip(centres, half_axes, strict=True)
            ):
                centres.append(centre)
                half_axes.append(axes)
        turns = np.linalg.qr(rng.normal(size=(count, 3, 3)))[0]
        heights = rng.uniform(0.6, 1, count)
        return cls(side, np.array(centres), np.array(half_axes), turns, heights)

    def block(self, low: tuple[int, int, int], size: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the image (uint16) and the body of each voxel (uint8, from 1) of a block."""
        high = tuple(min(start + size, self.side) for start in low)
        shape = tuple(b - a for a, b in zip(low, high, strict=True))
        image = np.zeros(shape, np.float32)
        truth = np.zeros(shape, np.uint8)
        for number, (centre, axes) in enumerate(
            zip(self.centres, self.half_axes, strict=True), start=1
        ):
            reach = axes.max() + 4 * EDGE
            first = np.maximum(np.floor(centre - reach), low).astype(int)
            last = np.minimum(np.ceil(centre + reach) + 1, high).astype(int)
            if (first >= last).any():
                continue
            away = np.ix_(
                *(
                    np.arange(a, b, dtype=np.float32) - np.float32(c)
                    for a, b, c in zip(first, last, centre, strict=True)
                )
            )
            turn = (self.turns[number - 1] / axes[:, np.newaxis]).astype(np.float32)
            distance = np.sqrt(
                sum(sum(t * d for t, d in zip(r, away, strict=True)) ** 2 for r in turn)
            )
            box = tuple(slice(a - s, b - s) for a, b, s in zip(first, last, low, strict=True))
            depth = (1 - distance) * np.float32(axes.min() / EDGE)
            own = self.heights[number - 1] / 2 * (1 + np.tanh(depth))
            np.maximum(image[box], own.astype(np.float32), out=image[box])
            truth[box][distance < 1] = number
        rng = np.random.default_rng([*low, self.side])
        unevenness = self._unevenness(low, high)
        image *= np.float32(BRIGHT)
        image += np.float32(DARK)
        image *= unevenness
        image += np.float32(NOISE) * rng.standard_normal(shape, dtype=np.float32)
        return np.clip(image, 0, 65535).astype(np.uint16), truth

    def _unevenness(self, low: tuple[int, ...], high: tuple[int, ...]) -> NDArray[np.float32]:
        """How bright a lamp is: a third less at the far corner than at the near one."""
        far = [
            np.arange(a, b, dtype=np.float32) / self.side for a, b in zip(low, high, strict=True)
        ]
        z, y, x = np.ix_(*far)
        return np.float32(1) - np.float32(0.2) * z - np.float32(0.1) * y * (1 + x) / 2

    def strokes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return places (S, 3) and labels (S,) of one stroke a body and three of the background.

        A stroke lies in one plane, half as long as the body is thick there; the background is the
        label after the last body.
        """
        places, labels = [], []
        for number, (centre, axes) in enumerate(
            zip(self.centres, self.half_axes, strict=True), start=1
        ):
            z, y, x = np.rint(centre).astype(int)
            long = int(axes.min() // 2)
            for row, column in product((-1, 0, 1), range(-long, long + 1)):
                places.append((z, y + row, x + column))
                labels.append(number)
        for part in (0.25, 0.5, 0.75):
            z = y = int(part * self.side)
            line = np.stack([np.full(self.side, z), np.full(self.side, y), np.arange(self.side)], 1)
            near = (
                np.linalg.norm(line[:, np.newaxis] - self.centres, axis=-1)
                < self.half_axes.max(axis=1) + 4 * EDGE
            )
            kept = line[~near.any(axis=1)]
            places.extend(map(tuple, kept.tolist()))
            labels.extend([len(self.centres) + 1] * len(kept))
        return np.array(places, np.int64), np.array(labels, np.int64)
