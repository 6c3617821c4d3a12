"""Graphs of regions, watersheds and peaks beside scikit-image's; prints ratios, asserts nothing.

``python benchmarks/regions.py`` takes about four minutes, nearly all of them scikit-image's. With
``--window`` it also measures, in a napari window, how long a move of the panel's slider takes.
"""

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scenes import machine
from scipy.ndimage import gaussian_filter
from skimage import data, graph, morphology, segmentation
from skimage.feature import peak_local_max
from skimage.filters import sobel

from napari_seedbed.core import (
    RegionGraph,
    h_maxima,
    merge_tree,
    region_graph,
    slic_regions,
    watershed,
)
from napari_seedbed.core.regions.watersheds import even_seeds

LEVEL = 35.0


def timed(function: Callable[[], Any], times: int = 1) -> tuple[float, Any]:
    """Return the shortest of some times that a call took, and what it gave."""
    best, result = np.inf, None
    for _ in range(times):
        start = time.perf_counter()
        result = function()
        best = min(best, time.perf_counter() - start)
    return best, result


def compare(name: str, own: Callable[[], Any], peer: Callable[[], Any]) -> tuple[Any, Any]:
    """Print one line, and return what both gave."""
    own()
    ours, mine = timed(own, 3)
    theirs, other = timed(peer)
    print(
        f"{name:34} {1e3 * ours:9.1f} ms  scikit-image {1e3 * theirs:9.1f} ms {theirs / ours:7.0f}x"
    )
    return mine, other


def same_partition(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether two label images cut an image into the same parts."""
    pairs = np.unique(np.stack([a.ravel(), b.ravel()]), axis=1).shape[1]
    return bool(pairs == len(np.unique(a)) == len(np.unique(b)))


def join_colours(rag: Any, source: int, target: int) -> None:
    """Add up the colours of two regions in scikit-image's graph."""
    for key in ("total color", "pixel count"):
        rag.nodes[target][key] = rag.nodes[target][key] + rag.nodes[source][key]
    node = rag.nodes[target]
    node["mean color"] = node["total color"] / node["pixel count"]


def colour_weight(rag: Any, source: int, target: int, neighbour: int) -> dict[str, float]:
    """Give the difference of mean colours in scikit-image's graph."""
    away = rag.nodes[target]["mean color"] - rag.nodes[neighbour]["mean color"]
    return {"weight": float(np.linalg.norm(away))}


def compare_graphs(n_regions: int) -> None:
    """Build, cut and merge the graph of a photograph's superpixels."""
    image = data.astronaut()
    labels = slic_regions(image, n_regions, 10, channel_axis=-1)
    build = partial(region_graph, labels, image, channel_axis=-1)
    peer = partial(graph.rag_mean_color, image, labels, connectivity=1)
    found, rag = compare(f"{labels.max()} regions: graph", build, peer)
    assert isinstance(found, RegionGraph)

    def merged(method: Any) -> NDArray[Any]:
        tree = merge_tree(found, method)
        return found.painted(tree.groups(tree.steps_at(LEVEL)))

    cut = partial(graph.cut_threshold, labels, rag, LEVEL, in_place=False)
    mine, other = compare("  cut at a level", partial(merged, "cut"), cut)
    print(f"    results {'equal' if same_partition(mine, other) else 'differ'}")
    merge = partial(
        graph.merge_hierarchical, labels, rag, LEVEL, rag_copy=False, in_place_merge=True,
        merge_func=join_colours, weight_func=colour_weight,
    )  # fmt: skip
    mine, other = compare("  merge step by step", partial(merged, "merge"), merge)
    print(f"    results {'equal' if same_partition(mine, other) else 'differ'}")
    tree = merge_tree(found, "merge")
    seconds, _ = timed(lambda: found.painted(tree.groups(tree.steps_for(500))), 5)
    print(f"  another level, all voxels painted  {1e3 * seconds:9.1f} ms")


def compare_watersheds(
    name: str, heights: NDArray[Any], seeds: NDArray[Any], compactness: float = 0.0
) -> None:
    """Flood from seeds, and say where results differ."""
    own = partial(watershed, heights, seeds, compactness=compactness)
    peer = partial(segmentation.watershed, heights, seeds, compactness=compactness)
    mine, other = compare(f"  {name}", own, peer)
    print(f"    results differ in {100 * np.mean(mine != other):.2g} % of the voxels")


def compare_volumes(n: int) -> None:
    """Watersheds of a smooth volume from the pits in it, for several types."""
    heights = gaussian_filter(np.random.default_rng(0).random((n, n, n)), 3)
    pits = peak_local_max(-heights, min_distance=12)
    seeds = np.zeros(heights.shape, np.int32)
    seeds[tuple(pits.T)] = np.arange(1, len(pits) + 1)
    heights -= heights.min()
    heights /= heights.max()
    print(f"{n}³ voxels, {len(pits)} seeds")
    for kind in (np.uint8, np.uint16, np.float32, np.float64):
        whole = np.issubdtype(kind, np.integer)
        values = np.rint(heights * np.iinfo(kind).max) if whole else heights
        compare_watersheds(f"watershed, {np.dtype(kind)}", values.astype(kind), seeds)


def compare_growth() -> None:
    """Watersheds and peaks of a large picture."""
    heights = np.tile(sobel(data.astronaut()[..., 0]), (3, 3))
    seeds = even_seeds(heights.shape, 1000)
    print(f"{heights.shape[0]} x {heights.shape[1]} pixels")
    for compactness in (0.0, 0.01):
        compare_watersheds("compact watershed" if compactness else "watershed", heights, seeds,
                           compactness=compactness)  # fmt: skip
    compare("  h-maxima", partial(h_maxima, heights, 0.1),
            partial(morphology.h_maxima, heights, 0.1))  # fmt: skip


def measure_slider(n_regions: int) -> None:
    """Move the slider of the panel in a window."""
    import napari
    from qtpy.QtWidgets import QApplication

    from napari_seedbed.gui.tools.regions.region_graph_panel import RegionGraphPanel

    side = round(n_regions**0.5)
    regions = np.kron(np.arange(1, side * side + 1).reshape(side, side), np.ones((10, 10), int))
    viewer = napari.Viewer(show=True)
    viewer.add_image(np.random.default_rng(0).random(regions.shape))
    viewer.add_labels(regions.astype(np.int32), visible=False)
    panel = RegionGraphPanel(viewer)
    viewer.window.add_dock_widget(panel)
    while panel.session.now is None or panel.is_busy:
        QApplication.processEvents()
    moves, frames = [], []
    for position in range(200, 900, 50):
        start = time.perf_counter()
        panel.form.slider.setValue(position)
        moves.append(time.perf_counter() - start)
        viewer.window._qt_viewer.canvas.native.repaint()
        frames.append(time.perf_counter() - start)
    size = f"{side * side} regions, {regions.shape[0]} x {regions.shape[1]} pixels"
    print(
        f"slider move, {size}: {1e3 * float(np.median(moves)):.0f} ms, drawn on this display "
        f"after {1e3 * float(np.median(frames)):.0f} ms"
    )
    viewer.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--regions", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=256, help="edge of the volume")
    parser.add_argument("--window", action="store_true", help="measure the panel's slider, too")
    arguments = parser.parse_args(sys.argv[1:])
    print(machine())
    compare_graphs(arguments.regions)
    compare_growth()
    compare_volumes(arguments.size)
    if arguments.window:
        measure_slider(arguments.regions)
