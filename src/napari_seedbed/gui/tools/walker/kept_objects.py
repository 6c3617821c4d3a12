"""What was kept one at a time, in this window or earlier, and the record of it in the layer."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from napari.layers import Image as ImageLayer
from napari.layers import Labels
from qtpy.QtCore import QObject, Signal

from napari_seedbed.core.seeded.object_steps import ObjectStep
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.grids import grid_of
from napari_seedbed.gui.layers.hand_edits import HandStrokes
from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.layers.layer_records import record_of
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.gui.tools.walker.one_object_jobs import Made, Wanted
from napari_seedbed.gui.tools.walker.one_object_layers import ObjectLayers
from napari_seedbed.pipeline.data.fingerprint import Fingerprint
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.encodings.object_steps import (
    STEPS,
    shape_of_steps,
    steps_from_text,
)
from napari_seedbed.pipeline.operations.object_by_object import (
    CHANGED,
    OPERATION,
    SEVERAL_MASKS,
    record_of_objects,
)

FIND, RECORD = "find", "record"

_Made = TypeVar("_Made")


@dataclass(frozen=True, eq=False)
class Earlier:
    """What an earlier window kept in a layer.

    Attributes
    ----------
    layer : Labels layer
    steps : list of ObjectStep
    masks : list of dict
        What the record says of the mask of what was no object.
    is_changed : bool
        Whether the layer is another than was recorded.
    """

    layer: Labels
    steps: list[ObjectStep]
    masks: list[Mapping[str, Any]]
    is_changed: bool


class KeptObjects(QObject):
    """Steps of the objects that were kept, of each image.

    Parameters
    ----------
    parent : QObject
    layers : ObjectLayers
    say : callable
        Called with what happens.

    Notes
    -----
    Signals: `found()` when it is known what earlier windows kept of an image; `moved()` when a
    person has painted among objects, or taken it back.
    """

    found = Signal()
    moved = Signal()

    def __init__(self, parent: QObject, layers: ObjectLayers, say: Callable[[str], None]) -> None:
        super().__init__(parent)
        self._layers, self._say = layers, say
        self._jobs = Jobs(self)
        self._made: dict[tuple[str, int | None], Made] = {}
        self._earlier: dict[str, Earlier] = {}
        self._looked_at: set[tuple[str, str]] = set()
        self._strokes: WeakKeyDictionary[Labels, HandStrokes] = WeakKeyDictionary()

    @property
    def is_looking(self) -> bool:
        """Whether objects of an earlier window are being looked for."""
        return FIND in self._jobs

    def at(self, layer: ImageLayer, t: int | None) -> Made:
        """What was kept of a time point."""
        return self._made.setdefault((str(layer.unique_id), t), Made())

    def steps(self, layer: ImageLayer) -> list[ObjectStep]:
        """All steps of an image, time point by time point."""
        return [step for made in self._of(layer) for step in made.steps]

    def strokes_in(self, objects: Labels) -> HandStrokes:
        """What a person has painted among objects."""
        return self._strokes.setdefault(objects, HandStrokes())

    def write(self, layer: ImageLayer, action: Callable[[], _Made]) -> _Made:
        """Do what writes to the objects of an image, and let that be no stroke of a person."""
        objects = self._layers.kept(layer)
        if objects is None:
            return action()
        with self.strokes_in(objects).writing(objects):
            return action()

    def forget(self, layer: ImageLayer) -> None:
        """The objects of an image are gone."""
        self._take(layer, None)

    def begin(self, layer: ImageLayer, image: Image) -> None:
        """Let there be a layer of objects; in a new one nothing has been kept."""
        objects = self._layers.begin(layer, image)
        self._watch(objects)
        if self._look(layer, objects):
            self._take(layer, None)

    def look_for_earlier(self, layer: ImageLayer, image: Image) -> bool:
        """Look for objects of an earlier window; whether that is still under way."""
        if self.is_looking:
            return True
        own = self._layers.kept(layer)
        among = self._candidates(layer, image) if own is None else [own]
        new = [one for one in among if self._look(layer, one)]
        records = [(one, record_of(one) or {}, image_of(one)) for one in new]
        if not records:
            return False
        self._jobs.start(
            FIND,
            lambda: _earlier(records, image, is_own=own is not None),
            lambda earlier: self._on_found(layer, image, earlier),
            self._on_error,
            can_stop=False,
        )
        return True

    def record(self, wanted: Wanted) -> None:
        """Write into the layer how it was made, beside the window: an image is read for it."""
        self._jobs.start(
            RECORD,
            self.recorded(wanted),
            lambda record: self._layers.record(wanted.layer, record),
            self._on_error,
            can_stop=False,
        )

    def recorded(self, wanted: Wanted) -> Callable[[], dict[str, Any]]:
        """What makes the record of the objects as they are now."""
        layer = self._layers.kept(wanted.layer)
        assert layer is not None
        objects, steps = image_of(layer), self.steps(wanted.layer)
        masks = [mask for made in self._of(wanted.layer) for mask in made.masks]
        earlier = self._earlier.get(str(wanted.layer.unique_id))
        known = record_of(layer) or {}
        is_changed = (
            known.get("operation") != OPERATION  # Proofread writes a record of its own
            or CHANGED in (known.get("notes") or ())
            or (earlier is not None and earlier.is_changed)
            or self.strokes_in(layer).are_in(layer)
        )
        return lambda: record_of_objects(
            wanted.image,
            objects,
            steps,
            masks=masks,
            known_masks=() if earlier is None else earlier.masks,
            lacks=(CHANGED,) if is_changed else (),
        )

    def recipe_record(self, wanted: Wanted) -> dict[str, Any]:
        """The record as a recipe takes it; InputError where that holds less than was done."""
        record = self.recorded(wanted)()
        if SEVERAL_MASKS in record["notes"]:
            raise InputError(f"mask: {SEVERAL_MASKS}")
        return record

    def _of(self, layer: ImageLayer) -> list[Made]:
        own = str(layer.unique_id)
        return [made for (of, _), made in self._made.items() if of == own]

    def _watch(self, objects: Labels) -> None:
        """Notice when somebody paints on objects that were kept."""
        objects.events.paint.connect(self._on_paint)
        objects.events.data.connect(self._on_replaced)
        objects.events.set_data.connect(self._on_drawn)

    def _on_paint(self, event: Any) -> None:
        self.strokes_in(event.source).note(event)
        self.moved.emit()

    def _on_replaced(self, event: Any) -> None:
        self.strokes_in(event.source).replace()
        self.moved.emit()

    def _on_drawn(self, event: Any) -> None:
        """Objects are drawn anew, as after an undo, which tells nothing else."""
        if self.strokes_in(event.source).were_moved(event.source):
            self.moved.emit()

    def _look(self, layer: ImageLayer, objects: Labels) -> bool:
        """Whether objects were not looked at before as those of an image; now they were."""
        pair = str(layer.unique_id), str(objects.unique_id)
        is_new = pair not in self._looked_at
        self._looked_at.add(pair)
        return is_new

    def _candidates(self, layer: ImageLayer, image: Image) -> list[Labels]:
        """Layers that may be of this image, though nothing in this window says so."""
        shape = tuple(
            1 if axis == "c" else n for n, axis in zip(image.shape, image.axes, strict=True)
        )
        voxels = math.prod(shape)
        return [
            one
            for one in self._layers.unowned()
            if one.ndim == len(grid_of(layer).axes) and math.prod(one.data.shape) == voxels
        ]

    def _on_found(self, layer: ImageLayer, image: Image, earlier: Earlier | None) -> None:
        if earlier is not None:
            if self._layers.kept(layer) is None:
                self._layers.adopt(layer, earlier.layer)
            if self._layers.kept(layer) is earlier.layer:
                self._watch(earlier.layer)
                self._take(layer, earlier, has_times=image.time_axis is not None)
        self.found.emit()

    def _take(self, layer: ImageLayer, earlier: Earlier | None, *, has_times: bool = False) -> None:
        """Begin with what an earlier window kept, or with nothing."""
        own = str(layer.unique_id)
        self._made = {place: made for place, made in self._made.items() if place[0] != own}
        self._earlier.pop(own, None)
        if earlier is None:
            return
        self._earlier[own] = earlier
        for step in earlier.steps:
            made = self.at(layer, step.time if has_times else None)
            made.steps.append(step)
            made.is_earlier = True

    def _on_error(self, error: BaseException) -> None:
        self._say(errors.show(error))
        self.found.emit()


def _earlier(
    records: Sequence[tuple[Labels, Mapping[str, Any], Image]], image: Image, *, is_own: bool
) -> Earlier | None:
    """What the last of these records holds that is of this image; None where there is none."""
    of_image = "" if is_own else Fingerprint(image).finish()
    for layer, record, objects in reversed(records):
        inputs = record.get("inputs") or [{}]
        told = str((record.get("parameters") or {}).get(STEPS, ""))
        if record.get("operation") != OPERATION or not told.strip():
            continue
        if not is_own and inputs[0].get("fingerprint") != of_image:
            continue
        if shape_of_steps(told) != image.spatial_shape:
            continue
        was_changed = CHANGED in (record.get("notes") or ())
        return Earlier(
            layer,
            steps_from_text(told),
            [one for one in inputs if one.get("role") == "other"],
            was_changed or _is_other(objects, record),
        )
    return None


def _is_other(objects: Image, record: Mapping[str, Any]) -> bool:
    """Whether objects are not as they were recorded."""
    known = (record.get("outputs") or {}).get("labels")
    return bool(known != Fingerprint(objects).channels())
