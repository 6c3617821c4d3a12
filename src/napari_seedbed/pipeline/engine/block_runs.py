"""Runs that work block by block: what is larger than memory comes out as stores on the disk."""

import hashlib
import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop, part_of, tell
from napari_seedbed.core.threads import thread_count
from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.data.blocks import OverBlocks, over_blocks
from napari_seedbed.pipeline.data.fingerprint import Fingerprint, combine
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.block_jobs import (
    BlockInputs,
    BlockJob,
    BlockOutputs,
    are_labels,
)
from napari_seedbed.pipeline.engine.block_plans import BlockPlan, Blocks, planned
from napari_seedbed.pipeline.engine.block_workers import Workers, cluster, threads
from napari_seedbed.pipeline.engine.calls import Calls, Told
from napari_seedbed.pipeline.engine.core_calls import named_as
from napari_seedbed.pipeline.engine.declarations import Operation, Reach
from napari_seedbed.pipeline.engine.inputs import Inputs, all_labels
from napari_seedbed.pipeline.engine.jobs import Context
from napari_seedbed.pipeline.engine.provenance import make_record, package_version
from napari_seedbed.pipeline.engine.results import Result
from napari_seedbed.pipeline.engine.volumes import Gathered, Output, check_overflow
from napari_seedbed.pipeline.engine.windows import Region, Window, inner_of
from napari_seedbed.pipeline.files.atomic_files import why_unwritable
from napari_seedbed.pipeline.files.voxels_in_file import files_of, last_change
from napari_seedbed.pipeline.files.zarr_blocks import BlockStore

_PROBED = 8
"""Voxels along each axis of a part that shows what comes out."""


@dataclass(frozen=True)
class BlockRun:
    """All that is given to a run in blocks."""

    operation: Operation
    inputs: Inputs
    parameters: Mapping[str, Any]
    blocks: Blocks
    times: Sequence[int]
    label_values: tuple[int, ...]
    notes: list[str] = field(default_factory=list)

    def for_workers(self) -> "BlockRun":
        """The same without what only this process is told."""
        return replace(self, blocks=replace(self.blocks, watch=None))


def run_in_blocks(
    operation: Operation,
    inputs: Inputs,
    parameters: dict[str, Any],
    times: Sequence[int],
    labels: Sequence[set[int]] | None,
    blocks: Blocks,
) -> Result:
    """What `run` does with blocks, its arguments checked.

    Raises
    ------
    InputError, FileError, MemoryForecastError, Cancelled
        As `run`.
    """
    image = inputs.image
    run = BlockRun(operation, inputs, parameters, blocks, times, all_labels(labels))
    try:
        blocks.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{blocks.folder} could not be made: {why_unwritable(error)}.") from error
    someone = (
        threads(thread_count())
        if blocks.scheduler is None
        else cluster(blocks.scheduler, blocks.folder)
    )
    with someone as workers:
        outputs, stores = _outputs(run, workers)

        def names_of(one: Image) -> list[str]:
            # They read all of it, where the voxels are.
            ((_, names),) = workers.each(_names_of, None, [one])
            found: list[str] = names
            return found

        channels = names_of(image)
        record = make_record(
            operation,
            parameters,
            inputs,
            outputs,
            None if image.time_axis is None else times,
            combine(channels),
            run.notes,
            channel_fingerprints=channels,
            names_of=names_of,
        )
        for name, store in stores.stores.items():
            outputs[name] = store.finish(record)
        stores.close()
    tell(1.0, "Done")
    return Result({key: replace(out, record=record) for key, out in outputs.items()}, record)


def _names_of(shared: None, image: Image) -> list[str]:
    return Fingerprint(image).channels()


def _outputs(run: BlockRun, workers: Workers) -> tuple[dict[str, Output], BlockOutputs]:
    """Write what comes out into stores; give it, and the stores to be finished."""
    operation, image = run.operation, run.inputs.image
    halo = halo_of(operation, image, run.parameters)
    if halo is None and operation.in_blocks is None:
        raise InputError(in_words_why_not(operation))
    around = halo or (0,) * len(image.spatial_shape)
    plan = planned(operation, image, run.parameters, around, run.blocks.shape, workers)
    watch = run.blocks.watch
    stores = BlockOutputs(
        run.blocks.folder,
        image,
        operation,
        plan.block,
        identity(run, plan),
        (lambda name, region: None) if watch is None else watch,
        [file for one in run.inputs.images for file in files_of(one.array)],
    )
    if halo is None:
        found = _by_passes(run, plan, stores, workers)
    else:
        found = _by_neighbourhood(run, plan, halo, stores, workers)
    for store in stores.stores.values():
        _write_lower(store, workers)
    return found, stores


def may_work_in_blocks(operation: Operation, image: Image, parameters: Mapping[str, Any]) -> bool:
    """Whether an operation can work in blocks, as far as its parameters say."""
    if operation.in_blocks is not None:
        return True
    return halo_of(operation, image, parameters) is not None


