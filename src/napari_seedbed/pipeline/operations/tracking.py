"""Operations that follow objects through time."""

import re
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.engine.declarations import SecondImage
from napari_seedbed.pipeline.engine.jobs import WholeJob
from napari_seedbed.pipeline.engine.parameters import number, output, text, whole_number
from napari_seedbed.pipeline.operations.costs import by_voxel
from napari_seedbed.pipeline.operations.families import object_operation
from napari_seedbed.pipeline.operations.proofreading import check_second_image


def _link(job: WholeJob) -> dict[str, Any]:
    found = job.core.link_objects(_series(job), job.parameters["least_overlap"])
    job.note(_events_in_words, found.events["event"])
    outputs: dict[str, Any] = {"labels": _in_place(job, found.labels)}
    if job.parameters["table"]:
        outputs["table"] = job.table(found.events, f"{job.image.name} events")
    return outputs


def _series(job: WholeJob) -> NDArray[np.integer]:
    """The labels with time as their first axis."""
    axis, array = job.image.time_axis, job.core.editable_labels(job.image.array)
    return array[np.newaxis] if axis is None else np.moveaxis(array, axis, 0)


def _in_place(job: WholeJob, series: NDArray[np.integer]) -> Any:
    """Labels whose first axis is time in the place of the image."""
    axis = job.image.time_axis
    return job.in_place(series[0] if axis is None else np.moveaxis(series, 0, axis))


def _events_in_words(kinds: NDArray[np.str_]) -> str:
    counts = [
        f"{n} {kind if n == 1 else plural}"
        for kind, plural in _EVENTS.items()
        for n in [int((kinds == kind).sum())]
    ]
    return f"{', '.join(counts)}."


_EVENTS = {"split": "splits", "merge": "merges", "loss": "losses", "appearance": "appearances"}


def _carry(job: WholeJob) -> dict[str, Any]:
    job.check(check_second_image, job)
    labels, carried = job.core.carry_through_series(
        _series(job),
        job.at_times(job.other_at),
        _labels(job.parameters["objects"]),
        start=job.parameters["start"],
        steps=job.parameters["steps"],
        channel_axis=job.other_channel_axis(),
        spacing=job.spacing,
    )
    job.note(_carried_in_words, carried)
    return {"labels": _in_place(job, labels)}


def _carried_in_words(count: int) -> str:
    return f"{count} object{'' if count == 1 else 's'} carried."


def _labels(given: str) -> list[int]:
    """The labels that a text names."""
    words = re.split(r"[\s,;]+", given.strip()) if given.strip() else []
    for word in words:
        if not re.fullmatch(r"[1-9]\d{0,18}", word):
            raise InputError(f"{word!r} is no label; write whole numbers from 1, such as 3 12.")
    return [int(word) for word in words]


_tracking = partial(
    object_operation, channels="joint", scope="whole", core_names={"labels": "image"}
)

LINK_OBJECTS = _tracking(
    name="link_objects",
    title="Link objects through time",
    function=_link,
    parameters=(
        number(
            "least_overlap",
            0.2,
            "Least overlap",
            "Share of the smaller of two objects that must be common to both.",
            (0.0, 1.0),
        ),
        output(
            "table",
            True,
            "List of events",
            "Also give a table of splits, merges, losses and appearances, with their places.",
        ),
    ),
    estimate=by_voxel(16, 1e-7),
    help="Gives objects that overlap from one time point to the next the same label, so that one "
    "cell keeps one number.",
    reference="Kuhn HW (1955). The Hungarian method for the assignment problem. Naval Research "
    "Logistics Quarterly 2, 83-97.",
    term="tracking",
)

CARRY_OBJECTS = _tracking(
    name="carry_objects",
    title="Carry objects to the next time point",
    function=_carry,
    core_names={"image": "other", "labels": "image"},
    parameters=(
        whole_number("start", 0, "From time point", "Counted from 0.", (0, 10**9)),
        whole_number(
            "steps", 1, "Time points", "To how many; 0 means to the last one.", (0, 10**9)
        ),
        text(
            "objects",
            "",
            "Objects",
            "Labels with spaces between them; nothing means all. Those that are in the next time "
            "point already stay as they are there.",
            check_text=_labels,
            lines=1,
        ),
    ),
    other=SecondImage(title="Image to grow objects in"),
    estimate=by_voxel(400, 4e-6),
    help="Moves objects by the shift of the image from one time point to the next, and grows them "
    "anew there with the seeded engine. Objects that are there already are walls.",
    reference="Guizar-Sicairos M, Thurman ST, Fienup JR (2008). Efficient subpixel image "
    "registration algorithms. Optics Letters 33(2), 156-158.",
    term="label propagation",
)

TRACKING = (LINK_OBJECTS, CARRY_OBJECTS)
