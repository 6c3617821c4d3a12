"""Scoring a result in the window: all of it, or the part that is on screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from numpy.typing import NDArray

from napari_seedbed.core.scores.label_overlaps import count_overlaps
from napari_seedbed.core.scores.overlap_scores import foreground_scores, matching_scores
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.grids import grid_of, level_0, same_grid
from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.layers.layer_records import record_of
from napari_seedbed.gui.layers.seed_layers import seeds_image
from napari_seedbed.gui.layers.view_position import part_in_view
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations.scores import record_of_scores
from napari_seedbed.pipeline.operations.scoring import score_images

MOST_VOXELS = 1 << 24
"""A volume of more voxels is scored slice by slice while somebody watches."""


@dataclass(frozen=True, eq=False)
class ScoredPart:
    """A truth and a result on one grid.

    Attributes
    ----------
    truth, result : ndarray of int
        ([Z, ]Y, X) of one time point; a slice of a volume has a single plane.
    where : str
        Which part it is, ``z 5, t 2``; empty for all.
    """

    truth: NDArray[Any]
    result: NDArray[Any]
    where: str


@dataclass(frozen=True)
class LiveScores:
    """Scores of the slice in view, while live score is on."""

    dice: float
    iou: float
    f1: float
    truth_objects: int
    result_objects: int
    where: str


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores, errors and worst outlines of everything.

    Attributes
    ----------
    scoring : dict
        As `pipeline.scoring.score_images`.
    agreement : Image
        Hits 1, misses 2 and false parts 3, on the grid of the truth.
    record : mapping or str
        What a recipe is made from; or in words why there can be none.
    """

    scoring: dict[str, Any]
    agreement: Image
    record: Mapping[str, Any] | str


def images_to_score(
    truth: Labels, result: Labels, time_axis: int | None = None
) -> tuple[Image, Image]:
    """The voxels of both layers, those of the result on the grid of the truth.

    Raises
    ------
    InputError
        When axes or units do not fit, or the result lies beside the truth.
    """
    known = image_of(truth, time_axis=time_axis)
    if level_0(result).shape == level_0(truth).shape and same_grid(truth, result):
        return known, image_of(result, time_axis=time_axis)
    found = seeds_image(result, truth, time_axis=time_axis)
    # a recipe looks whether they are still what that record describes
    return known, replace(found, record=record_of(result))


def score_all(images: Sequence[Image], background: int) -> Scored:
    """Everything about a truth and a result, where they agree, and how to repeat it."""
    from napari_seedbed.core import agreement_map

    truth, result = images
    scoring = score_images(truth, result, background=background)
    maps = []
    for t in range(truth.n_times):
        found = result.select_time(t).volume()
        if background:
            found = np.where(found == background, 0, found)
        known = truth.select_time(t).volume()
        maps.append(agreement_map(known, found))
    axes = truth.spatial_axes if truth.time_axis is None else ("t", *truth.spatial_axes)
    array = maps[0] if truth.time_axis is None else np.stack(maps)
    order = [axis for axis in truth.axes if axis in axes]
    array = np.transpose(array, [axes.index(axis) for axis in order])
    agreement = replace(
        truth, array=array, axes=tuple(order), record=None, channel_names=(), channel_colors=()
    )
    record: Mapping[str, Any] | str
    try:
        record = record_of_scores(truth, result, background)
    except InputError as error:
        record = str(error)
    return Scored(scoring, agreement, record)


def part_to_score(
    viewer: ViewerModel, truth: Labels, result: Labels, time_axis: int | None = None
) -> ScoredPart | None:
    """The slice of a volume that is on screen, or all of a flat image, at the time on screen.

    None for a volume that is too large to be scored as a whole, in the 3D display.

    Raises
    ------
    InputError
        As `images_to_score`.
    """
    image = image_of(truth, time_axis=time_axis)
    part = part_in_view(viewer, truth, image, time_axis)
    axes = grid_of(truth, time_axis).axes
    index = [slice(0, n) for n in level_0(truth).shape]
    if part.region is not None:
        for axis, region in zip(grid_of(truth, time_axis).spatial, part.region, strict=True):
            index[axis] = region
    elif np.prod(image.spatial_shape) > MOST_VOXELS:
        return None
    if part.time is not None:
        index[axes.index("t")] = slice(part.time, part.time + 1)
    small = _cut(truth, tuple(index), time_axis)
    same = level_0(result).shape == level_0(truth).shape and same_grid(truth, result)
    if same:
        found = image_of(_cut(result, tuple(index), time_axis), time_axis=time_axis)
    else:
        found = seeds_image(result, small, time_axis=time_axis)
    known = image_of(small, time_axis=time_axis)
    return ScoredPart(known.select_time(0).volume(), found.select_time(0).volume(), part.words)


def score_part(part: ScoredPart, background: int) -> LiveScores:
    """Dice, IoU and the F1 of objects at an IoU of 0.5."""
    result = part.result
    if background:
        result = np.where(result == background, 0, result)
    overlaps = count_overlaps(part.truth, result)
    scores = foreground_scores(overlaps)
    matched = matching_scores(overlaps, (0.5,))
    shares = matched["object_f1"]
    assert isinstance(shares, list)
    return LiveScores(
        scores["dice"],
        scores["iou"],
        float(shares[0]),
        overlaps.truth_count,
        overlaps.result_count,
        part.where,
    )


def _cut(layer: Labels, index: tuple[slice, ...], time_axis: int | None) -> Labels:
    """A part of a layer as a layer of its own, in its place; no viewer shows it."""
    grid = grid_of(layer, time_axis)
    start = [part.start for part in index]
    affine = grid.affine.copy()
    affine[:-1, -1] = (grid.affine @ np.append(start, 1.0))[:-1]
    return Labels(
        np.asarray(level_0(layer)[index]),
        affine=affine,
        units=layer.units,
        axis_labels=layer.axis_labels,
        name=layer.name,
    )
