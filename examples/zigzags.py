"""Zigzag lines, 21 of them, some cut off by the border: every one of their 42 ends found.

Run it from anywhere: `python examples/zigzags.py`. It writes the recipe too.
"""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.operations import Result, run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "src" / "napari_seedbed" / "samples"


def picture() -> Image:
    """Dark lines on white."""
    return read_image(IMAGES / "zigzags.tif")


def found() -> Result:
    """What is dark, thinned to lines of one pixel, and where these end."""
    lines = run("threshold", {"image": picture()}, {"objects": "dark"}).image("mask")
    thin = run("skeleton", {"image": lines}).image("labels")
    return run("skeleton_points", {"image": thin})


def ends_by_hand() -> NDArray[np.float64]:
    """Rows and columns of the ends, read from the picture by eye."""
    with (HERE / "zigzags_ends.csv").open(newline="") as file:
        return np.array([(float(row["y"]), float(row["x"])) for row in csv.DictReader(file)])


def distances(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixels from each end seen by eye to the point that was found for it and for it alone."""
    pairs = cdist(ends_by_hand(), points)
    seen, own = linear_sum_assignment(pairs)
    return pairs[seen, own]


def main() -> None:
    """Find the ends, compare with those seen by eye, write the recipe."""
    result = found()
    print(" ".join(result.record["notes"]))
    away = distances(result.points("points").points)
    print(f"{len(away)} of {len(ends_by_hand())} ends, at most {away.max():.1f} pixels away")
    save_recipe(HERE / "zigzags.yaml", recipe_from_record(result.record))


if __name__ == "__main__":
    main()
