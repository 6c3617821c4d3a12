"""Images from NRRD files, and segmentations that 3D Slicer keeps as ``.seg.nrrd``.

G. Kindlmann, "Definition of NRRD file format" (https://teem.sourceforge.net/nrrd/format.html).
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files.images_of_file import ImageOfFile, chosen_image
from napari_seedbed.pipeline.files.placed_grids import LPS, placing
from napari_seedbed.pipeline.files.placed_images import Placing, letters_of, placed_image
from napari_seedbed.pipeline.files.stored_voxels import (
    Packing,
    StoredVoxels,
    check_stored,
    detached_files,
    read_stored,
)

NRRD_START = b"NRRD000"

_LONGEST_HEADER = 16 << 20
_PACKINGS: dict[str, Packing] = {
    "raw": "",
    "gzip": "gzip",
    "gz": "gzip",
    "bzip2": "bz2",
    "bz2": "bz2",
    "text": "text",
    "txt": "text",
    "ascii": "text",
}
_SEGMENT = re.compile(r"Segment(\d+)_(ID|Name|LabelValue|Layer)")
_COLOURS = ("rgb-color", "rgba-color")
_SPATIAL = ("domain", "space", "???", "none", "")
_ENDS = {
    "left": "left",
    "right": "right",
    "anterior": "front",
    "posterior": "back",
    "superior": "top",
    "inferior": "bottom",
}
_SHORT = {letter[0]: letter for letter in _ENDS}


@dataclass(frozen=True)
class _Nrrd:
    """What a header says, axes the slowest first."""

    stored: StoredVoxels
    letters: str
    where: Placing
    layers: list[list[str]]
    """Of each layer of a segmentation, its labels as ``1 tissue``; empty for images."""

    @property
    def layer_axis(self) -> int | None:
        """The axis that counts layers, which can overlap."""
        return self.letters.index("C") if self.layers and "C" in self.letters else None


def images_of_nrrd(path: Path) -> list[ImageOfFile]:
    """The image, or each layer of a segmentation whose segments overlap."""
    return _summaries(_header(path))


def _summaries(found: _Nrrd) -> list[ImageOfFile]:
    shape, dtype = found.stored.shape, found.stored.dtype.name
    axis = found.layer_axis
    if axis is None:
        return [ImageOfFile("", shape, dtype)]
    inner = shape[:axis] + shape[axis + 1 :]
    return [ImageOfFile(", ".join(labels), inner, dtype) for labels in found.layers]


def nrrd_header(path: Path) -> tuple[tuple[int, ...], str]:
    """Shape, and type with axes, without reading the voxels."""
    found = _header(path)
    return found.stored.shape, f"{found.stored.dtype.name} ({found.letters})"


def read_nrrd(path: Path, name: str, lazy: bool | None, series: int | None) -> Image:
    """Read an image as `read_image` does, in the order in which it is stored.

    Raises
    ------
    FileError
        When the file is cut off or damaged, or its voxels are in another folder.
    InputError
        When it has no such layer.
    """
    found = _header(path)
    nth, name, notes = chosen_image(path, name, series, _summaries(found))
    array, letters = read_stored(path, found.stored, lazy), found.letters
    axis = found.layer_axis
    if axis is not None:
        array = array[(slice(None),) * axis + (nth,)]
        letters = letters.replace("C", "")
    if found.layers and found.layers[nth]:
        notes.append(f"Labels: {', '.join(found.layers[nth])}.")
    return placed_image(
        path,
        array,
        letters_of(array.shape, letters),
        found.where,
        notes,
        name=name,
        holds_labels=bool(found.layers),
    )


def _lines(path: Path) -> tuple[list[str], int]:
    """The lines of the header, and where it ends."""
    lines, end = [], 0
    with path.open("rb") as file:
        while line := file.readline(_LONGEST_HEADER - end):
            end += len(line)
            text = line.decode("utf-8", "replace").rstrip()
            if not text:
                break
            lines.append(text)
        if end >= _LONGEST_HEADER:
            raise FileError(f"{path} could not be read: it is damaged; its header does not end.")
    return lines, end


def _header(path: Path) -> _Nrrd:
    import nrrd

    lines, end = _lines(path)
    # the names of a list of files come last, without a field of their own
    fields = [i for i, line in enumerate(lines) if re.match(r"data ?file:\s*LIST", line)]
    last = fields[0] + 1 if fields else len(lines)
    try:
        header = nrrd.read_header(lines[:last])
        dtype = np.dtype(nrrd.reader._TYPEMAP_NRRD2NUMPY[header["type"]])
        order = header.get("endian", "little")
    except nrrd.NRRDError as error:
        raise ValueError(str(error)) from error
    shape = tuple(int(n) for n in header["sizes"][::-1])
    if len(shape) != header["dimension"]:
        raise ValueError(f"{header['dimension']} axes are declared, and {len(shape)} have a size")
    packing = _PACKINGS.get(str(header["encoding"]).lower())
    if packing is None:
        raise FileError(
            f"{path} could not be read: its encoding is {header['encoding']}. Save it as raw or "
            "gzip."
        )
    stated = header.get("data file", header.get("datafile"))
    files = (path,) if stated is None else detached_files(path, stated, lines[last:])
    skip = int(header.get("byte skip", header.get("byteskip", 0)))
    stored = StoredVoxels(
        files, shape, dtype.newbyteorder(">" if order == "big" else "<"), packing=packing
    )
    stored = _begun(stored, end if stated is None else 0, header, skip)
    check_stored(path, stored)
    return _Nrrd(stored, _letters(header), _placing(header), _layers(header))


def _begun(stored: StoredVoxels, start: int, header: dict[str, Any], skip: int) -> StoredVoxels:
    """With the place where voxels begin: lines and bytes may be left out, or all but the last."""
    lines = int(header.get("line skip", header.get("lineskip", 0)))
    if lines > 0:
        with stored.files[0].open("rb") as file:
            file.seek(start)
            for _ in range(min(lines, _LONGEST_HEADER)):
                if not file.readline(_LONGEST_HEADER):
                    break
            start = file.tell()
    if skip == -1 and not stored.packing:
        size = int(np.prod(stored.shape, dtype=object)) * stored.dtype.itemsize
        return replace(stored, start=stored.files[0].stat().st_size - size // len(stored.files))
    if stored.packing in ("", "text"):
        return replace(stored, start=start + skip)
    return replace(stored, start=start, skip=skip)


def _letters(header: dict[str, Any]) -> str:
    """A letter for each axis, the slowest first."""
    n_axes = len(header["sizes"])
    kinds = [str(kind).lower() for kind in header.get("kinds", [""] * n_axes)]
    directions = header.get("space directions")
    letters = ""
    for i in range(n_axes):
        kind = kinds[i] if i < len(kinds) else ""
        placed = directions is None or not np.isnan(directions[i]).any()
        free = [axis for axis in "XYZ" if axis not in letters]
        if kind in _COLOURS and i == 0:
            letters += "S"
        elif kind == "time" and "T" not in letters:
            letters += "T"
        elif kind in _SPATIAL and placed:
            letters += free[0] if free else "Q"
        else:
            letters += "C" if "C" not in letters else "P"
    return letters[::-1]


def _layers(header: dict[str, Any]) -> list[list[str]]:
    """Of each layer of a segmentation of Slicer, its labels with their names."""
    segments: dict[int, dict[str, str]] = {}
    for key, value in header.items():
        match = _SEGMENT.fullmatch(key)
        if match:
            segments.setdefault(int(match[1]), {})[match[2]] = str(value)
    if not segments:
        return []
    letters = _letters(header)
    count = int(header["sizes"][::-1][letters.index("C")]) if "C" in letters else 1
    layers: list[list[str]] = [[] for _ in range(min(count, 10_000))]
    for _, segment in sorted(segments.items()):
        # the first versions of Slicer's files have a layer for each segment
        layer = int(segment.get("Layer", 0))
        if layer < len(layers):
            name = segment.get("Name", segment.get("ID", ""))
            layers[layer].append(f"{segment.get('LabelValue', '1')} {name}".strip())
    return layers


def _placing(header: dict[str, Any]) -> Placing:
    letters = _letters(header)[::-1]
    axes = [letters.index(axis) for axis in "XYZ" if axis in letters]
    directions = header.get("space directions")
    if directions is None:
        return _unplaced(header, axes)
    steps: NDArray[np.floating] = np.asarray([directions[i] for i in axes], np.float64).T
    origin = header.get("space origin", np.zeros(len(steps)))
    ends = _ends(str(header.get("space", "")))
    stated = [unit for unit in header.get("space units", ()) if unit]
    unit = str(stated[0]) if stated else ("mm" if ends else "")
    found = placing(steps, origin, unit, ends)
    if ends and not stated:
        found.notes.append("The file names no unit of length; it was taken to be mm, as in Slicer.")
    return found


def _unplaced(header: dict[str, Any], axes: list[int]) -> Placing:
    """Voxel sizes without directions, each in its own unit."""
    found = Placing()
    spacings, units = header.get("spacings", ()), header.get("units", ())
    for axis, i in zip("xyz", axes, strict=False):
        if i < len(spacings) and np.isfinite(spacings[i]) and spacings[i] != 0:
            unit = units[i] if i < len(units) else ""
            found.sizes[axis] = (abs(float(spacings[i])), str(unit))
    return found


def _ends(space: str) -> tuple[str, ...] | None:
    """What the coordinates of a named space grow towards."""
    if space == "left-posterior-superior":
        return LPS
    words = space.lower().removesuffix("-time").split("-")
    if len(words) == 1 and len(space) >= 3:
        words = [_SHORT.get(letter, "") for letter in space.lower()[:3]]
    ends = tuple(_ENDS.get(word, "") for word in words)
    return ends if len(ends) == 3 and all(ends) else None
