"""Editors give exactly what people write, within the declared bounds."""

import pytest

from napari_seedbed.gui.parameter_fields import NumberField, ParameterFields
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.parameters import Parameter

TOL = Parameter("tol", "float", 1e-3, "Accuracy", "Help.", minimum=1e-9, maximum=0.1)
COUNT = Parameter("count", "int", 3, "Count", "Help.", minimum=1, maximum=9)


@pytest.fixture
def fields(qtbot):
    made = ParameterFields(operations.get("random_walker").parameters)
    qtbot.addWidget(made)
    return made


def test_values_begin_as_the_declared_defaults(fields):
    assert fields.values() == operations.get("random_walker").defaults()


@pytest.mark.parametrize(
    ("name", "value"), [("beta", 130.25), ("tol", 1e-7), ("uncertainty", True)]
)
def test_value_comes_back_as_it_was_set(fields, qtbot, name, value):
    with qtbot.waitSignal(fields.changed):
        fields.set_value(name, value)
    assert fields.values()[name] == value


def test_choice_gives_its_value_not_its_label(fields):
    fields.set_value("normalization", "std")
    assert fields.values()["normalization"] == "std"


@pytest.mark.parametrize(("text", "value"), [("1e-4", 1e-4), ("0.05", 0.05), ("1E-9", 1e-9)])
def test_small_numbers_can_be_typed(qtbot, text, value):
    field = NumberField(TOL)
    qtbot.addWidget(field)
    field.lineEdit().selectAll()
    qtbot.keyClicks(field.lineEdit(), text)
    field.interpretText()
    assert field.value() == value


def test_out_of_bounds_is_not_accepted(qtbot):
    field = NumberField(TOL)
    qtbot.addWidget(field)
    field.lineEdit().selectAll()
    qtbot.keyClicks(field.lineEdit(), "5")
    field.interpretText()
    assert field.value() <= 0.1


def test_letters_cannot_be_typed(qtbot):
    field = NumberField(TOL)
    qtbot.addWidget(field)
    qtbot.keyClicks(field.lineEdit(), "xyz")
    assert field.text() == "0.001"


def test_whole_number_has_its_bounds(qtbot):
    fields = ParameterFields([COUNT])
    qtbot.addWidget(fields)
    fields.set_value("count", 99)
    assert fields.values() == {"count": 9}
