"""Seeds from Labels, Points and Shapes layers in any transform, onto the image's own grid."""

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer, Points, Shapes
from numpy.typing import NDArray

from napari_seedbed import core
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.grids import GridMap, grid_map, grid_of, layer_affine, seeds_grid
from napari_seedbed.gui.layers.image_layers import image_of, level_0
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.row_digests import ROW, row_digests
from napari_seedbed.pipeline.data.sparse_labels import SparseLabels, labels_in, places_in
from napari_seedbed.pipeline.files.voxels_in_file import LAZY_ABOVE

SeedsLayer: TypeAlias = Labels | Points | Shapes

LABEL_FEATURE = "label"
OUTSIDE = "outside"
"""A label of this name means -1: not part of the problem."""


@dataclass(frozen=True, eq=False)
class _Target:
    """The image's grid, and how the seeds' coordinates relate to it."""

    image: Image
    map: GridMap


def seeds_image(seeds: SeedsLayer, like: ImageLayer, *, time_axis: int | None = None) -> Image:
    """Integer labels on the grid of an image layer, from a layer of seeds.

    Labels on the image's own grid are handed over without a copy. Others are mapped seeds layer
    -> world -> image. Seeds without a time axis count at every time point, as napari shows them.

    Parameters
    ----------
    seeds : Labels, Points or Shapes layer
        With the image's last axes. The label of a point or shape is its `label` feature, where
        there is one (see `marked_labels`); otherwise each is a label of its own, from 1.
    like : Image layer
    time_axis : int, optional
        The image's axis that is time, where its axis labels do not say so.

    Returns
    -------
    Image
        Labels on the spatial axes, and along time where the image has it: 0 is unknown, negative
        is outside. Read-only by convention.

    Raises
    ------
    InputError
        When the axes or units do not fit, or when all seeds lie outside the image.
    """
    full = grid_of(like, time_axis)
    grid = seeds_grid(seeds, full)
    image = image_of(like, time_axis=time_axis)
    target = _Target(image, grid_map(full, grid))
    array: Any
    if isinstance(seeds, Labels):
        array = _from_labels(seeds, grid.axes, target)
    else:
        array = _from_marks(seeds, grid.axes, target)
    axes = image.spatial_axes
    if image.time_axis is not None:
        axes = tuple(axis for axis in image.axes if axis == "t" or axis in axes)
        if "t" not in grid.axes:
            array = np.broadcast_to(array, (image.n_times, *image.spatial_shape))
        order = [axis for axis in range(array.ndim) if axis != 0]
        order.insert(axes.index("t"), 0)
        array = array.transpose(order)
    return Image(
        array=array,
        axes=axes,
        spacing=image.spacing,
        units=image.units,
        name=seeds.name,
        translate=image.translate,
    )


def copied_seeds(seeds: Image) -> Image:
    """Seeds that stay as they are while the person goes on painting in their layer."""
    array = seeds.array
    own = array.copy() if isinstance(array, SparseLabels) else np.array(array)
    return replace(seeds, array=own)


def marked_labels(layer: Points | Shapes) -> tuple[NDArray[np.int64], dict[int, str]]:
    """The label of each point or shape, and the names where labels are words.

    Whole numbers, also when written as text, are labels themselves. Words are numbered from 1 in
    alphabetical order; 'outside' is -1. Without a `label` feature each mark is a label of its own.

    Raises
    ------
    InputError
        When a mark has no label, or one that is a number but not a whole one.
    """
    count = len(layer.data)
    if LABEL_FEATURE not in layer.features:
        return np.arange(1, count + 1), {}
    given = [str(value).strip() for value in layer.features[LABEL_FEATURE]]
    missing = [i for i, value in enumerate(given) if value.lower() in ("", "nan", "none", "<na>")]
    if missing:
        raise InputError(
            f"label: mark number {missing[0] + 1} of '{layer.name}' has none. Fill in the feature "
            "'label' for every mark, or remove that feature."
        )
    numbers = [_number(value) for value in given]
    if all(number is not None for number in numbers):
        fractions = [n for n in numbers if n is not None and not n.is_integer()]
        if fractions:
            raise InputError(
                f"label: {fractions[0]:g} in '{layer.name}' is not a whole number; labels are "
                "whole numbers, or words."
            )
        return np.array([int(n) for n in numbers if n is not None], dtype=np.int64), {}
    words = sorted(set(given) - {OUTSIDE})
    values = {word: i + 1 for i, word in enumerate(words)} | {OUTSIDE: -1}
    names = {i + 1: word for i, word in enumerate(words)}
    return np.array([values[word] for word in given], dtype=np.int64), names


