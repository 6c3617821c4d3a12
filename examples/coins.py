"""Coins on a background that is brighter at the top: counted without a mark, 24.

Run it from anywhere: `python examples/coins.py`. It writes the recipe too.
"""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.operations import Result, run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "src" / "napari_seedbed" / "samples"

GROUND, BRIDGE, SMALLEST = 40.0, 3.0, 300.0
"""Pixels: over which the background changes, more than a coin has; half the width of what links a
coin to the bright border of the print; area that any coin has."""


def picture() -> Image:
    """The coins, grey."""
    return read_image(IMAGES / "coins.tif")


def counted() -> Result:
    """Even out the ground, Otsu's threshold, holes filled, bridges and specks away, labels."""
    ground = {"method": "gaussian", "radius": GROUND}
    even = run("subtract_background", {"image": picture()}, ground).image("image")
    bright = run("threshold", {"image": even}).image("mask")
    whole = run("fill_holes", {"image": bright}).image("labels")
    smooth = run("label_morphology", {"image": whole}, {"radius": BRIDGE}).image("labels")
    coins = run("remove_by_size", {"image": smooth}, {"smallest": SMALLEST}).image("labels")
    return run("label", {"image": coins})


def discs() -> list[tuple[float, float, float]]:
    """Row, column and radius of each coin, read from the picture by eye."""
    with (HERE / "coins_discs.csv").open(newline="") as file:
        return [(float(r["y"]), float(r["x"]), float(r["radius"])) for r in csv.DictReader(file)]


def overlaps(labels: NDArray) -> list[tuple[int, float]]:
    """For each disc the label in its middle, and how well the two agree (IoU)."""
    y, x = np.indices(labels.shape)
    found = []
    for row, column, radius in discs():
        disc = np.hypot(y - row, x - column) <= radius
        label = int(labels[round(row), round(column)])
        coin = (labels == label) & (label > 0)
        found.append((label, float((disc & coin).sum() / (disc | coin).sum())))
    return found


def main() -> None:
    """Count, compare with the coins seen by eye, write the recipe."""
    result = counted()
    labels = np.asarray(result.image("labels").array)
    agreement = [iou for _, iou in overlaps(labels)]
    print(result.record["notes"][0])
    print(f"IoU with discs placed by eye: {min(agreement):.2f} to {max(agreement):.2f}")
    save_recipe(HERE / "coins.yaml", recipe_from_record(result.record))


if __name__ == "__main__":
    main()
