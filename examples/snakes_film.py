"""Nuclei of a film, drawn on its first frame and followed; one of them divides and is lost.

Run it from anywhere: `python examples/snakes_film.py`. It writes the recipe too.
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
DIVIDES = 3
"""Label of the nucleus that divides."""

sys.path.insert(0, str(HERE))
from snakes_drawn import drawn, overlap  # noqa: E402


def grown() -> Result:
    """Let the outlines of each frame be the start of the next."""
    image = read_image(IMAGES / "nuclei_film.ome.tif")
    shapes = Shapes(drawn("nuclei_film_ellipses.csv"), n_times=image.array.shape[0])
    return run("elastic_contour", {"image": image, "shapes": shapes}, {"follow": "forwards"})


def overlaps(labels: NDArray[np.integer]) -> dict[tuple[int, int], float]:
    """Overlap with the outlines that were drawn on later frames, by label and frame."""
    found = {}
    for check in drawn("nuclei_film_checks.csv"):
        nucleus = labels_from_contours([check.points], labels.shape[1:]) == 1
        found[check.label, check.time] = overlap(nucleus, labels[check.time] == check.label)
    return found


def main() -> None:
    """Follow, score, write the recipe."""
    result = grown()
    print("nucleus   frame   overlap (IoU)")
    for (label, frame), value in overlaps(np.asarray(result.outputs["labels"].array)).items():
        print(f"{label:7d} {frame:7d}   {value:.3f}")
    for note in result.record["notes"]:
        print(note)
    save_recipe(HERE / "snakes_film.yaml", recipe_from_record(result.record))


if __name__ == "__main__":
    main()
