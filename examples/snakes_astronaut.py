"""The astronaut's head: from a circle to the outline of head and hair, without any tuning.

Run it from anywhere: `python examples/snakes_astronaut.py`. It writes the recipe too.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from skimage.data import astronaut

from napari_seedbed.core import labels_from_contours
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.operations import Result, run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

HERE = Path(__file__).resolve().parent

sys.path.insert(0, str(HERE))
from snakes_drawn import astronaut_circle, astronaut_head, overlap  # noqa: E402


def picture() -> Image:
    """scikit-image's picture in colour."""
    return Image(astronaut(), ("y", "x", "c"), rgb=True, name="astronaut")


def grown() -> Result:
    """Let the circle contract."""
    inputs = {"image": picture(), "shapes": Shapes(astronaut_circle())}
    return run("elastic_contour", inputs)


def truth() -> NDArray[np.bool_]:
    """Head and hair, from vertices that were placed by hand."""
    return labels_from_contours([astronaut_head()], picture().spatial_shape) == 1


def main() -> None:
    """Grow, score, write the recipe."""
    result = grown()
    circle = labels_from_contours([astronaut_circle()[0].points], truth().shape) == 1
    print(f"overlap of the circle with head and hair: {overlap(truth(), circle):.3f}")
    found = np.asarray(result.outputs["labels"].array) == 1
    print(f"overlap of the active contour:            {overlap(truth(), found):.3f}")
    save_recipe(HERE / "snakes_astronaut.yaml", recipe_from_record(result.record))


if __name__ == "__main__":
    main()
