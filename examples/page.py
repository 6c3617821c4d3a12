"""A page of text with a dark corner: one threshold fails, a local one reads all of it.

Run it from anywhere: `python examples/page.py`. It writes the recipe too.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core import segmentation_scores
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.operations import Result, run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "src" / "napari_seedbed" / "samples"

DARK_CORNER = np.s_[100:, :130]
WAYS: dict[str, tuple[str, Mapping[str, object]]] = {
    "Otsu, one threshold for all": ("threshold", {"objects": "dark"}),
    "local mean less ten": ("threshold_local", {"objects": "dark", "offset": 10}),
    "Sauvola": ("sauvola", {}),
}


def picture() -> Image:
    """The page, darkest at the lower left."""
    return read_image(IMAGES / "page.tif")


def truth() -> NDArray[np.bool_]:
    """The ink, marked with the help of places of bare paper that were chosen by hand."""
    return read_image(IMAGES / "page_text.tif").volume() > 0


def read(way: str) -> Result:
    """Find the ink in one of the `WAYS`."""
    operation, parameters = WAYS[way]
    return run(operation, {"image": picture()}, parameters)


def scores(ink: NDArray[np.bool_]) -> tuple[float, float]:
    """Dice with the truth: of the whole page, and of its dark corner."""
    return tuple(
        float(segmentation_scores(truth()[part], ink[part])["dice"])
        for part in (np.s_[:], DARK_CORNER)
    )


def main() -> None:
    """Read, score, write the recipe."""
    print("                              whole page   dark corner")
    for way in WAYS:
        result = read(way)
        page, corner = scores(np.asarray(result.image("mask").array))
        print(f"{way:30}{page:10.3f}{corner:14.3f}")
    save_recipe(HERE / "page.yaml", recipe_from_record(result.record))


if __name__ == "__main__":
    main()
