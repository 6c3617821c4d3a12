"""What is marked in labels that are mostly empty, as seeds are, without looking at all of them."""

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.objects.labelled_volume import LabelledVolume

_ROW = 1 << 12
"""Voxels that are looked at together: where nothing is marked, only their largest value is."""


def marked_places(labels: NDArray[np.integer]) -> tuple[NDArray[np.intp], ...]:
    """Find where labels are not 0, as `numpy.nonzero`.

    Parameters
    ----------
    labels : (…) ndarray of int

    Returns
    -------
    tuple of (N,) ndarray of int
        One along each axis.
    """
    rows, which = _marked_rows(labels)
    row, column = np.nonzero(rows)
    return np.unravel_index(which[row] * _ROW + column, labels.shape)


def marked_labels_of(labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """Find the positive labels that there are, rising.

    Parameters
    ----------
    labels : (…) ndarray of int

    Returns
    -------
    (K,) ndarray of int64
    """
    rows, _ = _marked_rows(labels)
    return LabelledVolume(rows).labels if len(rows) else np.empty(0, np.int64)


def _marked_rows(labels: NDArray[np.integer]) -> tuple[NDArray[np.integer], NDArray[np.intp]]:
    """Rows of the flattened labels that are not empty, and which ones they are; 0 at the end."""
    flat = np.ravel(labels)
    whole = flat.size // _ROW * _ROW
    rows = flat[:whole].reshape(-1, _ROW)
    # negative labels are large ones without a sign
    which = np.flatnonzero(rows.view(f"u{rows.itemsize}").max(axis=1))
    found = rows if len(which) == len(rows) else rows[which]
    if whole < flat.size:
        last = np.zeros((1, _ROW), flat.dtype)
        last[0, : flat.size - whole] = flat[whole:]
        found, which = np.concatenate([found, last]), np.append(which, len(rows))
    return found, which
