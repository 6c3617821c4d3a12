"""Shapes into files: the CSV that napari opens as a Shapes or Points layer."""

import csv
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.annotations import Annotations
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.files.atomic_files import written_whole

Row = list[Any]
_ABOUT = ("label", "name", "class")


def write_shapes(path: str | PathLike[str], shapes: Shapes | Annotations) -> Path:
    """Write shapes as CSV in UTF-8, one row a vertex, numbers in full precision.

    The columns are napari's own, so that dropping the file into napari gives a Shapes layer:
    ``index`` of the shape from 0, ``shape-type`` ('polygon' for a closed outline, 'path' for an
    open one), ``vertex-index`` and one ``axis-…`` for each of (t,) (z,) y, x, in voxels. After
    them comes ``label``, which napari leaves out; of annotations ``name`` and ``class``, too.
    Annotations that are all points become a Points layer: ``index`` and ``axis-…``, a row each.

    Raises
    ------
    InputError
        For annotations of which some are on all slices or time points, and for points among
        shapes.
    FileError
        When the file cannot be written; nothing is left behind.
    """
    path = Path(path)
    if isinstance(shapes, Annotations):
        header, rows = _annotation_rows(shapes)
    else:
        header, rows = _shape_rows(shapes)
    with (
        written_whole(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _shape_rows(shapes: Shapes) -> tuple[Row, Iterator[Row]]:
    timed = shapes.n_times is not None
    n_axes = timed + (shapes.shapes[0].points.shape[1] if shapes.shapes else len(shapes.spacing))
    rows = (
        [index, "polygon" if shape.closed else "path", vertex, *lead, *point, shape.label]
        for index, shape in enumerate(shapes.shapes)
        for lead in [[shape.time] if timed else []]
        for vertex, point in enumerate(shape.points.tolist())
    )
    return ["index", "shape-type", "vertex-index", *_axes(n_axes), "label"], rows


def _annotation_rows(annotations: Annotations) -> tuple[Row, Iterator[Row]]:
    from napari_seedbed.core.marks.polygon_rings import bridged

    items = annotations.labelled().unstacked().items
    if len({item.axes for item in items}) > 1:
        raise InputError(
            f"shapes: some of {annotations.name} lie on a slice or time point and others on all; "
            "name the image that they lie on with --like, so that each comes onto its slices."
        )
    kinds = {item.form == "points" for item in items}
    if len(kinds) > 1:
        raise InputError(
            f"shapes: {annotations.name} holds points among its shapes; CSV holds one kind. Save "
            "it as GeoJSON or as a RoiSet."
        )
    lines = [(item, item.on_its_axes(bridged(part))) for item in items for part in item.parts]
    axes = _axes(len(items[0].axes) if items else 2)
    if True in kinds:
        points = (
            [*point, item.label, item.name, item.group]
            for item, line in lines
            for point in line.tolist()
        )
        return ["index", *axes, *_ABOUT], ([n, *row] for n, row in enumerate(points))
    rows = (
        [index, item.form, vertex, *point, item.label, item.name, item.group]
        for index, (item, line) in enumerate(lines)
        for vertex, point in enumerate(line.tolist())
    )
    return ["index", "shape-type", "vertex-index", *axes, *_ABOUT], rows


def _axes(count: int) -> list[str]:
    return [f"axis-{axis}" for axis in range(count)]
