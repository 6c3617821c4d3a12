"""Scenes of the region graph panel: a photograph in superpixels, joined with the slider."""

from napari import Viewer
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication
from skimage.data import coffee
from waiting import wait_until

from napari_seedbed.gui.tools.regions.region_graph_panel import RegionGraphPanel

DOCK_WIDTH = 340
LEFT = 40


def build_graph(viewer: Viewer) -> RegionGraphPanel:
    """Superpixels of a cup of coffee, joined to some tens of regions, and their graph."""
    viewer.add_image(coffee(), rgb=True, name="coffee")
    panel = _open(viewer)
    panel.form.count.setValue(LEFT)
    _settle(panel)
    viewer.reset_view(margin=0.02)
    return panel


def build_average(viewer: Viewer) -> RegionGraphPanel:
    """The same in mean colours."""
    panel = build_graph(viewer)
    panel.form.average.setChecked(True)
    panel.form.graph.setChecked(False)
    panel.layers.labels.visible = False
    _settle(panel)
    return panel


def _open(viewer: Viewer) -> RegionGraphPanel:
    dock, panel = viewer.window.add_plugin_dock_widget("napari-seedbed", "Region graph")
    viewer.window._qt_window.resizeDocks([dock], [DOCK_WIDTH], Qt.Orientation.Horizontal)
    wait_until(panel.isVisible, "the panel")
    assert isinstance(viewer.layers[0], Image)
    panel.form.superpixel_fields.set_value("n_segments", 1000)
    panel.form.make.click()
    wait_until(lambda: panel.session.now is not None, "the graph")
    return panel


def _settle(panel: RegionGraphPanel) -> None:
    wait_until(lambda: not panel.is_busy, "the drawing")
    QApplication.processEvents()
