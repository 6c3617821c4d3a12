"""ROIs of ImageJ and Fiji: single ones, sets of the ROI Manager, and overlays of TIFF files.

Integer coordinates of areas are corners of voxels, those of lines and points are their middles.
"""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.annotations import (
    Annotation,
    Annotations,
    Form,
    checked_label,
    checked_points,
    checked_ring,
)
from napari_seedbed.pipeline.data.memory import bytes_in_words
from napari_seedbed.pipeline.data.visible_text import visible
from napari_seedbed.pipeline.files.tiff_structure import DECODER_ERRORS

if TYPE_CHECKING:
    from roifile import ImagejRoi

ROI_START = b"Iout"
APPLEDOUBLE_START = b"\x00\x05\x16\x07"
"""How the files begin in which macOS keeps what its disks know of another file."""
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
HALF = 0.5

_LARGEST_ROI = 64 << 20
_LARGEST_SET = 1 << 30
_MOST_ROIS = 200_000
_SHOWN = 3
_ZIP_ERRORS = (*DECODER_ERRORS, zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError)

Read = list[Annotation]


def read_roi(path: Path, name: str) -> Annotations:
    """Read a file with one ROI."""
    if path.stat().st_size > _LARGEST_ROI:
        raise FileError(
            f"{path} could not be read: it has {bytes_in_words(path.stat().st_size)}, more than "
            "any ROI."
        )
    notes: list[str] = []
    items = annotations_of_roi(path.read_bytes(), name, notes)
    return Annotations(tuple(items), name, tuple(dict.fromkeys(notes)))


def read_roi_set(path: Path, name: str) -> Annotations:
    """Read a set of ROIs, in the order of the file; what is no ROI in it is noted.

    Nothing is unpacked to the disk, and names in the file are names only.
    """
    members: list[tuple[str, bytes]] = []
    others, damaged = 0, 0
    try:
        with zipfile.ZipFile(path) as file:
            infos = [info for info in file.infolist() if not info.is_dir()]
            _check_sizes(path, infos)
            for info in infos:
                try:
                    data = file.open(info).read(info.file_size)
                except _ZIP_ERRORS:
                    damaged += 1
                    continue
                if data.startswith(ROI_START):
                    members.append((info.filename.replace("\\", "/"), data))
                else:
                    others += 1
    except _ZIP_ERRORS as error:
        raise FileError(f"{path} could not be read: it is damaged ({error}).") from error
    notes = [f"{others} of its files are no ROIs and were left out."] if others else []
    notes += [f"{damaged} of its files are damaged and were left out."] if damaged else []
    if not members:
        raise FileError(f"{path} could not be read: no file in it is a sound ROI.")
    return _read_all(path, name, members, notes)


def holds_rois(path: Path) -> bool:
    """Whether a zip file is a set of ROIs."""
    try:
        with zipfile.ZipFile(path) as file:
            infos = [info for info in file.infolist() if _is_roi_name(info.filename)]
            for info in infos[:_SHOWN]:
                with file.open(info) as member:
                    if member.read(len(ROI_START)) == ROI_START:
                        return True
    except _ZIP_ERRORS:
        return False
    return False


def read_tiff_rois(path: Path, name: str) -> Annotations:
    """Read the overlay and the selection of a TIFF file that ImageJ wrote."""
    notes: list[str] = []
    members = [(f"{name} {n}", data) for n, data in enumerate(_rois_of_tiff(path), start=1)]
    return _read_all(path, name, members, notes)


def has_tiff_rois(path: Path) -> bool:
    """Whether a TIFF file has an overlay or a selection of ImageJ."""
    return bool(_rois_of_tiff(path))


def annotations_of_roi(data: bytes, name: str, notes: list[str]) -> Read:
    """What one ROI marks; several where its points lie on several slices.

    Parameters
    ----------
    data : bytes
    name : str
        What it is called where it has no name of its own.
    notes : list of str
        What looked odd is added to it.

    Raises
    ------
    ValueError
        Where it encloses nothing, or lies nowhere. Decoders raise errors of their own.
    """
    from roifile import ImagejRoi

    roi = ImagejRoi.frombytes(data)
    own = visible(roi.name.strip()) or visible(name)
    said = roi.properties
    group = str(said.get("class", "")) or (f"group {roi.group}" if roi.group else "")
    about: dict[str, Any] = {
        "name": own,
        "group": visible(group),
        "label": checked_label(said.get("label")),
        "colour": roi.hexcolor(roi.stroke_color),
        "z": _from_0(roi.z_position),
        "t": _from_0(roi.t_position),
        "c": _from_0(roi.c_position),
        "position": _from_0(roi.position),
    }
    if about["z"] is not None or about["t"] is not None:
        about["position"] = None
    form, parts = _form_and_parts(roi, data, f"the ROI {own!r}", notes)
    slices = roi.counter_positions
    if form == "points" and slices is not None and len(np.unique(slices)) > 1:
        return [
            Annotation(form, ((parts[0][0][slices == n],),), **about | _place(int(n)))
            for n in np.unique(slices)
        ]
    return [Annotation(form, parts, **about)]


def _place(number: int) -> dict[str, int | None]:
    """Where points lie that have a place in the stack each."""
    return {"position": _from_0(number), "z": None, "t": None, "c": None}


