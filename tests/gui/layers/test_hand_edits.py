"""Results that were changed by hand are known by what their record says of their voxels."""

import numpy as np
import pytest

from napari_seedbed.gui.forms.operation_form import OperationForm
from napari_seedbed.gui.layers.hand_edits import changed_by_hand
from napari_seedbed.gui.layers.layer_records import accept
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.recipes import load_recipe


@pytest.mark.parametrize("name", ["label", "h_maxima"])
def test_a_form_says_what_its_recipe_does_not_hold(qtbot, viewer_model, tmp_path, rng, name):
    class Form(OperationForm):
        operation = operations.get(name)

    mask = (rng.random((3, 40, 40)) < 0.3).astype(np.uint8)
    image = 50 + 100 * mask
    viewer_model.add_labels(mask, name="mask")
    viewer_model.add_image(image, name="cells")
    form = Form(viewer_model)
    qtbot.addWidget(form)
    form.run()
    qtbot.waitUntil(lambda: form.record is not None and not form.is_running, timeout=60000)
    form.save_recipe(tmp_path / "made.yaml")
    assert load_recipe(tmp_path / "made.yaml").notes == ()
    layer = viewer_model.layers[-1]
    assert changed_by_hand(viewer_model.layers, form.record) == []
    accept(layer)
    layer.paint((1, 20, 20), 77)
    assert changed_by_hand(viewer_model.layers, form.record) == [layer.name]
    form.save_recipe(tmp_path / "painted.yaml")
    (note,) = load_recipe(tmp_path / "painted.yaml").notes
    assert note.startswith(f"'{layer.name}' was changed by hand")
    assert note in form.status.text()
