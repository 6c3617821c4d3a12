"""Patches of reference colours: drawing them, reading them, and the histograms of both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer, Shapes
from numpy.typing import NDArray

from napari_seedbed.core.colour.colour_gaussians import ColourGaussian
from napari_seedbed.core.colour.colour_histograms import (
    ColourBins,
    ColourHistogram,
    colour_bins,
    count_colours,
    patch_histograms,
)
from napari_seedbed.core.colour.colour_spaces import ColourSpace
from napari_seedbed.gui.layers.grids import grid_of, level_0
from napari_seedbed.gui.layers.layer_records import METADATA_KEY
from napari_seedbed.gui.layers.seed_layers import LABEL_FEATURE, copied_seeds, seeds_image
from napari_seedbed.gui.layers.shape_layers import shapes_of
from napari_seedbed.gui.layers.shape_results import empty_shapes_layer
from napari_seedbed.gui.layers.view_position import Part
from napari_seedbed.gui.tools.colour.colour_plot import PatchColours, class_colour
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes as DrawnShapes
from napari_seedbed.pipeline.data.sparse_labels import labels_in
from napari_seedbed.pipeline.encodings.colour_encoding import gaussians_from_text
from napari_seedbed.pipeline.operations.colour_references import (
    GAUSSIAN,
    learnt_as_text,
    marked_in_image,
    written_histograms,
)

KIND = "colour patches"
BINS = 192
"""Bins of the histogram that is shown, along each coordinate."""


def new_patch_layer(viewer: ViewerModel, like: ImageLayer) -> Shapes:
    """Add an empty Shapes layer on an image's grid, for patches; each drag is a rectangle."""
    layer = empty_shapes_layer(like, f"patches of {like.name}", numbered=False)
    layer.metadata[METADATA_KEY] = {"kind": KIND}
    # They lie on what is found with them, which has the same colour.
    layer.current_edge_width *= 2
    viewer.add_layer(layer)
    set_next_class(layer, 1)
    draw_next(viewer, layer)
    return layer


def draw_next(viewer: ViewerModel, layer: Shapes) -> None:
    """Make a Shapes layer ready for the next rectangle."""
    viewer.layers.selection.active = layer
    layer.visible = True
    layer.mode = "add_rectangle"


def set_next_class(layer: Shapes, label: int) -> None:
    """Give the shapes that are drawn from now on this class, and its colour."""
    # A selected shape would take the new class and colour as well.
    layer.selected_data = set()
    if LABEL_FEATURE in layer.features:
        layer.feature_defaults = {LABEL_FEATURE: label}
    layer.current_edge_color = class_colour(label)


def is_patches(layer: Layer) -> bool:
    """Whether the layer was made for patches."""
    return layer.metadata.get(METADATA_KEY, {}).get("kind") == KIND


def marks_of(
    layer: Layer | None, like: ImageLayer, viewer: ViewerModel
) -> DrawnShapes | Image | None:
    """The patches of a layer on the image's grid; None where nothing is marked.

    Raises
    ------
    InputError
        For patches outside the image, and layers that do not fit it.
    """
    if isinstance(layer, Shapes):
        if not len(layer.data):
            return None
        shapes, _ = shapes_of(layer, like, viewer=viewer)
        return DrawnShapes(tuple(shapes), name=layer.name)
    if isinstance(layer, Labels):
        seeds = seeds_image(layer, like)
        # The layer is painted on while this is looked at in another thread.
        copied = copied_seeds(seeds)
        return copied if len(labels_in(copied.array)) else None
    return None


