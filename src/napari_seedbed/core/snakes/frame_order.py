"""In which order frames follow on each other when snakes go on from a drawn frame to the next."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Literal

Follow = Literal["off", "forwards", "backwards", "both"]


@dataclass(frozen=True)
class Visit:
    """One frame, and where its objects come from.

    Attributes
    ----------
    position : int
    drawn : frozenset of int
        Labels that were drawn here.
    carried : frozenset of int
        Labels that go on from the frame `source`.
    source : int or None
        The frame before; None where nothing is carried.
    """

    position: int
    drawn: frozenset[int]
    carried: frozenset[int]
    source: int | None


def visits(drawn: Mapping[int, Set[int]], n_frames: int, follow: Follow) -> list[Visit]:
    """List the frames to work on, each after the one that it goes on from.

    A label comes from the nearest frame that it was drawn on: the one before if only forwards, the
    one behind if only backwards, and of two equally near ones the one before.

    Parameters
    ----------
    drawn : mapping of int to set of int
        For each frame with shapes the labels drawn there.
    n_frames : int
    follow : {'off', 'forwards', 'backwards', 'both'}

    Returns
    -------
    list of Visit
        Forwards first; a frame may be visited twice, for other labels.
    """
    places: dict[int, list[int]] = {}
    for position in sorted(drawn):
        for label in drawn[position]:
            places.setdefault(label, []).append(position)
    ahead: dict[int, set[int]] = {}
    back: dict[int, set[int]] = {}
    for label, positions in places.items():
        for position in range(n_frames) if follow != "off" else ():
            step = _step_to_source(position, positions, follow)
            if step:
                (ahead if step < 0 else back).setdefault(position, set()).add(label)
    forwards = [
        Visit(
            position,
            frozenset(drawn.get(position, ())),
            frozenset(ahead.get(position, ())),
            position - 1 if position in ahead else None,
        )
        for position in sorted({*drawn, *ahead})
    ]
    backwards = [
        Visit(position, frozenset(), frozenset(back[position]), position + 1)
        for position in sorted(back, reverse=True)
    ]
    return forwards + backwards


def _step_to_source(position: int, drawn: list[int], follow: Follow) -> int:
    """-1 or 1 for the frame before or behind, 0 where a label is drawn or cannot come from."""
    before = [p for p in drawn if p < position] if follow != "backwards" else []
    behind = [p for p in drawn if p > position] if follow != "forwards" else []
    if position in drawn or not (before or behind):
        return 0
    if not behind:
        return -1
    if not before:
        return 1
    return -1 if position - before[-1] <= behind[0] - position else 1