def _form_and_parts(
    roi: "ImagejRoi", data: bytes, what: str, notes: list[str]
) -> tuple[Form, tuple[tuple[NDArray[np.float64], ...], ...]]:
    from roifile import ROI_SUBTYPE, ROI_TYPE

    from napari_seedbed.core.marks.polygon_rings import nested

    kind = roi.roitype
    if kind == ROI_TYPE.RECT and roi.composite:
        rings = [ring for ring in roi.coordinates(multi=True) if len(ring)]
        polygons = nested([_area(ring, what) for ring in rings])
        if not polygons:
            raise ValueError(f"{what}: it encloses nothing")
        return "polygon", tuple(polygons)
    if kind in (ROI_TYPE.RECT, ROI_TYPE.OVAL):
        if kind == ROI_TYPE.RECT and roi.rounded_rect_arc_size:
            notes.append("Rounded corners of rectangles were read as sharp ones.")
        return ("rectangle" if kind == ROI_TYPE.RECT else "ellipse"), ((_area(_box(roi), what),),)
    if kind == ROI_TYPE.FREEHAND and roi.subtype == ROI_SUBTYPE.ELLIPSE:
        # roifile gives the bytes of this number as three others
        ratio = struct.unpack(">f", data[52:56])[0]
        return "ellipse", ((_area(_turned_box(roi, ratio), what),),)
    if kind == ROI_TYPE.LINE:
        return "line", ((_line(roi.coordinates(), what),),)
    if kind in (ROI_TYPE.POLYLINE, ROI_TYPE.FREELINE, ROI_TYPE.ANGLE):
        return "path", ((_line(roi.coordinates(), what),),)
    if kind == ROI_TYPE.POINT:
        return "points", ((_line(roi.coordinates(), what),),)
    if kind in (ROI_TYPE.POLYGON, ROI_TYPE.FREEHAND, ROI_TYPE.TRACED):
        ring = _area(roi.coordinates(), what)
        if len(ring) < 3:
            raise ValueError(f"{what}: it encloses nothing")
        return "polygon", ((ring,),)
    raise ValueError(f"{what}: it is of a kind that is not supported")


def _area(points: Any, what: str) -> NDArray[np.float64]:
    return checked_ring(np.asarray(points, float)[:, ::-1] - HALF, what)


def _line(points: Any, what: str) -> NDArray[np.float64]:
    return checked_points(np.asarray(points, float)[:, ::-1], what)


def _box(roi: "ImagejRoi") -> list[tuple[float, float]]:
    """The corners of a rectangle or of the box around an oval, as (x, y)."""
    left, top = float(roi.left), float(roi.top)
    right, bottom = float(roi.right), float(roi.bottom)
    if roi.subpixelrect:
        left, top = roi.xd, roi.yd
        right, bottom = left + roi.widthd, top + roi.heightd
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _turned_box(roi: "ImagejRoi", ratio: float) -> NDArray[np.float64]:
    """The corners of the box around an ellipse, from the ends of its longer axis, as (x, y)."""
    start, stop = np.array([roi.x1, roi.y1], float), np.array([roi.x2, roi.y2], float)
    along = stop - start
    across = np.array([-along[1], along[0]]) * ratio / 2
    return np.array([start - across, stop - across, stop + across, start + across])


def _from_0(number: int) -> int | None:
    return number - 1 if number > 0 else None


def _read_all(
    path: Path, name: str, members: Sequence[tuple[str, bytes]], notes: list[str]
) -> Annotations:
    """All ROIs that can be read; those that cannot are noted, unless there is no other."""
    items: Read = []
    failed: list[str] = []
    for label, data in members:
        try:
            items += annotations_of_roi(data, Path(label).stem, notes)
        except DECODER_ERRORS as error:
            failed.append(f"{visible(Path(label).name)} ({error})")
    if failed and not items:
        raise FileError(f"{path} could not be read: none of its ROIs is sound: {failed[0]}.")
    if failed:
        more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
        notes.append(f"Not read: {', '.join(failed[:_SHOWN])}{more}.")
    return Annotations(tuple(items), name, tuple(dict.fromkeys(notes)))


def _check_sizes(path: Path, infos: Sequence[zipfile.ZipInfo]) -> None:
    if len(infos) > _MOST_ROIS:
        raise FileError(f"{path} was not opened: it has more than {_MOST_ROIS} members.")
    for info in infos:
        if info.file_size > _LARGEST_ROI:
            raise FileError(
                f"{path} was not opened: {visible(info.filename)} says to be "
                f"{bytes_in_words(info.file_size)}, more than any ROI."
            )
    total = sum(info.file_size for info in infos)
    if total > _LARGEST_SET:
        raise FileError(
            f"{path} was not opened: its members are {bytes_in_words(total)} unpacked, more than "
            "any set of ROIs."
        )


def _is_roi_name(name: str) -> bool:
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return last.lower().endswith(".roi") and not last.startswith("._")


def _rois_of_tiff(path: Path) -> list[bytes]:
    import tifffile

    with tifffile.TiffFile(path) as file:
        said = file.imagej_metadata or {}
    found = [*_as_list(said.get("Overlays")), *_as_list(said.get("ROI"))]
    return list(dict.fromkeys(found))


def _as_list(value: Any) -> list[bytes]:
    return [
        one for one in (value if isinstance(value, list) else [value]) if isinstance(one, bytes)
    ]
