"""The panel that shows how a result was made, and makes it again with other steps."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer, Points, Shapes
from qtpy.QtCore import QEvent, QObject
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import QAbstractSpinBox

from napari_seedbed.errors import InputError, RecipeError
from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.forms.operation_results import Chain, OperationResults
from napari_seedbed.gui.forms.panel import RunPanel, removed_in_words
from napari_seedbed.gui.layers.action_keys import ActionKeys
from napari_seedbed.gui.layers.chain_names import ARROW
from napari_seedbed.gui.layers.grids import level_0
from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.layers.layer_records import is_preview, record_of, slot_of
from napari_seedbed.gui.layers.output_layers import Origin
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.layers.seed_layers import seeds_digest
from napari_seedbed.gui.layers.seeds_watch import SEED_EVENTS, move_connections
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.tools.history.chain_sources import Held, held_by, layers_with
from napari_seedbed.gui.tools.history.history_form import REDO_KEY, UNDO_KEY, HistoryForm
from napari_seedbed.gui.tools.history.remaking import (
    Looked,
    Remade,
    ShownResult,
    Task,
    look,
    remake,
)
from napari_seedbed.gui.tools.history.shown_steps import (
    ShownSteps,
    for_parts,
    keep_steps,
    names_of_steps,
    steps_after,
    steps_of,
)
from napari_seedbed.gui.tools.history.step_edits import first_changed, first_user
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.recipes.recipe_model import Recipe
from napari_seedbed.pipeline.recipes.replays import Making

if TYPE_CHECKING:
    from napari.viewer import Viewer

LOOK = "look"
"""The purpose of the job that compares a result with its record."""
LOOK_SECONDS = 0.5
_SLOT = "history"
_KEPT = "The layer was made anew meanwhile; your changes of its steps are kept."
_DROPPED = (
    "The layer was made anew meanwhile by other steps; your changes of those before are gone."
)


class HistoryPanel(RunPanel):
    """How a result was made, step by step, to change it.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    form: HistoryForm
    about = "history"

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        super().__init__(napari_viewer, HistoryForm(), fixed_controls=True)
        form = self.form
        self._column.insertWidget(self._column.indexOf(self.controls), form.state)
        self._results = OperationResults(napari_viewer, "History")
        self._known: WeakKeyDictionary[Layer, ShownSteps] = WeakKeyDictionary()
        self._shown: ShownSteps | None = None
        self._why_none = ""
        self._looked: Looked | None = None
        self._look_soon = Delay(self, LOOK_SECONDS, self._look)
        self._watched: list[Layer] = []
        keys = ActionKeys(self, napari_viewer, {UNDO_KEY: self.undo, REDO_KEY: self.redo})
        keys.add_to(self)
        form.undo.clicked.connect(self.undo)
        form.redo.clicked.connect(self.redo)
        form.steps.changed.connect(self._on_edited)
        form.steps.refused.connect(self._say)
        form.layer.layer_chosen.connect(self._on_layer)
        for combo in (form.image, form.other):
            combo.layer_chosen.connect(self._on_source)
        self.reset_choices()

    # What each panel says for itself

    def run(self) -> None:
        """Do the steps again beside the window, from the first one on that has changed."""
        shown = self._shown
        if self.is_running or shown is None or not self._is_ready():
            return
        with errors.shown(self._say):
            held = self._held()
            layers = self._results_of(shown.making)
            digests = {one.layer: _digest(one.layer) for one in layers}
            images = {name: one.image for name, one in held.items()}
            wanted = shown.wanted
            recipe = for_parts(wanted, images)
            task = Task(recipe, shown.making, images, shown.prints, layers, shown.kept)
            self._start(partial(remake, task), partial(self._on_made, wanted, held, digests))

    def _is_ready(self) -> bool:
        return self._shown is not None and self._shown.sources.keys() <= self._held().keys()

    def _recipe_name(self) -> str:
        return f"{self.form.layer.currentText()} {self.about}"

    def _recipe(self) -> Recipe:
        assert self._shown is not None
        lacks = self._with_lacks(self._recipe_record())["lacks"]
        return self._shown.recipe.model_copy(update={"notes": tuple(lacks)})

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that there are now; napari calls it when they change."""
        made = [
            layer
            for layer in reversed(self.viewer.layers)
            if not is_preview(layer) and (record_of(layer) or {}).get("inputs")
        ]
        before = self.form.layer.layer()
        self.form.layer.set_layers(made, self.viewer.layers.selection.active)
        if self.form.layer.layer() is before:
            self._offer_sources()
            self._show_state()

    # The layer

    def _on_layer(self, layer: Layer | None) -> None:
        self._stop_because("Stopped: another layer was chosen.")
        for combo in self._combos().values():
            combo.set_layers([])
        self._say("")
        self._show_layer(layer)

    def _show_layer(self, layer: Layer | None) -> None:
        """Show the steps of a layer, with its edits."""
        before, self._why_none = self._shown, ""
        self._shown = None if layer is None else self._steps_of(layer)
        shown = self._shown
        self.record = None if shown is None else shown.record
        if shown is None or before is None or shown.edits is not before.edits:
            self.form.show_recipe(None if shown is None else shown.recipe)
            for field in self.form.steps.findChildren(QAbstractSpinBox):
                field.installEventFilter(self)
        self._offer_sources()
        self._watch()
        self._show_edits()
        self._look_anew()

    def _steps_of(self, layer: Layer) -> ShownSteps | None:
        """The steps of a layer, with the edits that were made before; None where it has none."""
        record, known = record_of(layer), self._known.get(layer)
        if known is not None and known.record == record:
            return known
        assert record is not None
        try:
            self._known[layer] = steps = steps_of(layer, record)
        except RecipeError as error:
            self._why_none = str(error)
            return None
        if known is not None and known.has_edits:
            self._say(_KEPT if steps.take_edits_of(known) else _DROPPED)
        return steps

    def _offer_sources(self) -> None:
        layers = list(self.viewer.layers)
        sources = {} if self._shown is None else self._shown.sources
        for name, combo in self._combos().items():
            if name in sources:
                combo.set_layers(layers_with(sources[name], layers))
        self._enable()

    def _combos(self) -> dict[str, LayerCombo]:
        return {"image": self.form.image, "other": self.form.other}

    def _held(self) -> dict[str, Held]:
        """The layers that are chosen as what the result was made from."""
        found = {}
        for name, source in (self._shown.sources if self._shown else {}).items():
            layer = self._combos()[name].layer()
            held = None if layer is None else held_by(layer, source, self.viewer.layers)
            if held is not None:
                found[name] = held
        return found

    def _results_of(self, making: Making) -> list[ShownResult]:
        """Layers that show what the steps gave, as their records say."""
        found = []
        for layer in self.viewer.layers:
            record = record_of(layer)
            image = None if record is None else _voxels(layer)
            for step, made in making.records.items():
                if image is not None and record == made:
                    found.append(ShownResult(layer, image, step))
        return found

    def _on_source(self, *_: Any) -> None:
        self._enable()
        self._watch()
        self._look_anew()

    def _on_removed(self, layer: Layer) -> None:
        if self.is_running and layer in [one.layer for one in self._held().values()]:
            self._stop_because(removed_in_words(layer))
        super()._on_removed(layer)

    # Edits

    def _on_edited(self) -> None:
        if self._shown is not None:
            self._shown.edits.take(self.form.steps.steps())
            self._show_edits()

    def undo(self) -> None:
        """Take the last edit back."""
        if self._shown is not None:
            self._shown.edits.undo()
            self._show_edits()

    def redo(self) -> None:
        """Make the edit again that was taken back last."""
        if self._shown is not None:
            self._shown.edits.redo()
            self._show_edits()

    def _show_edits(self) -> None:
        undo = redo = ""
        if self._shown is not None:
            edits = self._shown.edits
            self.form.steps.show_steps(edits.now)
            undo, redo = edits.undone_next, edits.redone_next
        self.form.show_edits(undo, redo)
        self._show_state()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Let the keys of Undo and Redo through: fields take them for what is typed in them."""
        is_key = event is not None and event.type() == QEvent.Type.ShortcutOverride
        if is_key and isinstance(event, QKeyEvent) and isinstance(watched, QAbstractSpinBox):
            kinds = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
            if any(map(event.matches, kinds)):
                watched.interpretText()
                event.ignore()
                return True
        return super().eventFilter(watched, event)

    # A run

    def _on_made(
        self,
        wanted: Recipe,
        held: Mapping[str, Held],
        digests: Mapping[Layer, int],
        remade: Remade,
    ) -> None:
        shown, chosen = self._shown, self.form.layer.layer()
        with errors.shown(self._say):
            if shown is None or chosen is None:
                raise InputError("layer: it was removed while its steps were done again.")
            source, record = held["image"], remade.finished.result.record
            times = wanted.in_force.steps[-1].times
            time = times[0] if times is not None and len(times) == 1 else None
            whole = get(record["operation"]).whole
            origin = Origin(source.layer, source.image, source.choices, None, time, whole)
            same = {**self._same(remade, digests), **self._marks(shown.making)}
            chain = _chain(chosen, shown.recipe, wanted, same)
            text = self._results.show(remade.finished, origin, "", chain)
            after = steps_after(shown, wanted, record, source.image)
            layers = [layer for layer in self.viewer.layers if record_of(layer) == record]
            for layer in layers:
                keep_steps(layer, after.recipe)
                self._known[layer] = after
            if chosen not in layers:
                self._known.pop(chosen, None)
            shown_in = [chosen, *layers] if chosen in layers else layers
            if shown_in and shown_in[0] is not chosen:
                self.form.layer.choose(shown_in[0])
            elif shown_in:
                self._show_layer(chosen)
            self.controls.say_made(text)

    def _same(self, remade: Remade, digests: Mapping[Layer, int]) -> dict[str, Sequence[Layer]]:
        """Layers of the result before that are there still as they were when the run began."""
        return {
            key: layers
            for key, layers in remade.layers.items()
            if all(one in self.viewer.layers and digests[one] == _digest(one) for one in layers)
        }

    def _marks(self, making: Making) -> dict[str, Sequence[Layer]]:
        """Layers with the points and shapes of the result before, which only runs have changed."""
        made = list(making.records.values())[-1]
        found: dict[str, Sequence[Layer]] = {}
        for kind, key in ((Points, "points"), (Shapes, "shapes")):
            layers = [
                layer
                for layer in self.viewer.layers
                if isinstance(layer, kind) and record_of(layer) == made and slot_of(layer)
            ]
            if len(layers) == 1:
                found[key] = layers
        return found

    # Whether it is up to date

    def _watch(self) -> None:
        """Notice when voxels of the result or of its sources change."""
        for layer in self._watched:
            move_connections(layer, None, (*SEED_EVENTS, "metadata"), self._look_soon.start)
        chosen = self.form.layer.layer()
        sources = [combo.layer() for combo in self._combos().values()]
        layers = [layer for layer in (chosen, *sources) if layer is not None]
        self._watched = [one for one in dict.fromkeys(layers) if _is_in_memory(one)]
        for layer in self._watched:
            move_connections(None, layer, (*SEED_EVENTS, "metadata"), self._look_soon.start)

    def _look_anew(self) -> None:
        self._looked = None
        self._show_state()
        self._look()

    def _look(self) -> None:
        """Compare the result and its sources with the record, beside the window."""
        layer, shown = self.form.layer.layer(), self._shown
        if layer is None or shown is None or self.is_running or not self.isVisible():
            return
        if record_of(layer) != shown.record:
            # another panel has made it anew
            self._show_layer(layer)
            return
        labels = _voxels(layer) if isinstance(layer, Labels) else None
        images = {name: one.image for name, one in self._held().items()}
        function = partial(look, shown.record, labels, images, shown.prints)
        self.jobs.start(LOOK, function, self._on_looked, self._on_error)

    def _on_looked(self, looked: Looked) -> None:
        self._looked = looked
        self._show_state()

    def _show_state(self) -> None:
        text = self._state()
        self.form.state.setText(text)
        self.form.state.setVisible(bool(text))

    def _state(self) -> str:
        shown, looked = self._shown, self._looked
        if shown is None:
            return self._why_none
        held = self._held()
        missing = [one.name for name, one in shown.sources.items() if name not in held]
        if missing:
            return f"Open '{missing[0]}', which it was made from, to do the steps again."
        steps, by_hand = shown.edits.now, ""
        if looked is not None and looked.is_changed_by_hand:
            by_hand = " The layer was changed by hand: it stays, and a run adds a new one."
        first, what = first_changed(shown.recipe.steps, steps), "Changed since"
        for name in looked.changed if looked is not None else ():
            user = first_user(steps, name)
            if first is None or user < first:
                first, what = user, f"'{held[name].layer.name}' holds other voxels than at"
        if first is not None:
            return f"{what} the last run: from step {first}.{by_hand}"
        if looked is None:
            return "Looking whether it is up to date…"
        return by_hand.strip() or "Up to date."

    def _wake(self) -> None:
        super()._wake()
        self._look()

    def _rest(self) -> None:
        super()._rest()
        self._look_soon.stop()
        self.jobs.cancel(LOOK)

    def _on_ended(self) -> None:
        super()._on_ended()
        for layer in self._watched:
            move_connections(layer, None, (*SEED_EVENTS, "metadata"), self._look_soon.start)


def _chain(
    chosen: Layer, before: Recipe, wanted: Recipe, layers: Mapping[str, Sequence[Layer]]
) -> Chain:
    """How the next result is named, and where it is shown."""
    slot = slot_of(chosen)
    own = "/".join(slot.split("/")[:2]) if slot.startswith(f"{_SLOT}/") else ""
    earlier = "".join(f"{name}{ARROW}" for name in names_of_steps(wanted)[:-1])
    name = ARROW.join(names_of_steps(before))
    return Chain(own or f"{_SLOT}/{chosen.unique_id}", earlier, layers, name)


def _is_in_memory(layer: Layer) -> bool:
    """Whether a layer holds voxels that can change."""
    return isinstance(layer, ImageLayer | Labels) and isinstance(level_0(layer), np.ndarray)


def _voxels(layer: Layer) -> Image | None:
    """What a layer in memory holds, where it is known how to read it."""
    with suppress(InputError):
        return image_of(layer) if _is_in_memory(layer) else None
    return None


def _digest(layer: Layer) -> int:
    """Changes when labels are painted on; nobody paints on images."""
    return seeds_digest(layer) if isinstance(layer, Labels) else 0