def halo_of(operation: Operation, image: Image, parameters: Mapping[str, Any]) -> Reach:
    """Voxels that are looked at around a block; None where a neighbourhood does not do."""
    if operation.halo is None or operation.scope != "volume":
        return None
    return operation.halo(image.spacing, parameters)


def in_words_why_not(operation: Operation) -> str:
    """What to do where an operation cannot work in blocks."""
    return (
        f"operation: {operation.title} looks at all of the image at once and cannot work in "
        "blocks with these parameters. Use a lower level of the image's pyramid, or crop the image."
    )


def identity(run: BlockRun, plan: BlockPlan) -> dict[str, Any]:
    """What tells whether a store that is unfinished can be gone on with."""
    inputs = run.inputs
    given = {
        "parameters": dict(run.parameters),
        "image": _known_as(inputs.image),
        "other": None if inputs.other is None else _known_as(inputs.other),
        "seeds": None if inputs.seeds is None else _known_as(inputs.seeds),
        "shapes": None
        if inputs.shapes is None
        else [(s.label, s.time, s.closed, s.points.tolist()) for s in inputs.shapes.shapes],
        "times": list(run.times),
    }
    text = json.dumps(given, sort_keys=True, default=str)
    return {
        "operation": run.operation.name,
        "version": package_version(),
        "given": hashlib.blake2b(text.encode(), digest_size=16).hexdigest(),
        "block": list(plan.block),
    }


def _known_as(image: Image) -> list[Any]:
    """By what an image is known: its place and age in a file, or its voxels in memory."""
    name = str(image.array.name) if image.is_lazy else Fingerprint(image).finish()
    ages = [last_change(file) for file in files_of(image.array)]
    axes, spacing, units = list(image.axes), list(image.spacing), list(image.units)
    return [name, ages, list(image.shape), axes, spacing, units, image.rgb]


# Statistics of all voxels


@dataclass(frozen=True)
class _Look:
    """A function of all blocks of an image, maybe of a changed one."""

    function: Callable[..., Any]
    image: Image
    change: Callable[[NDArray[Any]], NDArray[Any]] | None
    reach: tuple[int, ...]
    plan: BlockPlan
    placed: bool


def _look(task: _Look, item: tuple[int, int | None, int]) -> Any:
    t, channel, number = item
    region = task.plan.regions[number]
    image = task.image.select_time(t)
    if channel is not None:
        image = image.select_channels([channel])
    if task.change is None and not task.placed:
        return task.function(image.crop(region).volume())
    seen = task.plan.seen(region, task.reach)
    voxels = image.crop(seen).volume()
    if task.change is None:
        return task.function(voxels, region, seen)
    return task.function(task.change(voxels)[inner_of(region, seen)])


@dataclass(frozen=True)
class _OverBlocks:
    """See `OverBlocks`: the workers look at the blocks."""

    workers: Workers
    plan: BlockPlan

    def __call__(
        self,
        function: Callable[..., Any],
        image: Image,
        channel: int | None = None,
        change: Callable[[NDArray[Any]], NDArray[Any]] | None = None,
        reach: Sequence[int] = (),
        *,
        placed: bool = False,
    ) -> Iterator[Any]:
        """Give what the function gives for each block, in order."""
        around = tuple(reach) or (0,) * len(self.plan.shape)
        task = _Look(function, image, change, around, self.plan, placed)
        channels: Sequence[int | None] = (channel,)
        if channel is None and change is not None:
            channels = range(image.n_channels)
        numbers = range(len(self.plan.regions))
        items = list(product(range(image.n_times), channels, numbers))
        waiting: dict[int, Any] = {}
        next_place = 0
        for place, found in self.workers.each(_look, task, items):
            waiting[place] = found
            while next_place in waiting:
                yield waiting.pop(next_place)
                next_place += 1


# Operations with a halo


@dataclass(frozen=True)
class _Neighbourhoods:
    """What a block with what is around it is computed from, wherever that is done."""

    run: BlockRun
    plan: BlockPlan
    halo: tuple[int, ...]
    shared: dict[Any, Any]
    over: OverBlocks = over_blocks
    stores: Mapping[str, BlockStore] = field(default_factory=dict)

    def compute(
        self, t: int, region: Region, told: Told | None = None
    ) -> tuple[dict[str, Image], Gathered]:
        """The outputs for a region at a time point."""
        run = self.run
        shape = run.inputs.image.spatial_shape
        seen = self.plan.seen(region, self.halo)
        whole = all(part == slice(0, n) for part, n in zip(seen, shape, strict=True))
        window = Window(region, seen, whole)
        worked = window.of_inputs(run.inputs)
        calls = Calls(
            run.operation,
            worked,
            run.parameters,
            Context(),
            None,
            run.inputs,
            window.inner,
            shared=self.shared,
            over=self.over,
        )
        gathered = calls.of_part(t, run.label_values, told)
        images = gathered.images(run.operation, run.label_values)
        check_overflow(worked.image.select_time(t), images)
        return {name: one.crop(window.inner) for name, one in images.items()}, gathered


