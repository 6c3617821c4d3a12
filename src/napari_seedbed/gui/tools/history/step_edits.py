"""Edits of a list of steps, undone and done again."""

from collections.abc import Sequence
from itertools import zip_longest

from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.recipes.recipe_model import Step

Steps = tuple[Step, ...]


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
    """Place of each step that differs, with the parameter or with 'skip'."""
    found = set()
    for place, (one, other) in enumerate(zip(before, after, strict=True)):
        if one.skip != other.skip:
            found.add((place, "skip"))
        values, others = one.parameters, other.parameters
        found |= {(place, name) for name in others if values.get(name) != others[name]}
    return found


def _is_one_text(steps: Steps, changes: set[tuple[int, str]]) -> bool:
    """Whether one parameter was changed, and is a text."""
    (place, name), *others = changes
    return (
        not others and name != "skip" and get(steps[place].operation).parameter(name).type == "text"
    )


def _in_words(before: Steps, after: Steps) -> str:
    """``sigma of step 2``, ``step 3 switched off``."""
    words = []
    for place, name in sorted(_changes(before, after)):
        step = after[place]
        if name == "skip":
            words.append(f"step {place + 1} switched {'off' if step.skip else 'on'}")
        else:
            label = get(step.operation).parameter(name).label
            words.append(f"{label} of step {place + 1}")
    return ", ".join(words)
