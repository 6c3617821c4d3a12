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
from napari_seedbed.pipeline.declarations import Context, Job, Operation, SeriesResult
from napari_seedbed.pipeline.fingerprint import Fingerprint
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.inputs import (
    Inputs,
    check_inputs,
    choose_times,
    in_one_unit,
    labels_by_time,
    with_labels,
)
from napari_seedbed.pipeline.parameters import (
    Parameter,
    check_parameters,
    lengths_in_voxels,
)
from napari_seedbed.pipeline.provenance import make_record
from napari_seedbed.pipeline.series import run_series
from napari_seedbed.pipeline.shapes import Shapes
from napari_seedbed.pipeline.volumes import Gathered, Volume, place_in_memory, seed_volume

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
    """What `run` gives: outputs by name, the main one under `Operation.gives`, and their record.

    The output called 'shapes' is `Shapes`, all others are images.
    """

    outputs: dict[str, Image | Shapes]
    record: dict[str, Any]

    def image(self, name: str) -> Image:
        """An output that is an image."""
        output = self.outputs[name]
        if not isinstance(output, Image):
            raise InputError(f"{name}: this output holds shapes, not an image.")
        return output

    def shapes(self, name: str = "shapes") -> Shapes:
        """An output that holds shapes."""
        output = self.outputs[name]
        if not isinstance(output, Shapes):
            raise InputError(f"{name}: this output is an image and holds no shapes.")
        return output


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
) -> Forecast:
    """Memory and time that `run` with the same arguments would take.

    Without seeds and shapes among the inputs, every time point is assumed to have as many labels
    as the operation needs.
    """
    operation = get(operation) if isinstance(operation, str) else operation
    image, seeds, shapes = inputs["image"], inputs.get("seeds"), inputs.get("shapes")
    assert isinstance(image, Image)
    assert not isinstance(seeds, Shapes)
    assert not isinstance(shapes, Image)
    image = in_one_unit(image)
    parameters = check_parameters(operation.parameters, params, image.spacing)
    labels = labels_by_time(Inputs(image, seeds, shapes))
    chosen = range(image.n_times) if times is None else times
    return _forecast(operation, image, parameters, labels, chosen)


def run(
    operation: Operation | str,
    inputs: Mapping[str, Image | Shapes],
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
        ``image``, and where the operation takes them ``seeds``: an Image of integer labels on
        the image's own grid, with the image's time axis if there is one, without channels; and
        ``shapes``: Shapes in the image's voxel coordinates.
    params : dict, optional
        What differs from the defaults.
    report, should_stop : callable, optional
        Told how far it is; asked whether to stop.
    context : Context, optional
        What an interactive caller keeps between runs.
    times : sequence of int, optional
        Time points to work on; all by default. Where seeds are needed, those with fewer labels
        than `Operation.seed_labels` are skipped and named in the record. What is not worked on
        stays zero. Series operations always work on all.

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
    given = check_inputs(operation, inputs)
    image = given.image
    parameters = check_parameters(operation.parameters, params, image.spacing)
    context = context or Context()
    labels = labels_by_time(given)
    chosen = choose_times(operation, image, labels, times)
    # A live session's later runs work in memory that its first one has taken.
    if not any(place_in_memory(image, t) in context.cache for t in chosen):
        _check_memory(_forecast(operation, image, parameters, labels, chosen))

    check_stop(should_stop)
    hashed = None if context.live else Fingerprint(image, should_stop)
    found = () if labels is None else tuple(sorted(set().union(*labels)))
    outputs: dict[str, Image | Shapes]
    notes: tuple[str, ...] = ()
    if operation.series:
        result = run_series(
            operation,
            given,
            parameters,
            hashed=hashed,
            context=context,
            report=report,
            should_stop=should_stop,
        )
        gathered = Gathered(image, per_channel=False)
        gathered.add_series(result.arrays)
        outputs = {**gathered.images(operation, found), **_shapes_of(result, image)}
        notes = result.notes
    else:
        gathered = _run_volumes(
            operation, given, parameters, chosen, found, hashed, context, report, should_stop
        )
        outputs = {**gathered.images(operation, found)}
    check_stop(should_stop)
    record = make_record(
        operation,
        parameters,
        given,
        outputs,
        None if image.time_axis is None else chosen,
        None if hashed is None else hashed.finish(),
        notes,
    )
    if report is not None:
        report(Progress(1.0, "Done"))
    return Result({key: replace(out, record=record) for key, out in outputs.items()}, record)


def _run_volumes(
    operation: Operation,
    inputs: Inputs,
    parameters: Mapping[str, Any],
    times: Sequence[int],
    label_values: tuple[int, ...],
    hashed: Fingerprint | None,
    context: Context,
    report: Report | None,
    should_stop: ShouldStop | None,
) -> Gathered:
    """Call the function of an operation for each time point and, if it wants so, channel."""
    image, seeds = inputs.image, inputs.seeds
    each = operation.channels == "each"
    channels: Sequence[int | None] = range(image.n_channels) if each else (None,)
    gathered = Gathered(image, per_channel=each)
    parts = len(times) * len(channels)
    for nth, t in enumerate(times):
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
                label_values=label_values,
                parameters=parameters,
                cache_key=(volume.key, channel),
                context=context,
                report=None if report is None else partial(_pass_on, report, part, parts),
                should_stop=should_stop,
            )
            gathered.add(t, channel, operation.function(job))
    return gathered


def _shapes_of(result: SeriesResult, image: Image) -> dict[str, Shapes]:
    """The shapes of a result, with the grid that they lie on."""
    return {
        key: Shapes(
            tuple(shapes),
            f"{image.name} {key}",
            image.spacing,
            image.units,
            image.translate,
            None if image.time_axis is None else image.n_times,
        )
        for key, shapes in result.shapes.items()
    }


def _pass_on(report: Report, part: int, parts: int, progress: Progress) -> None:
    """Turn the progress of one volume into that of the whole run."""
    message = progress.message if parts == 1 else f"{part + 1} of {parts}: {progress.message}"
    report(replace(progress, fraction=(part + progress.fraction) / parts, message=message))


def _forecast(
    operation: Operation,
    image: Image,
    parameters: Mapping[str, Any],
    labels: Sequence[set[int]] | None,
    times: Sequence[int],
) -> Forecast:
    n_labels, n_times = operation.seed_labels, len(times)
    if labels is not None:
        n_labels = max(n_labels, len(set().union(*labels)))
        follows = operation.follows is not None and operation.follows(parameters)
        if len(times) > 1 and not follows:
            n_times = len(with_labels(operation, labels, times))
    each = operation.channels == "each"
    n_channels = image.n_channels
    counted = lengths_in_voxels(operation.parameters, parameters, image.spacing)
    need = operation.estimate(image.spatial_shape, n_labels, 1 if each else n_channels, counted)
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
