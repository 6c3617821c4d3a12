"""Scores of two partitions of an image into segments: adapted Rand error, variation of information.

As scikit-image has them (`skimage.metrics`), of the overlaps that all scores share.
"""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array
from skimage import metrics

from napari_seedbed.core.scores.label_overlaps import LabelOverlaps
from napari_seedbed.errors import InputError


def rand_scores(overlaps: LabelOverlaps, ignore_labels: Sequence[int] = (0,)) -> dict[str, float]:
    """Return how well pairs of voxels that belong together do so in both.

    Parameters
    ----------
    overlaps : LabelOverlaps
    ignore_labels : sequence of int
        Labels of the truth whose voxels do not count.

    Returns
    -------
    dict
        ``adapted_rand_error``, ``adapted_rand_precision``, ``adapted_rand_recall``.

    Raises
    ------
    InputError
        If `ignore_labels` are not whole numbers.

    References
    ----------
    Ignacio Arganda-Carreras et al., "Crowdsourcing the creation of image segmentation algorithms
    for connectomics", Frontiers in Neuroanatomy 9 (2015) 142.
    """
    ignored = np.atleast_1d(np.asarray(ignore_labels))
    if ignored.size and ignored.dtype.kind not in "iu":
        raise InputError(f"ignore_labels must be whole numbers; got {ignore_labels!r}.")
    counted = ~np.isin(overlaps.truth_values[overlaps.truth_index], ignored)
    pairs = (overlaps.truth_index[counted], overlaps.result_index[counted])
    if counted.any():
        table = csr_array((overlaps.voxels[counted].astype(np.float64), pairs))
        with np.errstate(invalid="ignore"):
            error, *others = metrics.adapted_rand_error(table=table)
    else:
        error, *others = (1.0, 0.0, 0.0) if overlaps.result_count else (0.0, 1.0, 1.0)
    # Segments of single voxels have no pairs; two partitions into nothing else agree.
    precision, recall = np.nan_to_num(others, nan=float(np.isnan(error))).tolist()
    return {
        "adapted_rand_error": float(np.nan_to_num(error)),
        "adapted_rand_precision": precision,
        "adapted_rand_recall": recall,
    }


def information_scores(overlaps: LabelOverlaps) -> dict[str, float]:
    """Return the variation of information in bits, all voxels counted, those of label 0 too.

    Parameters
    ----------
    overlaps : LabelOverlaps

    Returns
    -------
    dict
        ``variation_of_information_split``: what is not known of the result when the truth is
        known, which grows where the result cuts objects; ``variation_of_information_merge``: the
        other way round, which grows where it joins objects; ``variation_of_information``: their
        sum.

    References
    ----------
    Marina Meilă, "Comparing clusterings—an information based distance", Journal of Multivariate
    Analysis 98 (2007) 873-895.
    """
    total = max(1, int(overlaps.voxels.sum()))
    both = overlaps.voxels / total
    in_truth = overlaps.voxels / overlaps.truth_voxels[overlaps.truth_index]
    in_result = overlaps.voxels / overlaps.result_voxels[overlaps.result_index]
    # Rounding must not make minus zero of a perfect result.
    split = max(0.0, -float(both @ np.log2(in_truth)))
    merge = max(0.0, -float(both @ np.log2(in_result)))
    return {
        "variation_of_information": split + merge,
        "variation_of_information_split": split,
        "variation_of_information_merge": merge,
    }
