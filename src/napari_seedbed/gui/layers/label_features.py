"""Measurements as the features of a Labels layer, where napari's own widgets look for them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from napari.layers import Labels

INDEX = "index"
"""The column in which napari looks labels up, for the line at the bottom of its window."""

_SPARSE = 1000


def show_features(layer: Labels, columns: Mapping[str, Any], label: str = "label") -> None:
    """Put a table with one row a label into the features of a layer.

    napari's table of features takes the row at place n to be that of label n. So rows without
    values are put in for the background and for labels that do not occur, unless those would be
    many more than the rest; the column `index` holds the labels in any case.

    Parameters
    ----------
    layer : Labels
    columns : mapping
        Equally long columns, one of them the labels, each of which occurs once. Columns of other
        names that the layer's features have stay, and so do the rows of other labels in them.
    label : str
        Name of the column with the labels.
    """
    before = layer.features
    # napari's own kind of table
    new = type(before)({name: np.asarray(column) for name, column in columns.items()})
    new = new.rename(columns={label: INDEX}).set_index(INDEX)
    if INDEX in before and len(before):
        kept = before.set_index(INDEX)
        kept = kept[[name for name in kept if name not in new]]
        if len(kept.columns):
            new = new.join(kept[~kept.index.duplicated()], how="outer")
    highest = int(new.index.max()) if len(new) else 0
    if highest <= 2 * len(new) + _SPARSE and (not len(new) or new.index.min() >= 0):
        new = new.reindex(np.arange(highest + 1))
        new.index.name = INDEX
    layer.features = new.reset_index()
