"""A gate that a running computation passes step by step, so that it can be held and let go on."""

import threading
import time

from napari_seedbed.core.progress import running_job

UPDATE_SECONDS = 1 / 15
"""Between two pictures of something that moves; the eye sees no more."""
_LOOK_SECONDS = 0.05


class Gate:
    """Holds a computation in another thread, and decides which of its steps are worth showing.

    The computation calls `watch` at each step, and `wait` where that was true. Pictures are asked
    for no faster than they are drawn: whoever draws one calls `shown` when it is done.
    """

    def __init__(self, *, slowly: bool = False) -> None:
        self._changed = threading.Condition()
        self._slowly = slowly
        self._is_open = True
        self._steps = 0
        self._next_time = 0.0
        self._being_drawn = False

    # For the window

    def hold(self) -> None:
        """Let the computation come to rest at its next step."""
        with self._changed:
            self._is_open = False
            self._steps = 0

    def release(self) -> None:
        """Let it go on."""
        with self._changed:
            self._is_open = True
            self._changed.notify_all()

    def step(self) -> None:
        """Let it make one step, and hold it."""
        with self._changed:
            self._is_open = False
            self._steps += 1
            self._changed.notify_all()

    def show_all(self, slowly: bool) -> None:
        """Let it wait at each step until that is drawn, or run at its own pace."""
        with self._changed:
            self._slowly = slowly
            self._changed.notify_all()

    def shown(self, seconds: float) -> None:
        """A picture was drawn, which took so long: the window gets as much time for itself."""
        with self._changed:
            self._being_drawn = False
            self._next_time = time.monotonic() + max(UPDATE_SECONDS - seconds, seconds)
            self._changed.notify_all()

    # For the computation

    def watch(self, iteration: int) -> bool:
        """Whether this step shall be shown."""
        with self._changed:
            if not self._is_open or self._slowly:
                self._being_drawn = True
                return True
            if self._being_drawn or time.monotonic() < self._next_time:
                return False
            self._being_drawn = True
            return True

    def wait(self, *, is_begin: bool = False) -> None:
        """Stay here while the gate is closed, or what was to be shown is not drawn yet.

        Where it begins, before any step, a closed gate holds nobody: a step shall be seen to move.
        """
        with self._changed:
            while not running_job().is_stopped():
                now = time.monotonic()
                early = self._slowly and (self._being_drawn or now < self._next_time)
                if self._is_open or is_begin:
                    if not early:
                        break
                elif self._steps:
                    self._steps -= 1
                    break
                self._changed.wait(min(_LOOK_SECONDS, max(self._next_time - now, 0.001)))
