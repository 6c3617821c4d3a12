"""Four cell membranes: rough open paths, pulled onto the bright lines that they run along.

Run it from anywhere: `python examples/snakes_membranes.py`. It writes the recipe too.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.operations import Result, run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "src" / "napari_seedbed" / "samples"

sys.path.insert(0, str(HERE))
from snakes_drawn import distance, drawn  # noqa: E402

PATHS = drawn("membrane_paths.csv")


def grown() -> Result:
    """Let the paths move; their ends stay."""
    inputs = {"image": read_image(IMAGES / "membranes.tif"), "shapes": Shapes(PATHS)}
    return run("elastic_contour", inputs, {"attracted_by": "bright"})


def distances(paths: Iterable[Shape]) -> dict[int, float]:
    """Mean distance of each path from the centre line that was placed with care, in pixels."""
    lines = {line.label: line.points for line in drawn("membrane_centre_lines.csv")}
    return {path.label: distance(path.points, lines[path.label]) for path in paths}


def main() -> None:
    """Grow, measure, write the recipe."""
    result = grown()
    before, after = distances(PATHS), distances(result.shapes().shapes)
    print("membrane   pixels from its centre line: before, after")
    for label, pixels in before.items():
        print(f"{label:8d}   {pixels:.2f}   {after[label]:.2f}")
    save_recipe(HERE / "snakes_membranes.yaml", recipe_from_record(result.record))


if __name__ == "__main__":
    main()
