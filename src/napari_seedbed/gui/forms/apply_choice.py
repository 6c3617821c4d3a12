"""What a run is applied to: the slice in view, the time point in view, or everything."""

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtWidgets import QComboBox, QFormLayout, QSizePolicy

from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.view_position import Part, part_in_view
from napari_seedbed.gui.qt.controls import form_rows
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.declarations import Operation

SLICE, TIME, ALL = "slice", "time", "all"


class ApplyChoice(QComboBox):
    """Offers what makes sense for an image; its row is seen where there are several parts.

    Parameters
    ----------
    rows : QFormLayout, optional
        Where it is a row; rows of its own otherwise.
    slices : bool
        Whether slices are ever offered.
    """

    def __init__(self, rows: QFormLayout | None = None, *, slices: bool = True) -> None:
        super().__init__()
        self._slices = slices
        self.rows = form_rows() if rows is None else rows
        self.rows.addRow("Apply to", self)
        self.rows.setRowVisible(self, False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "What Run works on. A slice or a time point gets a result layer of its own, which has "
            "the same voxels there as a run on all."
        )

    def offer(self, operation: Operation, image: Image | None) -> None:
        """Offer the parts of another image; the choice stays if it can."""
        chosen = self.currentData()
        is_deep = image is not None and len(image.spatial_shape) == 3
        is_series = image is not None and image.time_axis is not None
        self.clear()
        if operation.scope in ("volume", "times"):
            if self._slices and is_deep and operation.gives != "table":
                # a table of a volume is no table of its slices
                self.addItem("Slice in view", SLICE)
            if is_series:
                self.addItem("Volume in view" if is_deep else "Time point in view", TIME)
        whole = "Whole series" if is_series else "Whole volume" if is_deep else "Image"
        self.addItem(whole, ALL)
        kept = self.findData(chosen)
        self.setCurrentIndex(kept if kept >= 0 else self.count() - 1)
        self.rows.setRowVisible(self, self.count() > 1)

    def part(self, viewer: ViewerModel, like: Layer, image: Image, time_axis: int | None) -> Part:
        """What is chosen, at the place that is in view now.

        Raises
        ------
        InputError
            For a slice in the 3D display.
        """
        wanted = self.currentData()
        if wanted in (None, ALL):
            return Part()
        in_view = part_in_view(viewer, like, image, time_axis)
        if wanted == TIME:
            return Part(None, in_view.time, f"t {in_view.time}")
        if in_view.region is None:
            raise InputError(
                "Apply to: there is no slice in view in the 3D display; switch to the 2D display, "
                "or apply it to the volume."
            )
        return in_view
