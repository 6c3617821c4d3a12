"""Keeping what is drawn in a window, a moment after it is drawn, in a journal on disk."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from napari.utils.events.event import WarningEmitter
from napari.utils.notifications import show_warning
from qtpy.QtCore import QCoreApplication, QObject, Qt, Signal
from qtpy.QtWidgets import QMainWindow

from napari_seedbed.errors import FileError
from napari_seedbed.gui.layers.autosaved_layers import (
    LARGEST_IMAGE,
    Box,
    can_be_kept,
    file_of,
    is_own,
    is_passing,
    kept_description,
    painted_box,
    quick_source,
)
from napari_seedbed.gui.layers.grids import level_0
from napari_seedbed.gui.layers.layer_records import is_result
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.gui.qt.window_end import WindowEnd
from napari_seedbed.pipeline.journal.journal import Journal
from napari_seedbed.pipeline.project.project_model import ImageSource
from napari_seedbed.pipeline.project.source_images import source_of

if TYPE_CHECKING:
    from napari.viewer import Viewer

STROKE_SECONDS = 0.03
"""After a paint event, which some tools emit before they write."""
MARKS_SECONDS = 0.15
"""After points and shapes changed, which are written whole and dragged for long."""
SETTLE_SECONDS = 0.25
"""After events that sliders emit, too, and results that follow each other."""
REMOVED_SECONDS = 1.0
"""Until a removed layer is forgotten: a window that closes removes its layers first."""
AGAIN_SECONDS = 30.0
"""Until what the disk refused is tried again, and until writes that emit nothing are noticed."""
CLOSE_SECONDS = 3.0
"""The longest that a window waits for the disk when it closes."""

_FINGERPRINTED = 1 << 29
"""Bytes of the largest image whose voxels are compared with those in its file."""
_FILES = "files"

# They say nothing that is kept.
_IGNORED = {
    "cursor", "cursor_size", "extent", "help", "loaded", "mode", "mouse_pan", "mouse_zoom",
    "refresh", "reload", "scale_factor", "status", "thumbnail",
    "_extent_augmented", "_overlays",
    "highlight", "labels_update", "current_properties", "feature_defaults", "properties",
}  # fmt: skip


@dataclass(eq=False)
class _Watched:
    """A layer, and what is to be done for it."""

    layer: Layer
    key: str
    is_kept: bool = False
    is_painted: bool = False
    noted: Any = None
    wants_description: bool = False
    wants_look: bool = False
    painted: list[Box] = field(default_factory=list)


class Autosave(QObject):
    """Keeps the layers of a viewer in a journal, in a thread of its own.

    Points, shapes, seeds, and labels that somebody painted on are kept whole; of an image with a
    file its path, and of one without it the voxels where they are few.

    Parameters
    ----------
    viewer : Viewer
    window : QMainWindow
        Of the viewer; when it closes, the journal ends.
    root : Path
        The folder of all journals.
    max_bytes : int

    Attributes
    ----------
    has_offered : bool
        Whether a panel of the window has offered what earlier windows left.
    """

    _failed = Signal(str)
    _changed = Signal(str)
    _broken = Signal(object)

    def __init__(self, viewer: "Viewer", window: QMainWindow, root: Path, max_bytes: int) -> None:
        super().__init__(window)
        self._viewer = viewer
        self._journal = Journal(root, max_bytes)
        self._thread = ThreadPoolExecutor(1, "seedbed-autosave")
        self._watched: dict[Layer, _Watched] = {}
        self._gone: list[_Watched] = []
        self._unknown: list[_Watched] = []
        self._sources: dict[str, ImageSource] = {}
        self._in_no_file: set[str] = set()
        self._jobs = Jobs(self)
        self._said: set[str] = set()
        self._is_over = False
        self.has_offered = False
        self._stroke = Delay(self, STROKE_SECONDS, self._write_strokes)
        self._marks = Delay(self, MARKS_SECONDS, self._write_strokes)
        self._settle = Delay(self, SETTLE_SECONDS, self._write_all)
        self._forget = Delay(self, REMOVED_SECONDS, self._drop_removed)
        self._again = Delay(self, AGAIN_SECONDS, self._look_at_all)
        queued = Qt.ConnectionType.QueuedConnection
        self._failed.connect(self._on_failed, queued)
        self._changed.connect(self._on_changed, queued)
        self._broken.connect(self._on_broken, queued)
        for layer in viewer.layers:
            self._take(layer)
        events = viewer.layers.events
        events.inserted.connect(self._on_inserted)
        events.removed.connect(self._on_removed)
        events.reordered.connect(self._settle.start)
        self._window_end = WindowEnd(self, window)
        self._window_end.ended.connect(self.close)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.close)
        self._settle.start()

    @property
    def folder(self) -> Path | None:
        """Where the journal is; None as long as there is nothing to keep."""
        return self._journal.folder

    def keep(self, layers: Iterable[Layer], then: Callable[[], None]) -> None:
        """Keep these layers as they are, and call `then`, in the journal's thread, once that is so.

        Where the disk refuses, it is never called.
        """
        calls: list[Callable[[], None]] = []
        for layer in layers:
            watched = self._watched.get(layer)
            if watched is not None:
                watched.is_kept = watched.is_painted = watched.wants_description = True
                calls += self._calls(watched)
        self._submit([*calls, self._arranging(), then])

    def marked(self) -> "Future[int]":
        """Write what is due; the count of changes, once that is done."""
        self._write_all()
        return self._thread.submit(lambda: self._journal.n_changes)

    def settle(self, project: Path, marked: "Future[int]") -> None:
        """Let what a project holds count as safe there, as long as nothing changes.

        Parameters
        ----------
        project : Path
        marked : Future
            Of `marked`, when the project took what it holds.
        """
        self._submit([lambda: self._journal.settle(project, marked.result())])

    def flush(self, seconds: float) -> None:
        """Write what is due, and wait for the disk so long at most."""
        self._write_all()
        wait([self._thread.submit(self._run, [])], seconds)

    def close(self) -> None:
        """The window closes in the ordinary way: end the journal."""
        if self._is_over:
            return
        self._is_over = True
        self._window_end.leave()
        self._jobs.close()
        events = self._viewer.layers.events
        events.inserted.disconnect(self._on_inserted)
        events.removed.disconnect(self._on_removed)
        events.reordered.disconnect(self._settle.start)
        self._write_all()
        for delay in (self._stroke, self._marks, self._settle, self._forget, self._again):
            delay.stop()
        for watched in [*self._watched.values(), *self._gone]:
            self._listen(watched.layer, "disconnect")
        self._watched.clear()
        self._gone.clear()
        wait([self._thread.submit(self._run, [self._journal.close])], CLOSE_SECONDS)
        self._thread.shutdown(wait=False)

    # Layers that come and go

    def _take(self, layer: Layer) -> None:
        if not can_be_kept(layer):
            return
        watched = next((one for one in self._gone if one.layer is layer), None)
        if watched is None:
            watched = _Watched(layer, str(layer.unique_id))
            self._listen(layer, "connect")
        else:
            self._gone.remove(watched)
        self._watched[layer] = watched
        self._judge(watched)

    def _listen(self, layer: Layer, act: str) -> None:
        for name, emitter in layer.events.emitters.items():
            # those that warn stand for others that do not
            if name not in _IGNORED and not isinstance(emitter, WarningEmitter):
                getattr(emitter, act)(self._on_event)

    def _judge(self, watched: _Watched) -> None:
        """Begin to keep a layer, or to look whether somebody changes it."""
        layer = watched.layer
        if watched.is_kept or is_passing(layer):
            return
        if not isinstance(layer, Labels) or is_own(layer):
            self._keep(watched)
        elif watched.noted is not layer.data:
            if watched.noted is not None:
                self._keep(watched)  # a program gave it other voxels than its file has
                return
            watched.noted = layer.data
            self._submit([partial(self._journal.note, watched.key, layer.data)])

    def _keep(self, watched: _Watched) -> None:
        watched.is_kept = watched.wants_description = True
        self._settle.start()

    def _on_inserted(self, event: Any) -> None:
        self._take(event.value)
        self._settle.start()

    def _on_removed(self, event: Any) -> None:
        watched = self._watched.pop(event.value, None)
        if watched is not None:
            if watched.is_kept:
                self._submit(self._calls(watched))
            self._gone.append(watched)
            self._forget.start()

    def _drop_removed(self) -> None:
        for watched in self._gone:
            self._listen(watched.layer, "disconnect")
            self._submit([partial(self._journal.drop, watched.key)])
        self._gone.clear()
        self._submit([self._arranging()])

    # What happens to a layer

    def _on_event(self, event: Any) -> None:
        watched = self._watched.get(event.source)
        if watched is None:
            return
        layer = watched.layer
        if event.type == "paint":
            self._on_paint(watched, event.value)
            return
        has_voxels = isinstance(layer, Labels | ImageLayer)
        if event.type == "set_data":
            watched.wants_look |= isinstance(layer, Labels)
            if has_voxels:
                self._settle.start()
            return
        watched.wants_description = True
        if not watched.is_kept or has_voxels or is_result(layer):
            self._settle.start()
        else:
            self._marks.start_once()

    def _on_paint(self, watched: _Watched, atoms: Any) -> None:
        watched.wants_description |= not watched.is_kept
        watched.is_kept = watched.is_painted = True
        box = painted_box(atoms, watched.layer.data.shape)
        if box is None:
            watched.wants_look = True
            self._settle.start()
        else:
            watched.painted.append(box)
            self._stroke.start_once()

    def _on_changed(self, key: str) -> None:
        """Labels that were noted are not as they were: somebody works on them."""
        for watched in self._watched.values():
            if watched.key == key and not watched.is_kept:
                self._keep(watched)

    # Writing

    def _write_strokes(self) -> None:
        for watched in self._watched.values():
            if watched.is_kept:
                self._submit(self._calls(watched))

    def _write_all(self) -> None:
        for watched in [*self._watched.values(), *self._gone]:
            self._judge(watched)
            if watched.is_kept:
                self._submit([*self._calls(watched), *self._looks(watched)])
            elif watched.wants_look and watched.noted is not None:
                watched.wants_look = False
                self._submit([partial(self._look_whether_changed, watched.key)])
        if not self._gone:
            self._submit([self._arranging()])
        self._look_into_files()
        self._again.start_once()

    def _look_at_all(self) -> None:
        """Look for changes without events, and at everything where the disk refused something."""
        for watched in self._watched.values():
            watched.wants_look |= isinstance(watched.layer, Labels)
            watched.wants_description |= bool(self._said)
        self._write_all()

    def _calls(self, watched: _Watched) -> list[Callable[[], None]]:
        """What the thread shall do for a layer that was painted on or is another one."""
        layer, key = watched.layer, watched.key
        calls: list[Callable[[], None]] = []
        if watched.wants_description and (watched.is_painted or not is_passing(layer)):
            description, marks = kept_description(layer)
            keep = partial(self._journal.keep, key, description, marks=marks)
            calls.append(partial(keep, **self._voxels_of(watched)))
            watched.wants_description = False
        calls += [partial(self._journal.look, key, box) for box in watched.painted]
        watched.painted.clear()
        return calls

    def _looks(self, watched: _Watched) -> list[Callable[[], None]]:
        """What the thread shall do for a layer that may have been written to anywhere."""
        wants_look, watched.wants_look = watched.wants_look, False
        return [partial(self._journal.look, watched.key)] if wants_look else []

    def _voxels_of(self, watched: _Watched) -> dict[str, Any]:
        """The voxels of a layer that are kept, or where they are."""
        layer = watched.layer
        if isinstance(layer, Labels):
            return {"voxels": layer.data}
        if not isinstance(layer, ImageLayer):
            return {}
        in_memory = isinstance(layer.data, np.ndarray)
        if watched.noted is not layer.data:  # the first time, or other voxels
            watched.noted = layer.data
            self._sources.pop(watched.key, None)
            self._in_no_file.discard(watched.key)
            if in_memory and layer.data.nbytes <= _FINGERPRINTED and file_of(layer)[0]:
                self._unknown.append(watched)
        source = self._sources.get(watched.key) or quick_source(layer)
        if source is not None and watched.key not in self._in_no_file:
            return {"source": source.model_dump(mode="json")}
        is_small = in_memory and layer.data.nbytes <= LARGEST_IMAGE
        return {"voxels": layer.data} if is_small else {}

    def _look_into_files(self) -> None:
        """Find out whether images are in their files as they are, once somebody has drawn."""
        if self.folder is None or not self._unknown or _FILES in self._jobs:
            return
        watched = self._unknown.pop(0)
        path, series, channel = file_of(watched.layer)
        voxels, folder = level_0(watched.layer), Path(path).parent

        def on_found(source: ImageSource | None) -> None:
            if source is None:
                self._in_no_file.add(watched.key)
            else:
                self._sources[watched.key] = source
            watched.wants_description = True
            self._settle.start()

        self._jobs.start(
            _FILES,
            partial(source_of, path, series, channel, voxels, folder),
            on_found,
            self._on_broken,
        )

    def _arranging(self) -> Callable[[], None]:
        keys = [self._watched[one].key for one in self._viewer.layers if one in self._watched]
        return partial(self._journal.arrange, keys)

    def _submit(self, calls: list[Callable[[], None]]) -> None:
        if calls:
            self._thread.submit(self._run, calls).add_done_callback(self._on_done)

    def _on_failed(self, message: str) -> None:
        if not self._is_over:
            self._again.start_once()
        if message not in self._said:
            self._said.add(message)
            show_warning(message)

    def _on_broken(self, error: BaseException) -> None:
        errors.show(error)

    # In the journal's thread

    def _run(self, calls: list[Callable[[], None]]) -> None:
        try:
            for call in calls:
                call()
            self._journal.sync()
        except FileError as error:
            self._tell(self._failed, str(error))

    def _on_done(self, future: "Future[None]") -> None:
        error = future.exception()
        if error is not None:
            self._tell(self._broken, error)

    def _look_whether_changed(self, key: str) -> None:
        if self._journal.is_changed(key):
            self._tell(self._changed, key)

    def _tell(self, signal: Any, what: object) -> None:
        # the window may be gone while the thread still writes
        with suppress(RuntimeError):
            signal.emit(what)


def autosave_in(window: QMainWindow) -> Autosave | None:
    """The one of a window, where it is on."""
    found = window.findChild(Autosave)
    return found if isinstance(found, Autosave) else None
