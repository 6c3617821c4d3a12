"""What runs of the chromaticity panel give: layers, and the pictures of several levels."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from napari.utils.colormaps import CyclicLabelColormap
from numpy.typing import NDArray

from napari_seedbed.core import colour_composite, masks_at_levels
from napari_seedbed.core.colour.colour_classes import LEVELS
from napari_seedbed.gui.forms.contact_sheet import Picture
from napari_seedbed.gui.forms.part_runs import run_part
from napari_seedbed.gui.layers.chain_names import ARROW
from napari_seedbed.gui.layers.output_layers import Origin, OutputLayers
from napari_seedbed.gui.layers.view_position import Part
from napari_seedbed.gui.tools.colour.colour_plot import CLASS_COLOURS
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.operations import Operation, Result

_IN_WORDS = {
    "image": "probability",
    "coordinates": "probability of {}",
    "probabilities": "probability of {}",
    "composite": "in colour",
}
_CLASSES = "colours of classes"
# Each image comes just above the picture, so that the first one lies highest.
_ORDER = ("labels", "mask", "composite", "image", "probabilities", "coordinates")


class ColourResults:
    """Shows results, each output in a layer that further runs update.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._layers = OutputLayers(viewer)

    def show(self, result: Result, origin: Origin, wanted: Collection[str], where: str) -> str:
        """Show the wanted outputs, and say which layers they are in.

        Parameters
        ----------
        result : Result
        origin : Origin
        wanted : collection of str
            Names of outputs.
        where : str
            The part that was worked on; empty for all. Parts get layers of their own.
        """
        operation = result.record["operation"]
        names: list[str] = []
        for key in _ORDER:
            if key not in wanted or key not in result.outputs:
                continue
            output = result.image(key)
            for title, part in _planes(key, output):
                layers = self._layers.show(
                    key if key in ("mask", "labels") else f"{key} {title}",
                    part,
                    origin,
                    name="{}" + ARROW + _title(title, where),
                    record=result.record,
                    slot=f"{operation}/{where}",
                )
                for layer in layers:
                    show_classes(layer)
                    if "probability" in title:
                        _show_probability(layer)
                names += [str(layer.name) for layer in layers]
        return f"Done: {', '.join(names)}."


def _planes(key: str, output: Image) -> list[tuple[str, Image]]:
    title = _IN_WORDS.get(key, key)
    if key not in ("coordinates", "probabilities"):
        return [(title, output)]
    return [
        (title.format(name), channel)
        for name, channel in zip(output.channel_names, output.channels(), strict=True)
    ]


def _title(title: str, where: str) -> str:
    return (f"{title}, {where}" if where else title).replace("{", "{{").replace("}", "}}")


def show_classes(layer: Layer) -> None:
    """Draw labels in the colours that patches and the histogram have for their classes."""
    if not isinstance(layer, Labels) or layer.colormap.name == _CLASSES:
        return
    # A colormap of single labels would be compiled first, for two seconds, in the window's thread.
    colours = ["transparent", *CLASS_COLOURS]
    layer.colormap = CyclicLabelColormap(colors=colours, name=_CLASSES)
    layer.opacity = 0.6


def _show_probability(layer: Layer) -> None:
    if isinstance(layer, ImageLayer):
        layer.contrast_limits_range = (0, 1)
        layer.contrast_limits = (0, 1)


def compare_levels(
    operation: Operation,
    inputs: Mapping[str, Image | Shapes],
    parameters: Mapping[str, Any],
    part: Part,
) -> list[Picture]:
    """Composites of a slice at each of the levels, with how much of it reaches them."""
    wanted = {**parameters, "mask": False, "labels": False, "composite": False}
    result = run_part(operation, dict(inputs), wanted, part)
    probability = result.image("image")
    image = inputs["image"]
    assert isinstance(image, Image)
    if part.region is not None:
        image = image.crop(part.region)
    t = part.time or 0
    values = np.squeeze(probability.select_time(t).volume())
    voxels = image.select_time(t).volume()
    voxels = voxels.reshape(len(voxels), *values.shape)
    if values.ndim == 3:
        # In the 3D display: the brightest along the first axis, as a projection shows it.
        values, voxels = values.max(axis=0), voxels.max(axis=1)
    pictures = []
    for level, mask in zip(LEVELS, masks_at_levels(values), strict=True):
        painted = colour_composite(voxels, mask, 0, background="grey")
        pictures.append((f"{level:g}: {mask.mean():.1%}", in_three_colours(painted)))
    return pictures


def in_three_colours(voxels: NDArray[Any]) -> NDArray[Any]:
    """Channels (C, Y, X) as a picture (Y, X, 3): the first three as red, green and blue."""
    shown = voxels[:3]
    if len(shown) < 3:
        shown = np.concatenate([shown, np.zeros((3 - len(shown), *shown.shape[1:]), shown.dtype)])
    picture = np.moveaxis(shown, 0, -1)
    if picture.dtype == np.uint8:
        return picture
    top = picture.max(axis=(0, 1), keepdims=True).astype(np.float64)
    scaled: NDArray[Any] = np.clip(picture / np.where(top > 0, top, 1), 0, 1)
    return scaled
