"""Probabilities of an engine that has solved, in the order of labels of a whole series."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_seedbed.core.seeded.seeded_segmenter import SeededSegmenter
    from napari_seedbed.core.walker.random_walks import RandomWalker


def probabilities_of_labels(
    engine: "RandomWalker | SeededSegmenter", labels: Sequence[int]
) -> NDArray[np.float32]:
    """Return the probability of each label, 0 where the engine's seeds have no such label.

    Parameters
    ----------
    engine : RandomWalker or SeededSegmenter
        That has solved.
    labels : sequence of K ints
        All labels of its seeds, and perhaps of those of other time points.

    Returns
    -------
    (K, [Z, ]Y, X) ndarray of float32
    """
    order, maps = list(labels), engine.find_probabilities()
    found = np.zeros((len(order), *maps.shape[1:]), np.float32)
    for value, probability in zip(engine.label_values, maps, strict=True):
        found[order.index(int(value))] = probability
    return found
