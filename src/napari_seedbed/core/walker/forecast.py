"""What a random walk will cost, before it is begun."""

from collections.abc import Sequence
from math import prod

from napari_seedbed.core.walker.label_solutions import KEPT_BYTES
from napari_seedbed.core.walker.random_walks import BYTES_PER_VOXEL_AND_SOLUTION, GROUP_BYTES

SHARED_BYTES_PER_VOXEL = 40
"""Weights, hierarchy, state and result: measured 32 to 39 (`benchmarks/random_walker.py`)."""

BALLOT_BYTES_PER_VOXEL = 24

PREPARING = 1.8e-7
SOLVING = 2.2e-7
"""Seconds a voxel on two cores, the latter for one solution (`benchmarks/random_walker.py`)."""


def _n_solutions(n_labels: int) -> int:
    return 1 if n_labels <= 2 else n_labels


def random_walker_memory(shape: Sequence[int], n_labels: int, n_channels: int = 1) -> int:
    """Return about how many bytes `RandomWalker.solve` takes at its peak, beyond the image.

    Parameters
    ----------
    shape : sequence of int
        Spatial shape of the image.
    n_labels : int
        Number of different seed labels.
    n_channels : int
        Number of channels; they are looked at one after the other, at 8 bytes a voxel.
    """
    size = prod(shape)
    n_solutions = _n_solutions(n_labels)
    each = BYTES_PER_VOXEL_AND_SOLUTION * size
    at_once = max(1, min(n_solutions, GROUP_BYTES // max(each, 1)))
    total = SHARED_BYTES_PER_VOXEL * size + at_once * each
    if n_solutions > 1:
        total += BALLOT_BYTES_PER_VOXEL * size
        kept = 4 * n_solutions * size
        if kept <= KEPT_BYTES:
            total += kept
    return max(total, (12 + 8) * size if n_channels else 0)


def random_walker_seconds(shape: Sequence[int], n_labels: int, n_channels: int = 1) -> float:
    """Return about how many seconds a first `RandomWalker.solve` takes on two cores.

    Parameters
    ----------
    shape, n_labels, n_channels
        As in `random_walker_memory`.
    """
    size = prod(shape)
    return size * (PREPARING * (1 + 0.3 * (n_channels - 1)) + SOLVING * _n_solutions(n_labels))
