"""Sets of ROIs that ImageJ and Fiji open in their ROI Manager."""

import re
import struct
import zipfile
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.data.annotation_sources import Marked, annotations_of, on_slices
from napari_seedbed.pipeline.data.annotations import Annotation, is_upright_box
from napari_seedbed.pipeline.data.visible_text import visible
from napari_seedbed.pipeline.files.atomic_files import written_whole
from napari_seedbed.pipeline.files.imagej_roi_reading import HALF

if TYPE_CHECKING:
    from roifile import ImagejRoi

# What ImageJ keeps as whole numbers; others are read as negative ones.
_LOWEST, _HIGHEST = -5000, 60535
_SHORT = np.iinfo(np.int16)
_ELLIPSE_CORNERS = 72
_MOVE, _LINE, _CLOSE = 0.0, 1.0, 4.0
_GROUP = re.compile(r"group ([0-9]{1,5})")
_MOST_GROUPS = 65535


def write_roi_set(path: str | PathLike[str], result: Marked) -> Path:
    """Write a zip file with a ROI each, with name, class, label, slice, time point and channel.

    Areas with holes or several parts become composite ROIs. Coordinates are whole numbers where
    they are whole, else of 32 bits.

    Parameters
    ----------
    path : path-like
    result : Image, Shapes, Points or Annotations
        Of labels the outlines are written.

    Raises
    ------
    InputError
        For shapes that lie on no slice.
    FileError
        When the file cannot be written; nothing is left behind.
    """
    path = Path(path)
    annotations = on_slices(annotations_of(result))
    numbers = _group_numbers(annotations.groups)
    taken: set[str] = set()
    with (
        written_whole(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as file,
    ):
        for n, item in enumerate(annotations.items, start=1):
            for roi in _rois_of(item, numbers):
                file.writestr(_member_name(roi.name or str(n), taken), roi.tobytes())
    return path


def _rois_of(item: Annotation, numbers: dict[str, int]) -> list["ImagejRoi"]:
    """Usually one; a line of several parts becomes one a part."""
    from roifile import ROI_TYPE

    if item.is_area:
        rois = [_area(item)]
    elif item.form == "points":
        rois = [_with_corners(ROI_TYPE.POINT, np.concatenate([part[0] for part in item.parts]))]
    else:
        rois = [_line(part[0]) for part in item.parts]
    said = {"label": item.label, "class": visible(item.group)}
    for roi in rois:
        roi.name = _basic(item.name)
        roi.props = "".join(
            f"{key}: {_basic(str(value))}\n" for key, value in said.items() if value
        )
        roi.group = numbers.get(item.group, 0)
        roi.position = _from_1(item.position)
        roi.c_position, roi.z_position, roi.t_position = map(_from_1, (item.c, item.z, item.t))
        if item.colour:
            roi.stroke_color = b"\xff" + bytes.fromhex(item.colour[1:7])
    return rois


def _area(item: Annotation) -> "ImagejRoi":
    from roifile import ROI_TYPE

    first = item.parts[0][0]
    if len(item.parts) > 1 or len(item.parts[0]) > 1:
        return _composite([ring for part in item.parts for ring in part])
    if item.form == "polygon":
        return _with_corners(ROI_TYPE.POLYGON, first + HALF)
    if is_upright_box(first):
        return _box(ROI_TYPE.RECT if item.form == "rectangle" else ROI_TYPE.OVAL, first + HALF)
    if item.form == "rectangle":
        return _with_corners(ROI_TYPE.POLYGON, first + HALF)
    return _turned_ellipse(first + HALF)


def _with_corners(kind: Any, points: NDArray[np.float64]) -> "ImagejRoi":
    """A ROI of points: whole numbers where they are, else of 32 bits."""
    from roifile import ROI_OPTIONS, ImagejRoi

    xy = points[:, ::-1]
    whole = np.rint(xy)
    low = whole.min(axis=0)
    roi = ImagejRoi(roitype=kind, n_coordinates=len(xy))
    is_whole = bool((whole == xy).all() and low.min() >= _LOWEST and whole.max() <= _HIGHEST)
    _set_bounds(roi, xy)
    if is_whole:
        roi.integer_coordinates = (whole - low).astype(np.int32)
    else:
        roi.options |= ROI_OPTIONS.SUB_PIXEL_RESOLUTION
        roi.subpixel_coordinates = xy.astype(np.float32)
        roi.integer_coordinates = np.clip(whole - low, 0, _SHORT.max).astype(np.int32)
    return roi


def _line(points: NDArray[np.float64]) -> "ImagejRoi":
    from roifile import ROI_TYPE, ImagejRoi

    if len(points) != 2:
        return _with_corners(ROI_TYPE.POLYLINE, points)
    (y1, x1), (y2, x2) = points.tolist()
    roi = ImagejRoi(roitype=ROI_TYPE.LINE, x1=x1, y1=y1, x2=x2, y2=y2)
    _set_bounds(roi, points[:, ::-1])
    return roi


def _box(kind: Any, corners: NDArray[np.float64]) -> "ImagejRoi":
    from roifile import ROI_OPTIONS, ImagejRoi

    roi = ImagejRoi(roitype=kind)
    _set_bounds(roi, corners[:, ::-1])
    (top, left), (bottom, right) = corners.min(axis=0), corners.max(axis=0)
    if (top, left, bottom, right) != (roi.top, roi.left, roi.bottom, roi.right):
        roi.options |= ROI_OPTIONS.SUB_PIXEL_RESOLUTION
        roi.xd, roi.yd = float(left), float(top)
        roi.widthd, roi.heightd = float(right - left), float(bottom - top)
    return roi


def _turned_ellipse(box: NDArray[np.float64]) -> "ImagejRoi":
    """The ends of the longer axis and the ratio of both, and corners for older programs."""
    from roifile import ROI_SUBTYPE, ROI_TYPE

    middle = box.mean(axis=0)
    axes = [(box[1] - box[0]) / 2, (box[3] - box[0]) / 2]
    long, short = sorted(axes, key=lambda axis: -float(np.linalg.norm(axis)))
    angle = np.linspace(0, 2 * np.pi, _ELLIPSE_CORNERS, endpoint=False)[:, None]
    roi = _with_corners(ROI_TYPE.FREEHAND, middle + np.cos(angle) * long + np.sin(angle) * short)
    roi.subtype = ROI_SUBTYPE.ELLIPSE
    (roi.y1, roi.x1), (roi.y2, roi.x2) = (middle - long).tolist(), (middle + long).tolist()
    ratio = float(np.linalg.norm(short) / np.linalg.norm(long))
    # roifile takes the bytes of this number as three others
    (
        roi.arrow_style_or_aspect_ratio,
        roi.arrow_head_size,
        roi.rounded_rect_arc_size,
    ) = struct.unpack(">BBh", struct.pack(">f", ratio))
    return roi


def _composite(rings: Sequence[NDArray[np.float64]]) -> "ImagejRoi":
    from roifile import ROI_TYPE, ImagejRoi

    path: list[float] = []
    for ring in rings:
        for n, (y, x) in enumerate((ring + HALF).tolist()):
            path += [_LINE if n else _MOVE, x, y]
        path.append(_CLOSE)
    roi = ImagejRoi(roitype=ROI_TYPE.RECT, shape_roi_size=len(path))
    roi.multi_coordinates = np.array(path, np.float32)
    _set_bounds(roi, np.concatenate(rings)[:, ::-1] + HALF)
    return roi


def _set_bounds(roi: "ImagejRoi", xy: NDArray[np.float64]) -> None:
    low = np.clip(np.floor(xy.min(axis=0)), _LOWEST, _HIGHEST)
    high = np.clip(np.ceil(xy.max(axis=0)), _LOWEST, _HIGHEST)
    roi.left, roi.top = int(low[0]), int(low[1])
    roi.right, roi.bottom = int(high[0]), int(high[1])


def _group_numbers(groups: Sequence[str]) -> dict[str, int]:
    """Numbers of ImageJ's groups for classes, from 1; those that are groups keep theirs."""
    kept = {group: int(found[1]) for group in groups if (found := _GROUP.fullmatch(group))}
    free = (n for n in range(1, _MOST_GROUPS + 1) if n not in kept.values())
    others = [group for group in groups if group not in kept]
    return kept | dict(zip(others, free, strict=False))


def _member_name(name: str, taken: set[str]) -> str:
    """A name for a file in the zip file that no other has, without signs that systems refuse."""
    stem = re.sub(r"[^\w .+()-]", "_", name).strip(" .")[:100] or "roi"
    found, n = stem, 1
    while found.lower() in taken:
        found, n = f"{stem}-{n}", n + 1
    taken.add(found.lower())
    return f"{found}.roi"


def _basic(text: str) -> str:
    """Text of signs that take one number of 16 bits each, as roifile counts them."""
    return "".join(
        sign if sign <= "\uffff" else "\N{REPLACEMENT CHARACTER}" for sign in visible(text)
    )


def _from_1(place: int | None) -> int:
    return 0 if place is None else place + 1
