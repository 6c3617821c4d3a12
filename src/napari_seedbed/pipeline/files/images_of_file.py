"""Files that hold several images: what they are, and which one is meant."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from napari_seedbed.errors import InputError


@dataclass(frozen=True)
class ImageOfFile:
    """What a file says of one of its images before it is read.

    Attributes
    ----------
    name : str
        Empty where it has none.
    shape : tuple of int
        Empty where it was not looked up.
    dtype : str
    labels_of : int or None
        For labels that lie on an image of the file, which one that is, counted from 0.
    """

    name: str
    shape: tuple[int, ...] = ()
    dtype: str = ""
    labels_of: int | None = None

    def __str__(self) -> str:
        if not self.shape:
            return self.name
        size = " x ".join(map(str, self.shape))
        return f"{self.name}: {size}, {self.dtype}" if self.name else f"{size}, {self.dtype}"


class Chosen(NamedTuple):
    """Which image of a file to read, counted from 0, what it is called, and what to say of that."""

    nth: int
    name: str
    notes: list[str]


def chosen_image(
    path: Path, name: str, series: int | None, images: Sequence[ImageOfFile]
) -> Chosen:
    """Which image of a file is meant; `name` is that of the file.

    One of several that was asked for has its own name as well. Labels that lie on an image are no
    further choice where none was asked for.

    Raises
    ------
    InputError
        Where the file has no such image.
    """
    count = len(images)
    if series is None:
        choices = sum(image.labels_of is None for image in images)
        note = f"The file holds {choices} images; the first was read."
        return Chosen(0, name, [note] if choices > 1 else [])
    if not 1 <= series <= count:
        raise InputError(
            f"series: {series} asked for, but {path} holds {count} "
            f"{'image' if count == 1 else 'images, counted from 1'}."
        )
    title = images[series - 1].name or f"image {series}"
    return Chosen(series - 1, f"{name} - {title}" if count > 1 else name, [])
