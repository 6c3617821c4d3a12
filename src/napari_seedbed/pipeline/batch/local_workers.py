"""Workers on this machine: a dask cluster in a process of its own.

Python starts a process by running the program's first file again. Here that is this one, never
somebody's script with a window in it. The cluster ends when the pipe to it is closed, by whatever
end of the program.
"""

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from napari_seedbed.errors import SeedbedError

_ENDING = 3.0
"""Seconds for the workers to end by themselves."""


@contextmanager
def local_scheduler(count: int) -> Iterator[str]:
    """Give the address of the scheduler of so many worker processes of one thread.

    Raises
    ------
    SeedbedError
        When they do not start.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # Ctrl-C is for the program, which lets its workers stop in good order.
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        if not address:
            raise SeedbedError("Worker processes could not be started; use one: --workers 1.")
        yield address
    finally:
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _serve(count: int) -> None:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=count,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        memory_limit=0,
        silence_logs=logging.CRITICAL,
    ) as cluster:
        sys.stdout.write(f"{cluster.scheduler_address}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
