"""All that is known of a segmentation of one volume against a ground truth, and tables of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.scores.label_overlaps import LabelOverlaps, count_overlaps
from napari_seedbed.core.scores.object_errors import ObjectError, errors_in_overlaps
from napari_seedbed.core.scores.segmentation_scoring import scores_of_overlaps
from napari_seedbed.core.scores.surface_scores import surface_distances


@dataclass(frozen=True, eq=False)
class VolumeScores:
    """What is known of one volume.

    Attributes
    ----------
    scores : dict
        As `segmentation_scores`.
    errors : list of ObjectError
        As `split_and_merge_errors`.
    overlaps : LabelOverlaps
    """

    scores: dict[str, Any]
    errors: list[ObjectError]
    overlaps: LabelOverlaps


def score_volumes(
    truth: NDArray[Any], labels: NDArray[Any], spacing: tuple[float, ...]
) -> VolumeScores:
    """Score one volume against its truth: every score, and every error.

    Parameters
    ----------
    truth, labels : ([Z, ]Y, X) ndarray of int
    spacing : tuple of float
        Voxel size.
    """
    overlaps = count_overlaps(truth, labels)
    scores = scores_of_overlaps(overlaps)
    scores |= surface_distances(truth, labels, spacing)
    return VolumeScores(scores, errors_in_overlaps(overlaps, spacing), overlaps)


def score_table(scores: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Return scores as columns: one row a score, and one a threshold where there are several.

    Parameters
    ----------
    scores : dict
        As `segmentation_scores`.
    """
    rows: list[tuple[str, float, float]] = []
    for name, value in scores.items():
        if name == "thresholds":
            continue
        if isinstance(value, list):
            rows += [
                (name, at, float(v)) for at, v in zip(scores["thresholds"], value, strict=True)
            ]
        else:
            rows.append((name, math.nan, float(value)))
    names, thresholds, values = zip(*rows, strict=True)
    return {
        "score": np.array(names),
        "threshold": np.array(thresholds),
        "value": np.array(values),
    }


def error_points(
    errors: Sequence[ObjectError], ndim: int
) -> tuple[NDArray[np.float64], dict[str, NDArray[Any]]]:
    """Return where errors are, and what they are.

    Parameters
    ----------
    errors : sequence of ObjectError
    ndim : int
        Number of axes of the volume.

    Returns
    -------
    points : (N, ndim) ndarray
    columns : dict
        ``kind``, ``label``, ``others`` and ``voxels`` of each.
    """
    return np.array([error.place for error in errors], float).reshape(-1, ndim), {
        "kind": np.array([error.kind for error in errors], "U8"),
        "label": np.array([error.label for error in errors], np.int64),
        "others": np.array([" ".join(map(str, error.others)) for error in errors], str),
        "voxels": np.array([error.voxels for error in errors], np.int64),
    }
