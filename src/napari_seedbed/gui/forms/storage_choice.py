"""Where the result of a large image goes: into memory, or block by block into files."""

from pathlib import Path

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_seedbed.gui.qt.controls import button, choice, form_rows, in_column, in_row
from napari_seedbed.gui.qt.run_controls import wrapped_label
from napari_seedbed.pipeline.journal.run_folders import UnfinishedRun, is_writable

MEMORY, FILES = "memory", "files"


class StorageChoice(QWidget):
    """Offers memory and files; below it, the runs into files that are not over.

    Attributes
    ----------
    way : QComboBox
    browse, resume, discard : QPushButton
    unfinished : UnfinishedRun or None
        The one that can be gone on with.

    Notes
    -----
    Signals: `changed()` when a person has chosen something else; `resumed()` and `discarded()` when
    they want that of the unfinished run.
    """

    changed = Signal()
    resumed = Signal()
    discarded = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.unfinished: UnfinishedRun | None = None
        self._parent: Path | None = None
        self._is_chosen = False
        self.way = choice(
            "Into files: block by block, as OME-Zarr; the image may be larger than memory, and the "
            "result fills in as blocks come, nearest to the view first.",
            {MEMORY: "Memory", FILES: "Files, block by block"},
        )
        self.browse = button("Folder…", "Choose the folder in which a folder of results is made.")
        self._folder = wrapped_label()
        self._told = wrapped_label()
        self.resume = button("Resume", "Go on where it was paused, with its parameters.")
        self.discard = button("Discard", "Remove what it has written.")
        self._rows = form_rows(("Result in", self.way))
        self._place = QWidget()
        in_column(self._place, in_row(self.browse, (self._folder, 1)))
        self._left = QWidget()
        in_column(self._left, self._told, in_row(None, self.resume, self.discard))
        in_column(self, self._rows, self._place, self._left)
        self.way.activated.connect(self._on_way)
        self.browse.clicked.connect(self._ask)
        self.resume.clicked.connect(self.resumed)
        self.discard.clicked.connect(self.discarded)
        self.offer(None, possible=False)
        self.show_unfinished(None)

    @property
    def in_files(self) -> bool:
        """Whether the result goes into files."""
        return not self.isHidden() and self.way.currentData() == FILES

    @property
    def parent_folder(self) -> Path | None:
        """In which a folder of results is made; None while none is chosen."""
        return self._parent

    def offer(self, beside: Path | None, *, possible: bool) -> None:
        """Begin anew for another image.

        Parameters
        ----------
        beside : Path or None
            The folder of the image's file.
        possible : bool
            Whether the operation can work block by block on that image.
        """
        self._is_chosen = False
        self.choose_folder(beside if beside is not None and is_writable(beside) else None)
        self.setVisible(possible)
        self._show()

    def suggest(self, *, fits: bool) -> None:
        """Take files where memory would not do, unless a person has chosen."""
        if not self._is_chosen:
            with QSignalBlocker(self.way):
                self.way.setCurrentIndex(self.way.findData(MEMORY if fits else FILES))
            self._show()

    def choose_folder(self, folder: Path | None) -> None:
        """Make folders of results in this one."""
        self._parent = folder
        self._folder.setText("none is chosen" if folder is None else f"in {folder.name}")
        self._folder.setToolTip("" if folder is None else str(folder))

    def show_unfinished(self, run: UnfinishedRun | None, told: str = "") -> None:
        """Offer to go on with a run, or none."""
        self.unfinished = run
        self._told.setText(told)
        self._left.setVisible(run is not None)

    def set_running(self, running: bool) -> None:
        """Nothing can be chosen while a run is under way."""
        for one in (self.way, self.browse, self.resume, self.discard):
            one.setEnabled(not running)

    def _show(self) -> None:
        self._place.setVisible(self.way.currentData() == FILES)

    def _on_way(self) -> None:
        self._is_chosen = True
        self._show()
        self.changed.emit()

    def _ask(self) -> None:
        begin = "" if self._parent is None else str(self._parent)
        folder = QFileDialog.getExistingDirectory(self, "Folder of results", begin)
        if folder:
            self.choose_folder(Path(folder))
            self.changed.emit()
