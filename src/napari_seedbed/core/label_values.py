"""Which labels occur in an array."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop


def label_values(labels: NDArray[np.integer]) -> NDArray[np.int32]:
    """Return the labels above 0 that occur, rising.

    Parameters
    ----------
    labels : ndarray of int

    Returns
    -------
    (K,) ndarray of int32
    """
    found = [np.empty(0, np.int32)]
    for plane in labels if labels.ndim > 2 else [labels]:
        check_stop()
        # Sorting only what is not zero: many times faster where there are few objects.
        inside = plane[plane > 0]
        if inside.size:
            found.append(np.unique(inside).astype(np.int32))
    return np.unique(np.concatenate(found))


def editable_labels(labels: NDArray[Any]) -> NDArray[np.integer]:
    """Return a copy of labels that can be changed, in their own type; masks as uint8.

    Parameters
    ----------
    labels : (…) array_like of int or bool
    """
    array = np.array(labels)
    dtype = np.dtype(np.uint8) if array.dtype.kind == "b" else array.dtype.newbyteorder("=")
    return np.ascontiguousarray(array, dtype)
