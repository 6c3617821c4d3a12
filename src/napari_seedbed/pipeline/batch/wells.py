"""Wells of plates, by what the images of their fields or their files are called."""

import re
from collections.abc import Sequence

from napari_seedbed.errors import InputError

NO_WELLS = "none"
"""In place of a pattern: names of files tell no wells."""

_WELL = re.compile(r"([A-Z]+)/(\d+)\b\s*")
"""How the name of a field begins: B/03."""

_IN_NAME = re.compile(r"(?<![A-Za-z0-9])([A-Z]|A[A-F])(\d{1,2})(?=f\d|[^A-Za-z0-9]|$)")
"""B03 or B3 as ImageXpress, Incucyte and others write it."""
_BY_NUMBERS = re.compile(r"(?<![A-Za-z0-9])r(\d\d)c(\d\d)f\d")
"""Row, column and field as Operetta and Opera Phenix write them: r02c03f01."""
_MOST_COLUMNS = 48
_USUAL_ROWS = "ABCDEFGHIJKLMNOP"
_PLAIN = re.compile(r"([A-Z]|A[A-F])(\d{1,2})", re.IGNORECASE)
_ROWS = [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", *(f"A{letter}" for letter in "ABCDEF")]


def well_and_field(title: str) -> tuple[str, str]:
    """``B03`` and ``field 1`` of ``B/03 field 1``; no well where an image is of no plate."""
    found = _WELL.match(title)
    return ("", title) if found is None else (f"{found[1]}{found[2]}", title[found.end() :])


def wells_in_names(names: Sequence[str], pattern: str | None = None) -> list[str]:
    """The wells that names of files tell, such as ``B03`` of ``plate1_B03_s1.tif``.

    Without a pattern they count where each name has one and no name several. A letter with one
    digit may be anything (``C1`` a channel, ``D7`` a day), and so may one after P (``T01`` a
    time): such ones count where they lie in several rows.

    Parameters
    ----------
    names : sequence of str
    pattern : str, optional
        A regular expression that is looked for in each name. The well is its group ``well``, or its
        groups ``row`` (letters or a number) and ``column``, or its first group, or all that it
        matches. `NO_WELLS`: there are none.

    Returns
    -------
    list of str
        One for each name, with two digits where it is a row and a column; empty texts where the
        pattern is not in a name. An empty list where the names tell no wells.
    """
    if pattern is not None:
        return [] if pattern == NO_WELLS else [_well_by(pattern, name) for name in names]
    found = [_wells_in(name) for name in names]
    if not found or any(len(wells) != 1 for wells in found):
        return []
    rows = {row for wells in found for row, _ in wells}
    is_padded = all(len(column) == 2 for wells in found for _, column in wells)
    if len(rows) == 1 and not (is_padded and rows <= set(_USUAL_ROWS)):
        return []
    return [f"{row}{int(column):02}" for ((row, column),) in found]


def check_wells(pattern: str | None, names: Sequence[str]) -> None:
    """Raise InputError where a pattern is no regular expression, or is in none of the names."""
    if pattern in (None, NO_WELLS):
        return
    right = r"give one such as '_([A-P]\d\d)_', or 'none' for no wells."
    try:
        re.compile(pattern)
    except re.error as error:
        raise InputError(
            f"wells: {pattern!r} is no regular expression ({error}); {right}"
        ) from error
    if names and not any(wells_in_names(names, pattern)):
        raise InputError(
            f"wells: {pattern!r} finds no well in {names[0]!r} or another name; {right}"
        )


def _well_by(pattern: str, name: str) -> str:
    """What the pattern finds in a name."""
    found = re.search(pattern, name)
    if found is None:
        return ""
    groups = found.groupdict(default="")
    if {"row", "column"} <= groups.keys():
        row, column = groups["row"], groups["column"]
        if row.isdecimal() and 1 <= int(row) <= len(_ROWS):
            row = _ROWS[int(row) - 1]
        told = row + (column.lstrip("0") or column)
    elif "well" in groups:
        told = groups["well"]
    else:
        told = found[1 if found.re.groups else 0] or ""
    plain = _PLAIN.fullmatch(told)
    return told if plain is None else f"{plain[1].upper()}{int(plain[2]):02}"


def _wells_in(name: str) -> set[tuple[str, str]]:
    """Rows and columns that a name holds."""
    numbers = _BY_NUMBERS.search(name)
    if numbers is not None:
        row = int(numbers[1])
        return {(_ROWS[row - 1], numbers[2])} if 1 <= row <= len(_ROWS) else set()
    pairs = {(found[1], found[2]) for found in _IN_NAME.finditer(name)}
    return {(row, column) for row, column in pairs if 1 <= int(column) <= _MOST_COLUMNS}
