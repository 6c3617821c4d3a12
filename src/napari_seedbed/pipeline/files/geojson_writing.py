"""GeoJSON that QuPath imports as annotations."""

import json
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.data.annotation_sources import Marked, annotations_of, on_slices
from napari_seedbed.pipeline.data.annotations import Annotation, is_upright_box
from napari_seedbed.pipeline.files.atomic_files import written_whole
from napari_seedbed.pipeline.files.geojson_reading import HALF


def write_geojson(path: str | PathLike[str], result: Marked) -> Path:
    """Write a feature each, with holes, name, class, colour, label and plane.

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
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for n, item in enumerate(annotations.items):
            file.write(",\n" if n else "\n")
            file.write(json.dumps(_feature(item)))
        file.write("\n]}\n")
    return path


def _feature(item: Annotation) -> dict[str, Any]:
    said: dict[str, Any] = {"objectType": "annotation"}
    colour = [int(item.colour[n : n + 2], 16) for n in (1, 3, 5)] if item.colour else None
    if item.name:
        said["name"] = item.name
    if item.group:
        said["classification"] = {"name": item.group}
    if colour:
        said["color"] = colour
    if item.label is not None:
        said["label"] = item.label
    return {"type": "Feature", "geometry": _geometry(item), "properties": said}


def _geometry(item: Annotation) -> dict[str, Any]:
    from napari_seedbed.core.marks.seeds import area_outline

    several = len(item.parts) > 1
    places: list[Any]
    if item.form == "points":
        points = np.concatenate([part[0] for part in item.parts])
        several = len(points) > 1
        kind, places = "Point", _places(points) if several else _places(points)[0]
    elif item.is_area:
        rings = [
            [
                _closed(area_outline(item.form, ring, 0) if n == 0 else ring)
                for n, ring in enumerate(part)
            ]
            for part in item.parts
        ]
        kind, places = "Polygon", rings if several else rings[0]
    else:
        lines = [_places(part[0]) for part in item.parts]
        kind, places = "LineString", lines if several else lines[0]
    geometry: dict[str, Any] = {"type": f"Multi{kind}" if several else kind, "coordinates": places}
    if item.form == "ellipse" and is_upright_box(item.parts[0][0]):
        geometry["isEllipse"] = True
    z = item.z if item.z is not None else item.position
    if any(place is not None for place in (z, item.t, item.c)):
        c = -1 if item.c is None else item.c
        geometry["plane"] = {"c": c, "z": z or 0, "t": item.t or 0}
    return geometry


def _closed(ring: NDArray[np.float64]) -> list[list[float]]:
    return _places(np.concatenate([ring, ring[:1]]))


def _places(points: NDArray[np.float64]) -> list[list[float]]:
    """(x, y) from the outer corner of the first pixel."""
    found: list[list[float]] = (points[:, ::-1] + HALF).tolist()
    return found
