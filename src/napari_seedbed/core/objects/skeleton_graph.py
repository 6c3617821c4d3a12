"""A skeleton as a graph: nodes where branches end and meet, and the branches between them.

Two neighbouring voxels are linked unless a shorter way leads through a third one that neighbours
both: on a staircase only the steps count, not the short cuts across their corners, which would be
taken for places where branches meet.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from napari_seedbed.core.objects.label_lookup import half_offsets, shifted

Link = NDArray[np.int64]


@dataclass(frozen=True)
class SkeletonGraph:
    """Nodes and branches of a skeleton; its voxels are numbered in the order of their indices.

    Attributes
    ----------
    voxels : (V, D) ndarray of int
        Indices of the voxels.
    node_of : (V,) ndarray of int
        Which node a voxel belongs to, -1 for those within a branch.
    node_places : (N, D) ndarray of float
        Voxel coordinates of the nodes: the voxel at an end, the mean of those where branches meet.
    node_degrees : (N,) ndarray of int
        How many branches leave a node; 0 for a voxel on its own.
    branch_of : (V,) ndarray of int
        Which branch a voxel lies within, -1 for those of nodes.
    branch_nodes : (B, 2) ndarray of int
        Nodes at both ends of a branch, the same twice for a loop; -1 for a ring without nodes.
    branch_lengths : (B,) ndarray of float
        Along the branch from node to node, in the unit of the spacing.
    """

    voxels: NDArray[np.int64]
    node_of: NDArray[np.int64]
    node_places: NDArray[np.float64]
    node_degrees: NDArray[np.int64]
    branch_of: NDArray[np.int64]
    branch_nodes: NDArray[np.int64]
    branch_lengths: NDArray[np.float64]


def skeleton_graph(labels: NDArray[np.int32], spacing: tuple[float, ...]) -> SkeletonGraph:
    """Take a thin skeleton apart into nodes and branches.

    Parameters
    ----------
    labels : (M, N[, P]) ndarray of int32
        Skeletons; voxels of different labels are not linked.
    spacing : tuple of float
        Voxel size.
    """
    first, second = _links(labels)
    voxels = np.argwhere(labels)
    number = len(voxels)
    degree = np.bincount(first, minlength=number) + np.bincount(second, minlength=number)
    meeting = degree > 2
    # Voxels that meet next to each other are one place: from here on, one unit of the graph.
    joined = meeting[first] & meeting[second]
    _, unit = _components(first[joined], second[joined], number)
    count = int(unit.max(initial=-1)) + 1
    places = np.stack(
        [np.bincount(unit, axis, count) for axis in voxels.T.astype(float)], axis=1
    ) / np.bincount(unit, minlength=count).reshape(-1, 1)
    first, second = unit[first[~joined]], unit[second[~joined]]
    lengths = np.linalg.norm((places[first] - places[second]) * spacing, axis=1)
    degrees = np.bincount(first, minlength=count) + np.bincount(second, minlength=count)

    is_node = degrees != 2
    node = np.where(is_node, np.cumsum(is_node) - 1, -1)
    # Links between voxels of branches make these; a link between two nodes is a branch as well.
    within = ~is_node[first] & ~is_node[second]
    _, path = _components(first[within], second[within], count)
    _, path = np.unique(np.where(is_node, -1, path), return_inverse=True)
    path = path.reshape(-1) - int(is_node.any())
    paths = int(path.max(initial=-1)) + 1
    direct = is_node[first] & is_node[second]
    branch = np.where(is_node[first], path[second], path[first])
    branch[direct] = paths + np.arange(np.count_nonzero(direct))
    total = paths + int(np.count_nonzero(direct))

    branch_lengths = np.bincount(branch, lengths, total).astype(np.float64)
    owners, nodes = [branch[direct]] * 2, [node[first[direct]], node[second[direct]]]
    for one, other in ((first, second), (second, first)):
        leaving = is_node[one] & ~is_node[other]
        owners.append(branch[leaving])
        nodes.append(node[one[leaving]])
    return SkeletonGraph(
        voxels,
        node[unit],
        places[is_node],
        degrees[is_node],
        path[unit],
        _ends(np.concatenate(owners), np.concatenate(nodes), total),
        branch_lengths,
    )


def neighbour_counts(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return how many voxels of a mask touch each of its voxels, at corners too; 0 elsewhere."""
    from scipy.ndimage import convolve1d

    counts = mask.astype(np.uint8)
    for axis in range(mask.ndim):
        counts = convolve1d(counts, [1, 1, 1], axis, mode="constant")
    return np.where(mask, counts - 1, 0).astype(np.uint8)


def _links(labels: NDArray[np.int32]) -> tuple[Link, Link]:
    """Numbers of the voxels that are linked, each pair once."""
    ndim = labels.ndim
    index = np.full(labels.shape, -1, np.int64)
    index[labels > 0] = np.arange(np.count_nonzero(labels))
    padded = np.pad(labels, 1)
    first, second = [], []
    for step in half_offsets(ndim, ndim):
        here, there = shifted(labels.shape, step)
        linked = (labels[here] > 0) & (labels[here] == labels[there])
        own = np.stack(np.nonzero(linked), axis=1) + [part.start for part in here]
        for way in _ways(step):
            # The place of a third voxel that would be passed on a shorter way.
            between = padded[tuple((own + way + 1).T)]
            own = own[between != labels[tuple(own.T)]]
        first.append(index[tuple(own.T)])
        second.append(index[tuple((own + step).T)])
    return np.concatenate(first), np.concatenate(second)


def _ways(step: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Steps to the voxels between one and its neighbour at a step across an edge or corner."""
    choices = product(*((0, n) if n else (0,) for n in step))
    return [way for way in choices if any(way) and way != step]


def _components(first: Link, second: Link, number: int) -> tuple[int, NDArray[np.int64]]:
    if number == 0:
        return 0, np.empty(0, np.int64)
    links = coo_array((np.ones(len(first), bool), (first, second)), (number, number))
    count, found = connected_components(links, directed=False)
    return count, found.astype(np.int64)


def _ends(branch: Link, node: Link, number: int) -> NDArray[np.int64]:
    """Lower and higher node of each branch; -1 twice for those that have none."""
    order = np.lexsort((node, branch))
    branch, node = branch[order], node[order]
    ends = np.full((number, 2), -1)
    # Each branch either has two ends or none.
    ends[branch[::2], 0] = node[::2]
    ends[branch[1::2], 1] = node[1::2]
    return ends
