"""Editors give exactly what people write, within the declared bounds."""

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_seedbed.core import parse_kernel
from napari_seedbed.gui.forms.parameter_fields import NumberField, ParameterFields, TextField
from napari_seedbed.gui.qt.kernel_picture import picture_of
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.engine.parameters import Parameter

TOL = Parameter("tol", "float", 1e-3, "Accuracy", "Help.", minimum=1e-9, maximum=0.1)
SIGMA = Parameter(
    "sigma", "float", 1.5, "Sigma", "Help.", minimum=0.0, unit="physical", in_voxels=True
)
REACH = Parameter("reach", "float", 4.0, "Reach", "Help.", unit="physical")
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


# Lengths


@pytest.fixture
def lengths(qtbot):
    made = ParameterFields([SIGMA, REACH, COUNT])
    qtbot.addWidget(made)
    return made


def label_of(fields, name):
    return fields._form.labelForField(fields._fields[name]).text()


def test_unit_is_written_beside_lengths_alone(lengths):
    lengths.show_scale("µm", (2.0, 0.5))
    assert [label_of(lengths, name) for name in ("sigma", "reach", "count")] == [
        "Sigma (µm)",
        "Reach (µm)",
        "Count",
    ]


def test_unit_is_written_anew_for_another_image(lengths):
    lengths.show_scale("µm", (2.0, 0.5))
    lengths.show_scale("pixels", (1.0, 1.0))
    assert label_of(lengths, "sigma") == "Sigma (pixels)"


def test_default_in_voxels_is_so_many_of_the_smallest_edges(lengths):
    lengths.show_scale("µm", (2.0, 0.5))
    assert lengths.values()["sigma"] == 0.75


def test_default_in_voxels_follows_from_image_to_image(lengths):
    for spacing, sigma in [((2.0, 0.5), 0.75), ((0.1, 0.1), 0.15), ((1.0, 1.0), 1.5)]:
        lengths.show_scale("µm", spacing)
        assert lengths.values()["sigma"] == sigma


def test_default_that_is_a_length_stays(lengths):
    lengths.show_scale("µm", (2.0, 0.5))
    assert lengths.values()["reach"] == 4.0


def test_value_of_a_person_stays(lengths):
    lengths.show_scale("µm", (2.0, 0.5))
    lengths.set_value("sigma", 3.0)
    lengths.show_scale("µm", (0.1, 0.1))
    assert lengths.values()["sigma"] == 3.0


def test_value_that_was_set_back_to_the_default_follows_again(lengths):
    lengths.show_scale("µm", (2.0, 0.5))
    lengths.set_value("sigma", 3.0)
    lengths.set_value("sigma", 0.75)
    lengths.show_scale("µm", (0.1, 0.1))
    assert lengths.values()["sigma"] == 0.15


def test_default_without_a_voxel_size_counts_voxels(lengths):
    lengths.show_scale("pixels")
    assert lengths.values()["sigma"] == 1.5


def test_operation_takes_the_same_default_for_an_image(lengths):
    lengths.show_scale("µm", (3.0, 0.2))
    assert lengths.values()["sigma"] == SIGMA.default_for((3.0, 0.2))


# Rows


def test_row_is_hidden_with_its_label_and_comes_back(lengths):
    lengths.show()
    lengths.show_row("reach", False)
    field = lengths._fields["reach"]
    label = lengths._form.labelForField(field)
    assert not field.isVisible()
    assert not label.isVisible()
    assert lengths._fields["sigma"].isVisible()
    lengths.show_row("reach", True)
    assert field.isVisible()
    assert label.isVisible()


def test_hidden_row_keeps_its_value(lengths):
    lengths.set_value("reach", 9.0)
    lengths.show_row("reach", False)
    assert lengths.values()["reach"] == 9.0


def test_row_that_is_not_there_is_left_alone(lengths):
    lengths.show_row("tension", False)
    assert set(lengths.values()) == {"sigma", "reach", "count"}


KERNEL = Parameter("kernel", "text", "1 2 1", "Kernel", "Help.", presets=(("Mean", "1 1\n1 1"),))


@pytest.fixture
def kernel_fields(qtbot):
    made = ParameterFields([KERNEL])
    qtbot.addWidget(made)
    return made


def test_text_of_some_lines_comes_back_as_it_was_set(kernel_fields, qtbot):
    with qtbot.waitSignal(kernel_fields.changed):
        kernel_fields.set_value("kernel", "0 1\n2 3")
    assert kernel_fields.values() == {"kernel": "0 1\n2 3"}


def test_text_to_begin_with_replaces_what_is_written(kernel_fields, qtbot):
    field = kernel_fields.findChild(TextField)
    with qtbot.waitSignal(kernel_fields.changed):
        field.presets.activated.emit(1)
    assert kernel_fields.values() == {"kernel": "1 1\n1 1"}


def test_kernel_that_can_be_read_is_shown_as_a_picture(qtbot):
    fields = ParameterFields([replace(KERNEL, check_text=parse_kernel)])
    qtbot.addWidget(fields)
    picture = fields.findChild(TextField).picture
    assert picture.pixmap().width() == 3 * picture.pixmap().height()
    fields.set_value("kernel", "1 2; 1")
    assert picture.isHidden()
    fields.set_value("kernel", "1; 2")
    assert not picture.isHidden()
    assert picture.pixmap().height() == 2 * picture.pixmap().width()


def test_picture_is_blue_below_zero_white_at_zero_and_red_above():
    low, middle, high = picture_of(np.array([-2.0, 0.0, 2.0]))[0].astype(int)
    assert low[2] > low[0] + 100
    assert high[0] > high[2] + 100
    assert (middle == 255).all()


def test_slices_of_a_kernel_lie_side_by_side():
    assert picture_of(np.ones((3, 4, 5))).shape == (4, 3 * 5 + 2, 3)


def test_a_parameter_is_shown_only_where_it_counts(qtbot):
    fields = ParameterFields(operations.get("convert_type").parameters)
    qtbot.addWidget(fields)
    fields.show()
    low = fields._fields["low"]
    assert not low.isVisible()
    fields.set_value("source", "values")
    assert low.isVisible()
    fields.set_value("source", "type")
    assert not low.isVisible()


def test_a_text_of_one_line_is_as_low_as_one(qtbot):
    line = TextField(replace(KERNEL, lines=1))
    qtbot.addWidget(line)
    assert line.edit.height() < 3 * line.edit.fontMetrics().lineSpacing()


def test_no_field_is_cut_however_narrow_the_dock_is(qtbot):
    fields = ParameterFields([p for p in operations.get("threshold").parameters if not p.advanced])
    qtbot.addWidget(fields)
    fields.show()
    for width in range(fields.minimumSizeHint().width(), 420, 3):
        fields.resize(width, fields._form.heightForWidth(width))
        QApplication.processEvents()
        for name, field in fields._fields.items():
            needed = field.minimumWidth() or field.minimumSizeHint().width()
            assert field.width() >= needed, (name, width)
            assert field.geometry().right() < width, (name, width)
