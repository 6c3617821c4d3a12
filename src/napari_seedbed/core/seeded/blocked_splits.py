"""Basins with seeds of several labels, split in a volume that is read block by block."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.boxes import widened
from napari_seedbed.core.seeded.basin_graphs import FaceGraph, Faces, faces_between
from napari_seedbed.core.seeded.basin_splits import Splits, with_faces_of_parts
from napari_seedbed.core.seeded.blocked_basins import Landscape, renumbered
from napari_seedbed.core.seeded.linear_scores import Region
from napari_seedbed.core.seeded.stored_volumes import BlockGrid, Readable, RunsTasks, shape_of

Floats = NDArray[np.float32]


def split_graph(
    graph: FaceGraph,
    splits: Splits,
    grid: BlockGrid,
    run: RunsTasks,
    landscape: Landscape,
    basins: Readable,
) -> FaceGraph:
    """Return the graph with the parts of split basins as nodes, as `split_by_seeds` gives it.

    The bounding box of a part is that of its basin.
    """
    if not splits.basins:
        return graph
    tasks = _windows(graph, splits, grid)
    faces = list(run(faces_of_window, tasks, splits, landscape, graph.areas, basins))
    marked = np.zeros(graph.count, np.bool_)
    marked[splits.numbers] = True
    parents = splits.parents
    new = with_faces_of_parts(graph, marked, faces, graph.count + len(parents))
    return replace(
        graph,
        low=np.concatenate([graph.low, graph.low[parents]]),
        high=np.concatenate([graph.high, graph.high[parents]]),
        pair=new.pair,
        area=new.area,
        cost=new.cost,
    )


def _windows(graph: FaceGraph, splits: Splits, grid: BlockGrid) -> list[Region]:
    """Parts of blocks that hold all voxels of split basins, and those just before them."""
    hulls: dict[int, list[tuple[int, int]]] = {}
    for number in splits.numbers.tolist():
        z, y, x = (
            slice(max(int(a) - 1, 0), int(b))
            for a, b in zip(graph.low[number], graph.high[number], strict=True)
        )
        for block in grid.touched((z, y, x)):
            own = [
                (max(part.start, whole.start), min(part.stop, whole.stop))
                for part, whole in zip((z, y, x), grid.region(block), strict=True)
            ]
            known = hulls.get(block, own)
            hulls[block] = [
                (min(a, c), max(b, d)) for (a, b), (c, d) in zip(known, own, strict=True)
            ]
    return [(slice(*z), slice(*y), slice(*x)) for z, y, x in hulls.values()]


def faces_of_window(
    region: Region, splits: Splits, landscape: Landscape, areas: Floats, basins: Readable
) -> Faces:
    """Return the faces of parts of basins that lead upwards from the voxels of a region."""
    shape = landscape.volume.shape
    z, y, x = (
        slice(part.start, wide.stop)
        for part, wide in zip(region, widened(region, (1, 1, 1), shape), strict=True)
    )
    before = np.asarray(basins[z, y, x])
    local, nodes = renumbered(splits.applied(before, (z, y, x)))
    height, _ = landscape.read((z, y, x))
    faces = faces_between(local, len(nodes), height, areas, shape_of(region))
    is_part = np.isin(nodes, splits.numbers) | (nodes >= splits.count)
    kept = is_part[faces.pair].any(axis=1)
    return Faces(nodes[faces.pair[kept]], faces.area[kept], faces.cost[kept])
