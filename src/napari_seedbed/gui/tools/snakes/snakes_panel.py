"""The snakes panel: shapes that are drawn, let loose, held, edited, and let go on."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer, Shapes

from napari_seedbed.core.marks.shapes import Shape
from napari_seedbed.core.progress import Moving, Progress
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.machine_speed import machine_speed
from napari_seedbed.gui.forms.marks_panel import MarksPanel
from napari_seedbed.gui.forms.panel import removed_in_words
from napari_seedbed.gui.forms.preparation import snakes_preparation as preparation
from napari_seedbed.gui.layers.layer_records import is_result, is_truth
from napari_seedbed.gui.layers.outline_labels import begin_object, join_outlines, objects_in_words
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.layers.seed_layers import copied_seeds, label_count, seeds_image
from napari_seedbed.gui.layers.shape_layers import Which, shapes_of
from napari_seedbed.gui.layers.shape_results import (
    finish_drawing,
    is_snake_shapes,
    new_shapes_layer,
)
from napari_seedbed.gui.layers.view_position import time_on_screen
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.tools.snakes.edge_maps import EdgeMaps
from napari_seedbed.gui.tools.snakes.snakes_form import GIVEN_BY_RESULT, SnakesForm
from napari_seedbed.gui.tools.snakes.snakes_results import Scene, ShapeHistory, SnakeLayers
from napari_seedbed.gui.tools.snakes.snakes_session import Request, SnakesSession
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes as DrawnShapes
from napari_seedbed.pipeline.engine.parameters import Value
from napari_seedbed.pipeline.operations import Result

if TYPE_CHECKING:
    from napari.viewer import Viewer

PANEL = "snakes"
PREPARING = "Preparing for first use, for some seconds in the background…"
_DISTURBED = (
    "Shapes were deleted or added while they moved, so the run was stopped. Press Run to go on "
    "from what is shown, or Undo to bring back what was drawn. To edit, press Pause first."
)


class SnakesPanel(MarksPanel):
    """Dock widget of the snakes.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    about = "snakes"
    mark_kinds = (Shapes, Labels)
    form: SnakesForm

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        self.methods = [op for op in operations.operations.values() if op.panel == PANEL]
        super().__init__(napari_viewer, SnakesForm(self.methods))
        self.session = SnakesSession(self)
        self.layers = SnakeLayers(napari_viewer)
        self.history = ShapeHistory(napari_viewer)
        self.edge_maps = EdgeMaps(napari_viewer, self.jobs, self._say, self.reset_choices)
        self._scene: Scene | None = None
        self._moving: Moving | None = None
        self._parameters_of_run: dict[str, Value] = {}
        # What the last run was asked for, and whether its marks were changed since.
        self._asked_for: tuple[Any, ...] = ()
        self._begun: tuple[str, operations.Forecast] | None = None
        self._marks_moved = False
        self._connect()
        self.reset_choices()
        self._show_method()
        preparation.start()
        if not preparation.is_done:
            self._say(PREPARING)
        else:
            self._show_prepared(None)

    def _connect(self) -> None:
        form, session = self.form, self.session
        self.images.chosen.connect(self._on_image_chosen)
        self.images.chosen.connect(self._offer_marks)
        self.images.changed.connect(self._on_image_changed)
        form.start.layer_chosen.connect(self._on_start_chosen)
        form.new_shapes.clicked.connect(self.make_shapes)
        form.new_object.clicked.connect(self.begin_object)
        form.method.currentIndexChanged.connect(self._show_method)
        form.edges.clicked.connect(self.show_edges)
        form.pause.clicked.connect(self.pause)
        form.step.clicked.connect(self.step)
        form.slowly.toggled.connect(session.show_all)
        form.reset.clicked.connect(self.reset)
        form.undo.clicked.connect(self.undo)
        for combo in (form.method, form.which, form.result):
            combo.currentIndexChanged.connect(self._tell_outdated)
        for fields in form.all_fields():
            fields.changed.connect(self._show_forecast)
            fields.changed.connect(self._tell_outdated)
        self.seeds.changed.connect(self._on_marks_changed)
        session.moved.connect(self._on_moved)
        session.progressed.connect(self._on_progress)
        session.finished.connect(self._on_finished)
        session.failed.connect(self._on_failed)
        session.stopped.connect(self._on_stopped)
        session.state_changed.connect(self._on_state)
        preparation.finished.connect(self._show_prepared)

    # What people do

    def make_shapes(self) -> None:
        """Add an empty Shapes layer on the image, ready to draw on."""
        with errors.shown(self._say):
            layer = new_shapes_layer(self.viewer, self.images.layer)
            self.form.start.choose(layer)
            self._say(
                "Draw around an object by dragging, roughly; other tools are in the layer "
                "controls. Then press Run."
            )

    def begin_object(self) -> None:
        """Let the outline that is drawn next be an object of its own."""
        start = self.form.start.layer()
        if isinstance(start, Shapes):
            with errors.shown(self._say):
                begin_object(start, self.images.layer)
                self._say("The next outline is an object of its own.")

    def run(self) -> None:
        """Let the shapes move, or go on after a pause: from an edit where there was one."""
        if self.session.state == "paused":
            self._go_on()
        elif not self.session.is_busy:
            self._begin()

    def pause(self) -> None:
        """Hold the snakes, so that what is shown can be edited."""
        self.session.pause()

    def step(self) -> None:
        """One step on, and hold."""
        if self.session.state == "paused":
            self._go_on(hold=True)
        elif not self.session.is_busy:
            self._begin(hold=True)

    def cancel(self) -> None:
        """End the run and keep what is shown."""
        self.edge_maps.stop()
        self.session.stop()

    def reset(self) -> None:
        """End the run and bring back what was drawn before it."""
        self.session.stop(partial(self._bring_back, self.history.reset))

    def undo(self) -> None:
        """End the run and bring back the shapes from before the last run or edit."""
        self.session.stop(partial(self._bring_back, self.history.undo))

    def show_edges(self) -> None:
        """Show what the method looks at as an image layer."""
        with errors.shown(self._say):
            layer = self.images.layer
            self.edge_maps.show(
                layer,
                self.images.image(),
                self.form.method_name(),
                self.form.fields().values(),
                time_on_screen(self.viewer, layer),
            )

    def _rank_of_marks(self, layer: Layer) -> tuple[bool, ...]:
        """Shapes made to start from, other shapes, labels; results and truths last."""
        is_labels = not isinstance(layer, Shapes)
        return (is_truth(layer), not is_snake_shapes(layer), is_labels, is_result(layer))

    # A run

    def _begin(self, *, hold: bool = False) -> None:
        with errors.shown(self._say):
            start = self.form.start.layer()
            image = self.images.layer
            if isinstance(start, Shapes):
                finish_drawing(start)
                which: Which = self.form.which.currentData()
                # before labels are filled in: what is refused changes nothing
                shapes_of(start, image, which, viewer=self.viewer)
                join_outlines(start, image)
                shapes, indices = shapes_of(start, image, which, viewer=self.viewer)
                self._set_off(start, shapes, indices, hold=hold, goes_on=False)
            elif isinstance(start, Labels):
                self._set_off(start, [], [], hold=hold, goes_on=False)
            else:
                raise InputError("There are no shapes yet. Press New shapes, and draw.")

    def _go_on(self, *, hold: bool = False) -> None:
        """Go on after a pause, from what is shown where that or a parameter was changed."""
        is_other = self._parameters() != self._parameters_of_run
        if self.layers.is_edited() or (is_other and self.layers.editable_layer() is not None):
            with errors.shown(self._say):
                self._begin_from_edit(hold=hold)
        elif hold:
            self.session.step()
        else:
            self.layers.release()
            self.session.resume()

    def _begin_from_edit(self, *, hold: bool) -> None:
        layer, scene = self.layers.editable_layer(), self._scene
        assert layer is not None
        assert scene is not None
        if isinstance(layer, Labels):
            self._set_off(
                scene.start, scene.shapes, scene.indices, edited=layer, hold=hold, goes_on=True
            )
            return
        shapes, indices = shapes_of(layer, scene.image, viewer=self.viewer)
        some_rest = len(scene.indices) < scene.n_shapes
        if layer is scene.start and some_rest and len(indices) < scene.n_shapes:
            # Places have shifted: which of those left were moving, and which at rest?
            raise InputError(
                f"A shape of '{layer.name}' was deleted while only some of its shapes were moving. "
                "Press Stop, choose the shapes again, and Run."
            )
        if layer is scene.start and len(scene.indices) <= len(indices):
            others = set(range(scene.n_shapes)) - set(scene.indices)
            kept = [i for i in range(len(indices)) if indices[i] not in others]
            shapes, indices = [shapes[i] for i in kept], [indices[i] for i in kept]
        self._set_off(layer, shapes, indices, hold=hold, goes_on=True)

    def _set_off(
        self,
        start: Shapes | Labels,
        shapes: list[Shape],
        indices: list[int],
        *,
        edited: Labels | None = None,
        hold: bool,
        goes_on: bool,
    ) -> None:
        """Begin a run from shapes or labels, or from `edited` labels that these have become."""
        image_layer, image = self.images.layer, self.images.image()
        name, mode = self.form.method_name(), self.form.result_mode()
        parameters = self._parameters_of_run = self._parameters()
        # Along which axes outcomes go beyond what was drawn.
        along = {"t"} if parameters["follow"] != "off" and image.n_times > 1 else set()
        if len(image.spatial_axes) == 3 and parameters["extent"] != "slice":
            along.add("z")
        scene = Scene(
            image=image_layer,
            start=start,
            shapes=shapes,
            indices=indices,
            n_shapes=len(start.data) if isinstance(start, Shapes) else 0,
            mode=mode,
            in_place=not along,
            grid=image,
        )
        given: DrawnShapes | Image
        source = start if edited is None else edited
        if isinstance(source, Shapes):
            given = DrawnShapes(tuple(shapes), name=source.name)
        else:
            seeds = seeds_image(source, image_layer)
            # The layer is written to while this runs.
            given = copied_seeds(seeds)
        if not goes_on:
            self.history.begin()
        target = self.layers.target(scene)
        if target is not None:
            self.history.remember(target)
        self._scene, self.record, self._moving = scene, None, None
        self._asked_for, self._marks_moved = self._asking(), False
        self.seeds.watch(self.form.start.layer())
        self._show_objects()
        self.layers.begin(scene, goes_on=goes_on)
        self._begun = None if self._foretold is None else (name, self._foretold)
        self.session.start(Request(name, image, given, parameters), hold=hold)

    def _parameters(self) -> dict[str, Value]:
        """As the form says."""
        gives_shapes = self.form.result_mode() != "labels"
        return {**self.form.fields().values(), GIVEN_BY_RESULT: gives_shapes}

    def _asking(self) -> tuple[Any, ...]:
        """What a run would be asked for."""
        form = self.form
        settings = form.method_name(), self._parameters(), form.which.currentData()
        return (self.images.image(), *settings, form.result_mode(), form.start.layer())

    def _tell_outdated(self, *_: Any) -> None:
        """Say it where a run would begin from something else, or do it otherwise."""
        is_current = False
        if self.images.watched is not None:
            with suppress(InputError):
                is_current = not self._marks_moved and self._asking() == self._asked_for
        self.controls.outdate(not is_current)

    def _on_marks_changed(self) -> None:
        # shapes that a run updates move by themselves
        is_moving = self._scene is not None and self._scene.mode == "update"
        if not (self.session.is_busy and is_moving):
            self._marks_moved = True
            self._tell_outdated()
        self._show_objects()

    def _bring_back(self, back: Callable[[], str]) -> None:
        name = back()
        self._say(f"'{name}' is as it was before." if name else "There is nothing to bring back.")
        self._enable()

    # Signals of the session

    def _on_moved(self, moving: Moving) -> None:
        if self.layers.is_disturbed():
            self._stop_because(_DISTURBED)
            return
        self._moving = moving
        self.layers.show_moving(moving)
        if self.session.state == "paused":
            self.layers.hold()
            self._say_paused()

    def _on_progress(self, progress: Progress) -> None:
        self.controls.show_progress(progress)
        if self.session.state == "running":
            change = f", {self._change_in_words()}" if self._moving is not None else ""
            self._say(f"{progress.message[:1].upper()}{progress.message[1:]}{change}")

    def _on_finished(self, result: Result) -> None:
        if self.layers.is_disturbed():
            self._why_stopped = _DISTURBED
            self._on_stopped()
            return
        self.record = result.record
        if self.session.seconds is not None and self._begun is not None:
            name, foretold = self._begun
            machine_speed.learn(name, foretold.seconds, self.session.seconds)
            self._show_forecast()
        with errors.shown(self._say):
            self.layers.finish(result)
            self.controls.say_made(" ".join(result.record["notes"]))
        self.reset_choices()
        if self._scene is not None and self._scene.mode == "update":
            # what the run has changed is what it has given
            self.seeds.watch(self.form.start.layer())
        self._tell_outdated()

    def _on_failed(self, error: BaseException) -> None:
        self.layers.fail()
        self.history.forget_unchanged()
        self._say(errors.show(error))
        self._enable()

    def _on_stopped(self) -> None:
        self.layers.stop()
        why, self._why_stopped = self._why_stopped, ""
        # A closing viewer changes and removes its layers, too; by then nobody wants to hear it.
        window = self.window()
        if why and window is not None and window.isVisible():
            self._say(errors.show(InputError(why)))
        else:
            self._say("Stopped. What is shown stays; Undo brings back what was drawn.")
        self._enable()

    def _on_state(self, state: str) -> None:
        if state == "paused":
            self.layers.hold()
            self._say_paused()
        self._enable()

    def _say_paused(self) -> None:
        at = f" at iteration {self._moving.iteration}" if self._moving is not None else ""
        editable = self.layers.editable_layer()
        hint = "Drag points of the shapes" if isinstance(editable, Shapes) else "Paint or erase"
        self._say(f"Paused{at}. {hint} if you like, then press Go on.")

    def _change_in_words(self) -> str:
        assert self._moving is not None
        if self.form.method_name() == "elastic_contour":
            return f"moving {self._moving.changed:.2g} voxels"
        return f"{100 * self._moving.changed:.2g} % of voxels changing"

    # What the window shows

    def _enable(self) -> None:
        form, state = self.form, self.session.state
        ready = self.images.watched is not None and form.start.layer() is not None
        idle, paused = state == "idle", state == "paused"
        form.run.setEnabled(ready and (idle or paused))
        form.run.setText("Go on" if paused else "Run")
        form.step.setEnabled(ready and (idle or paused))
        form.pause.setEnabled(state == "running")
        form.controls.show_running(state in ("running", "paused"))
        form.reset.setEnabled(self.history.can_reset() and state != "stopping")
        form.undo.setEnabled(self.history.can_undo() and state != "stopping")
        form.new_shapes.setEnabled(self.images.watched is not None and idle)
        form.new_object.setEnabled(idle and isinstance(form.start.layer(), Shapes))
        form.edges.setEnabled(self.images.watched is not None)
        form.save_recipe.setEnabled(self.record is not None and idle)
        for chooser in (form.image, form.start, form.which, form.method, form.result):
            chooser.setEnabled(idle and (chooser.count() > 0))
        form.channels.setEnabled(idle)

    def _show_method(self, index: int = 0) -> None:
        self.edge_maps.describe(self.form.edges, self.form.method_name())
        self._show_scale()
        self._show_forecast()

    def _show_objects(self) -> None:
        layer = self.form.start.layer()
        in_volume = isinstance(layer, Shapes) and self._n_spatial() == 3
        self.form.show_objects(objects_in_words(layer) if in_volume else None)

    def _n_spatial(self) -> int:
        """How many spatial axes the image has; 0 where there is none that can be used."""
        with suppress(InputError):
            return len(self.images.image().spatial_axes) if self.images.watched is not None else 0
        return 0

    def _show_scale(self) -> None:
        self._show_objects()
        if self.images.watched is None:
            return
        with errors.shown(self._say):
            self.form.show_scale(self.images.image())

    def _forecast(self) -> operations.Forecast | None:
        if self.images.watched is None:
            return None
        return operations.forecast(
            self.form.method_name(),
            {"image": self.images.image()},
            self.form.fields().values(),
            n_labels=label_count(self.form.start.layer()),
        )

    def _speed_name(self) -> str:
        return self.form.method_name()

    def _show_prepared(self, error: BaseException | None) -> None:
        if error is not None:
            self._say(errors.show(error))
        elif self.form.status.text() in (PREPARING, ""):
            self._say("Ready." if self.form.start.layer() else "Press New shapes to begin.")

    # Layers and windows that come, change and go away

    def _on_image_chosen(self, layer: ImageLayer | None) -> None:
        self.form.suggest_method(in_volume=self._n_spatial() == 3)
        self._show_method()
        self._enable()
        self._tell_outdated()

    def _on_image_changed(self) -> None:
        self._show_method()
        self._tell_outdated()
        if self.session.is_busy and self.images.watched is not None:
            self._stop_because(
                f"'{self.images.watched.name}' was changed while it was in use, so the run was "
                "stopped. Press Run to begin anew from what is shown, or Reset."
            )

    def _on_start_chosen(self, layer: Layer | None) -> None:
        self.seeds.watch(layer)
        self.form.show_which(not isinstance(layer, Labels))
        self.form.offer_update(not isinstance(layer, Labels))
        self._enable()
        self._show_objects()
        self._show_forecast()
        self._tell_outdated()

    def _on_removed(self, layer: Layer) -> None:
        scene = self._scene
        needed = scene is not None and (layer is scene.image or layer is scene.start)
        busy = self.session.is_busy
        self.reset_choices()
        if needed and busy:
            self._stop_because(removed_in_words(layer))

    def _stop_because(self, why: str) -> None:
        if self.session.state != "stopping":
            self._why_stopped = why
            self.session.stop()

    def _on_ended(self) -> None:
        was_busy = self.session.is_busy
        super()._on_ended()
        if was_busy:
            self.layers.stop()
