"""The kinds of files that images are read from: a table, from which what lists them derives."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files.czi_reading import CZI_START, images_of_czi, read_czi
from napari_seedbed.pipeline.files.file_kinds import FileKind, in_words, without_ending
from napari_seedbed.pipeline.files.hdf5_reading import HDF5_START, images_of_hdf5, read_hdf5
from napari_seedbed.pipeline.files.images_of_file import ImageOfFile, chosen_image
from napari_seedbed.pipeline.files.label_signs import CELLPOSE, named_patterns, refuse_session
from napari_seedbed.pipeline.files.lif_reading import LIF_START, images_of_lif, read_lif
from napari_seedbed.pipeline.files.metaimage_reading import (
    is_metaimage,
    metaimage_header,
    read_metaimage,
)
from napari_seedbed.pipeline.files.nd2_reading import ND2_STARTS, images_of_nd2, read_nd2
from napari_seedbed.pipeline.files.nifti_reading import is_nifti, nifti_header, read_nifti
from napari_seedbed.pipeline.files.nrrd_reading import (
    NRRD_START,
    images_of_nrrd,
    nrrd_header,
    read_nrrd,
)
from napari_seedbed.pipeline.files.numpy_reading import (
    NPY_START,
    images_of_npz,
    is_npz,
    npy_header,
    read_npy,
    read_npz,
)
from napari_seedbed.pipeline.files.other_kinds import what_reads
from napari_seedbed.pipeline.files.picture_reading import (
    JPEG_START,
    PNG_START,
    picture_header,
    read_picture,
)
from napari_seedbed.pipeline.files.places import is_url
from napari_seedbed.pipeline.files.tiff_reading import images_of_tiff, read_tiff, tiff_header
from napari_seedbed.pipeline.files.tiff_structure import TIFF_STARTS
from napari_seedbed.pipeline.files.zarr_reading import (
    holds_images,
    images_of_zarr,
    is_zarr,
    lower_levels_of_zarr,
    read_zarr,
)
from napari_seedbed.pipeline.files.zarr_store import is_zarr_zip

_OME = ".ome"
# Kinds that are HDF5, whose voxels mean nothing without what else is in them.
_WITHIN_OTHERS = (".ims", ".ilp", ".mnc")
Property = Literal["time", "channels", "z", "voxel size", "place", "colours"]


@dataclass(frozen=True)
class Reader(FileKind):
    """A kind of file, and the functions that read it; libraries are imported when these run.

    Attributes
    ----------
    name, suffixes
        As every `FileKind` has them.
    reads : callable
        ``(path, name) -> Image``, `name` being what the image is called. It takes ``series`` too
        where `lists` is given, and ``lazy`` where `is_lazy`, both as `read_image` does.
    keeps : tuple of str
        What such a file can hold beside the voxels of a picture.
    help : str
        What is special about it, as a phrase.
    starts : tuple of bytes
        How such files begin: they are recognised by it, whatever their names.
    recognises : callable, optional
        ``(path) -> bool``, where the start of a file is not enough. Files of a kind that has
        neither are recognised by their names.
    lists : callable, optional
        ``(path) -> list of ImageOfFile``, where a file can hold several images.
    header : callable, optional
        ``(path) -> (shape, type in words)`` where that is quicker than reading.
    is_lazy : bool
        Whether voxels can stay in the file until they are needed.
    lower_levels : callable, optional
        ``(path, series) -> list of Image``, where a file can hold an image in lower resolutions,
        too; none of them is read.
    is_folder : bool
        Whether the image is a folder, on disk or at a URL, rather than a file.
    holds_images : callable, optional
        ``(path) -> bool``, for a kind of folder that may hold other things: napari is offered
        only those that it holds for.
    turns_grey : bool
        Whether pictures in colours that are all grey are read as grey; `reads` takes ``as_stored``
        then.
    in_napari : bool
        Whether napari is offered the reader; some kinds are left to napari's own.
    labels_in_napari : bool
        Whether napari is offered those files that are labels by their names.
    lies_beside : bool
        Whether such files hold many things and lie beside images: of a folder they are taken only
        where there are no others.
    """

    reads: Callable[..., Image]
    keeps: tuple[Property, ...]
    help: str
    starts: tuple[bytes, ...] = ()
    recognises: Callable[[Path], bool] | None = None
    lists: Callable[[Path], list[ImageOfFile]] | None = None
    header: Callable[[Path], tuple[tuple[int, ...], str]] | None = None
    is_lazy: bool = False
    lower_levels: Callable[[Path, int | None], list[Image]] | None = None
    is_folder: bool = False
    holds_images: Callable[[Path], bool] | None = None
    turns_grey: bool = False
    in_napari: bool = True
    labels_in_napari: bool = True
    lies_beside: bool = False

    def read(
        self,
        path: Path,
        name: str,
        lazy: bool | None = None,
        series: int | None = None,
        *,
        as_stored: bool = False,
    ) -> Image:
        """Read an image as `read_image` does."""
        options: dict[str, Any] = {"lazy": lazy} if self.is_lazy else {}
        if self.turns_grey:
            options["as_stored"] = as_stored
        if self.lists is None:
            chosen_image(path, name, series, [ImageOfFile("")])
        else:
            options["series"] = series
        return self.reads(path, name, **options)


READERS = (
    Reader(
        name="TIFF",
        suffixes=(".tif", ".tiff"),
        reads=read_tiff,
        keeps=("time", "channels", "z", "voxel size", "colours"),
        help="plain TIFF, OME-TIFF and ImageJ hyperstacks",
        starts=TIFF_STARTS,
        lists=images_of_tiff,
        header=tiff_header,
        is_lazy=True,
    ),
    Reader(
        name="PNG",
        suffixes=(".png",),
        reads=read_picture,
        keeps=("colours",),
        help="in the depth of the file, 16 bits too",
        starts=(PNG_START,),
        header=picture_header,
        turns_grey=True,
        in_napari=False,
    ),
    Reader(
        name="JPEG",
        suffixes=(".jpg", ".jpeg"),
        reads=read_picture,
        keeps=("colours",),
        help="pictures of cameras",
        starts=(JPEG_START,),
        header=picture_header,
        in_napari=False,
        labels_in_napari=False,
    ),
    Reader(
        name="OME-Zarr",
        suffixes=(".zarr",),
        reads=read_zarr,
        keeps=("time", "channels", "z", "voxel size", "place", "colours"),
        help="versions 0.1 to 0.6 with labels and plates, on disk or at a URL",
        recognises=is_zarr,
        lists=images_of_zarr,
        is_lazy=True,
        is_folder=True,
        holds_images=holds_images,
        lower_levels=lower_levels_of_zarr,
    ),
    Reader(
        name="OME-Zarr in a zip file",
        suffixes=(".ozx", ".zarr.zip"),
        reads=read_zarr,
        keeps=("time", "channels", "z", "voxel size", "place", "colours"),
        help="as OME-Zarr; nothing is unpacked",
        recognises=is_zarr_zip,
        lists=images_of_zarr,
        is_lazy=True,
        lower_levels=lower_levels_of_zarr,
    ),
    Reader(
        name="NIfTI",
        suffixes=(".nii", ".nii.gz"),
        reads=read_nifti,
        keeps=("time", "channels", "z", "voxel size", "place", "colours"),
        help="versions 1 and 2; voxels in the order of the file, their directions in a note",
        recognises=is_nifti,
        header=nifti_header,
        is_lazy=True,
    ),
    Reader(
        name="NRRD",
        suffixes=(".nrrd", ".nhdr"),
        reads=read_nrrd,
        keeps=("time", "channels", "z", "voxel size", "place", "colours"),
        help="also `.seg.nrrd` of 3D Slicer, a layer of segments at a time, with their names",
        starts=(NRRD_START,),
        lists=images_of_nrrd,
        header=nrrd_header,
        is_lazy=True,
    ),
    Reader(
        name="MetaImage",
        suffixes=(".mha", ".mhd"),
        reads=read_metaimage,
        keeps=("time", "channels", "z", "voxel size", "place", "colours"),
        help="of ITK, ITK-SNAP and 3D Slicer, packed or not, with its data beside it",
        recognises=is_metaimage,
        header=metaimage_header,
        is_lazy=True,
    ),
    Reader(
        name="NumPy",
        suffixes=(".npy",),
        reads=read_npy,
        keeps=("time", "z"),
        help="arrays of numbers with 2 or more axes; the last ones are y and x",
        starts=(NPY_START,),
        header=npy_header,
        is_lazy=True,
        lies_beside=True,
    ),
    Reader(
        name="NumPy archive",
        suffixes=(".npz",),
        reads=read_npz,
        keeps=("time", "z"),
        help="several such arrays",
        recognises=is_npz,
        lists=images_of_npz,
        lies_beside=True,
    ),
    Reader(
        name="HDF5",
        suffixes=(".h5", ".hdf5"),
        reads=read_hdf5,
        keeps=("time", "channels", "z", "voxel size"),
        help="each dataset of numbers; axes of ilastik, voxel size of PlantSeg",
        starts=(HDF5_START,),
        lists=images_of_hdf5,
        is_lazy=True,
        lies_beside=True,
    ),
    Reader(
        name="ND2",
        suffixes=(".nd2",),
        reads=read_nd2,
        keeps=("time", "channels", "z", "voxel size", "colours"),
        help="of Nikon, each position of the stage; with the extra `formats`",
        starts=ND2_STARTS,
        lists=images_of_nd2,
        is_lazy=True,
    ),
    Reader(
        name="LIF",
        suffixes=(".lif",),
        reads=read_lif,
        keeps=("time", "channels", "z", "voxel size", "colours"),
        help="of Leica, each image of the project; with the extra `formats`",
        starts=(LIF_START,),
        lists=images_of_lif,
        is_lazy=True,
    ),
    Reader(
        name="CZI",
        suffixes=(".czi",),
        reads=read_czi,
        keeps=("time", "channels", "z", "voxel size", "colours"),
        help="of Zeiss, each scene, put together from its tiles; with the extra `formats`",
        starts=(CZI_START,),
        lists=images_of_czi,
        is_lazy=True,
    ),
)
"""One row a kind of file; the first that fits a file reads it."""


def reader_of(path: Path) -> Reader:
    """The row for a file or folder, by what is in it rather than by its name.

    Raises
    ------
    FileError
        Where there is none, or nothing is in the file.
    OSError
        Where it cannot be opened.
    """
    folder = folder_reader(path)
    if folder is not None:
        return folder
    if is_url(path):
        raise FileError(
            f"{path} could not be read: there is no OME-Zarr at this URL, or none that you may "
            "read. Files of other kinds are read from a disk: download them first."
        )
    refuse_session(path)
    files = [reader for reader in READERS if not reader.is_folder]
    longest = max((len(start) for reader in files for start in reader.starts), default=1)
    with path.open("rb") as file:
        start = file.read(longest)
    if not start:
        raise FileError(f"{path} could not be read: it is empty (0 bytes). Copy it again.")
    if path.name.lower().endswith(_WITHIN_OTHERS):
        raise FileError(what_reads(path))
    for reader in files:
        if _is_of(reader, path, start):
            return reader
    raise FileError(
        what_reads(path)
        or f"{path} could not be read: it is no {kinds_in_words()} image. Save it as TIFF, for "
        "example with Fiji."
    )


def folder_reader(path: Path) -> Reader | None:
    """The row for a folder that is one image; None for other folders and for files."""
    if not (is_url(path) or is_directory(path)):
        return None
    return next((row for row in READERS if row.is_folder and _is_of(row, path, b"")), None)


def is_directory(path: Path) -> bool:
    """Whether it is a folder of any kind; no name is too long to ask."""
    try:
        return path.is_dir()
    except OSError:
        return False


def file_suffixes() -> tuple[str, ...]:
    """How names of files that are images end, where a folder holds others too."""
    return tuple(suffix for row in READERS if not row.is_folder for suffix in row.suffixes)


def images_among(paths: Iterable[Path]) -> list[Path]:
    """Those files of a folder that are its images, by their names."""
    found = [
        path
        for path in paths
        if path.name.lower().endswith(file_suffixes()) and not path.name.lower().endswith(CELLPOSE)
    ]
    beside = tuple(suffix for row in READERS if row.lies_beside for suffix in row.suffixes)
    return [path for path in found if not path.name.lower().endswith(beside)] or found


def image_name(path: str | PathLike[str]) -> str:
    """Name of a file without its ending, ``.ome.tif`` and the like included."""
    stem = without_ending(path, READERS)
    return stem[: -len(_OME)] if stem.lower().endswith(_OME) else stem


def kinds_in_words() -> str:
    """All kinds of files with their endings."""
    return in_words(READERS)


def napari_patterns() -> Iterator[str]:
    """The patterns of names by which napari is offered files and folders."""
    for row in READERS:
        for suffix in row.suffixes:
            if row.in_napari:
                yield f"*{suffix}"
            elif row.labels_in_napari:
                yield from named_patterns(suffix)
    # refused in words, where napari's own reader would say that it failed
    yield f"*{CELLPOSE}"


def _is_of(reader: Reader, path: Path, start: bytes) -> bool:
    if reader.recognises is not None:
        return reader.recognises(path)
    if reader.starts:
        return start.startswith(reader.starts)
    return path.name.lower().endswith(reader.suffixes)
