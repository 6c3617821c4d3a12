"""Images from OME-Zarr, versions 0.4 and 0.5 of the specification, in a folder.

J. Moore et al. (2023), "OME-Zarr: a cloud-optimized bioimaging file format with international
community support".
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.image import SPATIAL, Image
from napari_seedbed.pipeline.images_of_file import ImageOfFile, chosen_image, name_of_image
from napari_seedbed.pipeline.named_axes import named_axes
from napari_seedbed.pipeline.tiff_metadata import Metadata, set_sizes
from napari_seedbed.pipeline.units import convert
from napari_seedbed.pipeline.voxels_in_file import LAZY_ABOVE, lazy_voxels

_MARKERS = (".zattrs", ".zgroup", ".zarray", "zarr.json")
_COLOUR = re.compile("[0-9a-fA-F]{6}")
_KINDS = {"time": "T", "channel": "C"}
_OTHER = "P"
_IMAGES = frozenset({"multiscales", "bioformats2raw.layout"})
# Listing the blocks of an image takes a second for about as many.
_MOST_LISTED = 100_000


def is_zarr(path: Path) -> bool:
    """Whether it is a folder that holds one Zarr array, or a group of them."""
    try:
        return any((path / name).is_file() for name in _MARKERS)
    except OSError:
        return False


def holds_images(path: Path) -> bool:
    """Whether a Zarr group says that it is an image, or a collection of some."""
    return not _IMAGES.isdisjoint(description(path))


def images_of_zarr(path: Path) -> list[ImageOfFile]:
    """All images of a group, in its order."""
    return [_summary(place, image) for place, image in _images(path)]


def read_zarr(path: Path, name: str, lazy: bool | None, series: int | None) -> Image:
    """Read an image as `read_image` does, in full resolution; `name` is that of the file.

    Raises
    ------
    FileError
        When it holds no image in the sense of OME-Zarr.
    InputError
        When it has no such image.
    """
    images = _images(path)
    nth, notes = chosen_image(path, series, len(images))
    place, image = images[nth]
    voxels = _voxels(place, image)
    axes, units = _axes(image, voxels.ndim)
    lazy = voxels.nbytes > LAZY_ABOVE if lazy is None else lazy
    array = lazy_voxels(place, voxels, token=voxels.path, lock=False)
    if not lazy:
        array = array.compute()
    array, names, more = named_axes(path, array, axes)
    found = Metadata(notes=[*notes, *more, *_missing_blocks(voxels)])
    scale, shift = _placement([image["datasets"][0], image], voxels.ndim, found)
    where = {letter.lower(): i for i, letter in enumerate(axes)}
    spatial = [axis for axis in names if axis in SPATIAL]
    set_sizes(found, {axis: (scale[where[axis]], units[where[axis]]) for axis in spatial})
    shifts = [
        convert(shift[where[axis]], units[where[axis]], found.unit) or 0.0 for axis in spatial
    ]
    n_channels = array.shape[names.index("c")] if "c" in names else 1
    channel_names, channel_colors = _channels(description(place), n_channels)
    return Image(
        array,
        tuple(names),
        spacing=tuple(found.spacing.get(axis, 1.0) for axis in spatial),
        units=(found.unit,) * len(spatial),
        translate=tuple(shifts),
        channel_names=channel_names,
        channel_colors=channel_colors,
        name=name_of_image(name, _summary(place, image), series, len(images)),
        notes=tuple(found.notes),
    )


def _images(path: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The group of each image, and what is said of it; Bio-Formats writes a group for each."""
    described = description(path)
    places = [path]
    if "bioformats2raw.layout" in described:
        places = sorted(
            (p for p in path.iterdir() if p.name.isdecimal() and is_zarr(p)),
            key=lambda place: int(place.name),
        )
    found = [
        (place, image) for place in places for image in description(place).get("multiscales") or ()
    ]
    if not found:
        raise FileError(f"{path} could not be read: {_what_else(described)}.")
    return found


def _voxels(place: Path, image: Mapping[str, Any]) -> Any:
    import zarr

    return zarr.open_group(place, mode="r")[image["datasets"][0]["path"]]


def _summary(place: Path, image: Mapping[str, Any]) -> ImageOfFile:
    voxels = _voxels(place, image)
    return ImageOfFile(str(image.get("name") or ""), voxels.shape, str(voxels.dtype))


def description(path: Path) -> dict[str, Any]:
    """What the attributes of a group say in the sense of OME-Zarr; empty where they say nothing."""
    for name in ("zarr.json", ".zattrs"):
        try:
            text = (path / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        attributes = json.loads(text)
        if name == "zarr.json":
            attributes = attributes.get("attributes", {})
        return dict(attributes.get("ome", attributes))
    return {}


def _missing_blocks(voxels: Any) -> list[str]:
    """Writers may leave out blocks of background; a copy that was cut short leaves out others."""
    if voxels.nchunks > _MOST_LISTED:
        return []
    missing = voxels.nchunks - voxels.nchunks_initialized
    if not missing:
        return []
    filler = voxels.fill_value or 0
    return [
        f"{missing} of {voxels.nchunks} blocks are not in the file; they were read as {filler:g}."
    ]


def _what_else(described: Mapping[str, Any]) -> str:
    if "plate" in described or "well" in described:
        return "it is a plate with many images; open one of them, for example A/1/0 in it"
    return "it is Zarr without the description of an image that OME-Zarr has"


def _axes(image: Mapping[str, Any], ndim: int) -> tuple[str, list[str]]:
    """A letter for each axis, and its unit."""
    given = image.get("axes") or list("tczyx")[-ndim:]
    axes = [axis if isinstance(axis, Mapping) else {"name": axis} for axis in given]
    letters = ""
    for axis in axes:
        letter = _KINDS.get(str(axis.get("type")), str(axis["name"]).upper())
        letters += letter if letter in tuple("TCZYX") and letter not in letters else _OTHER
    if len(letters) != ndim:
        raise ValueError(f"{len(letters)} axes are named for {ndim}")
    return letters, [str(axis.get("unit", "")) for axis in axes]


def _placement(sources: Sequence[Mapping[str, Any]], ndim: int, found: Metadata) -> tuple[Any, Any]:
    """Size and place of voxels; each source changes what those before it have given."""
    scale, shift = np.ones(ndim), np.zeros(ndim)
    for source in sources:
        for step in source.get("coordinateTransformations") or ():
            kind = step.get("type")
            values = np.asarray(step.get(kind, ()), np.float64) if kind != "identity" else None
            if values is None:
                continue
            if kind not in ("scale", "translation") or values.shape != (ndim,):
                found.notes.append(f"The transformation {kind!r} of the file was left out.")
            elif kind == "translation":
                shift = shift + values
            elif (values > 0).all():
                scale, shift = scale * values, shift * values
            else:
                found.notes.append("The voxel size in the file is not above 0; it was left out.")
    return scale, shift


def _channels(
    described: Mapping[str, Any], count: int
) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
    """Names and colours, where there is one for each channel."""
    channels = (described.get("omero") or {}).get("channels") or ()
    if len(channels) != count or count < 2:
        return (), ()
    names = tuple(str(channel.get("label") or "") for channel in channels)
    stated = [str(channel.get("color") or "") for channel in channels]
    colours = tuple(f"#{c.lower()}" if _COLOUR.fullmatch(c) else None for c in stated)
    return names if any(names) else (), colours if any(colours) else ()
