"""What a run costs: memory and seconds, whole, of a smaller image, and in blocks."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from napari_seedbed.core.threads import core_count, thread_count
from napari_seedbed.errors import MemoryForecastError
from napari_seedbed.pipeline.data import memory
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.block_plans import BlockPlan, block_bytes, planned
from napari_seedbed.pipeline.engine.block_runs import halo_of, may_work_in_blocks
from napari_seedbed.pipeline.engine.block_workers import Room, RoomHere
from napari_seedbed.pipeline.engine.declarations import Need, Operation, Size
from napari_seedbed.pipeline.engine.inputs import with_labels
from napari_seedbed.pipeline.engine.parameters import lengths_in_voxels

BESIDE_VOXELS = 16_000_000
"""Bytes that a run takes beside its voxels: the pieces that threads work on, what is compiled."""

_STORED_SECONDS = 60e-9
"""Reading, packing and writing a voxel, its lower resolutions and its fingerprint included."""


@dataclass(frozen=True)
class BlocksCost:
    """What a run in blocks would cost.

    Attributes
    ----------
    bytes : int
        Peak memory of all workers together, whatever the size of the image.
    seconds : float
    plan : BlockPlan
        The blocks that it would be cut into.
    """

    bytes: int
    seconds: float
    plan: BlockPlan

    @property
    def text(self) -> str:
        """``0.8 GB, 40 s``."""
        return f"{memory.bytes_in_words(self.bytes)}, {memory.seconds_in_words(self.seconds)}"


@dataclass(frozen=True)
class RunCost:
    """A run whose cost is asked for, its inputs checked.

    Attributes
    ----------
    operation : Operation
    image : Image
    parameters : mapping
    n_labels : int
        How many there are in all.
    n_times : int
        How many time points are worked on.
    """

    operation: Operation
    image: Image
    parameters: Mapping[str, Any]
    n_labels: int
    n_times: int

    @classmethod
    def of(
        cls,
        operation: Operation,
        image: Image,
        parameters: Mapping[str, Any],
        labels: Sequence[set[int]] | None,
        times: Sequence[int],
        n_labels: int = 0,
    ) -> "RunCost":
        """The cost for labels at each time point, or for a number of them where there are none."""
        n_times = len(times)
        if labels is not None:
            n_labels = len(set().union(*labels))
            if len(times) > 1 and not operation.follows(parameters):
                n_times = len(with_labels(operation, labels, times))
        n_labels = max(n_labels, operation.starts.labels)
        return cls(operation, image, parameters, n_labels, n_times)

    @property
    def bytes(self) -> int:
        """Peak memory beyond the input."""
        return self._total(self._whole, math.prod(self.image.spatial_shape))

    @property
    def seconds(self) -> float:
        """Of the whole run."""
        return self._whole.seconds * self._calls

    def bytes_at(self, shape: Sequence[int], spacing: Sequence[float]) -> int:
        """Peak memory if the image had that shape along its axes of space, and that voxel size."""
        return self._total(self._need(shape, spacing), math.prod(shape))

    def in_blocks(self, room: Room | None = None) -> BlocksCost | None:
        """What the same costs in blocks.

        Parameters
        ----------
        room : Room, optional
            Who works on them; by default the cores of this machine.

        Returns
        -------
        BlocksCost or None
            None where it cannot be done in blocks, or memory would not do for that either.
        """
        operation, image = self.operation, self.image
        if not may_work_in_blocks(operation, image, self.parameters):
            return None
        halo = halo_of(operation, image, self.parameters)
        around = halo or (0,) * len(image.spatial_shape)
        room = room or RoomHere(thread_count())
        try:
            plan = planned(operation, image, self.parameters, around, None, room)
        except MemoryForecastError:
            return None
        count = len(plan.regions)
        at_once = min(room.at_once, count)
        each = block_bytes(operation, image, self.parameters, around, plan.block)
        seen = [part.stop - part.start for part in plan.seen(plan.regions[count // 2], around)]
        seconds = count * self._need(seen, image.spacing).seconds * self._calls
        voxels = math.prod(image.spatial_shape) * image.n_channels * self.n_times
        # Seconds are those of all cores here.
        seconds = (seconds + _STORED_SECONDS * voxels) * core_count() / at_once
        return BlocksCost(BESIDE_VOXELS + each * at_once, seconds, plan)

    @cached_property
    def _whole(self) -> Need:
        return self._need(self.image.spatial_shape, self.image.spacing)

    @property
    def _calls(self) -> int:
        return self.n_times * (self.image.n_channels if self.operation.channels == "each" else 1)

    def _need(self, shape: Sequence[int], spacing: Sequence[float]) -> Need:
        """What one call of the operation's function needs."""
        operation = self.operation
        counted = lengths_in_voxels(operation.parameters, self.parameters, tuple(spacing))
        n_channels = 1 if operation.channels == "each" else self.image.n_channels
        size = Size(tuple(shape), self.n_labels, n_channels, tuple(spacing))
        return operation.estimate(size, counted)

    def _total(self, need: Need, voxels: int) -> int:
        """Bytes of a run whose calls need so much."""
        image, operation = self.image, self.operation
        total = BESIDE_VOXELS + need.bytes
        if image.is_lazy or image.channel_axis:
            # A lazy volume is read, and one whose channels are not first is copied.
            total += voxels * image.n_channels * image.dtype.itemsize
        if image.time_axis is not None:
            each = operation.channels == "each" or operation.whole
            total += 4 * voxels * image.n_times * (image.n_channels if each else 1)
        return int(total)
