"""What a person changes by hand in merged regions, written as text so that recipes replay it.

``merge 12 40``, ``split 7`` and ``take out 33``, one a line or with semicolons between them, are
made one after the other. Numbers are labels of the regions before any merging.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.regions.merging import MergeTree, groups_of
from napari_seedbed.errors import InputError

Verb = Literal["merge", "split", "take out"]
Whole = NDArray[np.int64]

_PATTERN = re.compile(r"(merge|split|take\s+out)((?:\s+\d+)+)", re.IGNORECASE)


@dataclass(frozen=True)
class RegionEdit:
    """One change by hand.

    Attributes
    ----------
    verb : {'merge', 'split', 'take out'}
        'merge' joins the groups of two regions; 'split' undoes the last step in which the group of
        a region was joined; 'take out' makes the region a group of its own again.
    labels : tuple of int
        Two regions for 'merge', one for the others.
    """

    verb: Verb
    labels: tuple[int, ...]

    def __str__(self) -> str:
        return " ".join([self.verb, *map(str, self.labels)])


def parse_edits(text: str) -> tuple[RegionEdit, ...]:
    """Read changes by hand.

    Parameters
    ----------
    text : str
        Pieces parted by semicolons or new lines, such as ``merge 3 4``.

    Raises
    ------
    InputError
        Naming the first piece that is none.
    """
    found = []
    for piece in re.split(r"[;\n]", text):
        words = piece.strip()
        if not words:
            continue
        match = _PATTERN.fullmatch(words)
        labels = tuple(int(word) for word in match[2].split()) if match else ()
        verb = " ".join(match[1].lower().split()) if match else ""
        if len(labels) != (2 if verb == "merge" else 1):
            raise InputError(
                f"{words!r} cannot be read; write 'merge 12 40', 'split 7' or 'take out 33', with "
                "semicolons between them."
            )
        found.append(RegionEdit(verb, labels))  # type: ignore[arg-type]
    return tuple(found)


def edits_text(edits: Sequence[RegionEdit]) -> str:
    """Write changes so that `parse_edits` reads them."""
    return "; ".join(map(str, edits))


def edited_groups(
    tree: MergeTree, steps: int, edits: Sequence[RegionEdit], labels: Whole
) -> tuple[Whole, tuple[str, ...]]:
    """Make so many steps of a merge tree, and then changes by hand.

    Parameters
    ----------
    tree : MergeTree
    steps : int
    edits : sequence of RegionEdit
    labels : (R,) ndarray of int
        Of the regions, rising.

    Returns
    -------
    groups : (R,) ndarray of int
        For each region the first region of its group.
    notes : tuple of str
        Which changes were left out since a region is not there.
    """
    if not edits:
        return tree.groups(steps), ()
    forest = _Forest(tree, steps, len(edits))
    notes = []
    for edit in edits:
        places = np.searchsorted(labels, edit.labels)
        missing = [
            label
            for label, place in zip(edit.labels, places.tolist(), strict=True)
            if place == len(labels) or labels[place] != label
        ]
        if missing:
            notes.append(f"'{edit}' was left out: there is no region {missing[0]}.")
        elif edit.verb == "merge":
            forest.merge(*places.tolist())
        elif edit.verb == "split":
            forest.split(int(places[0]))
        else:
            forest.take_out(int(places[0]))
    return groups_of(forest.ups, tree.n_regions), tuple(notes)


class _Forest:
    """Groups of regions as trees that remember who joined whom; see `MergeTree` for the nodes."""

    def __init__(self, tree: MergeTree, steps: int, more: int) -> None:
        self.ups = tree.ups(steps, more)
        self._first = tree.n_regions
        self._kids = np.full((steps + more, 2), -1, np.int64)
        self._kids[:steps] = tree.joined[:steps]
        self._next = tree.n_regions + steps

    def _root(self, node: int) -> int:
        while self.ups[node] >= 0:
            node = int(self.ups[node])
        return node

    def merge(self, a: int, b: int) -> None:
        roots = (self._root(a), self._root(b))
        if roots[0] != roots[1]:
            self.ups[list(roots)] = self._next
            self._kids[self._next - self._first] = roots
            self._next += 1

    def split(self, region: int) -> None:
        root = self._root(region)
        if root >= self._first:
            self.ups[self._kids[root - self._first]] = -1

    def take_out(self, region: int) -> None:
        parent = int(self.ups[region])
        if parent < 0:
            return
        kids = self._kids[parent - self._first]
        sibling = int(kids[1] if kids[0] == region else kids[0])
        above = int(self.ups[parent])
        self.ups[sibling] = above
        self.ups[region] = self.ups[parent] = -1
        if above >= 0:
            upper = self._kids[above - self._first]
            upper[upper == parent] = sibling
