"""Tables of what was segmented: one row an object."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.validation import check_image, check_labels, check_spacing
from napari_seedbed.errors import InputError

_AXIS_NAMES = {2: ("y", "x"), 3: ("z", "y", "x")}


def object_table(
    labels: Any,
    spacing: float | Sequence[float] | None = None,
    unit: str = "pixel",
    image: Any = None,
) -> dict[str, NDArray[Any]]:
    """Measure each labelled object.

    Parameters
    ----------
    labels : (M, N[, P]) ndarray of int
        Labelled image; labels below 1 are no objects.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    unit : str
        Unit of `spacing`, written into the table.
    image : (M, N[, P]) ndarray, optional
        Grey values to average over each object.

    Returns
    -------
    dict of (K,) arrays, one entry an object, in ascending order of the labels
        ``label``; ``voxels``; ``area`` (2D) or ``volume`` (3D) in physical units; ``unit``;
        ``centroid_z``, ``_y``, ``_x`` in physical units from the middle of the first voxel;
        ``bbox_z_start``, ``bbox_z_stop``, … in voxels, the stop excluded; with `image` also
        ``mean_intensity``, ``min_intensity``, ``max_intensity``.

    Raises
    ------
    InputError
        If `labels` are not whole numbers in 2D or 3D, or `image` has another shape.
    """
    labels = check_labels(labels)
    if labels.ndim not in _AXIS_NAMES:
        raise InputError(f"labels have {labels.ndim} axes; tables need 2 or 3.")
    size = check_spacing(spacing, labels.ndim)
    grey = None
    if image is not None:
        grey = check_image(image)
        if grey.shape != labels.shape:
            raise InputError(
                f"image has the shape {grey.shape}; it must have the labels' shape {labels.shape}."
            )
    names = _AXIS_NAMES[labels.ndim]
    where = np.flatnonzero(labels > 0)
    found, number, counts = np.unique(
        labels.ravel()[where], return_inverse=True, return_counts=True
    )
    table: dict[str, NDArray[Any]] = {
        "label": found.astype(np.int64),
        "voxels": counts.astype(np.int64),
        "area" if labels.ndim == 2 else "volume": counts * float(np.prod(size)),
        "unit": np.full(len(found), unit),
    }
    positions = np.unravel_index(where, labels.shape)
    for name, position, voxel in zip(names, positions, size, strict=True):
        total = np.bincount(number, weights=position, minlength=len(found))
        table[f"centroid_{name}"] = total / counts * voxel
    for name, position in zip(names, positions, strict=True):
        first = np.full(len(found), np.iinfo(np.int64).max)
        last = np.full(len(found), -1)
        np.minimum.at(first, number, position)
        np.maximum.at(last, number, position)
        table[f"bbox_{name}_start"] = first
        table[f"bbox_{name}_stop"] = last + 1
    if grey is not None:
        values = grey.ravel()[where].astype(np.float64)
        index = np.arange(len(found))
        total = np.bincount(number, weights=values, minlength=len(found))
        table["mean_intensity"] = total / counts
        # An empty list of objects would be refused by the functions of SciPy.
        table["min_intensity"] = np.array(ndi.minimum(values, number, index) if index.size else [])
        table["max_intensity"] = np.array(ndi.maximum(values, number, index) if index.size else [])
    return table
