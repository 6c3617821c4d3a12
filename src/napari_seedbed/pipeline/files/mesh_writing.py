"""Surfaces of labelled objects into files of triangles, in physical units."""

from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.label_palette import distinct_colours
from napari_seedbed.pipeline.files.atomic_files import written_whole

if TYPE_CHECKING:
    from napari_seedbed.core.objects.object_surfaces import Surfaces


def write_meshes(
    path: str | PathLike[str],
    labels: Image,
    *,
    smoothing: float | None = None,
    each: bool = False,
) -> Path:
    """Write smooth surfaces of all objects of a volume as PLY, STL or OBJ, as the name says.

    Coordinates are x, y, z in the unit of the voxel size, with the place of the image; the sides
    of triangles that face out run anticlockwise. PLY keeps label and colour of each vertex, OBJ
    has an object a label.

    Parameters
    ----------
    path : path-like
    labels : Image
        A volume of whole numbers at one time point.
    smoothing : float, optional
        Standard deviation of the Gaussian that smooths each object first, in the unit of the voxel
        size; as wide as a voxel along its longest side by default.
    each : bool
        Write a file an object, ``cells_12.stl``, instead of ``cells.stl``.

    Returns
    -------
    Path
        The file, or the first one.

    Raises
    ------
    InputError
        For what is no volume of labels, and where there is no object.
    FileError
        When a file cannot be written.
    """
    from napari_seedbed.core.objects.object_surfaces import object_surfaces

    path = Path(path)
    if labels.dtype.kind not in "iub" or labels.channel_axis is not None or labels.n_times > 1:
        raise InputError(
            f"labels: {labels.name} holds {labels.dtype} with the axes {labels.axes}; a mesh is of "
            "whole numbers at one time point."
        )
    if "z" not in labels.axes:
        raise InputError(f"labels: {labels.name} is a picture; a mesh is of a volume (z, y, x).")
    labels = labels.select_time(0)
    width = max(labels.spacing) if smoothing is None else smoothing
    surfaces = object_surfaces(labels.volume(), labels.spacing, smoothing=width)
    if not len(surfaces.labels):
        raise InputError(f"labels: {labels.name} has no objects.")
    kind = path.suffix.lower().lstrip(".")
    parts = list(_objects(surfaces, labels.translate))
    if not each:
        return _written(path, kind, parts)
    written = [
        _written(path.with_name(f"{path.stem}_{part[0]}{path.suffix}"), kind, [part])
        for part in parts
    ]
    return written[0]


Part = tuple[int, NDArray[np.float64], NDArray[np.int64]]
"""A label, its corners (x, y, z), and its triangles."""


def _objects(surfaces: "Surfaces", translate: tuple[float, ...]) -> Iterator[Part]:
    """Each object by itself; vertices and triangles of one follow each other."""
    starts = np.flatnonzero(np.diff(surfaces.labels, prepend=surfaces.labels[0] - 1))
    owners = np.searchsorted(starts, surfaces.faces[:, 0], side="right") - 1
    stops = np.append(starts[1:], len(surfaces.labels))
    corners = surfaces.vertices.astype(np.float64) + translate
    for nth, (start, stop) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
        check_stop()
        faces = surfaces.faces[owners == nth] - start
        yield int(surfaces.labels[start]), corners[start:stop, ::-1], faces


def _written(path: Path, kind: str, parts: list[Part]) -> Path:
    writes: dict[str, Callable[[list[Part]], bytes]] = {"ply": _ply, "stl": _stl, "obj": _obj}
    data = writes[kind](parts)
    with written_whole(path) as temporary:
        temporary.write_bytes(data)
    return path


def _ply(parts: list[Part]) -> bytes:
    vertex = np.dtype([("place", "<f4", 3), ("colour", "u1", 3), ("label", "<i4")])
    face = np.dtype([("count", "u1"), ("corners", "<i4", 3)])
    corners, triangles, labels = _joined(parts)
    vertices = np.zeros(len(corners), vertex)
    vertices["place"], vertices["label"], vertices["colour"] = (
        corners,
        labels,
        distinct_colours(labels),
    )
    faces = np.zeros(len(triangles), face)
    faces["count"], faces["corners"] = 3, triangles
    header = "\n".join(
        [
            "ply",
            "format binary_little_endian 1.0",
            f"element vertex {len(vertices)}",
            *(f"property float {axis}" for axis in "xyz"),
            *(f"property uchar {colour}" for colour in ("red", "green", "blue")),
            "property int label",
            f"element face {len(faces)}",
            "property list uchar int vertex_indices",
            "end_header\n",
        ]
    )
    return header.encode("ascii") + vertices.tobytes() + faces.tobytes()


def _stl(parts: list[Part]) -> bytes:
    record = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("extra", "<u2")])
    corners, triangles, _ = _joined(parts)
    facets = np.zeros(len(triangles), record)
    places = corners[triangles]
    normal = np.cross(places[:, 1] - places[:, 0], places[:, 2] - places[:, 0])
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    facets["normal"] = normal / np.where(length > 0, length, 1)
    facets["corners"] = places
    return bytes(80) + np.uint32(len(facets)).astype("<u4").tobytes() + facets.tobytes()


def _obj(parts: list[Part]) -> bytes:
    lines, before = [], 1
    for label, corners, triangles in parts:
        lines.append(f"o object_{label}")
        # as many digits as float32, in which the corners are computed, has
        lines += [f"v {x:.9g} {y:.9g} {z:.9g}" for x, y, z in corners.tolist()]
        lines += [f"f {a} {b} {c}" for a, b, c in (triangles + before).tolist()]
        before += len(corners)
    return "\n".join([*lines, ""]).encode("ascii")


def _joined(parts: list[Part]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Corners, triangles and the label of each corner, of all objects together."""
    counts = [len(corners) for _, corners, _ in parts]
    starts = np.cumsum([0, *counts[:-1]])
    triangles = [faces + start for (_, _, faces), start in zip(parts, starts, strict=True)]
    labels = np.repeat([label for label, _, _ in parts], counts)
    return np.concatenate([part[1] for part in parts]), np.concatenate(triangles), labels
