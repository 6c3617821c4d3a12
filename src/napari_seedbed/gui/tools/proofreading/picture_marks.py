"""What the panel draws on the picture: outlines of selected objects, and lines being drawn."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal
from skimage.draw import line

from napari_seedbed.core.proofreading.label_edits import Box
from napari_seedbed.gui.layers.grids import layer_affine
from napari_seedbed.gui.layers.kept_selection import selection_kept
from napari_seedbed.gui.layers.layer_records import METADATA_KEY, PREVIEW
from napari_seedbed.gui.qt.delays import Delay

Plane = tuple[NDArray[np.float64], NDArray[np.float64]]

COLOUR = (1.0, 0.69, 0.0, 1.0)
"""As selected rows have it in the plot."""

SECOND_COLOUR = (1.0, 0.86, 0.5, 1.0)
"""Of the second of several, so that the two halves of a cut are told apart."""

OTHER_COLOUR = (0.34, 0.71, 0.91, 1.0)
"""Of strokes that take away, and of the plane of a cut: told from the other one by everybody."""

NAME = "selected objects"

_NUMBERS = 250
_BESIDE, _DRAWN = 254, 255
_WIDTH = 2
"""Voxels of an outline."""
_LOOK_SECONDS = 0.02
_MOST_SOLID = 1 << 26
"""Voxels of a box around selected objects that is shown solid in the 3D display."""


class PictureMarks(QObject):
    """A layer of one plane, the one on screen, which follows the view.

    In the 3D display it is a box with the selected objects in it, solid.

    Parameters
    ----------
    viewer : ViewerModel or Viewer

    Notes
    -----
    Signal: `moved()` when the view shows another plane.
    """

    moved = Signal()

    def __init__(self, parent: QObject, viewer: ViewerModel) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._labels: Labels | None = None
        self._selected: NDArray[np.int64] = np.empty(0, np.int64)
        self._box: Box | None = None
        self._paths: list[tuple[NDArray[np.float64], int]] = []
        self._plane: Plane | None = None
        self.layer: Labels | None = None
        self._look_soon = Delay(self, _LOOK_SECONDS, self.show)

    # What is marked

    def watch(self, labels: Labels | None) -> None:
        """Mark on another layer; nothing is marked at first."""
        self._labels = labels
        self._selected, self._paths = np.empty(0, np.int64), []
        self._plane = None
        self.show()

    def select(self, labels: Iterable[int], box: Box | None) -> None:
        """Outline other objects; the box around them, on all axes of the layer, is for 3D."""
        self._selected = np.array(sorted(labels), np.int64)
        self._box = box
        self.show()

    def draw(
        self,
        paths: Sequence[NDArray[np.float64]],
        beside: Sequence[NDArray[np.float64]] = (),
    ) -> None:
        """Show lines, (N, D) in voxels of the layer, and others that take away."""
        self._paths = [(path, _DRAWN) for path in paths] + [(path, _BESIDE) for path in beside]
        self.show()

    def show_plane(self, plane: Plane | None) -> None:
        """Show where a plane, a point and a normal in voxels, cuts what is selected in 3D."""
        if plane is not None or self._plane is not None:
            self._plane = plane
            self.show()

    def look_soon(self) -> None:
        """The view has moved."""
        if len(self._selected) or self._paths:
            self._look_soon.start_once()

    def remove(self) -> None:
        """Take the layer away."""
        self._look_soon.stop()
        layer, self.layer = self.layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    # The layer

    def show(self) -> None:
        """Draw all of it anew."""
        self._look_soon.stop()
        labels = self._labels
        nothing = not len(self._selected) and not self._paths
        if labels is None or labels not in self._viewer.layers or nothing or not labels.visible:
            if self.layer is not None and self.layer.visible:
                self.layer.visible = False
            return
        region = self._region(labels)
        if region is None:
            if self.layer is not None:
                self.layer.visible = False
            return
        picture = self._picture(labels, region)
        layer = self._layer_for(labels, picture)
        affine = layer_affine(labels)
        offset = np.array([side.start for side in region], float)
        affine[:-1, -1] += affine[:-1, :-1] @ offset
        if not np.array_equal(layer.affine.affine_matrix, affine):
            layer.affine = affine
        if not layer.visible:
            layer.visible = True

    def _region(self, labels: Labels) -> Box | None:
        """The part of the layer that is on screen."""
        whole = tuple(slice(0, int(n)) for n in labels.data.shape)
        dims = self._viewer.dims
        if dims.ndisplay == 3:
            box = self._box if labels.ndim > 2 else whole
            if box is None or np.prod([s.stop - s.start for s in box], dtype=float) > _MOST_SOLID:
                return None
            return box
        place = np.asarray(
            labels.world_to_data(tuple(np.asarray(dims.point, float)[-labels.ndim :])), float
        )
        region = list(whole)
        for axis in dims.not_displayed:
            own = axis - (dims.ndim - labels.ndim)
            if own >= 0:
                at = int(np.floor(place[own] + 0.5))
                if not 0 <= at < labels.data.shape[own]:
                    return None
                region[own] = slice(at, at + 1)
        return tuple(region)

    def _picture(self, labels: Labels, region: Box) -> NDArray[np.uint8]:
        part = np.asarray(labels.data[region])
        picture = np.zeros(part.shape, np.uint8)
        if len(self._selected):
            # colours of few values need no table of napari
            rank = np.searchsorted(self._selected, part)
            rank = np.minimum(rank, len(self._selected) - 1)
            chosen = self._selected[rank] == part
            picture[chosen] = 1 + rank[chosen] % _NUMBERS
        corner = np.array([side.start for side in region])
        if self._viewer.dims.ndisplay == 2:
            _keep_outlines(picture)
            for path, value in self._paths:
                _draw_line(picture, np.floor(path + 0.5).astype(int) - corner, value)
        elif self._plane is not None:
            point, normal = self._plane
            away = np.zeros(picture.shape)
            grid: tuple[NDArray[np.intp], ...] = np.indices(picture.shape, sparse=True)
            for axis, places in enumerate(grid):
                away += normal[axis] * (places - point[axis] + corner[axis])
            picture[(np.abs(away) <= 0.5 * np.abs(normal).sum()) & (picture > 0)] = _BESIDE
        return picture

    def _layer_for(self, labels: Labels, picture: NDArray[np.uint8]) -> Labels:
        layer = self.layer
        if layer is not None and layer in self._viewer.layers and layer.ndim == picture.ndim:
            if layer.data.shape == picture.shape:
                layer.data[...] = picture
                layer.refresh()
            else:
                layer.data = picture
            return layer
        self.remove()
        hidden = (0.0, 0.0, 0.0, 0.0)
        layer = Labels(
            picture,
            name=NAME,
            opacity=1.0,
            blending="translucent_no_depth",
            colormap=DirectLabelColormap(
                color_dict={0: hidden, _BESIDE: OTHER_COLOUR, 2: SECOND_COLOUR, None: COLOUR}
            ),
            units=labels.units,
            axis_labels=labels.axis_labels,
        )
        layer.metadata[METADATA_KEY] = PREVIEW
        with selection_kept(self._viewer):
            self._viewer.add_layer(layer)
        layer.editable = False
        self.layer = layer
        return layer


def _keep_outlines(picture: NDArray[np.uint8]) -> None:
    """Empty the inner of all objects of a plane.

    napari's own outlines would warn whenever the 3D display is chosen.
    """
    inner = picture > 0
    for axis, length in enumerate(picture.shape):
        for step in range(1, min(_WIDTH, length - 1) + 1):
            ahead = (slice(None),) * axis
            low, high = (*ahead, slice(None, -step)), (*ahead, slice(step, None))
            alike = picture[low] == picture[high]
            inner[low] &= alike
            inner[high] &= alike
    picture[inner] = 0


def _draw_line(picture: NDArray[np.uint8], places: NDArray[np.intp], value: int) -> None:
    """Write a line of voxels into a plane; a single place becomes a small cross."""
    flat = [axis for axis, n in enumerate(picture.shape) if n == 1]
    across = [axis for axis in range(picture.ndim) if axis not in flat]
    if len(across) != 2:
        across = list(range(picture.ndim))[-2:]
        flat = list(range(picture.ndim))[:-2]
    if any(not 0 <= places[0, axis] < picture.shape[axis] for axis in flat):
        return
    plane = picture[
        tuple(slice(None) if axis in across else places[0, axis] for axis in range(picture.ndim))
    ]
    flat_places = places[:, across]
    if len(flat_places) == 1:
        y, x = flat_places[0]
        steps = np.arange(-2, 3)
        rows = np.concatenate([y + steps, np.full(5, y)])
        columns = np.concatenate([np.full(5, x), x + steps])
    else:
        parts = [line(*start, *stop) for start, stop in pairwise(flat_places)]
        rows = np.concatenate([part[0] for part in parts])
        columns = np.concatenate([part[1] for part in parts])
    inside = (rows >= 0) & (columns >= 0) & (rows < plane.shape[0]) & (columns < plane.shape[1])
    plane[rows[inside], columns[inside]] = value
