"""What a program says: to streams that may be closed, full, or know few letters, without an end."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from typing import TextIO

from napari_seedbed.core.progress import Progress
from napari_seedbed.pipeline.atomic_files import why_unwritable
from napari_seedbed.pipeline.visible_text import visible

_WIDTH = 78


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

    At the end, what they still hold is written out, as far as they take it, and `spoken` tells how
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
    """One line on standard error that tells how far it is; nothing where that is no terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self._on = sys.stderr is not None and sys.stderr.isatty() and not quiet
        self._last = 0.0

    def show(self, progress: Progress) -> None:
        """Write how far it is, a few times a second."""
        now = time.monotonic()
        if self._on and now - self._last > 0.1:
            self._last = now
            text = visible(f"{progress.fraction:4.0%} {progress.message}")
            _write(sys.stderr, f"\r{text[:_WIDTH]:<{_WIDTH}}")

    def clear(self) -> None:
        """Make room for another line."""
        if self._on and self._last:
            _write(sys.stderr, f"\r{'':{_WIDTH}}\r")
