"""Images from Zeiss' CZI files, through the library czifile of the extra `formats`.

The library reads the directory of the file; planes are put together from their tiles here, scene
by scene and when they are needed, and unpacked by imagecodecs, which knows Zstandard, too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files.extra_libraries import from_extra
from napari_seedbed.pipeline.files.images_of_file import ImageOfFile, chosen_image
from napari_seedbed.pipeline.files.placed_images import Placing, letters_of, placed_image
from napari_seedbed.pipeline.files.voxels_in_file import Planes, missing_note, read_voxels

CZI_START = b"ZISRAWFILE"

_DIRECTORY, _DESCRIPTION = b"ZISRAWDIRECTORY", b"ZISRAWMETADATA"
_SCENE, _TILE = "S", "M"
_OUTER, _PLANE = "TCZ", "YX"
_LZW, _JPEG, _JPEG_XR, _ZSTD, _ZSTD_WITH_HEADER = 2, 1, 4, 5, 6
_IMAGE = "./Metadata/Information/Image/Dimensions/"


@dataclass(frozen=True)
class _Tile:
    """A block of voxels: where it lies along each axis, and the library's entry for it."""

    starts: dict[str, int]
    sizes: dict[str, int]
    entry: Any


@dataclass(frozen=True)
class _Scene:
    """What belongs together: the tiles of one image in full resolution, and how far they reach."""

    name: str
    tiles: list[_Tile]
    low: dict[str, int]
    shape: tuple[int, ...]
    """Along t, c, z, y and x, and colours where there are some."""

    dtype: np.dtype
    left_out: list[str]

    def summary(self) -> ImageOfFile:
        shape = tuple(n for n in self.shape if n > 1)
        return ImageOfFile(self.name, shape, self.dtype.name)


def images_of_czi(path: Path) -> list[ImageOfFile]:
    """All scenes of a file."""
    with _opened(path) as file:
        return [scene.summary() for scene in _scenes(path, file, _description(file))]


def read_czi(path: Path, name: str, lazy: bool | None, series: int | None) -> Image:
    """Read a scene as `read_image` does, in full resolution.

    Raises
    ------
    FileError
        When the file is cut off or damaged, or the library is not installed.
    InputError
        When it has no such scene.
    """
    file = _opened(path)
    try:
        described = _description(file)
        scenes = _scenes(path, file, described)
        nth, name, notes = chosen_image(path, name, series, [one.summary() for one in scenes])
        scene = scenes[nth]
        read, plane_axes = _plane_reader(scene), len(scene.shape) - len(_OUTER)
        planes = Planes(scene.shape, scene.dtype, read, plane_axes, file.close)
        array = read_voxels(path, planes, lazy, token=nth)
    except BaseException:
        file.close()
        raise
    channels, colours = _channels(described)
    return placed_image(
        path,
        array,
        letters_of(scene.shape, "TCZYXS"[: len(scene.shape)]),
        Placing(_sizes(described)),
        [*notes, *scene.left_out, *_missing(scene)],
        channel_names=channels,
        channel_colors=colours,
        name=name,
    )


def _opened(path: Path) -> Any:
    with from_extra(path, "CZI"):
        from czifile.czifile import SubBlockDirectorySegment  # noqa: F401  the interface of 2019
    from czifile import CziFile

    file = CziFile(path, multifile=False)
    if not _is_segment(file, file.header.directory_position, _DIRECTORY):
        file.close()
        raise FileError(
            f"{path} is cut off or damaged: its directory is not where it should be. Copy it again "
            "from where it came from."
        )
    return file


def _is_segment(file: Any, place: int, kind: bytes) -> bool:
    """Whether a part of the file is there; the library would look for it through all of it."""
    if place <= 0:
        return False
    file._fh.seek(place)
    return bool(file._fh.read(16).rstrip(b"\0") == kind)


def _description(file: Any) -> ElementTree.Element:
    """The XML of the file; empty where there is none."""
    if _is_segment(file, file.header.metadata_position, _DESCRIPTION):
        try:
            return ElementTree.fromstring(file.metadata())
        except ElementTree.ParseError:
            pass
    return ElementTree.Element("ImageDocument")


def _scenes(path: Path, file: Any, described: ElementTree.Element) -> list[_Scene]:
    by_scene: dict[int, list[_Tile]] = {}
    for entry in file.subblock_directory:
        dimensions = entry.dimension_entries
        tile = _Tile(
            {one.dimension: int(one.start) for one in dimensions},
            {one.dimension: int(one.size) for one in dimensions},
            entry,
        )
        # smaller copies for the zoomed view are stored with fewer voxels than they stand for
        if all(one.stored_size == one.size for one in dimensions):
            by_scene.setdefault(tile.starts.get(_SCENE, 0), []).append(tile)
    if not by_scene:
        raise FileError(f"{path} could not be read: it holds no image in full resolution.")
    names = {
        int(scene.get("Index", -1)): scene.get("Name", "")
        for scene in described.iterfind(f"{_IMAGE}S/Scenes/Scene")
    }
    return [_scene(path, names.get(n, ""), tiles) for n, tiles in sorted(by_scene.items())]


