"""The panel that opens many image files as one image."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari.layers import Layer
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QFileDialog, QLineEdit

from napari_seedbed.errors import SeedbedError
from napari_seedbed.gui.forms.panel import Panel
from napari_seedbed.gui.forms.panel_form import PanelForm
from napari_seedbed.gui.layers.opened_images import layers_of
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.controls import button, form_rows, in_row
from napari_seedbed.gui.qt.run_controls import wrapped_label
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import collection_files, open_collection
from napari_seedbed.pipeline.files.image_collection import StackAxis, collection_place
from napari_seedbed.pipeline.files.readers import file_suffixes

if TYPE_CHECKING:
    from napari.viewer import Viewer

_AXES: tuple[tuple[str, StackAxis | None], ...] = (
    ("Automatic", None),
    ("Slices (z)", "z"),
    ("Time points (t)", "t"),
    ("Channels", "c"),
)


class ImageCollectionPanel(Panel):
    """Folder or pattern, what goes from file to file, and Open.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        form = PanelForm()
        super().__init__(napari_viewer, form)
        self.source = QLineEdit()
        self.source.setPlaceholderText("/data/plate or /data/plate/*_w1.tif")
        self.source.setToolTip(
            f"A folder, whose images ({', '.join(file_suffixes())}) are taken, or a pattern: * "
            "stands for any letters, ? for one."
        )
        self.browse = button("Folder…")
        self.axis = QComboBox()
        for label, axis in _AXES:
            self.axis.addItem(label, axis)
        self.axis.setToolTip(
            "What changes from file to file. Automatic: slices, or time points where files are "
            "volumes."
        )
        self.step = QDoubleSpinBox()
        self.step.setRange(0.0, 1e9)
        self.step.setDecimals(4)
        self.step.setSpecialValueText("as that of rows")
        self.step.setToolTip("Distance of slices, in the unit of the files.")
        self.open = button("Open")
        self.found = wrapped_label()
        self._rows = form_rows(("From file to file", self.axis), ("Distance", self.step))
        hint = wrapped_label(
            "Opens many image files as one image. Files are read only when they are looked "
            "at; numbers in their names count as numbers."
        )
        source = in_row((self.source, 1), self.browse, spacing=-1)
        form.add(hint, source, self.found, self._rows, self.open, None)
        self.browse.clicked.connect(self._on_browse)
        self.source.textChanged.connect(self._show_found)
        self.axis.currentIndexChanged.connect(self._show_distance)
        self.open.clicked.connect(self.open_files)
        self._show_found()
        self._show_distance()

    def open_files(self) -> None:
        """Look at the files beside the window and show them as one image."""
        if len(self.jobs):
            return
        axis = self.axis.currentData()
        step = self.step.value() if self.step.value() and axis == "z" else None
        self.open.setEnabled(False)
        self.found.setText("Looking at the files…")
        self.jobs.start(
            "open",
            partial(_opened, self.source.text().strip(), axis, step),
            self._on_opened,
            self._on_error,
            can_stop=False,
        )

    def _on_browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of images", self.source.text())
        if folder:
            self.source.setText(folder)

    def _show_found(self) -> None:
        text = self.source.text().strip()
        self.open.setEnabled(False)
        if not text:
            self.found.setText("")
            return
        try:
            files = collection_files(text)
        except (SeedbedError, OSError) as error:
            self.found.setText(str(error))
            return
        self.open.setEnabled(True)
        self.found.setText(_files_in_words(files))

    def _show_distance(self) -> None:
        self._rows.setRowVisible(self.step, self.axis.currentData() == "z")

    def _on_opened(self, opened: tuple[Image, str]) -> None:
        self.open.setEnabled(True)
        image, place = opened
        with errors.shown(self.found.setText):
            for data, properties, kind in layers_of(image, place):
                self.viewer.add_layer(Layer.create(data, properties, kind))
            self.found.setText(" ".join([f"Opened '{image.name}'.", *image.notes]))

    def _on_error(self, error: BaseException) -> None:
        self.open.setEnabled(True)
        self.found.setText(errors.show(error))


def _opened(source: str, axis: StackAxis | None, step: float | None) -> tuple[Image, str]:
    image = open_collection(source, axis, step)
    return image, str(collection_place(collection_files(source)))


def _files_in_words(files: Sequence[Path]) -> str:
    if len(files) == 1:
        return f"1 file: {files[0].name}"
    return f"{len(files)} files: {files[0].name} to {files[-1].name}"
