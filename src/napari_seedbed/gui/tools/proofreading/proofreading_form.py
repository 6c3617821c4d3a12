"""The controls of the panel that proofreads labels."""

from collections.abc import Sequence

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from napari_seedbed.gui.forms.layer_choice import LayerCombo
from napari_seedbed.gui.forms.panel_form import PanelForm, rule
from napari_seedbed.gui.layers.object_states import CLASS_COLOURS
from napari_seedbed.gui.qt.controls import (
    button,
    check_box,
    choice,
    form_rows,
    in_bold,
    in_column,
    in_grid,
    in_row,
    save_recipe_button,
)
from napari_seedbed.gui.qt.run_controls import wrapped_label
from napari_seedbed.gui.tools.proofreading.edit_actions import ACTIONS
from napari_seedbed.gui.tools.proofreading.picture_tools import Tool
from napari_seedbed.gui.tools.proofreading.review_order import ORDERS
from napari_seedbed.gui.tools.proofreading.through_time import TimeForm

KEYS = {
    "next": "N",
    "previous": "Shift+N",
    "check": "K",
    "lock": "W",
    "lasso": "A",
    "cut": "S",
    "merge_clicks": "Shift+J",
}
"""Beside those of `ACTIONS`, as napari writes them."""

TOOLS: dict[Tool, tuple[str, str]] = {
    "lasso": (
        "Lasso",
        "Draw around objects: those that lie at least half inside are selected, in the 3D display "
        f"those whose middle is inside. Key {KEYS['lasso']}.",
    ),
    "merge": (
        "Merge clicks",
        f"Click one object, then the other. Key {KEYS['merge_clicks']}.",
    ),
    "cut": (
        "Cut",
        "Draw a line through an object: it is cut in two, in a volume on all slices, in the 3D "
        f"display along the view. Key {KEYS['cut']}.",
    ),
    "strokes": (
        "Strokes",
        "Draw one stroke in each part of an object, in the 3D display on its surface, then press "
        "Enter or Split.",
    ),
    "points": (
        "Points",
        "Click once in each part of an object, in the 3D display on its surface, then press Enter "
        "or Split.",
    ),
    "redo": (
        "Grow strokes",
        "Draw in the selected object, and with Shift beside it, then press Enter or Grow anew: it "
        "is segmented again from these strokes.",
    ),
}

CUTTERS: tuple[Tool, ...] = ("cut", "strokes", "points")


