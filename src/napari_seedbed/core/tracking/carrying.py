"""Objects carried to the next time point: moved by the registered shift, and grown anew there."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.boxes import widened
from napari_seedbed.core.differences.registration import register_images
from napari_seedbed.core.label_values import editable_labels
from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.objects.label_lookup import renumbered
from napari_seedbed.core.objects.labelled_volume import LabelledVolume
from napari_seedbed.core.progress import check_stop, tell
from napari_seedbed.core.proofreading.label_edits import LabelEdit, changed
from napari_seedbed.core.proofreading.object_boxes import (
    Objects,
    box_of,
    check_edited,
    check_label,
    check_objects,
    named,
)
from napari_seedbed.core.proofreading.regrowing import core_of
from napari_seedbed.core.proofreading.splits import image_part
from napari_seedbed.core.validation import check_channel_axis, check_spacing
from napari_seedbed.errors import InputError

_OTHERS = -1
_REACH = 0.35
"""Farther than so much of their usual radius from where they are expected, objects are not. With
0.5, the nuclei of a film of dividing cells grow from time point to time point."""


def carry_objects(
    labels: Any,
    following: Any,
    image: Any,
    image_following: Any,
    objects: Objects | None = None,
    *,
    channel_axis: int | None = None,
    spacing: float | Sequence[float] | None = None,
    locked: Iterable[int] = (),
) -> LabelEdit:
    """Carry objects to the next time point.

    They are moved by the shift of the one image against the other, their cores are the seeds of
    the seeded engine, and what is far from all of them is background.

    Parameters
    ----------
    labels : ([Z, ]Y, X) ndarray of int
        Of the time point that they are in.
    following : ([Z, ]Y, X) ndarray of int
        Of the next one; objects that are there already are walls, and so is what is negative.
    image, image_following : ([Z, ]Y, X) ndarray, with channels where `channel_axis` says so
        Of the two time points.
    objects : int or iterable of int, optional
        Those to carry; all that are not in `following` when None.
    channel_axis : int, optional
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    locked : iterable of int
        Labels of objects that must not change.

    Returns
    -------
    LabelEdit
        Of `following`, in which each object has its label.

    Raises
    ------
    InputError
        If shapes differ, an object is not there, locked, or in the next time point already, or
        none would lie within the image.

    References
    ----------
    Guizar-Sicairos M, Thurman ST, Fienup JR (2008). Efficient subpixel image registration
    algorithms. Optics Letters 33(2), 156-158.
    """
    now, after = check_edited(labels), check_edited(following)
    if now.shape != after.shape:
        raise InputError(f"following has the shape {after.shape}; labels have {now.shape}.")
    size = check_spacing(spacing, now.ndim)
    there = LabelledVolume(after).labels
    waiting = np.setdiff1d(LabelledVolume(now).labels, there).tolist()
    if objects is None:
        objects = waiting
        if not objects:
            raise InputError("objects: all of them are in the next time point already.")
    values = check_objects(objects, locked)
    for value in values:
        check_label(after, value, "objects")
    twice = sorted(set(values) & set(there.tolist()))
    if twice:
        raise InputError(
            f"objects: {twice[0]} is in the next time point already. Delete it there, or link "
            "objects instead."
        )
    box_of(now, values)
    axis = check_channel_axis(channel_axis, np.ndim(image))
    shift = register_images(image, image_following, channel_axis=axis).shift
    # Objects that are not carried now are none of those that are.
    beside = [value for value in waiting if value not in set(values)]
    expected = _moved(now, [*values, *beside], np.round(shift).astype(int))
    expected[after != 0] = _OTHERS
    wanted = (expected > 0) & (expected <= len(values))
    if not wanted.any():
        raise InputError("objects: none of them would lie within the image, moved as it is.")
    voxels = np.bincount(expected[wanted])
    radius = _radius(float(np.median(voxels[voxels > 0]) * np.prod(size)), now.ndim)
    margins = [int(np.ceil(2 * _REACH * radius / step)) + 2 for step in size]
    around = widened(box_of(wanted.view(np.uint8), [1]), margins, now.shape)
    grown = _grown(image_following, expected[around], around, axis, _REACH * radius, size)
    part = after[around]
    names = np.array([0, *values, *[0] * len(beside)], after.dtype)
    new = np.where((part == 0) & (names[grown] > 0), names[grown], part)
    name = named("carry", values)
    return changed(part, new, around, name, shape=after.shape)


def carry_through_series(
    labels: Any,
    load: Callable[[int], NDArray[Any]],
    objects: Iterable[int] = (),
    *,
    start: int = 0,
    steps: int = 1,
    channel_axis: int | None = None,
    spacing: float | Sequence[float] | None = None,
) -> tuple[NDArray[np.integer], int]:
    """Carry objects from one time point of a series to the next, and on to further ones.

    Parameters
    ----------
    labels : (T, [Z, ]Y, X) array_like of int
        They stay as they are.
    load : callable
        ``load(t)`` gives the image of a time point, as `carry_objects` takes it.
    objects : iterable of int
        Labels of those to carry; all when there are none. Those that are in the next time point
        already stay as they are there.
    start : int
        First time point, counted from 0.
    steps : int
        To how many time points; 0 for all up to the last one.
    channel_axis, spacing
        As in `carry_objects`.

    Returns
    -------
    labels : (T, [Z, ]Y, X) ndarray of int
    carried : int
        How many times an object was carried.

    Raises
    ------
    InputError
        As `carry_objects`, and if there is no such time point, or an object is not there.
    """
    series, wanted = editable_labels(labels), set(objects)
    last = len(series) - 1
    if start > last or (start == last and start > 0):
        raise InputError(f"start: it is {start}; the last time point is {last}, counted from 0.")
    stop = last if steps == 0 else min(last, start + steps)
    carried = 0
    for time in range(start, stop):
        check_stop()
        tell((time - start) / (stop - start), f"time point {time + 2} of {last + 1}")
        now, following = series[time], series[time + 1]
        here, there = (set(np.unique(volume).tolist()) for volume in (now, following))
        missing = sorted(wanted - here)
        if missing and time == start:
            raise InputError(f"objects: there is no object {missing[0]} at time point {time}.")
        waiting = sorted((wanted or {value for value in here if value > 0}) & here - there)
        if not waiting:
            continue
        edit = carry_objects(
            now, following, load(time), load(time + 1), waiting,
            channel_axis=channel_axis, spacing=spacing,
        )  # fmt: skip
        edit.apply(following)
        carried += len(waiting)
    return series, carried


def _moved(
    labels: NDArray[np.integer], objects: Sequence[int], shift: NDArray[np.integer]
) -> NDArray[np.int32]:
    """Objects where they are expected, numbered from 1."""
    order = np.argsort(objects)
    numbered = renumbered(labels, np.asarray(objects, labels.dtype)[order], order + 1)
    moved = np.zeros_like(numbered)
    source, target = (
        tuple(
            slice(int(np.clip(step, 0, n)), int(np.clip(n + step, 0, n)))
            for step, n in zip(by, labels.shape, strict=True)
        )
        for by in (-shift, shift)
    )
    moved[target] = numbered[source]
    return moved


def _radius(volume: float, ndim: int) -> float:
    """Of the disc or ball of that size."""
    return (volume / np.pi) ** 0.5 if ndim == 2 else (0.75 * volume / np.pi) ** (1 / 3)


def _grown(
    image: Any,
    expected: NDArray[np.int32],
    box: tuple[slice, ...],
    channel_axis: int | None,
    reach: float,
    spacing: Sequence[float],
) -> NDArray[np.int32]:
    """Objects that the seeded engine grows in a box from the cores of those expected there."""
    from napari_seedbed.core.seeded.seeded_segmenter import SeededSegmenter

    ground = int(np.iinfo(np.int32).max)
    marks = np.zeros(expected.shape, np.int32)
    for number, place in enumerate(ndi.find_objects(np.maximum(expected, 0)), start=1):
        if place is not None:
            check_stop()
            marks[place][core_of(expected[place] == number, spacing)] = number
    away = call_aside(partial(ndi.distance_transform_edt, expected <= 0, spacing))
    marks[away > reach] = ground
    marks[expected < 0] = _OTHERS
    if len(np.unique(marks[marks > 0])) < 2:
        raise InputError("objects: there is no background around them.")
    pixels, axis = image_part(image, box, expected.ndim, channel_axis)
    engine = SeededSegmenter(pixels, spacing, axis, background=ground)
    found = engine.solve(marks)
    return np.where((found > 0) & (found != ground), found, 0).astype(np.int32)
