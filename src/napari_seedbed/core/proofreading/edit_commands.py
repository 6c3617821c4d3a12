"""What an edit that is named does to labels: of an object, a stroke, a whole film."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.label_values import editable_labels
from napari_seedbed.core.progress import check_stop, tell
from napari_seedbed.core.proofreading import (
    cuts,
    regrowing,
    shape_edits,
    slice_drawing,
    splits,
    whole_objects,
)
from napari_seedbed.core.proofreading.chosen_objects import Chosen
from napari_seedbed.core.proofreading.label_edits import Box, LabelEdit
from napari_seedbed.core.proofreading.named_edits import EditCommand
from napari_seedbed.errors import InputError

_LONGEST = 60
"""Signs of an edit that a message shows."""


def edited_labels(
    labels: Any,
    edits: Sequence[EditCommand],
    load: Callable[[int], NDArray[Any]] | None = None,
    *,
    channel_axis: int | None = None,
    spacing: float | Sequence[float] | None = None,
    time_axis: int | None = None,
) -> tuple[NDArray[np.integer], list[str]]:
    """Return labels after edits, made in their order, and what a person should know of these.

    Parameters
    ----------
    labels : ([T, ][Z, ]Y, X) array_like of int or bool
        They stay as they are.
    edits : sequence of EditCommand
        One without a time point is made wherever its objects are.
    load : callable, optional
        ``load(t)`` gives the image of a time point, ([Z, ]Y, X), for edits that look at one.
    channel_axis : int, optional
        Of the images.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    time_axis : int, optional
        Of the labels; None where they are of one time point.

    Returns
    -------
    labels : ndarray of int
    notes : list of str
        Edits that were not made at some time points, and why.

    Raises
    ------
    InputError
        If an edit cannot be made, or changes nothing. The message names it.
    """
    array, notes = editable_labels(labels), []
    for number, command in enumerate(edits, start=1):
        tell((number - 1) / len(edits), f"edit {number} of {len(edits)}: {command.verb}")
        named = f"edits: {number} ({_in_words(command)})"
        try:
            refused = _make(command, array, load, channel_axis, spacing, time_axis)
        except InputError as error:
            raise InputError(f"{named}: {error}") from None
        if refused:
            times, reasons = ", ".join(map(str, refused)), list(refused.values())
            also = " (and others)" if len(set(reasons)) > 1 else ""
            notes.append(f"{named}: not made at t {times}: {reasons[0]}{also}")
    return array, notes


def _in_words(command: EditCommand) -> str:
    """An edit with its labels and numbers; lines and strokes would take too long."""
    numbers = [
        f"{name}={value:g}"
        for name, value in command.options.items()
        if isinstance(value, int | float)
    ]
    words = " ".join([command.verb, *map(str, command.objects), *numbers])
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"


def _make(
    command: EditCommand,
    labels: NDArray[np.integer],
    load: Callable[[int], NDArray[Any]] | None,
    channel_axis: int | None,
    spacing: float | Sequence[float] | None,
    time_axis: int | None,
) -> dict[int, str]:
    """Make one edit, in place, and return why it was not made at some time points.

    Those at which none of its objects is do not count.
    """
    if command.time is None and not command.objects:
        # what was written with a brush, and new numbers for all objects, are about all of a film
        edit_of(command, labels).apply(labels)
        return {}
    volumes = labels[np.newaxis] if time_axis is None else np.moveaxis(labels, time_axis, 0)
    if command.time is not None and command.time >= len(volumes):
        raise InputError(f"there are {len(volumes)} time points, counted from 0.")
    refused: dict[int, str] = {}
    error: InputError | None = None
    done = False
    for time in range(len(volumes)) if command.time is None else [command.time]:
        check_stop()
        volume = volumes[time]
        present = _at_hand(command, volume) if len(volumes) > 1 else command
        image = None if load is None else load(time)
        try:
            edit = edit_of(
                present or command, volume, image=image, channel_axis=channel_axis, spacing=spacing
            )
        except InputError as why:
            error = why
            if present is not None:
                refused[time] = str(why)
            continue
        edit.apply(volume)
        done = True
    if error is not None and not done:
        raise error
    return refused


def _at_hand(command: EditCommand, labels: NDArray[np.integer]) -> EditCommand | None:
    """A command for all time points, with those of its objects that are there at one, if any."""
    if command.time is not None or command.verb == "fill-slice":
        return command
    objects = tuple(value for value in command.objects if (labels == value).any())
    return replace(command, objects=objects) if objects else None


def edit_of(
    command: EditCommand,
    labels: NDArray[np.integer],
    *,
    image: NDArray[Any] | None = None,
    channel_axis: int | None = None,
    spacing: float | Sequence[float] | None = None,
    locked: Iterable[int] = (),
    box: Box | None = None,
) -> LabelEdit:
    """Return what a command would change.

    Parameters
    ----------
    command : EditCommand
    labels : ([Z, ]Y, X) ndarray of int
        Of its time point; all of a film to renumber all objects.
    image : ([Z, ]Y, X) ndarray, optional
        For edits that look at one, with channels where `channel_axis` says so.
    channel_axis : int, optional
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    locked : iterable of int
        Labels of objects that must not change.
    box : tuple of slice, optional
        A box that holds the objects, as a table gives it.

    Raises
    ------
    InputError
        If it cannot be done, or nothing would change.
    """
    options = dict(command.options)
    if command.verb == "write":
        return options["voxels"].edit(labels)
    if command.verb == "redo" or options.get("image"):
        if image is None:
            raise InputError(f"{command.verb} needs an image.")
        options |= {"image": image, "channel_axis": channel_axis}
    else:
        options.pop("image", None)
    if "stroke" in options:
        options["strokes"] = options.pop("stroke")
    if command.verb == "cut" and {"point", "normal"} & set(options):
        options["plane"] = (options.pop("point", ()), options.pop("normal", ()))
    objects = command.objects or None
    if command.verb == "renumber" and objects is None:
        # of a film as well: a cell has one number at all time points
        lines = labels.reshape(-1, labels.shape[-1])
        edit = whole_objects.renumber(Chosen(lines, locked=locked), **options)
        return replace(edit, shape=labels.shape)
    return _function(command.verb)(Chosen(labels, objects, spacing, locked, box), **options)


def _function(verb: str) -> Callable[..., LabelEdit]:
    functions: dict[str, Callable[..., LabelEdit]] = {
        "delete": whole_objects.delete_objects,
        "merge": whole_objects.merge_objects,
        "renumber": whole_objects.renumber,
        "keep-largest-piece": whole_objects.keep_largest_piece,
        "separate-pieces": whole_objects.separate_pieces,
        "fill-holes": shape_edits.fill_holes,
        "smooth": shape_edits.smooth,
        "open": shape_edits.open_objects,
        "close": shape_edits.close_objects,
        "grow": shape_edits.grow,
        "shrink": shape_edits.shrink,
        "cut": cuts.split_by_cut,
        "split-by-strokes": splits.split_by_strokes,
        "split-by-points": splits.split_by_points,
        "split-by-necks": splits.split_by_necks,
        "redo": regrowing.redo_object,
        "fill-slice": slice_drawing.fill_slice,
        "interpolate": slice_drawing.interpolate_between_slices,
    }
    return functions[verb]
