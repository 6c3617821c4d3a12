"""Objects that a result splits, merges, misses or adds, and how well each was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.scores.label_overlaps import LabelOverlaps, count_overlaps
from napari_seedbed.core.validation import check_spacing

ErrorKind = Literal["split", "merged", "missed", "added"]


@dataclass(frozen=True)
class ObjectError:
    """One object that is wrong.

    Attributes
    ----------
    kind : str
        'split' or 'missed' for an object of the truth, 'merged' or 'added' for one of the result.
    label : int
        Label of the object.
    others : tuple of int
        Of a split object its parts in the result, of a merged one the objects of the truth that
        were joined; the largest overlap first.
    place : tuple of float
        Centroid in voxels, one number an axis.
    voxels : int
        Number of its voxels.
    size : float
        Area or volume in physical units.
    """

    kind: ErrorKind
    label: int
    others: tuple[int, ...]
    place: tuple[float, ...]
    voxels: int
    size: float


@dataclass(frozen=True)
class BestOverlap:
    """How well one object of the truth was found.

    Attributes
    ----------
    label : int
        Label of the object in the truth.
    result_label : int
        The object of the result with the largest intersection over union; 0 if there is none.
    iou : float
        Intersection over union with it.
    place : tuple of float
        Centroid in voxels of the object of the truth.
    voxels : int
        Number of its voxels.
    """

    label: int
    result_label: int
    iou: float
    place: tuple[float, ...]
    voxels: int


def split_and_merge_errors(
    truth: Any, labels: Any, spacing: float | Sequence[float] | None = None
) -> list[ObjectError]:
    """List the objects that were split, merged, missed and added.

    An object *lies in* another if more than half of its voxels do. An object of the truth is
    split if two or more of the result lie in it. An object of the result is merged if two or more
    of the truth lie in it. An object of the truth is missed if it lies in none of the result and
    none of the result lies in it; an object of the result that is so alone is added. An object
    found with a bad outline is none of these: its score is low, and that is all.

    Parameters
    ----------
    truth : (M, N[, P]) ndarray of bool, int or float
        Labels, whole numbers; 0 is no object. Voxels with negative labels are left out.
    labels : (M, N[, P]) ndarray of bool, int or float
        The result; 0 and negative labels are no object.
    spacing : sequence of float, optional
        Voxel size, for the sizes of the objects; 1 when None.

    Returns
    -------
    list of ObjectError
        First the split ones, then the merged, the missed and the added; large ones first.

    Raises
    ------
    InputError
        As `segmentation_scores`.
    """
    overlaps = count_overlaps(truth, labels)
    return errors_in_overlaps(overlaps, check_spacing(spacing, np.ndim(truth)))


def errors_in_overlaps(overlaps: LabelOverlaps, spacing: Sequence[float]) -> list[ObjectError]:
    """List what `split_and_merge_errors` does, from overlaps that are counted already."""
    truth_voxels, result_voxels = overlaps.truth_voxels, overlaps.result_voxels
    pairs = np.flatnonzero(overlaps.between_objects())
    of_truth, of_result = overlaps.truth_index[pairs], overlaps.result_index[pairs]
    voxels = overlaps.voxels[pairs]
    parts = 2 * voxels > result_voxels[of_result]
    joined = 2 * voxels > truth_voxels[of_truth]
    truth = overlaps.truth_values, truth_voxels, overlaps.truth_places
    result = overlaps.result_values, result_voxels, overlaps.result_places
    tied = parts | joined
    voxel = float(np.prod(spacing))
    return [
        *_errors("split", truth, _gathered(of_truth, of_result, voxels, parts), result[0], voxel),
        *_errors("merged", result, _gathered(of_result, of_truth, voxels, joined), truth[0], voxel),
        *_errors("missed", truth, _alone(truth[0], of_truth[tied]), result[0], voxel),
        *_errors("added", result, _alone(result[0], of_result[tied]), truth[0], voxel),
    ]


def best_overlaps(overlaps: LabelOverlaps) -> list[BestOverlap]:
    """Return how well each object of the truth was found, the worst first, of these the largest."""
    pairs = np.flatnonzero(overlaps.between_objects())
    ious = overlaps.ious()[pairs]
    order = np.argsort(ious, kind="stable")
    n = len(overlaps.truth_values)
    best, partner = np.zeros(n), np.zeros(n, np.int64)
    # Where an index comes more than once, the last value stays, which is the largest.
    best[overlaps.truth_index[pairs][order]] = ious[order]
    seen = overlaps.result_values[overlaps.result_index[pairs]]
    partner[overlaps.truth_index[pairs][order]] = seen[order]
    voxels, places = overlaps.truth_voxels, overlaps.truth_places
    return [
        BestOverlap(
            label=int(overlaps.truth_values[i]),
            result_label=int(partner[i]),
            iou=float(best[i]),
            place=tuple(places[i].tolist()),
            voxels=int(voxels[i]),
        )
        for i in np.lexsort((-voxels, best))
        if overlaps.truth_values[i] > 0
    ]


_Objects = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
_Found = dict[int, list[int]]
"""Index of each wrong object, and the indices of the others that have to do with it."""


def _gathered(
    whole: NDArray[np.intp],
    part: NDArray[np.intp],
    voxels: NDArray[np.int64],
    wanted: NDArray[np.bool_],
) -> _Found:
    """Objects that hold two or more others, with these, the largest overlap first."""
    whole, part, voxels = whole[wanted], part[wanted], voxels[wanted]
    order = np.lexsort((part, -voxels, whole))
    whole, part = whole[order], part[order]
    found, first, counts = np.unique(whole, return_index=True, return_counts=True)
    several = zip(found[counts > 1], first[counts > 1], counts[counts > 1], strict=True)
    return {int(index): part[start : start + count].tolist() for index, start, count in several}


def _alone(values: NDArray[np.int64], tied: NDArray[np.intp]) -> _Found:
    alone = values > 0
    alone[tied] = False
    return {int(index): [] for index in np.flatnonzero(alone)}


def _errors(
    kind: ErrorKind,
    objects: _Objects,
    found: _Found,
    other_values: NDArray[np.int64],
    voxel: float,
) -> list[ObjectError]:
    values, voxels, places = objects
    return [
        ObjectError(
            kind=kind,
            label=int(values[index]),
            others=tuple(other_values[others].tolist()),
            place=tuple(places[index].tolist()),
            voxels=int(voxels[index]),
            size=float(voxels[index] * voxel),
        )
        for index, others in sorted(found.items(), key=lambda item: -voxels[item[0]])
    ]
