"""Nuclei of a plant ovule in 3D: counted and measured in micrometres without drawing anything.

Peaks of the smoothed volume are the seeds of a watershed that fills what a local threshold takes
for nuclei. Run it from anywhere: `python examples/nuclei_count.py`. It writes the recipe too.
"""

from pathlib import Path
from typing import Any

import numpy as np

from napari_seedbed.core import segmentation_scores
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.operations import Result, run
from napari_seedbed.pipeline.recipes import recipe_from_record, save_recipe

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "src" / "napari_seedbed" / "samples"

SEED_SIGMA, MASK_SIGMA = 0.5, 0.3
"""Micrometres: about a fifth of a nucleus, and the noise."""

PEAK, ABOVE = 2.0, 3.0
"""Grey values by which a peak stands out, and a nucleus from its surroundings."""

SURROUNDINGS, SMALLEST = 12.0, 2.0
"""Micrometres, a few nuclei; cubic micrometres."""


def volume() -> Image:
    """The nuclei, with their voxel size."""
    return read_image(IMAGES / "nuclei.ome.tif")


def found() -> Image:
    """Every nucleus a label of its own."""
    image = volume()
    blurred = run("gaussian", {"image": image}, {"sigma": SEED_SIGMA}).image("image")
    peaks = run("h_maxima", {"image": blurred}, {"height": PEAK}).image("labels")
    quiet = run("gaussian", {"image": image}, {"sigma": MASK_SIGMA}).image("image")
    bright = run(
        "threshold_local", {"image": quiet}, {"block_size": SURROUNDINGS, "offset": ABOVE}
    ).image("mask")
    grown = run(
        "seeded_watershed",
        {"image": blurred, "seeds": peaks, "other": bright},
        {"landscape": "dark", "sigma": 0},
    ).image("labels")
    return run("remove_by_size", {"image": grown}, {"smallest": SMALLEST}).image("labels")


def measured(labels: Image) -> Result:
    """A table of the nuclei, in micrometres and in the grey values of the volume."""
    return run("measure", {"image": labels, "other": volume()})


def scores(labels: Image) -> dict[str, Any]:
    """Against the volume as people outlined it."""
    truth = read_image(IMAGES / "nuclei_truth.ome.tif")
    return segmentation_scores(truth.volume(), labels.volume(), spacing=labels.spacing)


def main() -> None:
    """Count, measure, score, write the recipe."""
    labels = found()
    result = measured(labels)
    columns = result.table().columns
    for name, unit in (("volume", "µm³"), ("equivalent_diameter", "µm"), ("sphericity", "")):
        print(f"{name}: median {np.nanmedian(columns[name]):.2f} {unit}")
    agreement = scores(labels)
    print(
        f"{len(columns['label'])} nuclei, {agreement['truth_objects']} by hand; "
        f"{agreement['objects_found'][0]} of them overlap one by more than half; "
        f"Dice {agreement['dice']:.2f}"
    )
    save_recipe(HERE / "nuclei_count.yaml", recipe_from_record(result.record))


if __name__ == "__main__":
    main()
