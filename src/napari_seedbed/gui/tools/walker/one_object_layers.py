"""The layers of making objects one at a time: what was kept, and what is proposed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from numpy.typing import NDArray

from napari_seedbed.gui.forms.strokes_results import index_in
from napari_seedbed.gui.layers.image_layers import add_or_update
from napari_seedbed.gui.layers.layer_records import (
    METADATA_KEY,
    PREVIEW,
    find_result,
    keep_record,
    record_of,
)
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations.object_by_object import OPERATION

FAMILY = "one object at a time"
KEPT_OPACITY, PROPOSED_WIDTH = 0.4, 2
BEGUN = {"operation": OPERATION, "live": True}
"""Record of objects until something is kept."""

Region = tuple[slice, ...]


class ObjectLayers:
    """Shows objects in the viewer; holds no reference to a layer, only to its slot.

    Parameters
    ----------
    viewer : ViewerModel
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._shown: tuple[str, Any] | None = None

    def kept(self, image: ImageLayer) -> Labels | None:
        """The layer of the objects that were kept."""
        return find_result(self._viewer, _slot(image, "objects"), Labels)

    def owns(self, layer: Layer) -> bool:
        """Whether the layer holds objects of this panel."""
        slot = str(layer.metadata.get("napari_seedbed", {}).get("slot", ""))
        return slot.startswith(FAMILY)

    def unowned(self) -> list[Labels]:
        """Layers of objects that no panel of this window renews."""
        found = []
        for layer in self._viewer.layers:
            kept = layer.metadata.get(METADATA_KEY, {})
            is_renewed = kept.get("slot") and kept.get("layer_id") == str(layer.unique_id)
            is_made = kept.get("operation") == OPERATION and not kept.get("live")
            if isinstance(layer, Labels) and is_made and not is_renewed:
                # what is in a file cannot be written to
                found += [layer] if isinstance(layer.data, np.ndarray) else []
        return found

    def adopt(self, image: ImageLayer, layer: Labels) -> None:
        """Let a layer be the one of kept objects."""
        keep_record(layer, "labels", record_of(layer) or {}, _slot(image, "objects"))
        layer.editable = layer.locked = True

    def begin(self, image: ImageLayer, like: Image) -> Labels:
        """The layer of kept objects, empty where there was none."""
        layer = self.kept(image)
        if layer is None:
            layer = self._put(image, like, "objects", BEGUN, opacity=KEPT_OPACITY)
            layer.editable = layer.locked = True
        return layer

    def objects_at(self, image: ImageLayer, t: int | None) -> NDArray[Any]:
        """The kept objects of a time point, as a part of the layer that can be written to."""
        layer = self.kept(image)
        assert layer is not None
        part: NDArray[Any] = layer.data[index_in(image, layer, t)]
        # Results of an image with channels have an axis of length 1 in their place.
        axes = [axis for axis, n in enumerate(part.shape) if n == 1 and part.ndim > 3]
        return np.squeeze(part, tuple(axes)) if axes else part

    def refresh(self, image: ImageLayer) -> None:
        """Draw the kept objects anew."""
        layer = self.kept(image)
        if layer is not None:
            layer.refresh()

    def record(self, image: ImageLayer, record: Mapping[str, Any]) -> None:
        """Write down how the kept objects were made."""
        layer = self.kept(image)
        if layer is not None:
            keep_record(layer, "labels", record, _slot(image, "objects"))

    def propose(
        self,
        image: ImageLayer,
        like: Image,
        t: int | None,
        region: Region,
        mask: NDArray[np.bool_],
        number: int,
    ) -> None:
        """Show an object's outline in the colour that it would have."""
        layer = find_result(self._viewer, _slot(image, "proposal"), Labels)
        if layer is None:
            layer = self._put(image, like, "proposal", PREVIEW, opacity=1.0)
            layer.contour = PROPOSED_WIDTH
        self._wipe(layer)
        where = index_in(image, layer, t, region)
        part = layer.data[where]
        part[...] = np.where(mask, number, 0).reshape(part.shape)
        self._shown = (_slot(image, "proposal"), where)
        layer.refresh()

    def hide_proposal(self, image: ImageLayer) -> None:
        """Show no proposal."""
        layer = find_result(self._viewer, _slot(image, "proposal"), Labels)
        if layer is not None and self._shown is not None:
            self._wipe(layer)
            layer.refresh()

    def remove_proposal(self, image: ImageLayer) -> None:
        """Take the layer of proposals away."""
        layer = find_result(self._viewer, _slot(image, "proposal"))
        self._shown = None
        if layer is not None:
            self._viewer.layers.remove(layer)

    def _wipe(self, layer: Labels) -> None:
        if self._shown is not None and self._shown[0] == layer.metadata["napari_seedbed"]["slot"]:
            layer.data[self._shown[1]] = 0
        self._shown = None

    def _put(
        self, image: ImageLayer, like: Image, kind: str, record: Mapping[str, Any], **look: Any
    ) -> Labels:
        layer = add_or_update(
            self._viewer,
            "labels",
            like.empty_labels(),
            like=image,
            name=f"{image.name} {kind}",
            record=record,
            slot=_slot(image, kind),
            **look,
        )
        assert isinstance(layer, Labels)
        return layer


def _slot(image: ImageLayer, kind: str) -> str:
    return f"{FAMILY}/{image.unique_id}/{kind}"
