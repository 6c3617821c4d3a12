"""The panel that shows objects as smooth surfaces in 3D."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels, Layer, Surface
from numpy.typing import NDArray

from napari_seedbed.core.objects.object_surfaces import Surfaces, object_surfaces
from napari_seedbed.core.progress import Progress
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.forms.panel import Panel
from napari_seedbed.gui.forms.panel_form import PanelForm
from napari_seedbed.gui.forms.parameter_fields import ParameterFields
from napari_seedbed.gui.layers.chain_names import ARROW, bounded
from napari_seedbed.gui.layers.grids import Grid, grid_of, unit_symbol
from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.layers.layer_records import find_result, is_preview, keep_record
from napari_seedbed.gui.layers.placement import place_of_marks
from napari_seedbed.gui.layers.plain_viewers import plain
from napari_seedbed.gui.layers.seeds_watch import SeedsWatch
from napari_seedbed.gui.layers.view_position import time_on_screen
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.controls import check_box, form_rows
from napari_seedbed.gui.qt.run_controls import RunControls, wrapped_label
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations.shared_parameters import length

if TYPE_CHECKING:
    from napari.viewer import Viewer

_RUN = "surfaces"
_SMOOTHING = length(
    "smoothing",
    2.0,
    "Smoothing (sigma)",
    "Standard deviation of the Gaussian that smooths each object first, the same physical length "
    "along every axis. 0 shows the steps of the voxels.",
)


@dataclass(frozen=True, eq=False)
class _Task:
    """What was asked for."""

    layer: Labels
    grid: Grid
    spacing: tuple[float, ...]
    time: int | None


class SurfacesForm(PanelForm):
    """All controls of the panel."""

    def __init__(self) -> None:
        super().__init__()
        self.labels = LayerCombo("make labels first", "The objects to show.")
        self.fields = ParameterFields([_SMOOTHING])
        self.only = check_box("Selected label only", "Show the object in hand alone.")
        self.controls = RunControls()
        self.controls.run.setText("Show surfaces")
        self.add(
            form_rows(("Labels", self.labels)),
            self.fields,
            self.only,
            self.controls,
            wrapped_label(
                "Each object has the colour of its label. The picture turns to 3D; the cube button "
                "below the layer list turns it back."
            ),
            None,
        )


class SurfacesPanel(Panel):
    """Dock widget that wraps the objects of a volume in smooth surfaces.

    Parameters
    ----------
    napari_viewer : Viewer
    """

    def __init__(self, napari_viewer: "Viewer") -> None:
        napari_viewer = plain(napari_viewer)
        self.form = SurfacesForm()
        super().__init__(napari_viewer, self.form)
        self.controls = self.form.controls
        self._watch = SeedsWatch(self)
        self._watch.changed.connect(self.controls.outdate)
        self.form.labels.layer_chosen.connect(self._on_chosen)
        self.controls.run.clicked.connect(self.run)
        self.controls.cancel.clicked.connect(self.cancel)
        self.jobs.changed.connect(self._enable)
        self.form.fields.changed.connect(self.controls.outdate)
        self.reset_choices()

    def run(self) -> None:
        """Compute the surfaces beside the window, and show them."""
        with errors.shown(self.controls.say):
            layer = self.form.labels.layer()
            if not isinstance(layer, Labels):
                raise InputError("labels: there are none; make or open a Labels layer first.")
            image = image_of(layer)
            if len(image.spatial_shape) != 3:
                raise InputError(f"'{layer.name}' is flat; surfaces need a volume (z, y, x).")
            time = time_on_screen(self.viewer, layer) if image.n_times > 1 else None
            task = _Task(layer, grid_of(layer), image.spacing, time)
            only = [int(layer.selected_label)] if self.form.only.isChecked() else None
            smoothing = float(self.form.fields.values()["smoothing"])
            self.controls.say("Wrapping objects…")
            self.jobs.start(
                _RUN,
                partial(_compute, image, time, smoothing, only),
                partial(self._on_done, task),
                self._on_error,
                on_progress=self._on_progress,
                on_cancelled=partial(self.controls.say, "Cancelled."),
            )

    def cancel(self) -> None:
        """Stop; what is shown stays."""
        self.jobs.cancel(_RUN)

    # Layers

    def reset_choices(self, event: Any = None) -> None:
        """Offer the labels that there are now, the selected ones at first."""
        labels = [
            layer
            for layer in self.viewer.layers
            if isinstance(layer, Labels) and not is_preview(layer)
        ]
        self.form.labels.set_layers(labels, self.viewer.layers.selection.active)
        self._enable()

    def _on_chosen(self, layer: Layer | None) -> None:
        if layer is not None:
            spacing = None
            with errors.shown(self.controls.say):
                spacing = image_of(layer).spacing
            self.form.fields.show_scale(unit_symbol(layer.units[-1]), spacing)
        self.controls.outdate()
        self._enable()

    # Results

    def _on_done(self, task: _Task, found: Surfaces) -> None:
        layer = task.layer
        if layer not in self.viewer.layers:
            self.controls.say("The labels are gone.")
            return
        count = len(np.unique(found.labels))
        if not count:
            self.controls.say("There is no object to show.")
            return
        shown = self._show(task, found)
        # they would fill the surfaces in 3D
        layer.visible = False
        self.viewer.dims.ndisplay = 3
        self._watch.watch(layer)
        self.controls.say_made(
            f"{count} object{'' if count == 1 else 's'}, {len(found.faces):,} triangles: "
            f"{shown.name}."
        )

    def _show(self, task: _Task, found: Surfaces) -> Surface:
        layer = task.layer
        vertices = _on_layer(found.vertices, task)
        values, owners = np.unique(found.labels, return_inverse=True)
        colours = np.array([layer.get_color(int(value)) for value in values])[owners]
        slot = f"{_RUN}/{layer.unique_id}"
        surface = find_result(self.viewer, slot, Surface)
        if surface is None:
            surface = Surface(
                (vertices, found.faces),
                name=bounded(f"{layer.name}{ARROW}surfaces"),
                vertex_colors=colours,
                shading="smooth",
                **place_of_marks(layer, task.grid),
            )
            keep_record(surface, "surface", {}, slot)
            self.viewer.add_layer(surface)
        else:
            # colours of another number of vertices would be refused on the way
            surface.vertex_colors = None
            surface.data = (vertices, found.faces, np.ones(len(vertices)))
            surface.vertex_colors = colours
            surface.visible = True
        return surface

    def _on_progress(self, progress: Progress) -> None:
        self.controls.show_progress(progress)

    def _on_error(self, error: BaseException) -> None:
        self.controls.say(errors.show(error))

    def _enable(self) -> None:
        running = _RUN in self.jobs
        self.controls.run.setEnabled(self.form.labels.layer() is not None and not running)
        self.controls.show_running(running)


def _compute(image: Image, time: int | None, smoothing: float, only: list[int] | None) -> Surfaces:
    volume = image.select_time(time or 0).volume()
    return object_surfaces(volume, image.spacing, smoothing=smoothing, only=only)


def _on_layer(vertices: NDArray[np.float32], task: _Task) -> NDArray[np.float32]:
    """Vertices in voxels of the layer, with its time axis."""
    columns = {"t": np.full(len(vertices), float(task.time or 0), np.float32)}
    for nth, axis in enumerate(("z", "y", "x")):
        columns[axis] = vertices[:, nth] / np.float32(task.spacing[nth])
    return np.stack([columns[axis] for axis in task.grid.axes if axis != "c"], axis=1)
