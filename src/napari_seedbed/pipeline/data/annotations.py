"""What people mark on images in any program: areas, paths and points, with names and classes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError

Form = Literal["polygon", "rectangle", "ellipse", "path", "line", "points"]
AREAS: tuple[Form, ...] = ("polygon", "rectangle", "ellipse")

_FARTHEST = 1e8
"""Voxels; no image reaches there, and sums of such coordinates are still exact."""
_LARGEST_LABEL = int(np.iinfo(np.int32).max)


@dataclass(frozen=True, eq=False)
class Annotation:
    """One thing that was marked, which may have several parts.

    Attributes
    ----------
    form : str
        As napari calls shapes, or 'points'.
    parts : tuple of tuple of ndarray
        Of each part its outer ring and its holes, its line, or its points: (N, 2) for (y, x) in
        voxels, whole numbers being voxel centres. The first point of a ring is not repeated; of a
        rectangle and an ellipse there are the four corners of the box around it. (N, 3) for
        (z, y, x) of what does not lie on one slice.
    label : int or None
        Of the object that it belongs to; None where the file does not say.
    name, group : str
        What people call it, and its class; empty where it has none.
    colour : str or None
        As '#rrggbb'.
    z, t, c : int or None
        Slice, time point and channel, from 0; None where it is on all of them.
    position : int or None
        From 0, in a stack of which the file does not say along which axis it runs.
    """

    form: Form
    parts: tuple[tuple[NDArray[np.float64], ...], ...]
    label: int | None = None
    name: str = ""
    group: str = ""
    colour: str | None = None
    z: int | None = None
    t: int | None = None
    c: int | None = None
    position: int | None = None

    @property
    def is_area(self) -> bool:
        """Whether it encloses something."""
        return self.form in AREAS

    def on_its_slice(self) -> "Annotation":
        """The same in two dimensions, where all of it lies on one slice."""
        depths = {float(z) for part in self.parts for ring in part for z in ring[:, :-2].ravel()}
        if len(depths) != 1 or not min(depths).is_integer() or min(depths) < 0:
            return self
        flat = tuple(tuple(ring[:, -2:] for ring in part) for part in self.parts)
        return replace(self, parts=flat, z=int(min(depths)))

    def with_holes(self) -> "Annotation":
        """The same polygons with holes where lines run to them and back on the same way."""
        if self.form != "polygon" or self.is_spatial:
            return self
        from napari_seedbed.core.marks.polygon_rings import loops, nested

        parts = []
        for part in self.parts:
            apart = loops(part[0]) if len(part) == 1 else []
            parts += nested(apart) if len(apart) > 1 else [part]
        return replace(self, parts=tuple(parts))

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes that it has a place on: 't' and 'z' where known, then 'y' and 'x'."""
        lead = ("t",) if self.t is not None else ()
        return (
            (*lead, "z", "y", "x") if self.is_spatial or self.z is not None else (*lead, "y", "x")
        )

    def on_its_axes(self, line: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points of a ring or line with a coordinate for each of its `axes`."""
        lead = [place for place in (self.t, self.z) if place is not None]
        return np.concatenate([np.broadcast_to(lead, (len(line), len(lead))), line], axis=1)

    @property
    def is_spatial(self) -> bool:
        """Whether it does not lie on one slice."""
        return self.parts[0][0].shape[1] == 3

    @property
    def in_words(self) -> str:
        """What messages call it."""
        return f"{self.form} {self.name!r}" if self.name else self.form


@dataclass(frozen=True, eq=False)
class Annotations:
    """What one file, or one layer, holds.

    Attributes
    ----------
    items : tuple of Annotation
    name : str
        What people call them together.
    notes : tuple of str
        What looked odd when they were read, in plain words.
    """

    items: tuple[Annotation, ...]
    name: str = "annotations"
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    def labelled(self) -> "Annotations":
        """The same with a label each: its own, or a number of its own where one has none."""
        given = [item.label for item in self.items]
        if all(label is not None for label in given):
            return self
        known = set(given)
        free = (n for n in count(1) if n not in known)
        items = (
            item if item.label is not None else replace(item, label=next(free))
            for item in self.items
        )
        return replace(self, items=tuple(items))

    def labelled_by_class(self) -> "Annotations":
        """The same with the numbers of their classes as labels, in alphabetical order from 1.

        Raises
        ------
        InputError
            Where one has no class.
        """
        without = [item for item in self.items if not item.group]
        if without:
            raise InputError(
                f"by class: {without[0].in_words} of {self.name} has no class. Give each one, or "
                "take each as an object."
            )
        numbers = {group: n for n, group in enumerate(sorted(self.groups), start=1)}
        items = tuple(replace(item, label=numbers[item.group]) for item in self.items)
        return replace(self, items=items)

    def unstacked(self) -> "Annotations":
        """The same with places in a stack as slices, for want of an image to ask."""
        items = (
            item if item.position is None else replace(item, z=item.position, position=None)
            for item in self.items
        )
        return replace(self, items=tuple(items))

    @property
    def groups(self) -> list[str]:
        """The classes that occur, each once."""
        return list(dict.fromkeys(item.group for item in self.items if item.group))


def checked_points(points: Iterable[Sequence[float]] | NDArray, what: str) -> NDArray[np.float64]:
    """Places of a file as (N, 2) or (N, 3) float64.

    Raises
    ------
    ValueError
        For what is no place on an image.
    """
    array = np.array(points, np.float64, ndmin=2)
    if array.ndim != 2 or array.shape[1] not in (2, 3) or not len(array):
        raise ValueError(f"{what}: its points have the shape {array.shape}")
    if not np.isfinite(array).all() or np.abs(array).max() > _FARTHEST:
        raise ValueError(f"{what}: it lies far outside of any image")
    return array


def checked_ring(points: Iterable[Sequence[float]] | NDArray, what: str) -> NDArray[np.float64]:
    """A closed ring whose last point may repeat the first; as `checked_points`."""
    ring = checked_points(points, what)
    return ring[:-1] if len(ring) > 1 and (ring[0] == ring[-1]).all() else ring


def checked_label(value: object) -> int | None:
    """A label that a file gives, where it is a whole number from 1 on; else None."""
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if isinstance(value, float | np.floating):
        is_whole = float(value).is_integer()
    return int(value) if is_whole and 1 <= value <= _LARGEST_LABEL else None  # type: ignore


def is_upright_box(ring: NDArray[np.float64]) -> bool:
    """Whether a ring has four corners and sides along the axes."""
    steps = ring != np.roll(ring, 1, axis=0)
    return len(ring) == 4 and bool((steps.sum(axis=1) <= 1).all())
