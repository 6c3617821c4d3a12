"""Images from NumPy's own files: an array (.npy), or several with names (.npz)."""

import math
import zipfile
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.named_axes import named_axes
from napari_seedbed.pipeline.files.declared_size import check_declared, check_memory
from napari_seedbed.pipeline.files.images_of_file import ImageOfFile, chosen_image
from napari_seedbed.pipeline.files.label_signs import says_labels
from napari_seedbed.pipeline.files.stored_voxels import StoredVoxels, read_stored

NPY_START = b"\x93NUMPY"
_ZIP_START = b"PK\x03\x04"
_PIECE = 1 << 20
_NO_SIZES = "The file says nothing of voxel sizes; they count as 1."


def is_npz(path: Path) -> bool:
    """Whether it is an archive of arrays."""
    with path.open("rb") as file:
        if file.read(4) != _ZIP_START:
            return False
    try:
        return bool(_members(path))
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def npy_header(path: Path) -> tuple[tuple[int, ...], str]:
    """Shape and type without reading the voxels."""
    with path.open("rb") as file:
        shape, _, dtype = _array_header(path, file)
    return shape, dtype.name


def read_npy(path: Path, name: str, lazy: bool | None) -> Image:
    """Read an array as `read_image` does.

    Raises
    ------
    FileError
        When it is cut off, or holds other things than numbers.
    """
    with path.open("rb") as file:
        shape, is_fortran, dtype = _array_header(path, file)
        start = file.tell()
    stored = StoredVoxels((path,), shape[::-1] if is_fortran else shape, dtype, start)
    array = read_stored(path, stored, lazy)
    return unnamed_image(path, array.T if is_fortran else array, name, [_NO_SIZES])


def images_of_npz(path: Path) -> list[ImageOfFile]:
    """The arrays of an archive that can be images, in its order."""
    return [image for image, _ in _images(path)]


def read_npz(path: Path, name: str, series: int | None) -> Image:
    """Read an array of an archive as `read_image` does.

    Raises
    ------
    FileError
        When it is cut off, or holds no array that can be an image.
    InputError
        When it has no such array.
    """
    images = _images(path)
    if not images:
        raise FileError(f"{path} could not be read: none of its arrays has 2 or more axes.")
    nth, name, notes = chosen_image(path, name, series, [image for image, _ in images])
    image, member = images[nth]
    with zipfile.ZipFile(path) as archive, archive.open(member) as file:
        shape, is_fortran, dtype = _array_header(path, file)
        check_declared(path, shape, dtype.itemsize, path.stat().st_size)
        check_memory(path, shape, dtype.itemsize)
        array = np.empty(math.prod(shape), dtype)
        bytes_of_it: Any = array.view(np.uint8)
        raw = memoryview(bytes_of_it)
        filled = 0
        while filled < len(raw):
            piece = file.read(min(_PIECE, len(raw) - filled))
            if not piece:
                raise FileError(f"{path} is cut off or damaged: {member} ends too early.")
            raw[filled : filled + len(piece)] = piece
            filled += len(piece)
        # the checksum is compared at the end
        file.read(_PIECE)
    array = array.astype(dtype.newbyteorder("="), copy=False)
    array = array.reshape(shape, order="F" if is_fortran else "C")
    return unnamed_image(
        path, array, name, [*notes, _NO_SIZES], holds_labels=says_labels(image.name)
    )


def unnamed_image(
    path: Path, array: np.ndarray, name: str, notes: list[str], holds_labels: bool = False
) -> Image:
    """An image of an array that says nothing of itself: y and x come last, z before them, then t.

    Axes of length one beside y and x are dropped, as ilastik writes one for channels.

    Raises
    ------
    FileError
        Where it has too few or too many axes.
    """
    kept = [n for n in array.shape if n > 1]
    if len(kept) >= 2:
        array = array.reshape(kept)
    elif array.ndim > 2:
        array = array[(0,) * (array.ndim - 2)]
    if array.ndim < 2:
        raise FileError(
            f"{path} could not be read: its shape is {array.shape}. Save arrays of 2 or more axes."
        )
    letters = "Q" * (array.ndim - 2) + "YX"
    array, names, said = named_axes(path, array, letters)
    if array.ndim > 2 and array.shape[-1] in (3, 4):
        said.append(
            f"Its last axis, of length {array.shape[-1]}, was read as x; save colours as PNG or "
            "TIFF."
        )
    return Image(array, tuple(names), name=name, notes=(*notes, *said), holds_labels=holds_labels)


def _array_header(path: Path, file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether the first axis is the fastest, and type; the file is at the voxels then."""
    version = npy_format.read_magic(file)
    read = {
        (1, 0): npy_format.read_array_header_1_0,
        (2, 0): npy_format.read_array_header_2_0,
    }
    if version not in read:
        raise FileError(
            f"{path} could not be read: its arrays are of version {version[0]}.{version[1]}, "
            "which is for fields with names."
        )
    try:
        shape, is_fortran, dtype = read[version](file)
    except TokenError as error:
        raise ValueError(str(error)) from error
    if dtype.hasobject:
        raise FileError(
            f"{path} could not be read: it holds objects of Python (a pickle), which could run any "
            "program. Save arrays of numbers."
        )
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise FileError(
            f"{path} could not be read: its values are of the type {dtype}. Save whole numbers or "
            "floats of up to 64 bits."
        )
    return tuple(int(n) for n in shape), is_fortran, dtype


def _members(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return [name for name in archive.namelist() if name.endswith(".npy")]


def _images(path: Path) -> list[tuple[ImageOfFile, str]]:
    found = []
    with zipfile.ZipFile(path) as archive:
        for member in _members(path):
            try:
                with archive.open(member) as file:
                    shape, _, dtype = _array_header(path, file)
            except FileError:
                continue
            if sum(n > 1 for n in shape) >= 2:
                title = member.removesuffix(".npy")
                found.append((ImageOfFile(title, shape, dtype.name), member))
    return found
