"""The place of a result: its array in the layer's axis order, and the layer's transform."""

from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Layer
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.gui.grids import Grid, level_0
from napari_seedbed.pipeline.image import Image


def placed(image: Image, like: Layer, grid: Grid) -> tuple[NDArray, dict[str, Any]]:
    """Array in the axis order of a layer in the place of `like`, and that layer's transform.

    A channel axis that the result does not have is left out where it is the first one. Elsewhere
    napari, which aligns layers by their last axes, would confuse the axes before it: there the
    result gets one voxel as long as all channels together, so that it shows for each of them.
    """
    rgb = isinstance(like, ImageLayer) and like.rgb
    shape = level_0(like).shape
    names = tuple(axis for axis in grid.axes if axis in image.axes)
    lost = [axis for axis in grid.axes if axis not in names]
    if image.channel_axis is not None and not (rgb and image.rgb) and "c" not in names:
        raise InputError(
            f"'{like.name}' has no channel axis to put the {image.n_channels} channels of the "
            "result in; add them one by one."
        )
    if set(lost) - {"c"} or any(
        image.shape[image.axes.index(axis)] != shape[grid.axes.index(axis)] for axis in names
    ):
        raise InputError(
            f"The result has axes {image.axes} and shape {image.shape}, the layer '{like.name}' "
            f"has {grid.axes} and {tuple(shape)}: it cannot be put in its place."
        )
    order = [image.axes.index(axis) for axis in (*names, *(("c",) if image.rgb else ()))]
    array = np.transpose(np.asarray(image.array), order)
    keep = list(range(like.ndim))
    scale = np.array(like.scale, dtype=float)
    translate = np.array(like.translate, dtype=float)
    if lost == ["c"]:
        c = grid.axes.index("c")
        if c == 0:
            keep = keep[1:]
        else:
            count = shape[c]
            translate[c] += scale[c] * (count - 1) / 2
            scale[c] *= count
            array = np.expand_dims(array, c)
    place = {
        "scale": scale[keep],
        "translate": translate[keep],
        "rotate": np.asarray(like.rotate)[np.ix_(keep, keep)],
        "shear": shear_of(like, keep),
        "affine": like.affine.set_slice(keep).affine_matrix,
        "units": tuple(like.units[i] for i in keep),
        "axis_labels": tuple(like.axis_labels[i] for i in keep),
    }
    return array, place


def shear_of(layer: Layer, keep: list[int]) -> NDArray:
    """Shear of some axes; napari gives one number an axis where there is none, and takes none."""
    shear = np.asarray(layer.shear, dtype=float)
    if not shear.any():
        return np.zeros(len(keep) * (len(keep) - 1) // 2)
    if shear.ndim == 2:
        return shear[np.ix_(keep, keep)]
    matrix = np.zeros((layer.ndim, layer.ndim))
    matrix[np.triu_indices(layer.ndim, 1)] = shear
    return matrix[np.ix_(keep, keep)][np.triu_indices(len(keep), 1)]
