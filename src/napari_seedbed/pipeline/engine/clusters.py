"""The workers of a dask scheduler: how tasks reach them, and how they are told to stop."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from napari_seedbed.errors import InputError

if TYPE_CHECKING:
    from distributed import Client

_LOOK_AT_DISK = 0.2
"""Seconds between looks for the end of the run."""
_ANSWER = 10.0
"""Seconds in which a scheduler should answer."""


class Gone:
    """Whether a file is gone; looks a few times a second."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_gone, self._looked = False, -_LOOK_AT_DISK

    def __call__(self) -> bool:
        now = time.monotonic()
        if now - self._looked >= _LOOK_AT_DISK:
            self._looked = now
            self._is_gone = not self._path.exists()
        return self._is_gone


@contextmanager
def connected(address: str) -> Iterator["Client"]:
    """Give a client of a scheduler.

    Raises
    ------
    InputError
        When no scheduler answers.
    """
    from distributed import Client

    # They would report every process that ends; what matters is said in other words.
    for talker in ("distributed", "distributed.client", "tornado.application"):
        logging.getLogger(talker).setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=_ANSWER, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            f"scheduler: no dask scheduler answers at {address}. Start one with `dask "
            "scheduler`, which says its address."
        ) from error
    with client:
        yield client
