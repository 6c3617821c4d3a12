"""The table of objects, of which only what an edit changed is measured again."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core import measure_objects
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.proofreading.doubt import UNCERTAINTY, mean_uncertainty
from napari_seedbed.core.proofreading.label_edits import Box, LabelEdit
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations.object_tables import measured_objects

Columns = Mapping[str, NDArray[Any]]

GROUPS = ("size", "position", "shape", "hull")
"""What is measured: nothing of it depends on other objects."""

TIME = "time_point"
_AXES = ("z", "y", "x")


def measured_rows(labels: Image, uncertainty: Image | None = None) -> dict[str, NDArray[Any]]:
    """Measure all objects of all time points, and how uncertain they are where an image says so."""
    columns = measured_objects(labels, GROUPS)
    if uncertainty is not None:
        columns[UNCERTAINTY] = means = np.zeros(len(columns["label"]))
        for time in range(labels.n_times):
            rows = columns[TIME] == time if TIME in columns else np.ones(len(means), bool)
            image, volume = (one.select_time(time).volume() for one in (uncertainty, labels))
            means[rows] = mean_uncertainty(image, volume, columns["label"][rows])
    return columns


def changed_boxes(edit: LabelEdit) -> dict[int, Box]:
    """Where each object lost or won voxels in an edit, by label."""
    if not len(edit.starts):
        return {}
    starts = np.array(np.unravel_index(edit.starts.astype(np.int64), edit.shape))
    stops = starts + 1
    stops[-1] = starts[-1] + edit.lengths
    runs = edit.lengths.shape
    values = [np.broadcast_to(v, runs) for v in (edit.values_before, edit.values_after)]
    labels, which = np.unique(np.concatenate(values), return_inverse=True)
    low = np.full((len(labels), len(edit.shape)), np.iinfo(np.int64).max)
    high = np.zeros_like(low)
    np.minimum.at(low, which, np.tile(starts.T, (2, 1)))
    np.maximum.at(high, which, np.tile(stops.T, (2, 1)))
    return {
        int(label): tuple(slice(int(a), int(b)) for a, b in zip(low[i], high[i], strict=True))
        for i, label in enumerate(labels)
        if label > 0
    }


def measured_again(
    columns: Columns,
    volume: NDArray[np.integer],
    changes: Mapping[int, Box],
    *,
    spacing: Sequence[float],
    unit: str,
    time: int | None = None,
    uncertainty: NDArray[Any] | None = None,
) -> dict[str, NDArray[Any]]:
    """Measure some objects of a volume again, the others staying as they are.

    Parameters
    ----------
    columns : mapping
        As `measured_rows` gave them before the change.
    volume : ([Z, ]Y, X) ndarray of int
        After it.
    changes : mapping
        Label to the box where it lost or won voxels.
    spacing : sequence of float
    unit : str
    time : int, optional
        The time point of the volume, where the table has several.
    uncertainty : ([Z, ]Y, X) ndarray, optional
        Of the volume, where the table has a column of it.

    Returns
    -------
    dict of ndarray
        The same as all of them measured anew.
    """
    labels = np.array(sorted(changes), np.int64)
    stale = np.isin(columns["label"], labels)
    if time is not None:
        stale &= columns[TIME] == time
    boxes = _boxes_before(columns, stale, volume.ndim)
    regions = {
        label: _joined(box, boxes.get(label), volume.shape) for label, box in changes.items()
    }
    new = _measured(volume, regions, spacing, unit)
    if time is not None:
        new[TIME] = np.full(len(new["label"]), time)
    if uncertainty is not None:
        new[UNCERTAINTY] = _means(uncertainty, volume, new)
    joined = {name: np.concatenate([column[~stale], new[name]]) for name, column in columns.items()}
    keys = (joined["label"], joined[TIME]) if time is not None else (joined["label"],)
    order = np.lexsort(keys)
    return {name: column[order] for name, column in joined.items()}


def box_of_rows(columns: Columns, rows: NDArray[np.integer], ndim: int) -> Box | None:
    """The box around the objects of some rows; None without any."""
    if not len(rows):
        return None
    return tuple(
        slice(
            int(columns[f"bbox_{axis}_start"][rows].min()),
            int(columns[f"bbox_{axis}_stop"][rows].max()),
        )
        for axis in _AXES[-ndim:]
    )


def _measured(
    volume: NDArray[np.integer], regions: Mapping[int, Box], spacing: Sequence[float], unit: str
) -> dict[str, NDArray[Any]]:
    """Rows of some objects that lie in regions, as places in the volume."""
    laid, corners = _laid_out(volume, regions)
    new = measure_objects(laid, spacing, unit, groups=GROUPS)
    offsets = dict(zip(regions, corners, strict=True))
    moved = np.array([offsets[label] for label in new["label"].tolist()]).reshape(-1, volume.ndim)
    at_border = np.zeros(len(moved), bool)
    sides = zip(_AXES[-volume.ndim :], moved.T, spacing, volume.shape, strict=True)
    for axis, offset, size, length in sides:
        new[f"centroid_{axis}"] = new[f"centroid_{axis}"] + offset * size
        for name in (f"voxel_{axis}", f"bbox_{axis}_start", f"bbox_{axis}_stop"):
            new[name] = new[name] + offset
        at_border |= (new[f"bbox_{axis}_start"] == 0) | (new[f"bbox_{axis}_stop"] == length)
    new["touches_border"] = at_border
    return new


def _laid_out(
    volume: NDArray[np.integer], regions: Mapping[int, Box]
) -> tuple[NDArray[np.integer], NDArray[np.intp]]:
    """Some objects alone, and how far each lies from its place in the volume.

    They are laid one after the other into a volume of their own, as a measurement takes 20 ms
    however small the volume is; where that would be the larger one, they stay where they are.
    """
    sizes = np.array([[side.stop - side.start for side in box] for box in regions.values()])
    corners = np.array([[side.start for side in box] for box in regions.values()])
    starts = np.concatenate([[0], np.cumsum(sizes[:, 0])])
    shape = (starts[-1], *sizes[:, 1:].max(axis=0))
    if np.prod(shape, dtype=float) >= volume.size:
        there = np.isin(volume, np.array([*regions], volume.dtype))
        return np.where(there, volume, volume.dtype.type(0)), np.zeros_like(corners)
    laid = np.zeros(shape, volume.dtype)
    for (label, region), start, size in zip(regions.items(), starts, sizes, strict=False):
        check_stop()
        place = (slice(start, start + size[0]), *(slice(0, n) for n in size[1:]))
        laid[place][volume[region] == label] = label
    corners[:, 0] -= starts[:-1]
    return laid, corners


def _means(
    uncertainty: NDArray[Any], volume: NDArray[np.integer], rows: Columns
) -> NDArray[np.float64]:
    means = np.zeros(len(rows["label"]))
    for row, label in enumerate(rows["label"]):
        box = box_of_rows(rows, np.array([row]), volume.ndim)
        means[row] = uncertainty[box][volume[box] == label].mean()
    return means


def _boxes_before(columns: Columns, stale: NDArray[np.bool_], ndim: int) -> dict[int, Box]:
    return {
        int(columns["label"][row]): box
        for row in np.flatnonzero(stale)
        if (box := box_of_rows(columns, np.array([row]), ndim)) is not None
    }


def _joined(box: Box, other: Box | None, shape: Sequence[int]) -> Box:
    """A box around two, a voxel wider where the image goes on."""
    return tuple(
        slice(
            max(0, min(side.start, also.start) - 1),
            min(length, max(side.stop, also.stop) + 1),
        )
        for side, also, length in zip(box, other or box, shape, strict=True)
    )