def label_count(layer: Layer | None) -> int:
    """How many labels are marked in a layer, for forecasts: all that lie on it, at any time.

    0 where there is no layer, where it lies on disk, and where its marks have no proper labels:
    what is wrong with those is said by a run. Takes 2 ms for 256^3 voxels of seeds, 40 ms where all
    of them are marked.
    """
    if isinstance(layer, Labels):
        array = level_0(layer)
        return len(labels_in(array)) if isinstance(array, np.ndarray | SparseLabels) else 0
    if not isinstance(layer, Points | Shapes):
        return 0
    try:
        labels, _ = marked_labels(layer)
    except InputError:
        return 0
    return len(np.unique(labels[labels > 0]))


def time_of_mark(times: NDArray[np.floating], i: int, layer: Layer, target: GridMap) -> int:
    """The image's time point of mark `i`, from the time coordinates of its points.

    Raises
    ------
    InputError
        When they are several.
    """
    found = np.unique(target.image_times(times))
    if len(found) > 1:
        raise InputError(
            f"Mark number {i + 1} of '{layer.name}' spans the time points {found[0]} to "
            f"{found[-1]}; draw it at one time point."
        )
    return int(found[0])


def seeds_digest(layer: SeedsLayer) -> int:
    """A number that changes when the seeds, their labels or their place change.

    Undo and redo do not report what they change, and sliders fire the same event: comparing this
    number distinguishes them. It takes 13 to 18 ms for 256^3 voxels of int32 (64 MB) on the machine
    that it was chosen on, whatever is painted; zlib.crc32 takes 48 ms there, blake2b 229 ms.
    """
    return digesting(layer)()


def digesting(layer: SeedsLayer) -> Callable[[], int]:
    """What gives the `seeds_digest`; it may be called in another thread."""
    check = zlib.crc32(layer_affine(layer).tobytes())
    check = zlib.crc32(" ".join(map(str, layer.units)).encode(), check)
    if isinstance(layer, Labels):
        array = level_0(layer)
        if isinstance(array, SparseLabels):
            return partial(array.digest, check)
        if not isinstance(array, np.ndarray):
            # nobody paints on what is in files
            check = zlib.crc32(str(getattr(array, "name", id(array))).encode(), check)
            return lambda: check
        return partial(_array_digest, array, check)
    check = _marks_digest(layer, check)
    return lambda: check


def _marks_digest(layer: Points | Shapes, check: int) -> int:
    parts = [np.asarray(part, dtype=float) for part in layer.data]
    check = zlib.crc32(repr([part.shape for part in parts]).encode(), check)
    for part in parts:
        check = zlib.crc32(np.ascontiguousarray(part).tobytes(), check)
    if LABEL_FEATURE in layer.features:
        check = zlib.crc32(repr(list(layer.features[LABEL_FEATURE])).encode(), check)
    if isinstance(layer, Points):
        return zlib.crc32(np.asarray(layer.size, dtype=float).tobytes(), check)
    return zlib.crc32(repr([layer.shape_type, layer.edge_width]).encode(), check)


# Labels


def voxels_of_labels(layer: Labels) -> NDArray[np.integer] | SparseLabels:
    """The voxels of a Labels layer in full resolution; only sparse ones stay as they are."""
    array = level_0(layer)
    return array if isinstance(array, SparseLabels) else np.asarray(array)


def _from_labels(
    layer: Labels, axes: tuple[str, ...], target: _Target
) -> NDArray[np.integer] | SparseLabels:
    labels = voxels_of_labels(layer)
    if isinstance(labels, SparseLabels):
        return _from_sparse(layer.name, labels, axes, target)
    if "c" in axes:
        labels, axes = _over_channels(labels, axes)
    timed = "t" in axes
    if timed:
        labels = np.moveaxis(labels, axes.index("t"), 0)
    image = target.image
    if target.map.is_same_grid(image.spatial_shape):
        wanted = (image.n_times, *image.spatial_shape) if timed else image.spatial_shape
        if labels.shape == wanted:
            return labels
    if not timed:
        found = _resampled(labels, target)
    else:
        found = np.zeros((image.n_times, *image.spatial_shape), np.int32)
        for source, t in enumerate(target.map.image_times(np.arange(len(labels), dtype=float))):
            # most time points have no seeds: looking is cheaper than resampling
            if 0 <= t < image.n_times and labels[source].any():
                found[t] = _resampled(labels[source], target)
    if not found.any() and labels.any():
        raise _outside(layer.name, image)
    return found


def _from_sparse(
    name: str, labels: SparseLabels, axes: tuple[str, ...], target: _Target
) -> SparseLabels:
    image = target.image
    if "c" in axes and labels.shape[axes.index("c")] == 1:
        labels = labels[(slice(None),) * axes.index("c") + (0,)]
        axes = tuple(axis for axis in axes if axis != "c")
    wanted = (*((image.n_times,) if image.time_axis is not None else ()), *image.spatial_shape)
    if "t" in axes:
        first = axes.index("t")
        labels = labels.transpose([first, *(i for i in range(labels.ndim) if i != first)])
    if "c" in axes or labels.shape != wanted or not target.map.is_same_grid(image.spatial_shape):
        raise InputError(
            f"The seeds of '{name}' lie on another grid than '{image.name}', which is too large "
            "to move them. Make a layer with 'New seeds' on the image."
        )
    return labels


