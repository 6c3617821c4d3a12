"""Points into files: the CSV that napari opens as a Points layer."""

from os import PathLike
from pathlib import Path

from napari_seedbed.pipeline.data.tables import Points
from napari_seedbed.pipeline.files.table_writing import write_table


def write_points(path: str | PathLike[str], points: Points) -> Path:
    """Write points as CSV in UTF-8, one row a point, numbers in full precision.

    The columns are napari's own, so that dropping the file into napari gives a Points layer:
    ``index`` from 0 and one ``axis-…`` for each of (t,) (z,) y, x, in voxels. After them come the
    columns of the points.

    Raises
    ------
    FileError
        When the file cannot be written; nothing is left behind.
    """
    axes = [points.times] if points.n_times is not None else []
    axes += list(points.points.T)
    columns = {f"axis-{axis}": values for axis, values in enumerate(axes)}
    return write_table(path, {"index": range(len(points)), **columns, **points.columns})
