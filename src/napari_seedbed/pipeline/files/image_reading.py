"""Images from files: the one door, whatever the kind of file."""

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files.atomic_files import why_unreadable
from napari_seedbed.pipeline.files.images_of_file import ImageOfFile
from napari_seedbed.pipeline.files.label_signs import with_sign_of_labels
from napari_seedbed.pipeline.files.places import network_errors, place_of
from napari_seedbed.pipeline.files.readers import image_name, reader_of
from napari_seedbed.pipeline.files.tiff_structure import DECODER_ERRORS


def read_image(
    path: str | PathLike[str],
    lazy: bool | None = None,
    series: int | None = None,
    *,
    as_stored: bool = False,
) -> Image:
    """Read an image with its axes, channels, voxel size and units.

    Parameters
    ----------
    path : path-like
        A file, or a folder or URL that is one image, of a kind in `readers.READERS`.
    lazy : bool, optional
        Whether the voxels stay in the file until they are needed (a dask array); by default
        when there are more than 512 MB of them. For kinds of files that can do so.
    series : int, optional
        Which image of a file that holds several, counted from 1; the first by default, with a
        note.

    as_stored : bool
        Whether a PNG in colours that are all grey and opaque stays one in colours, as files that
        are read together with others must.

    Returns
    -------
    Image
        ``notes`` says in plain words what looked odd, `holds_labels` whether it holds labels.

    Raises
    ------
    FileError
        When the file is missing, cut off, damaged or of another kind.
    InputError
        When it has no such image.
    """
    path = place_of(path)
    with errors_in_words(path):
        name = image_name(path)
        image = reader_of(path).read(path, name, lazy, series, as_stored=as_stored)
        return with_sign_of_labels(image, path, name)


def images_of(path: str | PathLike[str]) -> list[ImageOfFile]:
    """All images that a file holds; none of them is named where there can be one only.

    Raises
    ------
    FileError
        As `read_image`.
    """
    path = place_of(path)
    with errors_in_words(path):
        lists = reader_of(path).lists
        return [] if lists is None else lists(path)


def lower_levels(path: str | PathLike[str], series: int | None = None) -> list[Image]:
    """The lower resolutions of an image, the largest first; none where the file has none.

    Parameters
    ----------
    path, series
        As `read_image` takes them.

    Raises
    ------
    FileError, InputError
        As `read_image`.
    """
    path = place_of(path)
    with errors_in_words(path):
        levels = reader_of(path).lower_levels
        return [] if levels is None else levels(path, series)


def digest_at_url(path: Path, series: int | None = None) -> str:
    """Digest of an image at a URL, which changes with each of its voxels; it is not read for it.

    Raises
    ------
    FileError
        When the server does not answer, or has no such image.
    InputError
        When the file has no such series.
    """
    from napari_seedbed.pipeline.files.zarr_digests import digest_of_blocks

    with errors_in_words(path):
        return digest_of_blocks(path, series)


@contextmanager
def errors_in_words(path: Path) -> Iterator[None]:
    """Return a sentence of what is wrong with a file, whatever a decoder raises."""
    try:
        yield
    except (FileError, InputError):
        raise
    except OSError as error:
        raise FileError(f"{path} could not be read: {why_unreadable(error)}.") from error
    except network_errors() as error:
        raise FileError(f"{path} could not be read: {error}.") from error
    except MemoryError as error:
        raise FileError(
            f"{path} could not be read: there is not enough memory for it. Close other programs."
        ) from error
    except DECODER_ERRORS as error:
        raise FileError(
            f"{path} could not be read: it is damaged or of a kind that is not supported ({error})."
        ) from error
