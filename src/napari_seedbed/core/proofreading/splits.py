"""Edits that split an object: by strokes or points in its parts, by its necks.

The largest part of an object keeps its label.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.proofreading.chosen_objects import Chosen, Part
from napari_seedbed.core.proofreading.drawn_lines import drawn, stroke_points
from napari_seedbed.core.proofreading.label_edits import Box, LabelEdit
from napari_seedbed.core.proofreading.whole_objects import relabelled
from napari_seedbed.core.regions.splitting import split_touching
from napari_seedbed.core.regions.watersheds import watershed
from napari_seedbed.core.validation import check_number
from napari_seedbed.errors import InputError

Mask = NDArray[np.bool_]


def split_by_strokes(
    chosen: Chosen, strokes: Sequence[Any], *, image: Any = None, channel_axis: int | None = None
) -> LabelEdit:
    """Split an object into as many parts as there are strokes, each around its own.

    Parameters
    ----------
    chosen : Chosen
        One object.
    strokes : sequence of (N, D) array_like of float
        Points of each stroke in voxel coordinates, joined by straight lines. What of it lies
        outside the object does not count.
    image : ([Z, ]Y, X) array_like, optional
        With it the seeded engine looks for borders between the parts; without it each voxel goes
        to the stroke that is nearest within the object.
    channel_axis : int, optional
        Which axis of the image holds channels.

    Raises
    ------
    InputError
        Also if fewer than two strokes lie in the object, or one lies beside it.
    """
    ndim, size, own = chosen.array.ndim, chosen.size, chosen.value
    lines = [stroke_points(line, ndim, f"stroke {n}", 1) for n, line in enumerate(strokes, start=1)]
    fresh = chosen.fresh_labels()

    def parted(part: Part, value: int, box: Box) -> Part:
        corner = [side.start for side in box]
        mask = part == value
        seeds = np.zeros(part.shape, np.int32)
        for number, line in enumerate(lines, start=1):
            inside = drawn([line - corner], part.shape) & mask & (seeds == 0)
            if not inside.any():
                raise InputError(
                    f"Stroke {number} lies outside object {own}, or on another stroke; draw one "
                    "in each part."
                )
            seeds[inside] = number
        if len(lines) < 2:
            raise InputError(f"strokes: {len(lines)} is given; draw one in each part, 2 or more.")
        if image is None:
            parts = _nearest_within(mask, seeds, size)
        else:
            parts = _engine_within(mask, seeds, image, box, channel_axis, size)
        return relabelled(part, parts, len(lines), value, fresh)

    return chosen.edited("split", parted)


def split_by_points(
    chosen: Chosen, points: Any, *, image: Any = None, channel_axis: int | None = None
) -> LabelEdit:
    """Split an object into as many parts as there are points, (N, D) in voxels, as by strokes."""
    places = stroke_points(points, np.ndim(chosen.labels), "points", 1)
    strokes = list(places[:, np.newaxis])
    return split_by_strokes(chosen, strokes, image=image, channel_axis=channel_axis)


def split_by_necks(chosen: Chosen, depth: float = 1.0) -> LabelEdit:
    """Cut objects apart where they are thin, by a watershed of the distance to their borders.

    Parameters
    ----------
    chosen : Chosen
    depth : float
        How much narrower than its two parts, measured from the border to the middle, a neck must
        be.
    """
    fall = check_number(depth, "depth")
    fresh = chosen.fresh_labels()

    def parted(part: Part, value: int, _: Box) -> Part:
        parts = split_touching(part == value, fall, chosen.size)
        return relabelled(part, parts, int(parts.max()), value, fresh)

    # The border of the image is no border of an object, so that of its box must not be its own.
    return chosen.edited("split", parted, [1] * chosen.array.ndim)


def _nearest_within(
    mask: Mask, seeds: NDArray[np.int32], spacing: Sequence[float]
) -> NDArray[np.integer]:
    """The seed that is nearest within a mask; pieces without a seed go to the nearest of all."""
    flat = np.zeros(mask.shape, np.float32)
    parts = watershed(flat, seeds, mask, 1.0, spacing)
    return _with_islands(mask, parts, spacing)


def _engine_within(
    mask: Mask,
    seeds: NDArray[np.int32],
    image: Any,
    box: Box,
    channel_axis: int | None,
    spacing: Sequence[float],
) -> NDArray[np.integer]:
    """The parts of a mask that the seeded engine grows from seeds."""
    from napari_seedbed.core.seeded.seeded_segmenter import SeededSegmenter

    part, axis = image_part(image, box, mask.ndim, channel_axis)
    engine = SeededSegmenter(part, spacing, axis)
    found = engine.solve(np.where(mask, seeds, np.int32(-1)))
    return _with_islands(mask, np.where(mask, found, 0), spacing)


def image_part(
    image: Any, box: Box, ndim: int, channel_axis: int | None
) -> tuple[NDArray[Any], int | None]:
    """Return the voxels of an image in a box of the labels, and where its channels are."""
    array = np.asarray(image)
    if channel_axis is None:
        return array[box], None
    if array.ndim != ndim + 1:
        raise InputError(
            f"image has the shape {array.shape}; with channels it must have {ndim + 1} axes."
        )
    axis = channel_axis % array.ndim
    index = list(box)
    index.insert(axis, slice(None))
    return array[tuple(index)], axis


def _with_islands(
    mask: Mask, parts: NDArray[np.integer], spacing: Sequence[float]
) -> NDArray[np.integer]:
    lost = mask & (parts == 0)
    if not lost.any():
        return parts
    nearest = ndi.distance_transform_edt(
        parts == 0, spacing, return_distances=False, return_indices=True
    )
    return np.where(lost, parts[tuple(nearest)], parts)
