"""Many active contours beside a loop over scikit-image's, in one run; asserts nothing.

Run it on a quiet machine: ``python benchmarks/active_contours.py`` (a few minutes, nearly all of
them scikit-image's). Scikit-image runs on a random sample of the contours and its time is scaled
up to all; ``--all`` runs it on every one.
"""

import argparse
import time

import numpy as np
from numpy.typing import NDArray
from scenes import machine
from scipy.ndimage import gaussian_filter
from skimage.segmentation import active_contour as skimage_active_contour

from napari_seedbed.core.active_contours import active_contours, evolve_contours
from napari_seedbed.core.threads import thread_count

OPTIONS = {"alpha": 0.015, "beta": 1.0, "gamma": 0.05}


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


def main() -> None:
    """Time both and print the ratio and the largest difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=2048, help="pixels along each axis")
    parser.add_argument("--contours", type=int, default=200, help="how many contours")
    parser.add_argument("--sample", type=int, default=20, help="how many scikit-image fits")
    parser.add_argument("--all", action="store_true", help="let scikit-image fit every one")
    arguments = parser.parse_args()

    print(f"machine: {machine()}, {thread_count()} threads")
    image, snakes = cells(arguments.size, arguments.contours)
    sizes = [len(snake) for snake in snakes]
    print(
        f"image: {arguments.size} x {arguments.size}; "
        f"{len(snakes)} contours of {min(sizes)} to {max(sizes)} points"
    )
    active_contours(image[:128, :128], snakes[:1], **OPTIONS, max_num_iter=1)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        found = active_contours(image, snakes, **OPTIONS)
        times.append(time.perf_counter() - start)
    ours = min(times)
    *_, last = evolve_contours(image, snakes, **OPTIONS)
    print(f"all of them: {ours:.3f} s (best of 3); {last.reason} after {last.iteration} iterations")
    moved = max(np.abs(a - b).max() for a, b in zip(found, snakes, strict=True))
    print(f"points moved by up to {moved:.1f} px")

    chosen = np.arange(len(snakes))
    if not arguments.all:
        count = min(arguments.sample, len(snakes))
        chosen = np.sort(np.random.default_rng(1).choice(len(snakes), count, replace=False))
    differences = []
    start = time.perf_counter()
    for i in chosen:
        theirs = skimage_active_contour(image, snakes[i], **OPTIONS)
        differences.append(np.abs(theirs - found[i]).max())
    measured = time.perf_counter() - start
    scaled = measured * len(snakes) / len(chosen)
    words = "every one of them" if len(chosen) == len(snakes) else f"a random {len(chosen)} of them"
    print(f"scikit-image: {measured:.1f} s for {words}, that is {scaled:.0f} s for all")
    print(f"ratio: {scaled / ours:.0f}")
    print(f"largest difference of a coordinate: {max(differences):.2g} px")


if __name__ == "__main__":
    main()
