"""Images, labels and masks into OME-Zarr: several resolutions, colours, and how they were made."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_seedbed.core.progress import tell
from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.data.image import SPATIAL, Image
from napari_seedbed.pipeline.data.plain_values import to_plain
from napari_seedbed.pipeline.data.units import unit_name
from napari_seedbed.pipeline.data.visible_text import visible
from napari_seedbed.pipeline.files.atomic_files import folder_written_whole
from napari_seedbed.pipeline.files.zarr_levels import Level, levels_of, write_levels
from napari_seedbed.pipeline.files.zarr_reading import OWN, RGB
from napari_seedbed.pipeline.files.zarr_store import ZarrStore
from napari_seedbed.version import __version__

Version = Literal["0.4", "0.5"]

# Where a channel has no colour of its own: those in which Seedbed shows them.
_COLOURS = ("FF00FF", "00FF00", "00FFFF", "FFFF00", "FF0000", "0000FF")
_PRIMARY = ("FF0000", "00FF00", "0000FF", "FFFFFF")
# In groups: resolutions by their numbers, labels, and what disks and versions of Zarr hide.
_WRITTEN = re.compile(r"[0-9]+|labels|zarr\.json|\..*", re.DOTALL)
_NO_NAME = re.compile(r"[^\w.() -]|^\.+")


def write_zarr(
    path: str | PathLike[str],
    image: Image,
    labels: Mapping[str, Image] | None = None,
    *,
    version: Version = "0.5",
    is_labels: bool = False,
) -> Path:
    """Write an image, and labels that lie on it, as OME-Zarr in several resolutions.

    Values, voxel size, place, names and colours of channels come back exactly, axes in the order
    t, c, z, y, x. Channels without colour get one, which the format demands. Lazy images are never
    in memory as a whole.

    Parameters
    ----------
    path : path-like
        Of the folder. One that is there is replaced only where this function wrote it.
    image : Image
    labels : mapping of str to Image, optional
        By their names.
    version : {'0.4', '0.5'}
        Of OME-Zarr; the earlier one is for programs that cannot read the later, and has no shards.
    is_labels : bool
        Whether the image itself is one of labels, or a mask. Labels keep their type, and lower
        resolutions hold the most frequent label of a block, so that no other ones appear.

    Raises
    ------
    InputError
        For types and axes that OME-Zarr does not have.
    FileError
        When it cannot be written; nothing is left behind.
    """
    path = Path(path)
    for name, one in {"image": image, **(labels or {})}.items():
        _check(name, one, is_labels=is_labels or name != "image")
    with folder_written_whole(path, is_own=is_all_own) as temporary:
        _write(temporary, image, labels or {}, version, is_labels=is_labels)
    return path


def write_zarr_labels(
    path: str | PathLike[str], labels: Image, *, version: Version = "0.5"
) -> Path:
    """Write labels or a mask as OME-Zarr; see `write_zarr`."""
    return write_zarr(path, labels, version=version, is_labels=True)


def _write(
    folder: Path, image: Image, labels: Mapping[str, Image], version: Version, *, is_labels: bool
) -> None:
    import zarr

    zarr_format: Any = 3 if version == "0.5" else 2
    top = zarr.open_group(folder, mode="w", zarr_format=zarr_format)
    count = 1 + len(labels)
    for share in _fill(top, image, version, is_labels=is_labels):
        tell(share / count, "writing")
    if not labels:
        return
    names = _names_of(labels)
    group = top.create_group("labels")
    for nth, (name, one) in enumerate(zip(names, labels.values(), strict=True), start=1):
        for share in _fill(
            group.create_group(name), one, version, is_labels=True, lies_on="../../"
        ):
            tell((nth + share) / count, "writing")
    group.attrs.update(_attributes({"labels": names}, version))


def _fill(
    group: Any, image: Image, version: Version, *, is_labels: bool, lies_on: str = ""
) -> Iterator[float]:
    """Write all resolutions of one image, and then what is said of it."""
    stored = as_stored(image)
    levels = stored_levels(stored)
    yield from write_levels(
        group,
        stored.array,
        stored.axes,
        levels,
        are_labels=is_labels,
        zarr_format=group.metadata.zarr_format,
    )
    lowest = group[str(len(levels) - 1)]
    group.attrs.update(
        attributes_of(image, levels, version, is_labels=is_labels, lies_on=lies_on, lowest=lowest)
    )


def as_stored(image: Image) -> Image:
    """An image with its axes and type as OME-Zarr has them, colours as channels among others."""
    axes = tuple(axis for axis in ("t", "c", *SPATIAL) if axis in image.axes)
    array = image.array.transpose([image.axes.index(axis) for axis in axes])
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    return replace(image, array=array, axes=axes, rgb=False)


def stored_levels(stored: Image) -> list[Level]:
    """The resolutions of an image of `as_stored`."""
    sizes = dict(zip(stored.spatial_axes, stored.spacing, strict=True))
    return levels_of(stored.shape, stored.axes, sizes)


def attributes_of(
    image: Image,
    levels: Sequence[Level],
    version: Version = "0.5",
    *,
    is_labels: bool,
    lies_on: str = "",
    lowest: Any = None,
) -> dict[str, Any]:
    """What the group of an image says of it.

    Parameters
    ----------
    image : Image
    levels : sequence of Level
    version : {'0.4', '0.5'}
    is_labels : bool
    lies_on : str, optional
        For labels, the path of the image that they lie on, seen from their group.
    lowest : array_like, optional
        The lowest resolution, whose values say what range channels are shown in. Without it there
        is no such range.
    """
    own: dict[str, Any] = {"version": __version__}
    if image.rgb:
        own[RGB] = True
    if image.record is not None:
        own["record"] = to_plain(image.record, {}, "record")
    axes = tuple(axis for axis in ("t", "c", *SPATIAL) if axis in image.axes)
    sizes = dict(zip(image.spatial_axes, image.spacing, strict=True))
    places = dict(zip(image.spatial_axes, image.translate, strict=True))
    spacing = [sizes.get(axis, 1.0) for axis in axes]
    begin = [places.get(axis, 0.0) for axis in axes]
    described = {
        "name": visible(image.name),
        "axes": [_axis(axis, image) for axis in axes],
        "datasets": [
            {
                "path": str(number),
                "coordinateTransformations": [
                    {"type": "scale", "scale": level.scale(spacing)},
                    {"type": "translation", "translation": level.shift(spacing, begin)},
                ],
            }
            for number, level in enumerate(levels)
        ],
        "type": "mode" if is_labels else "mean",
    }
    if version == "0.4":
        described["version"] = version
    said: dict[str, Any] = {"multiscales": [described]}
    if is_labels:
        said["image-label"] = {"source": {"image": lies_on}} if lies_on else {}
        if version == "0.4":
            said["image-label"]["version"] = version
    elif "c" in axes and lowest is not None:
        said["omero"] = _omero(image, lowest, axes.index("c"))
    return _attributes(said, version) | {OWN: own}


def _attributes(said: dict[str, Any], version: Version) -> dict[str, Any]:
    return said if version == "0.4" else {"ome": {"version": version, **said}}


def _axis(axis: str, image: Image) -> dict[str, str]:
    if axis in ("t", "c"):
        return {"name": axis, "type": {"t": "time", "c": "channel"}[axis]}
    unit = unit_name(image.units[image.spatial_axes.index(axis)]) or "pixel"
    return {"name": axis, "type": "space"} | ({} if unit == "pixel" else {"unit": unit})


def _omero(image: Image, lowest: Any, channel_axis: int) -> dict[str, Any]:
    """Names, colours and ranges of channels; ranges by the lowest resolution."""
    values = np.moveaxis(np.asarray(lowest[...]), channel_axis, 0)
    channels = []
    for nth, channel in enumerate(values):
        finite = channel[np.isfinite(channel)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        limits = np.iinfo(channel.dtype) if channel.dtype.kind in "iu" else None
        stated = image.channel_colors[nth] if image.channel_colors else None
        usual = (_PRIMARY if image.rgb else _COLOURS)[nth % (4 if image.rgb else len(_COLOURS))]
        channels.append(
            {
                "label": visible(image.channel_names[nth]) if image.channel_names else "",
                "color": (stated or usual).lstrip("#")[:6].upper(),
                "active": True,
                "window": {
                    "min": low if limits is None else int(limits.min),
                    "max": high if limits is None else int(limits.max),
                    "start": low,
                    "end": max(high, np.nextafter(low, np.inf)),
                },
            }
        )
    model = "greyscale" if len(channels) == 1 else "color"
    return {"channels": channels, "rdefs": {"model": model}}


def _check(name: str, image: Image, *, is_labels: bool) -> None:
    if len(image.axes) != len(set(image.axes) & {"t", "c", *SPATIAL}):
        raise InputError(f"{name}: its axes are {image.axes}; OME-Zarr knows t, c, z, y and x.")
    if image.dtype.kind not in ("biu" if is_labels else "biuf"):
        wanted = "whole numbers are" if is_labels else "numbers are"
        raise InputError(f"{name}: it holds {image.dtype}; {wanted} needed.")


def _names_of(labels: Mapping[str, Image]) -> list[str]:
    """Names of groups, one a labels image, that every disk can hold."""
    names: list[str] = []
    for given in labels:
        name = _NO_NAME.sub("_", visible(given)).strip() or "labels"
        number, free = 2, name
        while free in names:
            number, free = number + 1, f"{name} {number}"
        names.append(free)
    return names


def is_all_own(folder: Path) -> bool:
    """Whether this package wrote a folder and the labels in it, and nothing else lies there."""
    labels = folder / "labels"
    try:
        inside = list(labels.iterdir()) if labels.is_dir() else []
        groups = [one for one in inside if one.is_dir()]
        there = [one for group in (folder, *groups) for one in group.iterdir()]
        there += [one for one in inside if one not in groups]
        said = ZarrStore(folder).attributes(["", *(f"labels/{one.name}" for one in groups)])
    except (FileError, OSError, ValueError):
        return False
    is_known = all(_WRITTEN.fullmatch(one.name) for one in there)
    return is_known and all(found and OWN in found for found in said)
