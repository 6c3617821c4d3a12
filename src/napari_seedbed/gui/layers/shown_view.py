"""What of the picture is in view: slice, order of axes, camera."""

from collections.abc import Sequence

from napari.components import ViewerModel
from napari.layers import Layer

from napari_seedbed.pipeline.project.project_model import View


def view_of(viewer: ViewerModel, layers: Sequence[Layer]) -> View:
    """What is in view now.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    layers : sequence of Layer
        Those of the project: which of them is active is said by its place.
    """
    active = viewer.layers.selection.active
    dims, camera = viewer.dims, viewer.scene.camera
    return View(
        ndisplay=dims.ndisplay,
        order=tuple(dims.order),
        point=tuple(map(float, dims.point)),
        center=tuple(map(float, camera.center)),
        zoom=float(camera.zoom),
        angles=tuple(map(float, camera.angles)),
        active=layers.index(active) if active in layers else None,
    )


def show_view(viewer: ViewerModel, view: View, layers: Sequence[Layer | None]) -> None:
    """Show the same again, as far as it fits what is there."""
    dims, camera = viewer.dims, viewer.scene.camera
    dims.ndisplay = view.ndisplay
    if sorted(view.order) == list(range(dims.ndim)):
        dims.order = view.order
    if len(view.point) == dims.ndim:
        dims.point = view.point
    if len(view.center) in (2, 3):
        camera.center = view.center
    if view.zoom is not None:
        camera.zoom = view.zoom
    if len(view.angles) == 3:
        camera.angles = view.angles
    if view.active is not None and 0 <= view.active < len(layers):
        layer = layers[view.active]
        if layer is not None:
            viewer.layers.selection.active = layer
