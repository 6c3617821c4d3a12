"""Images from Leica's LIF files, through the library liffile of the extra `formats`."""

from pathlib import Path
from typing import Any

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


def images_of_lif(path: Path) -> list[ImageOfFile]:
    """All images of a project, in its order, by their places in its folders."""
    with _opened(path) as file:
        return [_summary(image) for image in _images(file)]


def _summary(image: Any) -> ImageOfFile:
    return ImageOfFile(image.path, tuple(image.shape), np.dtype(image.dtype).name)


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
        images = _images(file)
        if not images:
            raise FileError(f"{path} could not be read: it holds no image that is whole.")
        summaries = [_summary(image) for image in images]
        nth, name, notes = chosen_image(path, name, series, summaries)
        image = images[nth]
        frames = image.frames
        inner = len(frames.frame_dims)
        outer = tuple(frames.dims)[: len(frames.dims) - inner]
        read = _plane_reader(image, outer)
        planes = Planes(frames.shape, frames.dtype, read, inner, file.close)
        array = read_voxels(path, planes, lazy, token=nth)
        letters = "".join(frames.dims)
        colours = _colours(image)
        sizes = _sizes(image)
    except BaseException:
        file.close()
        raise
    if "Y" not in letters and "Z" in letters:
        # a section that was scanned along x and z
        letters = letters.replace("Z", "Y")
        sizes["y"] = sizes.pop("z", sizes.get("x", (1.0, "")))
        notes.append("The image is a section along x and z; z was read as y.")
    letters = "".join(_letter(one) for one in letters)
    return placed_image(
        path, array, letters, Placing(sizes), notes, channel_colors=colours, name=name
    )


def _letter(label: str) -> str:
    """Other axes than these are positions, rotations and the like, whatever their letters mean."""
    return label if label in "TCZYXS" else "P"


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


def _images(file: Any) -> list[Any]:
    """The images that are more than a line; others of a project hold lifetimes."""
    return [image for image in file.images if not image.is_flim and len(image.shape) >= 2]


def _plane_reader(image: Any, outer: tuple[str, ...]) -> Any:
    def read(index: tuple[int, ...]) -> NDArray:
        return np.asarray(image.frame(**dict(zip(outer, index, strict=True))))

    return read


def _sizes(image: Any) -> dict[str, tuple[float, str]]:
    """Voxel sizes in micrometres; coordinates are those of the first and the last voxel."""
    sizes = {}
    for label, places in image.coords.items():
        if label in ("X", "Y", "Z") and len(places) > 1:
            step = abs(float(places[-1]) - float(places[0])) / (len(places) - 1) * 1e6
            if np.isfinite(step) and step > 0:
                sizes[label.lower()] = (step, "µm")
    return sizes


def _colours(image: Any) -> tuple[str | None, ...]:
    tables = image.xml_element.iterfind("./Data/Image/ImageDescription/Channels/ChannelDescription")
    return tuple(_COLOURS.get(table.get("LUTName", "").lower()) for table in tables)
