"""Shapes and points from CSV: napari's own, and those that Seedbed writes."""

import csv
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.annotations import (
    AREAS,
    Annotation,
    Annotations,
    checked_label,
    checked_points,
)
from napari_seedbed.pipeline.data.memory import bytes_in_words
from napari_seedbed.pipeline.data.visible_text import visible

_LARGEST = 1 << 30
_FORMS = (*AREAS, "path", "line")
_SHAPE_COLUMNS = ("index", "shape-type", "vertex-index", "axis-0", "axis-1")
_POINT_COLUMNS = ("index", "axis-0", "axis-1")
_HEADER = 4096


def is_mark_table(path: Path) -> bool:
    """Whether a file is CSV with the columns of shapes or points."""
    with path.open("rb") as file:
        line = file.read(_HEADER).split(b"\n", 1)[0]
    columns = line.decode("utf-8-sig", "replace").strip().split(",")
    return _begins(columns, _SHAPE_COLUMNS) or _begins(columns, _POINT_COLUMNS)


def read_mark_table(path: Path, name: str) -> Annotations:
    """Read shapes, a row a vertex, or points, a row each, with (t,) (z,) y, x in voxels.

    Of the other columns ``label``, ``name`` and ``class`` count.

    Raises
    ------
    FileError
        For another table, and for rows that are no numbers.
    """
    if path.stat().st_size > _LARGEST:
        raise FileError(
            f"{path} could not be read: it has {bytes_in_words(path.stat().st_size)}, more than a "
            "table of shapes."
        )
    with path.open(newline="", encoding="utf-8-sig") as file:
        try:
            header, *rows = csv.reader(file, strict=True)
        except (csv.Error, UnicodeDecodeError, ValueError) as error:
            raise FileError(f"{path} could not be read: it is no sound CSV ({error}).") from error
    rows = [row for row in rows if row]
    short = next((n for n, row in enumerate(rows, start=2) if len(row) != len(header)), None)
    if short is not None:
        raise FileError(
            f"{path} could not be read: row {short} has not as many cells as the first."
        )
    columns = {title: n for n, title in enumerate(header)}
    axes = [columns[f"axis-{n}"] for n in range(len(header)) if f"axis-{n}" in columns]
    if not 2 <= len(axes) <= 4:
        raise FileError(
            f"{path} could not be read: its points have {len(axes)} axes; (t,) (z,) y, x are known."
        )
    starts = list(range(len(rows) + 1))
    if _begins(header, _SHAPE_COLUMNS):
        starts = [n for n, row in enumerate(rows) if not n or row[0] != rows[n - 1][0]]
        starts.append(len(rows))
    items = []
    for start, stop in pairwise(starts):
        try:
            items.append(_item(rows[start:stop], columns, axes, f"row {start + 2}"))
        except ValueError as error:
            raise FileError(f"{path} could not be read: row {start + 2}: {error}.") from error
    return Annotations(tuple(items), name)


def _item(
    rows: Sequence[Sequence[str]], columns: dict[str, int], axes: Sequence[int], what: str
) -> Annotation:
    first = rows[0]
    form: Any = first[columns["shape-type"]] if "shape-type" in columns else "points"
    if form not in (*_FORMS, "points"):
        raise ValueError(f"{form[:40]!r} is none of {', '.join(_FORMS)}")
    places = np.array([[float(row[axis]) for axis in axes] for row in rows])
    time = None
    if places.shape[1] == 4:
        times = np.unique(places[:, 0])
        if len(times) > 1 or not float(times[0]).is_integer() or not 0 <= times[0] < 1e9:
            raise ValueError("it is not at one time point")
        time, places = int(times[0]), places[:, 1:]
    points = checked_points(places, what)
    if form in ("rectangle", "ellipse") and len(points) != 4:
        raise ValueError(f"a {form} has 4 vertices, not {len(points)}")
    if form == "polygon" and len(points) < 3:
        raise ValueError("it encloses nothing")

    def cell(title: str) -> str:
        return first[columns[title]].strip() if title in columns else ""

    label = cell("label")
    whole = int(label) if label.isascii() and label.isdigit() and len(label) < 12 else None
    return (
        Annotation(
            form,
            ((points,),),
            label=checked_label(whole),
            name=visible(cell("name")),
            group=visible(cell("class")),
            t=time,
        )
        .on_its_slice()
        .with_holes()
    )


def _begins(columns: Sequence[str], wanted: Sequence[str]) -> bool:
    return [title.strip() for title in columns[: len(wanted)]] == list(wanted)
