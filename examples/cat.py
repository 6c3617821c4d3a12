"""A cat: eye and nose, each from a few scribbles, by the random walker on all three colours.

Run it from anywhere: `python examples/cat.py`. It writes the recipe too.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon2mask

from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.operations import Result, run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "src" / "napari_seedbed" / "samples"

sys.path.insert(0, str(HERE))
from painting_strokes import painted  # noqa: E402
from snakes_drawn import drawn, overlap  # noqa: E402

FUR, EYE, NOSE = 1, 2, 3
NAMES = {EYE: "eye", NOSE: "nose"}


def picture() -> Image:
    """The cat, RGB."""
    return read_image(IMAGES / "chelsea.tif")


def scribbles() -> Image:
    """Two strokes on the eye, three on the nose, and five around them and on the fur."""
    strokes = [(path.label, path.points.tolist()) for path in drawn("cat_scribbles.csv")]
    return Image(painted(strokes, picture().spatial_shape), ("y", "x"), name="scribbles")


def outlined() -> dict[int, NDArray[np.bool_]]:
    """Eye and nose as they were outlined by hand, before anything was computed."""
    shape = picture().spatial_shape
    return {one.label: polygon2mask(shape, one.points) for one in drawn("cat_outlines.csv")}


def grown() -> Result:
    """Grow the scribbles with default parameters."""
    return run("random_walker", {"image": picture(), "seeds": scribbles()})


def overlaps(labels: NDArray[np.integer]) -> dict[str, float]:
    """Common over joint area (IoU) with the outlines."""
    return {NAMES[label]: overlap(mask, labels == label) for label, mask in outlined().items()}


def main() -> None:
    """Grow, score, write the recipe."""
    result = grown()
    for name, score in overlaps(np.asarray(result.image("labels").array)).items():
        print(f"{name}: overlap with the outline {score:.2f}")
    save_recipe(HERE / "cat.yaml", recipe_from_record(result.record))


if __name__ == "__main__":
    main()
