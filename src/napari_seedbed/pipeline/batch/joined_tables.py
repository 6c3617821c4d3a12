"""The tables of all inputs of a batch as one, with columns for the file, its image and the well."""

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_seedbed.pipeline.files.atomic_files import written_whole

_WELL = re.compile(r"([A-Z]+)/(\d+)\b")
"""How the name of a field of a plate begins: B/03."""


def write_joined(path: Path, entries: Sequence[Mapping[str, Any]], tables: Sequence[Path]) -> None:
    """Write the rows of all tables below each other; what a table lacks stays empty.

    Before their own columns stands ``file``, the input as it was named, then ``image`` where files
    hold several, and ``well`` where these are fields of a plate.

    Parameters
    ----------
    path : path
        CSV or Parquet, as the tables are.
    entries : sequence of mapping
        Of the summary, one for each table.
    tables : sequence of path

    Raises
    ------
    FileError
        When it cannot be written.
    """
    origins = [_origin(entry) for entry in entries]
    (_join_parquet if path.suffix == ".parquet" else _join_csv)(path, origins, tables)


def _origin(entry: Mapping[str, Any]) -> dict[str, str]:
    """Where the rows of a table come from, by column."""
    found = {"file": entry["input"]}
    if "image" in entry:
        found["image"] = entry["image"]
        well = _WELL.match(entry["image"])
        if well is not None:
            found["well"] = f"{well[1]}{well[2]}"
    return found


def _join_csv(path: Path, origins: Sequence[dict[str, str]], tables: Sequence[Path]) -> None:
    names = {name: None for origin in origins for name in origin}
    for table in tables:
        with table.open(newline="", encoding="utf-8") as file:
            names |= dict.fromkeys(next(csv.reader(file), ()))
    with (
        written_whole(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        writer = csv.DictWriter(file, list(names), restval="")
        writer.writeheader()
        for origin, table in zip(origins, tables, strict=True):
            with table.open(newline="", encoding="utf-8") as rows:
                writer.writerows({**origin, **row} for row in csv.DictReader(rows))


def _join_parquet(path: Path, origins: Sequence[dict[str, str]], tables: Sequence[Path]) -> None:
    import pyarrow
    import pyarrow.parquet

    parts = []
    for origin, table in zip(origins, tables, strict=True):
        part = pyarrow.parquet.read_table(table)
        for place, (name, shown) in enumerate(origin.items()):
            text = shown.encode("utf-8", "backslashreplace").decode("utf-8")
            column = pyarrow.array([text] * part.num_rows, pyarrow.string())
            part = part.add_column(place, name, column)
        parts.append(part)
    joined = pyarrow.concat_tables(parts, promote_options="permissive")
    with written_whole(path) as temporary:
        pyarrow.parquet.write_table(joined, temporary)
