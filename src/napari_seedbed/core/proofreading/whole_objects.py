"""Edits of whole objects: deleted, merged, renumbered, reduced to their largest piece."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.objects.labelled_volume import LabelledVolume
from napari_seedbed.core.proofreading.chosen_objects import Chosen, Part
from napari_seedbed.core.proofreading.label_edits import Box, LabelEdit, changed, edit_of_voxels
from napari_seedbed.core.proofreading.object_boxes import (
    check_label,
    check_objects,
    mask_of,
    named,
)
from napari_seedbed.errors import InputError


def delete_objects(chosen: Chosen) -> LabelEdit:
    """Take objects away."""
    return _written(chosen, chosen.values, 0, named("delete", chosen.values))


def merge_objects(chosen: Chosen) -> LabelEdit:
    """Give two objects or more one label: that of the first."""
    first, *others = chosen.values
    if not others:
        raise InputError(f"objects: only {first} is given; a merge needs at least two.")
    name = "merge " + " + ".join(map(str, chosen.values))
    if len(others) > 2:
        name = f"merge {len(chosen.values)} objects"
    chosen.box_of(first)
    return _written(chosen, others, first, name)


def renumber(chosen: Chosen, to: int | None = None) -> LabelEdit:
    """Give an object another label; where none is chosen, all get labels from 1 on without gaps.

    Parameters
    ----------
    chosen : Chosen
    to : int, optional
        A label that no object has; the lowest above all that occur when None.
    """
    if chosen.objects is None:
        if to is not None:
            raise InputError(f"to is {to}, but no object is given; say which one gets it.")
        return _without_gaps(chosen.array, chosen.locked)
    array, value = chosen.array, chosen.value
    target = next(chosen.fresh_labels()) if to is None else check_label(array, to, "to")
    if to is not None and (array == target).any():
        raise InputError(
            f"to is {target}, which is the label of an object. Merge the two, or take a free label."
        )
    return _written(chosen, [value], target, f"renumber {value} as {target}")


def keep_largest_piece(chosen: Chosen) -> LabelEdit:
    """Take all pieces of each object away but the largest.

    Voxels that share a corner are of one piece; of equally large pieces the first stays.
    """
    return chosen.edited("keep largest piece of", _largest_piece)


def separate_pieces(chosen: Chosen) -> LabelEdit:
    """Make each piece of an object an object of its own; the largest keeps the label."""
    fresh = chosen.fresh_labels()

    def parted(part: Part, value: int, _: Box) -> Part:
        pieces, count = ndi.label(part == value, np.ones((3,) * part.ndim))
        return relabelled(part, pieces, count, value, fresh)

    return chosen.edited("separate pieces of", parted)


def relabelled(
    part: Part, pieces: NDArray[np.integer], count: int, value: int, fresh: Iterator[int]
) -> Part:
    """Return labels in which the largest piece of an object keeps its label, others get new ones.

    Parameters
    ----------
    part : (…) ndarray of int
    pieces : (…) ndarray of int
        Numbers from 1 to `count`; 0 where the labels stay.
    count : int
    value : int
        The label of the object.
    fresh : iterator of int
        New labels, taken by the larger pieces first.
    """
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    order = np.argsort(-sizes, kind="stable") + 1
    targets = np.zeros(count + 1, part.dtype)
    targets[order[:1]] = value
    targets[order[1:]] = list(islice(fresh, max(count - 1, 0)))
    return np.where(pieces > 0, targets[pieces], part)


def _written(chosen: Chosen, objects: Sequence[int], target: int, name: str) -> LabelEdit:
    """The edit that gives all voxels of some objects one label."""
    around = chosen.box_of(*objects)
    part = chosen.array[around]
    new = np.where(mask_of(part, objects), part.dtype.type(target), part)
    return changed(part, new, around, name, shape=chosen.array.shape)


def _largest_piece(part: Part, value: int, _: Box) -> Part:
    pieces, count = ndi.label(part == value, np.ones((3,) * part.ndim))
    if count < 2:
        return part
    largest = 1 + int(np.argmax(np.bincount(pieces.ravel())[1:]))
    return np.where((pieces > 0) & (pieces != largest), part.dtype.type(0), part)


def _without_gaps(labels: NDArray[np.integer], locked: Iterable[int]) -> LabelEdit:
    values = LabelledVolume(labels).labels
    moved = values[values != np.arange(1, len(values) + 1)]
    if not len(moved):
        raise InputError("renumber: nothing would change; the labels have no gaps.")
    check_objects(moved.tolist(), locked)
    # Once one has moved, all that follow do.
    where = np.flatnonzero(np.ravel(labels >= moved[0]))
    before = np.ravel(labels)[where]
    after = np.searchsorted(values, before).astype(labels.dtype) + 1
    return edit_of_voxels(where, before, after, "renumber all", shape=labels.shape)
