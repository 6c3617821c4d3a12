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
