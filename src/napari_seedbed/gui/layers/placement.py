"""The place of a result: its array in the layer's axis order, and the layer's transform."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Layer
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.grids import Grid, level_0
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Points


@dataclass(frozen=True)
class Shift:
    """Where a result lies that does not cover the layer it was made from.

    Attributes
    ----------
    offset : tuple of float
        Its first voxel in voxels of the layer, one number a spatial axis.
    factor : tuple of float
        Its voxel size in voxels of the layer.
    time : int or None
        The time point of a result without a time axis; None for one that has all, or none.
    """

    offset: tuple[float, ...]
    factor: tuple[float, ...]
    time: int | None = None


def shift_between(result: Image | Points | Shapes, source: Image, time: int | None = None) -> Shift:
    """How a result lies on the image that it was made from."""
    spacing = np.asarray(source.spacing)
    offset = (np.asarray(result.translate) - source.translate) / spacing
    factor = np.asarray(result.spacing) / spacing
    # Far below what can be seen: what is left of adding and taking away again.
    return Shift(tuple(np.round(offset, 6)), tuple(np.round(factor, 9)), time)


def placed(
    image: Image, like: Layer, grid: Grid, shift: Shift | None = None
) -> tuple[Any, dict[str, Any]]:
    """Array in the axis order of a layer in the place of `like`, and that layer's transform.

    An axis that the result does not have is left out where no axis that it has comes before.
    Elsewhere napari, which aligns layers by their last axes, would confuse the axes before it:
    there the result gets one voxel as long as all of them together, so that it shows for each.

    Parameters
    ----------
    image : Image
        Covers `like`, but for its channels, unless there is a `shift`.
    like : Layer
    grid : Grid
        Of `like`.
    shift : Shift, optional
        For a result on another grid, of some time points only, or with channels where `like` has
        none; those come first.

    Raises
    ------
    InputError
        When the result does not cover the layer and there is no `shift`.
    """
    shape = level_0(like).shape
    names = tuple(axis for axis in grid.axes if axis in image.axes)
    colours = ("c",) if image.rgb and "c" not in grid.axes else ()
    first = tuple(axis for axis in image.axes if axis not in (*names, *colours))
    if shift is None:
        _check_covers(image, like, grid)
    # what is in files stays there
    array = image.array.transpose([image.axes.index(axis) for axis in (*first, *names, *colours)])
    offset, factor = np.zeros(like.ndim), np.ones(like.ndim)
    present = [i for i, axis in enumerate(grid.axes) if axis in names]
    if shift is not None:
        offset[grid.spatial], factor[grid.spatial] = shift.offset, shift.factor
        if shift.time is not None and "t" in grid.axes:
            present.append(grid.axes.index("t"))
            offset[present[-1]] = shift.time
    keep = list(range(min(present), like.ndim))
    for i in keep:
        if i not in present:
            offset[i], factor[i] = (shape[i] - 1) / 2, shape[i]
        if grid.axes[i] not in names:
            array = array[(slice(None),) * (len(first) + i - keep[0]) + (None,)]
    place = {
        "scale": (np.asarray(like.scale, dtype=float) * factor)[keep],
        "translate": (np.asarray(like.translate, dtype=float) + _step(like, grid, offset))[keep],
        "rotate": np.asarray(like.rotate)[np.ix_(keep, keep)],
        "shear": shear_of(like, keep),
        "affine": like.affine.set_slice(keep).affine_matrix,
        "units": tuple(like.units[i] for i in keep),
        "axis_labels": tuple(like.axis_labels[i] for i in keep),
    }
    return array, _with_first_axes(place, first)


def place_of_marks(like: Layer, grid: Grid) -> dict[str, Any]:
    """Transform, units and axis labels of `like`, as a result without channels has them."""
    keep = [i for i, axis in enumerate(grid.axes) if axis != "c"]
    shape = tuple(level_0(like).shape[i] for i in keep)
    nothing = np.broadcast_to(np.zeros((), np.uint8), shape)
    return placed(Image(array=nothing, axes=tuple(grid.axes[i] for i in keep)), like, grid)[1]


def _check_covers(image: Image, like: Layer, grid: Grid) -> None:
    """Raise InputError unless a result has the axes of a layer, but for channels, as long."""
    shape = level_0(like).shape
    rgb = isinstance(like, ImageLayer) and like.rgb
    names = [axis for axis in grid.axes if axis in image.axes]
    if image.channel_axis is not None and not (rgb and image.rgb) and "c" not in names:
        raise InputError(
            f"'{like.name}' has no channel axis to put the {image.n_channels} channels of the "
            "result in; add them one by one."
        )
    if set(grid.axes) - {*names, "c"} or any(
        image.shape[image.axes.index(axis)] != shape[grid.axes.index(axis)] for axis in names
    ):
        raise InputError(
            f"The result has axes {image.axes} and shape {image.shape}, the layer '{like.name}' "
            f"has {grid.axes} and {tuple(shape)}: it cannot be put in its place."
        )


def _step(layer: Layer, grid: Grid, offset: NDArray[np.float64]) -> NDArray[np.float64]:
    """What an offset in voxels of a layer adds to its `translate`, which comes before `affine`."""
    if not offset.any():
        return offset
    linear = np.linalg.solve(layer.affine.linear_matrix, grid.affine[:-1, :-1])
    return np.asarray(linear @ offset, dtype=float)


def _with_first_axes(place: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The place with axes put before all others, one world unit a step."""
    n = len(names)
    if not n:
        return place
    count = n + len(place["scale"])

    def grown(matrix: NDArray, size: int) -> NDArray:
        whole = np.eye(size)
        whole[n:, n:] = matrix
        return whole

    return {
        "scale": np.concatenate([np.ones(n), place["scale"]]),
        "translate": np.concatenate([np.zeros(n), place["translate"]]),
        "rotate": grown(place["rotate"], count),
        "shear": _grown_shear(place["shear"], n, count),
        "affine": grown(place["affine"], count + 1),
        "units": ("pixel",) * n + place["units"],
        "axis_labels": names + place["axis_labels"],
    }


def _grown_shear(shear: NDArray, n: int, count: int) -> NDArray:
    if shear.ndim == 2:
        whole = np.eye(count)
        whole[n:, n:] = shear
        return whole
    matrix = np.zeros((count, count))
    below = np.triu_indices(count - n, 1)
    matrix[below[0] + n, below[1] + n] = shear
    return matrix[np.triu_indices(count, 1)]


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
