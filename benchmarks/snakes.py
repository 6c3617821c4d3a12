"""Snakes beside scikit-image's, in one run; prints ratios, asserts nothing about time.

``python benchmarks/snakes.py`` takes about six minutes, nearly all of them scikit-image's, which
fits a random sample of the contours and makes some of the iterations at 256³; its times are scaled
up to all of them. Run it on a quiet machine.
"""

import argparse
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scenes import balls, machine
from scipy.ndimage import gaussian_filter
from skimage.segmentation import active_contour as skimage_active_contour
from skimage.segmentation import morphsnakes

from napari_seedbed.core import (
    Shape,
    active_contours,
    disk_level_set,
    evolve_contours,
    inverse_gaussian_gradient,
    morphological_chan_vese,
    morphological_geodesic_active_contour,
)
from napari_seedbed.core.threads import thread_count
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.operations import run

ITERATIONS = 50
IN_3D = {"extent": "volume"}
OPTIONS = {"alpha": 0.015, "beta": 1.0, "gamma": 0.05}


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return how long a call took, and what it gave."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def compare_surfaces(n: int, peer_iterations: int) -> None:
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


def cells(n: int, count: int) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """Return a noisy image of `n` x `n` pixels with bright cells, and a circle around each."""
    rng = np.random.default_rng(0)
    a_side = int(np.ceil(np.sqrt(count)))
    room = n // a_side
    image = np.zeros((n, n))
    snakes = []
    for i in range(count):
        centre = (np.array(divmod(i, a_side)) + 0.5) * room + rng.uniform(-3, 3, 2)
        radius = rng.uniform(0.2, 0.32) * room
        corner = (np.array(divmod(i, a_side)) * room).astype(int)
        rows, columns = np.indices((room, room)) + corner[:, None, None]
        angle = np.arctan2(rows - centre[0], columns - centre[1])
        wavy = radius * (1 + 0.1 * np.sin(3 * angle + i))
        inside = np.hypot(rows - centre[0], columns - centre[1]) < wavy
        image[corner[0] : corner[0] + room, corner[1] : corner[1] + room] += inside
        points = np.linspace(0, 2 * np.pi, rng.integers(100, 401), endpoint=False)
        around = 1.25 * radius * np.stack([np.sin(points), np.cos(points)], axis=1)
        snakes.append(centre + around)
    image = gaussian_filter(image, 3) + gaussian_filter(rng.normal(size=(n, n)), 2) * 0.05
    return image, snakes


def compare_contours(size: int, count: int, sample: int) -> None:
    """Print how long many contours take, and scikit-image's loop over a sample of them."""
    image, snakes = cells(size, count)
    sizes = [len(snake) for snake in snakes]
    print(
        f"{len(snakes)} contours of {min(sizes)} to {max(sizes)} points on {size} x {size} pixels"
    )
    active_contours(image[:128, :128], snakes[:1], **OPTIONS, max_num_iter=1)
    ours, found = min(
        (timed(lambda: active_contours(image, snakes, **OPTIONS)) for _ in range(3)),
        key=lambda pair: pair[0],
    )
    *_, last = evolve_contours(image, snakes, **OPTIONS)
    moved = max(np.abs(a - b).max() for a, b in zip(found, snakes, strict=True))
    print(
        f"all of them {ours:.3f} s (best of 3), {last.reason} after {last.iteration} iterations; "
        f"points moved by up to {moved:.1f} px"
    )
    chosen = np.sort(np.random.default_rng(1).choice(len(snakes), sample, replace=False))
    differences = []
    start = time.perf_counter()
    for i in chosen:
        theirs = skimage_active_contour(image, snakes[i], **OPTIONS)
        differences.append(np.abs(theirs - found[i]).max())
    measured = time.perf_counter() - start
    scaled = measured * len(snakes) / len(chosen)
    print(
        f"scikit-image {measured:.1f} s for a random {sample} of them, that is {scaled:.0f} s for "
        f"all: {scaled / ours:.0f}x, largest difference {max(differences):.2g} px",
        flush=True,
    )


def time_operations(n: int) -> None:
    """Print what the panel's 3D methods take on a volume of n voxels a side, from three slices."""
    image, _ = balls(n)
    volume = Image(image, ("z", "y", "x"))
    drawn = Shapes(tuple(circle(n, z) for z in (0.4, 0.5, 0.6)))
    inputs = {"image": volume, "shapes": drawn}
    for name in ("region_surface", "edge_surface"):
        run(name, inputs, {"extent": "volume", "max_num_iter": 2})
        looks = Looks()
        seconds, result = timed(partial(run, name, inputs, IN_3D, should_stop=looks))
        longest = looks.longest()
        tracemalloc.start()
        run(name, inputs, IN_3D)
        peak = tracemalloc.get_traced_memory()[1] / image.size
        tracemalloc.stop()
        print(
            f"{n}^3 {name:15} {seconds:6.2f} s  {peak:5.1f} bytes a voxel  longest time between "
            f"looks at should_stop {longest:.3f} s  {result.record['notes'][0]}",
            flush=True,
        )


class Looks:
    """A `should_stop` that takes down when it was asked."""

    def __init__(self) -> None:
        self.times = [time.perf_counter()]

    def __call__(self) -> bool:
        self.times.append(time.perf_counter())
        return False

    def longest(self) -> float:
        """Seconds between two looks, to the end of the run."""
        return float(np.diff([*self.times, time.perf_counter()]).max())


def circle(n: int, where: float) -> Shape:
    """Return a circle on a slice of a cube of n voxels a side."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    middle, radius = n / 2, n / 5
    points = [
        np.full(40, float(round(where * n))),
        middle + radius * np.sin(angle),
        middle + radius * np.cos(angle),
    ]
    return Shape(1, np.stack(points, axis=1))


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small images, to try it out")
    parser.add_argument("--sample", type=int, default=3, help="contours that scikit-image fits")
    options = parser.parse_args()
    print(f"{machine()}, {thread_count()} cores; Python {sys.version.split()[0]}")
    if options.quick:
        compare_contours(256, 20, 1)
        compare_surfaces(64, ITERATIONS)
        time_operations(64)
        return
    compare_contours(2048, 200, options.sample)
    print(f"{ITERATIONS} iterations, smoothing 1; the geodesic contour with a balloon of -1")
    # An even number of smoothing steps leaves scikit-image's operators where they began.
    compare_surfaces(128, ITERATIONS)
    compare_surfaces(256, 4)
    for n in (128, 256):
        time_operations(n)


if __name__ == "__main__":
    main()
