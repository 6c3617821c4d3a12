"""Names for the axes of arrays in files, which name them by letters, or not at all."""

from pathlib import Path
from typing import Any

from napari_seedbed.errors import FileError
from napari_seedbed.pipeline.data.image import SPATIAL


def named_axes(path: Path, array: Any, letters: str) -> tuple[Any, list[str], list[str]]:
    """Name the axes of an array as images have them, in a fitting order.

    Unnamed axes are z, then t, counted from the inside; of other axes, such as positions, the
    first entry is taken.

    Parameters
    ----------
    path : Path
        For messages.
    array : ndarray or dask array
    letters : str
        One an axis, as tifffile has them: T, C, Z, Y, X; S for samples of a pixel, Q and I for
        unnamed axes; any other for what images do not have.

    Returns
    -------
    array : ndarray or dask array
    names : list of str
    notes : list of str

    Raises
    ------
    FileError
        Where y and x are missing, or there are more unnamed axes than names for them.
    """
    notes = []
    names: list[str] = []
    # From the inside, so that the unnamed axis beside y and x becomes z.
    for position in range(len(letters) - 1, -1, -1):
        letter = letters[position]
        if letter in "TCZYX" and letter.lower() not in names:
            names.insert(0, letter.lower())
        elif letter == "S":
            names.insert(0, "s")
        elif array.shape[position] == 1:
            array = array[(slice(None),) * position + (0,)]
        elif letter in "QI" and ("z" not in names or "t" not in names):
            free = "z" if "z" not in names and "Z" not in letters else "t"
            if free in names or free.upper() in letters:
                raise FileError(f"{path} could not be read: its axes are {letters}.")
            names.insert(0, free)
            notes.append(f"The file does not name one of its axes; it was read as {free}.")
        elif letter in "QI":
            raise FileError(
                f"{path} could not be read: it has more axes than t, c, z, y and x, and does not "
                "name them."
            )
        else:
            notes.append(
                f"The file holds {array.shape[position]} entries along its axis {letter}; the "
                "first was read."
            )
            array = array[(slice(None),) * position + (0,)]
    if "s" in names and "c" not in names:
        names[names.index("s")] = "c"
    elif "s" in names:
        array, names = _merge_samples(array, names)
    # Time, channels, z, y, x in any order, but space in order.
    spatial = [axis for axis in names if axis in SPATIAL]
    wanted = [axis for axis in SPATIAL if axis in spatial]
    if spatial != wanted:
        rest = iter(wanted)
        order = [next(rest) if axis in SPATIAL else axis for axis in names]
        array = array.transpose([names.index(axis) for axis in order])
        names = order
    if "y" not in names or "x" not in names:
        raise FileError(f"{path} could not be read: its axes are {letters}, without y and x.")
    return array, names, notes


def _merge_samples(array: Any, names: list[str]) -> tuple[Any, list[str]]:
    """Channels that are colour pictures each: every sample becomes a channel."""
    rest = [axis for axis in names if axis not in "cs"]
    array = array.transpose([names.index(axis) for axis in ("c", "s", *rest)])
    return array.reshape(-1, *array.shape[2:]), ["c", *rest]
