"""What is chosen in each panel is chosen again in another one."""

import json
from importlib import import_module

import numpy as np
import pytest
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QSpinBox

from napari_seedbed.gui.forms.operation_form import form_class
from napari_seedbed.gui.forms.panel_settings import choose_settings, settings_of
from napari_seedbed.gui.forms.parameter_fields import ParameterFields
from napari_seedbed.gui.hooks.panels import PANELS

FORMS = ("gaussian", "morphology", "seeded_watershed", "label", "custom_kernel")


def panel_class(name):
    if name in FORMS:
        return form_class(name)
    module, _, found = PANELS[name].partition(":")
    return getattr(import_module(module), found)


def choose_others(panel):
    """Choose something else in each parameter, as far as it has another value."""
    for fields in panel.findChildren(ParameterFields):
        for field in fields._fields.values():
            if isinstance(field, QCheckBox):
                field.setChecked(not field.isChecked())
            elif isinstance(field, QComboBox):
                field.setCurrentIndex((field.currentIndex() + 1) % field.count())
            elif isinstance(field, QSpinBox | QDoubleSpinBox):
                field.stepUp()


@pytest.mark.parametrize("name", [*PANELS, *FORMS])
def test_what_was_chosen_is_chosen_again(viewer_model, qtbot, rng, name):
    place = {"axis_labels": ("z", "y", "x"), "scale": (2, 0.5, 0.5)}
    for nth in range(2):
        viewer_model.add_image(rng.random((5, 20, 20)), name=f"image {nth}", **place)
        viewer_model.add_labels(np.ones((5, 20, 20), int), name=f"labels {nth}", **place)
    layers = list(viewer_model.layers)
    first, second = (panel_class(name)(viewer_model) for _ in range(2))
    for panel in (first, second):
        qtbot.addWidget(panel)
        panel.reset_choices()
    fresh = settings_of(first, layers)
    choose_others(first)
    chosen = settings_of(first, layers)
    assert (chosen != fresh) == bool(first.findChildren(ParameterFields))
    # as a file keeps it
    kept = json.loads(json.dumps(chosen))
    choose_settings(second, kept, layers)
    assert settings_of(second, layers) == chosen


def test_layer_is_chosen_by_its_place_and_nonsense_passed_over(viewer_model, qtbot, rng):
    for nth in range(3):
        viewer_model.add_image(rng.random((20, 20)), name=f"image {nth}")
    layers = list(viewer_model.layers)
    panel = form_class("gaussian")(viewer_model)
    qtbot.addWidget(panel)
    choose_settings(panel, {"inputs.image": {"layer": 1}}, layers)
    assert panel.inputs.layer is layers[1]
    before = settings_of(panel, layers)
    for nonsense in (None, True, -1, "x", [], {}, {"layer": 99}, {"layer": "x"}, {"sigma": "x"}):
        choose_settings(panel, dict.fromkeys(before, nonsense), layers)
    choose_settings(panel, {"inputs.image": {"layer": 0}}, [None])
    after = settings_of(panel, layers)
    assert {**after, "follow": None} == {**before, "follow": None}
