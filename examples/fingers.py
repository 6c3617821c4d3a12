"""Viscous fingers: the closed front of a translucent liquid, from scribbles on either side of it.

A ridge filter turns the faint dark line of the front into a crest, and a watershed that grows from
the scribbles meets on it. Run it from anywhere: `python examples/fingers.py`. It writes the recipe
too.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from napari_seedbed.core import contours_from_labels
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.operations import Result, run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "src" / "napari_seedbed" / "samples"

sys.path.insert(0, str(HERE))
from painting_strokes import painted  # noqa: E402
from snakes_drawn import drawn  # noqa: E402

OUTSIDE, INSIDE = 1, 2
LINE = {"sigma_min": 1.5, "sigma_max": 2.5, "ridges": "dark"}
"""Half of the width of the front's line, in pixels."""

ON_THE_FRONT = np.array(
    [
        (40, 262), (90, 205), (130, 140), (330, 90), (380, 58), (560, 183), (632, 260), (627, 300),
        (570, 447), (465, 488), (325, 472), (270, 432), (187, 262), (222, 165), (310, 218),
        (370, 235), (383, 262), (385, 298), (405, 352), (492, 255),
    ]
)  # fmt: skip
"""Ends of fingers and of the bays between them, read off the picture by eye, as (row, column)."""


def picture() -> Image:
    """The green channel of the photograph."""
    return read_image(IMAGES / "viscous_fingers.tif")


def scribbles() -> Image:
    """One stroke along each finger and each bay, and along the border of the picture."""
    strokes = [(path.label, path.points.tolist()) for path in drawn("fingers_scribbles.csv")]
    return Image(painted(strokes, picture().spatial_shape), ("y", "x"), name="scribbles")


def grown() -> Result:
    """Inside and outside of the front."""
    crest = run("sato", {"image": picture()}, LINE).image("image")
    inputs = {"image": crest, "seeds": scribbles()}
    return run("seeded_watershed", inputs, {"landscape": "bright", "sigma": 0})


def fronts(labels: NDArray[np.integer]) -> list[NDArray[np.float64]]:
    """The closed lines that bound the inside, as (row, column)."""
    return [outline.points for outline in contours_from_labels((labels == INSIDE).astype(int))]


def distances(front: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the places that were read off lie from a front, in pixels."""
    return KDTree(front).query(ON_THE_FRONT)[0]


def main() -> None:
    """Grow, measure, write the recipe."""
    result = grown()
    lines = fronts(np.asarray(result.image("labels").array))
    away = distances(lines[0])
    mean, most = away.mean(), away.max()
    print(f"{len(lines)} closed line of {len(lines[0])} points")
    print(f"{len(away)} places on the front lie {mean:.1f} px from it, {most:.1f} at most")
    save_recipe(HERE / "fingers.yaml", recipe_from_record(result.record))


if __name__ == "__main__":
    main()
