"""Whether what a file declares can be in it, and fits into memory: asked before any is taken."""

import math
from collections.abc import Sequence
from pathlib import Path

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.memory import available_memory, bytes_in_words

# No lossless codec packs a page of more than a gigabyte into this share of itself.
LARGEST_RATIO = 20_000
GIGABYTE = 1 << 30


def check_declared(
    path: Path,
    shape: Sequence[int],
    voxel_bytes: int,
    stored: int,
    what: str = "an image of {} voxels",
) -> None:
    """Refuse an image that has no voxels, or more than the file can hold.

    Parameters
    ----------
    path : Path
    shape : sequence of int
    voxel_bytes : int
        Bytes a voxel takes in memory.
    stored : int
        Bytes of the file.
    what : str
        What is declared, with a place for its size.

    Raises
    ------
    FileError
    """
    declared = math.prod(shape) * voxel_bytes
    if any(n < 1 for n in shape) or (declared > GIGABYTE and declared > stored * LARGEST_RATIO):
        size = " x ".join(map(str, shape))
        raise FileError(
            f"{path} could not be read: it is damaged. It declares {what.format(size)}, but the "
            f"file has {stored} bytes."
        )


def check_memory(
    path: Path, shape: Sequence[int], voxel_bytes: int, what: str = "{} voxels"
) -> None:
    """Refuse an image that does not fit into memory.

    Parameters
    ----------
    path : Path
    shape : sequence of int
    voxel_bytes : int
        Bytes a voxel takes in memory.
    what : str
        What takes them, with a place for its size.

    Raises
    ------
    FileError
    """
    declared = math.prod(shape) * voxel_bytes
    if declared > available_memory():
        size = what.format(" x ".join(map(str, shape)))
        raise FileError(
            f"{path} could not be read: its {size} take {bytes_in_words(declared)}, and "
            f"{bytes_in_words(available_memory())} are free. Close other programs, or save it as "
            "TIFF, which can be read in parts."
        )
