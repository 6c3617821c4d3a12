"""The orthogonal views of a volume, xz and yz, linked to napari's own, to look and to paint in."""

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Vectors
from napari.qt import QtViewer
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QDockWidget, QLabel, QMainWindow, QSplitter, QWidget

from napari_seedbed.gui.forms.restore_bar import RestoreBar
from napari_seedbed.gui.layers.kept_selection import selection_kept
from napari_seedbed.gui.layers.layer_records import PREVIEW, keep_record
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.layers.seeds_watch import move_connections
from napari_seedbed.gui.qt.controls import check_box, in_column, in_row
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.qt.panel_end import PanelEnd
from napari_seedbed.gui.qt.run_controls import wrapped_label
from napari_seedbed.gui.tools.views.mirrored_layers import MirroredLayers

if TYPE_CHECKING:
    from napari.viewer import Viewer

PLANES = {"xz": (1, 0, 2), "yz": (2, 1, 0)}
"""By the name of a view: the order of z, y, x, of which the last two are rows and columns."""

CROSSHAIR = "crosshair"
_COLOUR = "yellow"
_MOVE_SECONDS = 0.03
_FIT_SECONDS = 0.3
_LOWEST = 140
"""Pixels that a view is high at least."""
_LINE_PIXELS = 1.2
"""Width of the crosshair on the screen, in each view."""

_HINT = (
    "Hold Shift and move the mouse in any view: the others follow. Paint and set points in any of "
    "them."
)
_NO_VOLUME = "Open a volume: a picture without z has one view only."


class SliceView(QWidget):
    """One plane of the volume.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
        Whose layers are shown.
    plane : {'xz', 'yz'}

    Attributes
    ----------
    model : ViewerModel
    mirror : MirroredLayers

    Notes
    -----
    Signal: `moved(ViewerModel)` when it looks at another place.
    """

    moved = Signal(object)

    def __init__(self, viewer: ViewerModel, plane: str) -> None:
        super().__init__()
        self.plane = plane
        self.model = ViewerModel(title=plane)
        self.qt_viewer = QtViewer(self.model)
        # files that are dropped here would open here alone
        self.qt_viewer.setAcceptDrops(False)
        title = QLabel(plane)
        title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        in_column(self, title, (self.qt_viewer, 1), spacing=0)
        self.mirror = MirroredLayers(viewer, self.model, self)
        self._looked_at: tuple[tuple[float, float, float], float] | None = None
        self.model.dims.events.point.connect(self._on_point)

    def follow(self) -> None:
        """Show the layers, as they were looked at before."""
        self.mirror.start()
        self.take_order()
        if self._looked_at and len(self.model.layers):
            camera = self.model.scene.camera
            camera.center, camera.zoom = self._looked_at

    def rest(self) -> None:
        """Let go of the layers while nobody looks."""
        camera = self.model.scene.camera
        self._looked_at = (camera.center, camera.zoom) if len(self.model.layers) else None
        self.mirror.end()

    def take_order(self) -> None:
        """Show this plane of the last three axes, and all of it."""
        lead = self.model.dims.ndim - 3
        order = (*range(lead), *(lead + axis for axis in PLANES[self.plane]))
        if lead >= 0 and tuple(self.model.dims.order) != order:
            self.model.dims.order = order
            self.model.reset_view()

    def _on_point(self, event: Any = None) -> None:
        self.moved.emit(self.model)

    def end(self) -> None:
        """Let go of the layers and of the canvas."""
        self.model.dims.events.point.disconnect(self._on_point)
        self.mirror.end()
        self.model.layers.clear()
        self.qt_viewer.close()
        # napari counts the canvases that are left when its window closes
        self.qt_viewer.setParent(None)
        self.qt_viewer.deleteLater()
        del self.qt_viewer


