"""What panels and forms choose unasked as seeds, start or second image."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Points, Shapes

from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.forms.operation_form import form_class
from napari_seedbed.gui.hooks.operation_widgets import first_of_each_command, widget_class
from napari_seedbed.gui.layers.fitting_layers import lies_on

SHAPE = (6, 16, 20)
PLACE = {"scale": (2.0, 0.5, 0.5), "units": ("um",) * 3}
TAKES_MARKS = [
    operation
    for operation in first_of_each_command()
    if {"seeds", "shapes", "other"} & set(operation.roles) and operation.command != "scores"
]


def rectangle(low, high):
    return [[3, low, low], [3, low, high], [3, high, high], [3, high, low]]


def scene():
    """An image, and only what belongs to no image or must not be used unasked."""
    viewer = ViewerModel()
    main = viewer.add_image(np.zeros(SHAPE), name="cells", rgb=False, **PLACE)
    smaller = (6, 8, 10)
    elsewhere = {**PLACE, "translate": (0, 50, 0)}
    viewer.add_labels(np.ones(SHAPE, int), name="cells truth", **PLACE)
    viewer.add_labels(np.ones(SHAPE, int), name="hidden", visible=False, **PLACE)
    viewer.add_labels(np.ones(smaller, int), name="smaller", **PLACE)
    viewer.add_labels(np.ones(SHAPE, int), name="moved", **elsewhere)
    viewer.add_image(np.zeros(smaller), name="small image", rgb=False, **PLACE)
    viewer.add_image(np.zeros(SHAPE), name="hidden image", visible=False, rgb=False, **PLACE)
    viewer.add_points([[3, 1000, 1000]], name="far", **PLACE)
    viewer.add_shapes([rectangle(900, 950)], name="off", **PLACE)
    viewer.layers.selection.active = main
    return viewer, main


@pytest.mark.parametrize("operation", TAKES_MARKS, ids=lambda operation: operation.command)
def test_only_what_lies_on_the_image_is_chosen_unasked(qtbot, operation):
    viewer, main = scene()
    if operation.image_kind == "labels":
        main = viewer.add_labels(np.ones(SHAPE, int), name="objects", **PLACE)
    panel = widget_class(operation)(viewer)
    qtbot.addWidget(panel)
    inputs = getattr(panel.form, "inputs", panel.form)
    worked_on = getattr(inputs, "labels", inputs.image)
    worked_on.choose(main)
    combos = [one for one in inputs.findChildren(LayerCombo) if one is not worked_on]
    assert combos
    # objects are measured in the image that they lie on
    allowed = {None} if main in viewer.layers[:1] else {None, viewer.layers[0]}
    assert {combo.layer() for combo in combos} <= allowed
    wanted = [
        viewer.add_image(np.ones(SHAPE), name="second", rgb=False, **PLACE),
        viewer.add_labels(np.ones(SHAPE, int), name="marks", **PLACE),
        viewer.add_shapes([rectangle(1, 9)], name="outline", **PLACE),
    ]
    panel.reset_choices()
    for combo in combos:
        may_be_none = combo.itemText(0).startswith(("none", "no ", "their shapes"))
        assert combo.layer() in {*wanted, *allowed - {None}} or may_be_none


def test_children_are_the_labels_that_were_there_before_their_parents(qtbot):
    viewer = ViewerModel()
    nuclei, cells = (viewer.add_labels(np.ones(SHAPE, int), name=one) for one in ("n", "c"))
    viewer.layers.selection.active = None
    form = form_class("relate_objects")(viewer)
    qtbot.addWidget(form)
    assert (form.image.layer(), form.inputs.others["other"].layer()) == (nuclei, cells)
    viewer.add_labels(np.ones(SHAPE, int), name="spots")
    form.reset_choices()
    form.image.choose(cells)
    assert form.inputs.others["other"].layer().name == "spots"


@pytest.fixture
def combo(qtbot):
    made = LayerCombo("none yet", "Marks.")
    qtbot.addWidget(made)
    return made


def test_choice_follows_the_image_unless_a_person_made_it(combo):
    small, large = (ImageLayer(np.zeros((n, n)), rgb=False) for n in (4, 9))
    on_small, on_large = (Labels(np.zeros((n, n), int), name=f"{n}") for n in (4, 9))
    combo.set_layers_for(small, [on_small, on_large])
    assert combo.layer() is on_small
    on_small.visible = False
    combo.set_layers_for(small, [on_small, on_large])
    assert combo.layer() is on_small, "what is chosen already stays when it is hidden"
    combo.set_layers_for(large, [on_small, on_large])
    assert combo.layer() is on_large
    combo.setCurrentIndex(0)
    combo.set_layers_for(large, [on_small, on_large])
    assert combo.layer() is on_small
    combo.set_layers_for(large, [on_large])
    assert combo.layer() is on_large


def test_image_is_not_compared_with_itself_unasked(combo):
    first, second = (ImageLayer(np.zeros((4, 4)), rgb=False) for _ in "ab")
    combo.set_layers_for(first, [first])
    assert (combo.layer(), combo.currentText()) == (None, "choose…")
    combo.set_layers_for(first, [first, second])
    assert combo.layer() is second
    combo.choose(first)
    combo.set_layers_for(first, [first, second])
    assert combo.layer() is first


def labels(shape, **place):
    return Labels(np.zeros(shape, int), **place)


MICROMETRES = {"scale": (0.5, 0.5), "units": ("um", "um")}
RECTANGLE = [[50, 0], [50, 9], [60, 9], [60, 0]]
FILM = {"axis_labels": ("t", "y", "x")}


@pytest.mark.parametrize(
    ("image", "layer", "fits"),
    [
        (
            ImageLayer(np.zeros((8, 9)), rgb=False, **MICROMETRES),
            labels((8, 9), scale=(500, 500), units=("nm", "nm")),
            True,
        ),
        (ImageLayer(np.zeros((8, 9)), **MICROMETRES), labels((8, 9), scale=(0.5, 0.5)), True),
        (ImageLayer(np.zeros((8, 9)), **MICROMETRES), labels((8, 9), scale=(0.5, 0.51)), False),
        (ImageLayer(np.zeros((8, 9, 3)), rgb=True), labels((8, 9)), True),
        (
            ImageLayer(np.zeros((2, 8, 9)), rgb=False, axis_labels=("c", "y", "x")),
            labels((8, 9)),
            True,
        ),
        (ImageLayer(np.zeros((5, 8, 9)), rgb=False, **FILM), labels((8, 9)), True),
        (ImageLayer(np.zeros((5, 8, 9)), rgb=False, **FILM), labels((4, 8, 9)), False),
        (ImageLayer(np.zeros((8, 9)), rgb=False), labels((8, 9), rotate=5), False),
        (ImageLayer(np.zeros((8, 9)), rgb=False), labels((3, 8, 9)), False),
        (ImageLayer(np.zeros((8, 9)), rgb=False), Points([[2, 2]]), True),
        (ImageLayer(np.zeros((8, 9)), rgb=False), Points(ndim=2), True),
        (ImageLayer(np.zeros((8, 9)), rgb=False), Shapes([RECTANGLE]), False),
    ],
    ids=[
        "other unit",
        "no unit",
        "other voxels",
        "colours",
        "channels",
        "one for all times",
        "fewer times",
        "turned",
        "more axes",
        "point on it",
        "no points yet",
        "shape beside it",
    ],
)
def test_layer_lies_on_an_image_where_its_voxels_are_those(image, layer, fits):
    assert lies_on(layer, image) is fits
