"""The widgets of the random walker panel, from top to bottom; what they do is the panel's."""

from collections.abc import Sequence

from napari.layers import Layer
from qtpy.QtCore import QSignalBlocker, QSize, Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_seedbed.gui.layers import ChannelChoice

NEXT_KEY = "U"


class LayerCombo(QComboBox):
    """A choice among layers, which follows their names and keeps the chosen layer."""

    layer_chosen = Signal(object)

    def __init__(self, nothing: str, tip: str) -> None:
        super().__init__()
        self._nothing = nothing
        self.setToolTip(tip)
        # Long names of files would make the dock as wide as the screen.
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.currentIndexChanged.connect(self._announce)
        self.set_layers([])

    def layer(self) -> Layer | None:
        """The chosen layer."""
        chosen: Layer | None = self.currentData()
        return chosen

    def choose(self, layer: Layer) -> None:
        """Choose a layer that is in the list."""
        for index in range(self.count()):
            if self.itemData(index) is layer:
                self.setCurrentIndex(index)

    def set_layers(self, layers: Sequence[Layer]) -> None:
        """Offer these layers; the chosen one stays if it is among them, else the first one is."""
        before = self.layer()
        blocker = QSignalBlocker(self)
        self.clear()
        for layer in layers:
            self.addItem(layer.name, layer)
        if not layers:
            self.addItem(self._nothing, None)
        self.setEnabled(bool(layers))
        kept = next((i for i, layer in enumerate(layers) if layer is before), 0)
        self.setCurrentIndex(kept)
        blocker.unblock()
        if self.layer() is not before:
            self._announce()

    def _announce(self) -> None:
        self.layer_chosen.emit(self.layer())


class ElidedCheckBox(QCheckBox):
    """A check box whose long text is cut with an ellipsis rather than widening the dock."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._whole = text
        self.setToolTip(text)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        """Room for the box and a few letters."""
        return QSize(80, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Show as much of the text as there is room for."""
        super().resizeEvent(event)
        room = self.width() - self.height() - 8
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, room))


class ChannelBoxes(QWidget):
    """One check box a channel, in rows; hidden where there is nothing to choose."""

    chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._boxes: list[QCheckBox] = []
        self._choices: list[ChannelChoice] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)

    def offer(self, choices: Sequence[ChannelChoice], checked: Sequence[bool] | None) -> None:
        """Offer channels; what was checked stays checked where `checked` is None."""
        if checked is None:
            if choices == self._choices:
                return
            before = [(choice.layer, choice.index) for choice in self.choices()]
            checked = [(choice.layer, choice.index) in before for choice in choices]
        self.set_choices(choices, checked)

    def set_choices(self, choices: Sequence[ChannelChoice], checked: Sequence[bool]) -> None:
        """Offer channels anew, some of them checked."""
        for box in self._boxes:
            self._layout.removeWidget(box)
            box.deleteLater()
        self._choices = list(choices)
        self._boxes = []
        for choice, on in zip(choices, checked, strict=True):
            box = ElidedCheckBox(choice.name)
            box.setChecked(on)
            box.toggled.connect(self.chosen)
            self._layout.addWidget(box)
            self._boxes.append(box)

    def choices(self) -> list[ChannelChoice]:
        """The checked ones."""
        return [
            choice
            for choice, box in zip(self._choices, self._boxes, strict=True)
            if box.isChecked()
        ]

    def all_choices(self) -> list[ChannelChoice]:
        """Checked or not."""
        return self._choices


