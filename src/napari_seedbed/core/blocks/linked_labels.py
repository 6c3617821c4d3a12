"""Which labels are near each other, found block by block, as `join_labels` joins them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.objects.label_lookup import check_connectivity, counted, object_labels
from napari_seedbed.core.objects.labelling import linked_labels, lowest_of_linked
from napari_seedbed.core.validation import check_number

_ROUNDING = 1e-6


def link_halo(distance: float, spacing: Sequence[float]) -> tuple[int, ...]:
    """Return how far, in voxels along each axis, a block must see to find what it is linked to."""
    reach = check_number(distance, "distance") * (1 + _ROUNDING)
    return tuple(max(1, int(reach / step)) for step in spacing)


def links_in_block(
    seen: NDArray[Any], distance: float, spacing: tuple[float, ...], connectivity: int | None
) -> NDArray[np.int64]:
    """Return pairs of labels (N, 2) that are near each other, but for pairs that others link.

    Whichever two voxels are near enough to each other, the block of one of them sees the other.

    Parameters
    ----------
    seen : ([Z, ]Y, X) ndarray of int or bool
        A block with a halo of `link_halo`.
    distance, spacing, connectivity
        As for `join_labels`.
    """
    labels = object_labels(seen)
    values, _ = counted(labels)
    steps = check_connectivity(connectivity, labels.ndim)
    if len(values) < 2:
        return np.zeros((0, 2), np.int64)
    return values[linked_labels(labels, values, distance, spacing, steps)].astype(np.int64)


def lowest_labels(
    blocks: Sequence[NDArray[np.int64]], labels: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return, for each label of an image, the lowest of those that links lead to.

    Parameters
    ----------
    blocks : sequence of (N, 2) ndarray of int
        Of each block the pairs of labels that are linked.
    labels : (K,) ndarray of int
        Those of the image, rising.
    """
    pairs = np.searchsorted(labels, np.concatenate(blocks))
    return lowest_of_linked(labels, pairs).astype(np.int64, copy=False)
