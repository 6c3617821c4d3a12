"""Voxel size, units, channel names and colours, as OME-TIFF, ImageJ and plain TIFF state them."""

import re
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from napari_seedbed.pipeline.units import convert, unit_name

_FINEST_PRINT = 2.54e-5  # metres: dots larger than this (1000 dpi) are meant for paper
_ODD_RATIO = 50.0


@dataclass
class Metadata:
    """What a file says about its voxels; sizes by axis name."""

    spacing: dict[str, float] = field(default_factory=dict)
    unit: str = "pixel"
    channel_names: list[str] = field(default_factory=list)
    channel_colors: list[str | None] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_metadata(tif: Any, n_channels: int, has_z: bool) -> Metadata:
    """Collect metadata of the first image.

    Parameters
    ----------
    tif : tifffile.TiffFile
    n_channels : int
        Names and colours are kept only when there is one for each channel.
    has_z : bool
        Whether the image has a z axis, so that a z spacing is missed.
    """
    if tif.is_ome and tif.ome_metadata:
        found = _from_ome(tif.ome_metadata)
    elif tif.is_imagej and tif.imagej_metadata is not None:
        found = _from_imagej(tif.imagej_metadata, tif.pages[0], n_channels)
    elif tif.is_lsm and tif.lsm_metadata:
        found = _from_lsm(tif.lsm_metadata)
    else:
        found = _from_resolution(tif.pages[0])
    for names in (found.channel_names, found.channel_colors):
        if len(names) != n_channels:
            names.clear()
    if not any(found.channel_names):
        found.channel_names.clear()
    if not any(found.channel_colors):
        found.channel_colors.clear()
    _judge(found, has_z)
    return found


def _judge(found: Metadata, has_z: bool) -> None:
    """Note what looks wrong; keep what the file says, as people may know better."""
    x = found.spacing.get("x", 1.0)
    if not has_z:
        found.spacing.pop("z", None)
        return
    z = found.spacing.get("z")
    if z is None and (found.unit != "pixel" or x != 1.0):
        found.spacing["z"] = 1.0
        found.notes.append(
            f"The file states no distance between slices; 1 {found.unit} is assumed. Set the "
            "layer's scale if that is wrong."
        )
    elif z is not None and not 1 / _ODD_RATIO <= z / x <= _ODD_RATIO:
        found.notes.append(
            f"The distance between slices, {z:g} {found.unit}, looks wrong beside a pixel size of "
            f"{x:g} {found.unit}; it was kept. Set the layer's scale if it is wrong."
        )


def _from_ome(text: str) -> Metadata:
    found = Metadata()
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        found.notes.append("The OME metadata are damaged; voxel size and channels are unknown.")
        return found
    pixels = root.find(".//{*}Pixels")
    if pixels is None:
        return found
    sizes: dict[str, tuple[float, str]] = {}
    for axis in "zyx":
        size = _positive(pixels.get(f"PhysicalSize{axis.upper()}"))
        if size is None:
            continue
        stated = pixels.get(f"PhysicalSize{axis.upper()}Unit", "µm")
        unit = unit_name(stated)
        if unit is None:
            found.notes.append(f"The unit {stated!r} is not known; pixels are assumed.")
        sizes[axis] = (size, unit or "pixel")
    found.unit = sizes.get("x", sizes.get("y", (1.0, "pixel")))[1]
    for axis, (size, unit) in sizes.items():
        length = convert(size, unit, found.unit)
        found.spacing[axis] = size if length is None else length
    for channel in pixels.findall("{*}Channel"):
        found.channel_names += [channel.get("Name", "")] * int(channel.get("SamplesPerPixel", 1))
        color = channel.get("Color")
        code = f"#{(int(color) >> 8) & 0xFFFFFF:06x}" if color is not None else None
        found.channel_colors += [code] * int(channel.get("SamplesPerPixel", 1))
    return found


def _from_imagej(metadata: dict[str, Any], page: Any, n_channels: int) -> Metadata:
    found = Metadata()
    stated = str(metadata.get("unit", ""))
    unit = unit_name(stated)
    if unit is None:
        found.notes.append(f"The unit {stated!r} is not known; pixels are assumed.")
    found.unit = unit or "pixel"
    for axis, tag in (("x", "XResolution"), ("y", "YResolution")):
        size = _pixel_size(page, tag)
        if size is not None:
            found.spacing[axis] = size
    z = _positive(metadata.get("spacing"))
    if z is not None:
        found.spacing["z"] = z
    found.channel_names = _imagej_names(metadata.get("Labels"), n_channels)
    if metadata.get("mode") in ("composite", "color"):
        found.channel_colors = [
            "#" + "".join(f"{int(plane[-1]):02x}" for plane in lut)
            for lut in metadata.get("LUTs", [])
        ]
    return found


def _imagej_names(labels: Any, n_channels: int) -> list[str]:
    """Slice labels that are names of channels: the same for every slice, different by channel."""
    if isinstance(labels, str):
        labels = [labels]
    if not labels or n_channels < 2 or len(labels) < n_channels:
        return []
    names = [str(label).strip() for label in labels[:n_channels]]
    repeated = all(str(lab).strip() == names[i % n_channels] for i, lab in enumerate(labels))
    numbered = any(re.match(r"[czt]:\d+/\d+", name) for name in names)
    return names if repeated and not numbered and len(set(names)) == n_channels else []


def _from_lsm(metadata: dict[str, Any]) -> Metadata:
    """Zeiss LSM states metres."""
    found = Metadata(unit="micrometer")
    for axis in "zyx":
        size = _positive(metadata.get(f"VoxelSize{axis.upper()}"))
        if size is not None:
            found.spacing[axis] = size * 1e6
    return found


def _from_resolution(page: Any) -> Metadata:
    """Pixel size of a plain TIFF, unless it is a number of dots per inch meant for printing."""
    found = Metadata()
    tag = page.tags.get("ResolutionUnit")
    per = {2: "inch", 3: "centimeter"}.get(int(tag.value) if tag is not None else 1)
    if per is None:
        return found
    sizes = {}
    for axis, name in (("x", "XResolution"), ("y", "YResolution")):
        size = _pixel_size(page, name)
        meters = None if size is None else convert(size, per, "meter")
        if meters is None or meters > _FINEST_PRINT:
            return found
        sizes[axis] = meters * 1e6
    found.spacing, found.unit = sizes, "micrometer"
    return found


def _pixel_size(page: Any, tag: str) -> float | None:
    value = page.tags.get(tag)
    if value is None:
        return None
    above, below = value.value
    return below / above if above > 0 and below > 0 else None


def _positive(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 < number < float("inf") else None
