"""How good a segmentation is, measured against a ground truth."""

from collections.abc import Sequence
from typing import Any

from napari_seedbed.core.scores.label_overlaps import LabelOverlaps, count_overlaps
from napari_seedbed.core.scores.overlap_scores import (
    check_thresholds,
    foreground_scores,
    matching_scores,
    panoptic_scores,
)
from napari_seedbed.core.scores.partition_scores import information_scores, rand_scores
from napari_seedbed.core.scores.surface_scores import surface_distances

THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def segmentation_scores(
    truth: Any,
    labels: Any,
    spacing: float | Sequence[float] | None = None,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    ignore_labels: Sequence[int] = (0,),
) -> dict[str, Any]:
    """Score masks or labelled objects against a ground truth, in 2D and 3D.

    A mask counts as one object; label its parts first (`skimage.measure.label`) to score them one
    by one. Which numbers stand for which objects does not matter.

    Parameters
    ----------
    truth : (M, N[, P]) ndarray of bool, int or float
        Labels, whole numbers; 0 is no object. Voxels with negative labels are left out of every
        score.
    labels : (M, N[, P]) ndarray of bool, int or float
        The result to score; 0 and negative labels are no object.
    spacing : sequence of float, optional
        Voxel size, for the distances; 1 when None.
    thresholds : sequence of float
        Intersections over union (IoU) from which on two objects match.
    ignore_labels : sequence of int
        Labels of the truth whose voxels do not count in the adapted Rand error.

    Returns
    -------
    dict
        All objects together against all together:

        - ``dice``, ``iou``, ``pixel_precision`` (share of the result that is right),
          ``pixel_recall`` (share of the truth that was found).

        Object by object, lists with an entry for each threshold. As many objects as possible are
        matched, one to one, with an IoU of at least the threshold:

        - ``thresholds``; ``objects_found``, ``objects_added``, ``objects_missed``: numbers of
          objects matched (TP), of the result without a match (FP), of the truth without one (FN).
        - ``object_precision`` TP / (TP + FP), ``object_recall`` TP / (TP + FN), ``object_f1``.
        - ``average_precision`` TP / (TP + FP + FN): not the area under a curve, but what the Data
          Science Bowl 2018 and StarDist call so.

        Object by object, one number each:

        - ``truth_objects``, ``result_objects``: how many there are.
        - ``mean_average_precision``: mean of ``average_precision`` over the thresholds.
        - ``mean_matched_iou``, ``mean_matched_dice``: means over the objects matched with an IoU of
          0.5 or more; those that were missed or added do not count.
        - ``panoptic_quality``, the product of ``segmentation_quality`` (mean IoU of matches with an
          IoU above 0.5) and ``recognition_quality`` (their F1).

        Of the partition into segments, where label 0 of the result is a segment too:

        - ``adapted_rand_error`` (0 is perfect), ``adapted_rand_precision``,
          ``adapted_rand_recall``: as `skimage.metrics.adapted_rand_error`, and in its order: the
          precision is the share of the pairs of voxels together in the truth that are together in
          the result, the recall the share of those together in the result that are together in the
          truth. Others name them the other way round.
        - ``variation_of_information`` in bits (0 is perfect), the sum of
          ``variation_of_information_split`` and ``variation_of_information_merge``: as
          `skimage.metrics.variation_of_information`, all voxels counted.

        Of the surfaces, in the unit of the spacing (see `surface_distances`):

        - ``hausdorff_distance``, ``hausdorff_distance_95``, ``mean_surface_distance``.

        No objects in either is a perfect result: shares and qualities are 1, errors and distances
        0. Where only one has objects, shares and qualities are 0 and distances infinite; the
        adapted Rand error is 1 if only the result has some, and as scikit-image's if only the truth
        has some.

    Raises
    ------
    InputError
        If the shapes differ, are not 2D or 3D or are empty, if values are not whole numbers, or
        if `spacing`, `thresholds` or `ignore_labels` make no sense.

    References
    ----------
    Juan C. Caicedo et al., "Nucleus segmentation across imaging experiments: the 2018 Data Science
    Bowl", Nature Methods 16 (2019) 1247-1253.
    Uwe Schmidt et al., "Cell detection with star-convex polygons", MICCAI (2018) 265-273.
    Alexander Kirillov et al., "Panoptic segmentation", CVPR (2019) 9404-9413.
    Ignacio Arganda-Carreras et al., "Crowdsourcing the creation of image segmentation algorithms
    for connectomics", Frontiers in Neuroanatomy 9 (2015) 142.
    Marina Meilă, "Comparing clusterings—an information based distance", Journal of Multivariate
    Analysis 98 (2007) 873-895.
    """
    thresholds = check_thresholds(thresholds)
    overlaps = count_overlaps(truth, labels)
    scores = scores_of_overlaps(overlaps, thresholds, ignore_labels)
    return scores | surface_distances(truth, labels, spacing)


def scores_of_overlaps(
    overlaps: LabelOverlaps,
    thresholds: Sequence[float] = THRESHOLDS,
    ignore_labels: Sequence[int] = (0,),
) -> dict[str, Any]:
    """Return the scores of `segmentation_scores` but for the distances, from counted overlaps."""
    return {
        **foreground_scores(overlaps),
        **matching_scores(overlaps, thresholds),
        **panoptic_scores(overlaps),
        **rand_scores(overlaps, ignore_labels),
        **information_scores(overlaps),
    }
