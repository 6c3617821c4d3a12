"""Controls with their tips, and rows and columns of them."""

from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

from qtpy.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

Part: TypeAlias = QWidget | QLayout | str | None
"""A control or a group of them; a text is a label, None is room that stretches."""

LabelT = TypeVar("LabelT", bound=QLabel)


def button(text: str, tip: str = "", *, checkable: bool = False) -> QPushButton:
    """A push button."""
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setCheckable(checkable)
    return made


def save_recipe_button(
    tip: str = "Write down how the last result was made, to repeat it.",
) -> QPushButton:
    """The button that saves the recipe of what a panel has made."""
    return button("Save recipe…", tip)


def check_box(text: str, tip: str = "", *, checked: bool = False) -> QCheckBox:
    """A check box."""
    made = QCheckBox(text)
    made.setToolTip(tip)
    made.setChecked(checked)
    return made


def choice(tip: str = "", items: Mapping[Any, str] | None = None, letters: int = 0) -> QComboBox:
    """A box of choices that takes the room there is, the texts of `items` with their keys as data.

    With `letters` it may become so narrow, however long the texts are.
    """
    made = QComboBox()
    made.setToolTip(tip)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    for data, text in (items or {}).items():
        made.addItem(text, data)
    if letters:
        allow_narrow(made, letters)
    return made


def allow_narrow(combo: QComboBox, letters: int) -> None:
    """Let a box of choices be narrower than its longest text."""
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(letters)


def in_bold(label: LabelT) -> LabelT:
    """The label with a bold font."""
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


def in_row(*parts: Part | tuple[Part, int], spacing: int = 4) -> QHBoxLayout:
    """Parts beside each other, each alone or with its stretch."""
    row = QHBoxLayout()
    row.setSpacing(spacing)
    fill(row, *parts)
    return row


def in_column(
    owner: QWidget,
    *parts: Part | tuple[Part, int],
    spacing: int = 6,
    margins: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> QWidget:
    """The owner, with the parts below each other in it."""
    column = QVBoxLayout(owner)
    column.setSpacing(spacing)
    column.setContentsMargins(*margins)
    fill(column, *parts)
    return owner


def fill(layout: QBoxLayout, *parts: Part | tuple[Part, int]) -> None:
    """Add parts to a row or a column, each alone or with its stretch."""
    for given in parts:
        part, stretch = given if isinstance(given, tuple) else (given, 0)
        if part is None:
            layout.addStretch(1)
        elif isinstance(part, QLayout):
            layout.addLayout(part, stretch)
        else:
            layout.addWidget(QLabel(part) if isinstance(part, str) else part, stretch)


def in_grid(columns: int, *widgets: QWidget, spacing: int = 4) -> QGridLayout:
    """Widgets row by row."""
    made = QGridLayout()
    made.setSpacing(spacing)
    for nth, widget in enumerate(widgets):
        made.addWidget(widget, *divmod(nth, columns))
    return made


def form_rows(*rows: tuple[str, QWidget | QLayout]) -> QFormLayout:
    """Rows of titles and fields."""
    form = QFormLayout()
    form.setSpacing(6)
    form.setContentsMargins(0, 0, 0, 0)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    for title, field in rows:
        # one by one: the two kinds of fields are overloads
        form.addRow(title, field)
    return form
