"""How proofread labels came about: what they were, and all edits since, as a recipe."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QObject, Signal

from napari_seedbed.core.proofreading.named_edits import EditCommand
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.layer_records import BEFORE, METADATA_KEY, SLOT_KEYS
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.gui.tools.proofreading.edited_labels import EditedLabels
from napari_seedbed.gui.tools.proofreading.labels_history import LabelsHistory
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.fingerprint import fingerprint
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.encodings.edit_encoding import edits_text
from napari_seedbed.pipeline.engine.inputs import Inputs
from napari_seedbed.pipeline.engine.provenance import make_record

OPERATION = "proofread_labels"

_QUIET_SECONDS = 1.0
_ORIGIN, _RECORD = "origin", "record"


@dataclass(frozen=True, eq=False)
class _Origin:
    """What the labels were.

    Attributes
    ----------
    image : Image
        Its place and its record; the voxels are edited meanwhile.
    name : str
        Fingerprint of the voxels.
    steps : int
        How many steps of the history had come before.
    kept : dict
        What the metadata of the layer said.
    """

    image: Image
    name: str
    steps: int
    kept: dict[str, Any]


class EditsRecord(QObject):
    """Writes the record of the edits into the metadata of their layer, a while after each.

    Parameters
    ----------
    history : LabelsHistory
    image : callable
        The image that objects are grown in; None for none.

    Notes
    -----
    Signals: `made(record)` after `wanted`; `said(text)`.
    """

    made = Signal(object)
    said = Signal(str)

    def __init__(
        self, parent: QObject, history: LabelsHistory, image: Callable[[], Image | None]
    ) -> None:
        super().__init__(parent)
        self._history, self._image = history, image
        self._target: EditedLabels | None = None
        self._origins: WeakKeyDictionary[Labels, _Origin] = WeakKeyDictionary()
        self._is_wanted = False
        self._jobs = Jobs(self)
        self._soon = Delay(self, _QUIET_SECONDS, self._keep)
        history.changed.connect(self._on_changed)
        history.replaced.connect(self._on_replaced)

    def watch(self, target: EditedLabels | None) -> None:
        """Follow the edits of another layer."""
        if self._soon.is_waiting:
            self._soon.stop()
        self._jobs.cancel()
        self._target = target
        self._is_wanted = False
        if target is not None and target.layer not in self._origins:
            self._look()

    def want(self) -> None:
        """Emit the record, soon."""
        self._is_wanted = True
        self._keep()

    # What the labels were

    def _look(self) -> None:
        target = self._target
        if target is None:
            return
        image = target.image()
        kept = dict(target.layer.metadata.get(METADATA_KEY, {}))
        origin = _Origin(image, "", len(self._history.commands), kept)
        done = partial(self._on_name, origin, self._history.version)
        self._jobs.start(_ORIGIN, partial(fingerprint, image), done, self._on_error)

    def _on_name(self, origin: _Origin, version: int, name: str) -> None:
        target = self._target
        if target is None:
            return
        if version != self._history.version:
            self._look()
            return
        self._origins[target.layer] = replace(origin, name=name)

    def _on_replaced(self) -> None:
        if self._target is not None:
            self._origins.pop(self._target.layer, None)
            self._look()

    # What they are

    def _on_changed(self) -> None:
        if self._target is not None and self._target.layer in self._origins:
            self._soon.start()

    def _keep(self) -> None:
        """Make the record of the edits that there are now."""
        self._soon.stop()
        try:
            origin, commands = self._now()
        except InputError as error:
            if self._is_wanted:
                self._is_wanted = False
                self.said.emit(str(error))
            return
        assert self._target is not None
        work = partial(_record, origin, commands, self._target.image(), self._image())
        done = partial(self._on_record, origin, self._history.version)
        self._jobs.start(_RECORD, work, done, self._on_error)

    def _now(self) -> tuple[_Origin, list[EditCommand]]:
        target = self._target
        origin = None if target is None else self._origins.get(target.layer)
        if origin is None:
            raise InputError("The labels are still being read; save the recipe a moment later.")
        commands = self._history.commands
        if len(commands) < origin.steps:
            raise InputError(
                "Strokes from before the panel was opened are undone, which a recipe of the edits "
                "cannot say. Redo them first."
            )
        commands = commands[origin.steps :]
        if not commands:
            self._forget(origin)
            raise InputError("Nothing was edited yet: there is nothing to repeat.")
        return origin, commands

    def _forget(self, origin: _Origin) -> None:
        """All edits are undone: the labels are what their record said."""
        assert self._target is not None
        layer = self._target.layer
        if layer.metadata.get(METADATA_KEY, {}).get("operation") == OPERATION:
            self._write({key: value for key, value in origin.kept.items() if key != "classes"})

    def _on_record(self, origin: _Origin, version: int, record: dict[str, Any]) -> None:
        if self._target is None:
            return
        if version != self._history.version:
            self._keep()
            return
        before = {key: value for key, value in origin.kept.items() if key not in SLOT_KEYS}
        before = origin.kept.get(BEFORE, before)
        self._write({**record, "kind": "labels", **({BEFORE: before} if before else {})})
        if self._is_wanted:
            self._is_wanted = False
            self.made.emit(record)

    def _write(self, record: dict[str, Any]) -> None:
        assert self._target is not None
        layer = self._target.layer
        own = layer.metadata.get(METADATA_KEY, {})
        kept = {key: own[key] for key in SLOT_KEYS if key in own and key not in record}
        layer.metadata = {**layer.metadata, METADATA_KEY: {**kept, **record}}

    def _on_error(self, error: BaseException) -> None:
        self.said.emit(errors.show(error))


def _record(
    origin: _Origin, commands: Sequence[EditCommand], labels: Image, image: Image | None
) -> dict[str, Any]:
    needs_image = any(one.verb == "redo" or one.options.get("image") for one in commands)
    operation = operations.get(OPERATION)
    return make_record(
        operation,
        {**operation.defaults(labels.spacing), "edits": edits_text(commands)},
        Inputs(image=origin.image, other=image if needs_image else None),
        {"labels": replace(labels, array=np.asarray(labels.array))},
        None if labels.time_axis is None else range(labels.n_times),
        origin.name,
        (f"{len(commands)} edit{'' if len(commands) == 1 else 's'} made.",),
    )
