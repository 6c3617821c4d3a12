"""Seeded segmentation of volumes larger than memory, block by block."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from napari_seedbed.core.boxes import widened
from napari_seedbed.core.progress import Preview, check_stop, tell
from napari_seedbed.core.seeded.appearance import MOST_CLASSES, Appearance, learn_appearance
from napari_seedbed.core.seeded.basin_graphs import FaceGraph
from napari_seedbed.core.seeded.basin_splits import Splits, find_splits
from napari_seedbed.core.seeded.blocked_basins import (
    BlockOfBasins,
    CutVolume,
    Landscape,
    cut_into_basins,
)
from napari_seedbed.core.seeded.blocked_changes import Solved
from napari_seedbed.core.seeded.blocked_islands import ConnectedParts, find_islands
from napari_seedbed.core.seeded.blocked_labels import BlockedLabels
from napari_seedbed.core.seeded.blocked_painting import Palette, Repaint, paint_block
from napari_seedbed.core.seeded.blocked_splits import split_graph
from napari_seedbed.core.seeded.graph_walks import walk_probabilities
from napari_seedbed.core.seeded.label_painting import claims_of, reaches, sums_of_classes
from napari_seedbed.core.seeded.lessons import Lesson
from napari_seedbed.core.seeded.linear_scores import Region
from napari_seedbed.core.seeded.placed_seeds import SeedMemory, place_seeds
from napari_seedbed.core.seeded.seed_problems import PlacedSeeds, is_flat
from napari_seedbed.core.seeded.seeded_segmenter import SeededSegmenter, walks_on_voxels
from napari_seedbed.core.seeded.stored_volumes import (
    BlockGrid,
    Readable,
    RunsTasks,
    StoredVolume,
    Writable,
    read_mask,
    run_here,
    within,
)
from napari_seedbed.core.seeded.volume_statistics import measure_volume
from napari_seedbed.core.validation import check_channel_axis, check_spacing, check_spatial_axes
from napari_seedbed.errors import InputError

Floats = NDArray[np.float32]


MOST_WALKS = 150_000_000
"""Numbers of basins times labels that are held in memory, some five times over."""


class BlockedSegmenter:
    """Segments a volume of any size from ever new seeds, as `SeededSegmenter` does in memory.

    Windows of the image are read as they are needed. What is kept in memory is the graph of all
    basins and the walks on it; basins and labels of voxels go to two stores. A first solve gives
    what `SeededSegmenter` gives, up to rounding. Later ones paint again where the answer changed.

    Parameters
    ----------
    stored : (M, N[, P]) or with channels (M, N[, P], C) Readable
        The image: an array of NumPy, Zarr or dask, of any real type.
    basins, painted : (Z, Y, X) Writable of int32
        Where basins and numbers of labels are kept, Z being 1 in 2D. They are written in blocks.
    block : (int, int, int)
        Voxels of a block along z, y, x.
    spacing : sequence of float, optional
        Voxel size along each spatial axis; 1 by default.
    channel_axis : int, optional
        Which axis holds channels.
    outside : (M, N[, P]) Readable of bool, optional
        Voxels that are not part of the problem.
    run : RunsTasks, optional
        Who works on the blocks; this thread by default, with all cores for each block.

    Raises
    ------
    InputError
        If the image is not 2D or 3D, or a parameter is out of range.
    """

    def __init__(
        self,
        stored: Readable,
        basins: Writable,
        painted: Writable,
        block: tuple[int, int, int],
        spacing: Sequence[float] | None = None,
        channel_axis: int | None = None,
        *,
        outside: Readable | None = None,
        run: RunsTasks = run_here,
    ) -> None:
        axis = check_channel_axis(channel_axis, len(stored.shape))
        ndim = check_spatial_axes(tuple(stored.shape), axis, "data")
        if stored.dtype.kind not in "iufb":
            raise InputError(
                f"data has the type {stored.dtype}; it must hold integers or floating-point "
                "numbers."
            )
        size = np.array([1.0] * (3 - ndim) + list(check_spacing(spacing, ndim)))
        volume = StoredVolume(stored, size, axis)
        extent = volume.shape
        steps = size / min((size[a] for a in range(3) if extent[a] > 1), default=1.0)
        if ndim == 2:
            steps[0] = 1.0
        self._ndim = ndim
        self._volume = StoredVolume(stored, steps, axis)
        self._basins, self._painted = basins, painted
        self._outside, self._run = outside, run
        self.grid = BlockGrid(extent, block)
        self._cut: CutVolume | None = None
        self._memory: SeedMemory | None = None
        self._split: tuple[bytes, FaceGraph, csr_array] | None = None
        self._last: Solved | None = None
        # Basins that a solve was about to paint when it was cancelled.
        self._unsure: NDArray[np.bool_] | None = None

    def prepare(self) -> None:
        """Look at the image, if that has not been done: all that depends on it alone.

        Raises
        ------
        InputError
            If the image holds NaN or infinity, or more basins than a graph can have.
        """
        if self._cut is not None:
            return
        statistics = measure_volume(self._volume, self.grid, self._run)
        self._cut = cut_into_basins(
            self._volume, statistics, self._outside, self.grid, self._run, self._basins
        )
        self._memory = SeedMemory(self._volume, statistics, self._basins, self._run)

    def solve(
        self,
        places: NDArray[np.integer],
        labels: NDArray[np.integer],
        *,
        background: Sequence[int] = (),
        lesson: Lesson | None = None,
        view: tuple[int, int] | None = None,
        anew: bool = True,
        is_painted: Callable[[Region], bool] | None = None,
    ) -> BlockedLabels:
        """Segment the volume from seeds.

        Parameters
        ----------
        places : (S, 2 or 3) ndarray of int
            Voxels that are marked; of one that is named twice the last counts.
        labels : (S,) ndarray of int
            Their labels, from 1.
        background : sequence of int
            Labels that are background, see `SeededSegmenter`.
        lesson : Lesson, optional
            What was learnt on other images.
        view : tuple of int, optional
            Spatial axis and index of the slice on screen: it is reported first where a solve
            before has painted the rest of it.
        anew : bool
            Whether to paint everything: the result depends on image and seeds alone then. Else
            only what changed by more than `CHANGED` is painted, and what things look like is
            learnt again only where it does not predict the new strokes.
        is_painted : callable, optional
            With `anew`: which blocks a segmenter before this one has painted already from the same
            image and seeds, when it was ended.

        Raises
        ------
        InputError
            If there are no seeds, only one label, more walks than `MOST_WALKS`, or a seed lies
            outside the volume.
        Cancelled
            If the running job should stop.
        """
        seeds = place_seeds(places, labels, background, self.grid.shape, self._ndim)
        if lesson is not None:
            lesson.check_fits(self.grid.shape, self._volume.read((slice(0, 1),) * 3).shape[-1])
        if walks_on_voxels(seeds, self.grid.shape):
            return self._solved_in_memory(seeds, lesson)
        self.prepare()
        assert self._cut is not None
        assert self._memory is not None
        graph, landscape, blocks = self._cut.graph, self._cut.landscape, self._cut.blocks
        tell(0.5, "Growing seeds")
        if graph.count * len(seeds.values) > MOST_WALKS:
            raise InputError(
                f"labels: there are {len(seeds.values)}, and data has {graph.count} basins: "
                f"that is more than {MOST_WALKS} walks at once. Take a coarser level of its "
                "pyramid, crop it, or mark fewer objects at a time."
            )
        seeds, values, holds = self._memory.described(seeds)
        last = None if anew else self._last
        if last is not None and last.seeds.background != seeds.background:
            last = None
        with ThreadPoolExecutor(1) as pool:
            learning = pool.submit(copy_context().run, self._learn, seeds, values, lesson, last)
            splits, given = find_splits(
                graph.count, seeds.places, seeds.numbers, holds, self._volume.steps.tolist()
            )
            nodes, weights = self._nodes(splits)
            flat = is_flat(self.grid.shape, graph.areas)
            if last is not None and view is not None:
                start, others = last.guess(seeds, nodes.count)
                walks = walk_probabilities(
                    weights, given, len(seeds.values), seeds.rest, is_flat=flat, start=start,
                    changed=others,
                )  # fmt: skip
                quick = self._palette(nodes, splits, walks, seeds, last.appearance, landscape)
                changed = last.changed_basins(seeds, walks, holds, graph)
                self._look(view, quick, last, seeds, self._tasks(changed, blocks))
            walks = walk_probabilities(weights, given, len(seeds.values), seeds.rest, is_flat=flat)
            tell(0.55, "Learning what objects look like")
            appearance = learning.result()
        check_stop()
        palette = self._palette(nodes, splits, walks, seeds, appearance, landscape)
        if last is None or appearance is not last.appearance:
            self._last = last = None
            tasks = {
                number: Repaint(block, None if is_painted and is_painted(block) else block)
                for number, block in enumerate(self.grid.regions)
            }
            kept = walks[:, : graph.count]
        else:
            changed = last.changed_basins(seeds, walks, holds, graph)
            if self._unsure is not None:
                changed |= self._unsure
            self._unsure = changed
            tasks = self._tasks(changed, blocks)
            kept = last.renamed_walks(seeds)
            kept[:, changed] = walks[:, : graph.count][:, changed]
        parts = self._paint(tasks, palette, seeds, last)
        found = self._labels(seeds, parts, frozenset(tasks), last)
        self._unsure = None
        self._last = Solved(seeds, holds, kept, appearance, lesson, parts, found)
        tell(1.0, "Done")
        return found

    def _nodes(self, splits: Splits) -> tuple[FaceGraph, csr_array]:
        """The graph with these splits and its weights: most strokes split no other basins."""
        assert self._cut is not None
        key = splits.key
        if self._split is None or self._split[0] != key:
            nodes = split_graph(
                self._cut.graph, splits, self.grid, self._run, self._cut.landscape, self._basins
            )
            self._split = key, nodes, nodes.weights()
        return self._split[1:]

    def _solved_in_memory(self, seeds: PlacedSeeds, lesson: Lesson | None) -> BlockedLabels:
        """Labels of an image that is so small that walks go from voxel to voxel."""
        grid = self.grid
        everything = (slice(0, grid.shape[0]), slice(0, grid.shape[1]), slice(0, grid.shape[2]))
        marks = np.zeros(grid.shape, np.int32)
        marks[seeds.places] = np.array(seeds.values, np.int32)[seeds.numbers]
        if self._outside is not None:
            marks[read_mask(self._outside, everything)] = -1
        image = self._volume.read(everything)
        steps = self._volume.steps
        if self._ndim == 2:
            image, marks, steps = image[0], marks[0], steps[1:]
        whole = SeededSegmenter(
            np.ascontiguousarray(image),
            steps.tolist(),
            self._ndim,
            background=seeds.background or None,
        )
        labels = whole.solve(marks, lesson=lesson).reshape(grid.shape)
        for region in grid.regions:
            self._painted[region] = labels[region]
        every = frozenset(range(len(grid.regions)))
        return BlockedLabels(grid, self._painted, {}, seeds.background, 0, every)

    def _learn(
        self, seeds: PlacedSeeds, values: Floats, lesson: Lesson | None, last: Solved | None
    ) -> Appearance | None:
        n_classes = int(seeds.class_of.max()) + 1
        if n_classes > MOST_CLASSES:
            return None
        lesson = lesson if seeds.are_pooled else None
        if last is not None and last.lesson is lesson and last.is_known(seeds, values):
            return last.appearance
        return learn_appearance(
            values,
            seeds.classes,
            seeds.where(self._volume.steps),
            n_classes,
            n_pooled=int(np.bincount(seeds.class_of).max()),
            lesson=lesson,
        )

    def _palette(
        self,
        nodes: FaceGraph,
        splits: Splits,
        walks: Floats,
        seeds: PlacedSeeds,
        appearance: Appearance | None,
        landscape: Landscape,
    ) -> Palette:
        class_of = seeds.class_of
        return Palette(
            landscape,
            self._basins,
            splits,
            claims_of(nodes, walks, None if appearance is None else class_of),
            nodes.low,
            nodes.high,
            sums_of_classes(walks, class_of),
            class_of,
            appearance,
        )

    def _tasks(
        self, changed: NDArray[np.bool_], blocks: Sequence[BlockOfBasins]
    ) -> dict[int, Repaint]:
        """Which parts of which blocks are painted again where basins changed."""
        reach = reaches(self._volume.steps, self.grid.shape)
        tasks = {}
        for number, block in enumerate(blocks):
            own = changed[block.basins]
            if not own.any():
                continue
            region = self.grid.region(number)
            low, high = block.low[own].min(axis=0), block.high[own].max(axis=0)
            hull = [slice(int(a), int(b)) for a, b in zip(low, high, strict=True)]
            z, y, x = (
                slice(max(part.start, whole.start), min(part.stop, whole.stop))
                for part, whole in zip(widened(hull, reach, self.grid.shape), region, strict=True)
            )
            tasks[number] = Repaint(region, (z, y, x))
        return tasks

    def _paint(
        self,
        tasks: Mapping[int, Repaint],
        palette: Palette,
        seeds: PlacedSeeds,
        last: Solved | None,
    ) -> list[ConnectedParts]:
        """Paint these blocks; the connected parts of all."""
        nothing = ConnectedParts(np.empty(0, np.int32), np.empty(0, np.bool_), {})
        parts = [nothing] * len(self.grid.regions) if last is None else list(last.parts)
        found = self._run(paint_block, list(tasks.values()), palette, seeds, self._painted)
        for done, (number, own) in enumerate(zip(tasks, found, strict=True)):
            parts[number] = own
            tell(0.55 + 0.45 * (done + 1) / len(tasks), "Painting")
        return parts

    def _labels(
        self,
        seeds: PlacedSeeds,
        parts: Sequence[ConnectedParts],
        painted: frozenset[int],
        last: Solved | None,
    ) -> BlockedLabels:
        """What was painted, without islands."""
        islands: Mapping[int, NDArray[np.bool_]] = {}
        if seeds.is_background.any() and np.count_nonzero(~seeds.is_background) > 1:
            islands = find_islands(parts, self.grid)
        before = {} if last is None else last.labels.islands
        others = {
            number
            for number in islands.keys() | before.keys()
            if number not in islands
            or number not in before
            or not np.array_equal(islands[number], before[number])
        }
        return BlockedLabels(
            self.grid,
            self._painted,
            islands,
            seeds.background,
            seeds.values[seeds.rest],
            painted | others,
        )

    def _look(
        self,
        view: tuple[int, int],
        palette: Palette,
        last: Solved,
        seeds: PlacedSeeds,
        tasks: Mapping[int, Repaint],
    ) -> None:
        """Report the slice in view, painted again where basins changed."""
        axis, index = view[0] + 3 - self._ndim, view[1]
        sides = [slice(0, n) for n in self.grid.shape]
        sides[axis] = slice(index, index + 1)
        plane = (sides[0], sides[1], sides[2])
        labels = last.labels.read(plane)
        names = np.array([*seeds.values, 0], np.int32)
        for task in tasks.values():
            assert task.region is not None
            z, y, x = (
                slice(max(a.start, b.start), min(a.stop, b.stop))
                for a, b in zip(plane, task.region, strict=True)
            )
            if min(z.stop - z.start, y.stop - y.start, x.stop - x.start) > 0:
                labels[within((z, y, x), plane)] = names[palette.paint((z, y, x))]
        inside = seeds.places[axis] == index
        here = [p[inside] - part.start for p, part in zip(seeds.places, plane, strict=True)]
        labels[tuple(here)] = names[seeds.numbers[inside]]
        shown = labels[0] if self._ndim == 2 else np.take(labels, 0, axis)
        tell(0.52, "Painting", Preview(view[0], index, shown))
