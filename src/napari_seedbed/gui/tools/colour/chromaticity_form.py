"""The widgets of the chromaticity panel, from top to bottom; what they do is the panel's."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QDoubleSpinBox,
    QPlainTextEdit,
    QSlider,
    QSpinBox,
    QWidget,
)

from napari_seedbed.gui.forms.apply_choice import ApplyChoice
from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.forms.marks_panel import MarksForm
from napari_seedbed.gui.forms.panel_form import Section, rule
from napari_seedbed.gui.forms.parameter_fields import FieldsWithMore
from napari_seedbed.gui.layers.seed_layers import label_count
from napari_seedbed.gui.qt.controls import (
    button,
    check_box,
    choice,
    form_rows,
    in_column,
    in_grid,
    in_row,
    save_recipe_button,
)
from napari_seedbed.gui.qt.run_controls import RunControls, wrapped_label
from napari_seedbed.gui.tools.colour.colour_plot import ColourPlot
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.parameters import Parameter
from napari_seedbed.pipeline.operations import Forecast, Operation, forecast

SELECTION = "colour_selection"
OUTPUTS = ("mask", "labels", "coordinates", "probabilities", "composite")
"""Parameters that ask for outputs; the panel has check boxes of its own for them."""

_BY_PANEL = (*OUTPUTS, "space", "channel_1", "channel_2", "threshold", "colours", "outline")
_STEPS = 1000
_LETTERS = 6

SPACES = {
    "rg": "Chromaticities",
    "hue": "Hue",
    "hue_saturation": "Hue and saturation",
    "channels": "Values of channels",
}


class ChannelPair(QWidget):
    """Two channels to be the coordinates."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = choice(letters=_LETTERS), choice(letters=_LETTERS)
        for combo in (self.first, self.second):
            combo.currentIndexChanged.connect(self.changed)
        in_column(self, in_row(self.first, self.second))

    def offer(self, names: Sequence[str]) -> None:
        """Offer channels by their names; what was chosen stays where it can."""
        if names == [self.first.itemText(i) for i in range(self.first.count())]:
            return
        for nth, combo in enumerate((self.first, self.second)):
            with QSignalBlocker(combo):
                before = combo.currentIndex()
                combo.clear()
                combo.addItems(list(names))
                combo.setCurrentIndex(
                    before if 0 <= before < len(names) else min(nth, len(names) - 1)
                )
        self.changed.emit()

    def pair(self) -> tuple[int, int]:
        """The channels, counted from 0."""
        return max(self.first.currentIndex(), 0), max(self.second.currentIndex(), 0)


class ThresholdSlider(QWidget):
    """A slider and the number that it stands for."""

    changed = Signal(float)

    def __init__(self, parameter: Parameter) -> None:
        super().__init__()
        self.setToolTip(parameter.help)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        self.number = QDoubleSpinBox()
        self.number.setRange(0, 1)
        self.number.setDecimals(3)
        self.number.setSingleStep(0.05)
        self.number.setKeyboardTracking(False)
        in_column(self, in_row((self.slider, 1), self.number))
        self.slider.valueChanged.connect(lambda step: self.number.setValue(step / _STEPS))
        self.number.valueChanged.connect(self._on_number)
        self.set_value(float(parameter.default))

    def value(self) -> float:
        """The threshold."""
        return float(round(self.number.value(), 3))

    def set_value(self, value: float) -> None:
        """Move it, as a person would."""
        self.number.setValue(value)

    def _on_number(self, value: float) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(value * _STEPS))
        self.changed.emit(value)


