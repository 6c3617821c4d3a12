"""Images in several resolutions: which one is in view, and what operations are given of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Layer
from numpy.typing import NDArray

from napari_seedbed.gui.layers.grids import grid_of, level_0, level_of
from napari_seedbed.gui.layers.image_layers import ChannelChoice, image_from_layers, image_of
from napari_seedbed.gui.layers.view_position import Part, part_in_view
from napari_seedbed.pipeline.data.image import SPATIAL, Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.sparse_labels import SparseLabels, places_in

Inputs = Mapping[str, Image | Shapes]

STATISTICS_VOXELS = 1 << 25
"""Up to so many voxels are read for what the values of a whole image decide, in a preview."""


def level_in_view(layer: Layer, choices: Sequence[ChannelChoice] = ()) -> int:
    """The resolution that napari draws now, as far as all channels have it; 0 is the full one."""
    if not isinstance(layer, ImageLayer) or not layer.multiscale:
        return 0
    least = min((level_count(choice.layer) for choice in choices), default=level_count(layer))
    return min(int(layer.data_level), least - 1)


def level_count(layer: Layer) -> int:
    """How many resolutions a layer has."""
    return len(layer.data) if layer.multiscale else 1


def resolution_in_words(layer: Layer, level: int) -> str:
    """``1/4 resolution``; of an image whose axes differ that of the finest one is said last."""
    factors = sorted({round(float(n)) for n in _factors(layer, level)} - {1}, reverse=True)
    if not factors:
        return "full resolution"
    return " and ".join(f"1/{n}" for n in factors) + " resolution"


def inputs_at(
    inputs: Inputs,
    layer: Layer,
    choices: Sequence[ChannelChoice],
    time_axis: int | None,
    level: int,
) -> Inputs:
    """What an operation is given where it works on a lower resolution of an image.

    Parameters
    ----------
    inputs : dict
        As for `operations.run`, in full resolution.
    layer : Image layer
        That ``inputs['image']`` was made from, with several resolutions.
    choices : sequence of ChannelChoice
        The channels in it; empty for all of the layer.
    time_axis : int or None
        The layer's axis that is time, where its axis labels do not say so.
    level : int
        From 1 on, counted down from the full resolution.

    Returns
    -------
    dict
        Seeds mark each voxel that one of their voxels falls into; of a second image, one voxel of
        several is taken.
    """
    image = image_at(layer, choices, time_axis, level)
    factors = np.divide(image.spacing, _main(inputs).spacing)
    found: dict[str, Image | Shapes] = {"image": image}
    for role, given in inputs.items():
        if isinstance(given, Shapes):
            moved = [replace(one, points=one.points / factors) for one in given.shapes]
            spacing = tuple(np.multiply(given.spacing, factors)) if given.spacing else ()
            found[role] = replace(given, shapes=tuple(moved), spacing=spacing)
        elif role == "seeds":
            found[role] = _coarser_seeds(given, image, factors)
        elif role != "image":
            found[role] = _coarser(given, image, factors)
    return found


def image_at(
    layer: Layer, choices: Sequence[ChannelChoice], time_axis: int | None, level: int
) -> Image:
    """The pipeline's image of a resolution; it lies where napari draws it."""
    if not choices:
        return image_of(layer, time_axis=time_axis, level=level)
    assert isinstance(layer, ImageLayer)
    return image_from_layers(layer, choices, time_axis=time_axis, level=level)


def level_for_statistics(layer: Layer) -> int:
    """The finest resolution of which all voxels can be read while somebody waits, or the lowest."""
    last = level_count(layer) - 1
    shapes = [level_of(layer, level).shape for level in range(last + 1)]
    sizes = [np.prod(shape, dtype=float) for shape in shapes]
    return next((i for i, size in enumerate(sizes) if size <= STATISTICS_VOXELS), last)


def image_for_statistics(
    layer: Layer, choices: Sequence[ChannelChoice], time_axis: int | None
) -> Image:
    """The image in that resolution."""
    return image_at(layer, choices, time_axis, level_for_statistics(layer))


