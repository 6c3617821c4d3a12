"""Objects of a time series linked by overlap, so that one cell keeps one number."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from itertools import count as count_from
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from napari_seedbed.core.objects.label_lookup import renumbered
from napari_seedbed.core.objects.labelled_volume import LabelledVolume
from napari_seedbed.core.progress import check_stop, tell
from napari_seedbed.core.proofreading.object_boxes import free_labels
from napari_seedbed.core.scores.label_overlaps import LabelOverlaps, count_overlaps
from napari_seedbed.core.validation import check_labels, check_number
from napari_seedbed.errors import InputError


@dataclass(frozen=True, eq=False)
class LinkedObjects:
    """A time series in which an object has the same label as long as it is found.

    Attributes
    ----------
    labels : (T, [Z, ]Y, X) ndarray of int32, or int64 where numbers need it
    events : dict of (N,) arrays
        ``time``: the first time point at which something is other than before; ``event``: 'split'
        (a new object was part of another), 'merge' (an object became part of another), 'loss' or
        'appearance'; ``label``: the object that is new or gone; ``other``: the object that it came
        from or became part of, 0 where there is none; ``voxel_z``, ``voxel_y``, ``voxel_x``: where
        it is, or was at the time point before, in voxels. In the order of time.
    """

    labels: NDArray[np.signedinteger]
    events: dict[str, NDArray[Any]]


def link_objects(labels: Any, least_overlap: float = 0.2) -> LinkedObjects:
    """Give objects that overlap from one time point to the next the same label.

    Which object goes on as which is the assignment with the largest sum of intersections over
    unions. Objects of the first time point keep their labels; what appears later gets new ones,
    from above the highest on. Where the type of the labels ends, these are labels that the first
    time point leaves free, and where it has none, larger ones.

    Parameters
    ----------
    labels : (T, [Z, ]Y, X) ndarray of int
        Labels of each time point; 0 and below are no objects.
    least_overlap : float
        Share of the smaller of two objects that must be common to both, from 0 to 1.

    Returns
    -------
    LinkedObjects

    Raises
    ------
    InputError
        If the labels have no axis of time before two or three others, or a number makes no sense.

    References
    ----------
    Kuhn HW (1955). The Hungarian method for the assignment problem. Naval Research Logistics
    Quarterly 2, 83-97.
    """
    series = np.asarray(labels)
    if series.ndim not in (3, 4) or series.size == 0:
        raise InputError(
            f"labels have the shape {series.shape}; they must be time points of 2D or 3D labels."
        )
    share = check_number(least_overlap, "least_overlap")
    if share > 1:
        raise InputError(f"least_overlap is {least_overlap}; it must be from 0 to 1.")
    linked = np.zeros(series.shape, np.int32)
    steps = _Steps(series.ndim - 1)
    count = 0
    first: NDArray[np.integer] = np.empty(0, np.int64)
    for time, given in enumerate(series):
        check_stop()
        tell(time / len(series), f"time point {time + 1} of {len(series)}")
        array = check_labels(given)
        values = LabelledVolume(array).labels
        now = renumbered(array, values, np.arange(1, len(values) + 1))
        if time == 0:
            linked[0], count, first = now, len(values), values
            continue
        numbers, count = _numbers(linked[time - 1], now, share, count, time, steps)
        rising = np.array(sorted(numbers), np.int32)
        linked[time] = renumbered(now, rising, [numbers[int(value)] for value in rising])
    names = _names(first, count, array.dtype)
    return LinkedObjects(_named(linked, names), steps.columns(names))


def _names(first: NDArray[np.integer], count: int, dtype: np.dtype[Any]) -> NDArray[np.int64]:
    """The label of each object by its number, from 0 for what is none."""
    fresh = free_labels(int(first.max(initial=0)), dtype, first.tolist)
    larger = count_from(int(np.iinfo(dtype).max) + 1)
    more = list(islice(chain(fresh, larger), count - len(first)))
    return np.concatenate([[0], first.astype(np.int64), np.array(more, np.int64)])


def _named(numbers: NDArray[np.int32], names: NDArray[np.int64]) -> NDArray[np.signedinteger]:
    """Labels of objects in the place of their numbers."""
    if names.max() > np.iinfo(np.int32).max:
        found: NDArray[np.signedinteger] = names[numbers]
        return found
    small = names.astype(np.int32)
    for volume in numbers:
        volume[...] = small[volume]
    return numbers


class _Steps:
    """What happened from one time point to the next."""

    def __init__(self, ndim: int) -> None:
        self._axes = ("z", "y", "x")[-ndim:]
        self._rows: list[tuple[int, str, int, int, Sequence[float]]] = []

    def add(self, time: int, event: str, label: int, other: int, place: Sequence[float]) -> None:
        self._rows.append((time, event, label, other, place))

    def columns(self, names: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """A column a kind, with names for the numbers of objects."""
        places = np.array([row[4] for row in self._rows]).reshape(-1, len(self._axes))
        return {
            "time": np.array([row[0] for row in self._rows], np.int64),
            "event": np.array([row[1] for row in self._rows], dtype=str),
            "label": names[np.array([row[2] for row in self._rows], np.intp)],
            "other": names[np.array([row[3] for row in self._rows], np.intp)],
            **{f"voxel_{axis}": places[:, n] for n, axis in enumerate(self._axes)},
        }


def _numbers(
    before: NDArray[np.int32],
    now: NDArray[np.int32],
    share: float,
    highest: int,
    time: int,
    steps: _Steps,
) -> tuple[dict[int, int], int]:
    """The number that each object of a time point gets, and the highest so far."""
    overlaps = count_overlaps(before, now)
    olds, news = overlaps.truth_values, overlaps.result_values
    common = _pairs(overlaps, share)
    old_of_new = {new: old for old, new in _assigned(overlaps, common)}
    numbers: dict[int, int] = {}
    for place, value in enumerate(news.tolist()):
        if value == 0:
            continue
        where = overlaps.result_places[place]
        if place in old_of_new:
            numbers[value] = int(olds[old_of_new[place]])
            continue
        highest += 1
        numbers[value] = highest
        parent = _largest(overlaps, common & (overlaps.result_index == place))
        if parent is None:
            steps.add(time, "appearance", highest, 0, where)
        else:
            origin = int(olds[overlaps.truth_index[parent]])
            steps.add(time, "split", highest, origin, where)
    kept = set(old_of_new.values())
    for place, value in enumerate(olds.tolist()):
        if value == 0 or place in kept:
            continue
        where = overlaps.truth_places[place]
        into = _largest(overlaps, common & (overlaps.truth_index == place))
        if into is None:
            steps.add(time, "loss", value, 0, where)
        else:
            steps.add(time, "merge", value, numbers[int(news[overlaps.result_index[into]])], where)
    return numbers, highest


def _pairs(overlaps: LabelOverlaps, share: float) -> NDArray[np.bool_]:
    """Which pairs of objects have enough in common."""
    smaller = np.minimum(
        overlaps.truth_voxels[overlaps.truth_index], overlaps.result_voxels[overlaps.result_index]
    )
    return overlaps.between_objects() & (overlaps.voxels >= share * smaller)


def _largest(overlaps: LabelOverlaps, pairs: NDArray[np.bool_]) -> int | None:
    """The pair with the most voxels in common."""
    found = np.flatnonzero(pairs)
    return int(found[np.argmax(overlaps.voxels[found])]) if len(found) else None


def _assigned(overlaps: LabelOverlaps, pairs: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Which object goes on as which, as indices into the values: each group that overlaps alone."""
    olds, news = overlaps.truth_index[pairs], overlaps.result_index[pairs]
    scores = overlaps.ious()[pairs]
    n_olds = len(overlaps.truth_values)
    nodes = n_olds + len(overlaps.result_values)
    graph = coo_array((np.ones(len(olds)), (olds, n_olds + news)), (nodes, nodes))
    group = connected_components(graph, directed=False)[1][olds]
    found = []
    order = np.argsort(group, kind="stable")
    for chosen in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        if not len(chosen):
            continue
        rows, row = np.unique(olds[chosen], return_inverse=True)
        columns, column = np.unique(news[chosen], return_inverse=True)
        gains = np.zeros((len(rows), len(columns)))
        gains[row, column] = scores[chosen]
        for a, b in zip(*linear_sum_assignment(gains, maximize=True), strict=True):
            if gains[a, b] > 0:
                found.append((int(rows[a]), int(columns[b])))
    return found
