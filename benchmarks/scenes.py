"""Scenes that the benchmarks share."""

import platform
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def machine() -> str:
    """Describe the machine in a line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return model


def balls(
    n: int, ndim: int = 3, n_labels: int = 2, noise: float = 0.1
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return a noisy image of bright balls in the dark, and strokes on its middle slice.

    Label 1 is a stroke in the large ball, label 2 one outside; more labels are short strokes
    elsewhere on the slice.
    """
    rng = np.random.default_rng(0)
    shape = (n,) * ndim
    axis = np.linspace(-1, 1, n, dtype=np.float32)
    grid = np.meshgrid(*[axis] * ndim, indexing="ij", sparse=True)
    image = np.zeros(shape, np.float32)
    for centre, radius, height in ((0.1, 0.35, 1.0), (-0.5, 0.3, 0.5)):
        distance = np.sqrt(sum((g - centre) ** 2 for g in grid)) - radius
        # Edges as soft as a microscope's: the walker feels them over several voxels.
        image += np.float32(height / 2) * (1 - np.tanh(np.float32(n / 12) * distance))
    image += np.float32(noise) * rng.standard_normal(shape, dtype=np.float32)
    labels = np.zeros(shape, np.int32)
    on_slice = labels[n // 2] if ndim == 3 else labels
    thick = max(1, n // 64)
    on_slice[n // 2 : n // 2 + thick, int(0.45 * n) : int(0.6 * n)] = 1
    on_slice[n // 10 : n // 10 + thick, n // 10 : int(0.9 * n)] = 2
    for label in range(3, n_labels + 1):
        y, x = rng.integers(n // 5, n - n // 5, 2)
        on_slice[y, x : x + n // 20] = label
    return image, labels


def strokes_later(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the seeds with one more stroke of label 2, at the lower edge of the large ball."""
    labels = labels.copy()
    n = labels.shape[-1]
    on_slice = labels[n // 2] if labels.ndim == 3 else labels
    row = int(0.74 * n)
    on_slice[row : row + max(1, n // 64), int(0.45 * n) : int(0.65 * n)] = 2
    return labels


def touching_balls(
    shape: tuple[int, ...], across: tuple[int, ...], noise: float = 0.1
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return a noisy image of soft balls that touch their neighbours, and the ball of each voxel.

    There are `across` balls along each axis, each as bright as chance has it, and dark between.
    """
    rng = np.random.default_rng(0)
    radius_sq, number = np.float32(0), 0
    for axis, (n, count) in enumerate(zip(shape, across, strict=True)):
        along = np.arange(n, dtype=np.float32) * count / n
        cell = np.minimum(along.astype(np.int32), count - 1)
        broadcast = (slice(None), *[np.newaxis] * (len(shape) - 1 - axis))
        radius_sq = radius_sq + (2 * (along - cell - np.float32(0.5)))[broadcast] ** 2
        number = number * count + cell[broadcast]
    radius = np.sqrt(radius_sq)
    heights = rng.uniform(0.6, 1, int(np.prod(across))).astype(np.float32)
    # The edge is soft over a few voxels, as a microscope's.
    width = np.float32(max(np.divide(shape, across)) / 4)
    image = heights[number] * (1 - np.tanh(width * (radius - 1))) / 2
    image += np.float32(noise) * rng.standard_normal(shape, dtype=np.float32)
    return image, np.where(radius < 1, number + 1, 0).astype(np.int32)
