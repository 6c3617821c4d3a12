"""What a person does in a recorded hour, a step a line of a text file.

```text
one at a time                     or: all at once, and the strokes of all are segmented together
new 7 z13 78,56 94,74             a stroke in an object that has none yet, called 7 from now on
more 7 z16 80,60 90,62            another stroke in it
background z4 5,45 40,45 60,60    a stroke of background
keep                              Enter: the proposed object is kept
proofread                         the result is accepted and goes to the panel Proofread
cut x97 22,0 22,34                a line through an object
merge x97 20,8 15,8               two clicks, on one object and then on the other
all                               every object is selected
smooth 0.3                        a button for the selected objects, and the radius for it
picture hour_done.png z33         what the window looks like on a slice
```

A plane is an axis and an index: ``z13`` is the slice 13, ``y97`` the plane along depth through row
97. Places in it are its two other coordinates in the order z, y, x. ``#`` begins a comment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

AXES = "zyx"

_NAMED = ("new", "more", "picture")
_DRAWN = ("background", "cut", "merge", *_NAMED)


@dataclass(frozen=True)
class Step:
    """One line.

    Attributes
    ----------
    verb : str
    rest : str
        What follows a verb that draws nothing.
    name : str
        Of the object, or of the picture; empty without one.
    axis, index : int
        The plane that is drawn on.
    places : tuple of (float, float, float)
        In voxels.
    """

    verb: str
    rest: str = ""
    name: str = ""
    axis: int = 0
    index: int = 0
    places: tuple[tuple[float, ...], ...] = ()


def read_steps(path: Path) -> list[Step]:
    """Read the steps of an hour."""
    return list(_steps(path.read_text(encoding="utf-8").splitlines()))


def _steps(lines: list[str]) -> Iterator[Step]:
    for line in lines:
        words = line.partition("#")[0].split()
        if not words:
            continue
        verb, *rest = words
        if verb not in _DRAWN:
            yield Step(verb, " ".join(rest))
            continue
        name = rest.pop(0) if verb in _NAMED else ""
        plane, *places = rest
        axis, index = AXES.index(plane[0]), int(plane[1:])
        yield Step(verb, "", name, axis, index, tuple(_place(one, axis, index) for one in places))


def _place(text: str, axis: int, index: int) -> tuple[float, ...]:
    place = [float(number) for number in text.split(",")]
    place.insert(axis, float(index))
    return tuple(place)
