"""Tables into files: CSV, and Parquet where pyarrow is installed."""

import csv
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.files.atomic_files import written_whole


def write_table(path: str | PathLike[str], table: Mapping[str, Sequence[Any] | NDArray]) -> Path:
    """Write columns of equal length as CSV in UTF-8, numbers in full precision.

    Raises
    ------
    FileError
        When the file cannot be written; nothing is left behind.
    """
    path = Path(path)
    columns = [np.asarray(column).tolist() for column in table.values()]
    with (
        written_whole(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*columns, strict=True))
    return path


def write_parquet(path: str | PathLike[str], table: Mapping[str, Any]) -> Path:
    """Write columns of equal length as Parquet, each in its own type.

    Raises
    ------
    InputError
        Where pyarrow is not installed.
    FileError
        When the file cannot be written; nothing is left behind.
    """
    check_parquet(Path(path).name)
    import pyarrow
    import pyarrow.parquet

    path = Path(path)
    columns = {name: pyarrow.array(_plain(column)) for name, column in table.items()}
    with written_whole(path) as temporary:
        pyarrow.parquet.write_table(pyarrow.table(columns), temporary)
    return path


def check_parquet(name: str = "parquet") -> None:
    """Raise InputError where pyarrow is not installed; `name` is what could not be written."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise InputError(
            f"{name}: Parquet needs the package pyarrow, which is not installed. Install it with "
            "`pip install pyarrow`, or save as CSV."
        ) from None


def _plain(column: Any) -> Any:
    """A column as pyarrow takes it: texts as Python's own."""
    values = np.asarray(column)
    return values.tolist() if values.dtype.kind in "US" else values
