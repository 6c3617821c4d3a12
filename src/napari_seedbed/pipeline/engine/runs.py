"""`run`, the single door to all operations."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from napari_seedbed.core.progress import (
    Report,
    ShouldStop,
    check_stop,
    running,
    tell,
)
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.fingerprint import Fingerprint
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.engine.block_plans import Blocks
from napari_seedbed.pipeline.engine.block_runs import run_in_blocks
from napari_seedbed.pipeline.engine.calls import Calls
from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.engine.forecasts import GRANTED, grant_memory
from napari_seedbed.pipeline.engine.inputs import (
    Inputs,
    all_labels,
    check_inputs,
    checked_image,
    choose_times,
    labels_by_time,
)
from napari_seedbed.pipeline.engine.jobs import Context
from napari_seedbed.pipeline.engine.parameters import (
    check_parameters,
)
from napari_seedbed.pipeline.engine.provenance import make_record
from napari_seedbed.pipeline.engine.registry import resolved
from napari_seedbed.pipeline.engine.results import Result
from napari_seedbed.pipeline.engine.run_costs import RunCost
from napari_seedbed.pipeline.engine.volumes import (
    Volume,
    check_overflow,
    place_in_memory,
)
from napari_seedbed.pipeline.engine.windows import window_of


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
    cost = RunCost.of(operation, image, parameters, None, [time])
    granted = grant_memory(cost, context, place_in_memory(image, time) in context.cache)
    volume = Volume(image, time, context, None)
    calls = Calls(operation, Inputs(image), parameters, context, None, Inputs(image))
    with running(report=report, should_stop=should_stop):
        operation.prepare(calls.job(volume, time, None, ()))
    context.cache[GRANTED] = granted


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
    cost = RunCost.of(operation, worked.image, parameters, labels, chosen)
    granted = grant_memory(cost, context, is_kept)

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
            given if statistics is None else replace(given, image=statistics),
            None if window is None else window.inner,
        )
        outputs = calls.outputs(chosen, found)
        # Noted now: the cache is emptied for each new volume.
        context.cache[GRANTED] = granted
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
