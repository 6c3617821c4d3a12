"""Skeletons of objects, where they end and branch, and how long and wide their branches are."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.objects import thinning_kernels
from napari_seedbed.core.objects.label_lookup import (
    neighbour_pairs,
    object_boxes,
    object_labels,
)
from napari_seedbed.core.objects.skeleton_graph import (
    SkeletonGraph,
    neighbour_counts,
    skeleton_graph,
)
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.validation import check_number, check_spacing
from napari_seedbed.errors import InputError

Thinning = Literal["zhang", "lee"]

_SIDES = (10, 16, 14, 12, 22, 4)
"""Places around a voxel that share a face with it, in the order of `thinning_kernels.PLACES`, in
which they are laid open: those in y and x before those in z."""


def skeleton(
    labels: Any,
    method: Thinning | None = None,
    spacing: float | Sequence[float] | None = None,
    *,
    shortest: float = 0.0,
) -> NDArray[np.int32]:
    """Thin objects to lines of one voxel that keep their holes, cavities and pieces.

    Parameters
    ----------
    labels : (M, N[, P]) array_like of int or bool
    method : {'zhang', 'lee'}, optional
        'zhang' for 2D only; when None that in 2D and 'lee' in 3D.
    spacing : sequence of float, optional
        Voxel size, for `shortest`; 1 when None. The thinning itself counts voxels.
    shortest : float
        Branches with a loose end that are shorter are taken away again, in the unit of `spacing`.
        The two longest of those that meet in one place stay.

    Returns
    -------
    (M, N[, P]) ndarray of int32
        Each skeleton has the label of its object; objects that touch have one each.

    Raises
    ------
    InputError
        If the method is unknown or does not work in 3D.

    References
    ----------
    Zhang TY, Suen CY (1984). A fast parallel algorithm for thinning digital patterns.
    Communications of the ACM 27(3), 236-239.
    Lee TC, Kashyap RL, Chu CN (1994). Building skeleton models via 3-D medial surface/axis thinning
    algorithms. CVGIP: Graphical Models and Image Processing 56(6), 462-478.
    """
    array = object_labels(labels)
    size = check_spacing(spacing, array.ndim)
    least = check_number(shortest, "shortest")
    if method is None:
        method = "zhang" if array.ndim == 2 else "lee"
    if method not in ("zhang", "lee"):
        raise InputError(f"method is {method!r}; it must be zhang or lee.")
    if method == "zhang" and array.ndim == 3:
        raise InputError("method is 'zhang', which thins images of 2 axes; take lee in 3D.")
    thin = _thinned(array, method)
    while least > 0:
        check_stop()
        loose = _loose_branches(skeleton_graph(thin, size), least)
        if not len(loose):
            break
        thin[tuple(loose.T)] = 0
        # Where a branch began the line may be two voxels thick now.
        thin = _thinned(thin, method)
    return thin


def skeleton_points(
    labels: Any,
    spacing: float | Sequence[float] | None = None,
    *,
    thin: bool = True,
    merge: bool = True,
    kind: Literal["all", "end", "branch"] = "all",
) -> tuple[NDArray[np.float64], dict[str, NDArray[Any]]]:
    """Find where skeletons end and where their branches meet.

    Parameters
    ----------
    labels : (M, N[, P]) array_like of int or bool
        Skeletons or, with `thin`, objects.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    thin : bool
        Thin to skeletons first; these stay as they are.
    merge : bool
        Give one point for each place where branches meet. Otherwise one for each voxel by its
        number of neighbours, at corners too: one at an end, three or more at a branching; of
        those there are several next to each other, on staircases too.
    kind : {'all', 'end', 'branch'}
        Which points to give.

    Returns
    -------
    points : (K, D) ndarray
        Voxel coordinates, ends first.
    columns : dict
        ``kind`` ('end', 'branch', or 'isolated' for a voxel without neighbours), ``label`` of
        the object, ``branches`` that leave the point (or neighbours of the voxel).
    """
    array = object_labels(labels)
    size = check_spacing(spacing, array.ndim)
    thinned = skeleton(array) if thin else array
    if merge:
        graph = skeleton_graph(thinned, size)
        points, degrees = graph.node_places, graph.node_degrees
        value = _node_labels(graph, thinned)
    else:
        counts = np.zeros(thinned.shape, np.uint8)
        touching = len(neighbour_pairs(thinned, thinned.ndim)[0]) > 0
        for label in np.unique(thinned[thinned > 0]) if touching else (0,):
            counts += neighbour_counts(thinned == label if touching else thinned > 0)
        points = np.argwhere((thinned > 0) & (counts != 2)).astype(np.float64)
        where = tuple(points.astype(np.int64).T)
        degrees, value = counts[where].astype(np.int64), thinned[where]
    names = np.select([degrees == 1, degrees == 0], ["end", "isolated"], "branch")
    order = np.lexsort((np.arange(len(names)), names == "branch", names == "isolated"))
    if kind != "all":
        order = order[names[order] == kind]
    columns = {"kind": names[order], "label": value[order], "branches": degrees[order]}
    return points[order], columns


def branch_table(
    labels: Any, spacing: float | Sequence[float] | None = None, *, thin: bool = True
) -> dict[str, NDArray[Any]]:
    """Measure the branches of skeletons.

    Parameters
    ----------
    labels : (M, N[, P]) array_like of int or bool
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    thin : bool
        Thin to skeletons first; these stay as they are.

    Returns
    -------
    dict of (B,) arrays, one entry a branch
        ``branch`` from 1; ``label`` of the object; ``kind`` ('end-end', 'end-branch',
        'branch-branch', 'ring', 'point' for an object that is thinned to one place, a branch of
        length 0); ``start_node``, ``end_node`` (from 1, in the order of
        `skeleton_points` with `merge`; 0 for a ring); ``length`` along the branch and ``distance``
        from node to node in the unit of `spacing`; ``mean_width``: twice the mean distance to what
        is outside of the object, less one voxel, so 1 for a line of one voxel;
        ``start_y``, ``end_y``, … in the unit of `spacing`.
    """
    array = object_labels(labels)
    size = check_spacing(spacing, array.ndim)
    thinned = skeleton(array) if thin else array
    check_stop()
    graph = _with_points(skeleton_graph(thinned, size))
    rank = np.zeros(len(graph.node_degrees) + 1, np.int64)
    degrees = graph.node_degrees
    order = np.lexsort((np.arange(len(degrees)), degrees > 1, degrees == 0))
    # The place after the last, -1 as an index, stands for no node.
    rank[order] = np.arange(1, len(order) + 1)
    ends = graph.branch_nodes
    places = np.vstack([graph.node_places, np.zeros((1, array.ndim))]) * size
    start, end = places[ends[:, 0]], places[ends[:, 1]]
    ring = ends[:, 0] < 0
    loose = (np.append(degrees, 0)[ends] == 1).sum(axis=1)
    kind = np.select(
        [ring, np.append(degrees, -1)[ends[:, 0]] == 0, loose == 2, loose == 1],
        ["ring", "point", "end-end", "end-branch"],
        "branch-branch",
    )
    nan = np.where(ring, np.nan, 1.0)[:, None]
    table: dict[str, NDArray[Any]] = {
        "branch": np.arange(1, len(ends) + 1),
        "label": _branch_labels(graph, thinned),
        "kind": kind,
        "start_node": rank[ends[:, 0]],
        "end_node": rank[ends[:, 1]],
        "length": graph.branch_lengths,
        "distance": np.linalg.norm(start - end, axis=1),
        "mean_width": _mean_widths(graph, array, size),
    }
    for which, at in (("start", start * nan), ("end", end * nan)):
        for axis, name in enumerate("zyx"[-array.ndim :]):
            table[f"{which}_{name}"] = at[:, axis]
    return table


def _thinned(labels: NDArray[np.int32], method: Thinning) -> NDArray[np.int32]:
    from skimage.morphology import skeletonize

    if method == "lee":
        return _peeled(labels)
    check_stop()
    if not len(neighbour_pairs(labels, labels.ndim)[0]):
        # No two objects touch, so all can be thinned at once.
        return np.where(skeletonize(labels > 0), labels, 0)
    out = np.zeros_like(labels)
    for value, box in object_boxes(labels).items():
        check_stop()
        out[box][skeletonize(labels[box] == value)] = value
    return out


def _peeled(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Thin by taking voxels away from one side after the other, as Lee and others do."""
    lead = (1,) * (3 - labels.ndim)
    volume = np.pad(labels.reshape(lead + labels.shape), 1)
    flat = volume.reshape(-1)
    strides = np.array(volume.strides) // volume.itemsize
    steps = thinning_kernels.PLACES @ strides
    voxels = np.flatnonzero(flat)
    sides = _SIDES[: 2 * labels.ndim]
    still = 0
    for side in cycle(sides):
        check_stop()
        if thinning_kernels.peel(flat, voxels, steps, side):
            voxels = voxels[flat[voxels] > 0]
            still = 0
        else:
            still += 1
        if still == len(sides):
            break
    return volume[(slice(1, -1),) * 3].reshape(labels.shape)


