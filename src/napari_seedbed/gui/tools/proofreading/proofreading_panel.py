"""Proofreading: objects of a Labels layer selected, put right, and marked as checked."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer

from napari_seedbed.core.progress import Progress
from napari_seedbed.core.proofreading.doubt import UNCERTAINTY
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.operation_inputs import axes_known
from napari_seedbed.gui.forms.panel import Panel
from napari_seedbed.gui.forms.preparation import preparation
from napari_seedbed.gui.forms.save_dialogs import (
    ask_for_recipe_path,
    ask_where_to_save,
    kinds_of_files,
)
from napari_seedbed.gui.layers.action_keys import ActionKeys
from napari_seedbed.gui.layers.grids import level_0, same_grid
from napari_seedbed.gui.layers.layer_records import (
    accept,
    is_of_the_same_run,
    is_preview,
    is_seeds,
    is_truth,
    kind_of,
)
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.tools.proofreading.edit_actions import ACTIONS
from napari_seedbed.gui.tools.proofreading.edit_runs import EditRuns
from napari_seedbed.gui.tools.proofreading.edited_labels import EditedLabels, edited_labels
from napari_seedbed.gui.tools.proofreading.edits_record import EditsRecord
from napari_seedbed.gui.tools.proofreading.labels_history import LabelsHistory
from napari_seedbed.gui.tools.proofreading.object_edits import ObjectEdits
from napari_seedbed.gui.tools.proofreading.object_selection import ObjectSelection
from napari_seedbed.gui.tools.proofreading.object_states_form import StateControls
from napari_seedbed.gui.tools.proofreading.object_table import ObjectTable
from napari_seedbed.gui.tools.proofreading.picture_marks import PictureMarks
from napari_seedbed.gui.tools.proofreading.proofreading_form import KEYS, ProofreadingForm
from napari_seedbed.gui.tools.proofreading.through_time import ThroughTime
from napari_seedbed.gui.tools.proofreading.tool_controls import ToolControls
from napari_seedbed.pipeline.data.tables import Table
from napari_seedbed.pipeline.files import write_result
from napari_seedbed.pipeline.recipes import recipe_from_record
from napari_seedbed.pipeline.recipes.scripts import save_recipe_or_script

if TYPE_CHECKING:
    from napari.viewer import Viewer

_MAPS = (UNCERTAINTY, "probabilities")
"""Kinds of results that are images about an image."""

NO_LABELS = "Open or make a Labels layer first."
USE = "seedbed run {} LABELS -o FOLDER"


class ProofreadingPanel(Panel):
    """Goes through the objects of a Labels layer and puts them right.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    form: ProofreadingForm

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        self.form = form = ProofreadingForm()
        super().__init__(napari_viewer, form)
        # above what all panels end with
        self._column.insertWidget(self._column.count() - 1, form.history)
        self.target: EditedLabels | None = None
        self._radius_for: float = 0.0
        self._is_over = False
        self.history = LabelsHistory(self)
        self.table = ObjectTable(self)
        self.marks = PictureMarks(self, napari_viewer)
        self.selection = ObjectSelection(self, napari_viewer, self.table, self.marks)
        self.runs = EditRuns(self, lambda: self.history.version)
        self.edits = ObjectEdits(
            self, self.runs, self.selection, self.table, self.history, self._numbers
        )
        self.record = EditsRecord(self, self.history, self.edits.whole_image)
        self.through_time = ThroughTime(
            self,
            napari_viewer,
            form.through_time,
            self.runs,
            self.selection,
            self.table,
            self.history,
            self.edits.whole_image,
        )
        self.tools = ToolControls(
            self, napari_viewer, form, self.selection, self.edits, self.marks, self._is_editable
        )
        self.states = StateControls(self, form, self.selection, self.table, self.history)
        self.keys = ActionKeys(self, napari_viewer, self._key_actions())
        self.history.before_undo = self.tools.take_back
        self._connect()
        self.reset_choices()

    def _connect(self) -> None:
        form = self.form
        form.labels.layer_chosen.connect(self._on_labels)
        form.times.activated.connect(self._look_at_labels)
        form.image.layer_chosen.connect(self._on_image)
        form.doubt.layer_chosen.connect(self._on_doubt)
        form.order.activated.connect(self.selection.start_again)
        form.next.clicked.connect(self.next)
        form.previous.clicked.connect(self.previous)
        for name, one in form.edits.items():
            one.clicked.connect(partial(self._act, name))
        form.undo.clicked.connect(self.history.undo)
        form.redo.clicked.connect(self.history.redo)
        form.cancel_button.clicked.connect(self.runs.cancel)
        form.save_recipe.clicked.connect(self.record.want)
        form.save_table.clicked.connect(self._ask_where_to_save)
        speakers = (self.history, self.table, self.runs, self.edits, self.states, self.record)
        for part in (*speakers, self.tools, self.through_time):
            part.said.connect(self._say)
        self.history.edited.connect(self.table.change)
        self.history.replaced.connect(self._look_at_labels)
        self.history.restated.connect(self._on_restated)
        self.history.changed.connect(self._show_history)
        self.edits.made.connect(self.table.change)
        self.through_time.made.connect(self.table.change)
        self.table.measured.connect(self._on_measured)
        self.selection.changed.connect(self._on_selected)
        self.selection.opened.connect(self._on_table_opened)
        self.record.made.connect(self._ask_where_to_save_recipe)
        self.runs.changed.connect(self._on_runs)
        self.runs.progressed.connect(self._on_progress)
        self._listen_to_view(self._on_moved)
        self._listen(self._on_theme, self.viewer.events.theme)
        self._listen(self.tools.look_at_display, self.viewer.dims.events.ndisplay)

    def _key_actions(self) -> Any:
        form = self.form
        actions = {
            action.key: form.edits[name].click for name, action in ACTIONS.items() if action.key
        }
        actions |= {
            KEYS["next"]: self.next,
            KEYS["previous"]: self.previous,
            KEYS["check"]: form.check.click,
            KEYS["lock"]: form.lock.click,
            KEYS["lasso"]: form.tools["lasso"].click,
            KEYS["cut"]: form.tools["cut"].click,
            KEYS["merge_clicks"]: form.tools["merge"].click,
        }
        actions |= {f"Alt+{n}": partial(self.states.set_class_by_number, n) for n in range(10)}
        return actions

    # Whose objects

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that there are now; napari calls it when they change."""
        labels = [
            layer
            for layer in self.viewer.layers
            if isinstance(layer, Labels) and not is_preview(layer)
        ]
        # seeds are painted for something else, as long as there is anything but them
        labels = [layer for layer in labels if not is_seeds(layer)] or labels
        active = self.viewer.layers.selection.active
        ranked = sorted(labels, key=lambda one: (is_truth(one), not one.visible))
        self.form.labels.set_layers(ranked, active if active in labels else None)
        self._offer_images()

    def _offer_images(self) -> None:
        layer = self.form.labels.layer()
        images = [] if layer is None else self._images_on(layer)
        seen = [one for one in images if one.visible and kind_of(one) not in _MAPS]
        self.form.image.set_layers(images, next(iter(seen), None))
        maps = [one for one in images if layer is not None and one.ndim == layer.ndim]
        maps = [one for one in maps if not one.rgb]
        maps.sort(key=lambda one: kind_of(one) != UNCERTAINTY)
        # a map of the run that made the labels is about their objects
        own = [one for one in maps if layer is not None and is_of_the_same_run(one, layer)]
        own = [one for one in own if kind_of(one) == UNCERTAINTY]
        self.form.doubt.set_layers(maps, next(iter(own), None))
        has_maps = any(kind_of(one) == UNCERTAINTY for one in maps) or len(maps) > 1
        self.form.rows.setRowVisible(self.form.doubt, has_maps)

    def _images_on(self, layer: Layer) -> list[ImageLayer]:
        return [
            one
            for one in self.viewer.layers
            if isinstance(one, ImageLayer)
            and not is_preview(one)
            and level_0(one).shape[: layer.ndim] == level_0(layer).shape
            and same_grid(one, layer)
        ]

    def _on_image(self, layer: Layer | None) -> None:
        self.edits.image = layer if isinstance(layer, ImageLayer) else None
        if layer is not None:
            preparation.start()

    def _on_doubt(self, layer: Layer | None) -> None:
        self.table.doubt_by(layer if isinstance(layer, ImageLayer) else None)

    def _on_labels(self, layer: Layer | None) -> None:
        form = self.form
        # what was chosen for other labels is none of these
        form.doubt.set_layers([])
        form.times.clear()
        needed = layer is not None and not axes_known(layer)
        if layer is not None and needed:
            form.times.addItem("choose…", None)
            for i, label in enumerate(layer.axis_labels):
                form.times.addItem(f"axis {i + 1} ('{label}')", i)
        form.rows.setRowVisible(form.times, needed)
        self._offer_images()
        self._look_at_labels()

    def _look_at_labels(self, *_: Any) -> None:
        """Begin with the layer that is chosen now."""
        layer = self.form.labels.layer()
        target = None
        if isinstance(layer, Labels) and (
            self.form.times.currentData() is not None or axes_known(layer)
        ):
            try:
                target = edited_labels(layer, self.form.times.currentData())
            except InputError as error:
                self._say(str(error))
        self._watch(target if self.isVisible() else None)

    def _watch(self, target: EditedLabels | None) -> None:
        self.tools.watch(target)
        layer = None if target is None else target.layer
        self.target = target
        self.edits.watch(target)
        self.selection.watch(target)
        if layer is not None or not self._is_kept():
            self.history.watch(layer)
        self.states.watch(target)
        self.record.watch(target)
        self.through_time.watch(target)
        self.table.watch(target)
        if target is not None:
            self.form.time_section.setVisible(target.has_time)
            self.form.slices.setVisible(len(target.spacing) == 3)
            radius = max(target.spacing)
            if self.form.radius.value() in (0.0, self._radius_for):
                self._radius_for = round(radius, 3)
                self.form.radius.setValue(radius)
                self.form.radius.setSingleStep(max(0.001, radius / 2))
            self.form.radius.setSuffix(f" {target.symbol}")
        self._show_state()

    def _is_kept(self) -> bool:
        """Whether the panel is only out of sight: what is locked stays so, and undo goes on."""
        layer = self.form.labels.layer()
        return not self._is_over and layer is not None and layer in self.viewer.layers

    def _on_removed(self, layer: Layer) -> None:
        if self.target is not None and layer is self.target.layer:
            self._watch(None)
        super()._on_removed(layer)

    def _wake(self) -> None:
        self.keys.take()
        self._look_at_labels()

    def _rest(self) -> None:
        self.keys.give_back()
        self._watch(None)

    def _on_ended(self) -> None:
        self._is_over = True
        self.keys.give_back()
        self._watch(None)
        self.table.doubt_by(None)
        self.selection.close()
        super()._on_ended()

    # What people do

    def next(self) -> None:
        """Go to the next object of the list."""
        self._step(1)

    def previous(self) -> None:
        """Go to the one before."""
        self._step(-1)

    def _step(self, by: int) -> None:
        if not self.table.columns:
            self._say("The objects are still being measured." if self.target else NO_LABELS)
            return
        only = self.form.unchecked.isChecked()
        if not self.selection.step(by, self.form.order.currentData(), unchecked_only=only):
            self._say("All objects are checked." if only else "There is no other object.")

    def _act(self, name: str, *_: Any) -> None:
        if self._is_editable() and not (name == "redo" and self.tools.finish("redo")):
            self.edits.act(name)

    def _is_editable(self) -> bool:
        """Whether edits can be written; the layer is made such where it is possible."""
        target = self.target
        if target is None:
            return False
        if not target.layer.editable:
            accept(target.layer)
            self._say(
                f"'{target.layer.name}' is a layer of its own now: later runs leave it alone."
            )
        if not target.is_in_memory:
            self._load(target)
            return False
        return True

    def _load(self, target: EditedLabels) -> None:
        """Read labels that lie in a file, so that they can be edited."""
        self._say("Reading the labels into memory; then edit.")
        data = target.layer.data

        def loaded(array: Any) -> None:
            if self.target is target:
                target.layer.data = array
                self._say("The labels are in memory now and can be edited.")

        self.jobs.start("load", lambda: np.array(data), loaded, self._on_error, can_stop=False)

    def _on_error(self, error: BaseException) -> None:
        self._say(errors.show(error))

    # What is shown

    def _numbers(self) -> dict[str, float]:
        return {"radius": self.form.radius.value(), "every": self.form.every.value()}

    def _say(self, text: str) -> None:
        self.form.status_line.setText(text)

    def _on_moved(self, event: Any = None) -> None:
        self.selection.look_again()
        if self.target is not None and self.target.has_time:
            self.states.show()

    def _on_theme(self, event: Any = None) -> None:
        if self.selection.view is not None:
            self.selection.view.show_theme(self.viewer.theme)

    def _on_table_opened(self) -> None:
        if self.selection.view is not None:
            self.keys.add_to(self.selection.view)

    def _on_restated(self, labels: Any) -> None:
        self.states.restated()

    def _on_measured(self, anew: bool) -> None:
        self.states.show()
        self._show_state()

    def _on_selected(self) -> None:
        self.states.show()
        self._show_state()

    def _on_runs(self) -> None:
        self.form.cancel_button.setEnabled(self.runs.is_busy)
        if not self.runs.is_busy:
            self.form.progress.setValue(0)

    def _on_progress(self, progress: Progress) -> None:
        self.form.progress.setValue(round(1000 * progress.fraction))

    def _show_history(self) -> None:
        self.form.show_history(self.history.undo_name, self.history.redo_name)

    def _show_state(self) -> None:
        there = self.target is not None
        for one in (*self.form.edits.values(), *self.form.tools.values(), self.form.paint,
                    self.form.erase):  # fmt: skip
            one.setEnabled(there)
        ready = there and bool(self.table.columns)
        for one in (self.form.next, self.form.previous, self.form.save_table):
            one.setEnabled(ready)
        self._show_history()

    # Files

    def save(self, path: str | Path) -> None:
        """Write the table of objects with their states: Parquet where it ends so, else CSV."""
        with errors.shown(self._say):
            if self.target is None or not self.table.columns:
                raise InputError("There is no table yet: choose a Labels layer.")
            name = f"objects of {self.target.layer.name}"
            written = write_result(path, "table", Table(dict(self.table.columns), name))
            self._say(f"Saved {written.name}: {len(self.table.columns['label'])} rows.")

    def save_recipe(self, record: Mapping[str, Any], path: str | Path) -> None:
        """Write the recipe of all edits to `path`."""
        with errors.shown(self._say):
            written = save_recipe_or_script(path, recipe_from_record(record))
            self._say(f"Saved {written.name}. Repeat it with: {USE.format(written.name)}")

    def _ask_where_to_save_recipe(self, record: Mapping[str, Any]) -> None:
        if self.target is None:
            return
        path = ask_for_recipe_path(self, f"{self.target.layer.name} proofread")
        if path is not None:
            self.save_recipe(record, path)

    def _ask_where_to_save(self) -> None:
        if self.target is None:
            return
        name = f"{self.target.layer.name} objects"
        path = ask_where_to_save(self, "Save table", name, kinds_of_files("table"))
        if path is not None:
            self.save(path)
