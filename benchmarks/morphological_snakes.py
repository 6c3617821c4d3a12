"""Morphological snakes beside scikit-image's, in one run; prints ratios, asserts nothing.

``python benchmarks/morphological_snakes.py`` takes about five minutes, most of them scikit-image's.
At 256³ scikit-image makes only some of the iterations, and its time is scaled up.
"""

import argparse
import sys
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from scenes import balls, machine
from skimage.segmentation import morphsnakes

from napari_seedbed.core import (
    disk_level_set,
    inverse_gaussian_gradient,
    morphological_chan_vese,
    morphological_geodesic_active_contour,
)
from napari_seedbed.core.threads import thread_count

ITERATIONS = 50


def timed(function: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def compare(n: int, peer_iterations: int) -> None:
    """Print one line for each method on a volume of n voxels a side."""
    image, _ = balls(n)
    edges = inverse_gaussian_gradient(image, 100, 3)
    start = disk_level_set(image.shape)
    methods = {
        "Chan-Vese": lambda home, k: home.morphological_chan_vese(image, k, start),
        "geodesic": lambda home, k: home.morphological_geodesic_active_contour(
            edges, k, start, 1, "auto", -1
        ),
    }
    ours = {
        "Chan-Vese": lambda k: morphological_chan_vese(image, k, start),
        "geodesic": lambda k: morphological_geodesic_active_contour(edges, k, start, 1, "auto", -1),
    }
    for name, peer in methods.items():
        ours[name](2)
        own, result = min(
            (timed(lambda: ours[name](ITERATIONS)) for _ in range(3)),  # noqa: B023
            key=lambda pair: pair[0],
        )
        tracemalloc.start()
        ours[name](ITERATIONS)
        peak = tracemalloc.get_traced_memory()[1] / image.size
        tracemalloc.stop()
        line = f"{n}^3 {name:10} {own:7.2f}s  {peak:4.1f} bytes a voxel"
        if peer_iterations:
            theirs, expected = timed(lambda: peer(morphsnakes, peer_iterations))  # noqa: B023
            scaled = theirs * ITERATIONS / peer_iterations
            same = "equal" if np.array_equal(ours[name](peer_iterations), expected) else "differ"
            line += f"  scikit-image {scaled:7.1f}s  {scaled / own:5.0f}x  results {same}"
            if peer_iterations < ITERATIONS:
                line += f" (after {peer_iterations} iterations, time scaled up)"
        print(line, f" {result.mean():.3f} of the volume inside", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small volume, to try it out")
    options = parser.parse_args()
    print(f"{machine()}, {thread_count()} cores; Python {sys.version.split()[0]}")
    print(f"{ITERATIONS} iterations, smoothing 1; the geodesic contour with a balloon of -1")
    if options.quick:
        compare(64, ITERATIONS)
        return
    # An even number of smoothing steps leaves scikit-image's operators where they began.
    compare(128, ITERATIONS)
    compare(256, 4)


if __name__ == "__main__":
    main()
