"""The kinds of files that shapes and points are read from: a table, from which lists derive."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.annotations import Annotations
from napari_seedbed.pipeline.files.file_kinds import FileKind, in_words, without_ending
from napari_seedbed.pipeline.files.geojson_reading import is_geojson, read_geojson
from napari_seedbed.pipeline.files.image_reading import errors_in_words
from napari_seedbed.pipeline.files.imagej_roi_reading import (
    APPLEDOUBLE_START,
    ROI_START,
    ZIP_STARTS,
    has_tiff_rois,
    holds_rois,
    read_roi,
    read_roi_set,
    read_tiff_rois,
)
from napari_seedbed.pipeline.files.mark_table_reading import is_mark_table, read_mark_table
from napari_seedbed.pipeline.files.tiff_structure import TIFF_STARTS

_ONLY_NAMED = ("shapes", "points")


@dataclass(frozen=True)
class VectorReader(FileKind):
    """A kind of file, and the function that reads it; libraries are imported when it runs.

    Attributes
    ----------
    name, suffixes
        As every `FileKind` has them.
    reads : callable
        ``(path, name) -> Annotations``, `name` being what they are called together.
    keeps : str
        What such a file can hold, as a phrase.
    starts : tuple of bytes
        How such files begin; empty where any beginning will do.
    recognises : callable, optional
        ``(path) -> bool``, where the start of a file is not enough.
    napari_patterns : tuple of str
        The names by which napari is offered such files.
    is_image : bool
        Whether they are images first: what they hold beside the pixels opens with them.
    """

    reads: Callable[[Path, str], Annotations]
    keeps: str
    starts: tuple[bytes, ...] = ()
    recognises: Callable[[Path], bool] | None = None
    napari_patterns: tuple[str, ...] = ()
    is_image: bool = False


VECTOR_READERS = (
    VectorReader(
        name="ImageJ ROI",
        suffixes=(".roi",),
        reads=read_roi,
        keeps="one ROI of any kind: name, group, colour, slice, time point and channel",
        starts=(ROI_START,),
        napari_patterns=("*.roi",),
    ),
    VectorReader(
        name="ImageJ RoiSet",
        suffixes=(".zip",),
        reads=read_roi_set,
        keeps="all ROIs of the ROI Manager",
        starts=ZIP_STARTS,
        recognises=holds_rois,
        napari_patterns=("*.zip",),
    ),
    VectorReader(
        name="ImageJ overlay",
        suffixes=(".tif", ".tiff"),
        reads=read_tiff_rois,
        keeps="the overlay and the selection that ImageJ keeps beside the pixels",
        starts=TIFF_STARTS,
        recognises=has_tiff_rois,
        is_image=True,
    ),
    VectorReader(
        name="GeoJSON",
        suffixes=(".geojson", ".json"),
        reads=read_geojson,
        keeps="QuPath's objects: holes, several parts, name, class, colour, plane",
        recognises=is_geojson,
        napari_patterns=("*.geojson", "*.json"),
    ),
    VectorReader(
        name="CSV",
        suffixes=(".csv",),
        reads=read_mark_table,
        keeps="shapes or points as napari and Seedbed write them: label, name, class",
        recognises=is_mark_table,
        napari_patterns=tuple(f"*_{kind}.csv" for kind in _ONLY_NAMED),
    ),
)
"""One row a kind of file; the first that fits a file reads it."""


VECTOR_SUFFIXES = tuple(
    suffix for row in VECTOR_READERS if not row.is_image for suffix in row.suffixes
)


def vector_reader_of(path: Path) -> VectorReader | None:
    """The row for a file, by what is in it; None where it is of no such kind, or no file.

    Raises
    ------
    FileError
        For what macOS keeps beside a file.
    OSError
        Where it cannot be opened.
    """
    if path.is_dir():
        return None
    longest = max(len(start) for row in VECTOR_READERS for start in (*row.starts, b""))
    with path.open("rb") as file:
        start = file.read(max(longest, len(APPLEDOUBLE_START)))
    if start.startswith(APPLEDOUBLE_START):
        raise FileError(
            f"{path} could not be read: it is what macOS keeps beside a file (AppleDouble). Open "
            f"{path.name.removeprefix('._')}, without '._'."
        )
    for row in VECTOR_READERS:
        if row.starts and not start.startswith(row.starts):
            continue
        if row.recognises is None or row.recognises(path):
            return row
    return None


def read_annotations(path: str | PathLike[str]) -> Annotations:
    """Read shapes and points with their names, classes and places.

    Parameters
    ----------
    path : path-like
        A file of a kind in `VECTOR_READERS`.

    Raises
    ------
    FileError
        When the file is missing, damaged or of another kind.
    """
    path = Path(path)
    with errors_in_words(path):
        row = vector_reader_of(path)
        if row is None:
            raise FileError(
                f"{path} could not be read: it holds no shapes or points. Give "
                f"{vector_kinds_in_words()}."
            )
        return row.reads(path, without_ending(path, (row,)))


def is_vector_file(path: str | PathLike[str]) -> bool:
    """Whether a file holds shapes or points, and no image; never raises."""
    try:
        with errors_in_words(Path(path)):
            row = vector_reader_of(Path(path))
    except FileError:
        return Path(path).name.lower().endswith(".roi")
    return row is not None and not row.is_image


def holds_vectors_beside(path: str | PathLike[str]) -> bool:
    """Whether a file of an image holds shapes or points beside the pixels; never raises."""
    try:
        with errors_in_words(Path(path)):
            row = vector_reader_of(Path(path))
    except FileError:
        return False
    return row is not None and row.is_image


def vector_kinds_in_words() -> str:
    """All kinds of files with their endings."""
    return in_words(VECTOR_READERS)


def vector_patterns() -> Iterator[str]:
    """The patterns of names by which napari is offered such files."""
    for row in VECTOR_READERS:
        yield from row.napari_patterns