class ChromaticityForm(MarksForm):
    """All controls of the panel, in the order in which they are used.

    Run and what stands around it are in `controls`, which the panel puts below, always in sight.

    Parameters
    ----------
    methods : sequence of Operation
    """

    def __init__(self, methods: Sequence[Operation]) -> None:
        self.patches = LayerCombo(
            "none yet",
            "Shapes or labels that mark pixels of the wanted colour. Different labels are "
            "different classes.",
        )
        super().__init__(
            "The image to find colours in.",
            "Channels that are compared with each other; two at least.",
            self.patches,
        )
        self.methods = {method.name: method for method in methods}
        self._build_inputs()
        self._build_histogram()
        self._build_method()
        self._build_colours()
        self._build_results()
        self._build_run()
        self.add(None)
        self.show_method()

    def _build_inputs(self) -> None:
        self.new_patch = button(
            "New patch", "Drag a rectangle on the image, on pixels of the wanted colour."
        )
        self.patch_class = QSpinBox()
        self.patch_class.setRange(1, 9999)
        self.patch_class.setPrefix("class ")
        self.patch_class.setToolTip(
            "The class of the next patch: patches of one class are learnt together."
        )
        self._inputs.addRow("Patches", self.patches)
        self._inputs.addRow("", in_row((self.new_patch, 1), (self.patch_class, 1)))
        self.add(self._inputs)

    def _build_histogram(self) -> None:
        self.space = choice(
            "The coordinates of the histogram, which back-projection and outlines work in. "
            "Chromaticities are channels over the sum of all: colour without brightness.",
            SPACES,
            _LETTERS,
        )
        self.pair = ChannelPair()
        extents = {"slice": "Slice in view", "volume": "Whole volume"}
        self.extent = choice("Whose pixels the histogram counts.", extents, _LETTERS)
        self.colour_plot = ColourPlot()
        self._histogram = form_rows(
            ("Colours as", self.space), ("Pair", self.pair), ("Histogram of", self.extent)
        )
        self.add(rule(), self._histogram, self.colour_plot)

    def _build_method(self) -> None:
        self.method = choice(letters=_LETTERS)
        self.fields: dict[str, FieldsWithMore] = {}
        self.add(rule(), form_rows(("Method", self.method)))
        for nth, method in enumerate(self.methods.values()):
            self.method.addItem(method.title, method.name)
            self.method.setItemData(nth, method.help, Qt.ItemDataRole.ToolTipRole)
            own = [p for p in method.parameters if p.name not in _BY_PANEL]
            self.fields[method.name] = FieldsWithMore(own)
            self.add(self.fields[method.name])
        threshold = next(
            method.parameter("threshold")
            for method in self.methods.values()
            if method.name != SELECTION
        )
        self.threshold = ThresholdSlider(threshold)
        self.compare = button(
            "Compare levels…",
            "Show the slice in view at the thresholds 0.2, 0.4, 0.6 and 0.8, side by side; a click "
            "takes one.",
        )
        self._threshold = form_rows(("Threshold", self.threshold), ("", self.compare))
        self.add(self._threshold)

    def _build_colours(self) -> None:
        self.hold = check_box(
            "Hold these colours",
            "Go on with the colours below, whatever is marked: choose another image, of any size, "
            "and find them there.",
        )
        self.colours = QPlainTextEdit()
        self.colours.setReadOnly(True)
        self.colours.setFixedHeight(5 * self.colours.fontMetrics().lineSpacing())
        self.colours.setStyleSheet("QPlainTextEdit { border: 1px solid gray; }")
        self.colours.setToolTip(
            "What was learnt, as text. Hold the colours to change it, or to paste another one."
        )
        self.keeps = choice(
            "What Run and its recipe go by. Colours hold for images of any size. Patches are "
            "looked up at their places, on each image anew, which must have the same size.",
            {"colours": "Colours: for any image", "patches": "Patches: learn anew on each"},
            _LETTERS,
        )
        keeps = form_rows(("Recipe keeps", self.keeps))
        self.reference = Section(
            "Reference colours", in_column(QWidget(), self.hold, self.colours, keeps)
        )
        self.add(self.reference)

    def _build_results(self) -> None:
        texts = {
            "mask": ("Mask or labels", "Pixels that reach the threshold, by class if several."),
            "image": ("Probability", "From 0 to 1; of the most probable class if several."),
            "coordinates": ("Each coordinate", "The probability of r and of g by themselves."),
            "probabilities": ("Each class", "The probability of each class by itself."),
            "composite": ("Composite", "The image, in colour only where the mask is."),
        }
        self.wanted: dict[str, QCheckBox] = {
            name: check_box(text, tip, checked=name == "mask")
            for name, (text, tip) in texts.items()
        }
        self.apply_to = ApplyChoice()
        self.add(rule(), wrapped_label("Run adds these layers:"))
        self.add(in_grid(2, *self.wanted.values(), spacing=2), self.apply_to.rows)

    def _build_run(self) -> None:
        self.follow = check_box(
            "Preview", "Show the mask on the slice in view while anything changes.", checked=True
        )
        self.save_recipe = save_recipe_button()
        self.controls = RunControls(beside=self.follow, below=(self.save_recipe,))
        # always in sight, and a line high even when empty: buttons must not jump away
        self.area = wrapped_label()
        self.area.setMinimumHeight(self.area.fontMetrics().lineSpacing() + 4)
        column = self.controls.layout()
        assert isinstance(column, QBoxLayout)
        column.insertWidget(0, self.area)
        self.controls.setContentsMargins(8, 0, 8, 6)

    # What is chosen

    def operation(self) -> Operation:
        """The chosen method."""
        return self.methods[str(self.method.currentData())]

    def choose(self, name: str) -> None:
        """Choose a method by its name."""
        self.method.setCurrentIndex(self.method.findData(name))

    def cost(self, image: Image) -> Forecast:
        """What a run would take with the patches that are chosen."""
        return forecast(
            self.operation(),
            {"image": image},
            self.own_parameters(),
            n_labels=label_count(self.patches.layer()),
        )

    def own_parameters(self) -> dict[str, Any]:
        """The parameters of the method that this form knows; not the colours or the outline."""
        operation = self.operation()
        values: dict[str, Any] = self.fields[operation.name].values()
        declared = {parameter.name for parameter in operation.parameters}
        if "space" in declared:
            first, second = self.pair.pair()
            values |= {"space": self.space_of(operation), "channel_1": first + 1}
            values |= {"channel_2": second + 1}
        if "threshold" in declared:
            values["threshold"] = self.threshold.value()
        return values

    def space_of(self, operation: Operation) -> str:
        """The colour space of a method; that of two coordinates where it needs two."""
        name = str(self.space.currentData())
        return name if name in operation.parameter("space").choices else "hue_saturation"

    def show_method(self) -> None:
        """Show what the chosen method needs."""
        chosen = self.operation()
        for name, fields in self.fields.items():
            fields.setVisible(name == chosen.name)
        learns = chosen.name != SELECTION
        self._threshold.setRowVisible(self.threshold, learns)
        self._threshold.setRowVisible(self.compare, learns)
        self.reference.setVisible(learns)
        given = (chosen.gives, "image" if learns else "mask", "mask", *chosen.extra_outputs)
        for name, box in self.wanted.items():
            box.setVisible(name in given)

    def show_space(self, names: Sequence[str]) -> None:
        """Offer what an image of these channels has; hue needs three."""
        self.pair.offer(list(names))
        model = self.space.model()
        for name in ("hue", "hue_saturation"):
            item = model.item(self.space.findData(name)) if model is not None else None  # type: ignore[attr-defined]
            if item is not None:
                item.setEnabled(len(names) == 3)
        if len(names) != 3 and str(self.space.currentData()) in ("hue", "hue_saturation"):
            self.space.setCurrentIndex(0)
        space = str(self.space.currentData())
        # Two of three shares determine the third one.
        paired = space == "channels" or (space == "rg" and len(names) > 3)
        self._histogram.setRowVisible(self.pair, paired)

    def show_extent(self, is_deep: bool) -> None:
        """Offer the whole volume only where there is one."""
        self._histogram.setRowVisible(self.extent, is_deep)
