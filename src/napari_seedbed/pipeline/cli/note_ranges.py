"""Notes of many time points or channels that say the same, but for their numbers, as one."""

import re
from collections.abc import Sequence

MOST_ALIKE = 3
"""So many are listed one by one."""

_PLACE = re.compile(r"^(?:(?:Slice \d+|Time point \d+(?:, channel \d+)?|Channel \d+): )+")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?!\w)")


def shortened(notes: Sequence[str]) -> list[str]:
    """Join notes that differ only in place and numbers; of numbers, the least and the largest.

    Parameters
    ----------
    notes : sequence of str
        As a run gives them: ``Time point 3: Otsu's threshold is 21.7.``

    Returns
    -------
    list of str
        ``Otsu's threshold is 21.6 to 30.0 (30 times).`` where more than `MOST_ALIKE` are alike.
    """
    alike: dict[str, list[str]] = {}
    for note in notes:
        has_place = _PLACE.match(note) is not None
        kind = _NUMBER.sub("0", _PLACE.sub("", note)) if has_place else note
        alike.setdefault(kind, []).append(note)
    found = []
    for group in alike.values():
        found += group if len(group) <= MOST_ALIKE else [_joined(group)]
    return found


def _joined(notes: Sequence[str]) -> str:
    texts = [_PLACE.sub("", note) for note in notes]
    columns = zip(*(_NUMBER.findall(text) for text in texts), strict=True)
    ranges = iter([_range(column) for column in columns])
    sentence = _NUMBER.sub(lambda match: next(ranges), texts[0])
    return f"{sentence.removesuffix('.')} ({len(notes)} times)."


def _range(numbers: Sequence[str]) -> str:
    low, high = min(numbers, key=float), max(numbers, key=float)
    return low if float(low) == float(high) else f"{low} to {high}"
