"""What a program says: to streams that may be closed, full, or know few letters, without an end."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from typing import TYPE_CHECKING, TextIO

from napari_seedbed.core.progress import Progress
from napari_seedbed.pipeline.data.visible_text import visible
from napari_seedbed.pipeline.files.atomic_files import why_unwritable

_BETWEEN = 0.1
"""Seconds between two states of a bar."""


if TYPE_CHECKING:
    from rich.progress import Progress as Bar


@dataclass
class Spoken:
    """How saying went.

    Attributes
    ----------
    lost : str or None
        Why some of standard output was lost; None where all came through, or where its reader,
        such as ``head``, had seen enough.
    """

    lost: str | None = None


_spoken = Spoken()


@contextmanager
def patient_streams(spoken: Spoken) -> Iterator[None]:
    """Let standard output and error write letters that they do not know as escapes.

    At the end, what they still hold is written out, as far as they take it, and `spoken` says how
    that went.
    """
    streams = [s for s in (sys.stdout, sys.stderr) if isinstance(s, TextIOWrapper)]
    before = [stream.errors for stream in streams]
    for stream in streams:
        stream.reconfigure(errors="backslashreplace")
    _spoken.lost = None
    try:
        yield
    finally:
        say("", end="")
        spoken.lost = _spoken.lost
        if spoken.lost is not None:
            complain(f"standard output could not be written: {spoken.lost}.")
        for stream, errors in zip(streams, before, strict=True):
            if not stream.closed:
                stream.reconfigure(errors=errors)


def open_closed_descriptors() -> None:
    """Keep the numbers of closed standard streams from going to the next files that are opened."""
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= 2:
        descriptor = os.open(os.devnull, os.O_RDWR)
    os.close(descriptor)


def say(text: str, end: str = "\n") -> None:
    """Print to standard output; lines of it stay lines, other signs that cannot be seen do not."""
    error = _write(sys.stdout, "\n".join(map(visible, text.split("\n"))) + end)
    if error is not None and not isinstance(error, BrokenPipeError):
        _spoken.lost = why_unwritable(error) if isinstance(error, OSError) else "it is closed"


def complain(message: str) -> None:
    """Print a message of one line to standard error."""
    _write(sys.stderr, f"seedbed: {visible(message.strip())}\n")


def remark(message: str) -> None:
    """Print a line that is no error to standard error."""
    _write(sys.stderr, f"{visible(message)}\n")


def _write(stream: TextIO | None, text: str) -> OSError | ValueError | None:
    if stream is None:
        return None
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError) as error:
        _give_up(stream)
        return error
    return None


def _give_up(stream: TextIO) -> None:
    """Lose what a stream still holds, which would otherwise fail again when the program ends."""
    try:
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
        stream.flush()
    except (OSError, ValueError):
        # A stream of another kind, such as one in memory, holds nothing for later.
        return


class ProgressLine:
    """A bar on standard error with the time left; nothing where that is no terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self._on = sys.stderr is not None and sys.stderr.isatty() and not quiet
        self._bar: Bar | None = None
        self._last = 0.0

    def show(self, progress: Progress) -> None:
        """Draw how far it is, a few times a second."""
        now = time.monotonic()
        if not self._on or now - self._last < _BETWEEN:
            return
        self._last = now
        text = visible(progress.message)
        try:
            if self._bar is None:
                self._bar = _new_bar()
            (task,) = self._bar.task_ids
            self._bar.update(task, completed=progress.fraction, description=text)
            self._bar.start()
            self._bar.refresh()
        except (OSError, ValueError):
            # a terminal that was closed
            self._on = False

    def clear(self) -> None:
        """Make room for another line."""
        if self._bar is not None and self._on:
            self._bar.stop()


def _new_bar() -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    class Steady(Console):
        """Leaves the cursor on: a program that is killed could not bring it back."""

        def show_cursor(self, show: bool = True) -> bool:
            return False

    bar = Bars(
        TaskProgressColumn(),
        BarColumn(bar_width=20),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
        console=Steady(file=sys.stderr),
        auto_refresh=False,
        transient=True,
    )
    bar.add_task("", total=1.0)
    return bar
