"""Filters at small and large radii beside scikit-image and SciPy; prints ratios, asserts nothing.

``python benchmarks/filters.py`` takes some minutes. A peer that would take long on the whole image
works on a part of it, and its time is scaled up by the number of voxels.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scenes import machine
from scipy import ndimage as ndi
from skimage import filters, morphology, restoration

from napari_seedbed import core

Filter = Callable[[NDArray[Any], float], NDArray[Any]]


@dataclass(frozen=True)
class Comparison:
    """A filter, its peer and how many steps the peer takes a voxel at a radius."""

    name: str
    own: Filter
    peer: Filter
    peer_name: str
    steps: Callable[[float, int], float]


def ball(radius: float, ndim: int) -> NDArray[np.bool_]:
    """Voxels no farther away than a radius."""
    reach = np.arange(-int(radius), int(radius) + 1) ** 2
    grid = np.meshgrid(*[reach] * ndim, indexing="ij", sparse=True)
    return np.asarray(sum(grid) <= radius**2)


def volume(radius: float, ndim: int) -> float:
    """Voxels in a window, about."""
    return (2 * radius + 1) ** ndim


def sides(radius: float, ndim: int) -> float:
    """Voxels along the sides of a window, about."""
    return ndim * (8 * radius + 1)


def _median(image: NDArray[Any], radius: float) -> NDArray[Any]:
    if image.dtype == np.uint8:
        return filters.rank.median(image, ball(radius, image.ndim))
    return ndi.median_filter(image, footprint=ball(radius, image.ndim))


COMPARISONS = (
    Comparison(
        "mean, ball",
        lambda a, r: core.mean(a, r),
        lambda a, r: ndi.convolve(a.astype(np.float32), ball(r, a.ndim) / ball(r, a.ndim).sum()),
        "SciPy convolve",
        volume,
    ),
    Comparison("median, ball", core.median, _median, "rank.median / SciPy", volume),
    Comparison(
        "minimum, ball",
        core.minimum,
        lambda a, r: ndi.grey_erosion(a, footprint=ball(r, a.ndim)),
        "SciPy",
        volume,
    ),
    Comparison(
        "Gaussian",
        core.gaussian,
        lambda a, r: filters.gaussian(a, r, preserve_range=True),
        "scikit-image",
        sides,
    ),
    Comparison(
        "rolling ball",
        core.background,
        lambda a, r: restoration.rolling_ball(a, kernel=restoration.ball_kernel(int(r), a.ndim)),
        "scikit-image",
        volume,
    ),
    Comparison(
        "opening, ball",
        lambda a, r: core.morphology(a, "opening", r),
        lambda a, r: morphology.opening(a, ball(r, a.ndim)),
        "scikit-image",
        volume,
    ),
)


def scene(shape: tuple[int, ...], kind: str) -> NDArray[Any]:
    """Return smooth noise."""
    image = ndi.gaussian_filter(np.random.default_rng(0).random(shape), 2)
    image = (image - image.min()) / (image.max() - image.min())
    return (image * 255).astype(np.uint8) if kind == "uint8" else image.astype(np.float32)


def timed(call: Callable[[], Any]) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def part_for(image: NDArray[Any], steps: float, most: float) -> NDArray[Any]:
    """Return as much of an image as a peer can do in so many steps; whole slices or rows."""
    share = min(1.0, most / (steps * image.size))
    side = max(16, round(image.shape[1] * share ** (1 / (image.ndim - 1 or 1))))
    if image.ndim == 3:
        return np.ascontiguousarray(image[:, :side, :side])
    return np.ascontiguousarray(image[: max(16, round(image.shape[0] * share))])


def compare(
    comparison: Comparison, image: NDArray[Any], radii: tuple[float, ...], most: float
) -> None:
    """Print a line for each radius."""
    small = image[(slice(0, 24),) * image.ndim]
    comparison.own(np.ascontiguousarray(small), 2)
    for radius in radii:
        ours = timed(partial(comparison.own, image, radius))
        part = part_for(image, comparison.steps(radius, image.ndim), most)
        theirs = timed(partial(comparison.peer, part, radius)) * image.size / part.size
        shown = " x ".join(str(n) for n in image.shape)
        scaled = "" if part.size == image.size else ", scaled up"
        print(
            f"{comparison.name:14} {shown:14} {image.dtype.name:8} radius {radius:3}: {ours:7.2f} s"
            f"  {comparison.peer_name}{scaled} {theirs:8.2f} s {theirs / ours:7.1f}x",
            flush=True,
        )


def compare_patches(shape: tuple[int, ...]) -> None:
    """Print how long non-local means take with their defaults."""
    image = scene(shape, "float32") + np.float32(0.1) * np.random.default_rng(1).normal(size=shape)
    core.non_local_means(image[(slice(0, 16),) * image.ndim], strength=0.08)
    ours = timed(lambda: core.non_local_means(image, strength=0.08))
    theirs = timed(lambda: restoration.denoise_nl_means(image, 5, 6, h=0.08))
    shown = " x ".join(str(n) for n in shape)
    print(
        f"non-local means {shown}: {ours:.2f} s  scikit-image {theirs:.2f} s {theirs / ours:.1f}x"
    )


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small images, to try it out")
    options = parser.parse_args(sys.argv[1:])
    print(machine())
    shapes = ((256, 256), (16, 64, 64)) if options.quick else ((2048, 2048), (64, 256, 256))
    most = 2e7 if options.quick else 4e8
    for shape in shapes:
        for kind in ("uint8", "float32"):
            for comparison in COMPARISONS:
                radii = (2, 8, 25) if len(shape) == 2 else (2, 8)
                compare(comparison, scene(shape, kind), radii, most)
    for shape in ((512, 512), (32, 64, 64)):
        compare_patches(shape)


if __name__ == "__main__":
    main()
