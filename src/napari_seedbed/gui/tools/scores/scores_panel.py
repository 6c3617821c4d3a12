"""Scoring a result against a ground truth: numbers, errors to go to, hits and misses as a map."""

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from napari.utils.colormaps import DirectLabelColormap

from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.operation_inputs import axes_known
from napari_seedbed.gui.forms.operation_results import in_words
from napari_seedbed.gui.forms.panel import RunPanel, removed_in_words
from napari_seedbed.gui.forms.preparation import trials
from napari_seedbed.gui.forms.save_dialogs import ask_where_to_save, kinds_of_files
from napari_seedbed.gui.layers.image_layers import add_or_update, image_of
from napari_seedbed.gui.layers.layer_records import (
    METADATA_KEY,
    find_result,
    is_preview,
    is_result,
    is_seeds,
    is_truth,
)
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.layers.seeds_watch import SeedsWatch, move_connections
from napari_seedbed.gui.layers.view_position import show_place, time_on_screen
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.delays import Delay
from napari_seedbed.gui.qt.sorted_columns import Rows
from napari_seedbed.gui.tools.scores.image_hints_view import ImageHints
from napari_seedbed.gui.tools.scores.score_parts import (
    LiveScores,
    Scored,
    images_to_score,
    part_to_score,
    score_all,
    score_part,
)
from napari_seedbed.gui.tools.scores.score_rows import (
    error_columns,
    error_rows,
    errors_in_words,
    score_columns,
)
from napari_seedbed.gui.tools.scores.scores_form import COLOURS, ScoresForm
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files.atomic_files import written_whole
from napari_seedbed.pipeline.files.writers import write_result, writer_named
from napari_seedbed.pipeline.operations.scoring import json_values

if TYPE_CHECKING:
    from napari.viewer import Viewer

LIVE_SECONDS = 0.1
_SLOT = "scores/agreement"
_RESULT_EVENTS = ("paint", "data", "set_data", "labels_update", "scale", "translate", "affine")


