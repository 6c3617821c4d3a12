"""Scores of foreground and of objects, from the voxels that a truth and a result share."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from napari_seedbed.core.scores.label_overlaps import LabelOverlaps
from napari_seedbed.core.validation import check_number
from napari_seedbed.errors import InputError


def share(part: float, whole: float, *, both_empty: bool) -> float:
    """Return part / whole; without a whole 1 if truth and result are both empty, else 0."""
    return float(part / whole) if whole else float(both_empty)


def foreground_scores(overlaps: LabelOverlaps) -> dict[str, float]:
    """Compare all objects together with all objects together, voxel by voxel."""
    both = int(overlaps.voxels[overlaps.between_objects()].sum())
    truth = int(overlaps.truth_voxels[overlaps.truth_values > 0].sum())
    result = int(overlaps.result_voxels[overlaps.result_values > 0].sum())
    empty = truth + result == 0
    return {
        "dice": share(2 * both, truth + result, both_empty=empty),
        "iou": share(both, truth + result - both, both_empty=empty),
        "pixel_precision": share(both, result, both_empty=empty),
        "pixel_recall": share(both, truth, both_empty=empty),
    }


def check_thresholds(thresholds: Any) -> tuple[float, ...]:
    """Return IoU thresholds above 0 and at most 1, or raise `InputError`."""
    given = [thresholds] if np.ndim(thresholds) == 0 else list(thresholds)
    found = tuple(check_number(value, "thresholds", allow_zero=False) for value in given)
    if not found or max(found) > 1:
        raise InputError(
            f"thresholds must be one or more numbers above 0 and at most 1; got {thresholds!r}."
        )
    return found


def matching_scores(
    overlaps: LabelOverlaps, thresholds: Sequence[float]
) -> dict[str, float | list[float] | list[int]]:
    """Count objects found, added and missed at each IoU threshold.

    At each threshold as many objects as possible are matched, one to one, with an intersection
    over union of at least the threshold. The keys are described in `segmentation_scores`.
    """
    n_truth, n_result = overlaps.truth_count, overlaps.result_count
    empty = n_truth + n_result == 0
    pairs = overlaps.between_objects()
    ious = overlaps.ious()[pairs]
    places = overlaps.truth_index[pairs], overlaps.result_index[pairs]
    found = [len(_matches(places, ious, threshold)) for threshold in thresholds]

    def shares(whole_of: Any) -> list[float]:
        return [share(n, whole_of(n), both_empty=empty) for n in found]

    average = shares(lambda n: n_truth + n_result - n)
    matched = ious[_matches(places, ious, 0.5)]
    return {
        "truth_objects": n_truth,
        "result_objects": n_result,
        "thresholds": list(thresholds),
        "objects_found": found,
        "objects_added": [n_result - n for n in found],
        "objects_missed": [n_truth - n for n in found],
        "object_precision": shares(lambda n: n_result),
        "object_recall": shares(lambda n: n_truth),
        "object_f1": shares(lambda n: (n_truth + n_result) / 2),
        "average_precision": average,
        "mean_average_precision": float(np.mean(average)),
        "mean_matched_iou": share(matched.sum(), len(matched), both_empty=empty),
        "mean_matched_dice": share(
            (2 * matched / (1 + matched)).sum(), len(matched), both_empty=empty
        ),
    }


def panoptic_scores(overlaps: LabelOverlaps) -> dict[str, float]:
    """Panoptic quality and its two factors; matches overlap by more than half of their union."""
    n_truth, n_result = overlaps.truth_count, overlaps.result_count
    empty = n_truth + n_result == 0
    ious = overlaps.ious()[overlaps.between_objects()]
    # No object can have two partners that share more than half of the union with it.
    matched = ious[ious > 0.5]
    recognition = share(len(matched), (n_truth + n_result) / 2, both_empty=empty)
    quality = share(matched.sum(), len(matched), both_empty=empty)
    return {
        "panoptic_quality": recognition * quality,
        "segmentation_quality": quality,
        "recognition_quality": recognition,
    }


def _matches(
    places: tuple[NDArray[np.intp], NDArray[np.intp]], ious: NDArray[np.float64], threshold: float
) -> NDArray[np.intp]:
    """Which pairs are matched, one to one: as many as there can be."""
    good = np.flatnonzero(ious >= threshold)
    if threshold > 0.5 or len(good) == 0:
        return good
    rows, columns = (np.unique(side[good], return_inverse=True)[1] for side in places)
    # SciPy before 1.15 matches graphs of 32-bit indices only.
    indices = (rows.astype(np.int32), columns.astype(np.int32))
    graph = csr_array((np.ones(len(good), bool), indices))
    partner = maximum_bipartite_matching(graph, perm_type="column")
    return good[partner[rows] == columns]