class Section(QWidget):
    """A heading that shows and hides what is under it."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self._heading = QPushButton()
        # It is a heading that opens, not a button that is switched on.
        self._heading.setStyleSheet("text-align: left; background: transparent; padding: 3px 0;")
        self._heading.clicked.connect(self.toggle)
        self._content: QWidget | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self._column.addWidget(self._heading)
        self._show_state(False)

    def set_content(self, widget: QWidget) -> None:
        """Put a widget under the heading, hidden at first."""
        self._content = widget
        self._column.addWidget(widget)
        self._show_state(False)

    def toggle(self) -> None:
        """Open or close."""
        self._show_state(self._content is not None and self._content.isHidden())

    def _show_state(self, is_open: bool) -> None:
        self._heading.setText(f"{'▾' if is_open else '▸'} {self._title}")
        if self._content is not None:
            self._content.setVisible(is_open)


class RandomWalkerForm(QScrollArea):
    """All controls of the panel, in the order in which they are used."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._body = QWidget()
        self._column = QVBoxLayout(self._body)
        self._column.setContentsMargins(8, 6, 8, 6)
        self._column.setSpacing(6)
        self._build_inputs()
        self._build_run()
        self._build_results()
        self._build_options()
        self._column.addStretch(1)
        self.setWidget(self._body)

    def _build_inputs(self) -> None:
        self.image = LayerCombo("open an image first", "The image to segment.")
        self.channels = ChannelBoxes()
        self.channels.setToolTip("Channels that are used together.")
        self.seeds = LayerCombo(
            "none yet",
            "Marks that say what is what: a Labels layer, Points or Shapes with a 'label' column. "
            "This layer is never changed.",
        )
        self.new_seeds = QPushButton("New seeds")
        self.new_seeds.setToolTip("Make an empty Labels layer on the image, brush in hand.")
        self.times = QComboBox()
        self.times.addItem("This time point", "current")
        self.times.addItem("All time points with seeds", "all")
        self.times.setToolTip("Time points with fewer than two labels of seeds stay empty.")
        form = QFormLayout()
        form.setSpacing(6)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow("Image", self.image)
        form.addRow("Channels", self.channels)
        form.addRow("Seeds", self.seeds)
        form.addRow("", self.new_seeds)
        form.addRow("Time", self.times)
        self._inputs = form
        self._column.addLayout(form)
        self.show_channels(False)
        self.show_times(False)

    def _build_run(self) -> None:
        self.live = QCheckBox("Live update")
        self.live.setChecked(True)
        self.live.setToolTip("Follow every stroke, erasure, undo and redo.")
        self.run = QPushButton("Run")
        self.run.setToolTip("Segment now, with the same result as the command line.")
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop; what is shown stays.")
        self.cancel.setEnabled(False)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.live)
        row.addStretch(1)
        row.addWidget(self.run)
        row.addWidget(self.cancel)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.forecast = _wrapped_label()
        self.status = _wrapped_label()
        # Three lines high even when empty: buttons must not jump away under the mouse.
        self.status.setMinimumHeight(3 * self.status.fontMetrics().lineSpacing() + 4)
        self.status.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._column.addWidget(_rule())
        self._column.addLayout(row)
        self._column.addWidget(self.progress)
        self._column.addWidget(self.forecast)
        self._column.addWidget(self.status)

    def _build_results(self) -> None:
        self.next_place = QPushButton(f"Next uncertain place ({NEXT_KEY})")
        self.next_place.setToolTip(
            "Go to the largest region where the labels are in doubt, brush in hand. "
            f"Key: {NEXT_KEY}."
        )
        self.accept = QPushButton("Accept")
        self.accept.setToolTip(
            "Keep this result as an ordinary Labels layer; later strokes make a new one."
        )
        self.save_recipe = QPushButton("Save recipe…")
        self.save_recipe.setToolTip(
            "Write settings and seeds to a file that 'seedbed run' repeats to the voxel."
        )
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.accept)
        row.addWidget(self.save_recipe)
        self._column.addWidget(_rule())
        self._column.addWidget(self.next_place)
        self._column.addLayout(row)

    def _build_options(self) -> None:
        self.options = Section("More options")
        self._column.addWidget(_rule())
        self._column.addWidget(self.options)

    def minimumSizeHint(self) -> QSize:
        """As wide as the contents need, since there is no horizontal scroll bar."""
        bar = self.verticalScrollBar()
        needed = self._body.minimumSizeHint().width() + (bar.sizeHint().width() if bar else 0)
        return QSize(max(needed, 310), 120)

    def sizeHint(self) -> QSize:
        """As narrow as it may be: the picture matters more."""
        return QSize(self.minimumSizeHint().width(), 600)

    def add_options(self, widget: QWidget) -> None:
        """Put the parameters' editors under 'More options'."""
        self.options.set_content(widget)

    def show_channels(self, visible: bool) -> None:
        """Show the channels only where there are some to choose from."""
        self._inputs.setRowVisible(self.channels, visible)

    def show_times(self, visible: bool) -> None:
        """Show the choice of time points only for a time series."""
        self._inputs.setRowVisible(self.times, visible)

    def show_running(self, running: bool) -> None:
        """Switch Cancel on and the bar's fraction back."""
        self.cancel.setEnabled(running)
        if not running:
            self.progress.setValue(0)


def _wrapped_label() -> QLabel:
    label = QLabel("")
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return label


def _rule() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setFixedHeight(1)
    return line
