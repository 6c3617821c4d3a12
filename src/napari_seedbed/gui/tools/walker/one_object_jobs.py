"""What a proposal is made from and how, in a thread of its own: no widgets here."""

from collections.abc import Callable, Hashable, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer
from numpy.typing import NDArray
from skimage.filters import threshold_otsu

from napari_seedbed.core import ObjectProposer
from napari_seedbed.core.seeded.object_looks import Sample
from napari_seedbed.core.seeded.object_proposals import Proposal
from napari_seedbed.core.seeded.object_steps import ObjectStep, learn_anew
from napari_seedbed.errors import InputError
from napari_seedbed.gui.layers.image_layers import image_of
from napari_seedbed.gui.layers.seed_layers import seeds_image
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations.object_by_object import (
    OPERATION,
    segmenter_in,
)

BINS = 256
MOST_COUNTED = 1 << 20
"""Voxels that the histogram is made of; it only shows where to put a line."""


@dataclass
class Made:
    """What was kept of one time point.

    Attributes
    ----------
    samples : dict
        What the objects look like, by number.
    steps : list of ObjectStep
    masks : list of Image
        Of what was no object, each once, as they were used.
    is_earlier : bool
        Whether all steps are those of an earlier window, and samples are to be learnt anew.
    """

    samples: dict[int, Sample] = field(default_factory=dict)
    steps: list[ObjectStep] = field(default_factory=list)
    masks: list[Image] = field(default_factory=list)
    is_earlier: bool = False

    def note(self, number: int, proposal: Proposal, wanted: "Wanted") -> None:
        """An object was kept."""
        mask = wanted.excluded
        self.steps.append(
            ObjectStep(
                number,
                proposal.strokes,
                proposal.background,
                wanted.time or 0,
                wanted.darker_than,
                mask is not None,
                self.is_earlier,
            )
        )
        self.is_earlier = False
        if mask is not None and not any(_is_same(mask, known) for known in self.masks):
            # The layer may be painted on later.
            self.masks.append(replace(mask, array=np.array(mask.array)))


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a proposal is made from, as the layers are when its job begins.

    Attributes
    ----------
    is_steady : callable
        Says, asked on another thread, whether the strokes are still those that were asked about.
    """

    layer: ImageLayer
    image: Image
    time: int | None
    seeds: NDArray[np.integer]
    background: int
    darker_than: float
    excluded: Image | None
    is_steady: Callable[[], bool]


@dataclass(frozen=True, eq=False)
class Proposed:
    """What a job found.

    Attributes
    ----------
    proposer : ObjectProposer
        For the image.
    proposal : Proposal or None
    why_not : str
        Why there is none.
    highest : int
        The highest number of an object that was kept, at any time point.
    is_steady : bool
        Whether nobody painted while the strokes were read.
    """

    proposer: ObjectProposer
    proposal: Proposal | None
    why_not: str = ""
    highest: int = 0
    is_steady: bool = True


def place_of(wanted: Wanted) -> tuple[Any, ...]:
    return wanted.layer, wanted.image, wanted.time


def proposed(
    wanted: Wanted,
    proposer: ObjectProposer | None,
    made: Made,
    objects: NDArray[Any] | None,
    kept: NDArray[Any] | None,
    cache: MutableMapping[Hashable, Any],
) -> Proposed:
    """What a job does; `kept` are the objects of all time points."""
    context = operations.Context(cache=cache)
    operations.prepare(OPERATION, wanted.image, context=context, time=wanted.time or 0)
    is_new = proposer is None or proposer.samples is not made.samples
    if proposer is None or is_new:
        proposer = ObjectProposer(segmenter_in(cache))
        proposer.samples = made.samples
    if objects is not None:
        proposer.objects = objects
    excluded = None if wanted.excluded is None else array_at(wanted.excluded, wanted.time) > 0
    proposer.choose_background(wanted.darker_than or None, excluded)
    proposer.prepare()
    if is_new and made.is_earlier:
        learn_anew(proposer, made.steps)
    # The person goes on painting in the layer while this runs; that begins it anew.
    seeds = np.array(wanted.seeds)
    is_steady = wanted.is_steady()
    marked = np.argwhere(seeds > 0)
    is_ground = seeds[tuple(marked.T)] == wanted.background
    strokes = marked[~is_ground]
    if not len(strokes):
        only_ground = "Only background is marked; mark the object."
        return Proposed(proposer, None, only_ground if len(marked) else "", is_steady=is_steady)
    held = proposer.objects[tuple(strokes.T)]
    if held.all():
        return Proposed(
            proposer,
            None,
            f"These strokes lie in object {held[0]}, which is kept. Double-click it to reopen it, "
            "or paint elsewhere.",
            is_steady=is_steady,
        )
    proposal = proposer.propose(strokes, marked[is_ground])
    highest = 0 if kept is None else int(np.max(kept, initial=0))
    return Proposed(proposer, proposal, "", highest, is_steady)


def array_at(image: Image, t: int | None) -> NDArray[Any]:
    """The voxels of a time point, (Z, Y, X) or (Y, X)."""
    chosen = image if t is None or image.time_axis is None else image.select_time(t)
    return np.asarray(chosen.array).reshape(image.spatial_shape)


def excluded_by(mask: Layer | None, image: Image) -> Image | None:
    """What a mask says is no object of the image.

    Raises
    ------
    InputError
        If it has another shape.
    """
    if mask is None:
        return None
    excluded = image_of(mask)
    if excluded.spatial_shape != image.spatial_shape:
        raise InputError(
            f"mask: '{mask.name}' has the shape {excluded.spatial_shape}, the image "
            f"{image.spatial_shape}; choose a mask on the grid of the image."
        )
    return excluded


def index_of_strokes(
    seeds: Labels, image: ImageLayer, t: int | None
) -> Callable[[NDArray[np.int64]], tuple[Any, ...]]:
    """Where places of the image lie in the data of the strokes' layer.

    Raises
    ------
    InputError
        Where these have another grid than the image.
    """
    like = seeds_image(seeds, image)
    own = np.asarray(seeds.data)
    if own.shape != like.shape or not np.shares_memory(np.asarray(like.array), own):
        raise InputError(
            f"seeds: '{seeds.name}' does not lie on the grid of '{image.name}'; press New seeds "
            "for a layer that does."
        )

    def index(places: NDArray[np.int64]) -> tuple[Any, ...]:
        parts = iter(places.T)
        return tuple(
            np.full(len(places), t or 0) if axis == "t" else next(parts) for axis in like.axes
        )

    return index


def _is_same(one: Image, other: Image) -> bool:
    return one.shape == other.shape and np.array_equal(one.array, other.array)


@dataclass(frozen=True, eq=False)
class Brightness:
    """How often each brightness occurs, and where a line could be that separates objects.

    Attributes
    ----------
    edges : (N + 1,) ndarray of float64
    counts : (N,) ndarray of int64
    line : float
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    line: float


def brightness_of(image: Image, t: int | None) -> Brightness | None:
    """The brightness of a time point, as the mean of its channels; None where it is constant."""
    chosen = image if t is None or image.time_axis is None else image.select_time(t)
    step = max(1, int(np.ceil((np.prod(chosen.shape) / MOST_COUNTED) ** (1 / 3))))
    spatial = [axis in chosen.spatial_axes for axis in chosen.axes]
    values = np.asarray(chosen.array[tuple(slice(None, None, step if s else 1) for s in spatial)])
    if chosen.channel_axis is not None:
        values = values.mean(axis=chosen.channel_axis)
    values = values[np.isfinite(values)].astype(np.float64)
    if values.size == 0 or values.min() == values.max():
        return None
    counts, edges = np.histogram(values, BINS)
    middles = (edges[:-1] + edges[1:]) / 2
    return Brightness(edges, counts, float(threshold_otsu(hist=(counts, middles))))
