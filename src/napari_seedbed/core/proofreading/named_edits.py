"""An edit of labels by its name, its objects and its options: what recipes and journals hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Point = tuple[float, ...]
Line = tuple[Point, ...]


@dataclass(frozen=True)
class EditCommand:
    """One edit of labels.

    Attributes
    ----------
    verb : str
        'delete', 'merge', 'cut' and so on.
    objects : tuple of int
        Labels that it is about.
    options : dict
        Numbers, points (tuples of float), lines (tuples of points), lists of lines (tuples of
        them), `VoxelRuns`, True or False, each by its name.
    time : int or None
        Time point; None for all of them.
    """

    verb: str
    objects: tuple[int, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    time: int | None = None
