"""Lines of sight in the 3D display: what is seen first along them, and what lies between them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray
from skimage.measure import points_in_poly

from napari_seedbed.gui.layers.grids import layer_affine

Floats = NDArray[np.float64]

_PARALLEL = 1e-6
"""Directions that differ less are those of a view without perspective."""


class Ray:
    """The line of sight through a place of the screen.

    Parameters
    ----------
    layer : Labels
        A volume that is seen in 3D.
    event : napari's event of the mouse

    Attributes
    ----------
    axes : list of int
        Axes of the layer that are displayed.
    place, ahead : (D,) ndarray of float
        A point of the line and its direction, in voxels of the layer.
    """

    def __init__(self, layer: Labels, event: Any) -> None:
        self._layer = layer
        first = len(event.position) - layer.ndim
        self.axes = [axis - first for axis in event.dims_displayed]
        self.place = np.asarray(layer.world_to_data(tuple(event.position)[first:]), float)
        direction = np.asarray(event.view_direction, float)[first:]
        self.ahead = np.linalg.solve(layer_affine(layer)[:-1, :-1], direction)

    def first_voxel(self) -> NDArray[np.intp] | None:
        """The voxel of an object that is seen, (D,); None beside all objects."""
        data, axes = self._layer.data, self.axes
        lengths = np.array(data.shape)
        hidden = [axis for axis in range(data.ndim) if axis not in axes]
        at = np.floor(self.place + 0.5).astype(np.intp)
        if not self._layer.visible or not ((at >= 0) & (at < lengths))[hidden].all():
            return None
        place, ahead = self.place[axes], self.ahead[axes]
        ahead = np.where(np.abs(ahead) < 1e-12, 1e-12, ahead)
        # where the line meets the sides of the volume
        sides = np.stack([-0.5 - place, lengths[axes] - 0.5 - place]) / ahead
        begin, end = sides.min(axis=0).max(), sides.max(axis=0).min()
        if begin >= end:
            return None
        count = 2 + int(2 * (end - begin) * np.abs(ahead).max())
        along = place + np.linspace(begin, end, count)[:, np.newaxis] * ahead
        voxels = np.tile(at, (count, 1))
        voxels[:, axes] = np.clip(np.floor(along + 0.5), 0, lengths[axes] - 1)
        found = np.flatnonzero(data[tuple(voxels.T)])
        return voxels[found[0]] if len(found) else None


class SeenOutline:
    """A closed line on the screen, and all that is seen within it, however deep it lies.

    Parameters
    ----------
    rays : sequence of Ray
        Through the corners of the line.
    """

    def __init__(self, rays: Sequence[Ray]) -> None:
        axes = rays[0].axes
        self.axes = axes
        self._places = np.array([ray.place[axes] for ray in rays])
        ahead = np.array([ray.ahead[axes] for ray in rays])
        self._ahead = ahead / np.linalg.norm(ahead, axis=1, keepdims=True)

    def holds(self, places: Floats) -> NDArray[np.bool_]:
        """Which of some places, (N, 3) along the displayed axes, are seen within."""
        if len(self._places) < 3 or not len(places):
            return np.zeros(len(places), bool)
        normal = self._ahead.mean(axis=0)
        through = self._places.mean(axis=0)
        if np.abs(self._ahead - normal).max() < _PARALLEL:
            ahead = np.broadcast_to(normal, places.shape)
            is_seen = np.ones(len(places), bool)
        else:
            ahead = places - self._eye()
            is_seen = ahead @ normal > 0
            ahead = np.where(is_seen[:, np.newaxis], ahead, normal)
        # two directions of the plane across the view
        across = np.linalg.svd(normal[np.newaxis])[2][1:]

        def flat(points: Floats, directions: Floats) -> Floats:
            steps = ((through - points) @ normal) / (directions @ normal)
            return (points + steps[:, np.newaxis] * directions - through) @ across.T

        outline = flat(self._places, self._ahead)
        return is_seen & points_in_poly(flat(places, ahead), outline)

    def _eye(self) -> Floats:
        """The point that is nearest to all lines of sight."""
        beside = np.eye(3) - self._ahead[:, :, np.newaxis] * self._ahead[:, np.newaxis]
        total = np.einsum("nij,nj->i", beside, self._places)
        eye: Floats = np.linalg.solve(beside.sum(axis=0), total)
        return eye
