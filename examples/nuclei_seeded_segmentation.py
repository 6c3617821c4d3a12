"""Nuclei of a plant ovule: strokes on two slices, a segmentation of the whole volume, its scores.

Run it from anywhere: `python examples/nuclei_seeded_segmentation.py`. It writes the recipe too.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "src" / "napari_seedbed" / "samples"
RECIPE = IMAGES / "nuclei_seeded_segmentation.yaml"
sys.path.insert(0, str(HERE))
from nuclei_strokes import BACKGROUND, painted_seeds  # noqa: E402


def dice(truth: NDArray[np.bool_], found: NDArray[np.bool_]) -> float:
    """Twice the common volume over the sum of the volumes; 1 is perfect (Dice 1945)."""
    return float(2 * np.count_nonzero(truth & found) / (truth.sum() + found.sum()))


def scores(
    truth: NDArray[np.integer], labels: NDArray[np.integer], seeds: NDArray[np.integer]
) -> dict[int, float]:
    """Dice of each scribbled nucleus with the nucleus of the truth that lies under its stroke."""
    found = {}
    for label in np.unique(seeds[seeds > BACKGROUND]):
        under = truth[(seeds == label) & (truth > 0)]
        nucleus = np.bincount(under).argmax() if under.size else -1
        found[int(label)] = dice(truth == nucleus, labels == label)
    return found


def main() -> None:
    """Segment, score, write the recipe."""
    image = read_image(IMAGES / "nuclei.ome.tif")
    truth = np.asarray(read_image(IMAGES / "nuclei_truth.ome.tif").array)
    seeds = painted_seeds(image.spatial_shape)

    marks = Image(seeds, image.axes, image.spacing, image.units, name="seeds")
    result = run(
        "seeded_segmentation", {"image": image, "seeds": marks}, {"background": BACKGROUND}
    )
    labels = np.asarray(result.outputs["labels"].array)

    print(f"{np.count_nonzero(seeds) / seeds.size:.2%} of the voxels are scribbled on")
    print("nucleus   Dice")
    found = scores(truth, labels, seeds)
    for label, value in found.items():
        print(f"{label:7d}   {value:.3f}")
    print(f"   mean   {np.mean(list(found.values())):.3f}")
    save_recipe(RECIPE, recipe_from_record(result.record))
    print(f"wrote {RECIPE.name}")


if __name__ == "__main__":
    main()
