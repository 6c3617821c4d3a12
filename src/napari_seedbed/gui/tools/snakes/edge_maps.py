"""What a method of the snakes looks at, shown as an image layer."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from qtpy.QtWidgets import QPushButton

from napari_seedbed.gui.layers.image_layers import add_or_update
from napari_seedbed.gui.layers.layer_records import lock_result
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.jobs import Jobs
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import Result

_EDGES = "edges"

# For each method the operation that shows what it looks at, its own parameters, and the button.
_VIEWS: dict[str, tuple[str, dict[str, str], str]] = {
    "elastic_contour": ("edge_map", {"kind": "strength"}, "Show edge map"),
    "edge_surface": ("edge_map", {"kind": "stopping"}, "Show edge map"),
    "region_surface": ("gaussian", {}, "Show smoothed image"),
}


class EdgeMaps:
    """Makes one image layer for each image, and renews it.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    jobs : Jobs
    say : callable
        Called with what happens.
    on_shown : callable
        Called when a layer is there and known as a result.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        jobs: Jobs,
        say: Callable[[str], None],
        on_shown: Callable[[], None],
    ) -> None:
        self._viewer, self._jobs, self._say, self._on_shown = viewer, jobs, say, on_shown

    def describe(self, button: QPushButton, method: str) -> None:
        """Show on a button what it adds for a method."""
        button.setText(_VIEWS[method][2])
        button.setToolTip("Add what this method looks at as an image layer, with this smoothing.")

    def show(
        self,
        layer: ImageLayer,
        image: Image,
        method: str,
        parameters: Mapping[str, Any],
        time: int | None,
    ) -> None:
        """Compute beside the window and show; a time series only at the time point on screen."""
        name, own, _ = _VIEWS[method]
        declared = {parameter.name for parameter in operations.get(name).parameters}
        values = {key: value for key, value in parameters.items() if key in declared}
        run = partial(
            _run, name, {"image": image}, {**values, **own}, None if time is None else (time,)
        )
        self._say("Looking at the edges…")
        done = partial(self._on_done, layer, name)
        self._jobs.start(_EDGES, run, done, self._on_error)

    def stop(self) -> None:
        """Nobody wants to see it any more."""
        self._jobs.cancel(_EDGES)

    def _on_done(self, layer: ImageLayer, name: str, result: Result) -> None:
        if layer not in self._viewer.layers:
            return
        with errors.shown(self._say):
            output = result.image("image")
            low, high = float(output.array.min()), float(output.array.max())
            shown = add_or_update(
                self._viewer,
                "image",
                output,
                like=layer,
                name=f"{layer.name} {'edge map' if name == 'edge_map' else 'smoothed'}",
                record=result.record,
                slot=f"snakes/{layer.unique_id}/{name}",
            )
            lock_result(shown)
            if isinstance(shown, ImageLayer) and low < high:
                shown.contrast_limits = (low, high)
            self._on_shown()
            self._say(f"'{shown.name}' shows what this method looks at.")

    def _on_error(self, error: BaseException) -> None:
        self._say(errors.show(error))


def _run(
    name: str,
    inputs: dict[str, Image],
    parameters: Mapping[str, Any],
    times: tuple[int, ...] | None,
) -> Result:
    return operations.run(name, inputs, parameters, times=times)
