"""The widgets of the chromaticity panel, from top to bottom; what they do is the panel's."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_seedbed.gui.apply_choice import ApplyChoice
from napari_seedbed.gui.colour_plot import ColourPlot
from napari_seedbed.gui.layer_choice import ChannelBoxes, LayerCombo
from napari_seedbed.gui.panel_form import PanelForm, Section, form_rows, rule
from napari_seedbed.gui.parameter_fields import FieldsWithMore
from napari_seedbed.gui.run_controls import RunControls, wrapped_label
from napari_seedbed.gui.seed_layers import label_count
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.operations import Forecast, Operation, forecast
from napari_seedbed.pipeline.parameters import Parameter

SELECTION = "colour_selection"
OUTPUTS = ("mask", "labels", "coordinates", "probabilities", "composite")
"""Parameters that ask for outputs; the panel has check boxes of its own for them."""

_BY_PANEL = (*OUTPUTS, "space", "channel_1", "channel_2", "threshold", "colours", "outline")
_STEPS = 1000

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
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self.first, self.second = _narrow_combo(), _narrow_combo()
        for combo in (self.first, self.second):
            combo.currentIndexChanged.connect(self.changed)
            row.addWidget(combo)

    def offer(self, names: Sequence[str]) -> None:
        """Offer channels by their names; what was chosen stays where it can."""
        if names == [self.first.itemText(i) for i in range(self.first.count())]:
            return
        for nth, combo in enumerate((self.first, self.second)):
            blocker = QSignalBlocker(combo)
            before = combo.currentIndex()
            combo.clear()
            combo.addItems(list(names))
            combo.setCurrentIndex(before if 0 <= before < len(names) else min(nth, len(names) - 1))
            blocker.unblock()
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
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.slider, 1)
        row.addWidget(self.number)
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
        blocker = QSignalBlocker(self.slider)
        self.slider.setValue(round(value * _STEPS))
        blocker.unblock()
        self.changed.emit(value)


class ChromaticityForm(PanelForm):
    """All controls of the panel, in the order in which they are used.

    Run and what stands around it are in `controls`, which the panel puts below, always in sight.

    Parameters
    ----------
    methods : sequence of Operation
    """

    def __init__(self, methods: Sequence[Operation]) -> None:
        super().__init__()
        self.methods = {method.name: method for method in methods}
        self._build_inputs()
        self._build_histogram()
        self._build_method()
        self._build_colours()
        self._build_results()
        self._build_run()
        self.column.addStretch(1)
        self.show_method()

    def _build_inputs(self) -> None:
        self.image = LayerCombo("open an image first", "The image to find colours in.")
        self.channels = ChannelBoxes()
        self.channels.setToolTip("Channels that are compared with each other; two at least.")
        self.patches = LayerCombo(
            "none yet",
            "Shapes or labels that mark pixels of the wanted colour. Different labels are "
            "different classes.",
        )
        self.new_patch = QPushButton("New patch")
        self.new_patch.setToolTip("Drag a rectangle on the image, on pixels of the wanted colour.")
        self.patch_class = QSpinBox()
        self.patch_class.setRange(1, 9999)
        self.patch_class.setPrefix("class ")
        self.patch_class.setToolTip(
            "The class of the next patch: patches of one class are learnt together."
        )
        marks = QHBoxLayout()
        marks.setSpacing(4)
        marks.addWidget(self.new_patch, 1)
        marks.addWidget(self.patch_class, 1)
        self._inputs = form_rows()
        self._inputs.addRow("Image", self.image)
        self._inputs.addRow("Channels", self.channels)
        self._inputs.addRow("Patches", self.patches)
        self._inputs.addRow("", marks)
        self.column.addLayout(self._inputs)
        self.show_channels(False)

    def _build_histogram(self) -> None:
        self.space = _wide_combo()
        for name, title in SPACES.items():
            self.space.addItem(title, name)
        self.space.setToolTip(
            "The coordinates of the histogram, which back-projection and outlines work in. "
            "Chromaticities are channels over the sum of all: colour without brightness."
        )
        self.pair = ChannelPair()
        self.extent = _wide_combo()
        self.extent.addItem("Slice in view", "slice")
        self.extent.addItem("Whole volume", "volume")
        self.extent.setToolTip("Whose pixels the histogram counts.")
        self.colour_plot = ColourPlot()
        self._histogram = form_rows()
        self._histogram.addRow("Colours as", self.space)
        self._histogram.addRow("Pair", self.pair)
        self._histogram.addRow("Histogram of", self.extent)
        self.column.addWidget(rule())
        self.column.addLayout(self._histogram)
        self.column.addWidget(self.colour_plot)

    def _build_method(self) -> None:
        self.method = _wide_combo()
        self.fields: dict[str, FieldsWithMore] = {}
        rows = form_rows()
        rows.addRow("Method", self.method)
        self.column.addWidget(rule())
        self.column.addLayout(rows)
        for method in self.methods.values():
            self.method.addItem(method.title, method.name)
            self.method.setItemData(
                self.method.count() - 1, method.help, Qt.ItemDataRole.ToolTipRole
            )
            own = [p for p in method.parameters if p.name not in _BY_PANEL]
            self.fields[method.name] = FieldsWithMore(own)
            self.column.addWidget(self.fields[method.name])
        threshold = next(
            method.parameter("threshold")
            for method in self.methods.values()
            if method.name != SELECTION
        )
        self.threshold = ThresholdSlider(threshold)
        self.compare = QPushButton("Compare levels…")
        self.compare.setToolTip(
            "Show the slice in view at the thresholds 0.2, 0.4, 0.6 and 0.8, side by side; a click "
            "takes one."
        )
        self._threshold = form_rows()
        self._threshold.addRow("Threshold", self.threshold)
        self._threshold.addRow("", self.compare)
        self.column.addLayout(self._threshold)

    def _build_colours(self) -> None:
        self.hold = QCheckBox("Hold these colours")
        self.hold.setToolTip(
            "Go on with the colours below, whatever is marked: choose another image, of any size, "
            "and find them there."
        )
        self.colours = QPlainTextEdit()
        self.colours.setReadOnly(True)
        self.colours.setFixedHeight(5 * self.colours.fontMetrics().lineSpacing())
        self.colours.setStyleSheet("QPlainTextEdit { border: 1px solid gray; }")
        self.colours.setToolTip(
            "What was learnt, as text. Hold the colours to change it, or to paste another one."
        )
        self.keeps = _wide_combo()
        self.keeps.addItem("Colours: for any image", "colours")
        self.keeps.addItem("Patches: learn anew on each", "patches")
        self.keeps.setToolTip(
            "What Run and its recipe go by. Colours hold for images of any size. Patches are "
            "looked up at their places, on each image anew, which must have the same size."
        )
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.hold)
        column.addWidget(self.colours)
        rows = form_rows()
        rows.addRow("Recipe keeps", self.keeps)
        column.addLayout(rows)
        self.reference = Section("Reference colours")
        self.reference.set_content(content)
        self.column.addWidget(self.reference)

    def _build_results(self) -> None:
        self.wanted: dict[str, QCheckBox] = {}
        texts = {
            "mask": ("Mask or labels", "Pixels that reach the threshold, by class if several."),
            "image": ("Probability", "From 0 to 1; of the most probable class if several."),
            "coordinates": ("Each coordinate", "The probability of r and of g by themselves."),
            "probabilities": ("Each class", "The probability of each class by itself."),
            "composite": ("Composite", "The image, in colour only where the mask is."),
        }
        grid = QGridLayout()
        grid.setSpacing(2)
        for nth, (name, (text, tip)) in enumerate(texts.items()):
            box = QCheckBox(text)
            box.setToolTip(tip)
            box.setChecked(name == "mask")
            self.wanted[name] = box
            grid.addWidget(box, *divmod(nth, 2))
        self.apply_to = ApplyChoice()
        self._apply = form_rows()
        self._apply.addRow("Apply to", self.apply_to)
        self.column.addWidget(rule())
        self.column.addWidget(wrapped_label("Run adds these layers:"))
        self.column.addLayout(grid)
        self.column.addLayout(self._apply)

    def _build_run(self) -> None:
        self.follow = QCheckBox("Preview")
        self.follow.setChecked(True)
        self.follow.setToolTip("Show the mask on the slice in view while anything changes.")
        self.save_recipe = QPushButton("Save recipe…")
        self.save_recipe.setToolTip("Write down how the last result was made, to repeat it.")
        self.controls = RunControls(beside=self.follow, below=(self.save_recipe,))
        self.run, self.cancel = self.controls.run, self.controls.cancel
        self.status = self.controls.status
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

    def show_channels(self, visible: bool) -> None:
        """Show the channels only where there are some to choose from."""
        self._inputs.setRowVisible(self.channels, visible)

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
        # Two of three shares tell the third one.
        paired = space == "channels" or (space == "rg" and len(names) > 3)
        self._histogram.setRowVisible(self.pair, paired)

    def show_extent(self, is_deep: bool) -> None:
        """Offer the whole volume only where there is one."""
        self._histogram.setRowVisible(self.extent, is_deep)

    def show_apply(self) -> None:
        """Show the parts of the image only where there are several."""
        self._apply.setRowVisible(self.apply_to, self.apply_to.count() > 1)


def _wide_combo() -> QComboBox:
    combo = _narrow_combo()
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return combo


def _narrow_combo() -> QComboBox:
    combo = QComboBox()
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(6)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return combo
