"""Kernels of filters as text, as people type them."""

import re
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError

Boundary = Literal["reflect", "constant", "nearest", "mirror", "wrap"]
BOUNDARIES: tuple[Boundary, ...] = ("reflect", "constant", "nearest", "mirror", "wrap")

_MOST_NUMBERS = 100_000


def parse_kernel(text: str) -> NDArray[np.float64]:
    """Read a kernel.

    Parameters
    ----------
    text : str
        Numbers (2, -0.5, 1e-3, 1/9) with spaces or commas between them; rows in lines of their own
        or with semicolons between them; slices after an empty line or a '|'.

    Returns
    -------
    (X,), (Y, X) or (Z, Y, X) ndarray
        As many axes as were needed to write it.

    Raises
    ------
    InputError
        Naming the row or the number that is wrong.
    """
    pieces = [piece for piece in re.split(r"\||\n[ \t\r]*\n", text) if piece.strip(" \t\r\n;")]
    slices = [[row for row in re.split(r"[;\n]", piece) if row.strip()] for piece in pieces]
    if not slices:
        raise InputError("there are no numbers; type at least one, such as 1 2 1.")
    if len({len(rows) for rows in slices}) > 1:
        counts = ", ".join(str(len(rows)) for rows in slices)
        raise InputError(f"its slices have {counts} rows; all must have as many.")
    numbers = [[_row(row) for row in rows] for rows in slices]
    lengths = [len(row) for rows in numbers for row in rows]
    for number, length in enumerate(lengths, start=1):
        if length != lengths[0]:
            raise InputError(
                f"row {number} has {length} numbers and the first {lengths[0]}; all rows must have "
                "as many."
            )
    if sum(lengths) > _MOST_NUMBERS:
        raise InputError(f"it has {sum(lengths)} numbers; at most {_MOST_NUMBERS} are allowed.")
    kernel = np.array(numbers, np.float64)
    if len(numbers) > 1:
        return kernel
    return kernel[0] if len(numbers[0]) > 1 else kernel[0, 0]


def _row(text: str) -> list[float]:
    return [_number(word) for word in re.split(r"[,\s]+", text.strip()) if word]


def _number(word: str) -> float:
    above, _, below = word.partition("/")
    try:
        value = float(above) / float(below) if below else float(above)
    except (ValueError, ZeroDivisionError):
        value = np.nan
    if not np.isfinite(value) or word.endswith("/"):
        raise InputError(f"{word!r} is not a number; write 2, -0.5, 1e-3 or 1/9.")
    return value
