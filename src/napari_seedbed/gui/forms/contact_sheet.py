"""Pictures side by side, of which a click picks one."""

from collections.abc import Sequence
from functools import partial
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QIcon, QImage, QPixmap
from qtpy.QtWidgets import QButtonGroup, QDialog, QGridLayout, QToolButton, QVBoxLayout, QWidget

from napari_seedbed.errors import InputError
from napari_seedbed.gui.qt.run_controls import wrapped_label

Picture = tuple[str, NDArray[Any]]
"""What is written under a picture, and the picture."""

_ROOM = QSize(1040, 610)
"""Of all pictures together with what is written under them, on a screen of 1366 x 768."""

_NARROWEST = 170
"""Width of a column, for what is written under the pictures."""

_LARGEST = QSize(420, 320)


class ContactSheet(QDialog):
    """A window with a grid of pictures; `chosen(index)` is emitted for the one that is clicked.

    It stays open, with the chosen picture marked, so that another one can be tried.

    Parameters
    ----------
    title : str
        Of the window.
    help : str
        What a click does, in a sentence.
    parent : QWidget, optional
    """

    chosen = Signal(int)

    def __init__(self, title: str, help: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(False)
        self.buttons: list[QToolButton] = []
        self._group = QButtonGroup(self)
        self._grid = QGridLayout()
        self._grid.setSpacing(6)
        self.message = wrapped_label(help)
        self.message.setVisible(bool(help))
        column = QVBoxLayout(self)
        column.addWidget(self.message)
        column.addLayout(self._grid, 1)

    def show_pictures(self, pictures: Sequence[Picture], chosen: int | None = None) -> None:
        """Show pictures instead of those before.

        Parameters
        ----------
        pictures : sequence of (str, ndarray)
            Titles, and (Y, X) masks or grey values, or (Y, X, 3) colours.
        chosen : int, optional
            The one that is marked.
        """
        if len(pictures) != len(self.buttons):
            height, width = np.shape(pictures[0][1])[:2] if pictures else (1, 1)
            self._make_buttons(len(pictures), width / max(height, 1))
        for button, (title, array) in zip(self.buttons, pictures, strict=True):
            button.setText(title)
            button.setIcon(QIcon(thumbnail(array, button.iconSize())))
        self.mark(chosen)

    def mark(self, index: int | None) -> None:
        """Mark one picture as the chosen one, or none."""
        self._group.setExclusive(False)
        for place, button in enumerate(self.buttons):
            button.setChecked(place == index)
        self._group.setExclusive(True)

    def _make_buttons(self, count: int, proportion: float) -> None:
        for button in self.buttons:
            self._group.removeButton(button)
            self._grid.removeWidget(button)
            button.deleteLater()
        self.buttons = []
        under = self.fontMetrics().lineSpacing() + 4 * self._grid.spacing()
        columns, size = _arranged(count, proportion, under)
        for index in range(count):
            button = QToolButton()
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setIconSize(size)
            button.setCheckable(True)
            button.clicked.connect(partial(self._choose, index))
            self._group.addButton(button)
            self._grid.addWidget(button, *divmod(index, columns))
            self.buttons.append(button)

    def _choose(self, index: int, checked: bool = True) -> None:
        self.chosen.emit(index)


def _arranged(count: int, proportion: float, under: int) -> tuple[int, QSize]:
    """In how many columns pictures are largest, and the room of each.

    Parameters
    ----------
    count : int
    proportion : float
        Width of a picture divided by its height.
    under : int
        Height in pixels of what is written under a picture, with the gaps.
    """
    best = (0.0, 1, _LARGEST)
    for columns in range(1, min(max(count, 1), _ROOM.width() // _NARROWEST) + 1):
        height = _ROOM.height() // ceil(max(count, 1) / columns) - under
        size = QSize(_ROOM.width() // columns - under, max(height, 1)).boundedTo(_LARGEST)
        width = min(size.width(), size.height() * proportion)
        if width > best[0]:
            best = (width, columns, size)
    return best[1:]


def thumbnail(array: Any, room: QSize) -> QPixmap:
    """A small picture that fills the room as far as its proportions allow.

    Parameters
    ----------
    array : (Y, X) or (Y, X, 3) array_like
        Masks are black and white; grey values go from the least, black, to the largest, white.
        Colours of other types than uint8 go from 0 to 1, or to their largest value where that is
        larger.
    room : QSize
        In pixels.

    Raises
    ------
    InputError
        For arrays of other shapes.
    """
    picture = np.asarray(array)
    flat = picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] == 3)
    if not flat or 0 in picture.shape:
        raise InputError(f"array has the shape {picture.shape}; it must be (Y, X) or (Y, X, 3).")
    # Twice as fine as needed: Qt takes means of what is left, and large images stay quick.
    step = max(
        1,
        min(picture.shape[0] // (2 * room.height()), picture.shape[1] // (2 * room.width())),
    )
    colours = _as_bytes(picture[::step, ::step])
    if colours.ndim == 2:
        colours = np.repeat(colours[..., np.newaxis], 3, axis=2)
    height, width = colours.shape[:2]
    data = np.ascontiguousarray(colours).tobytes()
    image = QImage(data, width, height, 3 * width, QImage.Format.Format_RGB888)
    enlarged = width < room.width() and height < room.height()
    smooth, sharp = (
        Qt.TransformationMode.SmoothTransformation,
        Qt.TransformationMode.FastTransformation,
    )
    return QPixmap.fromImage(image).scaled(
        room, Qt.AspectRatioMode.KeepAspectRatio, sharp if enlarged else smooth
    )


def _as_bytes(picture: NDArray[Any]) -> NDArray[np.uint8]:
    if picture.dtype == bool:
        return np.where(picture, np.uint8(255), np.uint8(0))
    if picture.ndim == 3 and picture.dtype == np.uint8:
        return picture
    values = np.nan_to_num(picture.astype(np.float64))
    low, high = float(values.min()), float(values.max())
    if picture.ndim == 3:
        low = 0.0
        high = max(high, 1.0) if picture.dtype.kind == "f" else high
    scaled = (values - low) * (255 / (high - low) if high > low else 0)
    return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
