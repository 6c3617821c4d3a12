"""What an operation that needs more than a neighbourhood is given to work block by block."""

import shutil
from collections.abc import Callable, Hashable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop, tell
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.block_plans import BlockPlan
from napari_seedbed.pipeline.engine.block_workers import Workers
from napari_seedbed.pipeline.engine.declarations import Operation, Voxels
from napari_seedbed.pipeline.engine.jobs import Channels, core_module
from napari_seedbed.pipeline.engine.volumes import Gathered, label_volume, other_volume
from napari_seedbed.pipeline.engine.windows import Region, inner_of
from napari_seedbed.pipeline.files.zarr_blocks import BlockStore

if TYPE_CHECKING:
    from napari_seedbed.core.marks.shapes import Shape

Halo = int | Sequence[int]


@dataclass(frozen=True)
class BlockInputs:
    """What all blocks are cut from: one time point, one channel where each has a result."""

    image: Image
    other: Image | None
    seeds: Image | None
    image_kind: Voxels
    other_kind: Voxels
    spacing: tuple[float, ...]
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class BlockView:
    """One block, as a function is given it; voxels are read when they are asked for.

    Attributes
    ----------
    number : int
        Its place in raster order, from 0 on.
    region : tuple of slice
        Where it lies in the image.
    seen : tuple of slice
        The same with what is around it.
    inputs : BlockInputs
    """

    number: int
    region: Region
    seen: Region
    inputs: BlockInputs

    @property
    def inner(self) -> Region:
        """Where the block lies in what is seen."""
        return inner_of(self.region, self.seen)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Voxel size."""
        return self.inputs.spacing

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Those of the operation."""
        return self.inputs.parameters

    @cached_property
    def image(self) -> NDArray[Any]:
        """The image there, laid out as `Job.load` gives it; labels are int32."""
        return self._voxels(self.inputs.image, self.inputs.image_kind)

    @cached_property
    def other(self) -> NDArray[Any] | None:
        """The second image there."""
        given = self.inputs.other
        return (
            None
            if given is None
            else other_volume(given.crop(self.seen), 0, self.inputs.other_kind)
        )

    @cached_property
    def seeds(self) -> NDArray[np.int32] | None:
        """The seeds there."""
        given = self.inputs.seeds
        return None if given is None else label_volume(given.crop(self.seen), 0, "seeds")

    def of(self, image: Image) -> NDArray[Any]:
        """Another image there, such as one that `BlockJob.scratch` gave."""
        return image.crop(self.seen).volume()

    def _voxels(self, image: Image, kind: Voxels) -> NDArray[Any]:
        part = image.crop(self.seen)
        return label_volume(part, 0) if kind == "labels" else part.volume()


@dataclass(frozen=True)
class _Pass:
    """One function over all blocks; `store` takes what it gives, where that is voxels."""

    inputs: BlockInputs
    plan: BlockPlan
    halo: tuple[int, ...]
    function: Callable[..., Any]
    shared: tuple[Any, ...]
    store: BlockStore | None = None
    place: Mapping[str, slice] = field(default_factory=dict)


def _work(task: _Pass, number: int) -> Any:
    """What is done for one block, wherever that is."""
    region = task.plan.regions[number]
    seen = task.plan.seen(region, task.halo)
    found = task.function(BlockView(number, region, seen, task.inputs), *task.shared)
    if task.store is None:
        return found
    check_stop()
    axes = task.inputs.image.spatial_axes
    values = np.asarray(found)
    several = ("c",) if values.ndim > len(axes) else ()
    task.store.write(
        Image(values, (*several, *axes)), {**task.place, **dict(zip(axes, region, strict=True))}
    )
    return None


