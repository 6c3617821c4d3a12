"""What the default engine will cost, before it is begun."""

from collections.abc import Sequence
from math import prod

from napari_seedbed.core.seeded.seeded_segmenter import MOST_VOXELS_WALKED
from napari_seedbed.core.seeded.voxel_features import MOST_BASINS, features_of_a_channel

BYTES_PER_VOXEL = 30
"""Peak beyond image and features (`benchmarks/quality_many.py memory`)."""

BYTES_PER_WALKED_VOXEL = 100
"""What walks from voxel to voxel need more."""

DESCRIBING = {2: 0.17e-6, 3: 0.3e-6}
PAINTING = {2: 0.06e-6, 3: 0.08e-6}
LAB = 0.5e-6
WALKING = 0.1e-6
"""Seconds on two cores: a voxel and channel, a voxel, a voxel of red, green and blue, a basin and
label (`benchmarks/quality_many.py forecast`)."""

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
    if size * max(n_labels - 1, 1) <= MOST_VOXELS_WALKED:
        each += BYTES_PER_WALKED_VOXEL + 4 * n_labels
    return size * each + 8 * n_labels * MOST_BASINS[len(shape)]


def seeded_segmentation_seconds(shape: Sequence[int], n_labels: int, n_channels: int = 1) -> float:
    """Return about how many seconds a first `SeededSegmenter.solve` takes on two cores.

    Parameters
    ----------
    shape, n_labels, n_channels
        As in `seeded_segmentation_memory`.
    """
    size, ndim = prod(shape), len(shape)
    basins = min(size / _VOXELS_PER_BASIN, MOST_BASINS[ndim])
    each = DESCRIBING[ndim] * n_channels + PAINTING[ndim] + LAB * (n_channels == 3)
    return size * each + basins * WALKING * n_labels + LEARNING
