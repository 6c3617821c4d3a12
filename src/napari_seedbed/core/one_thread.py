"""Let numerical libraries work on one thread for a while.

For small problems more threads wait longer for each other than they save, and take a core from
what runs beside; and sums do not depend on their number then.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_lock = threading.Lock()
_users = 0
_limits: Any = None


@contextmanager
def one_library_thread() -> Iterator[None]:
    """Limit BLAS and OpenMP of this process to one thread until the last of all users leaves."""
    from threadpoolctl import threadpool_limits

    global _users, _limits
    with _lock:
        if _users == 0:
            _limits = threadpool_limits(1)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _limits.restore_original_limits()
