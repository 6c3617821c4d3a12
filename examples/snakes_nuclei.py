"""Many nuclei of a 2D image from rough ellipses, with each of the three snakes as it comes.

Run it from anywhere: `python examples/snakes_nuclei.py`. It writes a recipe too.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core import labels_from_contours
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.operations import Result, run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "src" / "napari_seedbed" / "samples"
OPERATIONS = ("elastic_contour", "edge_surface", "region_surface")

sys.path.insert(0, str(HERE))
from snakes_drawn import drawn, overlap  # noqa: E402

ELLIPSES = drawn("nuclei_2d_ellipses.csv")


def grown(operation: str) -> Result:
    """Let the ellipses move."""
    image = read_image(IMAGES / "nuclei_2d.tif")
    return run(operation, {"image": image, "shapes": Shapes(ELLIPSES)})


def started() -> NDArray[np.int32]:
    """The ellipses as labels."""
    shape = read_image(IMAGES / "nuclei_2d.tif").spatial_shape
    return labels_from_contours([ellipse.points for ellipse in ELLIPSES], shape)


def overlaps(labels: NDArray[np.integer]) -> dict[int, float]:
    """Overlap of each label with the nucleus of the truth that most of its ellipse lies on."""
    truth = np.asarray(read_image(IMAGES / "nuclei_2d_truth.tif").array)
    start = started()
    found = {}
    for ellipse in ELLIPSES:
        under = truth[(start == ellipse.label) & (truth > 0)]
        nucleus = np.bincount(under).argmax()
        found[ellipse.label] = overlap(truth == nucleus, labels == ellipse.label)
    return found


def main() -> None:
    """Grow, score, write the recipe of the best."""
    results = {operation: grown(operation) for operation in OPERATIONS}
    labels = {name: np.asarray(result.outputs["labels"].array) for name, result in results.items()}
    print("overlap (IoU)     mean   least")
    for name, found in {"ellipses": started(), **labels}.items():
        scores = list(overlaps(found).values())
        print(f"{name:16s} {np.mean(scores):.3f}   {min(scores):.3f}")
    save_recipe(HERE / "snakes_nuclei.yaml", recipe_from_record(results["region_surface"].record))


if __name__ == "__main__":
    main()
