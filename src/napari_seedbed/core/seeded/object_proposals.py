"""One object at a time: a stroke proposes an object, kept ones are walls for the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.sparse import csr_array

from napari_seedbed.core.parabola_envelopes import lowest_paraboloids
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.seeded.basin_graphs import BasinGraph
from napari_seedbed.core.seeded.basin_splits import split_by_seeds
from napari_seedbed.core.seeded.brightness import smoothed_brightness
from napari_seedbed.core.seeded.described_volume import DescribedVolume
from napari_seedbed.core.seeded.label_painting import Painter
from napari_seedbed.core.seeded.object_boxes import BACKGROUND, OBJECT, Box, grow_object
from napari_seedbed.core.seeded.object_looks import ObjectLook, Sample, evenly
from napari_seedbed.core.seeded.seeded_segmenter import SeededSegmenter
from napari_seedbed.errors import InputError

Places = NDArray[np.int64]

NEAREST, FARTHEST = 1.5, 6.0
"""Between these distances, in the finest voxel size, lie the surroundings of an object: nearer
voxels show it, too, farther ones its neighbours."""

LARGER, ENOUGH = 2.0, 3
"""When so many objects are kept, another one reaches no farther from its strokes than so many times
their median extent: a faint object would otherwise be looked for in the whole image."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """An object that may be kept.

    Attributes
    ----------
    region : tuple of slice
        One along each spatial axis of the image.
    mask : ndarray of bool
        Which voxels of the region belong to the object.
    strokes, background : (N, ndim) ndarray of int
        The places that it was made from.
    sample : Sample
        What it looks like.
    """

    region: tuple[slice, ...]
    mask: NDArray[np.bool_]
    strokes: Places
    background: Places
    sample: Sample


@dataclass(frozen=True, eq=False)
class Kept:
    """An object that was kept, while it is taken away.

    Attributes
    ----------
    number : int
    places : (N,) ndarray of int
        Its voxels in the flattened image.
    sample : Sample or None
        What it looks like; None where a person drew it.
    """

    number: int
    places: NDArray[np.intp]
    sample: Sample | None


class ObjectProposer:
    """Proposes objects of one image from strokes, one after the other.

    An object is looked for in boxes around its strokes. As long as nothing else says what is
    background, the rims of these boxes do, and the objects that were kept. From these it is learnt
    what objects look like. A proposal depends on the image, its strokes and the objects kept
    before, bit for bit.

    Parameters
    ----------
    segmenter : SeededSegmenter
        Of the image; what it has prepared is shared.
    darker_than : float, optional
        Voxels darker than this, as the mean over the channels, slightly smoothed, are no object.
    excluded : (M, N[, P]) ndarray of bool, optional
        Voxels that are no object.

    Attributes
    ----------
    objects : (M, N[, P]) ndarray of int
        The objects that were kept, each with its number. Whoever edits them moves the walls.
    samples : dict
        What they look like, by number.

    Raises
    ------
    InputError
        If the shape of `excluded` is not the image's.
    """

    def __init__(
        self,
        segmenter: SeededSegmenter,
        *,
        darker_than: float | None = None,
        excluded: NDArray[np.bool_] | None = None,
    ) -> None:
        self._segmenter = segmenter
        self.shape = segmenter.shape
        self.objects: NDArray[np.integer] = np.zeros(self.shape, np.int32)
        self.samples: dict[int, Sample] = {}
        self._volume: DescribedVolume | None = None
        self._weights: csr_array | None = None
        self._sizes: NDArray[np.intp] = np.empty(0, np.intp)
        self._brightness: NDArray[np.float64] | None = None
        self.choose_background(darker_than, excluded)

    def choose_background(
        self, darker_than: float | None = None, excluded: NDArray[np.bool_] | None = None
    ) -> None:
        """Let other voxels be no object from now on; see the parameters of the class."""
        if excluded is not None and excluded.shape != self.shape:
            raise InputError(
                f"excluded has the shape {excluded.shape}; it must have that of the image, "
                f"{self.shape}."
            )
        self._darker_than, self._excluded = darker_than, excluded

    def prepare(self) -> None:
        """Look at the image, if that has not been done."""
        self._described()

    def propose(self, strokes: ArrayLike, background: ArrayLike = ()) -> Proposal:
        """Propose the object that has these strokes.

        Parameters
        ----------
        strokes : (N, ndim) array_like of int
            Voxels of the object. Those in objects that were kept do not count.
        background : (M, ndim) array_like of int
            Voxels that do not belong to it.

        Raises
        ------
        InputError
            If there is no stroke outside the objects that were kept, or one outside the image.
        Cancelled
            If the running job should stop.
        """
        own, other = self._checked(strokes, "strokes"), self._checked(background, "background")
        held = self.objects[tuple(own.T)]
        if not len(own) or held.all():
            raise InputError(
                "strokes: there are none; mark the object."
                if not len(own)
                else f"strokes: they all lie in object {held[0]}, which was kept; reopen it, or "
                "mark another place."
            )
        own = own[held == 0]
        volume = self._described()
        places = tuple(self._in_volume(np.concatenate([own, other])).T)
        numbers = np.repeat(np.array([OBJECT, BACKGROUND], np.int32), [len(own), len(other)])
        nodes, given = split_by_seeds(volume.graph, places, numbers, volume.steps.tolist())
        assert self._weights is not None
        weights = self._weights if nodes is volume.graph else nodes.weights()
        grown = grow_object(
            nodes,
            weights,
            given,
            self._in_volume(own),
            self._in_volume(other),
            volume.steps,
            lambda box: self._grounded(nodes, box),
            self._farthest(),
        )
        box = _wider(grown.box, FARTHEST / volume.steps, volume.graph.basin.shape)
        allowed = self._allowed(box)
        allowed[self._within(own, box)] = True
        inner = self._within(other, box)
        allowed[inner] = False

        # Faces of background alone change nothing.
        faces = nodes.faces_at(np.flatnonzero(grown.walks[OBJECT]))
        painted_on = replace(nodes, pair=nodes.pair[faces])

        def painted(look: ObjectLook | None) -> NDArray[np.bool_]:
            check_stop()
            painter = Painter(painted_on, grown.walks, volume.steps, look, np.arange(2))
            mask = (painter.paint(box).winner == OBJECT) & allowed
            mask[self._within(own, box)] = True
            return _connected(mask, self._within(own, box))

        first = painted(None)
        # An object that was put back counts as before, to the last digit.
        known = [self.samples[number] for number in sorted(self.samples)]
        samples = [*known, self._sample(first, box, other)]
        look = ObjectLook.of(volume.features, samples)
        mask = first if look is None else painted(look)
        # Specks inside that look like the surroundings, but are not divided from the object.
        hull = _bounds(mask)
        mask[hull] |= _holes(mask[hull]) & first[hull]
        sample = self._sample(mask, box, other)
        ndim = len(self.shape)
        return Proposal(box[3 - ndim :], mask.reshape(mask.shape[3 - ndim :]), own, other, sample)

    def keep(self, number: int, proposal: Proposal) -> None:
        """Keep a proposal as the object of this number; no other object is touched.

        Raises
        ------
        InputError
            If the number is not positive, or another object has it.
        """
        if number < 1 or number in self.samples:
            raise InputError(
                f"number is {number}; it must be positive, and no object may have it yet."
            )
        part = self.objects[proposal.region]
        part[proposal.mask & (part == 0)] = number
        self.samples[number] = proposal.sample

    def remove(self, number: int) -> "Kept":
        """Take an object away, and forget what it looks like; returns what `put_back` takes."""
        places = np.flatnonzero(self.objects == number)
        self.objects.flat[places] = 0
        return Kept(number, places, self.samples.pop(number, None))

    def put_back(self, kept: "Kept") -> None:
        """Let an object be there again that was removed."""
        self.objects.flat[kept.places] = kept.number
        if kept.sample is not None:
            self.samples[kept.number] = kept.sample

    def learn(self, backgrounds: Mapping[int, ArrayLike]) -> None:
        """Learn what objects look like from their voxels alone, and forget what was known of them.

        Parameters
        ----------
        backgrounds : dict of int to (N, ndim) array_like of int
            Voxels that do not belong to an object, by its number. Objects that it does not name,
            or that have no voxels, show nothing.

        Raises
        ------
        InputError
            If a voxel lies outside the image.
        Cancelled
            If the running job should stop.
        """
        volume = self._described()
        shape = volume.graph.basin.shape
        objects = self.objects.reshape(shape)
        boxes = dict(enumerate(ndimage.find_objects(objects), start=1))
        found: dict[int, Sample] = {}
        for number, background in backgrounds.items():
            check_stop()
            if (own := boxes.get(number)) is not None:
                box = _wider(own, FARTHEST / volume.steps, shape)
                other = self._checked(background, "backgrounds")
                found[number] = self._sample(objects[box] == number, box, other)
        self.samples.clear()
        self.samples.update(found)

    # How it works

    def _described(self) -> DescribedVolume:
        if self._volume is None:
            volume = self._segmenter.described()
            graph = volume.graph
            self._weights = graph.weights()
            graph.index_faces()
            self._sizes = np.bincount(graph.basin.reshape(-1), minlength=graph.count)
            self._volume = volume
        return self._volume

    def _farthest(self) -> float:
        """How far a new object may reach from its strokes, in the finest voxel size."""
        extents = [sample.extent for sample in self.samples.values()]
        return LARGER * float(np.median(extents)) if len(extents) >= ENOUGH else np.inf

    def _checked(self, places: ArrayLike, name: str) -> Places:
        found = np.asarray(places)
        if found.size == 0:
            return np.empty((0, len(self.shape)), np.int64)
        if found.ndim != 2 or found.shape[1] != len(self.shape) or found.dtype.kind not in "iu":
            raise InputError(
                f"{name} has the shape {found.shape} and type {found.dtype}; it must hold a row of "
                f"{len(self.shape)} whole numbers for each voxel."
            )
        if (found < 0).any() or (found >= np.array(self.shape)).any():
            raise InputError(
                f"{name}: some voxels lie outside the image, whose shape is {self.shape}."
            )
        return found.astype(np.int64)

    def _in_volume(self, places: Places) -> Places:
        """Places in a volume, which has one plane where the image is flat."""
        return np.pad(places, ((0, 0), (3 - places.shape[1], 0)))

    def _within(self, places: Places, box: Box) -> tuple[NDArray[np.intp], ...]:
        """Index of those of the places that lie in a box, from its corner."""
        low = np.array([part.start for part in box])
        inner = self._in_volume(places) - low
        size = np.array([part.stop for part in box]) - low
        return tuple(inner[((inner >= 0) & (inner < size)).all(axis=1)].T)

    def _part(self, array: NDArray[Any], box: Box) -> NDArray[Any]:
        """The part of an array on the image's grid, as a volume."""
        return array.reshape(self._described().graph.basin.shape)[box]

    def _grounded(self, nodes: BasinGraph, box: Box) -> NDArray[np.bool_]:
        """Basins that are for the larger part in kept objects or excluded, or too dark."""
        graph = self._described().graph
        closed = self._part(self.objects, box) > 0
        if self._excluded is not None:
            closed |= self._part(self._excluded, box)
        ground = np.zeros(nodes.count, np.bool_)
        if closed.any():
            held = np.bincount(graph.basin[box][closed], minlength=graph.count)
            ground[: graph.count] = 2 * held > self._sizes
        if self._darker_than is not None:
            ground[: graph.count] |= self._mean_brightness() < self._darker_than
        return ground

    def _mean_brightness(self) -> NDArray[np.float64]:
        """Of each basin."""
        if self._brightness is None:
            volume = self._described()
            total = np.zeros(volume.graph.count)
            for plane, basin in zip(volume.data, volume.graph.basin, strict=True):
                values = plane.mean(axis=-1, dtype=np.float64).reshape(-1)
                total += np.bincount(basin.reshape(-1), values, minlength=len(total))
            self._brightness = total / self._sizes
        return self._brightness

    def _allowed(self, box: Box) -> NDArray[np.bool_]:
        """Which voxels of a box may belong to a new object."""
        volume = self._described()
        allowed = self._part(self.objects, box) == 0
        if self._excluded is not None:
            allowed &= ~self._part(self._excluded, box)
        if self._darker_than is not None:
            bright = smoothed_brightness(volume.data[box], volume.steps, -1)
            allowed &= bright >= self._darker_than
        return allowed

    def _sample(self, mask: NDArray[np.bool_], box: Box, background: Places) -> Sample:
        """What an object looks like, and what is around it but no other object."""
        volume = self._described()
        around = np.zeros_like(mask)
        near = _wider(_bounds(mask), FARTHEST / volume.steps, mask.shape)
        # In squares, and no farther than matters.
        distance = lowest_paraboloids(np.where(mask[near], 0, FARTHEST**2), tuple(volume.steps))
        around[near] = (distance > NEAREST**2) & (distance < FARTHEST**2)
        around &= self._part(self.objects, box) == 0
        around[self._within(background, box)] = True

        def features(where: NDArray[np.bool_]) -> NDArray[np.float32]:
            places = evenly(np.nonzero(where))
            return volume.features.at(
                [own + part.start for own, part in zip(places, box, strict=True)]
            )

        sides = [
            np.count_nonzero(mask.any(tuple(a for a in range(3) if a != axis))) for axis in range(3)
        ]
        return Sample(features(mask), features(around), float(np.max(sides * volume.steps)))


