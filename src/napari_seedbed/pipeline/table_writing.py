"""Tables into files: CSV always, Parquet where pyarrow is installed."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.atomic_files import written_whole
from napari_seedbed.pipeline.image_writing import write_table

PARQUET = (".parquet", ".pq")


def save_table(path: str | PathLike[str], table: Mapping[str, Any]) -> Path:
    """Write columns of equal length as Parquet where the file is called so, else as CSV.

    Raises
    ------
    InputError
        For Parquet where pyarrow is not installed.
    FileError
        When the file cannot be written; nothing is left behind.
    """
    path = Path(path)
    return (
        write_parquet(path, table) if path.suffix.lower() in PARQUET else write_table(path, table)
    )


def write_parquet(path: str | PathLike[str], table: Mapping[str, Any]) -> Path:
    """Write columns of equal length as Parquet, each in its own type.

    Raises
    ------
    InputError
        Where pyarrow is not installed.
    FileError
        When the file cannot be written; nothing is left behind.
    """
    path = Path(path)
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputError(
            f"{path.name}: Parquet needs the package pyarrow, which is not installed. Install it "
            "with `pip install pyarrow`, or save as CSV."
        ) from None
    columns = {name: pyarrow.array(_plain(column)) for name, column in table.items()}
    with written_whole(path) as temporary:
        pyarrow.parquet.write_table(pyarrow.table(columns), temporary)
    return path


def _plain(column: Any) -> Any:
    """A column as pyarrow takes it: texts as Python's own."""
    values = np.asarray(column)
    return values.tolist() if values.dtype.kind in "US" else values
