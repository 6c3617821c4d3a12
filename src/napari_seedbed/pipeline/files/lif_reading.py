"""Images from Leica's LIF files, through the library liffile of the extra `formats`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files.extra_libraries import from_extra
from napari_seedbed.pipeline.files.images_of_file import ImageOfFile, chosen_image
from napari_seedbed.pipeline.files.placed_images import Placing, placed_image
from napari_seedbed.pipeline.files.voxels_in_file import Planes, read_voxels

LIF_START = b"\x70\x00\x00\x00"

_COLOURS = {
    "red": "#ff0000",
    "green": "#00ff00",
    "blue": "#0000ff",
    "cyan": "#00ffff",
    "magenta": "#ff00ff",
    "yellow": "#ffff00",
    "gray": "#ffffff",
}


_AXES = {"1": "x", "2": "y", "3": "z"}
_TILE = "M"
_MOST_PARTS = 100_000
_CHANNELS = "./Data/Image/ImageDescription/Channels/ChannelDescription"
_HARDWARE = "./Data/Image/Attachment[@Name='HardwareSetting']"


@dataclass(frozen=True)
class _Part:
    """An image of the project; of one in tiles, which the library holds in one array, a tile."""

    image: Any
    tile: int | None = None

    def sizes(self) -> dict[str, int]:
        """Length along each axis."""
        left_out = set() if self.tile is None else {_TILE}
        return {axis: n for axis, n in self.image.sizes.items() if axis not in left_out}

    def summary(self) -> ImageOfFile:
        name = self.image.path if self.tile is None else f"{self.image.path} tile {self.tile + 1}"
        dtype = np.dtype(self.image.dtype).name
        return ImageOfFile(name, tuple(self.sizes().values()), dtype)


def images_of_lif(path: Path) -> list[ImageOfFile]:
    """All images of a project and their tiles, in its order, by their places in its folders."""
    with _opened(path) as file:
        return [part.summary() for part in _parts(path, file)]


def read_lif(path: Path, name: str, lazy: bool | None, series: int | None) -> Image:
    """Read an image as `read_image` does.

    Raises
    ------
    FileError
        When the file is cut off or damaged, holds no image, or the library is not installed.
    InputError
        When it has no such image.
    """
    file = _opened(path)
    try:
        parts = _parts(path, file)
        if not parts:
            raise FileError(f"{path} could not be read: it holds no image that is whole.")
        nth, name, notes = chosen_image(path, name, series, [one.summary() for one in parts])
        part = parts[nth]
        frames = part.image.frames
        inner = len(frames.frame_dims)
        lengths = part.sizes()
        axes = list(lengths)
        read = _plane_reader(part, axes[: len(axes) - inner])
        planes = Planes(tuple(lengths.values()), frames.dtype, read, inner, file.close)
        array = read_voxels(path, planes, lazy, token=nth)
        names, colours = _names(part.image), _colours(part.image)
        sizes = _sizes(part.image)
    except BaseException:
        file.close()
        raise
    if "Y" not in axes and "Z" in axes:
        # a section that was scanned along x and z
        axes[axes.index("Z")] = "Y"
        sizes["y"] = sizes.pop("z", sizes.get("x", (1.0, "")))
        notes.append("The image is a section along x and z; z was read as y.")
    return placed_image(
        path,
        array,
        "".join(_letter(axis) for axis in axes),
        Placing(sizes),
        notes,
        channel_names=names,
        channel_colors=colours,
        name=name,
    )


def _letter(label: str) -> str:
    """Other axes than these are rotations, loops and the like, whatever their letters mean."""
    return label if label in tuple("TCZYXS") else "P"


def _opened(path: Path) -> Any:
    with from_extra(path, "LIF"):
        import liffile
    file = liffile.LifFile(path)
    if file.type.name != "LIF":
        file.close()
        raise FileError(
            f"{path} could not be read: it is a part of a data set of Leica's. Save it as LIF."
        )
    return file


def _parts(path: Path, file: Any) -> list[_Part]:
    """The images that are more than a line; others of a project hold lifetimes."""
    parts: list[_Part] = []
    for image in file.images:
        if image.is_flim or len(image.shape) < 2:
            continue
        count = image.sizes.get(_TILE, 1)
        if len(parts) + count > _MOST_PARTS:
            raise FileError(
                f"{path} could not be read: it declares more than {_MOST_PARTS} images and tiles."
            )
        parts += [_Part(image)] if count == 1 else [_Part(image, n) for n in range(count)]
    return parts


def _plane_reader(part: _Part, outer: list[str]) -> Any:
    tile = {} if part.tile is None else {_TILE: part.tile}

    def read(index: tuple[int, ...]) -> NDArray:
        return np.asarray(part.image.frame(**dict(zip(outer, index, strict=True)), **tile))

    return read


def _sizes(image: Any) -> dict[str, tuple[float, str]]:
    """Voxel sizes in micrometres; lengths are those from the first to the last voxel, in metres."""
    sizes = {}
    for one in image.xml_element.iterfind(
        "./Data/Image/ImageDescription/Dimensions/DimensionDescription"
    ):
        axis, count = _AXES.get(one.get("DimID", "")), int(one.get("NumberOfElements", "1"))
        if axis and count > 1:
            step = abs(float(one.get("Length", "0"))) / (count - 1) * 1e6
            if np.isfinite(step) and step > 0:
                sizes[axis] = (step, "µm")
    return sizes


def _channels(image: Any) -> list[Element]:
    """What the file says of each channel, in the order of their voxels."""
    channels = image.xml_element.iterfind(_CHANNELS)
    return sorted(channels, key=lambda channel: int(channel.get("BytesInc", "0")))


def _colours(image: Any) -> tuple[str | None, ...]:
    return tuple(_COLOURS.get(one.get("LUTName", "").lower()) for one in _channels(image))


def _names(image: Any) -> list[str]:
    """The dyes: of the channels themselves, else of detectors or cubes that fit their number."""
    channels = _channels(image)
    named = [
        next(
            (
                about.findtext("Value", "")
                for about in channel.iterfind("ChannelProperty")
                if about.findtext("Key") == "DyeName"
            ),
            "",
        )
        for channel in channels
    ]
    hardware = image.xml_element.find(_HARDWARE)
    if not any(named) and hardware is not None:
        several = hardware.find(".//LDM_Block_Sequential") is not None
        named = [] if several else _dyes_of_detectors(hardware)
        if len(named) != len(channels):
            named = _cubes(hardware, channels)
    # a dye comes after the name of its list: Leica/FITC
    return [name.rpartition("/")[2] for name in named]


def _dyes_of_detectors(hardware: Element) -> list[str]:
    """Of a confocal microscope: one a detector that is in use."""
    dyes = {one.get("Channel"): one.get("DyeName", "") for one in hardware.iter("MultiBand")}
    active = [one for one in hardware.iter("Detector") if one.get("IsActive") == "1"]
    return [dyes.get(one.get("Channel"), "") for one in active]


def _cubes(hardware: Element, channels: Sequence[Element]) -> list[str]:
    """Of a microscope with a camera: one a channel, which its colour tells."""
    cubes: dict[str, str] = {}
    for one in hardware.iter("WideFieldChannelInfo"):
        name = one.get("UserDefName") or one.get("FluoCubeName") or ""
        cubes.setdefault(one.get("LUT", ""), name)
    return [cubes.get(channel.get("LUTName", ""), "") for channel in channels]
