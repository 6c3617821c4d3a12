"""Images from NIfTI files, versions 1 and 2, packed or not.

R. W. Cox et al. (2004), "A (sort of) new image data format standard: NIfTI-1".
"""

import gzip
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files.files_beside import file_beside
from napari_seedbed.pipeline.files.placed_grids import RAS, placing
from napari_seedbed.pipeline.files.placed_images import Placing, letters_of, placed_image
from napari_seedbed.pipeline.files.stored_voxels import StoredVoxels, check_stored, read_stored
from napari_seedbed.pipeline.files.tiff_values import calibrated

_GZIP = b"\x1f\x8b"
_FIRST, _SECOND = 348, 540
_LABELS = 1002
_UNITS = {"mm": "mm", "micron": "µm", "meter": "m"}
# x, y, z, time and values of a voxel; the others mean what the file's maker chose.
_AXES = "XYZTCPP"


def is_nifti(path: Path) -> bool:
    """Whether it begins as NIfTI files do, also when it is packed."""
    try:
        block = _block(path)
    except (OSError, EOFError, zlib.error):
        return False
    return block[344:347] in (b"n+1", b"ni1") or block[4:7] in (b"n+2", b"ni2")


def nifti_header(path: Path) -> tuple[tuple[int, ...], str]:
    """Shape, and type with axes, without reading the voxels."""
    stored, letters, _ = _stored(path)
    return stored.shape, f"{stored.dtype.name} ({letters})"


def read_nifti(path: Path, name: str, lazy: bool | None) -> Image:
    """Read an image as `read_image` does, in the order in which it is stored.

    Raises
    ------
    FileError
        When the file is cut off or damaged.
    """
    stored, letters, header = _stored(path)
    array = read_stored(path, stored, lazy)
    notes = []
    slope, start = header.get_slope_inter()
    if slope is not None and (slope, start) != (1, 0) and not letters.endswith("S"):
        whole = array.dtype.kind in "iu"
        array = calibrated(array, start, slope) if whole else array * slope + start
        notes.append(
            f"Values are scaled as the file says: {start:g} + {slope:g} × the stored ones."
        )
    return placed_image(
        path,
        array,
        letters,
        _placing(header),
        notes,
        name=name,
        holds_labels=int(header["intent_code"]) == _LABELS,
    )


def _block(path: Path) -> bytes:
    with path.open("rb") as file:
        if file.read(2) != _GZIP:
            file.seek(0)
            return file.read(_SECOND)
        file.seek(0)
        with gzip.GzipFile(fileobj=file) as unpacked:
            return unpacked.read(_SECOND)


def _stored(path: Path) -> tuple[StoredVoxels, str, Any]:
    """Where the voxels are, a letter for each axis, and the header."""
    from nibabel.nifti1 import Nifti1Header, Nifti1PairHeader
    from nibabel.nifti2 import Nifti2Header, Nifti2PairHeader
    from nibabel.spatialimages import HeaderDataError

    block = _block(path)
    second = block[4:6] in (b"n+", b"ni")
    single = (block[5:6] if second else block[345:346]) == b"+"
    kinds: dict[tuple[bool, bool], Any] = {
        (False, True): Nifti1Header,
        (False, False): Nifti1PairHeader,
        (True, True): Nifti2Header,
        (True, False): Nifti2PairHeader,
    }
    kind = kinds[second, single]
    try:
        header = kind(block[: _SECOND if second else _FIRST], check=False)
        shape = tuple(int(n) for n in header.get_data_shape())
        dtype = header.get_data_dtype()
        offset = int(header.get_data_offset())
    except HeaderDataError as error:
        raise ValueError(str(error)) from error
    file = path if single else _pair(path)
    with file.open("rb") as opened:
        packed = opened.read(2) == _GZIP
    letters = _AXES[: len(shape)][::-1]
    shape = shape[::-1]
    if len(shape) < 2 or len(letters) < len(shape) or shape[-2:] == (1, 1):
        raise FileError(f"{path} could not be read: its shape is {shape[::-1]}.")
    if dtype.names:
        shape, letters, dtype = (*shape, len(dtype.names)), f"{letters}S", np.dtype(np.uint8)
    place = {"skip" if packed else "start": offset}
    stored = StoredVoxels((file,), shape, dtype, packing="gzip" if packed else "", **place)
    check_stored(path, stored)
    return stored, letters_of(shape, letters), header


def _pair(path: Path) -> Path:
    """The file with the voxels, where the header is in one of its own."""
    packed = ".gz" if path.name.lower().endswith(".gz") else ""
    stem = path.name.removesuffix(packed).rsplit(".", 1)[0]
    return file_beside(path, f"{stem}.img{packed}")


def _placing(header: Any) -> Placing:
    unit = _UNITS.get(header.get_xyzt_units()[0], "")
    if int(header["sform_code"]) or int(header["qform_code"]):
        affine = header.get_best_affine()
        found = placing(affine[:3, :3], affine[:3, 3], unit, RAS)
        for axis, stated in zip("xyz", header.get_zooms(), strict=False):
            # the digits that were meant, where the rounded affine gives 2.1999991
            size, _ = found.sizes.get(axis, (0.0, ""))
            if np.isclose(stated, size, rtol=1e-4):
                found.sizes[axis] = (float(str(np.float32(stated))), unit)
    else:
        found = placing(np.diag(np.abs(header["pixdim"][1:4])), (0.0, 0.0, 0.0), unit, None)
        found.place = {}
        found.notes.append("The file does not say how its axes lie in the body.")
    if not unit and any(size != 1 for size, _ in found.sizes.values()):
        found.notes.append("The file names no unit for its voxel size.")
    return found
