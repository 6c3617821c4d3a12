"""Scores as a table in plain words, for the command line."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from napari_seedbed.pipeline.data.visible_text import visible
from napari_seedbed.pipeline.operations.scoring import WORST

_WIDTH = 44
_HAPPENED = "what happened"


def scores_as_text(scoring: Mapping[str, Any]) -> str:
    """Put what `score_images` returns into words: scores, errors and the worst objects."""
    scores, times = scoring["scores"], scoring["time_points"]
    several = len(times) > 1
    size = ", ".join(
        f"{axis} {n}" for axis, n in zip(scoring["axes"], scoring["shape"], strict=True)
    )
    voxel = " x ".join(f"{step:g}" for step in scoring["voxel_size"])
    mean = " a time point" if several else ""
    lines = [
        f"Truth   {visible(scoring['truth'])}: {_objects(scores['truth_objects'])}{mean}",
        f"Result  {visible(scoring['result'])}: {_objects(scores['result_objects'])}{mean}",
        f"Size    {size}; voxels of {voxel} {scoring['unit']}",
        *(f"Note    {visible(note)}" for note in scoring["notes"]),
        "",
    ]
    if several:
        lines += [*_table_of_times(times, scoring["unit"]), "", "Means over the time points:", ""]
    lines += [
        *_foreground(scores),
        "",
        *_matches(scores),
        "",
        *_partition(scores),
        "",
        *_surfaces(scores, scoring["unit"]),
        "",
        *_errors(times),
        *_worst(times, scoring["axes"]),
        *_added(times, scoring["axes"]),
    ]
    return "\n".join(lines)


def _objects(number: float) -> str:
    return f"{number:g} object" + ("" if number == 1 else "s")


def _line(name: str, value: str) -> str:
    return f"  {name:<{_WIDTH}}{value}"


def _foreground(scores: Mapping[str, Any]) -> list[str]:
    return [
        "All objects together (1 is perfect)",
        _line("Dice", f"{scores['dice']:.3f}"),
        _line("intersection over union (IoU)", f"{scores['iou']:.3f}"),
        _line("precision, how much of the result is right", f"{scores['pixel_precision']:.3f}"),
        _line("recall, how much of the truth was found", f"{scores['pixel_recall']:.3f}"),
    ]


def _matches(scores: Mapping[str, Any]) -> list[str]:
    columns = [
        "objects_found",
        "objects_added",
        "objects_missed",
        "object_precision",
        "object_recall",
        "object_f1",
        "average_precision",
    ]
    rows = [
        (f"{threshold:.2f}", *(f"{n:g}" for n in values[:3]), *(f"{s:.3f}" for s in values[3:]))
        for threshold, *values in zip(
            scores["thresholds"], *(scores[key] for key in columns), strict=True
        )
    ]
    head = ("IoU", "found", "added", "missed", "precision", "recall", "F1", "average precision")
    return [
        "Object by object: matched from this intersection over union on",
        *_aligned([head, *rows]),
        _line("mean of the average precisions", f"{scores['mean_average_precision']:.3f}"),
        _line("mean IoU of objects matched from 0.5", f"{scores['mean_matched_iou']:.3f}"),
        _line("mean Dice of objects matched from 0.5", f"{scores['mean_matched_dice']:.3f}"),
        _line(
            "panoptic quality",
            f"{scores['panoptic_quality']:.3f} (outlines {scores['segmentation_quality']:.3f}, "
            f"recognition {scores['recognition_quality']:.3f})",
        ),
    ]


def _partition(scores: Mapping[str, Any]) -> list[str]:
    split = scores["variation_of_information_split"]
    merge = scores["variation_of_information_merge"]
    return [
        "As a partition (0 is perfect)",
        _line("adapted Rand error", f"{scores['adapted_rand_error']:.3f}"),
        _line(
            "variation of information, in bits",
            f"{scores['variation_of_information']:.3f} (splits {split:.3f}, merges {merge:.3f})",
        ),
    ]


def _surfaces(scores: Mapping[str, Any], unit: str) -> list[str]:
    return [
        f"Distance between the surfaces of all objects, in {unit}",
        _line("largest (Hausdorff)", _distance(scores["hausdorff_distance"])),
        _line("95 % are below", _distance(scores["hausdorff_distance_95"])),
        _line("mean", _distance(scores["mean_surface_distance"])),
    ]


def _distance(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else "none, as one of the two has no objects"


def _table_of_times(times: Sequence[Mapping[str, Any]], unit: str) -> list[str]:
    head = ("time", "objects", "of", "Dice", "F1 at 0.5", "mean AP", "panoptic", f"mean {unit}")
    rows = [
        (
            str(point["time"] + 1),
            str(point["scores"]["result_objects"]),
            str(point["scores"]["truth_objects"]),
            f"{point['scores']['dice']:.3f}",
            f"{point['scores']['object_f1'][0]:.3f}",
            f"{point['scores']['mean_average_precision']:.3f}",
            f"{point['scores']['panoptic_quality']:.3f}",
            f"{point['scores']['mean_surface_distance']:.4g}",
        )
        for point in times
    ]
    return ["Time points, counted from 1", *_aligned([head, *rows])]


def _aligned(rows: Sequence[Sequence[str]], text: str = "") -> list[str]:
    """Put rows into columns: numbers to the right, the one with the heading `text` to the left."""
    columns = []
    for column in zip(*rows, strict=True):
        width = max(map(len, column))
        left = column[0] == text
        columns.append([cell.ljust(width) if left else cell.rjust(width) for cell in column])
    return [f"  {'  '.join(row)}".rstrip() for row in zip(*columns, strict=True)]


def _errors(times: Sequence[Mapping[str, Any]]) -> list[str]:
    kinds = [error["kind"] for point in times for error in point["errors"]]
    counts = [f"{kinds.count(kind)} {kind}" for kind in ("split", "merged", "missed", "added")]
    return [f"Errors  {', '.join(counts)}"]


def _worst(times: Sequence[Mapping[str, Any]], axes: Sequence[str]) -> list[str]:
    """Objects of the truth with the lowest IoU, of all time points."""
    found = [(point, item) for point in times for item in point["worst_objects"] if item["iou"] < 1]
    found = sorted(found, key=lambda pair: pair[1]["iou"])[:WORST]
    if not found:
        return []
    rows = [
        (
            *_place(point, item, len(times)),
            str(item["voxels"]),
            f"{item['iou']:.3f}",
            _what_happened(item, point["errors"]),
        )
        for point, item in found
    ]
    head = (*_place_head(axes, len(times)), "voxels", "IoU", _HAPPENED)
    return ["", "Worst objects of the truth, places in voxels", *_aligned([head, *rows], _HAPPENED)]


def _what_happened(item: Mapping[str, Any], errors: Sequence[Mapping[str, Any]]) -> str:
    label = item["label"]
    for error in errors:
        if error["label"] == label and error["kind"] == "split":
            return f"split into {_some(error['others'])}"
        if error["label"] == label and error["kind"] == "missed":
            return "missed"
        if error["kind"] == "merged" and label in error["others"]:
            others = [other for other in error["others"] if other != label]
            return f"merged with {_some(others)}"
    return f"found as {item['result_label']}"


def _some(labels: Sequence[int]) -> str:
    more = f" and {len(labels) - 4} more" if len(labels) > 4 else ""
    return ", ".join(map(str, labels[:4])) + more


def _added(times: Sequence[Mapping[str, Any]], axes: Sequence[str]) -> list[str]:
    """Objects of the result that are not in the truth, the largest of all time points."""
    found = [
        (point, error) for point in times for error in point["errors"] if error["kind"] == "added"
    ]
    found = sorted(found, key=lambda pair: -pair[1]["voxels"])[:WORST]
    if not found:
        return []
    rows = [(*_place(point, error, len(times)), str(error["voxels"])) for point, error in found]
    head = (*_place_head(axes, len(times)), "voxels")
    return ["", "Largest objects that were added, places in voxels", *_aligned([head, *rows])]


def _place_head(axes: Sequence[str], n_times: int) -> tuple[str, ...]:
    spatial = [axis for axis in axes if axis != "t"]
    return ("label", *(["time"] if n_times > 1 else []), *spatial)


def _place(point: Mapping[str, Any], item: Mapping[str, Any], n_times: int) -> tuple[str, ...]:
    time = [str(point["time"] + 1)] if n_times > 1 else []
    return (str(item["label"]), *time, *(f"{position:.1f}" for position in item["place"]))
