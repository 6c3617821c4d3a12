"""Images from files: the one door, whatever the kind of file."""

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.atomic_files import why_unreadable
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.images_of_file import ImageOfFile, chosen_image
from napari_seedbed.pipeline.picture_reading import PICTURE_STARTS, read_picture
from napari_seedbed.pipeline.tiff_reading import images_of_tiff, read_tiff
from napari_seedbed.pipeline.tiff_structure import DECODER_ERRORS, TIFF_STARTS
from napari_seedbed.pipeline.zarr_reading import images_of_zarr, is_zarr, read_zarr


def read_image(
    path: str | PathLike[str], lazy: bool | None = None, series: int | None = None
) -> Image:
    """Read an image with its axes, channels, voxel size and units.

    Parameters
    ----------
    path : path-like
        TIFF of any kind that tifffile reads, PNG, JPEG, or the folder of an OME-Zarr image.
    lazy : bool, optional
        Whether the voxels stay in the file until they are needed (a dask array); by default
        when there are more than 512 MB of them. TIFF and OME-Zarr only.
    series : int, optional
        Which image of a file that holds several, counted from 1; the first by default, with a
        note.

    Returns
    -------
    Image
        ``notes`` says in plain words what looked odd.

    Raises
    ------
    FileError
        When the file is missing, cut off, damaged or of another kind.
    InputError
        When it has no such image.
    """
    path = Path(path)
    with _told(path):
        name = image_name(path)
        if is_zarr(path):
            return read_zarr(path, name, lazy, series)
        if _is_tiff(path):
            return read_tiff(path, name, lazy, series)
        chosen_image(path, series, 1)
        return read_picture(path, name)


def images_of(path: str | PathLike[str]) -> list[ImageOfFile]:
    """All images that a file holds; none of them is named where there can be one only.

    Raises
    ------
    FileError
        As `read_image`.
    """
    path = Path(path)
    with _told(path):
        if is_zarr(path):
            return images_of_zarr(path)
        return images_of_tiff(path) if _is_tiff(path) else []


def _is_tiff(path: Path) -> bool:
    """Whether it is a TIFF file rather than a picture.

    Raises
    ------
    FileError
        If it is neither.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start in TIFF_STARTS or start.startswith(PICTURE_STARTS):
        return start in TIFF_STARTS
    if not start:
        raise FileError(f"{path} could not be read: it is empty (0 bytes). Copy it again.")
    raise FileError(
        f"{path} could not be read: it is no TIFF, PNG, JPEG or OME-Zarr image. Save it as TIFF, "
        "for example with Fiji."
    )


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in a sentence what is wrong with a file, whatever a decoder raises."""
    try:
        yield
    except (FileError, InputError):
        raise
    except OSError as error:
        raise FileError(f"{path} could not be read: {why_unreadable(error)}.") from error
    except MemoryError as error:
        raise FileError(
            f"{path} could not be read: there is not enough memory for it. Close other programs."
        ) from error
    except DECODER_ERRORS as error:
        raise FileError(
            f"{path} could not be read: it is damaged or of a kind that is not supported ({error})."
        ) from error


def image_name(path: str | PathLike[str]) -> str:
    """Name of the file without ``.tif``, ``.ome.tif``, ``.ome.zarr`` and the like."""
    name = Path(path).name
    for suffix in (".ome.tiff", ".ome.tif", ".ome.zarr"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return Path(path).stem
