"""The tables of all inputs of a batch as one, whose first columns say where a row comes from."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path, PurePath
from typing import Any

from napari_seedbed.pipeline.batch.classes import CLASS, TIME
from napari_seedbed.pipeline.batch.wells import well_and_field, wells_in_names
from napari_seedbed.pipeline.files.atomic_files import written_whole

_FIRST = ("file", "image", "well", TIME, CLASS)


def write_joined(
    path: Path,
    entries: Sequence[Mapping[str, Any]],
    tables: Sequence[Path],
    wells: str | None = None,
) -> None:
    """Write the rows of all tables below each other; what a table lacks stays empty.

    First comes ``file``, the input as it was named, then ``image`` where files hold several,
    ``well`` where these are fields of a plate or names of files tell wells, ``time_point`` of
    series and ``class`` where the classes of objects are known; then the other columns.

    Parameters
    ----------
    path : path
        CSV or Parquet, as the tables are.
    entries : sequence of mapping
        Of the summary, one for each table.
    tables : sequence of path
    wells : str, optional
        The pattern that finds wells in names of files; see `wells_in_names`.

    Raises
    ------
    FileError
        When it cannot be written.
    """
    origins = [_origin(entry) for entry in entries]
    unknown = [origin for origin in origins if "well" not in origin]
    if wells is not None or len(unknown) == len(origins):
        found = wells_in_names([PurePath(origin["file"]).name for origin in unknown], wells)
        for origin, well in zip(unknown, found, strict=False):
            origin["well"] = well
    (_join_parquet if path.suffix == ".parquet" else _join_csv)(path, origins, tables)


def _origin(entry: Mapping[str, Any]) -> dict[str, str]:
    """Where the rows of a table come from, by column."""
    found = {"file": entry["input"]}
    if "image" in entry:
        found["image"] = entry["image"]
        well, _ = well_and_field(entry["image"])
        if well:
            found["well"] = well
    return found


def _join_csv(path: Path, origins: Sequence[dict[str, str]], tables: Sequence[Path]) -> None:
    names = {name: None for origin in origins for name in origin}
    for table in tables:
        with table.open(newline="", encoding="utf-8") as file:
            names |= dict.fromkeys(next(csv.reader(file), ()))
    columns = _known_first(names)
    with (
        written_whole(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(columns)
        for origin, table in zip(origins, tables, strict=True):
            with table.open(newline="", encoding="utf-8") as lines:
                rows = csv.reader(lines)
                place = {name: n for n, name in enumerate([*origin, *next(rows, ())])}
                shown = [*origin.values()]
                # what a table lacks is the empty text at the end
                order = itemgetter(*(place.get(name, -1) for name in columns), -1)
                writer.writerows(order([*shown, *row, ""])[:-1] for row in rows)


def _join_parquet(path: Path, origins: Sequence[dict[str, str]], tables: Sequence[Path]) -> None:
    import pyarrow
    import pyarrow.parquet

    parts = []
    for origin, table in zip(origins, tables, strict=True):
        part = pyarrow.parquet.read_table(table)
        for name, shown in origin.items():
            text = shown.encode("utf-8", "backslashreplace").decode("utf-8")
            part = part.append_column(name, pyarrow.array([text] * part.num_rows, pyarrow.string()))
        parts.append(part)
    joined = pyarrow.concat_tables(parts, promote_options="permissive")
    with written_whole(path) as temporary:
        pyarrow.parquet.write_table(joined.select(_known_first(joined.column_names)), temporary)


def _known_first(names: Iterable[str]) -> list[str]:
    """Names of columns, those that say where a row comes from at the beginning."""
    found = list(names)
    return [name for name in _FIRST if name in found] + [n for n in found if n not in _FIRST]
