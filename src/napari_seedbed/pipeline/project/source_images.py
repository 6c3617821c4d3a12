"""The files that the images of a project lie in: written down, and found again."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.data.fingerprint import fingerprint
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import is_folder, open_collection, read_image
from napari_seedbed.pipeline.files.places import is_url, place_of
from napari_seedbed.pipeline.project.project_model import ImageSource

MOST_HASHED = 2 << 30
"""Bytes: larger images are known again by shape and type alone, since reading them takes long."""


@dataclass(frozen=True)
class FoundImage:
    """An image that a project points to.

    Attributes
    ----------
    path : Path
    image : Image
        The channel of it that is meant.
    is_same : bool
        Whether it has the voxels that it had, as far as that is known.
    """

    path: Path
    image: Image
    is_same: bool


class ImageFiles:
    """Reads files, and holds the last one: layers of one file come after each other."""

    def __init__(self) -> None:
        self._last: tuple[Path, int | None, Image] | None = None

    def read(self, path: Path, series: int | None) -> Image:
        """The image in a file or folder, with all its channels.

        Raises
        ------
        FileError, InputError
            As `read_image`.
        """
        if self._last is None or self._last[:2] != (path, series):
            image = open_collection(path) if is_folder(path) else read_image(path, series=series)
            self._last = (path, series, image)
        return self._last[2]


def source_of(
    path: str,
    series: int | None,
    channel: int | None,
    array: Any,
    folder: Path,
    files: ImageFiles | None = None,
) -> ImageSource | None:
    """Where the voxels of an array can be read again.

    Parameters
    ----------
    path : str
        A file, a folder that is an image, or a folder of images.
    series, channel : int or None
        As the reader was asked; where the file has several channels and None is given, the one
        with these voxels is looked for.
    array : array_like
        What a layer shows; lazy arrays are taken to be what the file holds.
    folder : Path
        Of the project.
    files : ImageFiles, optional
        For several layers.

    Returns
    -------
    ImageSource or None
        None where the file is not there, or holds other voxels.
    """
    try:
        image = (files or ImageFiles()).read(place_of(path), series)
    except (FileError, InputError):
        return None
    choices: list[tuple[int | None, Image]] = [(channel, _channel(image, channel))]
    if channel is None and not image.rgb and image.n_channels > 1:
        choices += [(i, _channel(image, i)) for i in range(image.n_channels)]
    for index, choice in choices:
        if choice.shape != tuple(array.shape) or choice.dtype != array.dtype:
            continue
        name = _fingerprint(choice)
        if not hasattr(array, "dask") and name != _fingerprint(replace(choice, array=array)):
            continue
        place = place_of(path).resolve()
        return ImageSource(
            relative=_relative(place, folder),
            absolute=str(place),
            series=series,
            channel=index,
            shape=choice.shape,
            dtype=choice.dtype.str,
            fingerprint=name,
        )
    return None


def find_image(
    source: ImageSource,
    folder: Path,
    others: Sequence[Path] = (),
    files: ImageFiles | None = None,
) -> FoundImage | None:
    """Look for an image: where it lay from the project, where it lay, and beside the project.

    Parameters
    ----------
    source : ImageSource
    folder : Path
        Of the project.
    others : sequence of Path
        Files that it may be, and folders that it may be in, before all others.
    files : ImageFiles, optional
        For several layers.

    Returns
    -------
    FoundImage or None
        The first one with the same voxels, or else the first that can be read at all.
    """
    first: FoundImage | None = None
    files = files or ImageFiles()
    for path in _places(source, folder, others):
        try:
            image = _channel(files.read(path, source.series), source.channel)
        except (FileError, InputError):
            continue
        same = image.shape == source.shape and image.dtype.str == source.dtype
        if same and source.fingerprint is not None:
            same = fingerprint(image) == source.fingerprint
        if same:
            return FoundImage(path, image, True)
        first = first or FoundImage(path, image, False)
    return first


def _places(source: ImageSource, folder: Path, others: Sequence[Path]) -> Iterable[Path]:
    """Where the image may be, each place once, those that are there."""
    name = file_name_of(source)
    places = []
    for other in others:
        places += [other / name, other] if other.is_dir() else [other]
    if source.relative:
        places.append(folder / source.relative)
    places += [place_of(source.absolute), folder / name]
    places += [inside / name for inside in sorted(_folders_in(folder))]
    for path in dict.fromkeys(places):
        # A name that another system wrote may be none here.
        try:
            if is_url(path) or path.exists():
                yield path
        except (OSError, ValueError):
            continue


def _folders_in(folder: Path) -> list[Path]:
    try:
        return [one for one in folder.iterdir() if one.is_dir()]
    except OSError:
        return []


def file_name_of(source: ImageSource) -> str:
    """What the file of an image is called, on whatever system it lay."""
    return source.absolute.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _relative(path: Path, folder: Path) -> str:
    if is_url(path):
        return ""
    try:
        return Path(os.path.relpath(path, folder.resolve())).as_posix()
    except ValueError:
        # On Windows there is no way from one drive to another.
        return ""


def _channel(image: Image, channel: int | None) -> Image:
    if channel is None or image.channel_axis is None or image.rgb:
        return image
    channels = image.channels()
    if channel >= len(channels):
        raise InputError(f"channel: the image has {len(channels)} of them.")
    return channels[channel]


def _fingerprint(image: Image) -> str | None:
    size = image.dtype.itemsize
    for length in image.shape:
        size *= length
    return None if size > MOST_HASHED else fingerprint(image)
