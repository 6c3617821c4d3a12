"""Candies on wood: the blue ones counted, those that touch split.

A patch on one of them tells what blue is. Run it from anywhere: `python examples/candies.py`. It
writes the recipe too.
"""

from pathlib import Path

import numpy as np

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.operations import Result, run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "src" / "napari_seedbed" / "samples"

PATCH = Shape(1, np.array([(118, 258), (118, 276), (136, 276), (136, 258)], float))
"""A square on a blue candy, as (row, column)."""

NECK, SMALLEST = 2.0, 200.0
"""Pixels by which two candies that touch narrow between them; area of the smallest one."""


def picture() -> Image:
    """The candies, RGB."""
    return read_image(IMAGES / "candies.jpg")


def counted() -> Result:
    """Blue by back-projection, the letters on the candies filled, touching ones split."""
    inputs = {"image": picture(), "shapes": Shapes((PATCH,))}
    blue = run("histogram_backprojection", inputs, {"mask": True}).image("mask")
    whole = run("fill_holes", {"image": blue}).image("labels")
    apart = run("split_touching", {"image": whole}, {"depth": NECK}).image("labels")
    return run("remove_by_size", {"image": apart}, {"smallest": SMALLEST})


def main() -> None:
    """Count, write the recipe."""
    result = counted()
    labels = np.asarray(result.image("labels").array)
    areas = np.unique(labels[labels > 0], return_counts=True)[1]
    print(f"{len(areas)} blue candies of {areas.min()} to {areas.max()} pixels")
    save_recipe(HERE / "candies.yaml", recipe_from_record(result.record))


if __name__ == "__main__":
    main()
