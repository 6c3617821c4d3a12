"""Many image files opened as one image, each read only when it is looked at."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files.image_reading import errors_in_words, read_image
from napari_seedbed.pipeline.files.readers import (
    file_suffixes,
    folder_reader,
    image_name,
    images_among,
    is_directory,
    reader_of,
)

StackAxis = Literal["z", "t", "c"]
STACK_AXES: tuple[StackAxis, ...] = get_args(StackAxis)

_DIGITS = re.compile(r"(\d+)")

Source = str | PathLike[str] | Sequence[str | PathLike[str]]


def open_collection(
    source: Source, axis: StackAxis | None = None, step: float | None = None
) -> Image:
    """Open image files as one image, without reading their voxels.

    Parameters
    ----------
    source : path, pattern or sequence of paths
        A folder, whose images are taken; a pattern such as ``plate/*_w1.tif``; or files. Numbers
        in their names count as numbers: ``image2`` comes before ``image10``.
    axis : {'z', 't', 'c'}, optional
        What goes from file to file: slices, time points or channels. Slices by default, time
        points where the files are volumes.
    step : float, optional
        Distance of slices, in the unit of the files; by default that of their rows.

    Returns
    -------
    Image
        Lazy, one block a file; voxel size and channels are those of the first file.

    Raises
    ------
    InputError
        If no file fits, or the axis is one that the files have already.
    FileError
        If a file cannot be read, or differs from the first one in size, type or axes.
    """
    import dask.array
    from dask.base import tokenize

    paths = collection_files(source)
    first = read_image(paths[0], lazy=True, as_stored=True)
    chosen = _check_axis(axis, first)
    if step is not None and not (np.isfinite(step) and step > 0):
        raise InputError(f"step: {step} given; the distance of slices must be more than 0.")
    if step is not None and chosen != "z":
        raise InputError("step: it is the distance of slices; give it where files are slices (z).")
    reference = _header(paths[0])
    for path in paths[1:]:
        _check_alike(path, _header(path), paths[0], reference)
    voxels = _VoxelsOfFiles(paths, first)
    stats = [path.stat() for path in paths]
    token = tokenize(paths, [(stat.st_mtime_ns, stat.st_size) for stat in stats], chosen)
    array = dask.array.from_array(
        voxels, chunks=(1, *voxels.chunks), name=f"collection-{token}", asarray=False
    )
    return _stacked(array, first, chosen, step, paths)


def collection_files(source: Source) -> list[Path]:
    """The files of a collection, numbers in their names counted as numbers.

    Raises
    ------
    InputError
        If there are none.
    """
    if not isinstance(source, str | PathLike):
        found = [Path(path) for path in source]
        where = "among the files given"
    elif is_folder(Path(source).expanduser()):
        inside = Path(source).expanduser().iterdir()
        found = images_among(
            path for path in inside if not path.name.startswith(".") and path.is_file()
        )
        where = f"in the folder {source} ({', '.join(file_suffixes())})"
    else:
        pattern = Path(source).expanduser()
        folder = Path(pattern.anchor)
        try:
            fitting = list(folder.glob(str(pattern.relative_to(folder))))
        except (ValueError, NotImplementedError):
            raise InputError(f"collection: {source} is no pattern of files.") from None
        found = [path for path in fitting if path.is_file()]
        where = f"that fits {source}"
    if not found:
        raise InputError(f"collection: there is no image {where}.")
    return sorted(found, key=_natural)


def is_folder(path: Path) -> bool:
    """Whether it is a folder of files, and not one that is an image, as Zarr is."""
    return is_directory(path) and folder_reader(path) is None


def collection_place(paths: Sequence[Path]) -> Path:
    """What stands for a collection: the folder of its files, or the first one if they have none."""
    folders = {path.resolve().parent for path in paths}
    return folders.pop() if len(folders) == 1 else paths[0]


def _natural(path: Path) -> list[tuple[int, int, str]]:
    parts = _DIGITS.split(str(path).casefold())
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts]


def _check_axis(axis: str | None, first: Image) -> StackAxis:
    if axis is None:
        axis = "t" if "z" in first.axes else "z"
    if axis not in STACK_AXES:
        raise InputError(f"axis: {axis!r} given; it must be one of {', '.join(STACK_AXES)}.")
    if axis in first.axes:
        have = {"z": "slices", "t": "time points", "c": "channels"}[axis]
        free = [name for name in STACK_AXES if name not in first.axes]
        other = f"stack them along {' or '.join(free)}" if free else "open them one by one"
        raise InputError(f"axis: the files have {have} of their own; {other}.")
    return axis


def _stacked(
    array: Any, first: Image, axis: StackAxis, step: float | None, paths: Sequence[Path]
) -> Image:
    """The stack of all files, of which the first shows what the others are like."""
    stacked = partial(
        replace,
        first,
        array=array,
        axes=(axis, *first.axes),
        name=image_name(collection_place(paths)),
    )
    if axis == "c":
        return stacked(channel_names=tuple(image_name(path) for path in paths))
    if axis == "t":
        return stacked()
    notes = first.notes
    if step is None and first.unit != "pixel":
        notes += (
            f"The distance of slices is not known; it was taken to be {first.spacing[0]:g} "
            f"{first.unit}, as that of rows.",
        )
    return stacked(
        spacing=(step or first.spacing[0], *first.spacing),
        units=(first.units[0], *first.units),
        translate=(0.0, *first.translate),
        notes=notes,
    )


def _header(path: Path) -> tuple[str, tuple[int, ...], str]:
    """Kind of file, shape, and type or colour mode, without reading the voxels."""
    with errors_in_words(path):
        reader = reader_of(path)
        if reader.header is not None:
            return reader.name, *reader.header(path)
        image = reader.read(path, path.name, lazy=True, as_stored=True)
        return reader.name, image.shape, f"{image.dtype} ({', '.join(image.axes)})"


def _check_alike(
    path: Path,
    header: tuple[str, tuple[int, ...], str],
    first: Path,
    reference: tuple[str, tuple[int, ...], str],
) -> None:
    if header != reference:
        raise FileError(
            f"{path} is {_in_words(header)}, but {first.name} is {_in_words(reference)}; all files "
            "of a collection must be of one size and type. Leave out the odd ones, for example by "
            "a pattern."
        )


def _in_words(header: tuple[str, tuple[int, ...], str]) -> str:
    kind, shape, type_ = header
    return f"{kind}, {' x '.join(map(str, shape))}, {type_}"


class _VoxelsOfFiles:
    """Reads parts of a stack of files; the first axis counts them."""

    def __init__(self, paths: Sequence[Path], first: Image) -> None:
        self._paths = list(paths)
        self._shape = first.shape
        self.shape = (len(self._paths), *first.shape)
        self.dtype = first.dtype
        self.ndim = len(self.shape)
        self.chunks: tuple[int, ...] = getattr(first.array, "chunksize", first.shape)

    def __getitem__(self, index: Any) -> NDArray:
        within = index[1:]
        numbers = np.arange(len(self._paths))[index[0]]
        if numbers.ndim == 0:
            return self._read(self._paths[int(numbers)], within)
        return np.stack([self._read(self._paths[number], within) for number in numbers])

    def _read(self, path: Path, index: tuple[Any, ...]) -> NDArray:
        # only the pages of a file of many that are asked for
        image = read_image(path, lazy=len(self._shape) > 2, as_stored=True)
        if image.shape != self._shape or image.dtype != self.dtype:
            raise FileError(
                f"{path} has changed since the collection was opened: its shape is {image.shape} "
                f"and not {self._shape}."
            )
        return np.asarray(image.array[index])
