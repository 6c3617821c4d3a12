"""Every operation's form: all rows, a preview, what Run shall give, and a recipe of that."""

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Points
from napari.layers import Shapes as ShapesLayer
from operation_scenes import inputs_for, scene
from qtpy.QtCore import Qt

from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.operation_form import form_class
from napari_seedbed.gui.hooks.operation_widgets import has_panel
from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.layers.layer_records import is_result
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.tables import Table
from napari_seedbed.pipeline.recipes import load_recipe, replay

FORMS = [one for one in operations.operations.values() if not has_panel(one)]
TIMEOUT = 60_000


def sample(operation):
    """Inputs that the operation takes, and what the pipeline gives for them at the defaults."""
    flat = inputs_for(operation, scene((16, 20)).astype(np.uint16))
    picture = np.stack([scene((16, 20)) + 20 * i for i in range(3)], axis=-1).astype(np.uint8)
    colours = {**flat, "image": Image(picture, ("y", "x", "c"), rgb=True, name="scene")}
    deep = inputs_for(operation, scene((6, 14, 16)).astype(np.uint16))
    messages = []
    for inputs in (deep, flat, colours):
        try:
            return inputs, operations.run(operation, inputs)
        except InputError as error:
            messages.append(str(error))
    raise AssertionError(messages)


def add_layers(viewer, operation, inputs):
    """What a person has in the window before the form is opened; gives the main layer."""
    if "shapes" in inputs:
        outlines = [shape.points for shape in inputs["shapes"].shapes]
        viewer.add_shapes(outlines, shape_type="polygon", name="shapes")
    if "seeds" in inputs:
        viewer.add_labels(inputs["seeds"].array, name="seeds")
    if "other" in inputs:
        add_voxels(viewer, inputs["other"], operation.other_kind, "other")
    return add_voxels(viewer, inputs["image"], operation.image_kind, "scene")


def add_voxels(viewer, image, kind, name):
    array = np.asarray(image.array)
    if kind != "image":
        return viewer.add_labels(array.astype(np.int32), name=name)
    labels = image.axes[:-1] if image.rgb else image.axes
    return viewer.add_image(array, name=name, rgb=image.rgb, axis_labels=labels)


def open_form(viewer, operation, main, qtbot):
    form = form_class(operation.name)(viewer)
    for event in (viewer.layers.events.inserted, viewer.layers.events.removed):
        event.connect(form.reset_choices)  # as napari does for a dock widget
    qtbot.addWidget(form)
    form.resize(320, 720)
    form.show()
    form.image.choose(main)
    for role, combo in form.inputs.others.items():
        if role in viewer.layers:
            combo.choose(viewer.layers[role])
    return form


@pytest.mark.parametrize("operation", FORMS, ids=lambda one: one.name)
def test_form_shows_all_there_is_to_set_previews_runs_and_is_repeated(
    operation, viewer_model, qtbot, tmp_path
):
    inputs, wanted = sample(operation)
    main = add_layers(viewer_model, operation, inputs)
    form = open_form(viewer_model, operation, main, qtbot)
    before = list(viewer_model.layers)

    assert form.parameters.values().keys() == operation.defaults().keys()
    roles = set(operation.roles) - {"image"} - set(operation.one_of)
    assert set(form.inputs.others) == roles | ({"start"} if operation.one_of else set())

    if operation.gives != "table":
        form.follow.setChecked(True)
        qtbot.waitUntil(lambda: not form.preview.is_busy, timeout=TIMEOUT)
        assert form.preview.layers or form.status.text()
        form.follow.setChecked(False)
        assert list(viewer_model.layers) == before

    qtbot.mouseClick(form.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not form.is_running, timeout=TIMEOUT)
    said = form.status.text()
    assert "Done" in said, said
    # without the extra outputs, whose names say which they are
    extras = tuple(f", {key}" for key in wanted.outputs if key != operation.gives)
    made = [one for one in viewer_model.layers if is_result(one)]
    results = [one for one in made if not one.name.endswith(extras)]
    assert_shown(operation, wanted.outputs[operation.gives], results, form, said)

    form.save_recipe(tmp_path / "r.yaml")
    given = form.inputs.given().inputs
    recipe = load_recipe(tmp_path / "r.yaml")
    assert recipe.notes == (), "nothing was changed by hand"
    again = replay(recipe, given["image"], other=given.get("other"))
    assert_shown(operation, again.outputs[operation.gives], results, form, said)


def assert_shown(operation, wanted, results, form, said):
    """The main output is where a person looks for it, voxel by voxel what the pipeline gives."""
    if isinstance(wanted, Table) and len(wanted) == len(wanted.columns) == 1:
        ((number,),) = wanted.columns.values()
        # one number needs no table
        assert said.startswith(f"{number} ")
    elif isinstance(wanted, Table):
        shown = form.results.tables.view.table
        assert list(shown.columns) == list(wanted.columns)
        assert len(shown) == len(wanted)
    elif not isinstance(wanted, Image):
        kind = {"points": Points, "shapes": ShapesLayer}[operation.gives]
        assert any(isinstance(layer, kind) for layer in results)
    elif len(results) == 1:
        assert isinstance(results[0], ImageLayer | Labels)
        found = image_of(results[0])
        np.testing.assert_allclose(found.translate, wanted.translate, atol=1e-9)
        np.testing.assert_allclose(found.spacing, wanted.spacing)
        voxels = np.squeeze(np.asarray(wanted.array))
        np.testing.assert_array_equal(np.squeeze(results[0].data), voxels)
    else:
        assert len(results) == wanted.n_channels
