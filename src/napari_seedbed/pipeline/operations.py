"""The registry of operations, and `run`, the single door to all of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from napari_seedbed.core.progress import Progress, Report, ShouldStop, check_stop
from napari_seedbed.errors import InputError, MemoryForecastError
from napari_seedbed.pipeline import memory
from napari_seedbed.pipeline.catalogue import OPERATIONS
from napari_seedbed.pipeline.declarations import Context, Job, Operation
from napari_seedbed.pipeline.fingerprint import Fingerprint
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.parameters import Parameter, check_parameters
from napari_seedbed.pipeline.provenance import make_record
from napari_seedbed.pipeline.volumes import (
    Gathered,
    Volume,
    check_inputs,
    choose_times,
    labels_by_time,
    place_in_memory,
    seed_volume,
)

__all__ = [
    "Context",
    "Forecast",
    "Operation",
    "Parameter",
    "Result",
    "forecast",
    "get",
    "names",
    "operations",
    "run",
]

operations: dict[str, Operation] = {operation.name: operation for operation in OPERATIONS}


def names() -> tuple[str, ...]:
    """Names of all operations."""
    return tuple(operations)


def get(name: str) -> Operation:
    """The operation of that name, or InputError listing those that there are."""
    if name not in operations:
        raise InputError(f"operation: there is no {name!r}; known are {', '.join(operations)}.")
    return operations[name]


@dataclass(frozen=True)
class Result:
    """What `run` gives: images by name, the main one under `Operation.gives`, and their record."""

    outputs: dict[str, Image]
    record: dict[str, Any]


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
    inputs: Mapping[str, Image],
    params: Mapping[str, Any] | None = None,
    *,
    times: Sequence[int] | None = None,
) -> Forecast:
    """Memory and time that `run` with the same arguments would take.

    Without seeds among the inputs, two labels are assumed at every time point.
    """
    operation = get(operation) if isinstance(operation, str) else operation
    parameters = check_parameters(operation.parameters, params)
    image, seeds = inputs["image"], inputs.get("seeds")
    labels = None if seeds is None else labels_by_time(seeds)
    n_labels = 2 if labels is None else max(2, len(set().union(*labels)))
    chosen = range(image.n_times) if times is None else times
    if labels is not None and len(chosen) > 1:
        chosen = [t for t in chosen if len(labels[t]) >= 2]
    return _forecast(operation, image, parameters, n_labels, len(chosen))


def run(
    operation: Operation | str,
    inputs: Mapping[str, Image],
    params: Mapping[str, Any] | None = None,
    *,
    report: Report | None = None,
    should_stop: ShouldStop | None = None,
    context: Context | None = None,
    times: Sequence[int] | None = None,
) -> Result:
    """Run an operation: what the window, the command line, recipes and batches all call.

    Parameters
    ----------
    operation : Operation or str
    inputs : dict
        ``image``, and ``seeds`` where the operation takes them: an Image of integer labels on
        the image's own grid, with the image's time axis if there is one, without channels.
    params : dict, optional
        What differs from the defaults.
    report, should_stop : callable, optional
        Told how far it is; asked whether to stop.
    context : Context, optional
        What an interactive caller keeps between runs.
    times : sequence of int, optional
        Time points to work on; all by default. Where seeds are needed, those with fewer than two
        labels are skipped and named in the record. What is not worked on stays zero.

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
        When `should_stop` said so.
    """
    operation = get(operation) if isinstance(operation, str) else operation
    parameters = check_parameters(operation.parameters, params)
    image, seeds = check_inputs(operation, inputs)
    context = context or Context()
    labels = None if seeds is None else labels_by_time(seeds)
    chosen = choose_times(image, labels, times)
    found = () if labels is None else tuple(sorted(set().union(*labels)))
    # A live session's later runs work in memory that its first one has taken.
    if not any(place_in_memory(image, t) in context.cache for t in chosen):
        _check_memory(_forecast(operation, image, parameters, max(len(found), 2), len(chosen)))

    hashed = None if context.live else Fingerprint(image, should_stop)
    each = operation.channels == "each"
    channels: Sequence[int | None] = range(image.n_channels) if each else (None,)
    gathered = Gathered(image, per_channel=each)
    parts = len(chosen) * len(channels)
    for nth, t in enumerate(chosen):
        check_stop(should_stop)
        volume = Volume(image, t, context, hashed)
        for channel in channels:
            check_stop(should_stop)
            part = nth * len(channels) + (channel or 0)
            job = Job(
                load=partial(volume.load, channel),
                seeds=None if seeds is None else seed_volume(seeds, t),
                spacing=image.spacing,
                channel_axis=0 if channel is None and image.n_channels > 1 else None,
                label_values=found,
                parameters=parameters,
                cache_key=(volume.key, channel),
                context=context,
                report=None if report is None else partial(_pass_on, report, part, parts),
                should_stop=should_stop,
            )
            gathered.add(t, channel, operation.function(job))
    check_stop(should_stop)
    outputs = gathered.images(operation, found)
    record = make_record(
        operation,
        parameters,
        image,
        seeds,
        outputs,
        None if image.time_axis is None else chosen,
        None if hashed is None else hashed.finish(),
    )
    if report is not None:
        report(Progress(1.0, "Done"))
    return Result({key: replace(out, record=record) for key, out in outputs.items()}, record)


def _pass_on(report: Report, part: int, parts: int, progress: Progress) -> None:
    """Turn the progress of one volume into that of the whole run."""
    message = progress.message if parts == 1 else f"{part + 1} of {parts}: {progress.message}"
    report(replace(progress, fraction=(part + progress.fraction) / parts, message=message))


def _forecast(
    operation: Operation, image: Image, parameters: Mapping[str, Any], n_labels: int, n_times: int
) -> Forecast:
    each = operation.channels == "each"
    n_channels = image.n_channels
    need = operation.estimate(image.spatial_shape, n_labels, 1 if each else n_channels, parameters)
    voxels = math.prod(image.spatial_shape)
    volume = voxels * n_channels * image.dtype.itemsize
    # A lazy volume is read, and one whose channels are not first is copied.
    total = need.bytes + (volume if image.is_lazy or image.channel_axis else 0)
    if image.time_axis is not None:
        total += 4 * voxels * image.n_times * (n_channels if each else 1)
    seconds = need.seconds * n_times * (n_channels if each else 1)
    return Forecast(int(total), seconds, memory.available_memory())


def _check_memory(cost: Forecast) -> None:
    if not cost.fits:
        raise MemoryForecastError(
            f"This needs {memory.bytes_in_words(cost.bytes)} of memory and only "
            f"{memory.bytes_in_words(cost.available_bytes)} are free. Close other programs, crop "
            "the image or halve its resolution, or use a machine with more memory."
        )
