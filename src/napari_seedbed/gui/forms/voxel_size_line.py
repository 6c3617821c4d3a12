"""A line that asks how thick the planes of a volume are, where nobody has said it."""

from typing import TYPE_CHECKING
from weakref import WeakSet

from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QDoubleSpinBox, QToolButton, QWidget

from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.grids import grid_of, level_0
from napari_seedbed.gui.qt.controls import in_column, in_row
from napari_seedbed.gui.qt.run_controls import wrapped_label

if TYPE_CHECKING:
    from napari.components import ViewerModel

FEW_PLANES = 0.5
"""Stacks with fewer planes than so many of their rows and columns are asked about: a microscope's
focus steps are mostly wider than its pixels, while what was made isotropic or measured so has about
as many planes as rows."""


def asks_for_voxel_size(layer: ImageLayer | None) -> bool:
    """Whether a volume has no voxel size, and its planes are likely to lie far apart."""
    axes = _axes_of(layer)
    if layer is None or not {"z", "y", "x"} <= set(axes):
        return False
    shape, scale = level_0(layer).shape, layer.scale
    z, y, x = (axes.index(axis) for axis in "zyx")
    is_known = len({float(scale[i]) for i in (z, y, x)}) > 1 or str(layer.units[x]) != "pixel"
    return not is_known and shape[z] > 1 and shape[z] < FEW_PLANES * min(shape[y], shape[x])


class VoxelSizeLine(QWidget):
    """Asks for the step from plane to plane, and gives it to all layers on the image's grid.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    """

    def __init__(self, viewer: "ViewerModel") -> None:
        super().__init__()
        self._viewer = viewer
        self._layer: ImageLayer | None = None
        self._dismissed: WeakSet[ImageLayer] = WeakSet()
        self._answered: WeakSet[ImageLayer] = WeakSet()
        self.step = QDoubleSpinBox()
        self.step.setRange(0.05, 100.0)
        self.step.setDecimals(3)
        self.step.setSingleStep(0.5)
        self.step.setKeyboardTracking(False)
        self.step.setToolTip(
            "Distance from one plane to the next, in pixels: 3 for planes of 0.6 µm with pixels "
            "of 0.2 µm."
        )
        self.dismiss = QToolButton()
        self.dismiss.setText("✕")
        self.dismiss.setToolTip("The planes are as thick as the pixels are wide, or do not ask.")
        line = in_row("z step", self.step, "× the pixel size", None, self.dismiss)
        hint = wrapped_label("Voxel size is not known; few planes mostly lie apart:")
        in_column(self, hint, line, spacing=2)
        self.step.valueChanged.connect(self._apply)
        self.dismiss.clicked.connect(self._dismiss)
        self.setVisible(False)

    def watch(self, layer: ImageLayer | None) -> None:
        """Ask about another image, if there is something to ask."""
        self._layer = layer
        asked = layer is not None and layer not in self._dismissed
        # an answer can be mended as long as the line is there
        asks = asked and (layer in self._answered or asks_for_voxel_size(layer))
        if layer is not None and asks:
            z, x = (grid_of(layer).axes.index(axis) for axis in "zx")
            with QSignalBlocker(self.step):
                self.step.setValue(float(layer.scale[z] / layer.scale[x]))
        self.setVisible(asks)

    def _apply(self, step: float) -> None:
        layer = self._layer
        if layer is None:
            return
        self._answered.add(layer)
        # the image last: who hears of it finds the seeds on its grid
        alike = [one for one in self._viewer.layers if one is not layer and _lies_on(one, layer)]
        for one in (*alike, layer):
            axes = grid_of(one).axes
            z, x = axes.index("z"), axes.index("x")
            scale = list(one.scale)
            scale[z] = scale[x] * step
            one.scale = scale

    def _dismiss(self) -> None:
        if self._layer is not None:
            self._dismissed.add(self._layer)
        self.setVisible(False)


def _axes_of(layer: Layer | None) -> tuple[str, ...]:
    """What its axes are; none where they are unclear, which a run will say."""
    try:
        return () if layer is None else grid_of(layer).axes
    except InputError:
        return ()


def _lies_on(layer: Layer, image: ImageLayer) -> bool:
    """Whether a layer lies on the image's grid: seeds, results, other channels."""
    ours, theirs = _axes_of(image), _axes_of(layer)
    if "z" not in theirs:
        return False
    spatial = [(ours.index(axis), theirs.index(axis)) for axis in "zyx"]
    if isinstance(layer, ImageLayer | Labels):
        shape, other = level_0(image).shape, level_0(layer).shape
        if any(shape[i] != other[j] for i, j in spatial):
            return False
    return all(
        image.scale[i] == layer.scale[j] and image.translate[i] == layer.translate[j]
        for i, j in spatial
    )
