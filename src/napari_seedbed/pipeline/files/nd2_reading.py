"""Images from Nikon's ND2 files, through the library nd2 of the extra `formats`."""

import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files.extra_libraries import from_extra
from napari_seedbed.pipeline.files.images_of_file import ImageOfFile, chosen_image
from napari_seedbed.pipeline.files.placed_images import Placing, letters_of, placed_image
from napari_seedbed.pipeline.files.voxels_in_file import Planes, missing_note, read_voxels

ND2_STARTS = (b"\xda\xce\xbe\x0a", b"\x00\x00\x00\x0cjP  \r\n\x87\n")

_CHUNK = struct.Struct("<IIQ")
_MAGIC = 0x0ABECEDA
# Width and height, behind two markers.
_CODESTREAM = struct.Struct(">8xII")
_FRAME = b"ImageDataSeq|"
# Of a frame: its time comes before its voxels.
_TIME_BYTES = 8
_POSITION = "P"
_LETTERS = {"TimeLoop": "T", "NETimeLoop": "T", "XYPosLoop": _POSITION, "ZStackLoop": "Z"}
# Of other loops.
_OTHER = "U"
_MOST_FRAMES = 5_000_000
# Rows end at multiples of some bytes.
_MOST_PADDING = 4096
# A description that was packed begins so; its length follows.
_PACKED, _PACKED_AFTER = b"L", 12
_LARGEST_DESCRIPTION = 64 << 20


def images_of_nd2(path: Path) -> list[ImageOfFile]:
    """An image for each position of the stage."""
    with _opened(path) as file:
        return _summaries(path, file)


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
        nth, name, notes = chosen_image(path, name, series, _summaries(path, file))
        loops, frames = _loops(path, file), _frames(path, file, nth)
        planes = _planes(path, file, frames)
        array = read_voxels(path, planes, lazy, token=nth)
        letters = "".join(letter for letter, _ in loops if letter != _POSITION) + "CYX"
        if _is_colour(file):
            letters = letters.replace("C", _OTHER) + "S"
        notes += _missing(file, frames, math.prod(length for _, length in loops))
        where, (channels, colours) = Placing(_sizes(file)), _channels(file)
    except BaseException:
        file.close()
        raise
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
    file = nd2.ND2File(path)
    try:
        _check_descriptions(path, file)
    except BaseException:
        file.close()
        raise
    return file


def _chunks(file: Any) -> dict[bytes, tuple[int, int]]:
    """Where the parts of the file begin; of files in JPEG 2000, nothing."""
    return {} if file.is_legacy else file._rdr.chunkmap


def _check_descriptions(path: Path, file: Any) -> None:
    """Refuse descriptions that would unpack to more than any is; the library would unpack them."""
    for name in _chunks(file):
        raw = b"" if name.startswith((_FRAME, b"Custom", b"ND2")) else file._rdr._load_chunk(name)
        while raw.startswith(_PACKED):
            raw = zlib.decompressobj().decompress(raw[_PACKED_AFTER:], _LARGEST_DESCRIPTION)
            if len(raw) == _LARGEST_DESCRIPTION:
                raise FileError(
                    f"{path} could not be read: a part of it is longer than a description can be."
                )


def _is_colour(file: Any) -> bool:
    return int(file.components_per_channel) in (3, 4)


def _loops(path: Path, file: Any) -> list[tuple[str, int]]:
    """The loops of the experiment, the slowest first: letters of their axes, and lengths."""
    loops = [(_LETTERS.get(loop.type, _OTHER), int(loop.count)) for loop in file.experiment]
    count = math.prod(length for _, length in loops)
    if not 1 <= count <= _MOST_FRAMES:
        raise FileError(
            f"{path} could not be read: it is damaged. It declares {count} planes, and up to "
            f"{_MOST_FRAMES} can be worked with."
        )
    return loops


def _frame_shape(file: Any) -> tuple[int, ...]:
    """Channels, rows and columns, and colours where there are some."""
    attributes = file.attributes
    height, width = int(attributes.heightPx), int(attributes.widthPx or 0)
    if _is_colour(file):
        return (int(attributes.channelCount or 1), height, width, int(file.components_per_channel))
    return (int(attributes.componentCount), height, width)


def _summaries(path: Path, file: Any) -> list[ImageOfFile]:
    loops = _loops(path, file)
    whole = (*(length for letter, length in loops if letter != _POSITION), *_frame_shape(file))
    shape = tuple(n for n in whole if n != 1)
    return [ImageOfFile(name, shape, file.dtype.name) for name in _positions(file)]


def _positions(file: Any) -> list[str]:
    """Names of the positions of the stage; where these are none, that of the only one, empty."""
    for loop in file.experiment:
        if _LETTERS.get(loop.type) == _POSITION:
            return [str(point.name or "") for point in loop.parameters.points[: loop.count]]
    return [""]


