"""Where snakes are seen, while they move and after: in what was drawn, and in result layers.

Nothing that a person drew is lost: before shapes are moved they are remembered, and shapes whose
snake shrank to nothing stay where they were.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer, Shapes

from napari_seedbed.core.marks.shapes import Shape, plane_of
from napari_seedbed.core.progress import Moving
from napari_seedbed.gui.layers.image_layers import add_or_update, write_preview
from napari_seedbed.gui.layers.layer_records import (
    METADATA_KEY,
    accept,
    find_result,
    lock_result,
)
from napari_seedbed.gui.layers.seed_layers import seeds_digest
from napari_seedbed.gui.layers.shape_results import (
    Snapshot,
    origins,
    put_back,
    restore,
    show_shapes,
    take_snapshot,
    write_shapes,
)
from napari_seedbed.gui.tools.snakes.snakes_form import ResultMode
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import Result


@dataclass(frozen=True, eq=False)
class Scene:
    """What a run begins with, in the window.

    Attributes
    ----------
    image : Image layer
    start : Shapes or Labels layer
    shapes : list of Shape
        The shapes that move, on the image's grid; empty when it starts from labels.
    indices : list of int
        Their places in `start`.
    n_shapes : int
        How many shapes `start` has.
    mode : str
        What becomes of the outcome.
    in_place : bool
        Whether each snake stays on its own slice, so that shapes can be shown while they move.
    grid : Image
        The image as the run sees it.
    """

    image: ImageLayer
    start: Shapes | Labels
    shapes: list[Shape]
    indices: list[int]
    n_shapes: int
    mode: ResultMode
    in_place: bool
    grid: Image


class SnakeLayers:
    """Shows one run at a time."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._scene: Scene | None = None
        self._frames: dict[tuple[int, int | None, int | None], list[Shape]] = {}
        # What layers held when this was done with them.
        self._digests: dict[str, int] = {}
        self._held = 0
        # What was in the hand before a run, to be given back.
        self._tool = "pan_zoom"
        # What was drawn, where shapes are updated.
        self._drawn: Snapshot | None = None

    # The course of a run

    def begin(self, scene: Scene, *, goes_on: bool) -> None:
        """Get ready to show a run; layers that it writes to cannot be edited meanwhile.

        Unless it goes on from an edit of what is shown, a result that somebody has painted on or
        starts from is theirs, and a new one is made.
        """
        self._scene = scene
        if not goes_on:
            self._leave_edited(scene)
        self._frames = {}
        for shape in scene.shapes:
            self._frames.setdefault(_frame_of(shape), []).append(shape)
        if self._shows_labels(scene):
            self._clear_labels(scene)
        if scene.mode == "update":
            assert isinstance(scene.start, Shapes)
            self._drawn = take_snapshot(scene.start)
            if not goes_on:
                self._tool = str(scene.start.mode)
            # napari puts the tool down then.
            scene.start.editable = False

    def show_moving(self, moving: Moving) -> None:
        """Show where the snakes of one frame are now."""
        scene = self._scene
        if scene is None or scene.image not in self._viewer.layers:
            return
        if self._shows_labels(scene):
            layer = self._labels(scene)
            if layer is not None:
                write_preview(layer, moving, like=scene.image, t=moving.time)
        if self._shows_shapes(scene):
            self._frames[moving.time, moving.axis, moving.index] = moving.shapes
            self._show_shapes(scene)

    def hold(self) -> None:
        """Let people edit what is shown, and remember what it looks like."""
        layer = self.editable_layer()
        if layer is not None:
            layer.editable = True
            self._viewer.layers.selection.active = layer
            if isinstance(layer, Shapes):
                layer.mode = "direct"
            self._held = seeds_digest(layer)

    def release(self) -> None:
        """The snakes move again."""
        layer = self.editable_layer()
        if layer is not None:
            layer.editable = False

    def is_edited(self) -> bool:
        """Whether somebody has changed what is shown since `hold`."""
        layer = self.editable_layer()
        return layer is not None and seeds_digest(layer) != self._held

    def is_disturbed(self) -> bool:
        """Whether shapes that are to be updated were deleted or others added while they moved.

        napari deletes selected shapes at the press of a key even where they cannot be edited.
        """
        scene = self._scene
        if scene is None or scene.mode != "update" or scene.start not in self._viewer.layers:
            return False
        return len(scene.start.data) != scene.n_shapes

    def stop(self) -> None:
        """The run has ended early: what is shown stays."""
        scene, self._scene = self._scene, None
        if scene is not None:
            self._make_editable(scene)

    def fail(self) -> None:
        """The run has come to nothing: a layer that was made for it and is empty goes."""
        scene = self._scene
        self.stop()
        labels = None if scene is None else self._labels(scene)
        if scene is not None and labels is not None and not np.any(labels.data):
            self._remove_labels(scene)

    def finish(self, result: Result) -> None:
        """Show the outcome."""
        scene, self._scene = self._scene, None
        if scene is None or scene.image not in self._viewer.layers:
            return
        beyond = scene.mode == "update" and not scene.in_place
        if scene.mode in ("labels", "both") or beyond:
            self._show_labels(scene, result.image("labels"), result.record)
        else:
            self._remove_labels(scene)
        if "shapes" in result.outputs:
            self._finish_shapes(scene, result)
        self._make_editable(scene)

    def editable_layer(self) -> Shapes | Labels | None:
        """The layer that shows the snakes and may be edited while they are held."""
        scene = self._scene
        if scene is None:
            return None
        if self._shows_shapes(scene):
            layer = scene.start if scene.mode == "update" else self._shapes(scene)
        else:
            layer = self._labels(scene)
        return layer if layer in self._viewer.layers else None

    def target(self, scene: Scene) -> Shapes | None:
        """The Shapes layer that a run will change; None where there is none yet."""
        if scene.mode == "update":
            return scene.start if isinstance(scene.start, Shapes) else None
        return self._shapes(scene) if scene.mode in ("shapes", "both") else None

    # Shapes

    def _shows_shapes(self, scene: Scene) -> bool:
        return scene.in_place and scene.mode != "labels" and bool(scene.shapes)

    def _show_shapes(self, scene: Scene) -> None:
        shapes = [shape for frame in self._frames.values() for shape in frame]
        if scene.mode != "update":
            self._new_shapes(scene, shapes, {"operation": "snakes", "live": True}, live=True)
            return
        assert isinstance(scene.start, Shapes)
        # One shape each while it moves: pieces that a snake has split into come at the end.
        pairs: dict[int, Shape] = {}
        for place, shape in zip(origins(scene.shapes, scene.indices, shapes), shapes, strict=True):
            if place is not None:
                pairs.setdefault(place, shape)
        write_shapes(scene.start, list(pairs), list(pairs.values()), scene.image, live=True)

    def _finish_shapes(self, scene: Scene, result: Result) -> None:
        shapes = list(result.shapes().shapes)
        if scene.mode != "update":
            self._new_shapes(scene, shapes, result.record, live=False)
            return
        assert isinstance(scene.start, Shapes)
        places = origins(scene.shapes, scene.indices, shapes)
        pairs = [(p, s) for p, s in zip(places, shapes, strict=True) if p is not None]
        found = {place for place, _ in pairs}
        assert self._drawn is not None
        # Where nothing was drawn labels show the outcome: three shapes do not become hundreds.
        put_back(scene.start, [i for i in scene.indices if i not in found], self._drawn)
        write_shapes(scene.start, [p for p, _ in pairs], [s for _, s in pairs], scene.image)
        kept = scene.start.metadata.get(METADATA_KEY, {})
        scene.start.metadata = {
            **scene.start.metadata,
            METADATA_KEY: {**result.record, "kind": kept.get("kind")},
        }

    def _new_shapes(
        self, scene: Scene, shapes: Sequence[Shape], record: dict, *, live: bool
    ) -> None:
        show_shapes(
            self._viewer,
            shapes,
            scene.image,
            name=f"{scene.image.name} outlines",
            record=record,
            slot=_slot(scene.image, "shapes"),
            live=live,
        )

    def _shapes(self, scene: Scene) -> Shapes | None:
        return find_result(self._viewer, _slot(scene.image, "shapes"), Shapes)

    # Labels

    def _shows_labels(self, scene: Scene) -> bool:
        return scene.mode in ("labels", "both") or not self._shows_shapes(scene)

    def _clear_labels(self, scene: Scene) -> None:
        running = {"operation": "snakes", "live": True}
        self._show_labels(scene, scene.grid.empty_labels(), running)

    def _show_labels(self, scene: Scene, labels: Image, record: dict) -> None:
        add_or_update(
            self._viewer,
            "labels",
            labels,
            like=scene.image,
            name=f"{scene.image.name} snakes",
            record=record,
            slot=_slot(scene.image, "labels"),
            opacity=0.5,
        )

    def _labels(self, scene: Scene) -> Labels | None:
        return find_result(self._viewer, _slot(scene.image, "labels"), Labels)

    def _remove_labels(self, scene: Scene) -> None:
        """They showed what was moving; whoever had them selected works on the shapes again."""
        labels = self._labels(scene)
        if labels is None:
            return
        was_active = self._viewer.layers.selection.active is labels
        self._viewer.layers.remove(labels)
        if was_active and scene.start in self._viewer.layers:
            self._viewer.layers.selection.active = scene.start

    def _leave_edited(self, scene: Scene) -> None:
        for layer in (self._labels(scene), self._shapes(scene)):
            if layer is None:
                continue
            shown = self._digests.get(str(layer.unique_id))
            if layer is scene.start or (shown is not None and shown != seeds_digest(layer)):
                accept(layer)

    def _make_editable(self, scene: Scene) -> None:
        for layer in (self._labels(scene), self._shapes(scene)):
            if layer is not None:
                layer.editable = True
                lock_result(layer)
                self._digests[str(layer.unique_id)] = seeds_digest(layer)
        scene.start.editable = True
        if scene.mode == "update" and isinstance(scene.start, Shapes):
            scene.start.mode = self._tool