def _scene(path: Path, name: str, tiles: list[_Tile]) -> _Scene:
    notes = []
    others = {axis for tile in tiles for axis in tile.starts} - {*_OUTER, *_PLANE, _SCENE, _TILE}
    for axis in sorted(others):
        starts = sorted({tile.starts.get(axis, 0) for tile in tiles})
        if len(starts) > 1:
            tiles = [tile for tile in tiles if tile.starts.get(axis, 0) == starts[0]]
            notes.append(
                f"The file holds {len(starts)} entries along its axis {axis}; the first was read."
            )
    axes = _OUTER + _PLANE
    low = {axis: min(tile.starts.get(axis, 0) for tile in tiles) for axis in axes}
    high = {
        axis: max(tile.starts.get(axis, 0) + tile.sizes.get(axis, 1) for tile in tiles)
        for axis in axes
    }
    for tile in tiles:
        if any(n != 1 for axis, n in tile.sizes.items() if axis not in _PLANE):
            raise FileError(f"{path} could not be read: a block of it is more than a plane.")
        if min(tile.sizes.get(axis, 0) for axis in _PLANE) < 1:
            raise FileError(f"{path} could not be read: it is damaged; a block of it is empty.")
    samples = {int(tile.entry.shape[-1]) for tile in tiles}
    kinds = {np.dtype(tile.entry.dtype[-2:]) for tile in tiles}
    if len(samples) > 1 or any(kind.kind not in "iuf" for kind in kinds):
        raise FileError(
            f"{path} could not be read: its voxels are complex numbers, or of several kinds."
        )
    shape = tuple(high[axis] - low[axis] for axis in axes)
    (count,) = samples
    return _Scene(
        name,
        sorted(tiles, key=lambda tile: tile.starts.get(_TILE, 0)),
        low,
        shape if count == 1 else (*shape, count),
        np.result_type(*kinds).newbyteorder("="),
        notes,
    )


def _place(scene: _Scene, tile: _Tile) -> tuple[int, ...]:
    """Which time point, channel and slice it belongs to."""
    return tuple(tile.starts.get(axis, 0) - scene.low[axis] for axis in _OUTER)


def _missing(scene: _Scene) -> list[str]:
    there = len({_place(scene, tile) for tile in scene.tiles})
    return missing_note(there, int(np.prod(scene.shape[:3], dtype=object)), "planes")


def _plane_reader(scene: _Scene) -> Any:
    by_place: dict[tuple[int, ...], list[_Tile]] = {}
    for tile in scene.tiles:
        by_place.setdefault(_place(scene, tile), []).append(tile)

    def read(index: tuple[int, ...]) -> NDArray:
        plane = np.zeros(scene.shape[3:], scene.dtype)
        for tile in by_place.get(index, ()):
            top, left = (tile.starts[axis] - scene.low[axis] for axis in _PLANE)
            height, width = (tile.sizes[axis] for axis in _PLANE)
            plane[top : top + height, left : left + width] = _voxels(tile, plane.shape[2:])
        return plane

    return read


def _voxels(tile: _Tile, samples: tuple[int, ...]) -> NDArray:
    """The voxels of a tile, in red, green and blue where there are colours."""
    from czifile.czifile import SegmentNotFoundError

    try:
        segment = tile.entry.data_segment()
    except SegmentNotFoundError as error:
        raise ValueError(str(error)) from error
    shape = (tile.sizes["Y"], tile.sizes["X"], *samples)
    dtype = np.dtype(tile.entry.dtype[-2:]).newbyteorder("<")
    if segment.data_size < 0 or segment.data_offset < 0:
        raise ValueError("a block has no place")
    kind = tile.entry.compression
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    raw = segment.data(raw=True)
    decoded = _unpacked(raw, kind, size, dtype.itemsize)
    voxels = decoded if isinstance(decoded, np.ndarray) else np.frombuffer(decoded, dtype)
    voxels = voxels.reshape(shape)
    if samples and kind != _JPEG_XR:
        # blue, green, red, and perhaps alpha
        voxels = voxels[..., [2, 1, 0, 3][: samples[0]]]
    return voxels


def _unpacked(raw: bytes, kind: int, size: int, itemsize: int) -> Any:
    import imagecodecs

    if kind == 0:
        if len(raw) < size:
            raise EOFError(f"a block has {len(raw)} of {size} bytes")
        return raw[:size]
    if kind == _JPEG:
        return imagecodecs.jpeg8_decode(raw)
    if kind == _JPEG_XR:
        return imagecodecs.jpegxr_decode(raw)
    if kind == _LZW:
        return imagecodecs.lzw_decode(raw, out=size)
    if kind == _ZSTD:
        return imagecodecs.zstd_decode(raw, out=size)
    if kind == _ZSTD_WITH_HEADER:
        # its length, and whether low and high bytes lie apart
        length = raw[0]
        apart = length >= 3 and raw[1] == 1 and bool(raw[2] & 1)
        unpacked = imagecodecs.zstd_decode(raw[length:], out=size)
        if not apart or itemsize != 2:
            return unpacked
        return np.ascontiguousarray(np.frombuffer(unpacked, np.uint8).reshape(2, -1).T).tobytes()
    raise ValueError(f"compression {kind} is not known")


def _sizes(described: ElementTree.Element) -> dict[str, tuple[float, str]]:
    """Voxel sizes in micrometres, which the file gives in metres."""
    sizes = {}
    for distance in described.iterfind("./Metadata/Scaling/Items/Distance"):
        try:
            step = float(distance.findtext("Value", "")) * 1e6
        except ValueError:
            continue
        axis = distance.get("Id", "").lower()
        if axis in ("x", "y", "z") and np.isfinite(step) and step > 0:
            sizes[axis] = (step, "µm")
    return sizes


def _channels(
    described: ElementTree.Element,
) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
    """Names and colours."""
    shown = list(described.iterfind("./Metadata/DisplaySetting/Channels/Channel"))
    stated: Iterable[ElementTree.Element] = described.iterfind(f"{_IMAGE}Channels/Channel")
    names = tuple(channel.get("Name", "") for channel in stated)
    # alpha comes first
    colours = [(one.findtext("Color") or "").lower() for one in shown]
    return names, tuple(f"#{c[3:]}" if len(c) == 9 else None for c in colours)
