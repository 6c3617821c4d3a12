"""A scheduler and its worker processes on this machine, as a program of its own.

``python -P worker_cluster.py COUNT`` says the scheduler's address as soon as it listens, and ends
when its input ends, or when no worker comes. What it imports at first is little: all wait for it.
"""

import logging
import multiprocessing
import os
import sys
from multiprocessing import forkserver
from tempfile import TemporaryDirectory

_LIBRARIES = (
    "distributed",
    "napari_seedbed.pipeline.batch.items",
    "numba",
    "scipy.linalg",
    "tifffile",
    "PIL.Image",
)
"""What a worker needs for any input."""

_SETTINGS = {
    # what dask would watch many times a second, for a dashboard that nobody opens
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "5s",
    # it gives memory back so eagerly that each array is made of new pages: a quarter of the time
    # of small files
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
    # the one that is set here; dask would load more into the process that others are forked from
    "distributed.worker.multiprocessing-method": None,
}
_COMING = 120.0
"""Seconds in which the first worker should come."""


def _serve(count: int, scratch: str) -> None:
    import dask

    with dask.config.set(_SETTINGS):
        from distributed import LocalCluster

        with LocalCluster(
            n_workers=0,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,
            silence_logs=logging.CRITICAL,
            local_directory=scratch,
        ) as cluster:
            cluster.scale(count)
            sys.stdout.write(f"{cluster.scheduler_address}\n")
            sys.stdout.flush()
            cluster.wait_for_workers(1, _COMING)
            sys.stdin.read()


if __name__ == "__main__":
    if sys.platform == "linux":
        # Libraries are loaded once for all workers, while the scheduler starts.
        multiprocessing.set_start_method("forkserver")
        multiprocessing.set_forkserver_preload(list(_LIBRARIES))
        forkserver.ensure_running()
    with TemporaryDirectory(prefix="seedbed-", ignore_cleanup_errors=True) as scratch:
        _serve(int(sys.argv[1]), scratch)
    # Nothing is left that Python would have to tidy up.
    os._exit(0)
