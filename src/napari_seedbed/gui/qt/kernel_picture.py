"""A small picture of numbers: blue below zero, white at zero, red above."""

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QLabel, QWidget

_HEIGHT = 64
_LARGEST = 24
"""Pixels of the picture, and of a number in it at most."""

_GAP = 110
_NEGATIVE = np.array([33, 102, 172])
_POSITIVE = np.array([178, 24, 43])


def picture_of(kernel: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Colours of a kernel of one to three axes, (Y, X, 3); slices lie side by side."""
    slices = kernel.reshape((1,) * (3 - kernel.ndim) + kernel.shape)
    strength = np.abs(slices) / (np.abs(slices).max() or 1.0)
    ends = np.where(slices[..., None] < 0, _NEGATIVE, _POSITIVE)
    colours = 255 + strength[..., None] * (ends - 255)
    # A grey column between slices, which no number is.
    parts = [np.pad(part, ((0, 0), (0, 1), (0, 0)), constant_values=_GAP) for part in colours]
    return np.rint(np.concatenate(parts, axis=1)[:, :-1]).astype(np.uint8)


class KernelPicture(QLabel):
    """Shows a kernel as large as it fits into a strip, or nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setToolTip("The kernel: blue below zero, white at zero, red above.")

    def show_kernel(self, kernel: NDArray[np.float64] | None) -> None:
        """Show another kernel; None hides the picture."""
        self.setVisible(kernel is not None)
        if kernel is None:
            self.clear()
            return
        colours = np.ascontiguousarray(picture_of(kernel))
        height, width = colours.shape[:2]
        image = QImage(colours.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        times = max(1, min(_LARGEST, _HEIGHT // height, 4 * _HEIGHT // width))
        scaled = QPixmap.fromImage(image.copy()).scaled(
            times * width,
            times * height,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.FastTransformation,
        )
        self.setPixmap(scaled)
