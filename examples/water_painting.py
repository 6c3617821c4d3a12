"""The water of a woodcut from one patch: by a Gaussian of its chromaticity, and by back-projection.

Run it from anywhere: `python examples/water_painting.py`. It writes the recipe too.
"""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core import masks_at_levels
from napari_seedbed.core.colour.colour_classes import LEVELS
from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.operations import Result, operations, run
from napari_seedbed.pipeline.operations.colour_references import learnt_as_text, marked_in_image
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

HERE = Path(__file__).resolve().parent
PICTURE = HERE.parent / "src" / "napari_seedbed" / "samples" / "great_wave.jpg"
METHODS = ("chromaticity_gaussian", "histogram_backprojection")
LEVEL = 0.2
"""The threshold that the recipe keeps."""


def picture() -> Image:
    """The Great Wave off Kanagawa."""
    return read_image(PICTURE)


def boxes(kind: str) -> list[tuple[slice, slice]]:
    """Boxes that were placed by hand: 'patch', 'water', or 'other'."""
    with (HERE / "water_checks.csv").open(encoding="utf-8", newline="") as file:
        return [
            (slice(int(row["top"]), int(row["bottom"])), slice(int(row["left"]), int(row["right"])))
            for row in csv.DictReader(file)
            if row["kind"] == kind
        ]


def _outline(rows: slice, columns: slice) -> NDArray[np.float64]:
    top, bottom, left, right = rows.start, rows.stop - 1, columns.start, columns.stop - 1
    return np.array([[top, left], [top, right], [bottom, right], [bottom, left]], float)


PATCH = Shapes(tuple(Shape(1, _outline(*box)) for box in boxes("patch")))


def found(method: str) -> Result:
    """Learn the colours of the patch, as numbers that hold for other pictures, and find them."""
    image = picture()
    parameters = operations[method].defaults()
    colours = learnt_as_text(method, marked_in_image(image, PATCH), parameters)
    wanted = {"colours": colours, "threshold": LEVEL, "mask": True, "composite": True}
    return run(method, {"image": image}, wanted)


def shares(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """How much of the water and of the rest is marked, in the boxes placed by hand."""
    water, other = (
        np.concatenate([mask[box].ravel() for box in boxes(kind)]) for kind in ("water", "other")
    )
    return float(water.mean()), float(other.mean())


def main() -> None:
    """Find, measure at four levels, write the recipe."""
    for method in METHODS:
        result = found(method)
        print(f"{operations[method].title}\n  level   of the water   of the rest")
        masks = masks_at_levels(result.image("image").array)
        for level, mask in zip(LEVELS, masks, strict=True):
            water, other = shares(mask)
            print(f"  {level:<5g}   {water:12.1%}   {other:11.1%}")
    # Of the first method; the other one's colours are a page of counts.
    save_recipe(HERE / "water_painting.yaml", recipe_from_record(found(METHODS[0]).record))


if __name__ == "__main__":
    main()
