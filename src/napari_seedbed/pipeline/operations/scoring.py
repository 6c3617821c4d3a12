"""Scores of a segmentation against a ground truth, from images or files, by time point."""

import math
from dataclasses import asdict, replace
from os import PathLike, fspath
from typing import Any

import numpy as np

from napari_seedbed.core.progress import check_stop, tell
from napari_seedbed.core.scores.label_overlaps import LabelOverlaps
from napari_seedbed.core.scores.object_errors import (
    best_overlaps,
)
from napari_seedbed.core.scores.volume_scores import score_volumes
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.units import convert
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.version import __version__

WORST = 10
_SAME_SIZE = 0.01
_LIKE_BACKGROUND = 0.5


def score_files(
    truth: str | PathLike[str],
    result: str | PathLike[str],
    *,
    channel: int | None = None,
    background: int = 0,
) -> dict[str, Any]:
    """Read two label images and return what `score_images` does, with the names of the files."""
    images = []
    for path in (truth, result):
        check_stop()
        images.append(replace(read_image(path), name=fspath(path)))
    return score_images(*images, channel=channel, background=background)


def score_images(
    truth: Image, result: Image, *, channel: int | None = None, background: int = 0
) -> dict[str, Any]:
    """Score a label image or mask against a ground truth.

    Parameters
    ----------
    truth, result : Image
        Labels of one size; the voxel size of the truth counts.
    channel : int, optional
        Which channel holds the labels, counted from 1, in images with several.
    background : int
        A label of the result that is no object, besides 0: the background of a random walker.

    Returns
    -------
    dict of plain values
        ``version``; ``truth`` and ``result``: names; ``axes`` and ``shape`` of the truth without
        channels; ``voxel_size`` along the spatial axes and its ``unit``; ``notes``: what a person
        should know; ``scores``: as `segmentation_scores`, the mean over the time points;
        ``time_points``: for each its ``time``, ``scores``, ``errors`` (as
        `split_and_merge_errors`), and ``worst_objects``: up to ten objects of the truth with the
        lowest IoU.

    Raises
    ------
    InputError
        If the sizes differ, the channel is missing or not said, or values are no labels.
    """
    _check_channel(channel, truth, result)
    truth, result = _labels_of(truth, "truth", channel), _labels_of(result, "result", channel)
    result, notes = _on_the_axes_of(truth, result)
    notes = [
        *(f"{image.name}: {note}" for image in (truth, result) for note in image.notes),
        *notes,
    ]
    time_points: list[dict[str, Any]] = []
    large: int | None = None
    for t in range(truth.n_times):
        tell(t / truth.n_times, f"time point {t + 1} of {truth.n_times}")
        known, found = truth.select_time(t).volume(), result.select_time(t).volume()
        if background:
            found = np.where(found == background, found.dtype.type(0), found)
        scored = score_volumes(known, found, truth.spacing)
        large = _like_background(scored.overlaps) if large is None else large
        time_points.append(
            {
                "time": t,
                "scores": scored.scores,
                "errors": [asdict(error) for error in scored.errors],
                "worst_objects": [asdict(o) for o in best_overlaps(scored.overlaps)[:WORST]],
            }
        )
    if large is not None:
        notes.append(
            f"Label {large} of {result.name} covers most of the image and much that is no object "
            f"in the truth; if it is the background, say so with --background {large}."
        )
    scores = _means([point["scores"] for point in time_points])
    for image, key in ((truth, "truth"), (result, "result")):
        if scores[f"{key}_objects"] == 1:
            notes.append(f"{image.name} has one label, so all of it counts as one object.")
    return {
        "version": __version__,
        "truth": truth.name,
        "result": result.name,
        "axes": list(truth.axes),
        "shape": list(truth.shape),
        "voxel_size": list(truth.spacing),
        "unit": truth.unit,
        "notes": notes,
        "scores": scores,
        "time_points": time_points,
    }


def json_values(value: Any) -> Any:
    """Return plain values with None for infinite numbers, which JSON does not know."""
    if isinstance(value, dict):
        return {key: json_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_values(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _check_channel(channel: int | None, truth: Image, result: Image) -> None:
    most = max(truth.n_channels, result.n_channels)
    if channel is not None and not 1 <= channel <= most:
        raise InputError(f"channel: {channel} asked for; the images have 1 to {most}.")


def _labels_of(image: Image, role: str, channel: int | None) -> Image:
    """Return the image without its channel axis."""
    if image.channel_axis is None:
        return image
    if image.n_channels == 1:
        return image.channels()[0]
    if channel is None and image.rgb and _is_grey(image.array):
        return image.select_channels([0])
    if channel is None:
        kind = "is a picture in colours with" if image.rgb else "has"
        raise InputError(
            f"{role}: {image.name} {kind} {image.n_channels} channels; labels are in one. "
            "Say which, counted from 1, with --channel."
        )
    if channel > image.n_channels:
        raise InputError(
            f"channel: {channel} asked for, but {image.name} has only {image.n_channels}."
        )
    return image.select_channels([channel - 1])


def _is_grey(colours: Any) -> bool:
    """Whether red, green and blue are the same everywhere: many programs save labels like that."""
    same = [(colours[..., 0] == colours[..., i]).all() for i in (1, 2)]
    return bool(np.asarray(same).all())


def _on_the_axes_of(truth: Image, result: Image) -> tuple[Image, list[str]]:
    """Check that both are of one size; return the result with the truth's axes, and notes."""
    if result.axes != truth.axes and result.shape == truth.shape:
        note = (
            f"{result.name} has the axes {', '.join(result.axes)}; they were taken for "
            f"{', '.join(truth.axes)}, as in the truth."
        )
        same = Image(
            result.array, truth.axes, truth.spacing, truth.units,
            name=result.name, notes=result.notes,
        )  # fmt: skip
        return same, [note]
    sizes = [dict(zip(image.axes, image.shape, strict=True)) for image in (truth, result)]
    if sizes[0] != sizes[1]:
        words = [", ".join(f"{axis} {n}" for axis, n in size.items()) for size in sizes]
        raise InputError(
            f"result: {result.name} has the size {words[1]}; it must have that of the truth, "
            f"{words[0]}."
        )
    for step, unit, other, other_unit in zip(
        truth.spacing, truth.units, result.spacing, result.units, strict=True
    ):
        length = convert(other, other_unit, unit)
        if length is None or abs(length - step) > _SAME_SIZE * step:
            return result, [
                f"{result.name} has another voxel size, {_size(result)}; the truth's was used, "
                f"{_size(truth)}."
            ]
    return result, []


def _size(image: Image) -> str:
    return f"{' x '.join(f'{step:g}' for step in image.spacing)} {image.unit}"


def _like_background(overlaps: LabelOverlaps) -> int | None:
    """Return the object of the result that is more than half of the image and half background."""
    sizes = overlaps.result_voxels
    if not sizes.size:
        return None
    i = int(np.argmax(sizes))
    here = (overlaps.result_index == i) & (overlaps.truth_values[overlaps.truth_index] == 0)
    shares = sizes[i] / overlaps.voxels.sum(), overlaps.voxels[here].sum() / sizes[i]
    is_object = overlaps.result_values[i] > 0
    return int(overlaps.result_values[i]) if is_object and min(shares) > _LIKE_BACKGROUND else None


def _means(scores: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean of each score over the time points, of lists entry by entry."""
    if len(scores) == 1:
        return scores[0]
    means = {key: np.mean([point[key] for point in scores], axis=0).tolist() for key in scores[0]}
    return means | {"thresholds": scores[0]["thresholds"]}
