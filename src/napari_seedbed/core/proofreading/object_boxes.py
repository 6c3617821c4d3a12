"""Which objects an edit is about: checked, and found in labels of any integer type."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.objects.label_lookup import renumbered
from napari_seedbed.core.proofreading.label_edits import Box
from napari_seedbed.errors import InputError

Objects = int | Iterable[int]
"""The label of an object, or several."""

_FEW = 4
"""So many objects are found in one sweep; fewer are looked for one by one, which is faster."""


def check_edited(labels: Any) -> NDArray[np.integer]:
    """Return labels as they are, or raise `InputError` unless they are 2D or 3D whole numbers."""
    array = np.asarray(labels)
    if array.dtype.kind not in "iu":
        raise InputError(f"labels have the type {array.dtype}; they must hold whole numbers.")
    if array.ndim not in (2, 3) or array.size == 0:
        raise InputError(
            f"labels have the shape {array.shape}; edits need 2 or 3 axes and at least one voxel."
        )
    return array


def check_objects(objects: Objects, locked: Iterable[int] = ()) -> list[int]:
    """Return labels of objects, each once and in the order given.

    Raises
    ------
    InputError
        If there is none, one is below 1 or no whole number, or one is locked.
    """
    given = [objects] if isinstance(objects, int | np.integer) else list(objects)
    if not given:
        raise InputError("objects: none is given; name at least one.")
    for value in given:
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise InputError(f"objects: {value!r} is no object; labels are whole numbers from 1.")
    found = list(dict.fromkeys(int(value) for value in given))
    kept = sorted(set(found) & {int(value) for value in locked})
    if kept:
        raise InputError(f"{_in_words(kept)} {_is(kept)} locked; unlock {_it(kept)} first.")
    return found


def check_label(labels: NDArray[np.integer], value: int, name: str = "label") -> int:
    """Return a label that an object can have, or raise `InputError` unless the type holds it."""
    number = check_objects(value)[0]
    top = int(np.iinfo(labels.dtype).max)
    if number > top:
        raise InputError(
            f"{name} is {number}; labels of type {labels.dtype} end at {top}. Number the objects "
            "anew without gaps, or convert the labels to a larger type."
        )
    return number


def free_labels(
    highest: int, dtype: np.dtype[Any], taken: Callable[[], Iterable[int]]
) -> Iterator[int]:
    """Yield labels from above the highest on, and where the type has no more, those between.

    Parameters
    ----------
    highest : int
    dtype : dtype
        Type of the labels.
    taken : callable
        Gives all labels up to the highest that objects have; called when these matter.
    """
    top = int(np.iinfo(dtype).max)
    yield from range(max(highest, 0) + 1, top + 1)
    before = 0
    for value in sorted(int(value) for value in taken()):
        yield from range(before + 1, value)
        before = value


def box_of(labels: NDArray[np.integer], objects: Sequence[int], box: Box | None = None) -> Box:
    """Return the smallest box around some objects; see `boxes_of`."""
    boxes = boxes_of(labels, objects, box)
    return tuple(
        slice(min(side.start for side in sides), max(side.stop for side in sides))
        for sides in zip(*boxes, strict=True)
    )


def boxes_of(
    labels: NDArray[np.integer], objects: Sequence[int], box: Box | None = None
) -> list[Box]:
    """Return the smallest box around each of some objects.

    Parameters
    ----------
    labels : ([Z, ]Y, X) ndarray of int
    objects : sequence of int
    box : tuple of slice, optional
        A box that holds all of them, as a table gives it: only there is looked.

    Raises
    ------
    InputError
        If there is none of one of them.
    """
    around = whole_box(labels.shape) if box is None else clipped(box, labels.shape)
    part = labels[around]
    if len(objects) < _FEW or not part.size:
        found = [_bounds(part, value) for value in objects]
    else:
        found = _all_bounds(part, objects)
    missing = [value for value, sides in zip(objects, found, strict=True) if sides is None]
    if missing:
        raise InputError(f"{_in_words(missing)} {_is(missing)} not in these labels.")
    return [
        tuple(
            slice(whole.start + side.start, whole.start + side.stop)
            for whole, side in zip(around, sides, strict=True)
        )
        for sides in found
        if sides is not None
    ]


def mask_of(part: NDArray[np.integer], objects: Sequence[int]) -> NDArray[np.bool_]:
    """Return which voxels of a part are of some objects."""
    if len(objects) < 4:
        found: NDArray[np.bool_] = part == objects[0]
        for value in objects[1:]:
            found |= part == value
        return found
    return np.isin(part, np.asarray(sorted(objects), part.dtype))


def whole_box(shape: Sequence[int]) -> Box:
    """Return the box of an image."""
    return tuple(slice(0, n) for n in shape)


def clipped(box: Box, shape: Sequence[int]) -> Box:
    """Return the part of a box that is in the image, its sides as whole numbers."""
    if len(box) != len(shape):
        raise InputError(f"box has {len(box)} sides; the labels have {len(shape)} axes.")
    found = [side.indices(n)[:2] for side, n in zip(box, shape, strict=True)]
    return tuple(slice(start, max(start, stop)) for start, stop in found)


def named(verb: str, objects: Sequence[int]) -> str:
    """Return a name such as 'delete 12' or 'delete 40 objects'."""
    if len(objects) > 3:
        return f"{verb} {len(objects)} objects"
    return f"{verb} {', '.join(map(str, objects))}"


def _all_bounds(part: NDArray[np.integer], objects: Sequence[int]) -> list[Box | None]:
    """Where labels lie, found in one sweep for all of them."""
    top = np.iinfo(part.dtype).max
    values = np.array(sorted({value for value in objects if value <= top}), part.dtype)
    numbers = dict(zip(values.tolist(), range(1, len(values) + 1), strict=True))
    numbered = renumbered(part, values, np.arange(1, len(values) + 1))
    found = [None, *ndi.find_objects(numbered, len(values))]
    return [found[numbers.get(value, 0)] for value in objects]


def _bounds(part: NDArray[np.integer], value: int) -> Box | None:
    """Where a label lies. Each axis is looked at only where those before have found it."""
    if value > np.iinfo(part.dtype).max or not part.size:
        return None
    mask = part == value
    found = []
    for axis in range(part.ndim):
        places = np.flatnonzero(mask.any(axis=tuple(a for a in range(part.ndim) if a != axis)))
        if not len(places):
            return None
        side = slice(int(places[0]), int(places[-1]) + 1)
        found.append(side)
        mask = mask[(slice(None),) * axis + (side,)]
    return tuple(found)


def _in_words(values: Sequence[int]) -> str:
    shown = ", ".join(map(str, values[:5]))
    more = f" and {len(values) - 5} more" if len(values) > 5 else ""
    return f"{'Objects' if len(values) > 1 else 'Object'} {shown}{more}"


def _is(values: Sequence[int]) -> str:
    return "are" if len(values) > 1 else "is"


def _it(values: Sequence[int]) -> str:
    return "them" if len(values) > 1 else "it"
