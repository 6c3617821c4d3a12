"""What is chosen in a panel, by the names of its fields, and chosen again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from napari.layers import Layer
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QRadioButton,
    QSlider,
    QSpinBox,
    QWidget,
)

from napari_seedbed.gui.forms.layer_choice import ChannelBoxes, LayerCombo
from napari_seedbed.gui.forms.parameter_fields import FieldsWithMore, ParameterFields

_FIELDS = (
    LayerCombo,
    ChannelBoxes,
    FieldsWithMore,
    ParameterFields,
    QCheckBox,
    QRadioButton,
    QComboBox,
    QSpinBox,
    QDoubleSpinBox,
    QSlider,
    QLineEdit,
)
_DEEPEST = 4
_LAYER = "layer"


def settings_of(panel: QWidget, layers: Sequence[Layer]) -> dict[str, Any]:
    """What is chosen in the fields of a panel, in plain values.

    Parameters
    ----------
    panel : QWidget
        With a `form`, whose attributes are the fields, or with fields of its own.
    layers : sequence of Layer
        A layer that is chosen is ``{'layer': its place in them}``.
    """
    found = {}
    for name, field in _named_fields(panel):
        value = _value(field, layers)
        if value is not None:
            found[name] = value
    return found


def choose_settings(
    panel: QWidget, settings: Mapping[str, Any], layers: Sequence[Layer | None]
) -> None:
    """Choose again what was chosen, as a person would; what does not fit is passed over.

    Layers come first, since what else is offered depends on them.
    """
    fields = dict(_named_fields(panel))
    known = [(fields[name], settings[name]) for name in fields if name in settings]
    for first in (True, False):
        for field, value in known:
            if isinstance(field, LayerCombo) == first:
                _choose(field, value, layers)


def _named_fields(panel: QWidget) -> Iterator[tuple[str, QWidget]]:
    """Fields of the form first, and then what only the panel knows by name."""
    seen = {id(panel)}
    form = getattr(panel, "form", None)
    if isinstance(form, QWidget):
        seen.add(id(form))
        yield from _fields_in(form, "", seen, 0)
    yield from _fields_in(panel, "", seen, 0)


def _fields_in(owner: QWidget, path: str, seen: set[int], depth: int) -> Iterator[tuple[str, Any]]:
    """Fields that are attributes of a widget, or of one of its own widgets of this package."""
    for name, value in _attributes(owner):
        if id(value) in seen or depth > _DEEPEST:
            continue
        seen.add(id(value))
        place = f"{path}.{name}".strip(".")
        if isinstance(value, _FIELDS):
            yield place, value
        elif type(value).__module__.startswith("napari_seedbed."):
            yield from _fields_in(value, place, seen, depth + 1)


def _attributes(owner: QWidget) -> Iterator[tuple[str, QWidget]]:
    for name, value in vars(owner).items():
        named = value if isinstance(value, dict) else {"": value}
        for key, one in named.items():
            if isinstance(one, QWidget):
                yield f"{name.strip('_')}.{key}".strip("."), one


def _value(field: QWidget, layers: Sequence[Layer]) -> Any:
    """What is chosen; None where that says nothing elsewhere."""
    if isinstance(field, LayerCombo):
        layer = field.layer()
        return {_LAYER: layers.index(layer)} if layer in layers else None
    if isinstance(field, ChannelBoxes):
        chosen = field.choices()
        return [choice in chosen for choice in field.all_choices()]
    if isinstance(field, FieldsWithMore | ParameterFields):
        return field.values()
    if isinstance(field, QCheckBox | QRadioButton):
        return field.isChecked()
    if isinstance(field, QComboBox):
        data = field.currentData()
        return data if isinstance(data, str | int | float) else None
    if isinstance(field, QLineEdit):
        return field.text()
    assert isinstance(field, QSpinBox | QDoubleSpinBox | QSlider)
    return field.value()


def _choose(field: QWidget, value: Any, layers: Sequence[Layer | None]) -> None:
    if isinstance(field, LayerCombo):
        place = value.get(_LAYER) if isinstance(value, Mapping) else None
        if isinstance(place, int) and 0 <= place < len(layers):
            layer = layers[place]
            if layer is not None:
                field.choose(layer)
    elif isinstance(field, ChannelBoxes):
        choices = field.all_choices()
        if isinstance(value, list) and len(value) == len(choices) and any(value):
            field.set_choices(choices, [bool(one) for one in value])
            field.chosen.emit()
    elif isinstance(field, FieldsWithMore | ParameterFields):
        for name, before in field.values().items():
            given = value.get(name, before) if isinstance(value, Mapping) else before
            if given != before and _is_alike(given, before):
                field.set_value(name, given)
    elif isinstance(field, QCheckBox | QRadioButton):
        if isinstance(value, bool) and field.isEnabled():
            field.setChecked(value)
    elif isinstance(field, QComboBox):
        index = field.findData(value)
        if index >= 0 and index != field.currentIndex():
            field.setCurrentIndex(index)
            field.activated.emit(index)
    elif isinstance(field, QLineEdit):
        if isinstance(value, str):
            field.setText(value)
    elif isinstance(field, QSpinBox | QDoubleSpinBox | QSlider) and _is_alike(value, field.value()):
        field.setValue(value)


def _is_alike(given: Any, before: Any) -> bool:
    """Whether a value is of the kind that a field takes."""
    if isinstance(before, float):
        return isinstance(given, int | float) and not isinstance(given, bool)
    return type(given) is type(before)
