"""What ends a panel's work from outside: a layer that goes away, a window that closes."""

from typing import TYPE_CHECKING, Any

from napari.layers import Layer
from qtpy.QtCore import Signal

from napari_seedbed.gui.canvas_context import CanvasContext
from napari_seedbed.gui.dock_tabs import DockTab
from napari_seedbed.gui.panel_end import PanelEnd

if TYPE_CHECKING:
    from napari.viewer import Viewer


class PanelLife(PanelEnd):
    """Watches for a panel what comes and goes around it.

    Parameters
    ----------
    panel : QWidget
        With a method `reset_choices`, which is called when layers come or change places or names.
    viewer : Viewer
    tabbed : bool
        Whether the panel shares its side with others as tabs, which hide each other.

    Notes
    -----
    Signals: `layer_removed(layer)`; `ended()` once, when the panel is over.
    """

    layer_removed = Signal(object)

    def __init__(self, panel: Any, viewer: "Viewer", *, tabbed: bool = True) -> None:
        super().__init__(panel)
        self._layers = viewer.layers.events
        self._on_choices = panel.reset_choices
        for event in (self._layers.inserted, self._layers.reordered, self._layers.renamed):
            event.connect(self._on_choices)
        self._layers.removed.connect(self._on_removed)
        CanvasContext(panel, viewer)
        if tabbed:
            DockTab(panel)
        self.ended.connect(self._leave_layers)

    def _on_removed(self, event: Any) -> None:
        self.layer_removed.emit(event.value)

    def _leave_layers(self) -> None:
        layers = self._layers
        for event in (layers.inserted, layers.removed, layers.reordered, layers.renamed):
            # napari connects this as well, for what is in a dock
            event.disconnect(self._on_choices)
        layers.removed.disconnect(self._on_removed)


def removed_in_words(layer: Layer) -> str:
    """What to tell somebody who took away a layer that was in use."""
    return (
        f"'{layer.name}' was removed while it was in use, so the run was stopped. Choose another "
        "layer, or open it again."
    )
