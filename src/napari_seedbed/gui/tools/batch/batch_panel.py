"""The panel that runs a recipe on many files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Layer
from qtpy.QtCore import QSignalBlocker, QUrl, Signal
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog

from napari_seedbed.core.progress import Progress, check_stop
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.marks_choice import (
    FILES,
    add_marks_layer,
    marks_in,
    what_to_mark,
)
from napari_seedbed.gui.forms.panel import RUN, Panel
from napari_seedbed.gui.layers.layer_records import record_of
from napari_seedbed.gui.layers.opened_images import layers_of
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.tools.batch.batch_form import BatchForm
from napari_seedbed.gui.tools.batch.other_files import IMAGE_FILES
from napari_seedbed.pipeline.batch import NEEDS, PAGE, Workers, run_batch
from napari_seedbed.pipeline.batch.batch_inputs import images_to_choose
from napari_seedbed.pipeline.batch.companion_marks import save_marks
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record
from napari_seedbed.pipeline.recipes.recipe_model import Recipe

if TYPE_CHECKING:
    from napari.viewer import Viewer

_LIST = "list of images"
_OPEN = "open"
_SAVE = "save marks"
_RESULTS, _SEEDS = "results", "seeds"


@dataclass(frozen=True, eq=False)
class _Asked:
    """An input that waits for marks, and the layers of it."""

    entry: Mapping[str, Any]
    recipe: Recipe
    image: Layer
    marks: Layer


class BatchPanel(Panel):
    """A recipe, files, a folder for the results, and a row for each file.

    Parameters
    ----------
    napari_viewer : Viewer

    Attributes
    ----------
    summary : dict or None
        What the last run gave, as `run_batch` returns it.
    """

    form: BatchForm
    _finished = Signal(object)

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        form = BatchForm()
        super().__init__(napari_viewer, form)
        self.form = form
        self.summary: dict[str, Any] | None = None
        self._folder: Path | None = None
        self._read: dict[Path, Recipe] = {}
        self._asked: dict[tuple[str, int | None], _Asked] = {}
        self._asked_now: _Asked | None = None
        self._runs_again = False
        self._ran: Recipe | None = None
        form.recipe.currentIndexChanged.connect(self._on_recipe)
        form.recipe_file.clicked.connect(self._ask_for_recipe)
        form.add_files.clicked.connect(self._ask_for_files)
        form.add_folder.clicked.connect(self._ask_for_folder_of_files)
        form.remove.clicked.connect(form.files.remove_chosen)
        form.browse.clicked.connect(self._ask_for_folder)
        form.marks.changed.connect(self._on_marks)
        form.use_marks.clicked.connect(self._use_marks)
        form.files.changed.connect(self._on_files)
        form.files.said.connect(form.controls.say)
        form.files.opened.connect(self._open_results)
        form.folder.textChanged.connect(self._enable)
        form.each_image.toggled.connect(self._list_images)
        form.images.changed.connect(self._enable)
        form.run.clicked.connect(self.run)
        form.cancel.clicked.connect(partial(self.jobs.cancel, RUN))
        form.show_summary.clicked.connect(self._show_summary)
        self.jobs.changed.connect(self._enable)
        self._finished.connect(self._on_file)
        self.reset_choices()

    # What is chosen

    def recipe(self) -> Recipe | None:
        """The chosen recipe; None where there is none.

        Raises
        ------
        RecipeError
            Where a layer's record makes none.
        """
        chosen = self.form.recipe.currentData()
        if chosen is None:
            return None
        if isinstance(chosen, Path):
            return self._read[chosen]
        record = record_of(chosen)
        return None if record is None else recipe_from_record(record)

    def show_recipe(self, path: Path) -> None:
        """Read the recipe in a file, and choose it."""
        with errors.shown(self.form.controls.say):
            self._read[path] = load_recipe(path)
            self.reset_choices()
            self.form.recipe.setCurrentIndex(self._index_of(path))

    def reset_choices(self, event: Any = None) -> None:
        """Offer the layers that remember how they were made, the newest first, and the files."""
        combo = self.form.recipe
        chosen = combo.currentData()
        layers = [layer for layer in reversed(self.viewer.layers) if record_of(layer) is not None]
        with QSignalBlocker(combo):
            combo.clear()
            for layer in layers:
                combo.addItem(layer.name, layer)
            for path in self._read:
                combo.addItem(path.name, path)
            combo.setCurrentIndex(max(0, self._index_of(chosen)) if combo.count() else -1)
        self._on_recipe()

    def _index_of(self, wanted: Layer | Path | None) -> int:
        """The row of a layer or a path; -1 where it is not offered."""
        found = map(self.form.recipe.itemData, range(self.form.recipe.count()))
        return next(
            (
                row
                for row, item in enumerate(found)
                if item is wanted or (isinstance(item, Path) and item == wanted)
            ),
            -1,
        )

    def _on_recipe(self, *_: Any) -> None:
        form = self.form
        form.about.setText("Run an operation on an image first, or take a recipe from a file.")
        recipe = None
        with errors.shown(form.about.setText):
            recipe = self.recipe()
            if recipe is not None:
                titles = [get(step.operation).title for step in recipe.in_force.steps]
                form.about.setText(f"{' → '.join(titles)}, made on {recipe.image.name}.")
        form.others.show_recipe(None if recipe is None else recipe.in_force)
        form.marks.show_recipe(recipe)
        self._enable()

    def _on_marks(self) -> None:
        if self.form.marks.chosen != FILES:
            self.form.ask_for("", "")

    def _on_files(self) -> None:
        files = self.form.files.files
        if files and not self.form.folder.text():
            self.form.folder.setText(str(files[0].parent / _RESULTS))
        self._list_images()
        self._enable()

    def _list_images(self, *_: Any) -> None:
        """Look beside the window's thread which images the files hold, to choose among them."""
        files = list(self.form.files.files) if self.form.each_image.isChecked() else []
        if not files:
            self.jobs.cancel(_LIST)
            self.form.show_images({})
            return
        self.jobs.start(
            _LIST, partial(_images_within, files), self.form.show_images, self._on_error
        )

    def _enable(self, *_: Any) -> None:
        form = self.form
        is_running = RUN in self.jobs
        chosen = form.images.chosen() if form.each_image.isChecked() else {}
        wanted = [file for file in form.files.files if chosen.get(file, True)]
        is_ready = form.recipe.currentData() is not None and wanted
        form.run.setEnabled(bool(is_ready and form.folder.text().strip()) and not is_running)
        form.controls.show_running(is_running)
        for control in (form.add_files, form.add_folder, form.remove, form.recipe, form.images):
            control.setEnabled(not is_running)

    # The run

    def run(self) -> None:
        """Work on all files beside the window."""
        self._run(resume=self.form.resume.isChecked())

    def _run(self, *, resume: bool) -> None:
        form = self.form
        if RUN in self.jobs:
            return
        with errors.shown(form.controls.say):
            recipe = self.recipe()
            if recipe is None:
                raise InputError("recipe: there is none; choose a layer or a file.")
            form.marks.show_recipe(recipe)
            recipe = form.marks.recipe()
            self._ran = recipe
            self._folder = Path(form.folder.text().strip()).expanduser()
            marks = form.marks.files(self._folder / _SEEDS)
            self.summary = None
            form.files.begin()
            form.controls.say("Working…")
            call = partial(
                run_batch,
                recipe,
                list(form.files.files),
                self._folder,
                recipe_name=form.recipe.currentText(),
                overwrite=form.overwrite.isChecked(),
                resume=resume,
                on_done=self._finished.emit,
                other=form.others.files(),
                parquet=form.parquet.isChecked(),
                series=form.images.chosen() if form.each_image.isChecked() else None,
                by_slice=form.by_slice.isChecked(),
                seeds=marks.get("seeds"),
                shapes=marks.get("shapes"),
                classes=form.classes.text().strip() or None,
                wells=form.wells.text().strip() or None,
                workers=Workers(form.workers.value() or None),
            )
            self.jobs.start(
                RUN,
                call,
                self._on_done,
                self._on_error,
                on_progress=self._on_progress,
                on_cancelled=self._on_cancelled,
            )

    def _on_progress(self, progress: Progress) -> None:
        self.form.controls.show_progress(progress)
        name, found, message = progress.message.partition(": ")
        if found:
            self.form.files.show_working(name)
            self.form.controls.say(f"{name}: {message}")

    def _on_file(self, entry: Mapping[str, Any]) -> None:
        self.form.files.show_entry(entry)

    def _on_done(self, summary: dict[str, Any]) -> None:
        self.summary = summary
        entries = summary["inputs"]
        needing = [what for entry in entries for what in entry.get(NEEDS, ())]
        failed = sum(entry["error"] is not None for entry in entries) - len(needing)
        objects = sum(entry["objects"] or 0 for entry in entries)
        done = len(entries) - failed - len(needing)
        said = f"{done} of {len(entries)} files done, {objects} objects."
        if needing:
            verb = "needs" if len(needing) == 1 else "need"
            said += f" {len(needing)} {verb} {needing[0]}: double-click a row to mark them."
        if failed:
            said += f" {failed} failed: the rows' tips say why."
        self.form.controls.say(f"{said} The results are in {self._folder}.")
        self._after_run()

    def _on_cancelled(self) -> None:
        self._runs_again = False
        self.form.controls.say("Cancelled; what was finished stays. Run again to go on.")
        self._after_run()

    def _on_error(self, error: BaseException) -> None:
        self._say_error(error)
        self._after_run()

    def _say_error(self, error: BaseException) -> None:
        self.form.controls.say(errors.show(error))

    def _after_run(self) -> None:
        self.form.files.stop()
        page = None if self._folder is None else self._folder / PAGE
        self.form.show_summary.setEnabled(page is not None and page.exists())
        if self._runs_again:
            self._runs_again = False
            self._run(resume=True)

    def _show_summary(self) -> None:
        if self._folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str((self._folder / PAGE).absolute())))

    # Results as layers

    def _open_results(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Show the images of a file with what was made of them."""
        needing = [entry for entry in entries if NEEDS in entry]
        if needing:
            self._ask_for_marks(needing[0])
            return
        done = [entry for entry in entries if not entry["error"]]
        if not done:
            self.form.controls.say(entries[0]["error"])
            return
        assert self._folder is not None
        self.jobs.start(
            _OPEN,
            partial(_opened, done, self._folder),
            self._on_opened,
            self._on_error,
            can_stop=False,
        )

    def _on_opened(self, opened: list[tuple[Path, str, Image]]) -> None:
        with errors.shown(self.form.controls.say):
            self._add_layers(opened)

    def _add_layers(self, opened: list[tuple[Path, str, Image]]) -> list[Layer]:
        made = []
        for path, kind, image in opened:
            as_labels = kind in ("labels", "mask")
            for data, properties, type_name in layers_of(image, str(path), as_labels=as_labels):
                made.append(self.viewer.add_layer(Layer.create(data, properties, type_name)))
        return made

    # Marks that are asked for

    def _ask_for_marks(self, entry: Mapping[str, Any]) -> None:
        """Open an input with an empty layer to mark things on; or go on where it is open."""
        asked = self._asked.get((entry["input"], entry.get("series")))
        if asked is not None and asked.marks in self.viewer.layers:
            self._show_asked(asked)
            return
        self.jobs.start(
            _OPEN,
            partial(_opened, [entry], Path()),
            partial(self._on_input, entry),
            self._say_error,
            can_stop=False,
        )

    def _on_input(self, entry: Mapping[str, Any], opened: list[tuple[Path, str, Image]]) -> None:
        with errors.shown(self.form.controls.say):
            image = self._add_layers(opened)[0]
            assert self._ran is not None
            marks = add_marks_layer(self.viewer, image, self._ran)
            asked = _Asked(entry, self._ran, image, marks)
            self._asked[entry["input"], entry.get("series")] = asked
            self._show_asked(asked)

    def _show_asked(self, asked: _Asked) -> None:
        self._asked_now = asked
        self.viewer.layers.selection.active = asked.marks
        (what,) = asked.entry[NEEDS]
        self.form.ask_for(what, what_to_mark(asked.marks, asked.recipe))

    def _use_marks(self) -> None:
        """Save what is marked as the file that the input needs, and go on with the run."""
        asked = self._asked_now
        assert asked is not None
        with errors.shown(self.form.controls.say):
            ((what, path),) = asked.entry[NEEDS].items()
            if not {asked.image, asked.marks} <= set(self.viewer.layers):
                raise InputError(f"{what}: their layer was removed; double-click the row again.")
            found = marks_in(asked.marks, asked.image, asked.recipe, self.viewer)[what]
            if isinstance(found, Image):
                # painting goes on while they are written
                found = replace(found, array=np.array(found.array))
            self.jobs.start(
                _SAVE,
                partial(save_marks, Path(path), what, found),
                self._on_saved,
                self._say_error,
                can_stop=False,
            )

    def _on_saved(self, _: Any) -> None:
        self._runs_again = RUN in self.jobs
        self._run(resume=True)

    # Asking for files

    def _ask_for_recipe(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Recipe", "", "Recipes (*.yaml *.yml)")
        if path:
            self.show_recipe(Path(path))

    def _ask_for_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Images", "", IMAGE_FILES)
        if paths:
            self.form.files.add(map(Path, paths))

    def _ask_for_folder_of_files(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of images")
        if folder:
            self.form.files.add([Path(folder)])

    def _ask_for_folder(self) -> None:
        line = self.form.folder
        folder = QFileDialog.getExistingDirectory(self, "Folder for the results", line.text())
        if folder:
            line.setText(folder)


def _images_within(files: Sequence[Path]) -> dict[Path, list[tuple[int, str]]]:
    """The images of files that hold several."""
    found = {}
    for file in files:
        check_stop()
        if images := images_to_choose(file):
            found[file] = images
    return found


def _opened(entries: Sequence[Mapping[str, Any]], folder: Path) -> list[tuple[Path, str, Image]]:
    found = []
    for entry in entries:
        source = Path(entry["input"])
        found.append((source, "", read_image(source, series=entry.get("series"))))
        for kind in ("image", "mask", "labels"):
            if kind in entry["outputs"]:
                path = folder / entry["outputs"][kind]
                found.append((path, kind, read_image(path)))
    return found
