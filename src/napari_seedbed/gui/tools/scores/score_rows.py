"""Scores and errors as rows of tables, in plain words."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

TITLES = {
    "dice": "Dice",
    "iou": "IoU",
    "pixel_precision": "pixel precision",
    "pixel_recall": "pixel recall",
    "truth_objects": "objects in the ground truth",
    "result_objects": "objects in the result",
    "mean_average_precision": "mean average precision",
    "mean_matched_iou": "mean IoU of matches",
    "mean_matched_dice": "mean Dice of matches",
    "panoptic_quality": "panoptic quality",
    "segmentation_quality": "segmentation quality",
    "recognition_quality": "recognition quality",
    "adapted_rand_error": "adapted Rand error",
    "adapted_rand_precision": "adapted Rand precision",
    "adapted_rand_recall": "adapted Rand recall",
    "variation_of_information": "variation of information",
    "variation_of_information_split": "… by splits",
    "variation_of_information_merge": "… by merges",
    "hausdorff_distance": "Hausdorff distance",
    "hausdorff_distance_95": "Hausdorff distance, 95 %",
    "mean_surface_distance": "mean surface distance",
}
_BY_THRESHOLD = {
    "objects_found": "found",
    "objects_added": "added",
    "objects_missed": "missed",
    "object_precision": "precision",
    "object_recall": "recall",
    "object_f1": "F1",
    "average_precision": "average precision",
}
_DISTANCES = ("hausdorff_distance", "hausdorff_distance_95", "mean_surface_distance")


def score_columns(scoring: Mapping[str, Any], time: int | None = None) -> dict[str, NDArray[Any]]:
    """Every score of what `pipeline.scoring.score_images` gives, one row each.

    Parameters
    ----------
    scoring : mapping
    time : int, optional
        A time point whose scores stand beside the means over all.
    """
    sources = {"value": scoring["scores"]}
    if len(scoring["time_points"]) > 1:
        sources = {"mean": scoring["scores"]}
        if time is not None:
            sources[f"t {time}"] = scoring["time_points"][time]["scores"]
    names = [_with_unit(key, scoring["unit"]) for key in TITLES]
    thresholds = scoring["scores"]["thresholds"]
    for at in range(len(thresholds)):
        names += [f"{title} at IoU {thresholds[at]:g}" for title in _BY_THRESHOLD.values()]
    columns: dict[str, NDArray[Any]] = {"score": np.array(names)}
    for title, scores in sources.items():
        values = [float(scores[key]) for key in TITLES]
        for at in range(len(thresholds)):
            values += [float(scores[key][at]) for key in _BY_THRESHOLD]
        columns[title] = np.array([float(f"{value:.4g}") for value in values])
    return columns


def error_rows(scoring: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every error and then the worst outlines, with their places and time points."""
    errors, outlines = [], []
    for point in scoring["time_points"]:
        time = {"time": point["time"]}
        errors += [{**error, **time} for error in point["errors"]]
        wrong = {e["label"] for e in point["errors"] if e["kind"] in ("split", "missed")}
        outlines += [
            {**worst, **time, "kind": "outline", "others": (worst["result_label"],)}
            for worst in point["worst_objects"]
            if worst["label"] not in wrong and 0 < worst["iou"] < 1
        ]
    return [*errors, *sorted(outlines, key=lambda row: row["iou"])]


def error_columns(rows: list[dict[str, Any]], *, series: bool) -> dict[str, NDArray[Any]]:
    """The same as columns of a table."""
    columns: dict[str, NDArray[Any]] = {
        "error": np.array([row["kind"] for row in rows], "U8"),
        "label": np.array([row["label"] for row in rows], np.int64),
        "with": np.array([", ".join(map(str, row["others"])) for row in rows], str),
        "IoU": np.array([round(row.get("iou", np.nan), 3) for row in rows]),
        "voxels": np.array([row["voxels"] for row in rows], np.int64),
    }
    return (
        {"t": np.array([row["time"] for row in rows], np.int64), **columns} if series else columns
    )


def errors_in_words(rows: list[dict[str, Any]]) -> str:
    """How many errors of each kind there are."""
    kinds = [row["kind"] for row in rows]
    counts = [f"{kinds.count(kind)} {kind}" for kind in ("split", "merged", "missed", "added")]
    return f"{', '.join(counts)}. Below them the worst outlines. Click a row to go there."


def _with_unit(key: str, unit: str) -> str:
    return f"{TITLES[key]} ({unit})" if key in _DISTANCES else TITLES[key]