def _frames(path: Path, file: Any, nth: int) -> NDArray[np.integer]:
    """The number of the frame at each place of the loops, of one position of the stage."""
    loops = _loops(path, file)
    lengths = [length for _, length in loops]
    grid = np.arange(math.prod(lengths)).reshape(lengths)
    return grid[tuple(nth if letter == _POSITION else slice(None) for letter, _ in loops)]


def _planes(path: Path, file: Any, frames: NDArray[np.integer]) -> Planes:
    shape, places = _frame_shape(file), _places(file)
    is_packed = file.attributes.compressionType == "lossless"

    def read(index: tuple[int, ...]) -> NDArray:
        frame = int(frames[index])
        if places is not None:
            if frame not in places:
                return np.zeros(shape, file.dtype)
            start, size = _frame_data(path, places[frame], frame)
            if is_packed:
                return _unpacked(path, file, start, size)
        else:
            _check_codestreams(file, frame)
        return np.reshape(file.read_frame(frame), shape)

    return Planes((*frames.shape, *shape), file.dtype, read, len(shape), file.close)


def _places(file: Any) -> dict[int, int] | None:
    """Where each frame begins; the library gives zeros for what it does not find."""
    if file.is_legacy:
        return None
    return {
        int(name[len(_FRAME) : -1]): int(place)
        for name, (place, _) in _chunks(file).items()
        if name.startswith(_FRAME)
    }


def _check_codestreams(file: Any, frame: int) -> None:
    """Refuse channels of a frame in JPEG 2000 that say to be larger than the image."""
    attributes = file.attributes
    expected, count = (attributes.widthPx, attributes.heightPx), attributes.channelCount or 1
    for nth in range(frame * count, (frame + 1) * count):
        declared = _CODESTREAM.unpack_from(file._rdr._load_chunk(b"LUNK", nth))
        if declared != expected:
            raise ValueError(f"a plane is of {declared}, not of {expected} pixels")


def _frame_data(path: Path, place: int, frame: int) -> tuple[int, int]:
    """Where the data of a frame begin, and their bytes; refused where the map of the file errs."""
    with path.open("rb") as file:
        file.seek(place)
        head = file.read(_CHUNK.size)
        magic, length, size = _CHUNK.unpack(head)
        name = file.read(min(length, 64))
    start = place + _CHUNK.size + length
    if magic != _MAGIC or not name.startswith(b"%s%d!" % (_FRAME, frame)):
        raise ValueError(f"plane {frame + 1} is not where it should be")
    if start + size > path.stat().st_size:
        raise ValueError(f"plane {frame + 1} ends after the end of the file")
    return start, size


def _unpacked(path: Path, file: Any, start: int, size: int) -> NDArray:
    """The voxels of a frame that was packed; never more is unpacked than there can be."""
    attributes = file.attributes
    shape = _frame_shape(file)
    colours = shape[3:]
    used = math.prod(shape) // shape[1] * file.dtype.itemsize
    row = int(attributes.widthBytes or used)
    if not used <= row <= used + _MOST_PADDING:
        raise ValueError(f"rows of {row} bytes hold {used}")
    with path.open("rb") as stream:
        stream.seek(start + _TIME_BYTES)
        packed = stream.read(size - _TIME_BYTES)
    raw = zlib.decompressobj().decompress(packed, shape[1] * row)
    rows = np.frombuffer(raw, np.uint8).reshape(shape[1], row)[:, :used]
    voxels = np.ascontiguousarray(rows).view(file.dtype)
    return np.moveaxis(voxels.reshape(*shape[1:3], shape[0], *colours), 2, 0)


def _missing(file: Any, frames: NDArray[np.integer], count: int) -> list[str]:
    """What to say where the planes in the file are others than those that it declares."""
    places = _places(file)
    if places is None:
        return []
    there = int(np.isin(frames, list(places)).sum())
    more = sum(frame >= count for frame in places)
    note = (
        f"{more} of the {len(places)} planes in the file belong to no time, position or slice; "
        "they were left out."
    )
    return missing_note(there, frames.size, "planes") + ([note] if more else [])


def _sizes(file: Any) -> dict[str, tuple[float, str]]:
    """Voxel sizes in micrometres, where the microscope was calibrated."""
    size, channels = file.voxel_size(), file.metadata.channels
    stated = {}
    if channels and channels[0].volume.axesCalibrated[0]:
        stated = {"y": size.y, "x": size.x}
    if any(_LETTERS.get(loop.type) == "Z" for loop in file.experiment):
        stated["z"] = size.z
    return {
        axis: (float(step), "µm")
        for axis, step in stated.items()
        if step and np.isfinite(step) and step > 0
    }


def _channels(file: Any) -> tuple[list[str], list[str]]:
    """Names and colours."""
    channels = [one.channel for one in getattr(file.metadata, "channels", None) or ()]
    colours = [(one.color.r, one.color.g, one.color.b) for one in channels]
    return [str(one.name or "") for one in channels], [
        "#" + "".join(f"{int(value) & 255:02x}" for value in rgb) for rgb in colours
    ]
