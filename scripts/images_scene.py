"""The scene of the page on images: the moon, dim as it was taken, and evened out in three ways."""

from napari import Viewer
from skimage import data
from waiting import wait_until

from napari_seedbed.gui.forms.operation_form import OperationForm, form_class

_DOCK_WIDTH = 340
_SHOWN = (
    ("rescale_intensity", {"low_percent": 2, "high_percent": 98}),
    ("equalise", {}),
    ("equalise_locally", {"clip_limit": 0.02}),
)


def build_images(viewer: Viewer) -> None:
    """Run three operations from their forms and show their results side by side."""
    moon = viewer.add_image(
        data.moon(), name="moon", axis_labels=("y", "x"), contrast_limits=(0, 255)
    )
    for name, values in _SHOWN:
        form: OperationForm = form_class(name)(viewer)
        dock = viewer.window.add_dock_widget(form, name=form.operation.title, area="right")
        dock.setMinimumWidth(_DOCK_WIDTH)
        form.image.choose(moon)
        for key, value in values.items():
            form.parameters.set_value(key, value)
        form.run()
        wait_until(lambda form=form: not form.is_running, "the result")
        if name != _SHOWN[-1][0]:
            viewer.window.remove_dock_widget(form)
    # the image first, then its results in the order in which they were made
    made = [layer for layer in viewer.layers if layer is not moon]
    made.sort(
        key=lambda layer: [n for n, _ in _SHOWN].index(
            layer.metadata["napari_seedbed"]["operation"]
        )
    )
    for place, layer in enumerate([moon, *made]):
        viewer.layers.move(viewer.layers.index(layer), place)
        layer.contrast_limits = (0, 255)
    viewer.canvas.grid.enabled = True
    viewer.canvas.grid.shape = (2, 2)
    viewer.layers.selection.active = moon
    viewer.reset_view()
