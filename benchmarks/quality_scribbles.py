"""How well strokes that real people drew are turned into regions, beside scikit-image.

Runs the random walker of the panel with its default settings, scikit-image's random walker with
its default settings and scikit-image's watershed over the same strokes, and prints the mean Dice
coefficient with the regions that experts drew. Nothing is tuned to single cases.

The images are slices of MedScribble (Wong et al. 2024, ScribblePrompt): nine images of four kinds,
each with strokes of three people. They are not part of this repository; name the folder with
--data, or put the images beside the checkout.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.filters import sobel
from skimage.segmentation import random_walker as skimage_random_walker
from skimage.segmentation import watershed

from napari_seedbed.core import RandomWalker

DATA = Path(__file__).resolve().parents[1] / ".." / "shared" / "data" / "interactive"
INSIDE, OUTSIDE = 1, 2

Method = Callable[[NDArray[np.floating], NDArray[np.integer]], NDArray[np.integer]]


@dataclass(frozen=True)
class Case:
    """One image with the strokes of one person and the region that an expert drew."""

    kind: str
    image: NDArray[np.floating]
    strokes: NDArray[np.int32]
    truth: NDArray[np.bool_]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of medscribble_*.npz")
    data = parser.parse_args().data.resolve()
    cases = list(read_cases(data))
    if not cases:
        print(f"No medscribble_*.npz in {data}: nothing to measure. Name the folder with --data.")
        return 0
    methods: dict[str, Method] = {
        "napari-seedbed, panel default": seedbed,
        "scikit-image random_walker": skimage_default,
        "scikit-image watershed": skimage_watershed,
    }
    seedbed(cases[0].image, cases[0].strokes)  # compile before the clock runs
    kinds = sorted({case.kind for case in cases})
    print(f"Mean Dice over {len(cases)} sets of strokes; the seconds are for all of them.\n")
    header = "".join(f"{kind:>10}" for kind in kinds)
    print(f"{'':<32}{'mean':>8}{header}{'seconds':>10}")
    for name, method in methods.items():
        start = time.perf_counter()
        results = [method(case.image, case.strokes) for case in cases]
        seconds = time.perf_counter() - start
        scores = np.array([dice(r == INSIDE, c.truth) for r, c in zip(results, cases, strict=True)])
        means = "".join(
            f"{scores[[case.kind == kind for case in cases]].mean():>10.3f}" for kind in kinds
        )
        print(f"{name:<32}{scores.mean():>8.3f}{means}{seconds:>10.1f}")
    return 0


def read_cases(folder: Path) -> Iterator[Case]:
    """Read the images, each once for each person who drew strokes."""
    for path in sorted(folder.glob("medscribble_*.npz")):
        with np.load(path) as file:
            image, truth = file["img"], file["seg"] > 0.5
            people = sorted(key for key in file.files if key.startswith("scribble_"))
            for person in people:
                inside, outside = file[person] > 0.5
                strokes = np.where(inside, INSIDE, np.where(outside, OUTSIDE, 0)).astype(np.int32)
                yield Case(path.stem.split("_")[1], image, strokes, truth)


def seedbed(image: NDArray[np.floating], strokes: NDArray[np.integer]) -> NDArray[np.integer]:
    """Segment as the panel does."""
    return RandomWalker(image).solve(strokes, warm=False)


def skimage_default(
    image: NDArray[np.floating], strokes: NDArray[np.integer]
) -> NDArray[np.integer]:
    """Segment with scikit-image's defaults, solved exactly."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return skimage_random_walker(image, strokes, mode="bf")


def skimage_watershed(
    image: NDArray[np.floating], strokes: NDArray[np.integer]
) -> NDArray[np.integer]:
    """Flood the gradient of the smoothed image from the strokes."""
    return watershed(sobel(gaussian_filter(image, 1)), strokes)


def dice(result: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Return twice the common area over the sum of both areas."""
    return 2 * np.count_nonzero(result & truth) / (result.sum() + truth.sum())


if __name__ == "__main__":
    sys.exit(main())
