"""Whether strokes start runs: the person's wish, what this machine can do, the dock on screen."""

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QCheckBox

from napari_seedbed.gui.forms.strokes_session import StrokesSession
from napari_seedbed.gui.qt.plugin_settings import seconds_of
from napari_seedbed.pipeline.data.memory import seconds_in_words


class LiveUpdate(QObject):
    """Passes changes of seeds and settings on to the session, or only lets it know.

    Parameters
    ----------
    box : QCheckBox
        'Live update'.
    session : StrokesSession
    """

    def __init__(self, box: QCheckBox, session: StrokesSession) -> None:
        super().__init__(box)
        self._box = box
        self._session = session
        self._by_hand = False
        self._is_paused = False
        self._missed = False
        self.has_seeds = False
        box.clicked.connect(self._on_clicked)
        box.toggled.connect(self._on_toggled)

    def follow(self) -> None:
        """Seeds or settings changed."""
        wanted = self._box.isChecked() and self.has_seeds
        if wanted and not self._is_paused:
            self._session.stroke()
            return
        self._missed = self._missed or wanted
        self._session.touched()

    def begin_image(self, seconds: float) -> str:
        """Another image, on which a run takes about so long; return the message."""
        self._by_hand = False
        return self.judge(seconds)

    def judge(self, seconds: float) -> str:
        """Switch off where a run takes too long, unless a person wants it so.

        Returns
        -------
        str
            The message; empty where nothing was switched.
        """
        if self._by_hand or not self._box.isChecked() or seconds <= seconds_of("panels"):
            return ""
        self._box.setChecked(False)
        return (
            f"Live update is off, because a run takes about {seconds_in_words(seconds)} here. "
            "Press Run when the strokes are done."
        )

    def pause(self) -> None:
        """Nobody sees the panel: stop what nobody asked for."""
        self._is_paused = True
        self._missed = self._session.pause() or self._missed

    def resume(self) -> None:
        """Catch up with what changed meanwhile."""
        self._is_paused = False
        missed, self._missed = self._missed, False
        if missed and self._box.isChecked():
            self.follow()

    def _on_clicked(self) -> None:
        self._by_hand = True

    def _on_toggled(self, on: bool) -> None:
        if on and not self._session.is_final:
            self.follow()