class ProofreadingForm(PanelForm):
    """All controls, in the order in which they are used."""

    def __init__(self) -> None:
        super().__init__()
        self._build_layer()
        self._build_review()
        self._build_tools()
        self._build_edits()
        self._build_history()
        self.through_time = TimeForm()
        self.time_section = self.through_time.section()
        self.add(self.time_section, None)

    def _build_layer(self) -> None:
        self.labels = LayerCombo("open or make a Labels layer", "The objects to proofread.")
        self.times = QComboBox()
        self.times.setToolTip("Which axis is time; the axis labels do not say.")
        self.image = LayerCombo(
            "no image",
            "Grow anew and splits by strokes look for edges in it.",
            none="no image",
        )
        self.doubt = LayerCombo(
            "their shapes",
            "What the doubt about an object is: the mean of an uncertainty within it, or how "
            "unlike those of the others its size and shape are.",
            none="their shapes",
        )
        self.rows = form_rows(
            ("Labels", self.labels),
            ("Time axis", self.times),
            ("Image", self.image),
            ("Doubt by", self.doubt),
        )
        self.count = in_bold(wrapped_label())
        self.add(self.rows, self.count)

    def _build_review(self) -> None:
        self.order = choice("The order of Next and Previous.", ORDERS, letters=8)
        self.unchecked = check_box("Unchecked only", "Skip objects that are checked.", checked=True)
        self.previous = button("◀ Previous", f"Key {KEYS['previous']}.")
        self.next = button("Next ▶", f"Go to the next object of the list. Key {KEYS['next']}.")
        self.check = button(
            "Checked", f"Mark the selected objects as right. Key {KEYS['check']}.", checkable=True
        )
        self.lock = button(
            "Locked",
            "Nothing changes the selected objects any more, neither edits nor napari's own "
            f"tools. Key {KEYS['lock']}.",
            checkable=True,
        )
        self.add(
            rule(),
            in_row((self.order, 1), self.unchecked),
            in_row(self.previous, (self.next, 1)),
        )
        self.selected = wrapped_label()
        self.classes = choice("The class of the selected objects. Keys Alt+1 to Alt+9.", letters=5)
        self.edit_classes = button(
            "Classes…", "Add, rename and remove classes; show their colours."
        )
        self.class_colours = check_box(
            "Colours of classes", "Show the objects in the colours of their classes, others dimmed."
        )
        self._class_row = in_row("Class", (self.classes, 1), self.edit_classes)
        self.add(rule(), self.selected, in_row((self.check, 1), (self.lock, 1)), self._class_row)

    def _build_tools(self) -> None:
        self.tools: dict[Tool, QPushButton] = {
            tool: button(title, tip, checkable=True) for tool, (title, tip) in TOOLS.items()
        }
        self.paint = button(
            "Paint", "napari's brush, with the label of the selected object.", checkable=True
        )
        self.erase = button("Erase", "napari's eraser.", checkable=True)
        self.walls = check_box(
            "Walls",
            "Painting changes background alone and the eraser the selected object alone: no other "
            "object is touched.",
            checked=True,
        )
        self.add(
            rule(),
            in_row((self.tools["lasso"], 1), (self.tools["merge"], 1)),
            in_row((self.paint, 1), (self.erase, 1), self.walls),
        )

    def _build_edits(self) -> None:
        self.edits: dict[str, QPushButton] = {}
        for name, action in ACTIONS.items():
            keys = f" Key {action.key}." if action.key else ""
            self.edits[name] = button(action.title, f"{action.tip}{keys}")
        self.radius = QDoubleSpinBox()
        self.radius.setRange(0.0, 1e6)
        self.radius.setDecimals(3)
        self.radius.setToolTip("For Smooth, Open, Close, Grow and Shrink.")
        self.every = QSpinBox()
        self.every.setRange(0, 1000)
        self.every.setSpecialValueText("gaps")
        self.every.setPrefix("every ")
        self.every.setToolTip(
            "Which slices of an object Interpolate keeps: every n-th, or all, to fill gaps."
        )
        self.split = button("Split", "By the strokes or points that are drawn. Key Enter.")
        self.split.setEnabled(False)
        for field in (self.radius, self.every):
            field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            field.setStyleSheet("min-width: 40px;")
        edits, tools = self.edits, self.tools
        self.slices = QWidget()
        in_column(self.slices, in_row((edits["interpolate"], 1), (self.every, 1)))
        self.add(
            rule(),
            in_row(edits["delete"], (edits["merge"], 1)),
            in_grid(3, *(tools[name] for name in CUTTERS)),
            in_row((edits["necks"], 1), (edits["separate"], 1), (self.split, 1)),
            rule(),
            in_row((edits["redo"], 1), (tools["redo"], 1)),
            in_row((edits["fill_holes"], 1), (edits["largest"], 1)),
            in_grid(3, *(edits[name] for name in ("smooth", "open", "close"))),
            in_row((edits["grow"], 1), (edits["shrink"], 1)),
            in_row("Radius", (self.radius, 1)),
            self.slices,
            in_row((edits["renumber"], 1), (edits["renumber_all"], 1)),
        )

    def _build_history(self) -> None:
        self.undo = button("Undo", "Key Ctrl+Z.")
        self.redo = button("Redo", "Key Ctrl+Shift+Z.")
        for one in (self.undo, self.redo):
            one.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.cancel_button = button("Cancel", "Stop the edit that is under way.")
        self.cancel_button.setEnabled(False)
        self.status_line = wrapped_label()
        self.status_line.setMinimumHeight(2 * self.status_line.fontMetrics().lineSpacing() + 4)
        self.status_line.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.save_table = button("Save table…", "As CSV, or as Parquet where pyarrow is installed.")
        self.save_recipe = save_recipe_button("Write down all edits, to repeat them.")
        self.history = QWidget()
        in_column(
            self.history,
            in_row((self.undo, 1), (self.redo, 1)),
            self.progress,
            self.status_line,
            in_row(self.save_table, self.save_recipe, None, self.cancel_button),
            margins=(8, 2, 8, 6),
        )

    def add_class_editor(self, editor: QWidget) -> None:
        """Put the fields for names of classes, which are opened, below their choice."""
        place = self.column.indexOf(self._class_row)
        self.class_section = QWidget()
        in_column(self.class_section, editor, self.class_colours)
        self.class_section.setVisible(False)
        self.column.insertWidget(place + 1, self.class_section)

    def show_history(self, undo: str | None, redo: str | None) -> None:
        """Name what Undo and Redo would do."""
        for one, word, name in ((self.undo, "Undo", undo), (self.redo, "Redo", redo)):
            one.setEnabled(name is not None)
            text = word if name is None else f"{word} {name}"
            room = max(60, one.width() - 16)
            one.setText(one.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room))
            key = "Ctrl+Z" if word == "Undo" else "Ctrl+Shift+Z"
            one.setToolTip(f"{text}. Key {key}.")

    def offer_classes(self, names: Sequence[str], chosen: str | None) -> None:
        """Offer classes; None where selected objects are of several."""
        self.classes.blockSignals(True)
        self.classes.clear()
        self.classes.addItem("none", "")
        for name, colour in zip(names, CLASS_COLOURS, strict=False):
            self.classes.addItem(class_icon(colour), name, name)
        self.classes.setCurrentIndex(-1 if chosen is None else self.classes.findData(chosen))
        self.classes.blockSignals(False)


def class_icon(colour: str) -> QIcon:
    """A square of a class's colour."""
    picture = QPixmap(QSize(12, 12))
    picture.fill(QColor(colour))
    return QIcon(picture)