@dataclass
class BlockJob:
    """One time point, and one channel where each has a result, to work on block by block.

    The functions that it calls for blocks are module-level and pure: blocks are worked on in any
    order, several at once, maybe on other machines, and again where a worker was lost. What they
    give is passed between processes and stays small; voxels go to the disk.

    Attributes
    ----------
    image : Image
        Without time; without channels where each has a result. Read it in blocks.
    other, seeds : Image or None
        At the same time point.
    shapes : tuple of core.marks.shapes.Shape
        Those of this time point.
    label_values : tuple of int
        All positive labels of the seeds and shapes of all time points, rising.
    parameters : dict
    plan : BlockPlan
    workers : Workers
    outputs : BlockOutputs
    time : int
    channel : int or None
        None where all channels count together.
    notes : list of str
        What a person should know about the result; the function may add to it. Where the
        function at once is called with all time points, those of the last one count.
    shared : dict
        Kept for all time points and channels of one run.
    core : module
        The functions of `napari_seedbed.core`.
    """

    inputs: BlockInputs
    shapes: "tuple[Shape, ...]"
    label_values: tuple[int, ...]
    plan: BlockPlan
    workers: Workers
    outputs: "BlockOutputs"
    time: int
    channel: int | None
    near: Sequence[int] | None = None
    notes: list[str] = field(default_factory=list)
    shared: MutableMapping[Hashable, Any] = field(default_factory=dict)
    core: Any = field(default_factory=core_module)

    @property
    def image(self) -> Image:
        """The image, lazy where it comes from a file."""
        return self.inputs.image

    @property
    def other(self) -> Image | None:
        """The second image."""
        return self.inputs.other

    @property
    def seeds(self) -> Image | None:
        """The seeds."""
        return self.inputs.seeds

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Those of the operation, complete."""
        return self.inputs.parameters

    @property
    def spacing(self) -> tuple[float, ...]:
        """Voxel size."""
        return self.inputs.spacing

    @property
    def blocks(self) -> list[Region]:
        """The blocks in raster order."""
        return self.plan.regions

    def note(self, in_words: Callable[..., str | list[str]], *values: Any) -> None:
        """Say something of values that the voxels decide, where there is something to say."""
        words = in_words(*values)
        self.notes += [one for one in ([words] if isinstance(words, str) else words) if one]

    def map(self, function: Callable[..., Any], *shared: Any, halo: Halo = 0) -> list[Any]:
        """What a function gives for each block, in raster order.

        Parameters
        ----------
        function : callable
            ``function(block, *shared)`` of a `BlockView`; module-level, and without effects.
        *shared
            The same for all blocks: numbers, arrays, Images.
        halo : int or sequence of int
            Voxels around each block that it sees, along each axis of space.
        """
        found: list[Any] = [None] * len(self.blocks)
        everything = list(range(len(self.blocks)))
        for number, result in self._each(self._pass(function, shared, halo), everything):
            found[number] = result
        return found

    def write(
        self,
        name: str,
        function: Callable[..., Any],
        *shared: Any,
        halo: Halo = 0,
        dtype: Any,
        channels: Sequence[str] | Channels = (),
    ) -> Image:
        """Write what a function gives for each block into an output; give that over its voxels.

        Blocks that an earlier run with the same inputs has written are left as they are.

        Parameters
        ----------
        name : str
            Of the output.
        function : callable
            ``function(block, *shared)`` gives the voxels of `BlockView.region`, (Z, Y, X), or
            (K, Z, Y, X) with channels of their own, without z in 2D.
        *shared, halo
            As for `map`.
        dtype : dtype
            Of the voxels.
        channels : sequence of str or Channels
            Names of the output's own channels, or an array of as many and what they are; none by
            default.
        """
        given, operation = self.outputs.image, self.outputs.operation
        gathered = Gathered(given, per_channel=operation.channels == "each")
        told = channels if isinstance(channels, Channels) else tuple(channels)
        count = len(told.array) if isinstance(told, Channels) else len(told)
        shape = (*((count,) if count else ()), *self.plan.shape)
        like = gathered.template(name, shape, dtype, told, operation)
        store = self.outputs.store(name, like, are_labels(name, dtype))
        place: dict[str, slice] = {}
        if given.time_axis is not None:
            place["t"] = slice(self.time, self.time + 1)
        if self.channel is not None and given.channel_axis is not None:
            place["c"] = slice(self.channel, self.channel + 1)
        self._write(store, place, function, shared, halo, name)
        written = store.lazy().select_time(self.time)
        return written.channels()[self.channel or 0] if "c" in place else written

    def scratch(
        self, name: str, function: Callable[..., Any], *shared: Any, halo: Halo = 0, dtype: Any
    ) -> Image:
        """The same as `write`, for voxels that are looked at again and removed in the end."""
        import dask.array

        axes = self.image.spatial_axes
        zeros = dask.array.zeros(self.plan.shape, dtype=dtype, chunks=-1)
        like = Image(zeros, axes, self.image.spacing, self.image.units)
        where = f"{name}-{self.time}-{self.channel or 0}"
        store = self.outputs.scratch_store(where, like)
        self._write(store, {}, function, shared, halo, None)
        return store.lazy()

    def _pass(self, function: Callable[..., Any], shared: tuple[Any, ...], halo: Halo) -> _Pass:
        n = len(self.plan.shape)
        around = (halo,) * n if isinstance(halo, int) else tuple(halo)
        return _Pass(self.inputs, self.plan, around, function, shared)

    def _write(
        self,
        store: BlockStore,
        place: Mapping[str, slice],
        function: Callable[..., Any],
        shared: tuple[Any, ...],
        halo: Halo,
        output: str | None,
    ) -> None:
        task = replace(self._pass(function, shared, halo), store=store, place=place)
        axes = self.image.spatial_axes
        left = []
        for number in self.plan.order(self.near):
            where = {**place, **dict(zip(axes, self.blocks[number], strict=True))}
            if not store.is_written(where):
                left.append(number)
        for number, _ in self._each(task, left):
            if output is not None:
                self.outputs.watch(output, self.blocks[number])

    def _each(self, task: _Pass, numbers: Sequence[int]) -> Any:
        for nth, (place, result) in enumerate(self.workers.each(_work, task, numbers), start=1):
            tell(nth / len(numbers), f"block {nth} of {len(numbers)}")
            yield numbers[place], result


@dataclass
class BlockOutputs:
    """The stores that a run writes.

    Attributes
    ----------
    folder : Path
    image : Image
        The image of the run, all its time points and channels.
    operation : Operation
    block : tuple of int
    run : dict
        What tells whether an unfinished store is of the same run.
    watch : callable
        ``(output, region)``, called when a block is on disk.
    inputs : sequence of Path
        Files and folders that are read, which no output may replace.
    """

    folder: Path
    image: Image
    operation: Operation
    block: tuple[int, ...]
    run: dict[str, Any]
    watch: Callable[[str, Region], None]
    inputs: Sequence[Path] = ()
    stores: dict[str, BlockStore] = field(default_factory=dict)
    _scratches: dict[str, BlockStore] = field(default_factory=dict)

    def store(self, name: str, like: Image, is_labels: bool) -> BlockStore:
        """The store of an output, made or gone on with when it is first asked for.

        Parameters
        ----------
        name : str
        like : Image
            What is known of the output, over a lazy array.
        is_labels : bool

        Raises
        ------
        InputError
            When an input lies there.
        FileError
            As `BlockStore.begin`.
        """
        if name not in self.stores:
            place = self.folder / f"{name}.zarr"
            for file in self.inputs:
                if file.is_relative_to(place.resolve()):
                    raise InputError(
                        f"blocks: the folder {self.folder} given, where the result would replace "
                        f"{place.name}, which it is made from; give another folder."
                    )
            store = BlockStore(place, like, is_labels, self.block)
            store.begin({**self.run, "output": name})
            self.stores[name] = store
        return self.stores[name]

    def scratch_store(
        self, name: str, like: Image, block: tuple[int, ...] | None = None
    ) -> BlockStore:
        """A store beside the outputs, maybe with blocks of its own, which `close` removes."""
        if name not in self._scratches:
            place = self.folder / f".{self.operation.name}-{name}.zarr"
            block = block or self.block
            store = BlockStore(place, like, True, block)
            store.begin({**self.run, "output": name, "block": list(block)}, lower=False)
            self._scratches[name] = store
        return self._scratches[name]

    def close(self) -> None:
        """Remove what was not for keeping."""
        for store in self._scratches.values():
            shutil.rmtree(store.path, ignore_errors=True)


def are_labels(name: str, dtype: Any) -> bool:
    """Whether lower resolutions of an output hold labels that it has, rather than means."""
    return name in ("labels", "mask") or (name != "image" and np.dtype(dtype).kind in "bi")
