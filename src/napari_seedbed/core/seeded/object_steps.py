"""Objects made one after the other, each from strokes of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_seedbed.core.progress import part_of
from napari_seedbed.errors import InputError

if TYPE_CHECKING:
    from napari_seedbed.core.seeded.object_proposals import ObjectProposer
    from napari_seedbed.core.seeded.seeded_segmenter import SeededSegmenter

Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ObjectStep:
    """What an object was made from.

    Attributes
    ----------
    number : int
        Of the object.
    strokes, background : (N, ndim) ndarray of int
        Voxels that were marked.
    time : int
        Time point; 0 where there is only one.
    darker_than : float
        Voxels darker than this were no object; 0 where brightness did not matter.
    is_masked : bool
        Whether the mask of what is no object counted.
    learnt_anew : bool
        Whether what the objects before it look like had been learnt anew from their voxels: the
        work went on in another window.
    """

    number: int
    strokes: Places
    background: Places
    time: int = 0
    darker_than: float = 0.0
    is_masked: bool = False
    learnt_anew: bool = False


def steps_of_seeds(
    seeds: ArrayLike,
    background: int = 0,
    *,
    time: int = 0,
    darker_than: float = 0.0,
    is_masked: bool = False,
) -> list[ObjectStep]:
    """Return a step for each label but that of the background, rising.

    Parameters
    ----------
    seeds : (M, N[, P]) array_like of int
        Seeds of other objects are background of each.
    background : int
        Label of what is no object; 0 where there is none.
    time, darker_than, is_masked
        Of each step.

    Raises
    ------
    InputError
        If there are no seeds of objects.
    """
    marks = np.asarray(seeds)
    places = np.argwhere(marks > 0)
    labels = marks[tuple(places.T)]
    values = [int(value) for value in np.unique(labels) if value != background]
    if not values:
        raise InputError(
            "seeds: there are none of objects; mark each object with a label of its own."
        )
    return [
        ObjectStep(
            value, places[labels == value], places[labels != value], time, darker_than, is_masked
        )
        for value in values
    ]


def objects_of_steps(
    segmenter: "SeededSegmenter",
    steps: Sequence[ObjectStep],
    excluded: NDArray[np.bool_] | None = None,
    *,
    time: int = 0,
) -> tuple[NDArray[np.int32], list[int]]:
    """Make objects one after the other; those that were made are walls for the next.

    Parameters
    ----------
    segmenter : SeededSegmenter
        Of the image of the time point.
    steps : sequence of ObjectStep
        One with the number of an earlier one takes its place.
    excluded : (M, N[, P]) ndarray of bool, optional
        What is no object, for the steps to which a mask counts.
    time : int
        Steps of other time points are left out.

    Returns
    -------
    labels : (M, N[, P]) ndarray of int32
    missing : list of int
        Numbers of objects that were not made, since earlier ones cover all their strokes.
    """
    from napari_seedbed.core.seeded.object_proposals import ObjectProposer

    proposer = ObjectProposer(segmenter)
    own = [step for step in steps if step.time == time]
    made: set[int] = set()
    missing = []
    for nth, step in enumerate(own):
        with part_of(nth, len(own), f"object {nth + 1} of {len(own)}: "):
            proposer.choose_background(
                step.darker_than or None, excluded if step.is_masked else None
            )
            if step.learnt_anew:
                learn_anew(proposer, own[:nth])
            if step.number in made:
                proposer.remove(step.number)
            try:
                found = proposer.propose(step.strokes, step.background)
            except InputError:
                # All of its strokes lie in objects that were made before.
                missing.append(step.number)
                made.discard(step.number)
                continue
            proposer.keep(step.number, found)
            made.add(step.number)
    return proposer.objects.astype(np.int32, copy=False), missing


def learn_anew(proposer: "ObjectProposer", steps: Sequence[ObjectStep]) -> None:
    """Learn from the voxels of objects alone what those look like that these steps made."""
    proposer.learn({step.number: step.background for step in steps})
