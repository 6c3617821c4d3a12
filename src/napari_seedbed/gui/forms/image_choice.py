"""The image layer that a panel works on, and its channels."""

from collections.abc import Callable
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Layer
from qtpy.QtCore import QObject, Signal

from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.layer_choice import ChannelBoxes, LayerCombo
from napari_seedbed.gui.layers.image_layers import (
    ChannelChoice,
    channel_choices,
    image_from_layers,
)
from napari_seedbed.gui.layers.layer_records import is_preview, is_result
from napari_seedbed.gui.layers.resolutions import image_for_statistics, level_count
from napari_seedbed.gui.layers.seeds_watch import move_connections
from napari_seedbed.gui.qt import errors
from napari_seedbed.pipeline.data.image import Image

IMAGE_EVENTS = ("data", "scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


class ImageChoice(QObject):
    """Holds the chosen image, and emits when it is another one.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    combo : LayerCombo
    boxes : ChannelBoxes
    show_channels : callable
        Shows the boxes or hides them.
    say : callable
        Called with what went wrong.

    Notes
    -----
    Signals: `chosen(layer or None)` for another layer; `changed()` when the voxels, the place or
    the channels of the chosen one are others now.
    """

    chosen = Signal(object)
    changed = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        combo: LayerCombo,
        boxes: ChannelBoxes,
        show_channels: Callable[[bool], None],
        say: Callable[[str], None],
    ) -> None:
        super().__init__(combo)
        self._viewer, self._combo, self._boxes = viewer, combo, boxes
        self._show_channels, self._say = show_channels, say
        self._image: Image | None = None
        self.watched: ImageLayer | None = None
        combo.layer_chosen.connect(self._on_chosen)
        boxes.chosen.connect(self.look_again)

    @property
    def layer(self) -> ImageLayer:
        """The chosen layer; `InputError` where there is none."""
        layer = self._combo.layer()
        if not isinstance(layer, ImageLayer):
            raise InputError("There is no image. Open or choose an image layer first.")
        return layer

    def image(self) -> Image:
        """The image with its channels; the same object until something changes."""
        if self._image is None:
            several = len(self._boxes.all_choices()) > 1
            self._image = image_from_layers(self.layer, self._boxes.choices() if several else None)
        return self._image

    def quick_image(self) -> Image:
        """The image, of several resolutions the finest that is quick to read as a whole."""
        if level_count(self.layer) == 1:
            return self.image()
        return image_for_statistics(self.layer, self.choices(), None)

    def choices(self) -> list[ChannelChoice]:
        """The chosen channels of several; empty where the layer is all there is."""
        return self._boxes.choices() if len(self._boxes.all_choices()) > 1 else []

    def offer(self) -> None:
        """Offer the layers that there are now, results last; take the selected one at first."""
        images = [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, ImageLayer) and not is_preview(layer)
        ]
        active = self._viewer.layers.selection.active
        self._combo.set_layers(sorted(images, key=is_result), active)
        self._offer_channels()

    def _on_chosen(self, layer: Layer | None) -> None:
        image = layer if isinstance(layer, ImageLayer) else None
        move_connections(self.watched, image, IMAGE_EVENTS, self.look_again)
        self.watched = image
        self._image = None
        self._offer_channels(anew=True)
        self.chosen.emit(image)

    def look_again(self, event: Any = None) -> None:
        """The chosen layer has changed: read it anew when it is needed."""
        self._image = None
        self.changed.emit()

    def _offer_channels(self, anew: bool = False) -> None:
        layer, boxes = self.watched, self._boxes
        choices = []
        if layer is not None:
            with errors.shown(self._say):
                choices = channel_choices(layer, self._viewer.layers)
        # Channels of one layer belong together; other layers join only when somebody says so.
        boxes.offer(choices, [c.layer is layer for c in choices] if anew else None)
        self._show_channels(len(choices) > 1)
