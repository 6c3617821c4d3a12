"""What the default engine will cost, before it is begun."""

from collections.abc import Sequence
from math import prod

from napari_seedbed.core.seeded.voxel_features import MOST_BASINS, features_of_a_channel

BYTES_PER_VOXEL = 48
"""Peak beyond image, features and evidence (`benchmarks/quality_many.py memory`)."""

DESCRIBING = 0.7e-6
PAINTING = 0.2e-6
WALKING = 0.6e-6
"""Seconds on two cores: a voxel and channel, a voxel, a basin and label
(`benchmarks/quality_many.py times`)."""

LEARNING = 0.25
"""Seconds that learning takes, whatever the image."""

_VOXELS_PER_BASIN = 60


def seeded_segmentation_memory(shape: Sequence[int], n_labels: int, n_channels: int = 1) -> int:
    """Return about how many bytes `SeededSegmenter.solve` takes at its peak, beyond the image.

    Parameters
    ----------
    shape : sequence of int
        Spatial shape of the image.
    n_labels : int
        Number of different seed labels; each costs a number a basin, not a number a voxel.
    n_channels : int
    """
    size = prod(shape)
    each = BYTES_PER_VOXEL + n_channels * features_of_a_channel(len(shape)) + 4 * (n_channels - 1)
    return size * each + 8 * n_labels * MOST_BASINS[len(shape)]


def seeded_segmentation_seconds(shape: Sequence[int], n_labels: int, n_channels: int = 1) -> float:
    """Return about how many seconds a first `SeededSegmenter.solve` takes on two cores."""
    size = prod(shape)
    basins = min(size / _VOXELS_PER_BASIN, MOST_BASINS[len(shape)])
    return size * (DESCRIBING * n_channels + PAINTING) + basins * WALKING * n_labels * 10 + LEARNING
