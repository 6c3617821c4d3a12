"""Six blocks of known grey values, and the region graph panel on them."""

import numpy as np
from qtpy.QtCore import Qt

from napari_seedbed.gui.tools.regions.region_graph_panel import RegionGraphPanel
from napari_seedbed.pipeline import operations

VALUES = np.array([[10, 14, 60], [11, 90, 65]])
"""Most alike: 10 and 11; 60 and 65 come next, then 14 to the first two."""
LABELS = np.array([[1, 2, 3], [4, 5, 6]])
BLOCK = 20
IMAGE = np.kron(VALUES, np.ones((BLOCK, BLOCK))).astype(np.uint8)
REGIONS = np.kron(LABELS, np.ones((BLOCK, BLOCK))).astype(np.int32)


def blocks(labels):
    """One label for each block, (2, 3); all voxels of a block must have it."""
    found = labels[..., BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK]
    whole = np.kron(found, np.ones((BLOCK, BLOCK), int))
    assert np.array_equal(whole, labels)
    return found.tolist()


def middle(label):
    """Row and column in the middle of the block of a label."""
    row, column = np.argwhere(label == LABELS)[0]
    return (row * BLOCK + BLOCK / 2, column * BLOCK + BLOCK / 2)


class RegionsBench:
    """The panel on a viewer, and short names for what tests do all the time."""

    def __init__(self, viewer, qtbot, image=IMAGE, regions=REGIONS, dock=False, **layer) -> None:
        self.viewer, self.qtbot = viewer, qtbot
        self.image = viewer.add_image(image, **{"name": "blocks", "rgb": False, **layer})
        if regions is not None:
            place = {key: value[-regions.ndim :] for key, value in layer.items() if key == "scale"}
            self.regions = viewer.add_labels(regions, name="regions", **place)
        self.panel = RegionGraphPanel(viewer)
        self.form = self.panel.form
        if dock:
            viewer.window.add_dock_widget(self.panel, name="Region graph")
        else:
            qtbot.addWidget(self.panel)
            self.panel.resize(340, 900)
            self.panel.show()
        if regions is not None:
            self.wait_built()

    def wait_built(self):
        """Wait until the graph is there and shown; kernels may be compiled first."""
        self.qtbot.waitUntil(lambda: self.panel.session.now is not None, timeout=120000)
        self.wait_drawn()

    def wait_drawn(self):
        """Wait until nothing is about to be shown."""
        self.qtbot.waitUntil(lambda: not self.panel.is_busy, timeout=30000)

    def wait_run(self):
        """Wait until a run has ended."""
        self.qtbot.waitUntil(lambda: not self.panel.is_running, timeout=60000)
        self.wait_drawn()

    def click(self, button):
        """Click a button with the mouse, as far as it can be clicked."""
        if self.form.isAncestorOf(button):
            self.form.ensureWidgetVisible(button)
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    @property
    def status(self) -> str:
        """The line under the buttons."""
        return self.form.controls.status.text()

    def layer(self, name):
        """The preview layer of that name; None where there is none."""
        found = [layer for layer in self.viewer.layers if layer.name == f"{name} (preview)"]
        assert len(found) < 2
        return found[0] if found else None

    @property
    def chosen(self):
        """The region that is marked in the picture, as a mask; None where none is."""
        layer = self.layer("chosen region")
        return np.asarray(layer.data) if layer is not None and layer.visible else None

    @property
    def shown(self):
        """The merged regions of which the outlines are on screen."""
        assert self.layer("merged regions") is not None
        return np.squeeze(self.panel.layers.shown)

    def expected(self):
        """What the single door gives with the panel's settings."""
        return operations.run(
            "region_graph_merge", self.panel.inputs.given().inputs, self.panel.parameters()
        )
