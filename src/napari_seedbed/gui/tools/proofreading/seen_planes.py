"""A line drawn on the 3D display: what it runs over, and the plane through it along the view."""

from typing import Any

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_seedbed.gui.layers.grids import layer_affine

Floats = NDArray[np.float64]


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
        self._displayed = list(event.dims_displayed)
        self._ends = [self._place(event)] * 2
        self.labels: list[int] = []
        self._look(event)

    def go_on(self, event: Any) -> None:
        """Draw the line to where the mouse is now."""
        self._ends[1] = self._place(event)
        self._look(event)

    @property
    def plane(self) -> tuple[Floats, Floats]:
        """A point of the plane in voxels of the layer, and its normal there, of length 1."""
        (start, ahead), (end, also_ahead) = self._ends
        normal = np.zeros(len(start))
        normal[self._displayed] = np.cross(
            (end - start)[self._displayed], (ahead + also_ahead)[self._displayed]
        )
        own = slice(len(start) - self._layer.ndim, None)
        # what is across a plane of the world is so by the transposed way back
        across = normal[own] @ layer_affine(self._layer)[:-1, :-1]
        length = float(np.linalg.norm(across))
        point = np.asarray(self._layer.world_to_data(tuple(((start + end) / 2)[own])), float)
        return point, across / (length or 1.0)

    def object_under(self, chosen: tuple[int, ...]) -> int | None:
        """The object that the line is about: the one chosen, or the one it runs over most."""
        if len(chosen) == 1:
            return chosen[0]
        seen = [label for label in self.labels if label and (not chosen or label in chosen)]
        return max(set(seen), key=lambda label: (seen.count(label), -label), default=None)

    def _place(self, event: Any) -> tuple[Floats, Floats]:
        return np.asarray(event.position, float), np.asarray(event.view_direction, float)

    def _look(self, event: Any) -> None:
        value = self._layer.get_value(
            event.position,
            view_direction=event.view_direction,
            dims_displayed=self._displayed,
            world=True,
        )
        self.labels.append(int(value or 0))
