"""Files that hold several images: what they are, and which one is meant."""

from dataclasses import dataclass
from pathlib import Path

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


def chosen_image(path: Path, series: int | None, count: int) -> tuple[int, list[str]]:
    """Which image to read, counted from 0, and a note where that was not said.

    Raises
    ------
    InputError
        Where the file has no such image.
    """
    if series is None:
        note = f"The file holds {count} images; the first was read."
        return 0, [note] if count > 1 else []
    if not 1 <= series <= count:
        raise InputError(
            f"series: {series} asked for, but {path} holds {count} "
            f"{'image' if count == 1 else 'images, counted from 1'}."
        )
    return series - 1, []


def name_of_image(file_name: str, image: ImageOfFile, series: int | None, count: int) -> str:
    """The file's name, and that of the image where it is one of several that was asked for."""
    if series is None or count == 1:
        return file_name
    return f"{file_name} - {image.name or f'image {series}'}"
