"""The automatic engine of seeded segmentation, on images that are larger than memory."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import progress_as
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.encodings.learnt_text import LEARNT
from napari_seedbed.pipeline.encodings.lesson_encoding import lesson_from_text
from napari_seedbed.pipeline.engine.block_jobs import BlockJob, BlockView
from napari_seedbed.pipeline.engine.block_workers import Workers
from napari_seedbed.pipeline.files.zarr_blocks import BlockStore
from napari_seedbed.pipeline.files.zarr_levels import whole_shards
from napari_seedbed.pipeline.files.zarr_store import ZarrStore

if TYPE_CHECKING:
    from napari_seedbed.core.seeded.blocked_labels import BlockedLabels

Region = tuple[slice, ...]

SIDES = {2: 2048, 3: 256}
"""Voxels of a block along each axis, at the most."""

BYTES = 65
"""Memory that a voxel and channel of a block takes (`benchmarks/blocked_seeds.py`)."""

_LEAST_SIDE = 64

_SMOOTHED = 5
"""Of the finest voxels: how far the smoothed brightness reaches."""


@dataclass(frozen=True, eq=False)
class StoredImage:
    """An image that is read part by part: (C, Z, Y, X), without C or Z where there is none."""

    image: Image

    @cached_property
    def _probe(self) -> NDArray[Any]:
        first = (slice(0, 1),) * len(self.image.spatial_axes)
        return self.image.crop(first).volume()

    @property
    def has_channels(self) -> bool:
        """Whether there are several."""
        return self._probe.ndim > len(self.image.spatial_axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each axis."""
        channels = self._probe.shape[:1] if self.has_channels else ()
        return (*channels, *self.image.spatial_shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of its numbers."""
        return self._probe.dtype

    def __getitem__(self, place: Region, /) -> NDArray[Any]:
        """Read a part; all channels always."""
        return self.image.crop(place[-len(self.image.spatial_axes) :]).volume()


@dataclass(frozen=True, eq=False)
class OutsideSeeds:
    """Where seeds say that voxels are not part of the problem."""

    seeds: Image

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each axis."""
        return self.seeds.spatial_shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """True or false."""
        return np.dtype(np.bool_)

    def __getitem__(self, place: Region, /) -> NDArray[np.bool_]:
        """Read a part."""
        return np.asarray(self.seeds.crop(place).volume() < 0)


@dataclass(frozen=True, eq=False)
class StoredBlocks:
    """Whole numbers (Z, Y, X) in a store, Z being 1 in 2D; they are written in whole blocks."""

    store: BlockStore

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each axis."""
        spatial = self.store.image.spatial_shape
        return (1,) * (3 - len(spatial)) + spatial

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of its numbers."""
        return self.store.image.dtype

    def is_written(self, place: Region) -> bool:
        """Whether a block is there."""
        axes = self.store.image.spatial_axes
        return self.store.is_written(dict(zip(axes, place[3 - len(axes) :], strict=True)))

    def __getitem__(self, place: Region, /) -> NDArray[Any]:
        """Read a part."""
        n_axes = len(self.store.image.spatial_axes)
        part = np.asarray(ZarrStore(self.store.path).array("0")[place[3 - n_axes :]])
        return part if n_axes == 3 else part[np.newaxis]

    def __setitem__(self, place: Region, part: NDArray[Any], /) -> None:
        """Write a block."""
        axes = self.store.image.spatial_axes
        values = part if len(axes) == 3 else part[0]
        where = dict(zip(axes, place[3 - len(axes) :], strict=True))
        self.store.write(Image(values, axes), where)


@dataclass(frozen=True, eq=False)
class WorkerTasks:
    """Lets workers call functions for tasks, see `stored_volumes.RunsTasks`."""

    workers: Workers

    def __call__(
        self, function: Callable[..., Any], tasks: Iterable[Any], *shared: Any
    ) -> Iterator[Any]:
        """Yield results in the order of the tasks."""
        waiting: dict[int, Any] = {}
        due = 0
        for place, found in self.workers.each(_call, (function, shared), list(tasks)):
            waiting[place] = found
            while due in waiting:
                yield waiting.pop(due)
                due += 1


def _call(task: tuple[Callable[..., Any], tuple[Any, ...]], item: Any) -> Any:
    function, shared = task
    return function(item, *shared)


def seeded_in_blocks(job: BlockJob) -> dict[str, Image] | None:
    """Segment an image block by block; None where only memory does."""
    parameters = job.parameters
    if parameters["engine"] != "automatic":
        return None
    for name in ("probabilities", "uncertainty", "second_label"):
        if parameters[name]:
            raise InputError(
                f"{name}: runs in blocks give labels only; leave {name} out, or take a lower level "
                "of the image's pyramid, or crop it."
            )
    assert job.seeds is not None
    with _as_share(0, 0.02):
        marks = job.map(marks_of_block)
    stored = StoredImage(job.image)
    block = _fitting_block(job)
    basins, painted = (_scratch(job, name, block) for name in ("basins", "painted"))
    segmenter = job.core.BlockedSegmenter(
        stored,
        basins,
        painted,
        (1,) * (3 - len(block)) + block,
        job.spacing,
        0 if stored.has_channels else None,
        outside=OutsideSeeds(job.seeds) if any(mark.some_outside for mark in marks) else None,
        run=WorkerTasks(job.workers),
    )
    background, darker = parameters["background"], parameters["darker_than"]
    with _as_share(0.02, 0.9):
        solved = segmenter.solve(
            np.concatenate([mark.places for mark in marks]),
            np.concatenate([mark.labels for mark in marks]),
            background=[background] if background else (),
            lesson=lesson_from_text(parameters[LEARNT]),
            is_painted=painted.is_written,
        )
        # Blocks that are written share the blocks that were painted.
        found = solved.settled(WorkerTasks(job.workers))
    reach = [ceil(_SMOOTHED * min(job.spacing) / step) for step in job.spacing] if darker else 0
    with _as_share(0.9, 1):
        labels = job.write(
            "labels", labels_of_block, found, background, darker, halo=reach, dtype=np.int32
        )
    return {"labels": labels}


def _as_share(start: float, end: float) -> AbstractContextManager[None]:
    """Take progress within a `with` block for a part of the whole."""
    return progress_as(lambda told: replace(told, fraction=start + (end - start) * told.fraction))


@dataclass(frozen=True, eq=False)
class Marks:
    """Seeds in a block.

    Attributes
    ----------
    places : (S, N) ndarray of int64
        In the image.
    labels : (S,) ndarray of int32
    some_outside : bool
        Whether some voxels are not part of the problem.
    """

    places: NDArray[np.int64]
    labels: NDArray[np.int32]
    some_outside: bool


def marks_of_block(block: BlockView) -> Marks:
    """Return the seeds of a block."""
    seeds = block.seeds
    assert seeds is not None
    places = np.argwhere(seeds > 0)
    start = np.array([part.start for part in block.region])
    return Marks(places + start, seeds[tuple(places.T)], bool((seeds < 0).any()))


def labels_of_block(
    block: BlockView, found: "BlockedLabels", background: int, darker: float
) -> NDArray[np.int32]:
    """Return the labels of a block without what is no object."""
    from napari_seedbed.core import smoothed_brightness

    z = block.region[0] if len(block.region) == 3 else slice(0, 1)
    labels = found.read((z, block.region[-2], block.region[-1]))
    labels = labels if len(block.region) == 3 else labels[0]
    is_object = np.ones(labels.shape, np.bool_)
    if background:
        is_object &= labels != background
    if block.other is not None:
        is_object &= ~(block.other[block.inner] > 0)
    if darker:
        channel_axis = 0 if block.image.ndim > len(block.region) else None
        bright = smoothed_brightness(block.image, block.spacing, channel_axis)
        is_object &= bright[block.inner] >= darker
    return np.where(is_object, labels, np.int32(0))


def _fitting_block(job: BlockJob) -> tuple[int, ...]:
    """Thick blocks, with little around them, of which as many as are worked on fit into memory."""
    shape = job.plan.shape
    side = SIDES[len(shape)]
    while side > _LEAST_SIDE and BYTES * side ** len(shape) * job.image.n_channels > (
        job.workers.memory
    ):
        side //= 2
    return whole_shards((side,) * len(shape), shape)


def _scratch(job: BlockJob, name: str, block: tuple[int, ...]) -> StoredBlocks:
    import dask.array

    zeros = dask.array.zeros(job.plan.shape, dtype=np.int32, chunks=-1)
    like = Image(zeros, job.image.spatial_axes, job.image.spacing, job.image.units)
    return StoredBlocks(job.outputs.scratch_store(f"{name}-{job.time}", like, block))
