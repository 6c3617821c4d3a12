"""A line drawn on the 3D display: what it runs over, and the plane through it along the view."""

from typing import Any

import numpy as np
from napari.layers import Labels

from napari_seedbed.gui.tools.proofreading.seen_rays import Floats, Ray


class SeenLine:
    """A straight line on the screen over a volume that is seen in 3D.

    Parameters
    ----------
    layer : Labels
    event : napari's event of the mouse
        Where the line begins.

    Attributes
    ----------
    labels : list of int
        The object that is seen at each place of the mouse; 0 for none.
    """

    def __init__(self, layer: Labels, event: Any) -> None:
        self._layer = layer
        self._start = self._end = Ray(layer, event)
        self.labels: list[int] = []
        self._look()

    def go_on(self, event: Any) -> None:
        """Draw the line to where the mouse is now."""
        self._end = Ray(self._layer, event)
        self._look()

    @property
    def plane(self) -> tuple[Floats, Floats]:
        """A point of the plane in voxels of the layer, and its normal there, of length 1."""
        start, end, axes = self._start, self._end, self._start.axes
        normal = np.zeros(len(start.place))
        normal[axes] = np.cross((end.place - start.place)[axes], (start.ahead + end.ahead)[axes])
        length = float(np.linalg.norm(normal))
        return (start.place + end.place) / 2, normal / (length or 1.0)

    def object_under(self, chosen: tuple[int, ...]) -> int | None:
        """The object that the line is about: the one chosen, or the one it runs over most."""
        if len(chosen) == 1:
            return chosen[0]
        seen = [label for label in self.labels if label and (not chosen or label in chosen)]
        return max(set(seen), key=lambda label: (seen.count(label), -label), default=None)

    def _look(self) -> None:
        voxel = self._end.first_voxel()
        self.labels.append(0 if voxel is None else int(self._layer.data[tuple(voxel)]))
