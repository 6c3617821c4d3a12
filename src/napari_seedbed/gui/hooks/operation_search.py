"""Finds operations by what people call them, the best match first."""

from napari_seedbed.gui.hooks.also_known_as import ALSO_KNOWN_AS
from napari_seedbed.gui.hooks.other_programs import names_elsewhere
from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.engine.registry import former_names


def matches(operation: Operation, text: str) -> bool:
    """Whether all words are in its titles, other names, group or help, or in a name elsewhere."""
    words = _plain(text).split()
    names = (_plain(name) for _, name in names_elsewhere(operation.name))
    return any(all(word in said for word in words) for said in (_said_of(operation), *names))


def rank(operation: Operation, text: str) -> int:
    """How well a text that matches names an operation; the least is best.

    What it is called anywhere comes before what it is called among others, titles come before
    names in other programs, and these before what is only said about it.
    """
    wanted, words = _joined(text), _plain(text).split()
    titles = (operation.title, operation.name, operation.command_title)
    elsewhere = [name for _, name in names_elsewhere(operation.name)]
    others = (operation.term, *former_names(operation), *ALSO_KNOWN_AS.get(operation.name, ()))
    levels = (
        any(wanted == _joined(name) for name in (operation.title, operation.name)),
        any(wanted == _joined(name) for name in elsewhere),
        any(_joined(name).startswith(wanted) for name in titles),
        any(_joined(name).startswith(wanted) for name in (*elsewhere, *others)),
        all(word in _plain(" ".join(titles)) for word in words),
        any(all(word in _plain(name) for word in words) for name in (*elsewhere, *others)),
    )
    return next((level for level, holds in enumerate(levels) if holds), len(levels))


def name_that_matches(operation: Operation, text: str) -> str:
    """'Despeckle in Fiji', where it is a name in another program that all words are in.

    Empty where the title has them, too, and where there is none.
    """
    words = _plain(text).split()
    if not words or all(word in _plain(operation.title) for word in words):
        return ""
    wanted = _joined(text)
    found = [
        (not _joined(name).startswith(wanted), len(name), f"{name} in {program}")
        for program, name in names_elsewhere(operation.name)
        if all(word in _plain(name) for word in words)
    ]
    return min(found)[-1] if found else ""


def _said_of(operation: Operation) -> str:
    parts = (
        operation.title,
        operation.command_title,
        operation.term,
        operation.group,
        operation.name,
        *former_names(operation),
        operation.help,
        *ALSO_KNOWN_AS.get(operation.name, ()),
    )
    return _plain(" ".join(parts))


def _plain(text: str) -> str:
    """Lower case with spaces for underscores, so that names of functions are found as well."""
    return text.lower().replace("_", " ")


def _joined(text: str) -> str:
    """Letters and digits alone: 'Top-hat', 'TopHat' and 'top hat' are the same."""
    return "".join(letter for letter in text.lower() if letter.isalnum())
