"""Annotations from GeoJSON, as QuPath exports them.

H. Butler et al. (2016), "The GeoJSON format", RFC 7946. Coordinates are (x, y) in pixels from the
outer corner of the first one. QuPath adds ``plane`` to geometries, and to the properties of
features ``name``, ``classification`` and ``color``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.annotations import (
    Annotation,
    Annotations,
    checked_label,
    checked_points,
    checked_ring,
    is_upright_box,
)
from napari_seedbed.pipeline.data.memory import bytes_in_words
from napari_seedbed.pipeline.data.visible_text import visible

HALF = 0.5
_LARGEST = 1 << 30
_DEEPEST = 8
_START = 4096
_LONGEST_NAME = 500
_BARE = (
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
    "GeometryCollection",
)
_KNOWN = ("FeatureCollection", "Feature", *_BARE)


@dataclass
class _Found:
    items: list[Annotation]
    notes: dict[str, int]

    def note(self, text: str) -> None:
        self.notes[text] = self.notes.get(text, 0) + 1


def is_geojson(path: Path) -> bool:
    """Whether a file begins as GeoJSON does, or is called so."""
    if path.name.lower().endswith(".geojson"):
        return True
    with path.open("rb") as file:
        start = file.read(_START).lstrip(b"\xef\xbb\xbf \t\r\n")
    return start[:1] in (b"{", b"[") and any(f'"{kind}"'.encode() in start for kind in _KNOWN)


def read_geojson(path: Path, name: str) -> Annotations:
    """Read all features of a file, or a geometry alone.

    Rings that are not closed are closed. What cannot be read among the features is noted.

    Raises
    ------
    FileError
        For what is no GeoJSON, and where nothing in it can be read.
    """
    if path.stat().st_size > _LARGEST:
        raise FileError(
            f"{path} could not be read: it has {bytes_in_words(path.stat().st_size)}. Export its "
            "objects in parts."
        )
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path} could not be read: it is no sound JSON ({error}).") from error
    found = _Found([], {})
    count = 0
    for feature in _features(content):
        count += 1
        try:
            _add_feature(feature, f"object {count}", found)
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            found.note(f"Not read: {error}.")
    if not found.items and (count == 0 or found.notes):
        why = next(iter(found.notes), "it has no features of GeoJSON.")
        raise FileError(f"{path} could not be read: {why}")
    notes = [
        f"{text} ({times} times)" if times > 1 else text for text, times in found.notes.items()
    ]
    shown = notes[:5] + ([f"{len(notes) - 5} more notes."] if len(notes) > 5 else [])
    return Annotations(tuple(_all_or_no_planes(found.items)), name, tuple(shown))


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _features(content: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(content, list):
        for one in content:
            yield from _features(one) if isinstance(one, Mapping) else ()
        return
    if not isinstance(content, Mapping):
        return
    kind = content.get("type")
    if kind == "FeatureCollection":
        features = content.get("features")
        if isinstance(features, list):
            yield from (one for one in features if isinstance(one, Mapping))
    elif kind == "Feature":
        yield content
    elif kind in _BARE:
        yield {"geometry": content}


def _add_feature(feature: Mapping[str, Any], what: str, found: _Found) -> None:
    said = feature.get("properties")
    said = said if isinstance(said, Mapping) else {}
    geometry = feature.get("geometry")
    if not isinstance(geometry, Mapping):
        raise ValueError(f"{what} has no geometry")
    if feature.get("nucleusGeometry"):
        found.note("The nuclei inside of cells were left out; QuPath can export them as objects.")
    group, colour = _class_of(said)
    about: dict[str, Any] = {
        "name": _text(said.get("name")),
        "group": group,
        "colour": colour,
        "label": checked_label(said.get("label")),
    }
    for form, parts, plane in _shapes(geometry, what, found):
        found.items.append(Annotation(form, parts, **about | plane))


def _shapes(
    geometry: Mapping[str, Any], what: str, found: _Found, depth: int = 0
) -> Iterator[tuple[Any, Any, dict[str, int | None]]]:
    """Form, parts and plane of each thing that a geometry marks."""
    kind: Any = geometry.get("type")
    places: Any = geometry.get("coordinates")
    parts: tuple[tuple[NDArray[np.float64], ...], ...]
    plane = _plane(geometry.get("plane"))
    if kind == "GeometryCollection":
        inner = geometry.get("geometries")
        if depth >= _DEEPEST or not isinstance(inner, list):
            raise ValueError(f"{what}: its geometries lie too deep in each other, or are none")
        for one in inner:
            if isinstance(one, Mapping):
                yield from _shapes({"plane": geometry.get("plane"), **one}, what, found, depth + 1)
    elif kind in ("Point", "MultiPoint"):
        points = [places] if kind == "Point" else places
        yield "points", ((_points(points, what, found),),), plane
    elif kind in ("LineString", "MultiLineString"):
        lines = [places] if kind == "LineString" else places
        parts = tuple((_points(line, what, found),) for line in lines)
        yield ("line" if all(len(line) == 2 for (line,) in parts) else "path"), parts, plane
    elif kind in ("Polygon", "MultiPolygon"):
        polygons = [places] if kind == "Polygon" else places
        parts = tuple(_polygon(rings, what, found) for rings in polygons)
        if not parts:
            raise ValueError(f"{what}: it encloses nothing")
        if geometry.get("isEllipse") is True and len(parts) == len(parts[0]) == 1:
            yield "ellipse", ((_box_around(parts[0][0]),),), plane
            return
        is_box = len(parts) == len(parts[0]) == 1 and is_upright_box(parts[0][0])
        yield ("rectangle" if is_box else "polygon"), parts, plane
    else:
        raise ValueError(f"{what}: {_text(kind) or 'nothing'} is no geometry of GeoJSON")


def _polygon(rings: Sequence[Any], what: str, found: _Found) -> tuple[NDArray[np.float64], ...]:
    kept = []
    for n, ring in enumerate(rings):
        points = checked_ring(_points(ring, what, found), what)
        if len(points) < 3:
            if n == 0:
                raise ValueError(f"{what}: it encloses nothing")
            continue
        kept.append(points)
    if not kept:
        raise ValueError(f"{what}: it encloses nothing")
    return tuple(kept)


def _points(places: Any, what: str, found: _Found) -> NDArray[np.float64]:
    array = np.array(places, np.float64)
    if array.ndim == 2 and array.shape[1] > 2:
        found.note("Heights of points were left out.")
        array = array[:, :2]
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{what}: its points are not pairs of numbers")
    return checked_points(array[:, ::-1] - HALF, what)


def _plane(said: Any) -> dict[str, int | None]:
    plane = said if isinstance(said, Mapping) else {}
    return {axis: _place(plane.get(axis)) for axis in ("z", "t", "c")}


def _place(value: Any) -> int | None:
    """A place along an axis, from 0; QuPath writes -1 for all channels."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < 1e9 and float(value).is_integer() else None


