"""Compile ahead of the first stroke, so that nobody waits for it."""

import numpy as np

from napari_seedbed.core.anchors import anchored
from napari_seedbed.core.hierarchy import build_hierarchy
from napari_seedbed.core.multigrid import Preconditioner, solve
from napari_seedbed.core.random_walks import RandomWalker
from napari_seedbed.core.seed_map import SeedMap


def compile_kernels() -> None:
    """Compile all kernels, or load them from the cache: seconds the first time, then a moment.

    Numba keeps what it compiled beside the package, or in the user's cache folder where that
    cannot be written. May run in a background thread.
    """
    rng = np.random.default_rng(0)
    image = rng.random((40, 24, 24)).astype(np.float32)
    seeds = np.zeros(image.shape, np.int32)
    seeds[4, 4, 4:20], seeds[30, 12, 4:20] = 1, 2
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
