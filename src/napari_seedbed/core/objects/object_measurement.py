"""Tables of what was segmented: one row an object."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from napari_seedbed.core.objects import object_kernels as kernels
from napari_seedbed.core.objects.labelled_volume import LabelledVolume, Tally, volume_axes
from napari_seedbed.core.objects.object_hulls import object_hulls, object_runs
from napari_seedbed.core.objects.object_intensities import INTENSITIES, object_intensities
from napari_seedbed.core.objects.object_shapes import (
    object_shapes,
    steps_in_memory,
    tally_shapes,
)
from napari_seedbed.core.progress import check_stop, tell
from napari_seedbed.core.validation import (
    check_channel_axis,
    check_image,
    check_labels,
    check_spacing,
)
from napari_seedbed.errors import InputError

MEASUREMENT_GROUPS = ("size", "position", "shape", "hull", "intensity", "neighbours")
"""Groups of columns, in the order in which they come."""

_AXIS_NAMES = {2: ("y", "x"), 3: ("z", "y", "x")}
_PAIRS_AT_ONCE = 1 << 20


def measure_objects(
    labels: Any,
    spacing: float | Sequence[float] | None = None,
    unit: str = "pixel",
    image: Any = None,
    *,
    groups: Sequence[str] = MEASUREMENT_GROUPS,
    channel_axis: int | None = None,
    channel_names: Sequence[str] = (),
) -> dict[str, NDArray[Any]]:
    """Measure size, position, shape, grey values and neighbours of each labelled object.

    Parameters
    ----------
    labels : (M, N[, P]) ndarray of int
        Labelled image; labels below 1 are no objects.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    unit : str
        Unit of `spacing`, written into the table.
    image : (M, N[, P][, C]) ndarray, optional
        Grey values; without them there are no columns of the group 'intensity'.
    groups : sequence of str
        Which of `MEASUREMENT_GROUPS` to measure.
    channel_axis : int, optional
        The axis of the image's channels. Its columns then end in the channel's name.
    channel_names : sequence of str
        One a channel; numbers from 1 when empty.

    Returns
    -------
    dict of (K,) arrays, one entry an object, in ascending order of the labels
        ``label``, ``unit`` and the columns of the groups.

        size: ``voxels``; ``area`` (2D) or ``volume`` (3D); ``equivalent_diameter`` of the disc or
        ball of that size.

        position: ``centroid_z``, ``_y``, ``_x`` from the middle of the first voxel, in physical
        units; ``voxel_z``, … the same in voxels; ``bbox_z_start``, ``bbox_z_stop``, … in voxels,
        the stop excluded; ``touches_border``: whether a voxel of it is the image's outermost.

        shape: ``perimeter`` (2D) or ``surface_area`` (3D) by Crofton's formula, at
        least that of a disc or ball of that size; ``circularity``, 4 pi area / perimeter^2, or
        ``sphericity``, the surface of a ball of that volume divided by the surface, both from 0
        to 1; ``major_axis``, (``middle_axis``,) ``minor_axis``: full axes of the
        ellipse or ellipsoid with the same moments; ``eccentricity`` of that ellipse (2D);
        ``elongation``, 1 - minor / major, in 3D 1 - middle / major; ``flatness``,
        1 - minor / middle (3D); ``orientation``: degrees from the x axis to the longest axis,
        counter-clockwise on screen, above -90 up to 90 (2D), or ``direction_z``, … of its unit
        vector (3D); ``extent``: the share of the bounding box that is filled; ``euler_number``:
        pieces minus holes (plus cavities in 3D), where voxels that meet at a corner hold together.

        hull: ``solidity``: voxels divided by those in the convex hull; ``feret_diameter``: the
        largest distance between two corners of its voxels.

        intensity: ``mean_intensity``, ``std_intensity``, ``min_intensity``, ``max_intensity``,
        ``median_intensity``, ``sum_intensity``, for each channel.

        neighbours: ``touching``: how many other objects it meets at a face, an edge or a corner;
        ``nearest_label`` and ``nearest_distance``: the object whose centroid is nearest to its
        own, and how far that is; 0 and infinite where there is no other.

    Raises
    ------
    InputError
        If `labels` are not whole numbers in 2D or 3D, `image` has another shape, or a group is
        not known.

    References
    ----------
    Legland D, Arganda-Carreras I, Andrey P (2016). MorphoLibJ: integrated library and plugins for
    mathematical morphology with ImageJ. Bioinformatics 32(22), 3532-3534.
    """
    labels = check_labels(labels)
    if labels.ndim not in _AXIS_NAMES:
        raise InputError(f"labels have {labels.ndim} axes; tables need 2 or 3.")
    if labels.size == 0:
        raise InputError(f"labels are empty: their shape is {labels.shape}.")
    size = check_spacing(spacing, labels.ndim)
    check_groups(groups)
    channels = image_channels(image, labels.shape, channel_axis, channel_names)

    _begin(0.0, "sizes")
    volume = LabelledVolume(labels)
    tally = tally_objects(volume)
    facts = ObjectFacts(volume.labels, tally["sizes"], tally["sums"], tally["low"], tally["high"])
    if "shape" in groups:
        _begin(0.1, "shapes")
        facts.shapes = tally_shapes(volume, facts.low)
    if "hull" in groups:
        _begin(0.3, "convex hulls")
        facts.hulls = object_hulls(facts.sizes, *object_runs(volume, tally["runs"]), size)
    if "intensity" in groups:
        for suffix, grey in channels:
            _begin(0.7, "intensities")
            found = object_intensities(volume, facts.sizes, grey)
            facts.intensities |= {f"{name}{suffix}": column for name, column in found.items()}
    if "neighbours" in groups:
        _begin(0.9, "neighbours")
        facts.pairs = touching_objects(volume)
    return facts.columns(groups, labels.shape, size, unit)


@dataclass(eq=False)
class ObjectFacts:
    """What the columns of `measure_objects` come from, for K objects.

    Attributes
    ----------
    labels, sizes : (K,) ndarray of int
        Labels, rising, and numbers of voxels.
    sums, low, high : (K, 3) ndarray of int
        As of `tally_objects`.
    shapes : dict of ndarray or None
        As of `tally_shapes`.
    hulls, intensities : dict of (K,) ndarray
        Finished columns.
    pairs : (N, 2) ndarray of int or None
        As of `touching_objects`.
    """

    labels: NDArray[np.int64]
    sizes: NDArray[np.int64]
    sums: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    shapes: Tally | None = None
    hulls: dict[str, NDArray[Any]] = field(default_factory=dict)
    intensities: dict[str, NDArray[Any]] = field(default_factory=dict)
    pairs: NDArray[np.int64] | None = None

    def columns(
        self, groups: Sequence[str], shape: Sequence[int], spacing: tuple[float, ...], unit: str
    ) -> dict[str, NDArray[Any]]:
        """The columns of some groups, for an image of that shape and voxel size."""
        axes = volume_axes(len(shape))
        table: dict[str, NDArray[Any]] = {"label": self.labels}
        if "size" in groups:
            table |= _sizes(self.sizes, spacing)
        table["unit"] = np.full(len(self.sizes), unit)
        centroids = self.sums[:, axes] / self.sizes[:, np.newaxis]
        if "position" in groups:
            table |= _positions(shape, centroids, self.low[:, axes], self.high[:, axes], spacing)
        if self.shapes is not None:
            table |= object_shapes(self.shapes, self.sizes, self.sums, self.low, self.high, spacing)
        table |= self.hulls
        table |= self.intensities
        if self.pairs is not None:
            table["touching"] = np.bincount(self.pairs.ravel(), minlength=len(self.labels))
            table |= _nearest(self.labels, centroids * spacing)
        return table


def check_groups(groups: Sequence[str]) -> None:
    """Raise `InputError` for a group of columns that there is not."""
    for group in groups:
        if group not in MEASUREMENT_GROUPS:
            raise InputError(
                f"groups: there is no group {group!r}; there are {', '.join(MEASUREMENT_GROUPS)}."
            )


def _begin(fraction: float, what: str) -> None:
    check_stop()
    tell(fraction, f"Measuring {what}")


QUICK_GROUPS = ("size", "position", "intensity")
"""What `object_table` is of."""


def object_table(
    labels: Any,
    spacing: float | Sequence[float] | None = None,
    unit: str = "pixel",
    image: Any = None,
) -> dict[str, NDArray[Any]]:
    """Measure what is quick and always wanted: `measure_objects` with a few columns.

    Parameters
    ----------
    labels, spacing, unit, image
        As for `measure_objects`; an image without channels.

    Returns
    -------
    dict of (K,) arrays, one entry an object, in ascending order of the labels
        ``label``; ``voxels``; ``area`` (2D) or ``volume`` (3D); ``unit``; ``centroid_z``, ``_y``,
        ``_x``; ``bbox_z_start``, ``bbox_z_stop``, …; with `image` also ``mean_intensity``,
        ``min_intensity``, ``max_intensity``.

    Raises
    ------
    InputError
        If `labels` are not whole numbers in 2D or 3D, or `image` has another shape.
    """
    return few_columns(measure_objects(labels, spacing, unit, image, groups=QUICK_GROUPS))


def few_columns(table: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The columns that `object_table` gives, of what `measure_objects` does for `QUICK_GROUPS`."""
    left_out = {"equivalent_diameter", "touches_border", *(f"voxel_{axis}" for axis in "zyx")}
    left_out |= set(INTENSITIES) - {"mean_intensity", "min_intensity", "max_intensity"}
    return {name: column for name, column in table.items() if name not in left_out}


