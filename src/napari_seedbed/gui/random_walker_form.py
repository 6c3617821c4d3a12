"""The widgets of the random walker panel, from top to bottom; what they do is the panel's."""

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_seedbed.gui.layer_choice import ChannelBoxes, LayerCombo
from napari_seedbed.gui.run_controls import RunControls

NEXT_KEY = "U"


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
        self.controls = RunControls(beside=self.live)
        self.run = self.controls.run
        self.run.setToolTip("Segment now, with the same result as the command line.")
        self.cancel = self.controls.cancel
        self.progress = self.controls.progress
        self.forecast = self.controls.forecast
        self.status = self.controls.status
        self._column.addWidget(_rule())
        self._column.addWidget(self.controls)

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


def _rule() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setFixedHeight(1)
    return line
