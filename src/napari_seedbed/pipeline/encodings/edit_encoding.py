"""Edits of labels as text, one a line, so that recipes make them again.

``merge 12 17``, ``smooth 3 radius=0.5``, ``cut 7 path=4,10,0>4,10,40``, ``delete 5 t=2``: a verb,
labels, and options. Points are voxel coordinates with commas between them, and ``>`` joins them to
a line; an option such as ``stroke`` may come several times. What a brush wrote is ``write`` with
runs of voxels, compressed and with a checksum.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from napari_seedbed.core.proofreading.named_edits import EditCommand, Line, Point
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.encodings.voxel_runs import voxel_runs_as_text, voxel_runs_from_text


def parse_edits(text: str) -> tuple[EditCommand, ...]:
    """Read edits, parted by new lines or semicolons.

    Raises
    ------
    InputError
        Naming the first that cannot be read, and why.
    """
    found = []
    for piece in re.split(r"[;\n]", text):
        words = piece.split()
        if not words:
            continue
        try:
            found.append(_command(words))
        except InputError as error:
            shown = piece.strip() if len(piece) <= 60 else f"{piece.strip()[:60]}…"
            raise InputError(f"{shown!r} cannot be read: {error}") from None
    return tuple(found)


def edits_text(commands: Sequence[EditCommand]) -> str:
    """Write edits so that `parse_edits` reads them."""
    return "\n".join(map(edit_text, commands))


def edit_text(command: EditCommand) -> str:
    """Write one edit."""
    kinds = _verb(command.verb).options
    words = [command.verb, *map(str, command.objects)]
    for name, value in command.options.items():
        kind = kinds[name]
        values = value if kind == _LINES else (value,)
        words += [f"{name}={_KINDS[kind][1](one)}" for one in values]
    if command.time is not None:
        words.append(f"t={command.time}")
    return " ".join(words)


def scaled_edits(text: str, by: float) -> str:
    """Multiply the lengths in the text of edits, as for an image in another unit."""
    return edits_text(
        [
            replace(
                command,
                options={
                    name: float(f"{value * by:.12g}") if name in _LENGTHS else value
                    for name, value in command.options.items()
                },
            )
            for command in parse_edits(text)
        ]
    )


_NUMBER, _WHOLE, _SWITCH = "a number", "a whole number", "yes or no"
_POINT, _LINE, _LINES, _VOXELS = "a point", "a line", "lines", "runs of voxels"
_LENGTHS = ("radius", "depth")


@dataclass(frozen=True)
class Verb:
    """What an edit is about and what can be said of it.

    Attributes
    ----------
    least, most : int
        How many objects it takes.
    options : dict
        Name of an option to its kind.
    needs : tuple of str
        Options that it cannot do without.
    """

    least: int = 1
    most: int = 1 << 30
    options: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()


_RADIUS = Verb(options={"radius": _NUMBER}, needs=("radius",))

VERBS: Mapping[str, Verb] = {
    "delete": Verb(),
    "merge": Verb(2),
    "renumber": Verb(0, 1, {"to": _WHOLE}),
    "keep-largest-piece": Verb(),
    "separate-pieces": Verb(),
    "fill-holes": Verb(options={"slicewise": _SWITCH}),
    "smooth": _RADIUS,
    "open": _RADIUS,
    "close": _RADIUS,
    "grow": _RADIUS,
    "shrink": _RADIUS,
    "cut": Verb(1, 1, {"path": _LINE, "point": _POINT, "normal": _POINT, "axis": _WHOLE}),
    "split-by-strokes": Verb(1, 1, {"stroke": _LINES, "image": _SWITCH}, ("stroke",)),
    "split-by-points": Verb(1, 1, {"points": _LINE, "image": _SWITCH}, ("points",)),
    "split-by-necks": Verb(options={"depth": _NUMBER}),
    "redo": Verb(1, 1, {"stroke": _LINES, "background": _LINES}),
    "fill-slice": Verb(1, 1, {"point": _POINT, "axis": _WHOLE}, ("point",)),
    "interpolate": Verb(options={"every": _WHOLE, "axis": _WHOLE}),
    "write": Verb(0, 0, {"voxels": _VOXELS}, ("voxels",)),
}
"""Each edit by its name; what it does is told by the function of `core` that it calls."""


def _command(words: Sequence[str]) -> EditCommand:
    name = words[0].lower()
    verb = _verb(name)
    count = next((n for n, word in enumerate(words[1:]) if "=" in word), len(words) - 1)
    objects = tuple(_whole(word) for word in words[1 : 1 + count])
    if not verb.least <= len(objects) <= verb.most:
        wanted = str(verb.least) if verb.least == verb.most else f"at least {verb.least}"
        if verb.least == 0 < verb.most:
            wanted = f"at most {verb.most}"
        raise InputError(f"{name} takes {wanted} object(s); {len(objects)} are given.")
    options: dict[str, Any] = {}
    time = None
    for word in words[1 + count :]:
        key, _, value = word.partition("=")
        if key == "t":
            time = _whole(value)
            continue
        if key not in verb.options:
            known = ", ".join([*verb.options, "t"])
            raise InputError(f"{name} has no option {key!r}; it has {known}.")
        kind = verb.options[key]
        read = _KINDS[kind][0](value)
        if kind == _LINES:
            options[key] = (*options.get(key, ()), read)
        elif key in options:
            raise InputError(f"{key} is given more than once.")
        else:
            options[key] = read
    missing = [key for key in verb.needs if key not in options]
    if missing:
        raise InputError(f"{name} needs {missing[0]}=… ({verb.options[missing[0]]}).")
    return EditCommand(name, objects, options, time)


def _verb(name: str) -> Verb:
    if name not in VERBS:
        raise InputError(f"there is no edit {name!r}; there are {', '.join(VERBS)}.")
    return VERBS[name]


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,20}", text):
        raise InputError(f"{text!r} is no whole number from 0 on.")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{text!r} is no number.") from None


def _switch(text: str) -> bool:
    if text not in ("yes", "no"):
        raise InputError(f"{text!r} is neither yes nor no.")
    return text == "yes"


def _point(text: str) -> Point:
    return tuple(_number(part) for part in text.split(","))


def _line(text: str) -> Line:
    return tuple(_point(part) for part in text.split(">"))


def _point_text(point: Sequence[float]) -> str:
    return ",".join(_number_text(value) for value in point)


def _number_text(value: float) -> str:
    """As short as it can be without another number being read."""
    return repr(int(value)) if float(value).is_integer() else repr(float(value))


def _line_text(line: Sequence[Sequence[float]]) -> str:
    return ">".join(map(_point_text, line))


_KINDS: Mapping[str, tuple[Callable[[str], Any], Callable[[Any], str]]] = {
    _NUMBER: (_number, _number_text),
    _WHOLE: (_whole, str),
    _SWITCH: (_switch, lambda value: "yes" if value else "no"),
    _POINT: (_point, _point_text),
    _LINE: (_line, _line_text),
    _LINES: (_line, _line_text),
    _VOXELS: (voxel_runs_from_text, voxel_runs_as_text),
}
