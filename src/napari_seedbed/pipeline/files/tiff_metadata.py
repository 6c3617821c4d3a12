"""Voxel size, units, channel names and colours, as OME-TIFF, ImageJ and plain TIFF state them."""

import math
import re
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from napari_seedbed.pipeline.data.units import convert, unit_name
from napari_seedbed.pipeline.files.label_signs import ome_says_labels
from napari_seedbed.pipeline.files.ome_annotations import PLACE, annotations_of_image

_FINEST_PRINT = 2.54e-5  # metres: dots larger than this (1000 dpi) are meant for paper
_ODD_RATIO = 50.0
# Of ImageJ's functions of calibration.
_STRAIGHT_LINE, _UNCALIBRATED = 0, 20


@dataclass
class Metadata:
    """What a file says about its voxels; sizes by axis name.

    A stored value v stands for ``calibration[0] + calibration[1] * v``. The place is that of
    `ome_annotations`.
    """

    spacing: dict[str, float] = field(default_factory=dict)
    unit: str = "pixel"
    channel_names: list[str] = field(default_factory=list)
    channel_colors: list[str | None] = field(default_factory=list)
    calibration: tuple[float, float] = (0.0, 1.0)
    holds_labels: bool = False
    place: str = ""
    notes: list[str] = field(default_factory=list)


def read_metadata(tif: Any, nth: int, n_channels: int, has_z: bool) -> Metadata:
    """Collect metadata of one image.

    Parameters
    ----------
    tif : tifffile.TiffFile
    nth : int
        Which of its images, counted from 0.
    n_channels : int
        Names and colours are kept only when there is one for each channel.
    has_z : bool
        Whether the image has a z axis, so that a z spacing is missed.
    """
    page = tif.series[nth].keyframe
    if tif.is_ome and tif.ome_metadata:
        found = _from_ome(tif.ome_metadata, nth, [series.name for series in tif.series])
    elif tif.is_imagej and tif.imagej_metadata is not None:
        found = _from_imagej(tif.imagej_metadata, page, n_channels)
    elif tif.is_lsm and tif.lsm_metadata:
        found = _from_lsm(tif.lsm_metadata)
    else:
        found = _from_resolution(page)
    if any(found.channel_names) and len(found.channel_names) != n_channels:
        found.notes.append(
            f"The file names {len(found.channel_names)} channels and has {n_channels}; the names "
            "were left out."
        )
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


def _from_ome(text: str, nth: int, names: list[str]) -> Metadata:
    found = Metadata()
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        found.notes.append("The OME metadata are damaged; voxel size and channels are unknown.")
        return found
    image = _image_of(root, nth, names)
    pixels = None if image is None else image.find("{*}Pixels")
    if image is None or pixels is None:
        return found
    own = annotations_of_image(image, root)
    found.place = own.get(PLACE, "")
    found.holds_labels = ome_says_labels(image, own)
    sizes: dict[str, tuple[float, str]] = {}
    for axis in "xyz":
        stated = pixels.get(f"PhysicalSize{axis.upper()}", "")
        size = _positive(stated)
        if size is not None:
            sizes[axis] = (size, pixels.get(f"PhysicalSize{axis.upper()}Unit", "µm"))
        elif stated:
            found.notes.append(f"The voxel size along {axis}, {stated!r}, is no length above 0.")
    set_sizes(found, sizes)
    for channel in pixels.findall("{*}Channel"):
        n_samples = int(channel.get("SamplesPerPixel") or 1)
        found.channel_names += [channel.get("Name", "")] * n_samples
        found.channel_colors += [_ome_color(channel.get("Color"), found.notes)] * n_samples
    return found


def _image_of(root: ElementTree.Element, nth: int, names: list[str]) -> ElementTree.Element | None:
    """What is said of an image; where tifffile left out some without data, names decide."""
    images = [image for image in root.findall("{*}Image") if image.find("{*}Pixels") is not None]
    if len(images) == len(names):
        return images[nth]
    named = [image for image in images if image.get("Name") == names[nth]]
    return named[0] if len(named) == 1 else None


def _ome_color(stated: str | None, notes: list[str]) -> str | None:
    """``#rrggbb`` from OME's signed 32-bit RGBA; None where there is none."""
    if not stated:
        return None
    try:
        return f"#{(int(stated) >> 8) & 0xFFFFFF:06x}"
    except ValueError:
        notes.append(f"The colour {stated!r} of a channel is no number; it was left out.")
        return None


def set_sizes(found: Metadata, sizes: dict[str, tuple[float, str]]) -> None:
    """Voxel sizes in one unit, that of x; each comes with its unit as the file spells it."""
    units = {}
    for axis, (_, stated) in sizes.items():
        unit = unit_name(stated)
        if unit is None:
            note = f"The unit {stated!r} is not known; pixels are assumed."
            found.notes += [] if note in found.notes else [note]
        units[axis] = unit or "pixel"
    found.unit = units.get("x", units.get("y", "pixel"))
    for axis, (size, stated) in sizes.items():
        length = convert(size, units[axis], found.unit)
        if length is not None:
            found.spacing[axis] = length
        elif unit_name(stated) is not None:
            found.notes.append(
                f"The voxel size along {axis} is stated in {units[axis]}, beside {found.unit} "
                "along x; it was left out."
            )
    if "y" not in found.spacing and "x" in found.spacing:
        found.spacing["y"] = found.spacing["x"]


def _from_imagej(metadata: dict[str, Any], page: Any, n_channels: int) -> Metadata:
    found = Metadata()
    unit = str(metadata.get("unit", ""))
    sizes: dict[str, tuple[float, str]] = {}
    for axis, tag in (("x", "XResolution"), ("y", "YResolution")):
        sizes[axis] = (_pixel_size(page, tag) or 1.0, str(metadata.get(f"{axis}unit", unit)))
    z = _positive(metadata.get("spacing"))
    if z is not None:
        sizes["z"] = (z, str(metadata.get("zunit", unit)))
    elif "spacing" in metadata:
        found.notes.append(
            f"The distance between slices, {metadata['spacing']}, is no length above 0."
        )
    set_sizes(found, sizes)
    found.channel_names = _imagej_names(metadata.get("Labels"), n_channels)
    if metadata.get("mode") in ("composite", "color"):
        found.channel_colors = [
            "#" + "".join(f"{int(plane[-1]):02x}" for plane in lut)
            for lut in metadata.get("LUTs", [])
        ]
    _set_calibration(found, metadata)
    return found


def _set_calibration(found: Metadata, metadata: dict[str, Any]) -> None:
    """ImageJ's calibration of values: a line, or one of its other functions, by number."""
    function = metadata.get("cf", _UNCALIBRATED)
    start, step = metadata.get("c0", 0.0), metadata.get("c1", 1.0)
    if function == _UNCALIBRATED:
        return
    finite = all(isinstance(n, int | float) and math.isfinite(n) for n in (start, step))
    if function != _STRAIGHT_LINE or not finite or not step:
        found.notes.append(
            "The file calibrates its values by a function that is no straight line; values are as "
            "stored."
        )
        return
    found.calibration = (float(start), float(step))


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
