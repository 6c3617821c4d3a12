"""The size of a pill that hardly stands out: adaptive equalisation, edges, and a circle on them.

Run it from anywhere: `python examples/pill.py`. It writes the recipe too.
"""

import csv
from pathlib import Path

import numpy as np

from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.operations import Result, run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "src" / "napari_seedbed" / "samples"

SIGMA = 3.0
"""Pixels that edges are smoothed by: more than the grain of the paper."""


def picture() -> Image:
    """The pill, RGB."""
    return read_image(IMAGES / "pill.jpg")


TOP_FACE = {"smallest": 120.0, "largest": 170.0}
"""Between these radii in pixels lies the rim of the flat top, well inside the outline."""

TOP_FACE_BY_EYE = np.pi * 165.8**2
"""Area of the top within its rim, from a circle that was checked by eye."""


def edges(sigma: float = SIGMA) -> Image:
    """Thin edges of the picture after its contrast was evened out."""
    grey = run("to_grey", {"image": picture()}).image("image")
    even = run("equalise_locally", {"image": grey}).image("image")
    return run("canny", {"image": even}, {"sigma": sigma}).image("mask")


def fitted() -> Result:
    """The circle that most edge points lie on, although three in four belong to other things."""
    return run("fit_circle", {"image": edges()})


def top_face() -> Result:
    """The circle of the pill's top, whose rim is a finer edge than the outline."""
    return run("fit_circle", {"image": edges(sigma=1.0)}, TOP_FACE)


def outline_by_hand() -> np.ndarray:
    """The outline of the pill with its side wall, without its shadow: (N, 2), placed by eye."""
    with (HERE / "pill_outline.csv").open(newline="") as file:
        return np.array([(float(row["y"]), float(row["x"])) for row in csv.DictReader(file)])


def area_by_hand() -> float:
    """The area of that outline in pixels."""
    y, x = outline_by_hand().T
    return float(abs(y @ np.roll(x, -1) - x @ np.roll(y, -1)) / 2)


def main() -> None:
    """Fit, compare, write the recipe."""
    result = fitted()
    circle = {name: column[0] for name, column in result.table("table").columns.items()}
    print(
        f"circle of radius {circle['radius']:.1f} around row {circle['centre_y']:.1f}, column "
        f"{circle['centre_x']:.1f}; {circle['inliers']} of {circle['points']} edge points lie "
        f"within 1.5 pixels, on average within {circle['residual_mean']:.2f}"
    )
    by_hand = area_by_hand()
    print(
        f"area {circle['area']:.0f} pixels; outlined by hand {by_hand:.0f}: "
        f"{100 * (circle['area'] / by_hand - 1):+.1f} %"
    )
    face = top_face().table("table").columns["area"][0]
    print(
        f"top within its rim {face:.0f} pixels; by eye {TOP_FACE_BY_EYE:.0f}: "
        f"{100 * (face / TOP_FACE_BY_EYE - 1):+.1f} %"
    )
    save_recipe(HERE / "pill.yaml", recipe_from_record(result.record))


if __name__ == "__main__":
    main()