def image_channels(
    image: Any, shape: tuple[int, ...], channel_axis: int | None, names: Sequence[str]
) -> list[tuple[str, NDArray[Any]]]:
    """Return what the columns of each channel end in, and its grey values."""
    if image is None:
        return []
    grey = check_image(image)
    axis = check_channel_axis(channel_axis, grey.ndim)
    own = grey.shape if axis is None else grey.shape[:axis] + grey.shape[axis + 1 :]
    if own != shape:
        raise InputError(
            f"image has the shape {own}{' without its channels' if axis is not None else ''}; it "
            f"must have the labels' shape {shape}."
        )
    if axis is None:
        return [("", grey)]
    count = grey.shape[axis]
    if names and (len(names) != count or len(set(names)) != count):
        raise InputError(
            f"channel_names are {', '.join(map(repr, names))}; the image has {count} channels and "
            "needs a different name for each."
        )
    suffixes = channel_suffixes(count, names)
    return [(suffix, np.take(grey, i, axis)) for i, suffix in enumerate(suffixes)]


def channel_suffixes(count: int, names: Sequence[str]) -> list[str]:
    """Return what the columns of each of several channels end in."""
    return [f"_{word}" for word in names or [str(i + 1) for i in range(count)]]


def tally_objects(volume: LabelledVolume) -> Tally:
    """Count the voxels of each object (``sizes``), its runs along x (``runs``) and its place.

    ``sums``, ``low`` and ``high``, each (K, 3), are the sums of its coordinates and the ends of
    its box, both included.
    """

    def empty() -> Tally:
        return {
            "sizes": volume.zeros(),
            "runs": volume.zeros(),
            "sums": volume.zeros(3),
            "low": volume.zeros(3) + np.iinfo(np.int64).max,
            "high": volume.zeros(3) - 1,
        }

    def count(numbers: NDArray[np.int32], first: int, tally: Tally) -> None:
        kernels.tally(numbers, first, *tally.values())

    def add(total: Tally, piece: Tally) -> None:
        for name in ("sizes", "runs", "sums"):
            total[name] += piece[name]
        np.minimum(total["low"], piece["low"], out=total["low"])
        np.maximum(total["high"], piece["high"], out=total["high"])

    return volume.tally(empty, count, add)


