"""The result layers of the pixel classifier panel: one set an image, updated in place."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer

from napari_seedbed.gui.grids import grid_of
from napari_seedbed.gui.layer_records import METADATA_KEY, accept, find_result
from napari_seedbed.gui.layers import add_or_update
from napari_seedbed.gui.pixel_classifier_session import ViewPreview
from napari_seedbed.pipeline.classifier_operations import NAME
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.operations import Result

RUNNING = {"operation": NAME, "live": True}
"""Record of a layer whose first run is not over."""


class ClassLayers:
    """Shows classes, objects and probabilities; holds no reference to a layer, only to its slot."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer

    def labels(self, image: ImageLayer) -> Labels | None:
        """The layer that further strokes will change."""
        layer = find_result(self._viewer, _slot(image, "labels"))
        return layer if isinstance(layer, Labels) else None

    def is_live(self, layer: Layer) -> bool:
        """Whether the next run would overwrite the layer."""
        slot = layer.metadata.get(METADATA_KEY, {}).get("slot")
        return slot is not None and find_result(self._viewer, str(slot)) is layer

    def show_preview(
        self, preview: ViewPreview, image: ImageLayer, like: Image, t: int | None
    ) -> None:
        """Show a first answer for the part in view.

        Parameters
        ----------
        preview : ViewPreview
        image : Image layer
        like : Image
            What the run works on.
        t : int or None
            Its time point.
        """
        if self.labels(image) is None:
            axes = tuple(axis for axis in like.axes if axis != "c")
            shape = [like.shape[like.axes.index(axis)] for axis in axes]
            self._show("labels", Image(np.zeros(shape, np.int32), axes), image, RUNNING)
        layer = self.labels(image)
        if layer is None:
            return
        where = _index(image, layer, t, preview.region)
        target = layer.data[where]
        layer.data[where] = np.asarray(preview.labels, layer.data.dtype).reshape(target.shape)
        layer.refresh()

    def show(self, result: Result, image: ImageLayer) -> None:
        """Show a result; time points that it does not have are empty."""
        shown = {_slot(image, "labels")}
        self._show("labels", result.image("labels"), image, result.record)
        if "probabilities" in result.outputs:
            maps = result.image("probabilities")
            for nth, name in enumerate(maps.channel_names):
                one = replace(maps.select_channels([nth]), channel_names=())
                self._show("probabilities", one, image, result.record, name)
                shown.add(_slot(image, "probabilities", name))
        for layer in self._layers(image):
            if layer.metadata[METADATA_KEY]["slot"] not in shown:
                self._viewer.layers.remove(layer)

    def clear(self, image: ImageLayer, t: int | None) -> None:
        """Blank the layers: the marks do not say enough any more."""
        for layer in self._layers(image):
            where = _index(image, layer, t, None)
            if layer.data[where].any():
                layer.data[where] = 0
                layer.refresh()

    def accept(self, image: ImageLayer) -> Labels | None:
        """Make the layers ordinary ones, which later strokes do not touch."""
        labels = self.labels(image)
        for layer in self._layers(image):
            accept(layer)
        return labels

    def _layers(self, image: ImageLayer) -> list[Layer]:
        family = _slot(image, "")
        return [
            layer
            for layer in self._viewer.layers
            if str(layer.metadata.get(METADATA_KEY, {}).get("slot", "")).startswith(family)
            and self.is_live(layer)
        ]

    def _show(
        self,
        kind: Any,
        output: Image,
        image: ImageLayer,
        record: Mapping[str, Any],
        name: str = "",
    ) -> None:
        slot = _slot(image, kind, name)
        title = "classes" if kind == "labels" else f"probability of {name}"
        look = {"opacity": 0.4} if kind == "labels" else {"visible": False}
        add_or_update(
            self._viewer,
            kind,
            output,
            like=image,
            name=f"{image.name} {title}",
            record=record,
            slot=slot,
            **look,
        )


def _slot(image: ImageLayer, kind: str, name: str = "") -> str:
    return f"pixel classifier/{image.unique_id}/{kind}" + (f"/{name}" if name else "")


def _index(
    image: ImageLayer, layer: Layer, t: int | None, region: tuple[slice, ...] | None
) -> tuple[Any, ...]:
    """Index of a part of one time point in a result layer."""
    axes = grid_of(image).axes
    axes = axes[len(axes) - layer.ndim :]
    parts = iter(region or ())
    index: list[Any] = []
    for axis in axes:
        if axis == "t":
            index.append(slice(None) if t is None else t)
        elif axis == "c":
            index.append(slice(None))
        else:
            index.append(next(parts, slice(None)))
    return tuple(index)
