"""The operation that makes edits of labels anew, as a recipe of proofread labels does."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.validation import check_image
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.encodings.edit_encoding import parse_edits, scaled_edits
from napari_seedbed.pipeline.engine.declarations import SecondImage
from napari_seedbed.pipeline.engine.jobs import WholeJob
from napari_seedbed.pipeline.engine.parameters import text
from napari_seedbed.pipeline.operations.costs import by_voxel
from napari_seedbed.pipeline.operations.families import object_operation


def _proofread(job: WholeJob) -> dict[str, Image]:
    commands = parse_edits(job.parameters["edits"])
    job.check(check_second_image, job)
    edits = job.constant("edits", list(commands))
    images: dict[str, Any] = {}
    if job.other is not None:
        images = {
            "load": job.at_times(job.other_at),
            "channel_axis": job.other_channel_axis(),
        }

    def edited(labels: NDArray[Any], time_axis: int | None) -> NDArray[np.integer]:
        found: NDArray[np.integer]
        found, notes = job.core.edited_labels(
            labels, edits, **images, spacing=job.spacing, time_axis=time_axis
        )
        job.note(lambda told: told, notes)
        return found

    # Strokes of a brush are kept on the axes of the image.
    labels = job.on_own_axes(edited)
    count = len(commands)
    job.note(lambda: f"{count} edit{'' if count == 1 else 's'} made.")
    return {"labels": job.in_place(labels)}


def check_second_image(job: WholeJob) -> None:
    """Raise `InputError` if the second image has values that are no finite numbers."""
    for time in range(0 if job.other is None else job.other.n_times):
        check_image(job.other_at(time), "other")


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
    estimate=by_voxel(64, 2e-7),
    help="Corrects labels object by object: deletes, merges, splits, smooths, grows anew and more, "
    "as the list of edits says. The panel writes that list.",
    reference="Raya SP, Udupa JK (1990). Shape-based interpolation of multidimensional objects. "
    "IEEE Transactions on Medical Imaging 9, 32-42.",
)
