"""Compile ahead of the first stroke or run, so that nobody waits for it."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.core.seeded.seeded_segmenter import SeededSegmenter
from napari_seedbed.core.snakes.growth import Extent, grow_snakes
from napari_seedbed.core.snakes.snake_methods import (
    EdgeSurface,
    ElasticContour,
    Method,
    RegionSurface,
)
from napari_seedbed.core.walker.anchors import anchored
from napari_seedbed.core.walker.hierarchy import build_hierarchy
from napari_seedbed.core.walker.multigrid import Preconditioner, solve
from napari_seedbed.core.walker.random_walks import RandomWalker
from napari_seedbed.core.walker.seed_map import SeedMap

_OUTER: tuple[Literal["near", "all"], ...] = ("near", "all")


def compile_kernels() -> None:
    """Compile what seeded segmentation needs, or load it from the cache: seconds, then a moment.

    The default engine comes first, then the random walker.

    Numba keeps what it compiled beside the package, or in the user's cache folder where that
    cannot be written. May run in a background thread.
    """
    rng = np.random.default_rng(0)
    image = rng.random((40, 24, 24)).astype(np.float32)
    seeds = np.zeros(image.shape, np.int32)
    seeds[4, 4, 4:20], seeds[30, 12, 4:20] = 1, 2
    segmenter = SeededSegmenter(image, background=2)
    segmenter.solve(seeds, report=lambda progress: None, view=(0, 4))
    assert segmenter.uncertainty.size == image.size
    walker = RandomWalker(image)
    walker.solve(seeds, report=lambda progress: None, view=(0, 4))
    # The way large volumes are solved, without one.
    hierarchy = build_hierarchy(walker.edge_weights, large=100)
    places = SeedMap(seeds, image.shape)
    with anchored(hierarchy, places.state, places.places) as anchors:
        preconditioner = Preconditioner(hierarchy, anchors, places.state, 1)
        x = np.zeros((1, *image.shape), np.float32)
        x.reshape(1, -1)[:, places.places] = places.given(range(1)).T
        solve(preconditioner, x, tol=1e-5)
    seeds[20, 20, 4:20] = 3
    walker.solve(seeds)
    assert walker.uncertainty.size == image.size


def compile_snakes() -> None:
    """Compile the kernels of the snakes, or load them from the cache; as `compile_kernels`."""
    volume = np.random.default_rng(0).random((3, 24, 24)).astype(np.float32)
    square = np.array([[0, 6, 6], [0, 6, 18], [0, 18, 18], [0, 18, 6]], float)
    shapes = [Shape(1, square), Shape(1, square + np.array([2.0, 0.0, 0.0]))]
    contour = ElasticContour(
        sigma=1.0, alpha=0.01, beta=1.0, attracted_by="edges", pull=1.0, balloon=0.0, ends="fixed",
        points=50, gamma=0.1, max_px_move=1.0, convergence=0.1, max_num_iter=11,
    )  # fmt: skip
    path = Shape(2, square[:2], closed=False)
    _grow(volume, contour, [*shapes, path], "slice", (1.0, 1.0, 1.0))
    surfaces: list[Method] = [EdgeSurface(1.0, 100.0, 0.4, 1.0, 1, 3)]
    surfaces += [RegionSurface(1.0, 1.0, 1.0, outer, 1, 3) for outer in _OUTER]
    for image in (volume, np.stack([volume, volume])):
        for method in surfaces:
            _grow(image, method, shapes, "slice", (1.0, 1.0, 1.0))
            _grow(image, method, shapes, "volume", (2.0, 1.0, 1.0))


def _grow(
    image: NDArray[np.float32],
    method: Method,
    shapes: list[Shape],
    extent: Extent,
    spacing: tuple[float, ...],
) -> None:
    grow_snakes(
        lambda t: image, 1, image.shape[-3:], method, shapes=shapes, extent=extent,
        spacing=spacing, channel_axis=0 if image.ndim == 4 else None,
    )  # fmt: skip
