"""`run`, the single door to all operations."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from napari_seedbed.core.progress import (
    Report,
    ShouldStop,
    check_stop,
    running,
    tell,
)
from napari_seedbed.errors import InputError, MemoryForecastError
from napari_seedbed.pipeline.data import memory
from napari_seedbed.pipeline.data.fingerprint import Fingerprint
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.engine.block_plans import Blocks
from napari_seedbed.pipeline.engine.block_runs import run_in_blocks
from napari_seedbed.pipeline.engine.calls import Calls
from napari_seedbed.pipeline.engine.declarations import Operation, Size
from napari_seedbed.pipeline.engine.inputs import (
    Inputs,
    all_labels,
    check_inputs,
    checked_image,
    choose_times,
    in_one_unit,
    labels_by_time,
    with_labels,
)
from napari_seedbed.pipeline.engine.jobs import Context
from napari_seedbed.pipeline.engine.parameters import (
    check_parameters,
    lengths_in_voxels,
)
from napari_seedbed.pipeline.engine.provenance import make_record
from napari_seedbed.pipeline.engine.registry import resolved
from napari_seedbed.pipeline.engine.results import Result
from napari_seedbed.pipeline.engine.volumes import (
    Volume,
    check_overflow,
    place_in_memory,
)
from napari_seedbed.pipeline.engine.windows import window_of

_GRANTED = "bytes granted"
"""Where a session's cache has the memory that its runs may take for the image in it."""


@dataclass(frozen=True)
class Forecast:
    """What a run would cost.

    Attributes
    ----------
    bytes : int
        Peak memory beyond the input.
    seconds : float
    available_bytes : int
        What the machine has left now.
    """

    bytes: int
    seconds: float
    available_bytes: int

    @property
    def fits(self) -> bool:
        """Whether there is memory enough."""
        return self.bytes <= self.available_bytes

    @property
    def text(self) -> str:
        """``about 1.1 GB, 3 s``."""
        amount = memory.bytes_in_words(self.bytes)
        return f"about {amount}, {memory.seconds_in_words(self.seconds)}"


def forecast(
    operation: Operation | str,
    inputs: Mapping[str, Image | Shapes],
    params: Mapping[str, Any] | None = None,
    *,
    times: Sequence[int] | None = None,
    region: Sequence[slice] | None = None,
    n_labels: int = 0,
) -> Forecast:
    """Memory and time that `run` with the same arguments would take.

    Without seeds and shapes among the inputs, every time point is assumed to have `n_labels`
    labels, or as many as the operation needs if that is more.
    """
    operation, params = resolved(operation, params)
    image, seeds, shapes = inputs["image"], inputs.get("seeds"), inputs.get("shapes")
    assert isinstance(image, Image)
    assert not isinstance(seeds, Shapes)
    assert not isinstance(shapes, Image)
    image = in_one_unit(image)
    parameters = check_parameters(operation.parameters, params, image.spacing)
    labels = labels_by_time(Inputs(image, seeds, shapes))
    if region is not None:
        image = image.crop(window_of(operation, image, parameters, region).seen)
    chosen = range(image.n_times) if times is None else times
    return _forecast(operation, image, parameters, labels, chosen, n_labels)


def prepare(
    operation: Operation | str,
    image: Image,
    params: Mapping[str, Any] | None = None,
    *,
    context: Context,
    time: int = 0,
    report: Report | None = None,
    should_stop: ShouldStop | None = None,
) -> None:
    """Do now what `run` would do for an image before it looks at seeds, where there is such.

    Parameters
    ----------
    operation : Operation or str
    image : Image
    params : dict, optional
        What differs from the defaults.
    context : Context
        Keeps what was prepared; runs with the same one are quicker.
    time : int
        Time point.
    report, should_stop : callable, optional
        Called with the progress; whether to stop. By default those of the running job, if any.

    Raises
    ------
    InputError, MemoryForecastError, Cancelled
        As `run`.
    """
    operation, params = resolved(operation, params)
    if operation.prepare is None:
        return
    image = checked_image("image", image, operation, operation.image_kind)
    parameters = check_parameters(operation.parameters, params, image.spacing)
    cost = _forecast(operation, image, parameters, None, [time])
    granted = _grant_memory(cost, context, place_in_memory(image, time) in context.cache)
    volume = Volume(image, time, context, None)
    calls = Calls(operation, Inputs(image), parameters, context, None, image)
    with running(report=report, should_stop=should_stop):
        operation.prepare(calls.job(volume, time, None, ()))
    context.cache[_GRANTED] = granted