@dataclass(frozen=True, eq=False)
class _Remembered:
    """The shapes of a layer as they were before a run, and what was known of how they came."""

    layer: Shapes
    snapshot: Snapshot
    record: Any

    def is_unchanged(self) -> bool:
        """Whether the layer has the same shapes still."""
        now, before = self.layer.data, self.snapshot.vertices
        return list(self.layer.shape_type) == list(self.snapshot.kinds) and all(
            np.array_equal(a, b) for a, b in zip(now, before, strict=True)
        )


class ShapeHistory:
    """What shapes were before each run, to go back to."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._kept: list[_Remembered] = []
        # How many were kept when the last run began.
        self._begin = 0

    def begin(self) -> None:
        """A new run begins: `reset` goes back to here."""
        self._begin = len(self._kept)

    def remember(self, layer: Shapes) -> None:
        """Keep a layer's shapes before a run moves them, or goes on from an edit of them."""
        record = layer.metadata.get(METADATA_KEY, {})
        self._kept.append(_Remembered(layer, take_snapshot(layer), record))

    def forget_unchanged(self) -> None:
        """A run has come to nothing: do not go back to what is there."""
        if self._kept and self._kept[-1].is_unchanged():
            self._pop()

    def can_undo(self) -> bool:
        """Whether there is something to go back to."""
        return bool(self._kept)

    def can_reset(self) -> bool:
        """Whether the last run has changed shapes, and they were not brought back yet."""
        return len(self._kept) > self._begin

    def undo(self) -> str:
        """Go one step back; say which layer was brought back, '' where none was."""
        while self._kept:
            name = self._bring_back()
            if name:
                return name
        return ""

    def reset(self) -> str:
        """Go back to before the last run began, over all edits on its way; say as `undo` does."""
        if not self.can_reset():
            return ""
        del self._kept[self._begin + 1 :]
        return self._bring_back()

    def _bring_back(self) -> str:
        entry = self._pop()
        if entry.layer not in self._viewer.layers:
            return ""
        restore(entry.layer, entry.snapshot)
        entry.layer.metadata = {**entry.layer.metadata, METADATA_KEY: entry.record}
        return str(entry.layer.name)

    def _pop(self) -> _Remembered:
        entry = self._kept.pop()
        self._begin = min(self._begin, len(self._kept))
        return entry


def _frame_of(shape: Shape) -> tuple[int, int | None, int | None]:
    plane = plane_of(shape)
    return (shape.time, None, None) if plane is None else (shape.time, *plane)


def _slot(image: Layer, kind: str) -> str:
    return f"snakes/{image.unique_id}/{kind}"
