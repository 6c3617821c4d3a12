"""Spot the difference: six changes between two photographs, found, boxed and listed.

The second picture was taken from a little elsewhere, in another illumination; the default
parameters see to that. Run it from anywhere: `python examples/spot_the_difference.py`. It writes
the recipe too.
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


def pictures() -> tuple[Image, Image]:
    """The candies before and after, RGB."""
    return read_image(IMAGES / "candies.jpg"), read_image(IMAGES / "candies_changed.jpg")


def planted() -> NDArray[np.int64]:
    """Boxes of what was changed, as (top, left, bottom, right), the last two not included."""
    with (HERE / "spot_the_difference_boxes.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    return np.array(
        [[int(row[side]) for side in ("top", "left", "bottom", "right")] for row in rows]
    )


def spotted() -> Result:
    """The changes, at the default parameters."""
    first, second = pictures()
    return run("changes", {"image": first, "other": second})


def boxes(result: Result) -> NDArray[np.int64]:
    """Boxes that were found, as those of `planted`."""
    columns = result.table().columns
    sides = ("bbox_y_start", "bbox_x_start", "bbox_y_stop", "bbox_x_stop")
    return np.stack([columns[side] for side in sides], axis=1)


def main() -> None:
    """Find them, write the recipe."""
    result = spotted()
    for box in boxes(result):
        print("change in rows {0} to {2}, columns {1} to {3}".format(*box))
    print(*result.record["notes"])
    save_recipe(HERE / "spot_the_difference.yaml", recipe_from_record(result.record))


if __name__ == "__main__":
    main()
