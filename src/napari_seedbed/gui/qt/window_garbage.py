"""Python's cyclic garbage, which only the window's thread may collect while there are panels."""

import gc

from qtpy.QtCore import QCoreApplication, QObject, QTimer

SECONDS = 1.0
"""Between two looks at what has piled up."""


class WindowGarbage(QObject):
    """Collects on a timer of the window's thread in place of Python, as long as it is needed.

    Python collects in whichever thread happens to make an object. Where that is a worker's, and
    there is a panel in the garbage, its widgets are destroyed there, which crashes the window. A
    timer never fires while a widget is being painted, either.

    Parameters
    ----------
    application : QCoreApplication

    References
    ----------
    Erik Janssens: Should Python garbage collector be called explicitly? As in pyqtgraph's
    `GarbageCollector`.
    """

    def __init__(self, application: QCoreApplication) -> None:
        super().__init__(application)
        self._panels = 0
        self._was_enabled = False
        self._timer = QTimer(self)
        self._timer.setInterval(round(1000 * SECONDS))
        self._timer.timeout.connect(self.collect)
        # without a loop of events nobody would collect
        application.aboutToQuit.connect(self._rest)

    @property
    def is_needed(self) -> bool:
        """Whether there are panels."""
        return self._panels > 0

    def keep_from_threads(self, panel: QObject) -> None:
        """Collect here until this panel, too, is gone."""
        self._panels += 1
        panel.destroyed.connect(self._on_destroyed)
        if not self._timer.isActive():
            self._was_enabled = gc.isenabled()
            gc.disable()
            self._timer.start()

    def collect(self) -> None:
        """Collect the generations that Python itself would by now."""
        piled, limits = gc.get_count(), gc.get_threshold()
        for generation, (count, limit) in enumerate(zip(piled, limits, strict=True)):
            if count <= limit:
                break
            gc.collect(generation)

    def _on_destroyed(self) -> None:
        self._panels -= 1
        if not self.is_needed:
            self._rest()

    def _rest(self) -> None:
        """Leave it to Python again."""
        if self._timer.isActive():
            self._timer.stop()
            if self._was_enabled:
                gc.enable()


def window_garbage() -> WindowGarbage | None:
    """The one of the application; None without an application."""
    application = QCoreApplication.instance()
    if application is None:
        return None
    found = application.findChild(WindowGarbage)
    return WindowGarbage(application) if found is None else found
