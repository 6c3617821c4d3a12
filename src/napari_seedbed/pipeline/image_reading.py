"""Images from files: the one door, whatever the kind of file."""

from os import PathLike
from pathlib import Path

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.atomic_files import why_unreadable
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.picture_reading import PICTURE_STARTS, read_picture
from napari_seedbed.pipeline.tiff_reading import read_tiff
from napari_seedbed.pipeline.tiff_structure import DECODER_ERRORS, TIFF_STARTS
from napari_seedbed.pipeline.zarr_reading import is_zarr, read_zarr


def read_image(path: str | PathLike[str], lazy: bool | None = None) -> Image:
    """Read an image with its axes, channels, voxel size and units.

    Parameters
    ----------
    path : path-like
        TIFF of any kind that tifffile reads, PNG, JPEG, or the folder of an OME-Zarr image.
    lazy : bool, optional
        Whether the voxels stay in the file until they are needed (a dask array); by default
        when there are more than 512 MB of them. TIFF and OME-Zarr only.

    Returns
    -------
    Image
        ``notes`` says in plain words what looked odd.

    Raises
    ------
    FileError
        When the file is missing, cut off, damaged or of another kind.
    """
    path = Path(path)
    try:
        if is_zarr(path):
            return read_zarr(path, image_name(path), lazy)
        with path.open("rb") as file:
            start = file.read(4)
        if start in TIFF_STARTS:
            return read_tiff(path, image_name(path), lazy)
        if start.startswith(PICTURE_STARTS):
            return read_picture(path, image_name(path))
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
    if not start:
        raise FileError(f"{path} could not be read: it is empty (0 bytes). Copy it again.")
    raise FileError(
        f"{path} could not be read: it is no TIFF, PNG, JPEG or OME-Zarr image. Save it as TIFF, "
        "for example with Fiji."
    )


def image_name(path: str | PathLike[str]) -> str:
    """Name of the file without ``.tif``, ``.ome.tif``, ``.ome.zarr`` and the like."""
    name = Path(path).name
    for suffix in (".ome.tiff", ".ome.tif", ".ome.zarr"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return Path(path).stem