def _with_points(graph: SkeletonGraph) -> SkeletonGraph:
    """The same graph with a branch of length 0 at each node that has none."""
    alone = np.flatnonzero(graph.node_degrees == 0)
    return replace(
        graph,
        branch_nodes=np.vstack([graph.branch_nodes, np.stack([alone, alone], axis=1)]),
        branch_lengths=np.append(graph.branch_lengths, np.zeros(len(alone))),
    )


def _loose_branches(graph: SkeletonGraph, least: float) -> NDArray[np.int64]:
    """Voxels of the branches with a loose end that are too short."""
    ends, degrees = graph.branch_nodes, graph.node_degrees.copy()
    loose = np.flatnonzero(
        (ends[:, 0] >= 0)
        & (graph.branch_lengths < least)
        & ((np.append(degrees, 0)[ends] == 1).sum(axis=1) == 1)
    )
    going, tips = [], []
    for branch in loose[np.argsort(graph.branch_lengths[loose], kind="stable")].tolist():
        tip, base = ends[branch]
        if degrees[tip] != 1:
            tip, base = base, tip
        if degrees[base] > 2:
            degrees[base] -= 1
            going.append(branch)
            tips.append(tip)
    return graph.voxels[np.isin(graph.branch_of, going) | np.isin(graph.node_of, tips)]


