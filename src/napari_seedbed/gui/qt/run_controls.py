"""Run and Cancel, how far a run is, what it will cost, and the line that says what happens."""

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QProgressBar, QPushButton, QSizePolicy, QWidget

from napari_seedbed.core.progress import Progress
from napari_seedbed.gui.qt.controls import Part, button, in_column, in_row
from napari_seedbed.pipeline.data.memory import bytes_in_words
from napari_seedbed.pipeline.operations import Forecast

_BAR_STEPS = 1000

OUTDATED = "Older than what is chosen now; run again to update."


class RunControls(QWidget):
    """What every form has for its run.

    Parameters
    ----------
    beside : QWidget, optional
        Something that stands on the left of the buttons, which then are as small as their texts.
    below : sequence of QPushButton
        A second row of buttons.
    """

    def __init__(self, beside: QWidget | None = None, below: Sequence[QPushButton] = ()) -> None:
        super().__init__()
        self._made: str | None = None
        self.run = button("Run")
        self.cancel = button("Cancel", "Stop; what is shown stays.")
        self.cancel.setEnabled(False)
        self.pause = button("Pause", "Stop, and go on from there later, also after a restart.")
        self.pause.hide()
        self.progress = QProgressBar()
        self.progress.setRange(0, _BAR_STEPS)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.forecast = wrapped_label()
        self.status = wrapped_label()
        # Three lines high even when empty: buttons must not jump away under the mouse.
        self.status.setMinimumHeight(3 * self.status.fontMetrics().lineSpacing() + 4)
        self.status.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        parts: list[Part | tuple[Part, int]]
        parts = [(self.run, 1)] if beside is None else [beside, None, self.run]
        rows = [in_row(*parts, self.pause, self.cancel)] + ([in_row(*below)] if below else [])
        in_column(self, *rows, self.progress, self.forecast, self.status)

    def say(self, message: str) -> None:
        """Write the status line."""
        self.status.setText(message)

    def say_made(self, message: str) -> None:
        """Write what a run has given, which may be outdated later."""
        self._made = message
        self.say(message)

    def say_again(self) -> None:
        """Write what the last run has given instead of what was wrong since."""
        self.say(self._made or "")

    def outdate(self, on: bool = True) -> None:
        """Show whether a run would give something else now, beside the last result."""
        if self._made is None:
            return
        outdated = f"{OUTDATED} {self._made}".rstrip()
        if self.status.text() in (self._made, outdated):
            self.say(outdated if on else self._made)

    def show_progress(self, progress: Progress) -> None:
        """Move the bar."""
        self.progress.setValue(round(_BAR_STEPS * progress.fraction))

    def show_forecast(self, forecast: Forecast, *, each_time: bool = False) -> None:
        """Show what a run will cost, for all of a series or for each of its time points."""
        each = " for each time point" if each_time else ""
        text = f"One run{each}: {forecast.text}."
        if not forecast.fits:
            free = bytes_in_words(forecast.available_bytes)
            text += f" That is more memory than the {free} that are free. {forecast.instead}"
        self.forecast.setText(text)

    def show_running(self, running: bool) -> None:
        """Switch Cancel on, or off and the bar back."""
        if not running and self.cancel.isEnabled():
            self.progress.setValue(0)
        self.cancel.setEnabled(running)
        if not running:
            self.pause.hide()


def wrapped_label(text: str = "") -> QLabel:
    """A text of several lines that people can copy and that never widens the dock."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return label
