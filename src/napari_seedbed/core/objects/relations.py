"""Which object of one label image lies in which object of another."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.objects.label_lookup import object_labels
from napari_seedbed.core.scores.label_overlaps import LabelOverlaps, count_overlaps
from napari_seedbed.errors import InputError

Rows = Literal["children", "parents"]


def relate_objects(labels: Any, parents: Any, rows: Rows = "children") -> dict[str, NDArray[Any]]:
    """Find the parent of each object: the object of another image that holds most of it.

    Parameters
    ----------
    labels : (M, N[, P]) array_like of int or bool
        The children, such as nuclei or spots.
    parents : (M, N[, P]) array_like of int or bool
        What they lie in, such as cells.
    rows : {'children', 'parents'}
        Whether the table has a row a child or a row a parent.

    Returns
    -------
    dict of ndarray
        For children: 'label'; 'parent', the label of the object that holds more of its voxels than
        any other does, of equal ones the lowest, 0 where none holds any; 'parent_share', the share
        of its voxels in there, from 0 to 1; 'siblings', the number of other children of that
        parent. For parents: 'label', and 'children', how many it has.

    Raises
    ------
    InputError
        If the shapes differ, or values are no labels.
    """
    inner, outer = object_labels(labels), object_labels(parents, "parents")
    if inner.shape != outer.shape:
        raise InputError(
            f"parents has the shape {outer.shape}; it must have that of the labels, {inner.shape}."
        )
    return relations_of_overlaps(count_overlaps(inner, outer), rows)


def relations_of_overlaps(overlaps: LabelOverlaps, rows: Rows) -> dict[str, NDArray[Any]]:
    """Return what `relate_objects` does; the children are the truth, the parents the result."""
    if rows not in ("children", "parents"):
        raise InputError(f"rows is {rows!r}; it must be 'children' or 'parents'.")
    pairs = np.flatnonzero(overlaps.between_objects())
    child, parent = overlaps.truth_index[pairs], overlaps.result_index[pairs]
    # Where an index comes more than once the last value stays: that of most voxels.
    order = np.lexsort((-parent, overlaps.voxels[pairs]))
    child, parent, shared = child[order], parent[order], overlaps.voxels[pairs][order]
    of_child, most = np.zeros((2, len(overlaps.truth_values)), np.int64)
    of_child[child] = overlaps.result_values[parent]
    most[child] = shared

    is_child, is_parent = overlaps.truth_values > 0, overlaps.result_values > 0
    of_child, most = of_child[is_child], most[is_child]
    found, times = np.unique(of_child[of_child > 0], return_counts=True)
    numbers = overlaps.result_values[is_parent]
    children = np.zeros(len(numbers), np.int64)
    children[np.searchsorted(numbers, found)] = times
    if rows == "parents":
        return {"label": numbers, "children": children}
    siblings = np.zeros(len(of_child), np.int64)
    has_parent = of_child > 0
    siblings[has_parent] = children[np.searchsorted(numbers, of_child[has_parent])] - 1
    return {
        "label": overlaps.truth_values[is_child],
        "parent": of_child,
        "parent_share": most / overlaps.truth_voxels[is_child],
        "siblings": siblings,
    }
