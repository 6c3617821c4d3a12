"""Axes, voxel size, place, channels and colours, as OME-Zarr states them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_COLOUR = re.compile("[0-9a-fA-F]{6}")
_KINDS = {"time": "T", "channel": "C"}
_OTHER = "P"
_DEEPEST = 20

Vector = NDArray[np.float64]


def axes_of(described: Mapping[str, Any], ndim: int) -> tuple[str, list[str]]:
    """A letter for each axis, and its unit."""
    given = described.get("axes") or _axes_of_system(described) or list("tczyx")[-ndim:]
    axes = [axis if isinstance(axis, Mapping) else {"name": axis} for axis in given]
    letters = ""
    for axis in axes:
        letter = _KINDS.get(str(axis.get("type")), str(axis["name"]).upper())
        letters += letter if letter in tuple("TCZYX") and letter not in letters else _OTHER
    if len(letters) != ndim:
        raise ValueError(f"{len(letters)} axes are named for {ndim}")
    return letters, [str(axis.get("unit") or "") for axis in axes]


def _axes_of_system(described: Mapping[str, Any]) -> Sequence[Any]:
    """Axes from version 0.6 on: those of the coordinate system into which resolutions lead."""
    systems = described.get("coordinateSystems") or ()
    steps = described["datasets"][0].get("coordinateTransformations")
    output = steps[0].get("output") if steps else None
    name = output.get("name") if isinstance(output, Mapping) else output
    fitting = [system for system in systems if system.get("name") == name]
    return next((system.get("axes") or () for system in [*fitting, *systems]), ())


def placement(
    described: Mapping[str, Any], level: int, ndim: int
) -> tuple[Vector, Vector, list[str]]:
    """Size and place of the voxels of a resolution, and notes on what is not followed.

    Transformations of the resolution come first, then those of the image, which from version 0.6
    on lead into further coordinate systems and are left out.
    """
    notes = []
    sources = [described["datasets"][level]]
    if "coordinateSystems" not in described:
        sources.append(described)
    elif described.get("coordinateTransformations"):
        notes.append("The file has further coordinate systems, which were left out.")
    scale, shift = np.ones(ndim), np.zeros(ndim)
    for step in (step for source in sources for step in _steps(source)):
        kind = str(step.get("type"))
        if kind == "identity":
            continue
        values = np.asarray(step.get(kind, ()), np.float64)
        if kind not in ("scale", "translation") or values.shape != (ndim,):
            notes.append(f"The transformation {kind!r} of the file was left out.")
        elif not np.isfinite(values).all():
            notes.append(f"The {kind} in the file is not finite; it was left out.")
        elif kind == "translation":
            shift = shift + values
        elif (values > 0).all():
            scale, shift = scale * values, shift * values
        else:
            notes.append("The voxel size in the file is not above 0; it was left out.")
    return scale, shift, notes


def _steps(source: Mapping[str, Any], key: str = "coordinateTransformations", depth: int = 0) -> (
    Iterator[Mapping[str, Any]]
):  # fmt: skip
    for step in source.get(key) or ():
        if step.get("type") == "sequence" and depth < _DEEPEST:
            yield from _steps(step, "transformations", depth + 1)
        else:
            yield step


def channels_of(
    attributes: Mapping[str, Any],
) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
    """Names and colours of several channels; the format demands a colour of a single one, too."""
    channels = (attributes.get("omero") or {}).get("channels") or ()
    if len(channels) < 2:
        return (), ()
    names = tuple(str(channel.get("label") or "") for channel in channels)
    stated = [str(channel.get("color") or "") for channel in channels]
    colours = tuple(f"#{c.lower()}" if _COLOUR.fullmatch(c) else None for c in stated)
    return names, colours
