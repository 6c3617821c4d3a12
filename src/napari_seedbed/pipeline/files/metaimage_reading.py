"""Images from MetaImage files of ITK, ITK-SNAP and Slicer: ``.mha``, or ``.mhd`` with its data.

The header is read here: the libraries that read it (SimpleITK, ITK) are a hundred times as large
as all that reads files in this package.
"""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files.placed_grids import LPS, placing
from napari_seedbed.pipeline.files.placed_images import Placing, letters_of, placed_image
from napari_seedbed.pipeline.files.stored_voxels import (
    Packing,
    StoredVoxels,
    check_stored,
    detached_files,
    read_stored,
)

_LONGEST_HEADER = 1 << 20
_BEGINS = re.compile(rb"\s*(?:\w+ *=[^\n]*\n){0,20}?(?:NDims|ObjectType) *= *\w")
_TYPES = {
    "CHAR": "i1",
    "UCHAR": "u1",
    "SHORT": "i2",
    "USHORT": "u2",
    "INT": "i4",
    "UINT": "u4",
    "LONG": "i4",
    "ULONG": "u4",
    "LONG_LONG": "i8",
    "ULONG_LONG": "u8",
    "FLOAT": "f4",
    "DOUBLE": "f8",
}
_AXES = "XYZT"
_PLACES = ("Offset", "Position", "Origin")
_DIRECTIONS = ("TransformMatrix", "Rotation", "Orientation")


def is_metaimage(path: Path) -> bool:
    """Whether it begins as a header of MetaImage does."""
    with path.open("rb") as file:
        return _BEGINS.match(file.read(2048)) is not None


def metaimage_header(path: Path) -> tuple[tuple[int, ...], str]:
    """Shape, and type with axes, without reading the voxels."""
    stored, letters, _ = _stored(path)
    return stored.shape, f"{stored.dtype.name} ({letters})"


def read_metaimage(path: Path, name: str, lazy: bool | None) -> Image:
    """Read an image as `read_image` does, in the order in which it is stored.

    Raises
    ------
    FileError
        When the file is cut off or damaged, or its voxels are in another folder.
    """
    stored, letters, fields = _stored(path)
    array = read_stored(path, stored, lazy)
    return placed_image(
        path, array, letters_of(stored.shape, letters), _placing(fields), (), name=name
    )


def _fields(path: Path) -> tuple[dict[str, str], list[str], int]:
    """What the header says, the files that it lists, and where it ends."""
    fields: dict[str, str] = {}
    with path.open("rb") as file:
        while "ElementDataFile" not in fields:
            line = file.readline(_LONGEST_HEADER).decode("utf-8", "replace")
            key, sign, value = line.partition("=")
            if not sign or file.tell() > _LONGEST_HEADER:
                raise FileError(
                    f"{path} could not be read: its header is damaged. Copy it again from where "
                    "it came from."
                )
            fields[key.strip()] = value.strip()
        end = file.tell()
        listed = []
        if fields["ElementDataFile"].startswith("LIST"):
            listed = file.read(_LONGEST_HEADER).decode("utf-8", "replace").split("\n")
    return fields, [name.strip() for name in listed if name.strip()], end


def _is_true(fields: dict[str, str], *keys: str) -> bool:
    return any(fields.get(key, "").lower() in ("true", "1") for key in keys)


def _stored(path: Path) -> tuple[StoredVoxels, str, dict[str, str]]:
    """Where the voxels are, a letter for each axis, and the header."""
    fields, listed, end = _fields(path)
    shape = tuple(int(n) for n in reversed(fields["DimSize"].split()))
    if len(shape) != int(fields["NDims"]) or not 2 <= len(shape) <= len(_AXES):
        raise FileError(
            f"{path} could not be read: it has {fields['NDims']} axes of the lengths "
            f"{fields['DimSize']}. Save images of 2 to 4 axes."
        )
    letters = _AXES[: len(shape)][::-1]
    samples = int(fields.get("ElementNumberOfChannels", 1))
    if samples != 1:
        shape, letters = (*shape, samples), f"{letters}S"
    kind = fields["ElementType"].removeprefix("MET_").removesuffix("_ARRAY")
    if kind not in _TYPES:
        raise FileError(
            f"{path} could not be read: its voxels are of the type {fields['ElementType']}."
        )
    order = _is_true(fields, "BinaryDataByteOrderMSB", "ElementByteOrderMSB")
    dtype = np.dtype(_TYPES[kind]).newbyteorder(">" if order else "<")
    is_local = fields["ElementDataFile"].upper() == "LOCAL"
    files = (path,) if is_local else detached_files(path, fields["ElementDataFile"], listed)
    packing: Packing = "zlib" if _is_true(fields, "CompressedData") else ""
    if not _is_true({"BinaryData": "True"} | fields, "BinaryData"):
        packing = "text"
    stored = StoredVoxels(files, shape, dtype, end if is_local else 0, packing=packing)
    skip = int(fields.get("HeaderSize", 0))
    if skip and not is_local:
        # -1: the voxels are what comes last
        size = int(np.prod(shape, dtype=object)) * dtype.itemsize // max(len(files), 1)
        start = skip if skip > 0 else files[0].stat().st_size - size
        stored = StoredVoxels(files, shape, dtype, start, packing=packing)
    check_stored(path, stored)
    return stored, letters, fields


def _numbers(fields: dict[str, str], *keys: str) -> NDArray[np.floating] | None:
    for key in keys:
        if key in fields:
            return np.array([float(word) for word in fields[key].split()])
    return None


def _placing(fields: dict[str, str]) -> Placing:
    n_axes = len(fields["DimSize"].split())
    spacing = _numbers(fields, "ElementSpacing", "ElementSize")
    origin, directions = _numbers(fields, *_PLACES), _numbers(fields, *_DIRECTIONS)
    n = min(n_axes, 3)
    if spacing is None and origin is None:
        return Placing()
    steps: NDArray[np.floating] = np.eye(n)
    if directions is not None and directions.size == n_axes**2:
        # a row an axis of the image
        steps = directions.reshape(n_axes, n_axes)[:n, :n].T
    steps = steps * (1.0 if spacing is None else np.abs(spacing[:n]))
    given = [0.0] * n if origin is None else origin[:n].tolist()
    unit = fields.get("DistanceUnits", "")
    found = placing(steps, given, unit or "mm", LPS if n == 3 and directions is not None else None)
    if not unit:
        found.notes.append("The file names no unit of length; it was taken to be mm, as in ITK.")
    return found
