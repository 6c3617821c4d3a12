"""What a batch works on: files, images in them, and files that are one image together."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from napari_seedbed.errors import InputError, SeedbedError
from napari_seedbed.pipeline.files import image_name, images_of
from napari_seedbed.pipeline.files.image_collection import (
    StackAxis,
    collection_files,
    is_folder,
)
from napari_seedbed.pipeline.files.places import is_url

Series = int | Literal["all"] | Mapping[Path, Collection[int]] | None
"""Which images of inputs are worked on, see `run_batch`."""


@dataclass(frozen=True)
class Item:
    """One input.

    Attributes
    ----------
    shown : str
        As it was named.
    path : Path
    others : tuple of (str, Path)
        The further images that go with it, with their names in the recipe.
    series : int or None
        Which image of the file, counted from 1.
    title : str
        What that is called, where each image of the file is an input.
    """

    shown: str
    path: Path
    others: tuple[tuple[str, Path], ...] = ()
    series: int | None = None
    title: str = ""

    @cached_property
    def name(self) -> str:
        """What its results are called after."""
        return image_name(self.path) + (f"_{self.series}" if self.title else "")

    @property
    def called(self) -> dict[str, Any]:
        """The image's name and number in the file, for summaries; nothing where it is the file."""
        return {"image": self.title, "series": self.series} if self.title else {}

    def for_any_folder(self) -> "Item":
        """The same, found from any folder that a process works in."""
        others = tuple((name, absolute(path)) for name, path in self.others)
        return replace(self, path=absolute(self.path), others=others)


@dataclass(frozen=True)
class Stack:
    """Files that are one image together.

    Attributes
    ----------
    place : Path
        What it is called after.
    files : tuple of Path
    axis : {'z', 't', 'c'}
    step : float or None
        Distance of slices.
    """

    place: Path
    files: tuple[Path, ...]
    axis: StackAxis
    step: float | None


def images_to_choose(path: Path) -> list[tuple[int, str]]:
    """The images of a file, with their numbers, counted from 1; none where there is no choice."""
    try:
        found = images_of(path)
    except (SeedbedError, OSError):
        return []
    numbered = [(n, one) for n, one in enumerate(found, start=1) if one.labels_of is None]
    return [(n, one.name or f"image {n}") for n, one in numbered] if len(numbered) > 1 else []


def each_image(item: Item, wanted: Collection[int] | None = None) -> list[Item]:
    """An item for each image of a file, or for those that are wanted, by number.

    A file that holds one image, or cannot be read, is an item itself.

    Raises
    ------
    InputError
        Where the file has no such images.
    """
    images = dict(images_to_choose(item.path))
    if not images:
        return [item]
    missing = sorted(set(wanted or ()) - images.keys())
    if missing:
        raise InputError(
            f"series: {', '.join(map(str, missing))} asked for, but {item.path} holds the images "
            f"{', '.join(map(str, images))}."
        )
    return [
        replace(item, series=number, title=title)
        for number, title in images.items()
        if wanted is None or number in wanted
    ]


def chosen_images(item: Item, series: Series) -> list[Item]:
    """The images of an input that are worked on, each an item.

    Raises
    ------
    InputError
        Where the file has no such images.
    """
    if series is None or isinstance(series, int):
        return [replace(item, series=series)]
    return each_image(item, None if series == "all" else series.get(item.path))


def files_of(path: Path) -> list[Path]:
    """The files that an input consists of: those of a folder of images, or itself."""
    return collection_files(path) if is_folder(path) else [path]


def absolute(path: Path) -> Path:
    """A path that is found from any folder that a process works in."""
    return path if is_url(path) else path.absolute()
