"""Work beside the window that the next step needs: a dialog shows how far it is."""

from collections.abc import Callable
from typing import Any, TypeVar

from qtpy.compat import isalive
from qtpy.QtCore import QEventLoop, Qt
from qtpy.QtWidgets import QProgressDialog, QWidget

from napari_seedbed.core.progress import Progress
from napari_seedbed.errors import Cancelled
from napari_seedbed.gui.qt.jobs import Job

SECONDS = 0.3
"""Work that takes less shows no dialog."""

_STEPS = 1000
Given = TypeVar("Given")


def done_aside(title: str, function: Callable[[], Given], parent: QWidget | None) -> Given:
    """Give what `function` returns, called beside the window, which stays alive meanwhile.

    Parameters
    ----------
    title : str
        What is done, as 'Saving the project'.
    function : callable
    parent : QWidget or None
        The window that waits.

    Raises
    ------
    Cancelled
        When a person has pressed Cancel, or the window was closed.
    BaseException
        What `function` raises.
    """
    outcome: dict[str, Any] = {}
    loop = QEventLoop()
    dialog = QProgressDialog(f"{title}…", "Cancel", 0, _STEPS, parent)
    dialog.setWindowTitle(title)
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    dialog.setMinimumDuration(round(1000 * SECONDS))
    dialog.setAutoClose(False)
    dialog.setAutoReset(False)
    dialog.setValue(0)

    def end(name: str, value: Any = None) -> None:
        outcome[name] = value
        loop.quit()

    def show(progress: Progress) -> None:
        dialog.setValue(min(round(_STEPS * progress.fraction), _STEPS - 1))

    job = Job(
        function,
        on_done=lambda result: end("result", result),
        on_error=lambda error: end("error", error),
        on_progress=show,
    )
    dialog.canceled.connect(loop.quit)
    dialog.destroyed.connect(loop.quit)
    job.start()
    loop.exec()
    if isalive(dialog):
        dialog.canceled.disconnect(loop.quit)
        dialog.destroyed.disconnect(loop.quit)
        dialog.close()
        dialog.deleteLater()
    if not outcome:
        # Nobody waits for what looks late whether it should stop.
        job.abandon()
        raise Cancelled("Cancelled.")
    if "error" in outcome:
        raise outcome["error"]
    result: Given = outcome["result"]
    return result
