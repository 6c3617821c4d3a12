"""One editor for each declared parameter of an operation."""

import math
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QFontDatabase, QValidator
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QPlainTextEdit,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.panel_form import Section
from napari_seedbed.gui.qt.controls import check_box, in_column
from napari_seedbed.gui.qt.elided_texts import ElidedCombo
from napari_seedbed.gui.qt.kernel_picture import KernelPicture
from napari_seedbed.pipeline.engine.parameters import Parameter, Value

_DECIMALS = 12
_BETWEEN = 6
"""Pixels between labels and fields, and between rows."""


class NumberField(QDoubleSpinBox):
    """A number of any size, written as people write it: 130, 0.001, 1e-07."""

    def __init__(self, parameter: Parameter) -> None:
        super().__init__()
        self.setDecimals(_DECIMALS)
        self.setRange(
            -math.inf if parameter.minimum is None else parameter.minimum,
            math.inf if parameter.maximum is None else parameter.maximum,
        )
        self.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        # Each digit typed would start a run.
        self.setKeyboardTracking(False)
        self.setValue(float(parameter.default))

    def set_whole(self, on: bool) -> None:
        """Take whole numbers only, or any."""
        with QSignalBlocker(self):
            self.setDecimals(0 if on else _DECIMALS)

    def textFromValue(self, value: float) -> str:
        """Write the number in its shortest form."""
        return f"{value:.12g}"

    def valueFromText(self, text: str | None) -> float:
        """Read a number; also 1e-3."""
        return float(text or "nan")

    def validate(self, text: str | None, position: int) -> tuple[QValidator.State, str, int]:
        """Accept what is a number within the bounds; let people go on typing otherwise."""
        text = text or ""
        try:
            value = float(text)
        except ValueError:
            typing = set(text.lower()) <= set("0123456789.e+-")
            state = QValidator.State.Intermediate if typing else QValidator.State.Invalid
            return state, text, position
        if self.minimum() <= value <= self.maximum():
            return QValidator.State.Acceptable, text, position
        return QValidator.State.Intermediate, text, position


class TextField(QWidget):
    """A text of some lines, a list of texts to begin with, and a picture of numbers it holds."""

    changed = Signal()

    def __init__(self, parameter: Parameter) -> None:
        super().__init__()
        self.presets = QComboBox()
        self.edit = QPlainTextEdit(str(parameter.default))
        self.edit.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.edit.setTabChangesFocus(True)
        self.edit.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        # napari's themes leave it as dark as the form.
        self.edit.setStyleSheet("QPlainTextEdit { border: 1px solid gray; }")
        margin = 0 if parameter.lines > 1 else 10
        self.edit.setFixedHeight(parameter.lines * self.edit.fontMetrics().lineSpacing() + margin)
        if parameter.lines == 1:
            self.edit.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            self.edit.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._check = parameter.check_text
        self.picture = KernelPicture(self)
        self.edit.textChanged.connect(self._on_typed)
        if parameter.presets:
            self.presets.addItem("Begin with…", None)
            for name, text in parameter.presets:
                self.presets.addItem(name, text)
            self.presets.activated.connect(self._begin_with)
        presets = [self.presets] if parameter.presets else []
        in_column(self, *presets, self.edit, self.picture, spacing=4)
        self._show_picture()

    def text(self) -> str:
        """What is written."""
        return self.edit.toPlainText()

    def set_text(self, text: str) -> None:
        """Write something else."""
        if text != self.text():
            self.edit.setPlainText(text)

    def _on_typed(self) -> None:
        self._show_picture()
        self.changed.emit()

    def _show_picture(self) -> None:
        found: object = None
        if self._check is not None:
            with suppress(InputError):
                found = self._check(self.text())
        self.picture.show_kernel(found if isinstance(found, np.ndarray) else None)

    def _begin_with(self, index: int) -> None:
        text = self.presets.itemData(index)
        self.presets.setCurrentIndex(0)
        if text is not None:
            self.set_text(text)


