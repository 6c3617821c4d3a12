"""Wells of plates, by what the images of their fields are called."""

import re

_WELL = re.compile(r"([A-Z]+)/(\d+)\b\s*")
"""How the name of a field begins: B/03."""


def well_and_field(title: str) -> tuple[str, str]:
    """``B03`` and ``field 1`` of ``B/03 field 1``; no well where an image is of no plate."""
    found = _WELL.match(title)
    return ("", title) if found is None else (f"{found[1]}{found[2]}", title[found.end() :])