def _all_or_no_planes(items: Sequence[Annotation]) -> Iterator[Annotation]:
    """QuPath leaves out the plane of what lies on the first one."""
    planes = any(item.z is not None or item.t is not None for item in items)
    for item in items:
        yield replace(item, z=item.z or 0, t=item.t or 0) if planes else item


def _class_of(said: Mapping[str, Any]) -> tuple[str, str | None]:
    """The class of a feature, and the colour of the feature or else of its class."""
    told = said.get("classification")
    told = told if isinstance(told, Mapping) else {"name": told}
    names = told.get("names")
    name = ": ".join(map(_text, names)) if isinstance(names, list) else _text(told.get("name"))
    colours = (said.get("color"), told.get("color"), said.get("colorRGB"), told.get("colorRGB"))
    return name, next(filter(None, map(_colour, colours)), None)


def _colour(said: Any) -> str | None:
    """As '#rrggbb', from three numbers or from one that packs them."""
    if isinstance(said, int) and not isinstance(said, bool):
        return f"#{said & 0xFFFFFF:06x}"
    parts = said if isinstance(said, list) and len(said) in (3, 4) else []
    if parts and all(isinstance(part, int) and 0 <= part <= 255 for part in parts):
        return "#" + "".join(f"{int(part):02x}" for part in parts[:3])
    return None


def _text(said: Any) -> str:
    return visible(said.strip()[:_LONGEST_NAME]) if isinstance(said, str) else ""


def _box_around(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    (top, left), (bottom, right) = ring.min(axis=0), ring.max(axis=0)
    return np.array([(top, left), (top, right), (bottom, right), (bottom, left)])
