"""The kinds of files that results are written to: a table, from which what lists them derives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from napari_seedbed.pipeline.data.annotations import Annotations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Points, Table
from napari_seedbed.pipeline.files.file_kinds import FileKind
from napari_seedbed.pipeline.files.geojson_writing import write_geojson
from napari_seedbed.pipeline.files.image_writing import write_image, write_labels
from napari_seedbed.pipeline.files.imagej_roi_writing import write_roi_set
from napari_seedbed.pipeline.files.mesh_writing import write_meshes
from napari_seedbed.pipeline.files.picture_writing import write_labels_picture, write_picture
from napari_seedbed.pipeline.files.point_writing import write_points
from napari_seedbed.pipeline.files.shape_writing import write_shapes
from napari_seedbed.pipeline.files.table_writing import write_parquet, write_table
from napari_seedbed.pipeline.files.zarr_writing import write_zarr, write_zarr_labels

Written = Literal["image", "labels", "mask", "shapes", "points", "table"]


@dataclass(frozen=True)
class Writer(FileKind):
    """A kind of file, and the function that writes it.

    Attributes
    ----------
    name, suffixes
        As every `FileKind` has them; the first ending is used where Seedbed names a file.
    takes : tuple of str
        What it can hold: kinds of results.
    writes : callable
        ``(path, result) -> path``; tables come as a mapping of columns.
    help : str
        What is special about it, as a phrase.
    title : str
        What napari's dialog calls it; the name by default.
    in_napari : bool
        Whether napari is offered it for a layer; some kinds are left to napari's own.
    """

    takes: tuple[Written, ...]
    writes: Callable[[Path, Any], Path]
    help: str
    title: str = ""
    in_napari: bool = True

    @property
    def format(self) -> str:
        """Its name as an option of the command line."""
        return self.name.lower().replace(" ", "-")


_OF_LABELS: tuple[Written, ...] = ("labels", "mask")
_PYRAMID = "in lower resolutions, too, for slide viewers"
_RESOLUTIONS = "version 0.5, in several resolutions, with "
_EARLIER = "for programs that do not read version 0.5"


def _of_labels_and_images(
    name: str,
    suffixes: tuple[str, ...],
    labels: tuple[Callable[[Path, Any], Path], str],
    image: tuple[Callable[[Path, Any], Path], str],
    **more: Any,
) -> tuple[Writer, Writer]:
    """The rows of a kind of file that holds both: for each, what writes it, and what is special."""
    return (
        Writer(name, suffixes, _OF_LABELS, *labels, **more),
        Writer(name, suffixes, ("image",), *image, **more),
    )


WRITERS = (
    *_of_labels_and_images(
        "OME-TIFF",
        (".ome.tif", ".ome.tiff", ".tif", ".tiff"),
        (write_labels, "with voxel size, in the smallest type that holds the values"),
        (write_image, "with voxel size, channels and their colours"),
        title="OME-TIFF with voxel size",
    ),
    *_of_labels_and_images(
        "Pyramidal OME-TIFF",
        (".pyramid.ome.tif", ".pyramid.ome.tiff"),
        (partial(write_labels, is_pyramid=True), _PYRAMID),
        (partial(write_image, is_pyramid=True), _PYRAMID),
    ),
    *_of_labels_and_images(
        "OME-Zarr",
        (".ome.zarr", ".zarr"),
        (write_zarr_labels, f"{_RESOLUTIONS}the record of how it was made"),
        (write_zarr, f"{_RESOLUTIONS}colours and the record of how it was made"),
    ),
    *_of_labels_and_images(
        "OME-Zarr 0.4",
        (".v04.ome.zarr",),
        (partial(write_zarr_labels, version="0.4"), _EARLIER),
        (partial(write_zarr, version="0.4"), _EARLIER),
    ),
    Writer(
        name="CSV",
        suffixes=(".csv",),
        takes=("table",),
        writes=write_table,
        help="in physical units",
    ),
    Writer(
        name="Parquet",
        suffixes=(".parquet", ".pq"),
        takes=("table",),
        writes=write_parquet,
        help="where pyarrow is installed",
    ),
    Writer(
        name="CSV",
        suffixes=(".csv",),
        takes=("points",),
        writes=write_points,
        help="in voxels, as napari opens it",
        title="CSV with labels and classes",
    ),
    Writer(
        name="CSV",
        suffixes=(".csv",),
        takes=("shapes",),
        writes=write_shapes,
        help="in voxels, as napari opens it",
        title="CSV with labels and classes",
    ),
    Writer(
        name="ImageJ RoiSet",
        suffixes=(".zip",),
        takes=(*_OF_LABELS, "shapes", "points"),
        writes=write_roi_set,
        help="for the ROI Manager, with name, class, slice and time point; outlines of labels",
    ),
    Writer(
        name="GeoJSON",
        suffixes=(".geojson",),
        takes=(*_OF_LABELS, "shapes", "points"),
        writes=write_geojson,
        help="for QuPath, with name, class, slice and time point; outlines of labels, with holes",
    ),
    *(
        Writer(
            name=f"{kind} mesh",
            suffixes=(f".{kind.lower()}",),
            takes=_OF_LABELS,
            writes=write_meshes,
            help=f"smooth surfaces of a volume in its unit, {what}",
        )
        for kind, what in (
            ("PLY", "with label and colour"),
            ("STL", "triangles alone"),
            ("OBJ", "an object a label"),
        )
    ),
    *_of_labels_and_images(
        "PNG picture",
        (".png",),
        (write_labels_picture, "of the middle slice in colours, to show, with a scale bar"),
        (write_picture, "of the middle slice in 8 bits, to show, with a scale bar"),
        in_napari=False,
    ),
)
"""One row a kind of file and of results; the first of several is the usual one."""


def writers_of(kind: str) -> list[Writer]:
    """The rows for a kind of results, the usual one first; other kinds are images."""
    wanted = kind if any(kind in row.takes for row in WRITERS) else "image"
    return [row for row in WRITERS if wanted in row.takes]


def usual_suffix(kind: str, format: str | None = None) -> str:
    """How names of files end that Seedbed names itself, for a kind of results.

    Parameters
    ----------
    kind : str
    format : str, optional
        `Writer.format` of a row; the first row is taken where none of this format is for the kind.
    """
    rows = writers_of(kind)
    return next((row for row in rows if row.format == format), rows[0]).suffixes[0]


def image_formats() -> list[str]:
    """The formats among which there is a choice for images and labels, the usual one first."""
    return list(dict.fromkeys(row.format for row in (*writers_of("labels"), *writers_of("image"))))


def writer_named(path: Path, kind: str) -> Writer | None:
    """The row for a kind of results that a file's name asks for; None where it asks for none.

    Of endings that fit, the longest counts.
    """
    name = path.name.lower()
    fitting = [
        (len(suffix), row)
        for row in reversed(writers_of(kind))
        for suffix in row.suffixes
        if name.endswith(suffix)
    ]
    return max(fitting, key=lambda one: one[0])[1] if fitting else None


def write_result(
    path: str | PathLike[str],
    kind: str,
    result: Image | Shapes | Points | Annotations | Table | Mapping,
) -> Path:
    """Write a result as the name of the file asks for, else as the usual kind of file.

    Parameters
    ----------
    path : path-like
    kind : str
        'labels', 'mask', 'shapes', 'points' or 'table'; whatever else it says, it is an image.
    result : Image, Shapes, Points, Annotations, Table or mapping
        A mapping holds the columns of a table.

    Raises
    ------
    InputError
        For values that such a file cannot hold, and where a library is missing.
    FileError
        When the file cannot be written; nothing is left behind.
    """
    path = Path(path)
    writer = writer_named(path, kind) or writers_of(kind)[0]
    return writer.writes(path, result.columns if isinstance(result, Table) else result)