def _sizes(sizes: NDArray[np.int64], spacing: tuple[float, ...]) -> dict[str, NDArray[Any]]:
    flat = len(spacing) == 2
    measure = sizes * float(np.prod(spacing))
    diameter = np.sqrt(4 * measure / np.pi) if flat else np.cbrt(6 * measure / np.pi)
    return {
        "voxels": sizes,
        "area" if flat else "volume": measure,
        "equivalent_diameter": diameter,
    }


def _positions(
    shape: Sequence[int],
    centroids: NDArray[np.float64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    spacing: tuple[float, ...],
) -> dict[str, NDArray[Any]]:
    names = _AXIS_NAMES[len(shape)]
    columns: dict[str, NDArray[Any]] = {}
    for i, name in enumerate(names):
        columns[f"centroid_{name}"] = centroids[:, i] * spacing[i]
    for i, name in enumerate(names):
        columns[f"voxel_{name}"] = centroids[:, i]
    for i, name in enumerate(names):
        columns[f"bbox_{name}_start"] = first[:, i]
        columns[f"bbox_{name}_stop"] = last[:, i] + 1
    columns["touches_border"] = ((first == 0) | (last == np.array(shape) - 1)).any(axis=1)
    return columns


def touching_objects(volume: LabelledVolume) -> NDArray[np.int64]:
    """Return pairs of objects (N, 2) that meet, by their places in the volume's labels."""
    count = len(volume.labels)
    seen = np.zeros(count, np.int32)
    keys = np.empty(0, np.int64)
    new: list[NDArray[np.int64]] = []
    waiting = 0
    for first, last in volume.slabs():
        for pairs in _pairs(volume, volume.numbers(first, last), seen):
            new.append(np.unique(pairs[:, 0] * count + pairs[:, 1]))
            waiting += len(new[-1])
            if waiting > max(_PAIRS_AT_ONCE, len(keys)):
                keys, new, waiting = np.unique(np.concatenate([keys, *new])), [], 0
    keys = np.unique(np.concatenate([keys, *new]))
    return np.stack([keys // max(count, 1), keys % max(count, 1)], axis=1)


def _pairs(
    volume: LabelledVolume, numbers: NDArray[np.int32], seen: NDArray[np.int32]
) -> Iterator[NDArray[np.int64]]:
    steps = steps_in_memory(volume, numbers)
    lines = (numbers.shape[0] - 2) * (numbers.shape[1] - 2)
    most = len(steps) * (numbers.shape[2] - 2)
    at_once = max(1, _PAIRS_AT_ONCE // most)
    room = np.empty((most * min(at_once, lines), 2), np.int64)
    for first in range(0, lines, at_once):
        last = min(first + at_once, lines)
        found = kernels.touching_pairs(numbers, steps, first, last, seen, room)
        if found:
            yield room[:found]


def _nearest(labels: NDArray[np.int64], centroids: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    if len(labels) < 2:
        nobody = np.zeros(len(labels), np.int64)
        return {"nearest_label": nobody, "nearest_distance": np.full(len(labels), np.inf)}
    distances, found = KDTree(centroids).query(centroids, k=2)
    # Objects around one another may have the same centroid; then either comes first.
    own_first = found[:, 0] == np.arange(len(labels))
    other = np.where(own_first, found[:, 1], found[:, 0])
    return {
        "nearest_label": labels[other],
        "nearest_distance": np.where(own_first, distances[:, 1], distances[:, 0]),
    }