def count_classes(inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> int:
    """How many classes the patches among the inputs have, or the colours among the parameters."""
    marks = inputs.get("shapes", inputs.get("seeds"))
    if isinstance(marks, DrawnShapes):
        return len({shape.label for shape in marks.shapes})
    if marks is not None:
        found = np.asarray(marks.array)
        return len(np.unique(found[found > 0]))
    return sum(word.endswith(":") for word in str(parameters.get("colours", "")).split())


@dataclass(frozen=True, eq=False)
class Learnt:
    """What is learnt from the patches.

    Attributes
    ----------
    text : str
        As the parameter 'colours' takes it.
    patches : list of PatchColours
        For the histogram.
    """

    text: str
    patches: list[PatchColours]


def learn(
    operation: str,
    image: Image,
    marks: DrawnShapes | Image | str,
    parameters: Mapping[str, Any],
    shown: ColourBins | None,
) -> Learnt:
    """Learn the colours of patches, or read those of a text.

    Parameters
    ----------
    operation : str
        Which method they are for.
    image : Image
    marks : Shapes, Image or str
        Patches, or the text of colours.
    parameters : dict
        Of the operation, complete.
    shown : ColourBins or None
        Bins of the histogram on screen.
    """
    if isinstance(marks, str):
        return Learnt(marks, _written(operation, image, marks, parameters, shown))
    marked = marked_in_image(image, marks)
    text = learnt_as_text(operation, marked, parameters)
    ellipses = _ellipses(operation, text, shown)
    patches = []
    if shown is not None:
        counted = patch_histograms(marked.pixels, marked.labels, shown)
        patches = [
            PatchColours(label, histogram.counts, ellipses.get(label))
            for label, histogram in counted.items()
        ]
    return Learnt(text, patches)


def _written(
    operation: str,
    image: Image,
    text: str,
    parameters: Mapping[str, Any],
    shown: ColourBins | None,
) -> list[PatchColours]:
    if shown is None or not text.strip():
        return []
    nothing = np.zeros(shown.shape)
    if operation == GAUSSIAN:
        found = _ellipses(operation, text, shown)
        return [PatchColours(label, nothing, ellipse) for label, ellipse in found.items()]
    histograms = written_histograms(image.n_channels, {**parameters, "colours": text})
    return [
        PatchColours(label, _resampled(histogram, shown)) for label, histogram in histograms.items()
    ]


def _resampled(histogram: ColourHistogram, shown: ColourBins) -> NDArray[Any]:
    """Counts of another grid of bins of the same space, each taken from the bin it lies in."""
    bins = histogram.bins
    if bins.space.name != shown.space.name or bins.space.channels != shown.space.channels:
        return np.zeros(shown.shape)
    places = [
        np.searchsorted(bins.edges(axis), shown.centres(axis), side="right") - 1
        for axis in range(2)
    ]
    counts = np.zeros(shown.shape)
    inside = [(p >= 0) & (p < n) for p, n in zip(places, bins.shape, strict=True)]
    counts[np.ix_(*inside)] = histogram.counts[
        np.ix_(*(p[i] for p, i in zip(places, inside, strict=True)))
    ]
    return counts


def _ellipses(
    operation: str, text: str, shown: ColourBins | None
) -> dict[int, NDArray[np.float64]]:
    """Outlines at two standard deviations, where the histogram shows two of the coordinates."""
    if operation != GAUSSIAN or shown is None or shown.space.name != "rg":
        return {}
    chosen = list(shown.space.channels)
    found = {}
    for one in gaussians_from_text(text):
        # The last channel's share is what the others leave.
        if max(chosen) < len(one.mean):
            covariance = one.covariance[np.ix_(chosen, chosen)]
            pair = ColourGaussian(one.label, shown.space, one.mean[chosen], covariance, 0)
            found[one.label] = pair.ellipse()
    return found


def count_shown(image: Image, part: Part, space: ColourSpace) -> ColourHistogram:
    """The histogram of a part of an image."""
    if part.region is not None:
        image = image.crop(part.region)
    volume = image.select_time(part.time or 0).volume()
    pixels = np.moveaxis(volume, 0, -1)
    return count_colours(pixels, colour_bins(pixels, space, BINS), None)


def colour_at(
    image: Image, layer: ImageLayer, position: tuple[float, ...], space: ColourSpace
) -> tuple[float, float] | None:
    """Coordinates of the colour of the pixel at a world position.

    None outside of the image, for pixels without a colour, and for images that are still in a file.
    """
    if image.is_lazy or space.n_coordinates != 2:
        return None
    data = np.asarray(layer.world_to_data(position[-layer.ndim :]), float)
    axes = grid_of(layer).axes
    shape = level_0(layer).shape
    places = {}
    for axis, place, length in zip(axes, data, shape, strict=False):
        index = int(np.floor(place + 0.5)) if np.isfinite(place) else -1
        if axis != "c" and not 0 <= index < length:
            return None
        places[axis] = index
    pixel = image.array[tuple(slice(None) if a == "c" else places[a] for a in image.axes)]
    pixel = np.asarray(pixel)[:3] if image.rgb else np.asarray(pixel)
    if pixel.ndim != 1 or not np.isfinite(pixel).all():
        return None
    coordinates, coloured = space.coordinates(pixel[np.newaxis])
    if coloured is not None and not coloured[0]:
        return None
    return float(coordinates[0, 0]), float(coordinates[1, 0])
