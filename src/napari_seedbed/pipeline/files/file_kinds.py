"""What the kinds of files in the tables of readers and writers have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path


@dataclass(frozen=True)
class FileKind:
    """A kind of file.

    Attributes
    ----------
    name : str
        What people call it.
    suffixes : tuple of str
        How names of such files end, in lower case.
    """

    name: str
    suffixes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.suffixes)})"


def in_words(kinds: Sequence[FileKind]) -> str:
    """Kinds of files with their endings: 'TIFF (.tif, .tiff), … or OME-Zarr (.zarr)'."""
    *first, last = map(str, kinds)
    return f"{', '.join(first)} or {last}"


def without_ending(path: str | PathLike[str], kinds: Sequence[FileKind]) -> str:
    """Name of a file without the longest ending of some kinds that it has, else without any."""
    name = Path(path).name
    ends = [end for kind in kinds for end in kind.suffixes if name.lower().endswith(end)]
    if not ends or name in ends:
        return Path(path).stem
    return name[: -len(max(ends, key=len))]
