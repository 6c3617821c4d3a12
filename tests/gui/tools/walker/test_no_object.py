"""What is no object in all labels at once: what a mask marks, and what is darker than a line."""

import numpy as np
import pytest
from painting import drag
from seeded_window import SeededWindow

from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.layers.layer_records import record_of
from napari_seedbed.pipeline.recipes import recipe_from_record, replay, save_recipe

pytestmark = pytest.mark.display


def test_what_is_dark_or_masked_is_no_object(make_napari_viewer, qtbot, tmp_path):
    window = SeededWindow(make_napari_viewer, qtbot)
    seeds = window.new_seeds()
    drag(window.viewer, window.world((10, 16, 13)), window.world((10, 16, 19)))
    seeds.selected_label = 2
    drag(window.viewer, window.world((10, 2, 2)), window.world((10, 2, 29)))
    window.wait_final()
    free = window.result.data.copy()

    form = window.panel.form.one_object
    qtbot.waitUntil(form.darker.isEnabled, timeout=30000)
    form.background.toggle()
    window.click(form.darker)
    qtbot.waitUntil(lambda: not window.panel.session.is_final)
    window.wait_final()
    line = form.value.value()
    assert record_of(window.result)["parameters"]["darker_than"] == line
    found = window.result.data.copy()
    assert 0 < np.count_nonzero(found) < np.count_nonzero(free)
    np.testing.assert_array_equal(found[found > 0], free[found > 0])
    recipe = save_recipe(tmp_path / "dark.yaml", recipe_from_record(record_of(window.result)))

    mask = np.zeros(free.shape, np.uint8)
    mask[:, :16] = 1
    layer = window.viewer.add_labels(mask, name="not cells", scale=window.result.scale)
    form.mask_layer.choose(layer)
    form.mask_layer.activated.emit(1)
    qtbot.waitUntil(lambda: not window.panel.session.is_final)
    window.wait_final()
    np.testing.assert_array_equal(window.result.data, np.where(mask > 0, 0, found))
    again = replay(
        recipe_from_record(record_of(window.result)),
        window.panel.images.image(),
        other=image_of(layer),
    )
    np.testing.assert_array_equal(again.image("labels").array, window.result.data)

    window.click(form.darker)
    assert form.darker_than == 0
    window.panel.open_recipe(recipe)
    assert form.darker_than == line
