"""The line at the top of a panel that offers the work of a window that ended at once."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from napari.layers import Layer
from napari.utils.notifications import show_info, show_warning
from qtpy.QtWidgets import QMainWindow, QVBoxLayout, QWidget

from napari_seedbed.gui.layers.autosave import Autosave, autosave_in
from napari_seedbed.gui.layers.restored_work import (
    LoadedWork,
    images_in,
    load,
    show,
    time_in_words,
)
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.controls import button, fill, in_row
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.gui.qt.panel_end import PanelEnd
from napari_seedbed.gui.qt.plugin_settings import most_bytes_of_autosave
from napari_seedbed.gui.qt.run_controls import wrapped_label
from napari_seedbed.pipeline.journal.folders import (
    EarlierWork,
    earlier_works,
    is_left,
    journals_root,
    set_aside,
)

if TYPE_CHECKING:
    from napari.viewer import Viewer

MENU_ENTRY = "File > IO Utilities > Restore earlier work…"

_MOST_NAMES = 3
_FAILED = "It could not be restored."
_LOOK, _RESTORE = "look", "restore"


class RestoreBar(QWidget):
    """Begins autosave in a window, and offers what earlier windows left that ended at once.

    It is hidden where there is nothing to offer: also what is in a project as it was left is not
    offered. **Not now** keeps the work for the menu entry *Restore earlier work…*.

    Parameters
    ----------
    viewer : Viewer
    """

    def __init__(self, viewer: "Viewer") -> None:
        super().__init__()
        self._viewer = viewer
        self._works: list[EarlierWork] = []
        self._autosave: Autosave | None = None
        self.jobs = Jobs(self)
        self.sentence = wrapped_label()
        self.restore = button("Restore", "Add the layers to this window, on their images.")
        self.not_now = button("Not now", f"Keep it for a while: {MENU_ENTRY} has it.")
        self.restore.clicked.connect(self._on_restore)
        self.not_now.clicked.connect(self._on_not_now)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 0)
        fill(column, self.sentence, in_row(self.restore, self.not_now, None))
        self.hide()
        PanelEnd(self).ended.connect(self._on_ended)

    def begin(self, *, offer: bool = True) -> None:
        """Begin autosave in the window, unless another panel has.

        The first panel looks for earlier work, too, and offers it; where it is closed before
        somebody has answered, the next one does.
        """
        if self._works and not self.jobs:  # it may have been restored elsewhere
            self._works = [work for work in self._works if work.folder.is_dir()]
            self._offer()
        window = self.window()
        if not isinstance(window, QMainWindow):
            return
        self._autosave = begin_autosave(self._viewer, window)
        if self._autosave is None or self._autosave.has_offered:
            return
        self._autosave.has_offered = True
        if offer:
            self.jobs.start(
                _LOOK, partial(earlier_works, journals_root()), self._on_found, self._on_error
            )

    def _on_ended(self) -> None:
        if self._autosave is not None and (self._works or _LOOK in self.jobs):
            self._autosave.has_offered = False

    def _on_found(self, works: list[EarlierWork]) -> None:
        self._works = [work for work in works if not (work.is_closed or work.project)]
        self._offer()

    def _offer(self) -> None:
        """Offer the newest that is left, or nothing."""
        self.setVisible(bool(self._works))
        if self._works:
            self.sentence.setText(_offer_of(self._works[0]))
        self._enable(True)

    def _on_restore(self) -> None:
        self._enable(False)
        self.sentence.setText("Restoring…")
        work = self._works[0]
        restore(self._viewer, self.window(), work, self.jobs, partial(self._on_restored, work))

    def _on_restored(self, work: EarlierWork, failed: str) -> None:
        if failed and is_left(work.folder):
            self.sentence.setText(f"{failed} Nothing is lost: Restore tries it again.")
            self._enable(True)
            return
        self._works = [one for one in self._works if one is not work]
        self._offer()

    def _on_not_now(self) -> None:
        set_aside(self._works.pop(0).folder)
        self._offer()

    def _enable(self, on: bool) -> None:
        self.restore.setEnabled(on)
        self.not_now.setEnabled(on)

    def _on_error(self, error: BaseException) -> None:
        errors.show(error)


def begin_autosave(viewer: "Viewer", window: QMainWindow) -> Autosave | None:
    """Autosave in a window, which begins where there was none; None where it is off."""
    found = autosave_in(window)
    most = most_bytes_of_autosave()
    if found is None and most > 0:
        found = Autosave(viewer, window, journals_root(), most)
    return found


def restore(
    viewer: "Viewer",
    window: QWidget | None,
    work: EarlierWork,
    jobs: Jobs,
    on_end: Callable[[str], None],
) -> None:
    """Put earlier work into a window, and remove its journal when the window's own has it.

    Where anything is missing the journal stays, for another try.

    Parameters
    ----------
    viewer : Viewer
    window : QWidget or None
        Of the viewer.
    work : EarlierWork
    jobs : Jobs
    on_end : callable
        Called with why nothing was restored, in sentences; empty where something was.
    """

    def done(loaded: LoadedWork) -> None:
        session, layers = loaded.session, None
        try:
            layers = show(viewer, loaded)
        finally:
            if layers is None:
                session.release()
                on_end(_FAILED)  # napari says what it was
        autosave = autosave_in(window) if isinstance(window, QMainWindow) else None
        if not layers:
            session.release()
            on_end(" ".join([_FAILED, *loaded.problems]))
            return
        if autosave is None:
            session.release()
        elif loaded.is_whole:
            # as long as the new journal is not written the old one stays
            autosave.keep(layers, session.remove)
        else:
            autosave.keep(layers, session.put_aside)
        _say(work, layers, loaded)
        on_end("")

    def failed(error: BaseException) -> None:
        on_end(f"{_FAILED} {errors.show(error)}")

    jobs.start(_RESTORE, partial(load, work, images_in(viewer)), done, failed)


def _say(work: EarlierWork, layers: list[Layer], loaded: LoadedWork) -> None:
    count = f"{len(layers)} layer{'' if len(layers) == 1 else 's'}"
    done = f"Restored {count} as they were {time_in_words(work.time)}."
    if loaded.is_whole and not loaded.problems:
        show_info(done)
        return
    stays = [] if loaded.is_whole else [f"What was kept stays in {MENU_ENTRY}."]
    show_warning(" ".join([done, *loaded.problems, *stays]))


def _offer_of(work: EarlierWork) -> str:
    return (
        f"napari ended unexpectedly {time_in_words(work.time)}. What you drew can be restored: "
        f"{named(work)}."
    )


def named(work: EarlierWork) -> str:
    """The layers that somebody drew on, the topmost few by name."""
    names = [f"'{name}'" for name in work.layer_names]
    shown, more = names[:_MOST_NAMES], len(names) - _MOST_NAMES
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