def _write_block(task: _Neighbourhoods, item: tuple[int, int]) -> None:
    t, number = item
    region = task.plan.regions[number]
    images, _ = task.compute(t, region)
    for name, store in task.stores.items():
        store.write(images[name], _place(task.run.inputs.image, t, region))


def _place(image: Image, t: int, region: Region) -> dict[str, slice]:
    place = dict(zip(image.spatial_axes, region, strict=True))
    return place if image.time_axis is None else {"t": slice(t, t + 1), **place}


def _by_neighbourhood(
    run: BlockRun, plan: BlockPlan, halo: Sequence[int], outputs: BlockOutputs, workers: Workers
) -> dict[str, Output]:
    image = run.inputs.image
    task = _Neighbourhoods(run.for_workers(), plan, tuple(halo), {}, _OverBlocks(workers, plan))
    each = run.operation.channels == "each"
    gathered = Gathered(image, per_channel=each)
    told = Told()
    for nth, t in enumerate(run.times):
        tell(nth / len(run.times), "looking at the values of the image")
        # A small part shows what comes out, and has statistics of the whole collected.
        _, part = task.compute(t, _probed(plan.shape), told)
        gathered.add_others(t, part)
        whole = gathered.templates(part, plan.shape, run.operation, run.label_values)
        for name, like in whole.items():
            outputs.store(name, like, are_labels(name, like.dtype))
    run.notes.extend(told.in_words(len(run.times) * (image.n_channels if each else 1)))
    task = replace(task, stores=outputs.stores, over=over_blocks)
    left = [
        (t, number)
        for t in run.times
        for number in plan.order(run.blocks.near)
        if not all(
            store.is_written(_place(image, t, plan.regions[number]))
            for store in outputs.stores.values()
        )
    ]
    for nth, (place, _) in enumerate(workers.each(_write_block, task, left), start=1):
        tell(nth / len(left), f"block {nth} of {len(left)}")
        for name in outputs.stores:
            outputs.watch(name, plan.regions[left[place][1]])
    stored = {name: store.lazy() for name, store in outputs.stores.items()}
    return {**stored, **gathered.others()}


def _probed(shape: Sequence[int]) -> Region:
    """A few voxels in the middle."""
    starts = [max(0, (n - _PROBED) // 2) for n in shape]
    return tuple(slice(at, min(n, at + _PROBED)) for at, n in zip(starts, shape, strict=True))


# Operations of several passes


def _by_passes(
    run: BlockRun, plan: BlockPlan, outputs: BlockOutputs, workers: Workers
) -> dict[str, Output]:
    operation, inputs = run.operation, run.inputs
    image = inputs.image
    each = operation.channels == "each"
    gathered = Gathered(image, per_channel=each)
    assert operation.in_blocks is not None
    channels: Sequence[int | None] = range(image.n_channels) if each else (None,)
    parts = len(run.times) * len(channels)
    told = Told()
    shared: dict[Hashable, Any] = {}
    for nth, (t, channel) in enumerate((t, channel) for t in run.times for channel in channels):
        check_stop()
        job = BlockJob(
            _inputs_at(run, t, channel),
            () if inputs.shapes is None else tuple(s for s in inputs.shapes.shapes if s.time == t),
            run.label_values,
            plan,
            workers,
            outputs,
            t,
            channel,
            run.blocks.near,
            shared=shared,
        )
        with part_of(nth, parts), named_as(operation.core_names):
            found = operation.in_blocks(job)
        if found is None:
            raise InputError(in_words_why_not(operation))
        gathered.add(t, channel, {k: v for k, v in found.items() if not isinstance(v, Image)})
        if operation.whole:
            # What it says of all time points is known at the last.
            run.notes[:] = job.notes
        else:
            told.add(job.notes, image, t, channel)
    run.notes.extend(told.in_words(parts))
    stored = {name: store.lazy() for name, store in outputs.stores.items()}
    return {**stored, **gathered.others()}


def _inputs_at(run: BlockRun, t: int, channel: int | None) -> BlockInputs:
    inputs, operation = run.inputs, run.operation
    image = inputs.image.select_time(t)
    if channel is not None:
        image = image.channels()[channel]
    return BlockInputs(
        image,
        None
        if inputs.other is None
        else inputs.other.select_time(min(t, inputs.other.n_times - 1)),
        None if inputs.seeds is None else inputs.seeds.select_time(t),
        operation.image_kind,
        operation.other_kind,
        inputs.image.spacing,
        run.parameters,
    )


def _write_lower(store: BlockStore, workers: Workers) -> None:
    """The lower resolutions, each from the one before."""
    for number in range(1, len(store.levels)):
        shards = store.lower_shards(number)
        for nth, _ in enumerate(workers.each(_write_shard, (store, number), shards), start=1):
            tell(nth / len(shards), f"{number} of {len(store.levels) - 1}")


def _write_shard(task: tuple[BlockStore, int], region: tuple[slice, ...]) -> None:
    store, number = task
    store.write_lower(number, region)
