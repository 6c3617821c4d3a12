"""What each edit that a text names does to labels."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.encodings.edit_encoding import EditCommand

if TYPE_CHECKING:
    from napari_seedbed.core.proofreading.label_edits import Box, LabelEdit


def edit_of(
    command: EditCommand,
    labels: NDArray[np.integer],
    *,
    image: NDArray[Any] | None = None,
    channel_axis: int | None = None,
    spacing: Sequence[float] | None = None,
    locked: Iterable[int] = (),
    box: "Box | None" = None,
) -> "LabelEdit":
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
    from napari_seedbed.core.proofreading import whole_objects
    from napari_seedbed.core.proofreading.chosen_objects import Chosen

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


def _function(verb: str) -> "Callable[..., LabelEdit]":
    from napari_seedbed.core.proofreading import (
        cuts,
        regrowing,
        shape_edits,
        slice_drawing,
        splits,
        whole_objects,
    )

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
