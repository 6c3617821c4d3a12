"""Workers on this machine: a dask cluster in a process of its own.

Python starts a process by running the program's first file again. Here that is one that knows
nothing but dask, never somebody's script with a window in it. The cluster ends when the pipe to it
is closed, by whatever end of the program.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from napari_seedbed.errors import SeedbedError

_PROGRAM = Path(__file__).with_name("worker_cluster.py")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
"""Libraries read it when they are loaded."""
_ENDING = 3.0
"""Seconds for the workers to end by themselves."""


@contextmanager
def local_scheduler(count: int) -> Iterator[Callable[[], str]]:
    """Begin to start a scheduler with so many worker processes of one thread.

    Yields
    ------
    callable
        It waits for the scheduler, and gives its address; the workers come a little later. It
        raises a SeedbedError when the scheduler does not start.
    """
    process = _begun.pop(count, None) or _begin(count)
    try:
        yield partial(_address, process)
    finally:
        _end(process)


@contextmanager
def scheduler_begun(count: int) -> Iterator[None]:
    """Let the next `local_scheduler` of so many workers find one that has begun to start.

    Whoever is going to need it can import meanwhile what else is needed.
    """
    _begun[count] = _begin(count)
    try:
        yield
    finally:
        process = _begun.pop(count, None)
        if process is not None:
            _end(process)


_begun: dict[int, subprocess.Popen[str]] = {}


def _begin(count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", str(_PROGRAM), str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | _ONE_THREAD,
        # Ctrl-C is for the program, which lets its workers stop in good order.
        start_new_session=True,
    )


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(OSError):
        process.stdin.close()
    try:
        process.wait(_ENDING)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    if not address:
        raise SeedbedError("Worker processes could not be started; use one: --workers 1.")
    return address