def _resampled(labels: NDArray[np.integer], target: _Target) -> NDArray[np.integer]:
    return core.resample_labels(labels, target.map.spatial, target.image.spatial_shape)


def _over_channels(
    labels: NDArray[np.integer], axes: tuple[str, ...]
) -> tuple[NDArray[np.integer], tuple[str, ...]]:
    """Seeds painted while any channel was on screen; the first channel wins where two were."""
    c = axes.index("c")
    planes = np.moveaxis(labels, c, 0)
    joined = planes[0]
    for plane in planes[1:]:
        joined = np.where(joined != 0, joined, plane)
    return joined, tuple(axis for axis in axes if axis != "c")


# Points and Shapes


def _from_marks(
    layer: Points | Shapes, axes: tuple[str, ...], target: _Target
) -> NDArray[np.integer]:
    labels = marked_labels(layer)[0]
    marks = [np.atleast_2d(np.asarray(mark, dtype=float)) for mark in layer.data]
    space = [i for i, axis in enumerate(axes) if axis not in ("t", "c")]
    to_image = target.map.to_image
    placed = [mark[:, space] @ to_image[:-1, :-1].T + to_image[:-1, -1] for mark in marks]
    known = [i for i, label in enumerate(labels) if label != 0]
    if "t" not in axes:
        return _drawn(layer, placed, labels, known, target)
    image = target.image
    found = _nothing(image, (image.n_times, *image.spatial_shape))
    at = {i: time_of_mark(marks[i][:, axes.index("t")], i, layer, target.map) for i in known}
    for t in sorted(set(at.values())):
        if 0 <= t < image.n_times:
            now = [i for i in known if at[i] == t]
            drawn = _drawn(layer, placed, labels, now, target)
            places = places_in(drawn)
            found[(np.full(len(places[0]), t), *places)] = drawn[places]
    if known and not any(0 <= t < image.n_times for t in at.values()):
        raise _outside(layer.name, image)
    return found


def _drawn(
    layer: Points | Shapes,
    marks: list[NDArray[np.floating]],
    labels: NDArray[np.int64],
    chosen: list[int],
    target: _Target,
) -> NDArray[np.integer]:
    """Some of the marks on the image's grid, from their places there."""
    image, factor = target.image, _length_factor(target)
    if isinstance(layer, Points):
        sizes = np.broadcast_to(np.asarray(layer.size, dtype=float), (len(layer.data),))
        return core.seeds_from_points(
            np.concatenate([marks[i] for i in chosen]) if chosen else [],
            labels[chosen],
            image.spatial_shape,
            # an ellipsoid in voxels that is a ball in the world, for each point its own
            0.5 * factor * sizes[chosen, None] / np.asarray(image.spacing),
            spacing=image.spacing,
            out=_nothing(image, image.spatial_shape),
        )
    kinds = layer.shape_type
    return core.seeds_from_shapes(
        [(str(kinds[i]), marks[i]) for i in chosen],
        labels[chosen],
        image.spatial_shape,
        spacing=image.spacing,
        path_width=factor * np.asarray(layer.edge_width, dtype=float)[chosen],
        out=_nothing(image, image.spatial_shape),
    )


def _nothing(image: Image, shape: Sequence[int]) -> Any:
    """Labels without marks, which take no memory where an image is too large for others."""
    is_large = image.is_lazy and math.prod(shape) * np.dtype(np.int32).itemsize > LAZY_ABOVE
    return SparseLabels(shape) if is_large else np.zeros(shape, np.int32)


def _length_factor(target: _Target) -> float:
    """From the seeds' data units along x, which sizes and widths are in, to the image's unit."""
    direction = target.map.to_image[:-1, -2]
    return float(np.linalg.norm(direction * np.asarray(target.image.spacing)))


# Small things


def _outside(name: str, image: Image) -> InputError:
    return InputError(
        f"The seeds of '{name}' all lie outside the image '{image.name}'. Draw them on the image, "
        "or check the scale and position of both layers."
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _array_digest(voxels: Any, check: int) -> int:
    """Position-dependent checksum of an array's bytes."""
    array = np.asarray(voxels)
    check = zlib.crc32(f"{array.shape} {array.dtype}".encode(), check)
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    whole = flat.size // ROW * ROW
    check = zlib.crc32(row_digests(flat[:whole]).tobytes(), check)
    return zlib.crc32(flat[whole:].tobytes(), check)
