"""The YAML of recipes: plain values, read within limits and never executed."""

import re
from os import PathLike
from pathlib import Path
from typing import Any

import yaml

from napari_seedbed.errors import FileError, RecipeError
from napari_seedbed.pipeline.files.atomic_files import why_unreadable

try:
    # Twenty times as fast as the one in Python.
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]

LARGEST_FILE = 64 << 20
"""Bytes; packed seeds of a large volume take some of them."""

MOST_ENTRIES = 100_000
"""Values, lists and their ends; a drawn shape has 10."""

_DEEPEST = 20
_LONGEST_NUMBER = 40

# As in YAML 1.2. In YAML 1.1, which the library reads, 1e-5 is a text and 1:30 is 90.
_RULES = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", "true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", "[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
)


def read_yaml(path: str | PathLike[str]) -> Any:
    """The plain values in a YAML file.

    Raises
    ------
    FileError
        When the file cannot be read.
    RecipeError
        When it is no YAML, is larger or holds more than a recipe does, refers to itself, or says
        of what kind a value is.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise FileError(f"{path} could not be read: {why_unreadable(error)}.") from error
    if len(raw) > LARGEST_FILE:
        raise RecipeError(
            f"{path} is not a recipe: it has more than {LARGEST_FILE >> 20} MiB, which none has."
        )
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path} is not a recipe: it is not text.") from error
    try:
        _check_events(text)
        return yaml.load(text, Loader=_Loader)
    except _RefusedError as error:
        raise RecipeError(f"{path} is not a recipe: {error}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where is not None else ""
        raise RecipeError(f"{path} is not a recipe: it is not valid YAML{line}.") from error


def yaml_text(content: Any) -> str:
    """Plain values as YAML: blocks for long text, one line for short lists."""
    return str(yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))


class _RefusedError(Exception):
    """What a recipe never holds."""


def _check_events(text: str) -> None:
    """Look at a file as a stream, before anything is made of it."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=SafeLoader)):
        if number > MOST_ENTRIES:
            raise _RefusedError(f"it holds more than {MOST_ENTRIES} values")
        if isinstance(event, yaml.AliasEvent):
            # A small file can grow without limit by them.
            raise _RefusedError(
                f"{_place(event)} refers to another place of it, which is not allowed"
            )
        if getattr(event, "tag", None) is not None:
            raise _RefusedError(
                f"{_place(event)} says of what kind a value is, which is not allowed"
            )
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise _RefusedError(
                f"{_place(event)} has lists inside lists, more than {_DEEPEST} deep"
            )


def _place(event: yaml.Event) -> str:
    return "a line" if event.start_mark is None else f"line {event.start_mark.line + 1}"


class _Loader(SafeLoader):
    """Plain values, with the numbers of YAML 1.2."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - as the base class has it


class _Dumper(yaml.SafeDumper):
    """Quotes what would be read as a number in YAML 1.1 or 1.2."""


def _check_number(text: str) -> str:
    if len(text) > _LONGEST_NUMBER:
        raise _RefusedError(f"the number {text[:12]}… has {len(text)} digits")
    return text


def _construct_integer(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = _check_number(node.value)
    return int(text, {"0x": 16, "0o": 8}.get(text[:2], 10))


def _construct_float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    text = _check_number(node.value).lower()
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))


def _construct_text(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    text: str = node.value
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise _RefusedError("it holds half a letter (a surrogate)")
    return text


for _name, _pattern, _first in _RULES:
    _rule = re.compile(rf"(?:{_pattern})\Z")
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _rule, _first)
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _rule, _first)
_Loader.add_constructor("tag:yaml.org,2002:int", _construct_integer)
_Loader.add_constructor("tag:yaml.org,2002:float", _construct_float)
_Loader.add_constructor("tag:yaml.org,2002:str", _construct_text)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_list(dumper: yaml.SafeDumper, values: list[Any]) -> yaml.Node:
    flat = not any(isinstance(value, dict | list) for value in values)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=flat)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(list, _represent_list)
