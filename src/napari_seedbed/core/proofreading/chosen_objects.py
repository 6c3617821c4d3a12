"""The objects that an edit is about, and all that every edit of objects needs to know of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.boxes import widened
from napari_seedbed.core.objects.labelled_volume import LabelledVolume
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.proofreading.label_edits import Box, LabelEdit, as_whole, edit_of_voxels
from napari_seedbed.core.proofreading.object_boxes import (
    Objects,
    box_of,
    boxes_of,
    check_edited,
    check_objects,
    free_labels,
    named,
)
from napari_seedbed.core.validation import check_spacing
from napari_seedbed.errors import InputError

Part = NDArray[np.integer]
Change = Callable[[Part, int, Box], Part]
"""``change(part, label, box)`` gives the labels in a box around an object after an edit."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """Objects of a label image that an edit is about.

    The edits of this folder are functions that take one of these first. They return a `LabelEdit`,
    which says what would change, leave the labels as they are, and raise `InputError` where an
    object is not there or locked, where the type of the labels has no label left for a new one, and
    where nothing would change. Lengths are in the unit of the voxel size, places in voxels.

    Parameters
    ----------
    labels : ([Z, ]Y, X) ndarray of int
    objects : int or iterable of int, optional
    spacing : float or sequence of float, optional
        Voxel size; 1 when None.
    locked : iterable of int
        Labels of objects that must not change.
    box : tuple of slice, optional
        A box that holds the objects, as a table gives it; they are looked for otherwise.
    """

    labels: Any
    objects: Objects | None = None
    spacing: float | Sequence[float] | None = None
    locked: Iterable[int] = ()
    box: Box | None = None

    @cached_property
    def array(self) -> NDArray[np.integer]:
        """The labels, checked."""
        return check_edited(self.labels)

    @cached_property
    def values(self) -> list[int]:
        """Labels of the objects, each once and in the order given."""
        return check_objects(() if self.objects is None else self.objects, self.locked)

    @property
    def value(self) -> int:
        """The label of the one object that there must be."""
        if len(self.values) != 1:
            raise InputError(
                f"objects: {len(self.values)} are given; this edit is about one at a time."
            )
        return self.values[0]

    @cached_property
    def size(self) -> tuple[float, ...]:
        """The voxel size along each axis."""
        return check_spacing(self.spacing, self.array.ndim)

    def box_of(self, *objects: int) -> Box:
        """The smallest box around some of the objects, or around all."""
        return box_of(self.array, objects or self.values, self.box)

    def boxes(self) -> list[Box]:
        """The smallest box around each of the objects."""
        return boxes_of(self.array, self.values, self.box)

    def fresh_labels(self) -> Iterator[int]:
        """Labels that no object has, see `free_labels`, as far as the type has some."""
        labels = self.array
        yield from free_labels(
            int(labels.max()), labels.dtype, lambda: LabelledVolume(labels).labels
        )
        raise InputError(
            f"labels: objects have all labels of type {labels.dtype}. Convert them to a larger "
            "type."
        )

    def edited(self, verb: str, change: Change, margins: Sequence[int] | None = None) -> LabelEdit:
        """The edit that changes each object on its own.

        Parameters
        ----------
        verb : str
            What it is called.
        change : callable
        margins : sequence of int, optional
            Voxels that the box has around the object along each axis; 0 when None.
        """
        labels = self.array
        places, before, after = [], [], []
        sides = [0] * labels.ndim if margins is None else margins
        for value, own in zip(self.values, self.boxes(), strict=True):
            check_stop()
            around = widened(own, sides, labels.shape)
            part = labels[around]
            new = change(part, value, around)
            differs = np.flatnonzero(np.ravel(part != new))
            places.append(as_whole(differs, part.shape, around, labels.shape))
            before.append(np.ravel(part)[differs])
            after.append(np.ravel(new)[differs])
        return edit_of_voxels(
            np.concatenate(places),
            np.concatenate(before),
            np.concatenate(after),
            named(verb, self.values),
            shape=labels.shape,
        )
