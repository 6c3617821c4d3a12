"""Edits of a list of steps, undone and done again."""

from collections.abc import Sequence
from itertools import zip_longest

from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.recipes.recipe_model import Step

Steps = tuple[Step, ...]

_SKIP = "skip"
"""Stands for whether a step is switched off, where others stand for their parameter."""


class StepEdits:
    """The states of a list of steps, one for each edit.

    Parameters
    ----------
    steps : tuple of Step
        Before any edit.
    """

    def __init__(self, steps: Steps) -> None:
        self._states = [steps]
        self._at = 0

    @property
    def now(self) -> Steps:
        """The steps as they are now."""
        return self._states[self._at]

    def take(self, steps: Steps) -> None:
        """Take an edit; what was undone is gone then. Letters of one text are one edit."""
        before = self._states[self._at - 1] if self._at else None
        made = _changes(self.now, steps)
        if not made:
            return
        goes_on = before is not None and _is_one_text(steps, made)
        if goes_on and before is not None and _changes(before, self.now) == made:
            self._at -= 1
        del self._states[self._at + 1 :]
        self._states.append(steps)
        self._at += 1

    def undo(self) -> None:
        """Go back by one edit, if there is one."""
        self._at = max(self._at - 1, 0)

    def redo(self) -> None:
        """Go forward by one edit, if one was undone."""
        self._at = min(self._at + 1, len(self._states) - 1)

    @property
    def undone_next(self) -> str:
        """What `undo` takes back, in words; empty where there is nothing."""
        return _in_words(self._states[self._at - 1], self.now) if self._at else ""

    @property
    def redone_next(self) -> str:
        """What `redo` does, in words; empty where there is nothing."""
        following = self._states[self._at + 1 : self._at + 2]
        return _in_words(self.now, following[0]) if following else ""


def made_anew(before: Steps, edited: Steps, after: Steps) -> Steps | None:
    """Edits of some steps made in steps of the same operations.

    Parameters
    ----------
    before : tuple of Step
    edited : tuple of Step
        The same after edits.
    after : tuple of Step
        As somebody else has changed them meanwhile.

    Returns
    -------
    tuple of Step or None
        None where there are other steps now.
    """
    if [(one.name, one.operation) for one in before] != [
        (one.name, one.operation) for one in after
    ]:
        return None
    steps = list(after)
    for place, name in _changes(before, edited):
        step, wanted = steps[place], edited[place]
        changed = {"parameters": {**step.parameters, name: wanted.parameters[name]}}
        update = {"skip": wanted.skip} if name == _SKIP else changed
        steps[place] = step.model_copy(update=update)
    return tuple(steps)


def first_changed(before: Sequence[Step], after: Sequence[Step]) -> int | None:
    """Number, from 1, of the first step that gives something else; None where all are the same.

    What is changed in a step that stays switched off makes no difference.
    """
    for number, (one, other) in enumerate(zip_longest(before, after), start=1):
        if one != other and not (one and other and one.skip and other.skip):
            return number
    return None


def first_user(steps: Sequence[Step], name: str) -> int:
    """Number, from 1, of the first step that works on a source of the recipe."""
    users = (n for n, one in enumerate(steps, start=1) if name in (one.image, one.other))
    return next(users, 1)


def _changes(before: Steps, after: Steps) -> set[tuple[int, str]]:
    """Place of each step that differs, with the parameter or with `_SKIP`."""
    found = set()
    for place, (one, other) in enumerate(zip(before, after, strict=True)):
        if one.skip != other.skip:
            found.add((place, _SKIP))
        values, others = one.parameters, other.parameters
        found |= {(place, name) for name in others if values.get(name) != others[name]}
    return found


def _is_one_text(steps: Steps, changes: set[tuple[int, str]]) -> bool:
    """Whether one parameter was changed, and is a text."""
    (place, name), *others = changes
    return (
        not others and name != _SKIP and get(steps[place].operation).parameter(name).type == "text"
    )


def _in_words(before: Steps, after: Steps) -> str:
    """``sigma of step 2``, ``step 3 switched off``."""
    words = []
    for place, name in sorted(_changes(before, after)):
        step = after[place]
        if name == _SKIP:
            words.append(f"step {place + 1} switched {'off' if step.skip else 'on'}")
        else:
            label = get(step.operation).parameter(name).label
            words.append(f"{label} of step {place + 1}")
    return ", ".join(words)
