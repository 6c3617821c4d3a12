"""The lines that show a graph of regions over a slice or a volume."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.regions.region_graphs import RegionGraph, Weight, check_weight

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GraphLines:
    """One line for each two groups that touch.

    Attributes
    ----------
    starts, ends : (N, D) ndarray of float
        The middles of both groups, in voxels.
    weights : (N,) ndarray of float
        What keeps them apart now.
    """

    starts: Floats
    ends: Floats
    weights: Floats


class GraphPart:
    """A graph as it is seen in a part of its image.

    Parameters
    ----------
    graph : RegionGraph
    numbers : ([Z, ]Y, X) ndarray of int32
        That part of `graph.numbers`.
    """

    def __init__(self, graph: RegionGraph, numbers: NDArray[np.int32]) -> None:
        self._graph = graph
        self._edges = graph.edges_in(numbers)
        flat = numbers.ravel()
        size = len(graph.labels) + 1
        self._voxels = np.bincount(flat, minlength=size)[1:]
        self._sums = np.empty((len(graph.labels), numbers.ndim))
        for axis, n in enumerate(numbers.shape):
            place = np.arange(n, dtype=float).reshape([-1] + [1] * (numbers.ndim - 1 - axis))
            place = np.broadcast_to(place, numbers.shape)
            self._sums[:, axis] = np.bincount(flat, place.ravel(), minlength=size)[1:]

    def lines(self, groups: Whole, weight: Weight) -> GraphLines:
        """The lines between groups of regions that touch in this part.

        Parameters
        ----------
        groups : (R,) ndarray of int
            For each region the first region of its group.
        weight : {'colour', 'boundary'}
        """
        check_weight(weight)
        graph, count = self._graph, len(self._graph.labels)
        pairs = _keys(groups, graph.edges[self._edges], count)
        keys = np.unique(pairs[pairs >= 0])
        low, high = np.divmod(keys, max(count, 1))
        voxels = np.bincount(groups, self._voxels, count)
        with np.errstate(invalid="ignore", divide="ignore"):
            middles = np.stack(
                [np.bincount(groups, sums, count) / voxels for sums in self._sums.T], axis=1
            )
        if weight == "colour":
            colours = graph.colours(groups)
            weights = np.sqrt(((colours[low] - colours[high]) ** 2).sum(axis=1))
        else:
            every = _keys(groups, graph.edges, count)
            place = np.searchsorted(keys, every)
            here = (place < len(keys)) & (every >= 0)
            here[here] = keys[place[here]] == every[here]
            lengths = np.bincount(place[here], graph.lengths[here], len(keys))
            totals = (graph.lengths * graph.strengths)[here]
            weights = np.bincount(place[here], totals, len(keys)) / np.maximum(lengths, 1e-300)
        return GraphLines(middles[low], middles[high], weights)


def _keys(groups: Whole, edges: Whole, count: int) -> Whole:
    """A number for each pair of groups that edges link; -1 within a group."""
    one, two = groups[edges[:, 0]], groups[edges[:, 1]]
    keys = np.minimum(one, two) * count + np.maximum(one, two)
    return np.where(one == two, -1, keys)
