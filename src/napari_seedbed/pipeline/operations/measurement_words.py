"""What measuring objects asks for and says, at once and in blocks."""

from collections.abc import Mapping
from typing import Any

from napari_seedbed.pipeline.data.image import Image

GROUPS = {
    "size": ("Size", "Voxels, area or volume, diameter of the disc or ball of that size."),
    "position": (
        "Position",
        "Centroid in physical units and voxels, bounding box, whether it touches the border.",
    ),
    "shape": (
        "Shape",
        "Perimeter or surface, circularity or sphericity, axes, orientation, extent, Euler number.",
    ),
    "hull": ("Convex hull", "Solidity and Feret diameter."),
    "intensity": (
        "Intensity",
        "Mean, standard deviation, smallest, largest, median and sum, for each channel of the "
        "image; left out where no image is given.",
    ),
    "neighbours": (
        "Neighbours",
        "How many objects it touches, and the nearest one by its centroid.",
    ),
}
"""Groups of columns: what they are called, and what is in them."""

TABLE_NAME = "{} measurements"
"""With the name of the labels' image."""

NO_IMAGE = "No image was given, so there are no intensities."


def wanted_groups(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the groups that are switched on."""
    return tuple(name for name in GROUPS if parameters[name])


def count_in_words(count: int) -> str:
    """Return how many objects were measured."""
    return f"{count} object{'' if count == 1 else 's'} measured."


def channel_names(image: Image) -> tuple[str, ...]:
    """Return names that differ, or none: then channels are counted."""
    if image.n_channels == 1:
        return ()
    names = ("red", "green", "blue") if image.rgb else image.channel_names
    known = len(names) == image.n_channels == len(set(names)) and all(names)
    return tuple(name.strip().replace(" ", "_") for name in names) if known else ()
