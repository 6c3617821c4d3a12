"""Images from Nikon's ND2 files, through the library nd2 of the extra `formats`."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files.extra_libraries import from_extra
from napari_seedbed.pipeline.files.images_of_file import ImageOfFile, chosen_image
from napari_seedbed.pipeline.files.placed_images import Placing, letters_of, placed_image
from napari_seedbed.pipeline.files.voxels_in_file import Planes, missing_note, read_voxels

ND2_STARTS = (b"\xda\xce\xbe\x0a", b"\x00\x00\x00\x0cjP  \r\n\x87\n")

_CHUNK = struct.Struct("<IIQ")
_MAGIC = 0x0ABECEDA
_POSITION = "P"


def images_of_nd2(path: Path) -> list[ImageOfFile]:
    """An image for each position of the stage."""
    with _opened(path) as file:
        return _summaries(file)


def read_nd2(path: Path, name: str, lazy: bool | None, series: int | None) -> Image:
    """Read an image as `read_image` does.

    Raises
    ------
    FileError
        When the file is cut off or damaged, or the library is not installed.
    InputError
        When it has no such position.
    """
    file = _opened(path)
    try:
        nth, name, notes = chosen_image(path, name, series, _summaries(file))
        outer = {axis: n for axis, n in _outer(file).items() if axis != _POSITION}
        planes = _planes(path, file, outer, nth)
        array = read_voxels(path, planes, lazy, token=nth)
        letters = "".join(outer) + "CYX" + ("S" if planes.shape[-1] == 3 and _is_rgb(file) else "")
        notes += _missing(file, outer, nth)
        where, (channels, colours) = Placing(_sizes(file)), _channels(file)
    except BaseException:
        file.close()
        raise
    if letters.endswith("S"):
        letters = letters.replace("C", "P")
    return placed_image(
        path,
        array,
        letters_of(array.shape, letters),
        where,
        notes,
        channel_names=channels,
        channel_colors=colours,
        name=name,
    )


def _opened(path: Path) -> Any:
    with from_extra(path, "ND2"):
        import nd2
    return nd2.ND2File(path)


def _is_rgb(file: Any) -> bool:
    return int(file.components_per_channel) == 3


def _outer(file: Any) -> dict[str, int]:
    """The loops of the experiment, the slowest first: letters of their axes, and lengths."""
    loops = file.loop_indices
    if not loops:
        return {}
    return {axis: max(place[axis] for place in loops) + 1 for axis in loops[0]}


def _frame_shape(file: Any) -> tuple[int, ...]:
    """Channels, rows and columns, and colours where there are some."""
    attributes = file.attributes
    height, width = int(attributes.heightPx), int(attributes.widthPx or 0)
    if _is_rgb(file):
        return (int(attributes.channelCount or 1), height, width, 3)
    return (int(attributes.componentCount), height, width)


def _summaries(file: Any) -> list[ImageOfFile]:
    outer = _outer(file)
    count = outer.pop(_POSITION, 1)
    whole = (*outer.values(), *_frame_shape(file))
    shape = tuple(n for n in whole if n != 1)
    return [ImageOfFile("", shape, file.dtype.name)] * count


def _frames(file: Any, outer: dict[str, int], nth: int) -> NDArray[np.integer]:
    """The number of the frame at each place of the loops."""
    everything = _outer(file)
    numbers = np.arange(int(np.prod(list(everything.values()), dtype=np.int64)))
    grid = numbers.reshape(tuple(everything.values()))
    if _POSITION in everything:
        grid = np.take(grid, [nth], axis=list(everything).index(_POSITION))
    return grid.reshape(tuple(outer.values()))


def _planes(path: Path, file: Any, outer: dict[str, int], nth: int) -> Planes:
    frames, shape = _frames(file, outer, nth), _frame_shape(file)
    places = _places(file)

    def read(index: tuple[int, ...]) -> NDArray:
        frame = int(frames[index])
        if places is not None:
            if frame not in places:
                return np.zeros(shape, file.dtype)
            _check_frame(path, places[frame], frame)
        return np.reshape(file.read_frame(frame), shape)

    return Planes((*outer.values(), *shape), file.dtype, read, len(shape), file.close)


def _places(file: Any) -> dict[int, int] | None:
    """Where each frame begins; the library gives zeros for what it does not find."""
    chunks = getattr(file._rdr, "chunkmap", None)
    if chunks is None:
        return None
    key = b"ImageDataSeq|"
    return {
        int(name[len(key) : -1]): int(place)
        for name, (place, _) in chunks.items()
        if name.startswith(key)
    }


def _check_frame(path: Path, place: int, frame: int) -> None:
    """Refuse a frame that is not where the map of the file says."""
    with path.open("rb") as file:
        file.seek(place)
        head = file.read(_CHUNK.size)
        magic, length, size = _CHUNK.unpack(head)
        name = file.read(min(length, 64))
        ends = place + _CHUNK.size + length + size
    if magic != _MAGIC or not name.startswith(b"ImageDataSeq|%d!" % frame):
        raise ValueError(f"plane {frame + 1} is not where it should be")
    if ends > path.stat().st_size:
        raise ValueError(f"plane {frame + 1} ends after the end of the file")


def _missing(file: Any, outer: dict[str, int], nth: int) -> list[str]:
    places = _places(file)
    frames = _frames(file, outer, nth).ravel()
    there = len(frames) if places is None else sum(int(frame) in places for frame in frames)
    return missing_note(there, len(frames), "planes")


def _sizes(file: Any) -> dict[str, tuple[float, str]]:
    """Voxel sizes in micrometres."""
    size = file.voxel_size()
    return {
        axis: (float(step), "µm")
        for axis, step in (("z", size.z), ("y", size.y), ("x", size.x))
        if step and np.isfinite(step) and step > 0
    }


def _channels(file: Any) -> tuple[list[str], list[str]]:
    """Names and colours."""
    channels = [one.channel for one in getattr(file.metadata, "channels", None) or ()]
    colours = [(one.color.r, one.color.g, one.color.b) for one in channels]
    return [str(one.name or "") for one in channels], [
        "#" + "".join(f"{int(value) & 255:02x}" for value in rgb) for rgb in colours
    ]
