"""Runs of an operation on a part of an image, as the jobs of panels make them."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.gui.forms.operation_results import Finished, counted
from napari_seedbed.gui.layers.view_position import Part
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.engine.jobs import Context
from napari_seedbed.pipeline.operations import Result


def run_part(
    operation: Operation | str,
    inputs: dict[str, Image | Shapes],
    parameters: Mapping[str, Any],
    part: Part,
    *,
    context: Context | None = None,
) -> Result:
    """Run an operation, and let go of its inputs: the job's frames outlive the run.

    It returns at once when asked to stop, and not only when the operation looks next; with a
    context, which a run that goes on might still write to, it waits for that.
    """
    run = partial(
        operations.run,
        operation,
        dict(inputs),
        parameters,
        context=context,
        times=part.times,
        region=part.region,
    )
    inputs.clear()
    return call_aside(run) if context is None else run()


def run_and_count(
    operation: Operation | str,
    inputs: dict[str, Image | Shapes],
    parameters: Mapping[str, Any],
    part: Part,
) -> Finished:
    """Run an operation and count what comes out, both beside the window."""
    return counted(run_part(operation, inputs, parameters, part))
