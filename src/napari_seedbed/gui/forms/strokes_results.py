"""Result layers of a panel that follows strokes: one set an image, updated in place."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer

from napari_seedbed.gui.layers.grids import grid_of
from napari_seedbed.gui.layers.image_layers import add_or_update
from napari_seedbed.gui.layers.layer_records import METADATA_KEY, accept, find_result
from napari_seedbed.pipeline.data.image import Image


class StrokesResults(ABC):
    """Shows results in the viewer; holds no reference to a layer, only to its slot.

    Parameters
    ----------
    viewer : ViewerModel
    family : str
        What the slots of these layers begin with.
    operation : str
        What they are results of.
    """

    def __init__(self, viewer: ViewerModel, family: str, operation: str) -> None:
        self._viewer, self._family, self._operation = viewer, family, operation

    def labels(self, image: ImageLayer) -> Labels | None:
        """The layer that further strokes will change."""
        return find_result(self._viewer, self._slot(image, "labels"), Labels)

    def is_live(self, layer: Layer) -> bool:
        """Whether the next run would overwrite the layer."""
        slot = layer.metadata.get(METADATA_KEY, {}).get("slot")
        return slot is not None and find_result(self._viewer, str(slot)) is layer

    def clear(self, image: ImageLayer, t: int | None) -> None:
        """Blank the layers: the strokes do not say enough any more."""
        for layer in self._layers(image):
            where = index_in(image, layer, t)
            if layer.data[where].any():
                layer.data[where] = 0
                layer.refresh()

    def accept(self, image: ImageLayer) -> Labels | None:
        """Make the layers ordinary ones, which later strokes do not touch."""
        labels = self.labels(image)
        for layer in self._layers(image):
            accept(layer)
        return labels

    @abstractmethod
    def show_preview(self, preview: Any, image: ImageLayer, like: Image, t: int | None) -> None:
        """Show a first answer.

        Parameters
        ----------
        preview : Preview
        image : Image layer
        like : Image
            What the run works on.
        t : int or None
            Its time point.
        """

    @abstractmethod
    def _show_labels(self, output: Image, image: ImageLayer, record: Mapping[str, Any]) -> None:
        """Show all labels of an image."""

    def _labels_to_fill(self, image: ImageLayer, like: Image) -> Labels | None:
        """The labels, which are empty before the first run is over."""
        if self.labels(image) is None:
            running = {"operation": self._operation, "live": True}
            self._show_labels(like.empty_labels(), image, running)
        return self.labels(image)

    def _put(
        self,
        kind: Any,
        output: Image,
        image: ImageLayer,
        record: Mapping[str, Any],
        title: str,
        label: str = "",
        **look: Any,
    ) -> Layer:
        """Add a layer or update it; new ones get the look."""
        return add_or_update(
            self._viewer,
            kind,
            output,
            like=image,
            name=f"{image.name} {title}",
            record=record,
            slot=self._slot(image, kind, label),
            **look,
        )

    def _keep_only(self, image: ImageLayer, slots: Collection[str]) -> None:
        """Take away the layers that the last run has not given."""
        for layer in self._layers(image):
            if layer.metadata[METADATA_KEY]["slot"] not in slots:
                self._viewer.layers.remove(layer)

    def _layers(self, image: ImageLayer) -> list[Layer]:
        family = self._slot(image, "")
        return [
            layer
            for layer in self._viewer.layers
            if str(layer.metadata.get(METADATA_KEY, {}).get("slot", "")).startswith(family)
            and self.is_live(layer)
        ]

    def _slot(self, image: ImageLayer, kind: str, label: str = "") -> str:
        return f"{self._family}/{image.unique_id}/{kind}" + (f"/{label}" if label else "")


def index_in(
    image: ImageLayer, layer: Layer, t: int | None, region: tuple[slice, ...] = ()
) -> tuple[Any, ...]:
    """Index of a part of one time point in a result layer; everything where there is no time."""
    axes = grid_of(image).axes
    axes = axes[len(axes) - layer.ndim :]
    parts = iter(region)
    index: list[Any] = []
    for axis in axes:
        if axis == "t":
            index.append(slice(None) if t is None else t)
        elif axis == "c":
            index.append(slice(None))
        else:
            index.append(next(parts, slice(None)))
    return tuple(index)
