"""The operation that makes edits of labels anew, as a recipe of proofread labels does."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop, tell
from napari_seedbed.core.validation import check_image
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.encodings.edit_encoding import (
    EditCommand,
    parse_edits,
    scaled_edits,
)
from napari_seedbed.pipeline.engine.declarations import SecondImage
from napari_seedbed.pipeline.engine.jobs import WholeJob
from napari_seedbed.pipeline.engine.parameters import text
from napari_seedbed.pipeline.operations.costs import by_voxel
from napari_seedbed.pipeline.operations.families import object_operation
from napari_seedbed.pipeline.operations.proofread_edits import edit_of


def _proofread(job: WholeJob) -> dict[str, Image]:
    from napari_seedbed.core import editable_labels

    labels = replace(job.image, array=editable_labels(job.image.array))
    commands = parse_edits(job.parameters["edits"])
    check_second_image(job)
    notes: list[str] = []
    for number, command in enumerate(commands):
        tell(number / len(commands), f"edit {number + 1} of {len(commands)}: {command.verb}")
        try:
            refused = _make(command, labels, job)
        except InputError as error:
            raise InputError(f"{_named(number, command)}: {error}") from None
        if refused:
            times, reasons = ", ".join(map(str, refused)), list(refused.values())
            also = " (and others)" if len(set(reasons)) > 1 else ""
            notes.append(f"{_named(number, command)}: not made at t {times}: {reasons[0]}{also}")
    count = len(commands)
    job.notes += notes
    job.notes.append(f"{count} edit{'' if count == 1 else 's'} made.")
    return {"labels": labels}


def _named(number: int, command: EditCommand) -> str:
    shown = str(command) if len(str(command)) <= 60 else f"{str(command)[:60]}…"
    return f"edits: {number + 1} ({shown})"


def _make(command: EditCommand, labels: Image, job: WholeJob) -> dict[int, str]:
    """Make one edit, in place, and return why it was not made at some time points.

    Those at which none of its objects is do not count.
    """
    if command.time is None and not command.objects:
        # what was written with a brush, and new numbers for all objects, are about all of a film
        edit_of(command, labels.array).apply(labels.array)
        return {}
    if command.time is not None and command.time >= labels.n_times:
        raise InputError(f"there are {labels.n_times} time points, counted from 0.")
    refused: dict[int, str] = {}
    error: InputError | None = None
    done = False
    for time in range(labels.n_times) if command.time is None else [command.time]:
        check_stop()
        volume = labels.select_time(time).array
        present = _at_hand(command, volume) if labels.n_times > 1 else command
        try:
            edit = edit_of(
                present or command, volume, spacing=job.image.spacing, **image_at(job, time)
            )
        except InputError as why:
            error = why
            if present is not None:
                refused[time] = str(why)
            continue
        edit.apply(volume)
        done = True
    if error is not None and not done:
        raise error
    return refused


def _at_hand(command: EditCommand, labels: NDArray[np.integer]) -> EditCommand | None:
    """A command for all time points, with those of its objects that are there at one, if any."""
    if command.time is not None or command.verb == "fill-slice":
        return command
    objects = tuple(value for value in command.objects if (labels == value).any())
    return replace(command, objects=objects) if objects else None


def check_second_image(job: WholeJob) -> None:
    """Raise `InputError` if the second image has values that are no finite numbers."""
    for time in range(0 if job.other is None else job.other.n_times):
        check_image(image_at(job, time)["image"], "other")


def image_at(job: WholeJob, time: int) -> dict[str, Any]:
    """The second image at a time point, and where its channels are."""
    if job.other is None:
        return {}
    volume = job.other.select_time(min(time, job.other.n_times - 1)).volume()
    several = volume.ndim > len(job.image.spatial_axes)
    return {"image": volume, "channel_axis": 0 if several else None}


PROOFREAD = object_operation(
    name="proofread_labels",
    title="Proofread labels",
    panel="proofread",
    function=_proofread,
    core_names={"image": "other", "labels": "image"},
    parameters=(
        text(
            "edits",
            "",
            "Edits",
            "One a line, made in order: 'merge 12 17', 'delete 5', 'smooth 3 radius=0.5', "
            "'cut 7 path=4,10,0>4,10,40', with t=2 for a time point. Lengths are in the unit of "
            "the voxel size, places in voxels.",
            check_text=parse_edits,
            scale_text=scaled_edits,
        ),
    ),
    other=SecondImage(title="Image to grow objects in", needed=False),
    channels="joint",
    scope="whole",
    estimate=by_voxel(24, 2e-7),
    help="Corrects labels object by object: deletes, merges, splits, smooths, grows anew and more, "
    "as the list of edits says. The panel writes that list.",
    reference="Raya SP, Udupa JK (1990). Shape-based interpolation of multidimensional objects. "
    "IEEE Transactions on Medical Imaging 9, 32-42.",
)