class ScoresPanel(RunPanel):
    """Scores labels or a mask against a ground truth, at once or while somebody works.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    about = "scores"
    working = "Scoring…"
    use_of_recipe = ""
    form: ScoresForm

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        # its live score is that of a preview, which goes when the panel that makes it is hidden
        super().__init__(napari_viewer, ScoresForm(), tabbed=False)
        self.scoring: dict[str, Any] | None = None
        self.rows: list[dict[str, Any]] = []
        self._scored: tuple[Labels, Labels] | None = None
        self._agreement: Image | None = None
        # Why what was scored has no recipe.
        self._why_not = ""
        self._watched: Labels | None = None
        # Of the truth and the result that were scored last.
        self._watches = (SeedsWatch(self), SeedsWatch(self))
        self._is_outdated = False
        self._look = Delay(self, LIVE_SECONDS, self._score_live)
        self.hints = ImageHints(
            napari_viewer, self._result_mask, self.jobs, self.form.hints.setText
        )
        self._connect()
        self.reset_choices()

    def _connect(self) -> None:
        form = self.form
        form.copy.clicked.connect(self._copy)
        form.save.clicked.connect(self._ask_where_to_save_scores)
        form.truth.layer_chosen.connect(self._on_truth_chosen)
        form.result.layer_chosen.connect(self._look_again)
        form.times.activated.connect(self._look_again)
        form.background.valueChanged.connect(self._look_again)
        form.live.toggled.connect(self._on_live)
        form.overlay.toggled.connect(self._show_agreement)
        for signal in (
            form.truth.layer_chosen, form.result.layer_chosen, form.times.activated,
            form.background.valueChanged, *(watch.changed for watch in self._watches),
        ):  # fmt: skip
            signal.connect(self._on_changed)
        form.errors.rows_selected.connect(self._on_error_chosen)
        form.entropy.clicked.connect(partial(self._hint, "local_entropy"))
        form.noise.clicked.connect(partial(self._hint, "residual_noise"))
        self._listen_to_view(self._on_moved)

    # What people do

    def run(self) -> None:
        """Score everything beside the window."""
        if self.is_running:
            return
        with errors.shown(self._say):
            truth, result = self._truth(), self._result()
            images = images_to_score(truth, result, self._time_axis())
            self._is_outdated = False
            for watch, layer in zip(self._watches, (truth, result), strict=True):
                watch.watch(layer)
            self._start(
                partial(score_all, images, self.form.background.value()),
                partial(self._show, truth, result),
            )

    def go_to(self, row: int) -> None:
        """Bring an error to the middle of the picture."""
        if self._scored is None or self._scored[0] not in self.viewer.layers:
            return
        error, (truth, result) = self.rows[row], self._scored
        place = tuple(round(value) for value in error["place"])
        show_place(self.viewer, truth, place, error["time"], self._time_axis())
        wrong = truth if error["kind"] in ("split", "missed", "outline") else result
        if wrong in self.viewer.layers and not is_preview(wrong):
            wrong.selected_label = error["label"]

    def save(self, path: str | Path) -> None:
        """Write everything as JSON, as `seedbed score --json` does, or the scores as CSV."""
        with errors.shown(self._say):
            if self.scoring is None:
                raise InputError("There are no scores yet: press Run first.")
            path = Path(path)
            if writer_named(path, "table") is not None:
                write_result(path, "table", score_columns(self.scoring))
            else:
                with written_whole(path) as temporary:
                    text = json.dumps(json_values(self.scoring), indent=2)
                    temporary.write_text(text + "\n", encoding="utf-8")
            self._say(f"Saved {path.name}.")

    def _ask_where_to_save_scores(self) -> None:
        kinds = f"Everything (*.json);;{kinds_of_files('table')}"
        path = ask_where_to_save(self, "Save scores", "scores", kinds)
        if path is not None:
            self.save(path)

    def _recipe_record(self) -> Mapping[str, Any]:
        if self._why_not:
            raise InputError(self._why_not)
        return super()._recipe_record()

    def _ask_where_to_save(self) -> None:
        with errors.shown(self._say):
            self._recipe_record()
            super()._ask_where_to_save()

    def _copy(self) -> None:
        count = self.form.scores.copy()
        self._say(f"Copied {count} scores.")

    def _hint(self, name: str) -> None:
        with errors.shown(self.form.hints.setText):
            layer = self.form.image.layer()
            if not isinstance(layer, ImageLayer):
                raise InputError("image: there is none; open an image first.")
            self.hints.show(name, layer)

    # Events of the window

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that there are now; napari calls it when they change."""
        labels = [layer for layer in self.viewer.layers if isinstance(layer, Labels)]
        labels = [layer for layer in labels if not self._is_agreement(layer)]
        # A truth is opened, a result is made.
        truths = [layer for layer in labels if not is_preview(layer)]
        self.form.truth.set_layers(sorted(truths, key=_rank_of_truth))
        self.form.result.set_layers(labels)
        images = [layer for layer in self.viewer.layers if isinstance(layer, ImageLayer)]
        self.form.image.set_layers(sorted(images, key=is_result))
        self._enable()
        self._tell_outdated()
        self._look_again()

    def _is_ready(self) -> bool:
        return self.form.truth.layer() is not None and self.form.result.count() > 2

    def _enable(self) -> None:
        super()._enable()
        for button in (self.form.copy, self.form.save, self.form.save_recipe):
            button.setEnabled(self.scoring is not None)

    def _on_truth_chosen(self, layer: Layer | None) -> None:
        self.form.times.clear()
        needed = layer is not None and not axes_known(layer)
        if layer is not None and needed:
            self.form.times.addItem("choose…", None)
            for i, label in enumerate(layer.axis_labels):
                self.form.times.addItem(f"axis {i + 1} ('{label}')", i)
        self.form.rows.setRowVisible(self.form.times, needed)
        self._look_again()
        self._prepare()

    def _prepare(self) -> None:
        """Compile for labels like the truth."""
        if self.isVisible() and self.form.truth.layer() is not None:
            with suppress(InputError):
                truth = self._truth()
                trials.begin("scores", image_of(truth, time_axis=self._time_axis()))

    def _on_removed(self, layer: Layer) -> None:
        if self._scored is not None and layer in self._scored:
            self._stop_because(removed_in_words(layer))
            self._scored = None
        for watch in self._watches:
            if watch.layer is layer:
                watch.watch(None)
                self._on_changed()
        super()._on_removed(layer)

    def _on_moved(self, event: Any = None) -> None:
        self._look_again()
        if self.scoring is not None and len(self.scoring["time_points"]) > 1:
            self._show_scores()

    def _wake(self) -> None:
        self._look_again()
        self._prepare()

    def _rest(self) -> None:
        self._look.stop()

    def _on_ended(self) -> None:
        super()._on_ended()
        self._watch(None)
        for watch in self._watches:
            watch.watch(None)

    # What is scored

    def _truth(self) -> Labels:
        layer = self.form.truth.layer()
        if not isinstance(layer, Labels):
            raise InputError("truth: there is none; open it as a Labels layer first.")
        if self._time_axis() is None and not axes_known(layer):
            raise InputError(
                f"Time axis: choose which axis of '{layer.name}' is time; its axis labels do not "
                "say it."
            )
        return layer

    def _result(self) -> Labels:
        chosen, truth = self.form.result.layer(), self.form.truth.layer()
        if isinstance(chosen, Labels):
            return chosen
        found = [layer for layer in self.viewer.layers if isinstance(layer, Labels)]
        found = [one for one in found if one is not truth and not self._is_agreement(one)]
        if not found:
            raise InputError(
                "result: there is none; make a Labels layer beside the ground truth first."
            )
        previews = [layer for layer in found if is_preview(layer)]
        made = [layer for layer in found if is_result(layer)]
        return (previews or made or found)[-1]

    def _result_mask(self) -> Labels | None:
        with suppress(InputError):
            return self._result()
        return None

    def _time_axis(self) -> int | None:
        chosen = self.form.times.currentData()
        return None if chosen is None else int(chosen)

    def _is_agreement(self, layer: Layer) -> bool:
        return str(layer.metadata.get(METADATA_KEY, {}).get("slot", "")).startswith(_SLOT)

    # The live score

    def _on_live(self) -> None:
        if self.form.live.isChecked():
            self._look_again()
        else:
            self._watch(None)
            self._look.stop()
            self.form.live_score.setText("")

    def _look_again(self, event: Any = None) -> None:
        if self.form.live.isChecked() and self.isVisible():
            self._look.start()

    def _watch(self, layer: Labels | None) -> None:
        if layer is not self._watched:
            move_connections(self._watched, layer, _RESULT_EVENTS, self._look_again)
            self._watched = layer

    def _score_live(self) -> None:
        self.jobs.cancel("live")
        try:
            truth, result = self._truth(), self._result()
            self._watch(result)
            part = part_to_score(self.viewer, truth, result, self._time_axis())
        except InputError as error:
            self.form.live_score.setText(str(error))
            return
        if part is None:
            self.form.live_score.setText("Switch to the 2D display: the volume is too large.")
            return
        self.jobs.start(
            "live",
            partial(score_part, part, self.form.background.value()),
            partial(self._show_live, result.name),
            self._on_live_error,
        )

    def _show_live(self, name: str, scores: LiveScores) -> None:
        if self.form.live.isChecked():
            where = f" on {scores.where}" if scores.where else ""
            self.form.live_score.setText(
                f"Dice {scores.dice:.3f}   IoU {scores.iou:.3f}   F1 {scores.f1:.3f}\n"
                f"{name}{where}: {in_words(scores.result_objects, 'object')}, "
                f"{scores.truth_objects} in the truth"
            )

    def _on_live_error(self, error: BaseException) -> None:
        self.form.live_score.setText(errors.message_of(error))

    # Results of jobs

    def _show(self, truth: Labels, result: Labels, answer: Scored) -> None:
        self.scoring, self._agreement = answer.scoring, answer.agreement
        self.record, self._why_not = None, ""
        if is_preview(result):
            self._why_not = f"'{result.name}' is a live preview; run it and score the result."
        elif isinstance(answer.record, str):
            self._why_not = answer.record
        else:
            self.record = answer.record
        self._scored = (truth, result)
        self.rows = error_rows(self.scoring)
        series = len(self.scoring["time_points"]) > 1
        self._show_scores()
        self.form.errors.show_columns(error_columns(self.rows, series=series))
        self.form.errors_title.setText(errors_in_words(self.rows))
        self._show_agreement()
        mean = "On average " if series else ""
        scores = self.scoring["scores"]
        said = f"{mean}Dice {scores['dice']:.3f}, IoU {scores['iou']:.3f}."
        self.controls.say_made(" ".join([said, *self.scoring["notes"]]))
        self._tell_outdated()

    def _on_changed(self, *_: Any) -> None:
        """What was scored, or is to be scored, is something else now."""
        self._is_outdated = True
        self._tell_outdated()

    def _tell_outdated(self) -> None:
        """Say it where a run would score something else, as a newer result."""
        scored = None if self._scored is None else self._scored[1]
        self.controls.outdate(self._is_outdated or self._result_mask() is not scored)

    def _show_scores(self) -> None:
        assert self.scoring is not None
        time = None
        if self._scored is not None:
            with suppress(InputError):
                time = time_on_screen(self.viewer, self._scored[0], time_axis=self._time_axis())
        self.form.scores.show_columns(score_columns(self.scoring, time))

    def _show_agreement(self) -> None:
        slot = _SLOT if self._scored is None else f"{_SLOT}/{self._scored[0].unique_id}"
        shown = find_result(self.viewer, slot)
        if not self.form.overlay.isChecked():
            if shown is not None:
                self.viewer.layers.remove(shown)
            return
        if self._agreement is None or self._scored is None:
            self._say("Press Run to see hits and misses.")
            return
        truth = self._scored[0]
        if truth not in self.viewer.layers:
            return
        layer = add_or_update(
            self.viewer,
            "labels",
            self._agreement,
            like=truth,
            name=f"hits and misses of {self._scored[1].name}",
            record={"operation": "scores", "preview": True},
            slot=slot,
            time_axis=self._time_axis(),
            opacity=0.6,
        )
        colours: dict[Any, Any] = {None: "transparent", **COLOURS}
        layer.colormap = DirectLabelColormap(color_dict=colours)

    def _on_error_chosen(self, rows: Rows) -> None:
        if len(rows):
            self.go_to(int(rows[0]))


def _rank_of_truth(layer: Labels) -> tuple[bool, bool, bool]:
    """What is called a truth comes first, what somebody made last."""
    name = layer.name.lower()
    named = is_truth(layer) or any(word in name for word in ("reference", "manual"))
    return (not named, is_result(layer), is_seeds(layer))
