"""Where a result agrees with a ground truth, voxel by voxel."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.scores.label_overlaps import check_pair, whole_numbers
from napari_seedbed.core.slabs import Slab, in_slabs

HIT, MISSED, ADDED = 1, 2, 3


def agreement_map(truth: Any, labels: Any) -> NDArray[np.uint8]:
    """Mark the voxels that a result hits, misses and adds.

    Parameters
    ----------
    truth : (M, N[, P]) ndarray of bool, int or float
        Labels, whole numbers; 0 is no object. Voxels with negative labels are left out.
    labels : (M, N[, P]) ndarray of bool, int or float
        The result; 0 and negative labels are no object.

    Returns
    -------
    (M, N[, P]) ndarray of uint8
        1 where both have an object, 2 where only the truth has one, 3 where only the result has
        one, 0 elsewhere. Which objects they are does not matter.

    Raises
    ------
    InputError
        As `segmentation_scores`.
    """
    truth, labels = check_pair(truth, labels)
    found = np.empty(truth.shape, np.uint8)

    def compare(slab: Slab) -> None:
        known = truth[slab]
        for name, array in (("truth", known), ("labels", labels[slab])):
            if array.dtype.kind == "f":
                whole_numbers(array, name)
        there, seen = known > 0, labels[slab] > 0
        part = np.where(there, np.where(seen, HIT, MISSED), np.where(seen, ADDED, 0))
        part[known < 0] = 0
        found[slab] = part

    in_slabs(compare, truth.shape)
    return found