def run(
    operation: Operation | str,
    inputs: Mapping[str, Image | Shapes],
    params: Mapping[str, Any] | None = None,
    *,
    report: Report | None = None,
    should_stop: ShouldStop | None = None,
    context: Context | None = None,
    times: Sequence[int] | None = None,
    region: Sequence[slice] | None = None,
    statistics: Image | None = None,
    blocks: Blocks | None = None,
) -> Result:
    """Run an operation: what the window, the command line, recipes and batches all call.

    Parameters
    ----------
    operation : Operation or str
    inputs : dict
        ``image``, and where the operation takes them ``other``: a second image; ``seeds``: an
        Image of integer labels on the image's own grid, with the image's time axis if there is
        one, without channels; and ``shapes``: Shapes in the image's voxel coordinates.
    params : dict, optional
        What differs from the defaults.
    report, should_stop : callable, optional
        Called with the progress; whether to stop. By default those of the running job, if any.
    context : Context, optional
        What an interactive caller keeps between runs.
    times : sequence of int, optional
        Time points to work on; all by default. Where seeds are needed, those with fewer labels
        than `Starts.labels` are skipped and named in the record. What is not worked on
        stays zero. Series operations always work on all.
    region : sequence of slice, optional
        Voxels along each spatial axis; all by default. The outputs are those of this part, with
        the values that they have when all is worked on. Operations without a halo do look at all
        of it. Tables are those of what was looked at, or of the shapes that are inside.
    statistics : Image, optional
        The same image in a lower resolution. What the values of all voxels decide, such as a
        threshold or a contrast, is taken from it, where a preview shall not read them all.
    blocks : Blocks, optional
        Work block by block and write what comes out to the disk; the outputs are lazy images over
        it. What the run left there when it was ended is gone on with. Not with `region`.

    Returns
    -------
    Result

    Raises
    ------
    InputError
        For anything that is wrong with the inputs or parameters.
    MemoryForecastError
        Before anything is computed, when memory would not do.
    Cancelled
        When the running job should stop.
    """
    operation, params = resolved(operation, params)
    given = check_inputs(operation, inputs)
    image = given.image
    parameters = check_parameters(operation.parameters, params, image.spacing)
    context = context or Context()
    labels = labels_by_time(given)
    chosen = choose_times(operation, image, labels, times)
    if blocks is not None:
        if region is not None:
            raise InputError("region: a part is asked for, which is not worked on in blocks.")
        with running(report=report, should_stop=should_stop):
            return run_in_blocks(operation, given, parameters, chosen, labels, blocks)
    window = None if region is None else window_of(operation, image, parameters, region)
    worked = given if window is None else window.of_inputs(given)
    is_kept = any(place_in_memory(worked.image, t) in context.cache for t in chosen)
    cost = _forecast(operation, worked.image, parameters, labels, chosen)
    granted = _grant_memory(cost, context, is_kept)

    with running(report=report, should_stop=should_stop):
        check_stop()
        hashed = None if context.live else Fingerprint(image)
        found = all_labels(labels)
        calls = Calls(
            operation,
            worked,
            parameters,
            context,
            hashed if worked.image is image else None,
            image if statistics is None else statistics,
            None if window is None else window.inner,
        )
        outputs = calls.outputs(chosen, found)
        # Noted now: the cache is emptied for each new volume.
        context.cache[_GRANTED] = granted
        check_overflow(worked.image, outputs)
        if window is not None:
            outputs = window.of_outputs(outputs, worked.image.spatial_shape)
        check_stop()
        record = make_record(
            operation,
            parameters,
            given,
            outputs,
            None if image.time_axis is None else chosen,
            None if hashed is None else hashed.finish(),
            calls.notes,
            None if window is None else window.region,
            () if hashed is None else hashed.channels(),
        )
        tell(1.0, "Done")
    return Result({key: replace(out, record=record) for key, out in outputs.items()}, record)


BESIDE_VOXELS = 16_000_000
"""Bytes that a run takes beside its voxels: the pieces that threads work on, what is compiled."""


def _forecast(
    operation: Operation,
    image: Image,
    parameters: Mapping[str, Any],
    labels: Sequence[set[int]] | None,
    times: Sequence[int],
    n_labels: int = 0,
) -> Forecast:
    n_times = len(times)
    if labels is not None:
        n_labels = len(set().union(*labels))
        if len(times) > 1 and not operation.follows(parameters):
            n_times = len(with_labels(operation, labels, times))
    each = operation.channels == "each"
    n_channels = image.n_channels
    counted = lengths_in_voxels(operation.parameters, parameters, image.spacing)
    n_labels = max(n_labels, operation.starts.labels)
    size = Size(image.spatial_shape, n_labels, 1 if each else n_channels)
    need = operation.estimate(size, counted)
    voxels = math.prod(image.spatial_shape)
    volume = voxels * n_channels * image.dtype.itemsize
    # A lazy volume is read, and one whose channels are not first is copied.
    total = BESIDE_VOXELS + need.bytes + (volume if image.is_lazy or image.channel_axis else 0)
    if image.time_axis is not None:
        total += 4 * voxels * image.n_times * (n_channels if each or operation.whole else 1)
    seconds = need.seconds * n_times * (n_channels if each else 1)
    return Forecast(int(total), seconds, memory.available_memory())


def _grant_memory(cost: Forecast, context: Context, is_kept: bool) -> int:
    """Refuse what memory would not do for; return how much the image may take from now on.

    A session's later runs work in memory that its first one has taken. Only what they need beyond
    that must be free: for another engine, say, or for more labels.
    """
    granted = int(context.cache.get(_GRANTED, 0)) if is_kept else 0
    more = cost.bytes - granted
    if more > cost.available_bytes:
        raise MemoryForecastError(
            f"This needs {memory.bytes_in_words(more)} of memory and only "
            f"{memory.bytes_in_words(cost.available_bytes)} are free. Close other programs, crop "
            "the image or halve its resolution, or use a machine with more memory."
        )
    return max(cost.bytes, granted)
