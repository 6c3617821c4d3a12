"""Seeded segmentation: from a short stroke in each object to the objects."""

import math
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.classifier.samples import evenly_chosen, shortened
from napari_seedbed.core.magnitudes import moderate
from napari_seedbed.core.progress import Report, ShouldStop, check_stop, running, tell
from napari_seedbed.core.seeded.appearance import (
    MOST_CLASSES,
    count_patches,
    learn_appearance,
    learners,
)
from napari_seedbed.core.seeded.basin_graphs import BasinGraph, basin_graph
from napari_seedbed.core.seeded.basin_splits import split_by_seeds
from napari_seedbed.core.seeded.described_volume import DescribedVolume
from napari_seedbed.core.seeded.evidence import Evidence, Region
from napari_seedbed.core.seeded.label_painting import Painter
from napari_seedbed.core.seeded.lessons import MOST_OF_A_KIND, Lesson, ndim_of
from napari_seedbed.core.seeded.looks import Look
from napari_seedbed.core.seeded.seed_problems import (
    BasinWalks,
    PlacedSeeds,
    Seeds,
    Solution,
    VoxelWalks,
    drop_islands,
)
from napari_seedbed.core.seeded.voxel_features import VoxelFeatures, describe_volume
from napari_seedbed.core.seeded.voxel_walks import VoxelPlaces, VoxelWalker
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.validation import (
    check_channel_axis,
    check_image,
    check_labels,
    check_spacing,
    check_spatial_axes,
)
from napari_seedbed.core.walker.edge_weights import as_volume
from napari_seedbed.errors import InputError

Floats = NDArray[np.float32]

MOST_VOXELS = int(np.iinfo(np.int32).max)

MOST_VOXELS_WALKED = 1 << 21
"""Where each label is a class of its own and there are no more voxels than this, over all labels,
walks go from voxel to voxel instead of from basin to basin."""

_ROWS_NAMED_AT_ONCE = 32