def part_on_screen(
    viewer: ViewerModel, layer: Layer, image: Image, time_axis: int | None, level: int
) -> Part:
    """What napari has read of an image for the window: a part of a slice, and the time point.

    Parameters
    ----------
    viewer : ViewerModel or Viewer
    layer : Image layer
    image : Image
        In full resolution.
    time_axis : int or None
        The layer's axis that is time, where its axis labels do not say so.
    level : int
        The resolution that is in view.

    Returns
    -------
    Part
        In voxels of that resolution.
    """
    part = part_in_view(viewer, layer, image, time_axis)
    if viewer.dims.ndisplay != 2:
        return part
    corners, shapes = np.asarray(layer.corner_pixels), layer.level_shapes
    spatial = [i for i, axis in enumerate(grid_of(layer, time_axis).axes) if axis in SPATIAL]
    displayed = {axis - (viewer.dims.ndim - layer.ndim) for axis in viewer.dims.displayed}
    factors = _factors(layer, level)
    sides = []
    for axis in spatial:
        n = int(shapes[level][axis])
        low, high = int(corners[0, axis]), int(corners[1, axis]) + 1
        if axis not in displayed:
            assert part.region is not None, "an axis of a volume is not on screen"
            index = part.region[spatial.index(axis)].start
            low = min(round(index / factors[axis]), n - 1)
            high = low + 1
        elif high - low < 2:  # nothing was drawn yet
            low, high = 0, n
        sides.append(slice(max(0, low), min(n, high)))
    return replace(part, region=tuple(sides))


def _main(inputs: Inputs) -> Image:
    image = inputs["image"]
    assert isinstance(image, Image)
    return image


def _factors(layer: Layer, level: int) -> NDArray[np.float64]:
    if not layer.multiscale:
        return np.ones(layer.ndim)
    return np.asarray(layer.downsample_factors[level][: layer.ndim], float)


def _coarser_seeds(seeds: Image, like: Image, factors: NDArray[np.float64]) -> Image:
    array = seeds.array if isinstance(seeds.array, SparseLabels) else np.asarray(seeds.array)
    places = places_in(array)
    values = array[places]
    along = dict(zip(like.spatial_axes, zip(factors, like.spatial_shape, strict=True), strict=True))
    moved, shape = [], []
    for axis, n, at in zip(seeds.axes, seeds.shape, places, strict=True):
        factor, length = along.get(axis, (1.0, n))
        moved.append(np.minimum((at / factor).astype(np.intp), length - 1))
        shape.append(length)
    coarse = SparseLabels(shape, seeds.dtype)
    coarse[tuple(moved)] = values
    return replace(seeds, array=coarse, spacing=like.spacing, translate=like.translate, record=None)


def _coarser(given: Image, like: Image, factors: NDArray[np.float64]) -> Image:
    """One voxel of several, so that both lie on one grid."""
    along = dict(zip(like.spatial_axes, zip(factors, like.spatial_shape, strict=True), strict=True))
    index = [slice(None)] * len(given.axes)
    for i, axis in enumerate(given.axes):
        if axis in along:
            factor, length = along[axis]
            index[i] = slice(0, length * round(factor), round(factor))
    array = given.array[tuple(index)]
    lengths = dict(zip(given.axes, array.shape, strict=True))
    spatial = tuple(lengths[axis] for axis in like.spatial_axes)
    spacing = like.spacing if spatial == like.spatial_shape else given.spacing
    return replace(given, array=array, spacing=spacing, record=None)


def place_in_view(viewer: ViewerModel, layer: Layer, time_axis: int | None) -> tuple[int, ...]:
    """The voxel of the full resolution in the middle of what the window shows."""
    point = np.asarray(viewer.dims.point, dtype=float)
    displayed = list(viewer.dims.displayed)
    point[displayed] = viewer.scene.camera.center[-len(displayed) :]
    found = np.rint(layer.world_to_data(tuple(point[-layer.ndim :])))
    spatial = [i for i, axis in enumerate(grid_of(layer, time_axis).axes) if axis in SPATIAL]
    shape = level_0(layer).shape
    return tuple(int(np.clip(found[i], 0, shape[i] - 1)) for i in spatial)
