"""Scores of two partitions of an image into segments: adapted Rand error, variation of information.

Formulas as in scikit-image (`skimage.metrics`), from the table of overlaps.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

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
    both = overlaps.voxels[counted]
    of_truth = np.bincount(overlaps.truth_index[counted], weights=both)
    of_result = np.bincount(overlaps.result_index[counted], weights=both)
    n_both, n_truth, n_result = _pairs(both), _pairs(of_truth), _pairs(of_result)
    if both.size == 0:
        good = float(overlaps.result_count == 0)
        precision, recall, f_score = good, good, good
    elif n_truth + n_result == 0:
        precision, recall, f_score = 1.0, 1.0, 1.0
    else:
        # The names are those of scikit-image's results.
        precision = n_both / n_truth if n_truth else 0.0
        recall = n_both / n_result if n_result else 0.0
        f_score = n_both / (0.5 * n_truth + 0.5 * n_result)
    return {
        "adapted_rand_error": 1.0 - f_score,
        "adapted_rand_precision": precision,
        "adapted_rand_recall": recall,
    }


def _pairs(voxels: NDArray[np.integer] | NDArray[np.floating]) -> float:
    """Twice the number of pairs of voxels in segments of these sizes."""
    sizes = voxels.astype(np.float64)
    return float(sizes @ (sizes - 1))


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
