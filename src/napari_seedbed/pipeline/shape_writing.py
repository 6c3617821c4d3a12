"""Shapes into files: the CSV that napari opens as a Shapes layer."""

import csv
from os import PathLike
from pathlib import Path

from napari_seedbed.pipeline.atomic_files import written_whole
from napari_seedbed.pipeline.shapes import Shapes


def write_shapes(path: str | PathLike[str], shapes: Shapes) -> Path:
    """Write shapes as CSV in UTF-8, one row a vertex, numbers in full precision.

    The columns are napari's own, so that dropping the file into napari gives a Shapes layer:
    ``index`` of the shape from 0, ``shape-type`` ('polygon' for a closed outline, 'path' for an
    open one), ``vertex-index`` and one ``axis-…`` for each of (t,) (z,) y, x, in voxels. After
    them comes ``label``, which napari leaves out.

    Raises
    ------
    FileError
        When the file cannot be written; nothing is left behind.
    """
    path = Path(path)
    timed = shapes.n_times is not None
    n_axes = timed + (shapes.shapes[0].points.shape[1] if shapes.shapes else len(shapes.spacing))
    header = ["index", "shape-type", "vertex-index"]
    header += [f"axis-{axis}" for axis in range(n_axes)]
    with (
        written_whole(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow([*header, "label"])
        for index, shape in enumerate(shapes.shapes):
            kind = "polygon" if shape.closed else "path"
            lead = [shape.time] if timed else []
            writer.writerows(
                [index, kind, vertex, *lead, *point, shape.label]
                for vertex, point in enumerate(shape.points.tolist())
            )
    return path
