"""Shapes on the grid of an image: what operations start from, give, and files keep."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_seedbed.core.marks.shapes import Shape


@dataclass(frozen=True, eq=False)
class Shapes:
    """Outlines and paths, and the grid that they lie on.

    Attributes
    ----------
    shapes : tuple of core.shapes.Shape
        In voxel coordinates of the image.
    name : str
        What people call them.
    spacing, units, translate : tuple
        Of the image, one value a spatial axis as in `Image`; empty when unknown. Results have
        them.
    n_times : int or None
        Length of the image's time axis; None where it has none.
    record : dict or None
        How they were made, when an operation made them (`Result.record`).
    """

    shapes: "tuple[Shape, ...]"
    name: str = "shapes"
    spacing: tuple[float, ...] = ()
    units: tuple[str, ...] = ()
    translate: tuple[float, ...] = ()
    n_times: int | None = None
    record: dict[str, Any] | None = None
