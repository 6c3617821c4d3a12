"""Joining regions that touch: all levels at once, and any of them at the cost of a look.

References
----------
Tremeau A, Colantoni P (2000). Regions adjacency graph applied to color image segmentation. IEEE
Transactions on Image Processing 9(4), 735-744.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.regions import graph_kernels
from napari_seedbed.core.regions.region_graphs import RegionGraph, Weight, check_weight
from napari_seedbed.errors import InputError

Method = Literal["cut", "merge"]
Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class MergeTree:
    """All the steps in which regions can be joined, in their order.

    Attributes
    ----------
    n_regions : int
        Regions are the nodes 0 to R - 1.
    joined : (K, 2) ndarray of int
        The i-th step joins these two nodes to the node R + i.
    heights : (K,) ndarray of float
        The level above which a step is made; never falling.
    """

    n_regions: int
    joined: Whole
    heights: NDArray[np.float64]

    def steps_at(self, level: float) -> int:
        """How many steps are made at a level: those whose weight is below it."""
        return int(np.searchsorted(self.heights, level, side="left"))

    def steps_for(self, n_groups: int) -> int:
        """How many steps leave so many groups, or as few as there can be."""
        return int(np.clip(self.n_regions - n_groups, 0, len(self.heights)))

    def level_of(self, steps: int) -> float:
        """A level at which so many steps are made, or more where the next are as high.

        Half way to the next one; twice the last one where there is no next.
        """
        if not len(self.heights) or steps <= 0:
            return 0.0
        last = self.heights[steps - 1]
        following = self.heights[steps] if steps < len(self.heights) else 2 * last + 1e-12
        return float((last + following) / 2)

    def ups(self, steps: int, more: int = 0) -> Whole:
        """Which node each was joined to in the first steps, -1 for none, with room for `more`."""
        found = np.full(self.n_regions + steps + more, -1, np.int64)
        made = self.n_regions + np.arange(steps)
        found[self.joined[:steps, 0]] = made
        found[self.joined[:steps, 1]] = made
        return found

    def groups(self, steps: int) -> Whole:
        """For each region (R,) the first region that it is joined with by so many steps."""
        return groups_of(self.ups(steps), self.n_regions)


def groups_of(ups: Whole, n_regions: int) -> Whole:
    """For each region (R,) the first one of its group, from which node each was joined to."""
    roots, firsts = np.empty_like(ups), np.empty_like(ups)
    groups = np.empty(n_regions, np.int64)
    graph_kernels.first_of_each(ups, n_regions, roots, firsts, groups)
    return groups


def merge_tree(graph: RegionGraph, method: Method = "cut", weight: Weight = "colour") -> MergeTree:
    """Compute all the steps in which the regions of a graph can be joined.

    Parameters
    ----------
    graph : RegionGraph
    method : {'cut', 'merge'}
        'cut': at a level, regions are joined that are linked by edges below it, as
        ``skimage.graph.cut_threshold`` does. 'merge': the two regions of the lowest weight are
        joined, weights around them are renewed by the mean colour or boundary of both, and so on
        while weights are below the level, as ``skimage.graph.merge_hierarchical`` does.
    weight : {'colour', 'boundary'}

    Returns
    -------
    MergeTree

    Raises
    ------
    InputError
        For another method or weight.
    """
    check_weight(weight)
    if method not in ("cut", "merge"):
        raise InputError(f"method is {method!r}; it must be 'cut' or 'merge'.")
    compute = partial(_cut if method == "cut" else _merge, graph, weight)
    tree: MergeTree = call_aside(compute)
    return tree


def _cut(graph: RegionGraph, weight: Weight) -> MergeTree:
    weights, count = graph.weights(weight), len(graph.labels)
    joined, steps = (
        np.empty((max(count - 1, 0), 2), np.int64),
        np.empty(max(count - 1, 0), np.int64),
    )
    order = np.argsort(weights, kind="stable")
    n = graph_kernels.join_by_weight(graph.edges, order, count, joined, steps)
    return MergeTree(count, joined[:n], weights[steps[:n]])


def _merge(graph: RegionGraph, weight: Weight) -> MergeTree:
    count = len(graph.labels)
    joined, heights = np.empty((max(count - 1, 0), 2), np.int64), np.empty(max(count - 1, 0))
    n = graph_kernels.join_lowest_first(
        graph.edges,
        weight == "colour",
        graph.means.copy(),
        graph.voxels.astype(np.float64),
        graph.lengths.copy(),
        graph.lengths * graph.strengths,
        joined,
        heights,
    )
    # A step can make the next one cheaper than itself was: that one then comes with it.
    return MergeTree(count, joined[:n], np.maximum.accumulate(heights[:n]))