def _node_labels(graph: SkeletonGraph, labels: NDArray[np.int32]) -> NDArray[np.int32]:
    found = np.zeros(len(graph.node_degrees), np.int32)
    of_node = graph.node_of >= 0
    found[graph.node_of[of_node]] = labels[tuple(graph.voxels[of_node].T)]
    return found


def _branch_labels(graph: SkeletonGraph, labels: NDArray[np.int32]) -> NDArray[np.int32]:
    nodes = np.append(_node_labels(graph, labels), 0)
    found = nodes[graph.branch_nodes[:, 0]].astype(np.int32)
    within = graph.branch_of >= 0
    found[graph.branch_of[within]] = labels[tuple(graph.voxels[within].T)]
    return found


def _mean_widths(
    graph: SkeletonGraph, labels: NDArray[np.int32], spacing: tuple[float, ...]
) -> NDArray[np.float64]:
    """Mean over the voxels of each branch, or over its nodes where there are none between them."""
    number = len(graph.branch_lengths)
    if not number:
        return np.zeros(0)
    inside = _depths(labels, spacing)
    width = 2 * inside[tuple(graph.voxels.T)] - min(spacing)
    within, of_node = graph.branch_of >= 0, graph.node_of >= 0
    counts = np.bincount(graph.branch_of[within], minlength=number)
    sums = np.bincount(graph.branch_of[within], width[within], number)
    nodes = len(graph.node_degrees)
    node_counts = np.bincount(graph.node_of[of_node], minlength=nodes)
    node_sums = np.bincount(graph.node_of[of_node], width[of_node], nodes)
    at_nodes = np.append(node_sums / np.maximum(node_counts, 1), 0)[graph.branch_nodes].mean(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), at_nodes)


def _depths(labels: NDArray[np.int32], spacing: tuple[float, ...]) -> NDArray[np.float64]:
    """How far what is outside of its object is from each voxel; the image ends where objects do."""
    if not len(neighbour_pairs(labels, labels.ndim)[0]):
        return _depth(labels > 0, spacing)
    depths = np.zeros(labels.shape)
    for value, box in object_boxes(labels).items():
        own = labels[box] == value
        depths[box][own] = _depth(own, spacing)[own]
    return depths


def _depth(mask: NDArray[np.bool_], spacing: tuple[float, ...]) -> NDArray[np.float64]:
    core = (slice(1, -1),) * mask.ndim
    depth: NDArray[np.float64] = ndi.distance_transform_edt(np.pad(mask, 1), spacing)[core]
    return depth
