"""The edits of selected objects that are buttons and keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from napari_seedbed.core.proofreading.named_edits import EditCommand


@dataclass(frozen=True)
class Action:
    """An edit of the selected objects.

    Attributes
    ----------
    title : str
        What its button says.
    tip : str
    verb : str
        As texts of edits have it.
    key : str
        As napari writes keys; empty for none.
    takes : mapping
        Options of the edit: name to which of the form's numbers it is.
    least : int
        How many objects must be selected.
    most : int
        How many may be.
    is_of_all : bool
        Whether it is about all objects instead, whatever is selected.
    """

    title: str
    tip: str
    verb: str
    key: str = ""
    takes: Mapping[str, str] = field(default_factory=dict)
    least: int = 1
    most: int = 1 << 30
    is_of_all: bool = False

    def command(
        self, objects: Sequence[int], numbers: Mapping[str, float], time: int | None
    ) -> EditCommand:
        """The edit of some objects, with the form's numbers."""
        options = {name: numbers[which] for name, which in self.takes.items()}
        return EditCommand(self.verb, tuple(objects), options, time)


_RADIUS = {"radius": "radius"}

ACTIONS: Mapping[str, Action] = {
    "delete": Action("Delete", "Take the selected objects away.", "delete", "Delete"),
    "merge": Action(
        "Merge",
        "Give the selected objects the label of the one selected first.",
        "merge",
        "J",
        least=2,
    ),
    "redo": Action(
        "Grow anew",
        "Segment the selected object again in a box around it, with the image: from its core, or "
        "from the strokes that are drawn with Grow strokes.",
        "redo",
        most=1,
    ),
    "fill_holes": Action(
        "Fill holes", "Fill the holes of the selected objects.", "fill-holes", "H"
    ),
    "largest": Action(
        "Largest piece",
        "Take all pieces of each object away but its largest.",
        "keep-largest-piece",
    ),
    "separate": Action(
        "Part pieces", "Make each piece of an object an object of its own.", "separate-pieces"
    ),
    "smooth": Action(
        "Smooth", "Even out the surface, as far as the radius.", "smooth", "R", _RADIUS
    ),
    "open": Action(
        "Open",
        "Take away bridges and spikes that are thinner than twice the radius.",
        "open",
        takes=_RADIUS,
    ),
    "close": Action(
        "Close",
        "Fill gaps and notches that are narrower than twice the radius.",
        "close",
        takes=_RADIUS,
    ),
    "grow": Action("Grow", "Grow into the background, as far as the radius.", "grow", "G", _RADIUS),
    "shrink": Action(
        "Shrink",
        "Take away what is nearer to the border than the radius.",
        "shrink",
        "Shift+G",
        _RADIUS,
    ),
    "renumber": Action(
        "Renumber", "Give the object the lowest label above all others.", "renumber", most=1
    ),
    "renumber_all": Action(
        "Renumber all",
        "Give all objects labels from 1 on without gaps, in their order; in a film at all time "
        "points alike.",
        "renumber",
        is_of_all=True,
    ),
    "interpolate": Action(
        "Interpolate",
        "Draw the object between slices from its outlines on some of them: on every n-th, or, "
        "with gaps, where there is none.",
        "interpolate",
        "I",
        {"every": "every"},
    ),
    "necks": Action(
        "Necks", "Cut the selected objects apart where they are thin.", "split-by-necks", "D"
    ),
}
"""By name."""
