"""What a method of the snakes looks at, shown as an image layer."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from qtpy.QtWidgets import QPushButton

from napari_seedbed.core.progress import Report, ShouldStop
from napari_seedbed.gui import errors
from napari_seedbed.gui.jobs import Job
from napari_seedbed.gui.layers import add_or_update
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.operations import Result

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
    say : callable
        Told what happens.
    on_shown : callable
        Called when a layer is there and known as a result.
    """

    def __init__(
        self, viewer: ViewerModel, say: Callable[[str], None], on_shown: Callable[[], None]
    ) -> None:
        self._viewer, self._say, self._on_shown = viewer, say, on_shown
        self._job: Job | None = None

    def describe(self, button: QPushButton, method: str) -> None:
        """Say on a button what it shows for a method."""
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
        self.stop()
        name, own, _ = _VIEWS[method]
        declared = {parameter.name for parameter in operations.get(name).parameters}
        values = {key: value for key, value in parameters.items() if key in declared}
        run = partial(
            _run, name, {"image": image}, {**values, **own}, None if time is None else (time,)
        )
        self._say("Looking at the edges…")
        self._job = Job(
            run, on_done=partial(self._on_done, layer, name), on_error=self._on_error
        ).start()

    def stop(self) -> None:
        """Nobody wants to see it any more."""
        if self._job is not None:
            self._job.abandon()
            self._job = None

    def _on_done(self, layer: ImageLayer, name: str, result: Result) -> None:
        self._job = None
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
            if isinstance(shown, ImageLayer) and low < high:
                shown.contrast_limits = (low, high)
            self._on_shown()
            self._say(f"'{shown.name}' shows what this method looks at.")

    def _on_error(self, error: BaseException) -> None:
        self._job = None
        self._say(errors.show(error))


def _run(
    name: str,
    inputs: dict[str, Image],
    parameters: Mapping[str, Any],
    times: tuple[int, ...] | None,
    report: Report,
    should_stop: ShouldStop,
) -> Result:
    return operations.run(
        name, inputs, parameters, report=report, should_stop=should_stop, times=times
    )