def _connected(mask: NDArray[np.bool_], strokes: tuple[NDArray[np.intp], ...]) -> NDArray[np.bool_]:
    """What hangs together with the strokes."""
    pieces, count = ndimage.label(mask)
    kept = np.zeros(count + 1, np.bool_)
    kept[pieces[strokes]] = True
    kept[0] = False
    return kept[pieces]


def _holes(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What a mask encloses, as `scipy.ndimage.binary_fill_holes` finds it, step by step."""
    pieces, count = ndimage.label(~mask)
    is_hole = np.ones(count + 1, np.bool_)
    is_hole[0] = False
    for axis in range(mask.ndim):
        for side in (0, -1):
            is_hole[np.take(pieces, side, axis)] = False
    return is_hole[pieces]


def _bounds(mask: NDArray[np.bool_]) -> Box:
    """The smallest box that holds a mask, which is not empty."""
    (box,) = ndimage.find_objects(mask.view(np.uint8))
    z, y, x = box
    return z, y, x


def _wider(box: Box, by: NDArray[np.float64], shape: Sequence[int]) -> Box:
    z, y, x = (
        slice(max(part.start - int(np.ceil(more)), 0), min(part.stop + int(np.ceil(more)), n))
        for part, more, n in zip(box, by, shape, strict=True)
    )
    return z, y, x
