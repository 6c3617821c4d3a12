"""The steps of labels of nuclei, one of them switched off and one changed."""

from typing import Any

from waiting import wait_until

from napari_seedbed.gui.forms.operation_form import form_class
from napari_seedbed.gui.hooks.npe2_hooks import open_nuclei_2d
from napari_seedbed.gui.tools.history.history_panel import HistoryPanel


def build_history(viewer: Any) -> Any:
    """Make labels by four operations, leave one out and change another; give the panel."""
    data, properties, _ = open_nuclei_2d()[0]
    layer = viewer.add_image(data, **properties)
    for operation, parameters in (
        ("gaussian", {"sigma": 1.0}),
        ("threshold", {"method": "li"}),
        ("fill_holes", {}),
        ("label", {}),
    ):
        form = form_class(operation)(viewer)
        form.inputs.image.choose(layer)
        for name, value in parameters.items():
            form.parameters.set_value(name, value)
        before = set(viewer.layers)
        form.run()
        wait_until(lambda form=form: not form.is_running, operation)
        (layer,) = set(viewer.layers) - before
        form.close()
    viewer.layers.selection.active = layer
    panel = HistoryPanel(viewer)
    viewer.window.add_dock_widget(panel, name="History (Seedbed)", area="right")
    panel.form.steps.boxes["fill_holes"].setChecked(False)
    panel.run()
    wait_until(lambda: not panel.is_busy, "the labels")
    panel.form.steps.fields["threshold"].set_value("smallest", 40.0)
    return panel
