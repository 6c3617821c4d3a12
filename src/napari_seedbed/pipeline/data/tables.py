"""Points and tables that operations give."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image

Columns = dict[str, NDArray]


@dataclass(frozen=True, eq=False)
class PointsFound:
    """Points of one volume, as an operation's function gives them.

    Attributes
    ----------
    points : (N, D) ndarray of float
        Voxel coordinates.
    columns : dict
        What is known of each point, N values a column.
    """

    points: NDArray[np.float64]
    columns: Columns = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Points:
    """Points on the grid of an image.

    Attributes
    ----------
    points : (N, D) ndarray of float64
        Voxel coordinates of the image.
    times : (N,) ndarray of int
        Time points; 0 where the image has no time axis.
    columns : dict
        What is known of each point, N values a column.
    name : str
        What people call them.
    spacing, units, translate : tuple
        Of the image, one value a spatial axis as in `Image`.
    n_times : int or None
        Length of the image's time axis; None where it has none.
    record : dict or None
        How they were made, when an operation made them (`Result.record`).
    """

    points: NDArray[np.float64]
    times: NDArray[np.int64]
    columns: Columns
    name: str = "points"
    spacing: tuple[float, ...] = ()
    units: tuple[str, ...] = ()
    translate: tuple[float, ...] = ()
    n_times: int | None = None
    record: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        _check_lengths("points", len(self.points), {"times": self.times, **self.columns})

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length.

    Attributes
    ----------
    columns : dict
        Name of a column to its values.
    name : str
        What people call the table.
    record : dict or None
        How it was made, when an operation made it (`Result.record`).
    """

    columns: Columns
    name: str = "table"
    record: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        _check_lengths("table", len(self), self.columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0


def joined(parts: Sequence[Columns]) -> Columns:
    """The rows of several tables with the same columns under each other."""
    return {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]}


def at_time(image: Image, t: int, columns: Columns) -> Columns:
    """Columns with the time point before them where the image has a time axis."""
    if image.time_axis is None:
        return columns
    return {"time_point": np.full(len(next(iter(columns.values()))), t), **columns}


def _check_lengths(what: str, length: int, columns: Columns) -> None:
    wrong = {name: len(column) for name, column in columns.items() if len(column) != length}
    if wrong:
        raise InputError(f"{what}: {length} rows, but columns of other lengths: {wrong}.")
