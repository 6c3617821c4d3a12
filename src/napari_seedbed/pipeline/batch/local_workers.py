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

_SETTINGS = {
    # what dask would watch many times a second, for a dashboard that nobody opens
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "5s",
    # it gives memory back so eagerly that each array is made of new pages: a quarter of the time
    # of small files
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
}


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
    import dask
    from distributed import LocalCluster

    with (
        dask.config.set(_SETTINGS),
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):
        sys.stdout.write(f"{cluster.scheduler_address}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
