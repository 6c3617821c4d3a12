"""The panel that lists what autosave has kept of windows that are no more, to restore it."""

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QListWidget, QMessageBox

from napari_seedbed.gui.forms.panel import Panel
from napari_seedbed.gui.forms.panel_form import PanelForm
from napari_seedbed.gui.forms.restore_bar import named, restore
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.layers.restored_work import time_in_words
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.controls import button, in_row
from napari_seedbed.gui.qt.run_controls import wrapped_label
from napari_seedbed.pipeline.journal.folders import (
    DAYS_CLOSED,
    DAYS_LEFT,
    MOST_CLOSED,
    EarlierWork,
    discard,
    earlier_works,
    journals_root,
)

if TYPE_CHECKING:
    from napari.viewer import Viewer

_LOOK, _RESTORE = "look", "restore"


class EarlierWorkPanel(Panel):
    """A list of earlier work, the newest first, and what can be done with it.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    offers_earlier_work = False  # all of it is in the list

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        form = PanelForm()
        super().__init__(napari_viewer, form)
        self._works: list[EarlierWork] = []
        self._failed = ""
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setToolTip("What was drawn in windows that are closed or ended unexpectedly.")
        self.restore = button("Restore", "Add the layers to this window, on their images.")
        self.delete = button("Delete…", "Remove it from the disk.")
        self.status = wrapped_label()
        hint = wrapped_label(
            f"Of windows that were closed, the last {MOST_CLOSED} are kept for {DAYS_CLOSED} days; "
            f"of those that ended unexpectedly, all for {DAYS_LEFT} days."
        )
        form.add(hint, (self.list, 1), in_row(self.restore, self.delete, None), self.status)
        self.restore.clicked.connect(self.restore_chosen)
        self.delete.clicked.connect(self._ask_whether_to_delete)
        self.list.itemDoubleClicked.connect(self.restore_chosen)
        self.list.currentRowChanged.connect(self._enable)
        self.jobs.changed.connect(self._enable)
        self._enable()

    def restore_chosen(self) -> None:
        """Put the chosen work into this window."""
        work = self._chosen()
        if work is not None and _RESTORE not in self.jobs:
            self._failed = ""
            self.status.setText("Restoring…")
            restore(self.viewer, self.window(), work, self.jobs, self._on_restored)

    def delete_chosen(self) -> None:
        """Remove the chosen work from the disk."""
        work = self._chosen()
        if work is not None:
            discard(work.folder)
            self._look()

    def _wake(self) -> None:
        self._look()

    def _look(self) -> None:
        self.jobs.start(
            _LOOK, partial(earlier_works, journals_root()), self._on_found, self._on_error
        )

    def _on_found(self, works: list[EarlierWork]) -> None:
        self._works = works
        self.list.clear()
        for work in works:
            ended = "closed" if work.is_closed else "ended unexpectedly"
            if work.project is not None:
                ended += f", all of it in {work.project.name}"
            self.list.addItem(f"{time_in_words(work.time).capitalize()}, {ended}: {named(work)}")
        self.list.setCurrentRow(0 if works else -1)
        self.status.setText(self._failed if works else "There is none.")
        self._enable()

    def _on_restored(self, failed: str) -> None:
        self._failed = failed
        self._look()

    def _on_error(self, error: BaseException) -> None:
        self.status.setText(errors.show(error))

    def _chosen(self) -> EarlierWork | None:
        row = self.list.currentRow()
        return self._works[row] if 0 <= row < len(self._works) else None

    def _ask_whether_to_delete(self) -> None:
        work = self._chosen()
        if work is None:
            return
        question = (
            f"Delete {named(work)} of {time_in_words(work.time)}? It cannot be restored then."
        )
        answer = QMessageBox.question(self, "Delete earlier work", question)
        if answer == QMessageBox.StandardButton.Yes:
            self.delete_chosen()

    def _enable(self, *_: object) -> None:
        is_chosen = self._chosen() is not None and _RESTORE not in self.jobs
        self.restore.setEnabled(is_chosen)
        self.delete.setEnabled(is_chosen)