class SeededSegmenter:
    """Segments one image from ever new seeds; needs few and small ones.

    The image is cut into basins of its slopes, random walks on their graph decide which label each
    basin belongs to, and a classifier that learns from the seeds separates object from background;
    both are multiplied voxel by voxel and smoothed. The result depends on image and seeds alone,
    bit for bit, not on the order in which strokes were drawn.

    Parameters
    ----------
    data : (M, N[, P]) or with channels (M, N[, P], C) ndarray
        The image, of any integer or floating-point type; three channels are taken for red, green
        and blue. It is not copied and must not change while the object is in use.
    spacing : sequence of float, optional
        Voxel size along each spatial axis; 1 by default.
    channel_axis : int, optional
        Which axis holds channels; None means none does.
    background : int or sequence of int, optional
        Labels that are background. All others are objects, which are taken to look alike: what one
        stroke shows of them holds for all. The labels keep their numbers in the result. `solve`
        may be given others.
    lesson : Lesson, optional
        What was learnt on other images of the same kind (their `lesson`): fewer strokes are enough
        then. It counts where objects and background are both marked. `solve` may be given another.

    Attributes
    ----------
    labels : ndarray of int or None
        Result of the last `solve`.
    label_values : tuple of int
        The labels of its seeds, ascending.

    Raises
    ------
    InputError
        If the image is complex, empty, not 2D or 3D, has more than 2^31 - 1 voxels, or holds NaN or
        infinity, a parameter is out of range, or the lesson is of images with other channels or
        dimensions.

    References
    ----------
    Grady L (2006). Random walks for image segmentation. IEEE Trans. PAMI 28(11), 1768-1783.

    Berg S et al. (2019). ilastik: interactive machine learning for (bio)image analysis. Nature
    Methods 16(12), 1226-1232.
    """

    def __init__(
        self,
        data: NDArray[Any],
        spacing: Sequence[float] | None = None,
        channel_axis: int | None = None,
        *,
        background: int | Sequence[int] | None = None,
        lesson: Lesson | None = None,
    ) -> None:
        # Before anything is read: it may be far more than fits memory.
        _check_voxels(np.shape(data), channel_axis)
        data, _ = moderate(check_image(data, "data"))
        axis = check_channel_axis(channel_axis, data.ndim)
        ndim = check_spatial_axes(data.shape, axis, "data")
        self._background = _as_labels(background)
        self.shape = tuple(n for a, n in enumerate(data.shape) if a != axis)
        self._data, self._channel_axis = data, axis
        self._spacing = check_spacing(spacing, ndim)
        self._volume = as_volume(data, self._spacing, axis)
        shape = self._volume.shape
        size = np.asarray(self._volume.spacing, np.float64)
        self._steps = size / min((size[a] for a in range(3) if shape[a] > 1), default=1.0)
        if ndim == 2:
            self._steps[0] = 1.0
        self._grid = shape
        self._lesson = lesson
        self._check_lesson(lesson)
        self._lock = threading.Lock()
        self._features: VoxelFeatures | None = None
        self._graph: BasinGraph | None = None
        self._outside: NDArray[np.bool_] | None = None
        self._walker: VoxelWalker | None = None
        self._last: Solution | None = None
        self.label_values: tuple[int, ...] = ()
        self.labels: NDArray[np.integer] | None = None

    def prepare(self) -> None:
        """Look at the image, if that has not been done: all that depends on it alone."""
        with self._lock:
            self._prepare()

    def described(self) -> DescribedVolume:
        """What was seen in the image, all of it; `prepare` comes first where that is to be done."""
        with self._lock:
            self._use_outside(None)
            self._prepare()
            assert self._features is not None
            assert self._graph is not None
            return DescribedVolume(self._volume.data, self._features, self._graph, self._steps)

    def _prepare(self) -> None:
        if self._graph is None or self._features is None:
            # It is imported by the time that strokes are learnt from.
            threading.Thread(target=learners, daemon=True).start()
            features, basins, energy = describe_volume(
                self._volume.data, self._steps, self._outside
            )
            tell(0.8, "Looking for edges")
            self._graph = basin_graph(basins, energy, tuple(self._steps))
            self._features = features

    def solve(
        self,
        labels: NDArray[np.integer],
        should_stop: ShouldStop | None = None,
        report: Report | None = None,
        *,
        view: tuple[int, int] | None = None,
        background: int | Sequence[int] | None = None,
        lesson: Lesson | None = None,
    ) -> NDArray[np.integer]:
        """Segment the image from seeds.

        Parameters
        ----------
        labels : (M, N[, P]) ndarray of int
            Seeds: 0 is unknown, positive numbers are labels, negative ones are not part of the
            problem.
        should_stop : callable, optional
            Asked many times a second, by several threads; true raises `Cancelled` and leaves the
            last result. By default what the running job asks, see `running`; likewise for `report`.
        report : callable, optional
            Called with the progress; with `view`, first about the slice on screen.
        view : tuple of int, optional
            Spatial axis and index of the slice on screen.
        background, lesson : optional
            Other ones than the segmenter's own, this time.

        Returns
        -------
        (M, N[, P]) ndarray of int
            The label of each voxel, in the type of `labels`; 0 outside and where no seed can reach.

        Raises
        ------
        InputError
            If there are no seeds, only one label, the shape is not the image's, or background or
            lesson do not fit.
        Cancelled
            If the running job should stop.
        """
        labels = check_labels(labels, self.shape)
        if lesson is None:
            lesson = self._lesson
        self._check_lesson(lesson)
        ground = self._background if background is None else _as_labels(background)
        # A cancelled solve may still be on its way out in another thread.
        with running(report=report, should_stop=should_stop), self._lock:
            return self._solve_alone(labels, ground, lesson, view)

    def _solve_alone(
        self,
        labels: NDArray[np.integer],
        background: tuple[int, ...],
        lesson: Lesson | None,
        view: tuple[int, int] | None,
    ) -> NDArray[np.integer]:
        grid = labels.reshape(self._grid)
        places = np.nonzero(grid > 0)
        # Beside numbers of uint64 all would be compared as float64.
        given = grid[places].astype(np.int64, copy=False)
        values = tuple(int(v) for v in np.unique(given))
        if len(values) < 2:
            raise InputError(
                "labels hold no seeds; mark at least two labels."
                if not values
                else f"labels hold only one label ({values[0]}); mark something else too, for "
                "example the background."
            )
        self._use_outside(grid)
        self._prepare()
        tell(0.85, "Growing seeds")
        numbers = np.searchsorted(values, given).astype(np.int32)
        is_background = np.isin(values, background)
        seeds = Seeds(values, places, numbers, is_background, labels)
        look = Look(
            None if view is None else self.region_in_view(view),
            lambda winner, region: self.named(winner, seeds, region),
        )
        problem = self._problem(seeds)
        check_stop()
        if look.is_wanted:
            self._look_quickly(problem, seeds, look)
        # Learning keeps one core busy, the walks the other.
        with ThreadPoolExecutor(1) as pool:
            learning = pool.submit(copy_context().run, self._learn, seeds, lesson)
            walks = problem.walk(seeds)
            tell(0.9, "Learning what objects look like")
            evidence = learning.result()
        painter = Painter(problem.nodes, walks, self._steps, evidence, seeds.class_of)
        look(painter, 0.92)
        winner = painter.paint().winner
        if is_background.any() and np.count_nonzero(~is_background) > 1:
            drop_islands(winner, seeds)
        result = self.named(winner, seeds).reshape(self.shape)
        self._last = Solution(problem, painter, seeds, result.reshape(self._grid))
        self.label_values = values
        self.labels = result
        tell(1.0, "Done")
        return result

    def _problem(self, seeds: Seeds) -> BasinWalks | VoxelWalks:
        """Which walks the seeds ask for."""
        assert self._graph is not None
        if walks_on_voxels(seeds, self._grid):
            if self._walker is None:
                self._walker = VoxelWalker(self._data, self._spacing, self._channel_axis)
            return VoxelWalks(self._walker, VoxelPlaces.of(self._grid, self._outside))
        nodes, holds = split_by_seeds(
            self._graph, seeds.places, seeds.numbers, self._steps.tolist()
        )
        return BasinWalks(self._graph, nodes, holds, nodes.weights())

    def _look_quickly(self, problem: BasinWalks | VoxelWalks, seeds: Seeds, look: Look) -> None:
        """Show the slice in view as far as it is known from the last solution."""
        last = self._last
        if isinstance(problem, BasinWalks) and last is not None and last.serves(problem, seeds):
            start, changed = last.guess(problem, seeds)
            walks = problem.walk(seeds, start, changed)
            evidence = last.painter.evidence
            painter = Painter(problem.nodes, walks, self._steps, evidence, seeds.class_of)
            look(painter, 0.86, last.labels, last.region_of_change(problem, seeds, start, walks))

    def named(
        self, winner: NDArray[np.int32], seeds: Seeds, region: Region | None = None
    ) -> NDArray[np.integer]:
        """Labels for the numbers of labels in a part of the volume; seeds keep theirs."""
        # The last one is for -1.
        table: NDArray[np.integer] = np.array([*seeds.values, 0], seeds.labels.dtype)
        if region is None:
            found: NDArray[np.integer] = np.empty(winner.shape, table.dtype)

            def name(first: int, last: int) -> None:
                found[:, first:last] = table[winner[:, first:last]]

            n_rows = winner.shape[1]
            run_ranges(name, split(n_rows, -(-n_rows // _ROWS_NAMED_AT_ONCE)))
            found[seeds.places] = table[seeds.numbers]
            return found
        found = table[winner]
        grid = seeds.labels.reshape(self._grid)[region]
        np.copyto(found, grid, where=grid > 0)
        return found

    def _learn(self, seeds: Seeds, lesson: Lesson | None) -> Evidence | None:
        assert self._features is not None
        n_classes = int(seeds.class_of.max()) + 1
        if n_classes > MOST_CLASSES:
            return None
        found = learn_appearance(
            self._features.at(seeds.places),
            seeds.classes,
            seeds.where(self._steps),
            n_classes,
            n_pooled=int(np.bincount(seeds.class_of).max()),
            lesson=lesson if seeds.are_pooled else None,
        )
        return None if found is None else Evidence.of(self._features, found)

    def _check_lesson(self, lesson: Lesson | None) -> None:
        if lesson is not None:
            lesson.check_fits(self.shape, self._volume.data.shape[-1])

    @property
    def lesson(self) -> Lesson | None:
        """What the seeds of the last `solve` teach about other images of the same kind.

        Up to 1000 voxels of objects and as many of background, without what the segmenter was
        itself taught. None where not both were marked.
        """
        seeds = self._solved("lesson").seeds
        if not seeds.are_pooled:
            return None
        assert self._features is not None
        classes = seeds.classes
        kept = evenly_chosen(classes, MOST_OF_A_KIND)
        z, y, x = (places[kept] for places in seeds.places)
        objects, background = count_patches(classes, seeds.where(self._steps), 2)
        return Lesson(
            ndim_of(self.shape),
            shortened(self._features.at((z, y, x))),
            classes[kept] > 0,
            int(np.count_nonzero(~seeds.is_background)),
            (objects, background),
        )

    def _use_outside(self, grid: NDArray[np.integer] | None) -> None:
        outside = None if grid is None else grid < 0
        new = outside if outside is not None and outside.any() else None
        same = (
            new is self._outside
            if new is None or self._outside is None
            else np.array_equal(new, self._outside)
        )
        if not same:
            self._graph, self._outside = None, new

    def region_in_view(self, view: tuple[int, int]) -> tuple[Region, int, int]:
        """Return the slice in view in the volume, and its axis and index in (z, y, x)."""
        z, y, x = (slice(0, n) for n in self._grid)
        axis, index = view
        if len(self.shape) == 2:
            return (z, y, x), 0, 0
        if not (0 <= axis < 3 and 0 <= index < self.shape[axis]):
            raise InputError(
                f"view is axis {axis}, index {index}; the image has the shape {self.shape}."
            )
        parts = [z, y, x]
        parts[axis] = slice(index, index + 1)
        return (parts[0], parts[1], parts[2]), axis, index

    @property
    def probabilities(self) -> Floats:
        """Probability of each label at each voxel: (K, M, N[, P]), in [0, 1] with sum 1.

        Where no seed reaches, all are 0. They are made when asked for, each time.
        """
        return self.find_probabilities()

    @property
    def uncertainty(self) -> Floats:
        """Normalised entropy of the probabilities: 0 where sure, 1 where all are equal."""
        return self.find_uncertainty()

    def find_probabilities(self) -> Floats:
        """Make `probabilities`; raise `Cancelled` when the running job should stop."""
        found = self._solved("probabilities").probabilities()
        return found.reshape(-1, *self.shape)

    def find_uncertainty(self) -> Floats:
        """Make `uncertainty`; raise `Cancelled` when the running job should stop."""
        return self.find_doubt()[0]

    def find_doubt(self) -> tuple[Floats, NDArray[np.integer]]:
        """Make `uncertainty`, and the label that would be next at each voxel; 0 where none is."""
        uncertainty, second = self._solved("uncertainty").doubt()
        return uncertainty.reshape(self.shape), second.reshape(self.shape)

    def _solved(self, what: str) -> Solution:
        if self._last is None:
            raise InputError(f"There is no {what} yet: call solve with seeds first.")
        return self._last


def walks_on_voxels(seeds: PlacedSeeds, shape: Sequence[int]) -> bool:
    """Whether there are so few voxels and labels that walks go from voxel to voxel."""
    n_labels = len(seeds.values)
    n_walks = 1 if n_labels == 2 else n_labels
    alone = len(np.unique(seeds.class_of)) == n_labels <= MOST_CLASSES
    return alone and n_walks * math.prod(shape) <= MOST_VOXELS_WALKED


def _check_voxels(shape: tuple[int, ...], channel_axis: int | None) -> None:
    """Refuse more voxels than numbers of 32 bits count."""
    axis = check_channel_axis(channel_axis, len(shape))
    voxels = math.prod(n for a, n in enumerate(shape) if a != axis)
    if voxels > MOST_VOXELS:
        raise InputError(
            f"data has {voxels} voxels; there may be {MOST_VOXELS} at most. Crop it, or halve its "
            "resolution."
        )


def _as_labels(background: int | Sequence[int] | None) -> tuple[int, ...]:
    if background is None:
        return ()
    given = np.atleast_1d(np.asarray(background))
    if given.ndim != 1 or given.dtype.kind not in "iu" or (given <= 0).any():
        raise InputError(
            f"background is {background!r}; it must be a label, a positive whole number, or a list "
            "of such."
        )
    return tuple(int(label) for label in given)


def seeded_segmentation(
    data: NDArray[Any],
    labels: NDArray[np.integer],
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    *,
    background: int | Sequence[int] | None = None,
    lesson: Lesson | None = None,
    return_full_prob: bool = False,
) -> NDArray[Any]:
    """Segment an image from seeds; needs few and small ones.

    Parameters
    ----------
    data : (M, N[, P][, C]) ndarray
        Image in 2D or 3D, with channels where `channel_axis` says so.
    labels : (M, N[, P]) ndarray of int
        Seeds: positive labels, 0 for unknown, negative for voxels that are not taken into account.
    spacing : sequence of float, optional
        Voxel size along each spatial axis; 1 by default.
    channel_axis : int, optional
        Which axis holds channels.
    background : int or sequence of int, optional
        Labels that are background, see `SeededSegmenter`.
    lesson : Lesson, optional
        What was learnt on other images, see `SeededSegmenter`.
    return_full_prob : bool
        Return the probabilities instead of the labels.

    Returns
    -------
    (M, N[, P]) ndarray of int, or (K, M, N[, P]) ndarray of float32

    Raises
    ------
    InputError
        As `SeededSegmenter` and its `solve`.
    """
    segmenter = SeededSegmenter(data, spacing, channel_axis, background=background, lesson=lesson)
    found = segmenter.solve(labels)
    return segmenter.probabilities if return_full_prob else found