class OrthogonalViews(QWidget):
    """Dock widget with the planes xz and yz beside napari's own view of a volume.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        super().__init__()
        self.viewer = napari_viewer
        self.views = {plane: SliceView(napari_viewer, plane) for plane in PLANES}
        self.models: list[ViewerModel] = [
            napari_viewer,
            *(view.model for view in self.views.values()),
        ]
        self.hint = wrapped_label(_HINT)
        self.show_crosshair = check_box(
            "Crosshair", "Show in each view where the others are.", checked=True
        )
        self.parts = QSplitter(Qt.Orientation.Horizontal)
        self.parts.setChildrenCollapsible(False)
        for view in self.views.values():
            # a window that is full of docks would leave them nothing
            view.setMinimumHeight(_LOWEST)
            self.parts.addWidget(view)
        self._restore_bar = RestoreBar(napari_viewer)
        in_column(
            self,
            self._restore_bar,
            (self.parts, 1),
            in_row((self.hint, 1), self.show_crosshair),
            spacing=2,
            margins=(4, 0, 4, 4),
        )
        self.crosshair: Vectors | None = None
        self._wanted: tuple[float, ...] | None = None
        self._is_moving = False
        self._move = Delay(self, _MOVE_SECONDS, self._go_to_wanted)
        self._place = Delay(self, 0.0, self._go_below)
        self._fit = Delay(self, _FIT_SECONDS, self._fit_views)
        self._renew = Delay(self, 0.0, self._renew_crosshair)
        self._has_place = False
        self.end = PanelEnd(self)
        self._connect()
        self._take_theme()
        self._look()

    def sizeHint(self) -> QSize:
        """Low, to lie below the picture.

        Narrow, as napari opens it on the right, which stays as wide for what is opened there next.
        """
        return QSize(300, 310)

    def _connect(self) -> None:
        self.viewer.dims.events.point.connect(self._on_point)
        for view in self.views.values():
            view.moved.connect(self._follow)
        for model in self.models:
            model.mouse_move_callbacks.append(self._on_mouse)
            model.scene.camera.events.zoom.connect(self._thin_crosshair)
        move_connections(None, self.viewer.layers, ("inserted", "removed"), self._look)
        self.show_crosshair.toggled.connect(self._renew_crosshair)
        self.viewer.events.theme.connect(self._take_theme)
        self.end.ended.connect(self._on_ended)

    def _on_ended(self) -> None:
        self._move.stop()
        self._place.stop()
        self._fit.stop()
        self._renew.stop()
        self.viewer.dims.events.point.disconnect(self._on_point)
        self.viewer.events.theme.disconnect(self._take_theme)
        for model in self.models:
            model.mouse_move_callbacks.remove(self._on_mouse)
            model.scene.camera.events.zoom.disconnect(self._thin_crosshair)
        move_connections(self.viewer.layers, None, ("inserted", "removed"), self._look)
        self._take_crosshair_away()
        for view in self.views.values():
            view.end()

    # Where the views are

    @property
    def is_deep(self) -> bool:
        """Whether there is a volume to look at."""
        return self._n_axes >= 3

    @property
    def _n_axes(self) -> int:
        """How many axes the layers have, the crosshair not counted."""
        layers = (layer for layer in self.viewer.layers if layer is not self.crosshair)
        return max((layer.ndim for layer in layers), default=0)

    def _look(self, event: Any = None) -> None:
        """Layers came or went."""
        if event is not None and getattr(event, "value", None) is self.crosshair is not None:
            return
        self.hint.setText(_HINT if self.is_deep else _NO_VOLUME)
        if not self.isVisible():
            return
        for view in self.views.values():
            view.take_order()
        self._follow(self.viewer)

    def _on_point(self, event: Any = None) -> None:
        self._follow(self.viewer)

    def _take_theme(self, event: Any = None) -> None:
        for view in self.views.values():
            view.model.theme = self.viewer.theme

    def _follow(self, leader: ViewerModel) -> None:
        """Let all views look at the place where one of them does."""
        if self._is_moving or not self.isVisible():
            return
        self._is_moving = True
        try:
            for model in self.models:
                if model is not leader and model.dims.ndim == leader.dims.ndim:
                    model.dims.point = leader.dims.point
        finally:
            self._is_moving = False
        self._draw_crosshair()

    def _on_mouse(self, model: ViewerModel, event: Any) -> None:
        """Let the crosshair follow the mouse while Shift is held."""
        if "Shift" not in event.modifiers or model.dims.ndisplay != 2:
            return
        place = list(self.viewer.dims.point)
        if len(event.position) != len(place):
            return
        for axis in model.dims.displayed:
            place[axis] = float(event.position[axis])
        self._wanted = tuple(place)
        self._move.start_once()

    def _go_to_wanted(self) -> None:
        if self._wanted is not None:
            self.viewer.dims.point = self._wanted
            self._draw_crosshair()

    # The crosshair

    @property
    def _shows_crosshair(self) -> bool:
        return self.show_crosshair.isChecked() and self.is_deep and self.isVisible()

    def _draw_crosshair(self) -> None:
        """Move the crosshair, which comes and goes later: napari may be changing its layers."""
        layer = self.crosshair if self.crosshair in self.viewer.layers else None
        if layer is not None and self._shows_crosshair and layer.ndim == self._n_axes:
            layer.data = self._lines()
        elif layer is not None or self._shows_crosshair:
            self._renew.start_once()

    def _renew_crosshair(self, *_: Any) -> None:
        self._take_crosshair_away()
        if self._shows_crosshair:
            self._add_crosshair(self._lines())
        # as it came and went the place was told anew, which asks for a crosshair again
        self._renew.stop()

    def _lines(self) -> NDArray[np.float64]:
        """Lines through the place along z, y and x, each as long as the volume, (3, 2, D).

        A plane shows those two that lie in it.
        """
        ranges = self.viewer.dims.range
        rows = []
        for axis in range(len(ranges) - 3, len(ranges)):
            start, along = np.array(self.viewer.dims.point, float), np.zeros(len(ranges))
            start[axis] = ranges[axis].start
            along[axis] = ranges[axis].stop - ranges[axis].start
            rows.append([start, along])
        return np.array(rows)

    def _add_crosshair(self, lines: NDArray[np.float64]) -> None:
        units = self.viewer.layers[0].units
        layer = Vectors(
            lines,
            name=CROSSHAIR,
            vector_style="line",
            edge_width=_LINE_PIXELS / self.viewer.scene.camera.zoom,
            edge_color=_COLOUR,
            opacity=0.6,
            units=units if len(units) == lines.shape[2] else None,
        )
        keep_record(layer, "vectors", PREVIEW, CROSSHAIR)
        self.crosshair = layer
        with selection_kept(self.viewer):
            self.viewer.layers.append(layer)
        self._thin_crosshair()

    def _thin_crosshair(self, event: Any = None) -> None:
        """Lines as wide on the screen in all views, however much each of them is magnified."""
        if self.crosshair is None:
            return
        shown = [self.crosshair, *(v.mirror.copy_of(self.crosshair) for v in self.views.values())]
        for model, layer in zip(self.models, shown, strict=True):
            if isinstance(layer, Vectors):
                layer.edge_width = _LINE_PIXELS / model.scene.camera.zoom

    def _take_crosshair_away(self) -> None:
        layer, self.crosshair = self.crosshair, None
        if layer is not None and layer in self.viewer.layers:
            self.viewer.layers.remove(layer)

    # The dock

    def showEvent(self, event: QShowEvent | None) -> None:
        """Lie below the picture when it is opened, where there is room for both planes."""
        super().showEvent(event)
        self._restore_bar.begin()
        if not self._has_place:
            self._has_place = True
            self._place.start()
        # they begin in the middle, which is no place that somebody went to
        self._is_moving = True
        for view in self.views.values():
            view.follow()
        self._is_moving = False
        self._follow(self.viewer)

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Leave nothing in the picture, and follow no layers meanwhile."""
        super().hideEvent(event)
        self._take_crosshair_away()
        for view in self.views.values():
            view.rest()

    def _go_below(self) -> None:
        window, dock = self.window(), self.parent()
        if isinstance(window, QMainWindow) and isinstance(dock, QDockWidget):
            # the lists on the left need all of the height of a small screen
            window.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
            window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
            window.resizeDocks([dock], [self.sizeHint().height()], Qt.Orientation.Vertical)
            self._fit.start()

    def _fit_views(self) -> None:
        for view in self.views.values():
            view.model.reset_view()
