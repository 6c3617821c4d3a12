"""The panel that opens many image files as one image."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari.layers import Layer
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
)

from napari_seedbed.core.progress import Report, ShouldStop
from napari_seedbed.errors import SeedbedError
from napari_seedbed.gui import errors
from napari_seedbed.gui.jobs import Job
from napari_seedbed.gui.opened_images import layers_of
from napari_seedbed.gui.panel_end import PanelEnd
from napari_seedbed.gui.panel_form import PanelForm, form_rows
from napari_seedbed.gui.run_controls import wrapped_label
from napari_seedbed.pipeline.files import collection_files, open_collection
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.image_collection import StackAxis, collection_place

if TYPE_CHECKING:
    from napari.viewer import Viewer

_AXES: tuple[tuple[str, StackAxis | None], ...] = (
    ("Automatic", None),
    ("Slices (z)", "z"),
    ("Time points (t)", "t"),
    ("Channels", "c"),
)


class ImageCollectionPanel(PanelForm):
    """Folder or pattern, what goes from file to file, and Open.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: "Viewer") -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.job: Job | None = None
        self.source = QLineEdit()
        self.source.setPlaceholderText("/data/plate or /data/plate/*_w1.tif")
        self.source.setToolTip(
            "A folder, whose images are taken, or a pattern: * stands for any letters, ? for one."
        )
        self.browse = QPushButton("Folder…")
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
        self.open = QPushButton("Open")
        self.found = wrapped_label()
        beside = QHBoxLayout()
        beside.addWidget(self.source, 1)
        beside.addWidget(self.browse)
        self._rows = form_rows()
        self._rows.addRow("From file to file", self.axis)
        self._rows.addRow("Distance", self.step)
        self.column.addWidget(
            wrapped_label(
                "Opens many image files as one image. Files are read only when they are looked "
                "at; numbers in their names count as numbers."
            )
        )
        self.column.addLayout(beside)
        self.column.addWidget(self.found)
        self.column.addLayout(self._rows)
        self.column.addWidget(self.open)
        self.column.addStretch(1)
        self.browse.clicked.connect(self._on_browse)
        self.source.textChanged.connect(self._show_found)
        self.axis.currentIndexChanged.connect(self._show_distance)
        self.open.clicked.connect(self.open_files)
        PanelEnd(self).ended.connect(self._on_ended)
        self._show_found()
        self._show_distance()

    def open_files(self) -> None:
        """Look at the files beside the window and show them as one image."""
        if self.job is not None:
            return
        axis = self.axis.currentData()
        step = self.step.value() if self.step.value() and axis == "z" else None
        self.open.setEnabled(False)
        self.found.setText("Looking at the files…")
        self.job = Job(
            partial(_opened, self.source.text().strip(), axis, step),
            on_done=self._on_opened,
            on_error=self._on_error,
            can_stop=False,
        )
        self.job.start()

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
        self._end()
        image, place = opened
        with errors.shown(self.found.setText):
            for data, properties, kind in layers_of(image, place):
                self.viewer.add_layer(Layer.create(data, properties, kind))
            self.found.setText(" ".join([f"Opened '{image.name}'.", *image.notes]))

    def _on_error(self, error: BaseException) -> None:
        self._end()
        self.found.setText(errors.show(error))

    def _on_ended(self) -> None:
        if self.job is not None:
            self.job.abandon()

    def _end(self) -> None:
        self.job = None
        self.open.setEnabled(True)


def _opened(
    source: str,
    axis: StackAxis | None,
    step: float | None,
    report: Report,
    should_stop: ShouldStop,
) -> tuple[Image, str]:
    image = open_collection(source, axis, step)
    return image, str(collection_place(collection_files(source)))


def _files_in_words(files: Sequence[Path]) -> str:
    if len(files) == 1:
        return f"1 file: {files[0].name}"
    return f"{len(files)} files: {files[0].name} to {files[-1].name}"