class ParameterFields(QWidget):
    """A form with one row a parameter.

    Parameters
    ----------
    parameters : sequence of Parameter
    """

    changed = Signal()

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        super().__init__()
        self._fields: dict[str, QWidget] = {}
        self._added: dict[str, QWidget] = {}
        self._lengths: list[tuple[QLabel, Parameter]] = []
        # Those whose default follows the voxel size, with the value that they were given last.
        self._in_voxels: dict[str, tuple[Parameter, Value]] = {}
        self._form = form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(_BETWEEN)
        # Between columns the labels keep it: Qt forgets it when it tells which rows fit.
        form.setHorizontalSpacing(0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        # The dock is narrow: a long label gets a line of its own.
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for parameter in parameters:
            field = self._field(parameter)
            field.setToolTip(parameter.help)
            self._fields[parameter.name] = field
            if parameter.in_voxels:
                self._in_voxels[parameter.name] = (parameter, parameter.default)
            if isinstance(field, QCheckBox):
                form.addRow(field)
            else:
                label = _label(parameter.label)
                label.setToolTip(parameter.help)
                form.addRow(label, field)
                if parameter.unit is not None:
                    self._lengths.append((label, parameter))
        self._conditions = [p for p in parameters if p.only_with is not None]
        if self._conditions:
            self.changed.connect(self._show_what_counts)
            self._show_what_counts()

    def _field(self, parameter: Parameter) -> QWidget:
        if parameter.type == "bool":
            box = check_box(parameter.label, checked=bool(parameter.default))
            box.toggled.connect(self.changed)
            return box
        if parameter.type == "choice":
            combo = ElidedCombo()
            combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            for value, label in zip(
                parameter.choices, parameter.choice_labels or parameter.choices, strict=True
            ):
                combo.addItem(label, value)
            combo.setCurrentIndex(parameter.choices.index(str(parameter.default)))
            combo.currentIndexChanged.connect(self.changed)
            return combo
        if parameter.type == "int":
            whole = QSpinBox()
            whole.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            whole.setRange(
                -(2**31) if parameter.minimum is None else int(parameter.minimum),
                2**31 - 1 if parameter.maximum is None else int(parameter.maximum),
            )
            whole.setValue(int(parameter.default))
            whole.setKeyboardTracking(False)
            whole.valueChanged.connect(self.changed)
            return whole
        if parameter.type == "text":
            text = TextField(parameter)
            text.changed.connect(self.changed)
            return text
        number = NumberField(parameter)
        number.valueChanged.connect(self.changed)
        return number

    def show_scale(self, unit: str, spacing: Sequence[float] | None = None) -> None:
        """Write the image's unit beside the parameters that are lengths, areas or volumes.

        Defaults that count voxels become lengths in this unit, unless a person has changed them.
        """
        for label, declared in self._lengths:
            known = _unit_of_size(unit, spacing) if declared.unit == "physical_size" else unit
            label.setText(f"{declared.label} ({known})")
        for name, (parameter, shown) in self._in_voxels.items():
            if _value(self._fields[name]) == shown:
                default = parameter.default_for(spacing)
                self._in_voxels[name] = (parameter, default)
                self.set_value(name, default)

    def add_row(self, title: str, field: QWidget) -> None:
        """Add something below that is no parameter; its title serves as its name."""
        self._form.addRow(_label(title), field)
        self._added[title] = field

    def show_row(self, name: str, visible: bool) -> None:
        """Show or hide one parameter, or what was added; one that is not here is left alone."""
        field = self._fields.get(name) or self._added.get(name)
        if field is not None:
            self._form.setRowVisible(field, visible)

    def _show_what_counts(self) -> None:
        self.show_what_counts(self.values())

    def show_what_counts(self, chosen: Mapping[str, Value]) -> None:
        """Hide the parameters that make no difference with what is chosen, as far as declared."""
        for parameter in self._conditions:
            assert parameter.only_with is not None
            choice, values = parameter.only_with
            if choice in chosen:
                self.show_row(parameter.name, chosen[choice] in values)

    def set_whole(self, names: Collection[str], on: bool) -> None:
        """Let some parameters be whole numbers, or any again."""
        for name in names:
            field = self._fields.get(name)
            if isinstance(field, NumberField):
                field.set_whole(on)

    def values(self) -> dict[str, Value]:
        """The values of all parameters, by name."""
        return {name: _value(field) for name, field in self._fields.items()}

    def set_value(self, name: str, value: Any) -> None:
        """Set one parameter, as a person would."""
        field = self._fields[name]
        if isinstance(field, QCheckBox):
            field.setChecked(bool(value))
        elif isinstance(field, QComboBox):
            field.setCurrentIndex(field.findData(value))
        elif isinstance(field, QSpinBox | QDoubleSpinBox):
            field.setValue(value)
        elif isinstance(field, TextField):
            field.set_text(str(value))


class FieldsWithMore(QWidget):
    """What matters first, the rest under 'More options'.

    Parameters
    ----------
    parameters : sequence of Parameter
    """

    changed = Signal()

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        super().__init__()
        self._parts = [
            ParameterFields([p for p in parameters if not p.advanced]),
            ParameterFields([p for p in parameters if p.advanced]),
        ]
        self.more = Section("More options", self._parts[1])
        self.more.setVisible(any(p.advanced for p in parameters))
        in_column(self, self._parts[0], self.more)
        for part in self._parts:
            part.changed.connect(self._show_what_counts)
            part.changed.connect(self.changed)
        self._show_what_counts()

    def add_row(self, title: str, field: QWidget) -> None:
        """Add something under 'More options' that is no parameter."""
        self._parts[1].add_row(title, field)

    def _show_what_counts(self) -> None:
        # What the parameters below 'More options' depend on may stand above.
        for part in self._parts:
            part.show_what_counts(self.values())

    def values(self) -> dict[str, Value]:
        """The values of all parameters, by name."""
        return {**self._parts[0].values(), **self._parts[1].values()}

    def set_value(self, name: str, value: Value) -> None:
        """Set one parameter, as a person would."""
        for part in self._parts:
            if name in part.values():
                part.set_value(name, value)

    def show_scale(self, unit: str, spacing: Sequence[float] | None = None) -> None:
        """Write the unit beside lengths and sizes, whose defaults follow the voxel size."""
        for part in self._parts:
            part.show_scale(unit, spacing)

    def set_whole(self, names: Collection[str], on: bool) -> None:
        """Let some parameters be whole numbers, or any again."""
        for part in self._parts:
            part.set_whole(names, on)

    def show_row(self, name: str, visible: bool) -> None:
        """Show a parameter, or what was added, only where it means something."""
        for part in self._parts:
            part.show_row(name, visible)


def _label(text: str) -> QLabel:
    """The label of a row, with the space between it and its field."""
    label = QLabel(text)
    label.setContentsMargins(0, 0, _BETWEEN, 0)
    return label


def _unit_of_size(unit: str, spacing: Sequence[float] | None) -> str:
    """``µm²`` in 2D, ``µm³`` in 3D; pixels and voxels are counted."""
    is_3d = spacing is not None and len(spacing) == 3
    if unit == "pixels":
        return "voxels" if is_3d else "pixels"
    return f"{unit}{'³' if is_3d else '²'}"


def _value(field: QWidget) -> Value:
    if isinstance(field, QCheckBox):
        return field.isChecked()
    if isinstance(field, QComboBox):
        return str(field.currentData())
    if isinstance(field, TextField):
        return field.text()
    assert isinstance(field, QSpinBox | QDoubleSpinBox)
    return field.value()
