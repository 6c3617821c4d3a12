"""Five nuclei of a noisy volume, each outlined on three slices: interpolated, and as surfaces.

Run it from anywhere: `python examples/snakes_volume.py`. It writes the recipe too.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core import volume_from_slices
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.operations import Result, run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "src" / "napari_seedbed" / "samples"

sys.path.insert(0, str(HERE))
from snakes_drawn import drawn, overlap  # noqa: E402

OUTLINES = drawn("nuclei_slice_outlines.csv")


def interpolated(cap: str) -> NDArray[np.int32]:
    """What lies between the outlines, without a look at the image."""
    image = read_image(IMAGES / "nuclei.ome.tif")
    slices = [(one.label, int(one.points[0, 0]), one.points[:, 1:]) for one in OUTLINES]
    return volume_from_slices(slices, image.spatial_shape, image.spacing, cap=cap)


def grown() -> Result:
    """Let the same outlines become surfaces that move in 3D."""
    inputs = {"image": read_image(IMAGES / "nuclei.ome.tif"), "shapes": Shapes(OUTLINES)}
    return run("region_surface", inputs, {"extent": "volume"})


def overlaps(labels: NDArray[np.integer]) -> dict[int, float]:
    """Overlap of each label with the nucleus of the truth that most of its outlines hold."""
    truth = np.asarray(read_image(IMAGES / "nuclei_truth.ome.tif").array)
    start = interpolated("flat")
    found = {}
    for label in sorted({outline.label for outline in OUTLINES}):
        nucleus = np.bincount(truth[(start == label) & (truth > 0)]).argmax()
        found[label] = overlap(truth == nucleus, labels == label)
    return found


def main() -> None:
    """Interpolate, grow, score, write the recipe."""
    result = grown()
    rows = {
        "interpolated, flat ends": interpolated("flat"),
        "interpolated, round ends": interpolated("round"),
        "Chan-Vese": np.asarray(result.outputs["labels"].array),
    }
    print("overlap (IoU)             mean   each")
    for name, labels in rows.items():
        scores = list(overlaps(labels).values())
        print(f"{name:24s} {np.mean(scores):.3f}   {' '.join(f'{one:.3f}' for one in scores)}")
    save_recipe(HERE / "snakes_volume.yaml", recipe_from_record(result.record))


if __name__ == "__main__":
    main()
