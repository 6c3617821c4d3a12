"""Shapes as text that people can read and that keeps every bit of their points."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import RecipeError

if TYPE_CHECKING:
    from napari_seedbed.core.marks.shapes import Shape

_WIDTH = 88
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


def encode_shapes(shapes: "Iterable[Shape]") -> list[dict[str, Any]]:
    """Shapes as plain values that YAML or JSON can hold.

    Returns
    -------
    list of dict
        ``label``, ``closed``, ``time`` and ``points`` of each: coordinates in voxels, (z, y, x) or
        (y, x), with a space between two numbers and a comma between two points, on lines of at
        most 88 characters. Numbers are the shortest that read back as the same float64.
    """
    return [
        {
            "label": int(shape.label),
            "closed": bool(shape.closed),
            "time": int(shape.time),
            "points": _points_as_text(shape.points),
        }
        for shape in shapes
    ]


def decode_shapes(encoded: Sequence[Mapping[str, Any]]) -> "tuple[Shape, ...]":
    """Shapes from what `encode_shapes` gave, bit for bit.

    Raises
    ------
    RecipeError
        Where the points are not as `encode_shapes` writes them.
    """
    from napari_seedbed.core.marks.shapes import Shape

    return tuple(
        Shape(
            int(one["label"]),
            points_from_text(str(one["points"])),
            bool(one["closed"]),
            int(one["time"]),
        )
        for one in encoded
    )


def points_from_text(text: str) -> NDArray[np.float64]:
    """Points, (N, 2) or (N, 3), from ``"10.5 20, 11 21.25"``.

    Raises
    ------
    RecipeError
        For what is no number, and points of differing or other numbers of coordinates.
    """
    rows = [part.split() for part in text.split(",")]
    if len(rows[0]) not in (2, 3):
        raise RecipeError(f"a point has 2 or 3 numbers, not {len(rows[0])} as the first one has.")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise RecipeError(
                f"point {number} has {len(row)} number(s) and the first one has {len(rows[0])}."
            )
        wrong = [word for word in row if not _NUMBER.fullmatch(word) or math.isinf(float(word))]
        if wrong:
            raise RecipeError(f"{wrong[0][:40]!r} in point {number} is not a number.")
    return np.array(rows, np.float64)


def _points_as_text(points: NDArray[np.floating]) -> str:
    lines: list[str] = []
    for row in np.asarray(points, np.float64).tolist():
        point = " ".join(repr(value).removesuffix(".0") for value in row)
        if lines and len(lines[-1]) + len(point) + 3 <= _WIDTH:
            lines[-1] += f", {point}"
        else:
            lines.append(point)
    return ",\n".join(lines)
