"""Labels that would show through newer ones, and are hidden meanwhile."""

from collections.abc import Sequence

from napari.components import ViewerModel
from napari.layers import Labels, Layer

from napari_seedbed.gui.layers.layer_records import METADATA_KEY, is_result


class CoveredLayers:
    """Hides results under a preview of labels, where what the preview takes away would stay seen.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._hidden: list[Layer] = []

    def cover(self, sources: Sequence[Layer]) -> None:
        """Hide what the preview is made from, and earlier results made from the same."""
        marks = [f"/{source.unique_id}/" for source in sources]
        for layer in list(self._viewer.layers):
            slot = str(layer.metadata.get(METADATA_KEY, {}).get("slot", ""))
            if layer in sources or any(mark in slot for mark in marks):
                self._hidden += [layer] if hide(self._viewer, layer) else []

    def uncover(self) -> None:
        """Show again what was hidden."""
        for layer in self._hidden:
            if layer in self._viewer.layers:
                layer.visible = True
        self._hidden = []


def hide(viewer: ViewerModel, layer: Layer) -> bool:
    """Hide labels that an operation made, unless they are selected; return whether it was done.

    What is selected, or was drawn by hand, may be being worked on.
    """
    active = viewer.layers.selection.active
    if not isinstance(layer, Labels) or not layer.visible or layer is active:
        return False
    if not is_result(layer):
        return False
    layer.visible = False
    return True
