"""What ends a panel's work from outside: a layer that goes away, a window that closes."""

from typing import TYPE_CHECKING, Any

from napari.layers import Layer
from qtpy.QtCore import QEvent, QObject, Signal
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_seedbed.gui.canvas_context import CanvasContext
from napari_seedbed.gui.dock_tabs import DockTab

if TYPE_CHECKING:
    from napari.viewer import Viewer


class PanelLife(QObject):
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
    Signals: `layer_removed(layer)`; `closing()` when the window is about to close.
    """

    layer_removed = Signal(object)
    closing = Signal()

    def __init__(self, panel: Any, viewer: "Viewer", *, tabbed: bool = True) -> None:
        super().__init__(panel)
        self._panel: QWidget = panel
        layers = viewer.layers.events
        for event in (layers.inserted, layers.reordered, layers.renamed):
            event.connect(panel.reset_choices)
        layers.removed.connect(self._on_removed)
        CanvasContext(panel, viewer)
        panel.installEventFilter(self)
        if tabbed:
            DockTab(panel)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Find the window of a panel that is shown, and notice when that closes."""
        if event is not None and event.type() == QEvent.Type.Show and watched is self._panel:
            window = self._panel.window()
            if isinstance(window, QMainWindow):
                window.installEventFilter(self)
        if event is not None and event.type() == QEvent.Type.Close and watched is not self._panel:
            self.closing.emit()
        return super().eventFilter(watched, event)

    def _on_removed(self, event: Any) -> None:
        self.layer_removed.emit(event.value)


def removed_in_words(layer: Layer) -> str:
    """What to tell somebody who took away a layer that was in use."""
    return (
        f"'{layer.name}' was removed while it was in use, so the run was stopped. Choose another "
        "layer, or open it again."
    )
