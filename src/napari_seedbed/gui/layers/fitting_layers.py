"""Which layers go with an image: whether they lie on it, and which may be chosen unasked."""

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.grids import (
    SAME_GRID_TOLERANCE,
    Grid,
    grid_of,
    level_0,
    seeds_grid,
    unit_factor,
)
from napari_seedbed.gui.layers.layer_records import is_truth


def may_be_preselected(layer: Layer, image: Layer | None) -> bool:
    """Whether a layer may be chosen for an image before a person has chosen one.

    A truth is there to score results against, what is hidden is put away, and what lies elsewhere
    or has other voxels belongs to another image.
    """
    return bool(layer.visible) and not is_truth(layer) and lies_on(layer, image)


def lies_on(layer: Layer, image: Layer | None) -> bool:
    """Whether a layer has the voxels of an image; marks without voxels lie within its bounds.

    True where there is no image. Channels do not matter, nor does a time axis that only one of
    them has.
    """
    if image is None or layer is image:
        return True
    if not isinstance(layer, ImageLayer | Labels):
        return _lies_within(layer, image)
    try:
        grid = grid_of(image)
        own = grid_of(layer) if isinstance(layer, ImageLayer) else seeds_grid(layer, grid)
        return _same_space(layer, own, image, grid)
    except InputError:
        return False


def _same_space(layer: Layer, own: Grid, image: Layer, grid: Grid) -> bool:
    shape, other = _shape(layer, own), _shape(image, grid)
    if shape != other or len(own.spatial) != len(grid.spatial):
        return False
    frames = [
        level_0(one).shape[its.axes.index("t")]
        for one, its in ((layer, own), (image, grid))
        if "t" in its.axes
    ]
    if len(set(frames)) > 1:
        return False
    to_world, of_own = _spatial_affine(grid), _spatial_affine(own)
    for i, (mine, its) in enumerate(zip(grid.spatial, own.spatial, strict=True)):
        of_own[i] *= unit_factor(own.units[its], grid.units[mine], layer.name)
    away = np.abs(np.linalg.solve(to_world, of_own) - np.eye(len(to_world)))[:-1]
    return not np.any(away @ np.append(shape, 1.0) > SAME_GRID_TOLERANCE)


def _shape(layer: Layer, grid: Grid) -> tuple[int, ...]:
    return tuple(int(level_0(layer).shape[i]) for i in grid.spatial)


def _spatial_affine(grid: Grid) -> NDArray[np.float64]:
    keep = [*grid.spatial, grid.ndim]
    return grid.affine[np.ix_(keep, keep)]


def _lies_within(layer: Layer, image: Layer) -> bool:
    if layer.ndim > image.ndim:
        return False
    if not len(layer.data):
        return True
    low, high = layer.extent.world
    first, last = image.extent.world[:, -layer.ndim :]
    units = zip(layer.units, image.units[-layer.ndim :], strict=True)
    try:
        factor = np.array([unit_factor(own, its, layer.name) for own, its in units])
    except InputError:
        return False
    return bool(np.all(low * factor <= last) and np.all(high * factor >= first))
