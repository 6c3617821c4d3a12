"""Operations that follow objects through time."""

import re
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop, tell
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.engine.declarations import SecondImage
from napari_seedbed.pipeline.engine.jobs import WholeJob
from napari_seedbed.pipeline.engine.parameters import number, output, text, whole_number
from napari_seedbed.pipeline.operations.costs import by_voxel
from napari_seedbed.pipeline.operations.families import object_operation
from napari_seedbed.pipeline.operations.proofreading import (
    check_second_image,
    image_at,
)


def _link(job: WholeJob) -> dict[str, Any]:
    axis = job.image.time_axis
    array = job.core.editable_labels(job.image.array)
    series = array[np.newaxis] if axis is None else np.moveaxis(array, axis, 0)
    found = job.core.link_objects(series, job.parameters["least_overlap"])
    labels = found.labels[0] if axis is None else np.moveaxis(found.labels, 0, axis)
    job.note(_events_in_words, found.events["event"])
    outputs: dict[str, Any] = {"labels": job.in_place(labels)}
    if job.parameters["table"]:
        outputs["table"] = job.table(found.events, f"{job.image.name} events")
    return outputs


def _events_in_words(kinds: NDArray[np.str_]) -> str:
    counts = [
        f"{n} {kind if n == 1 else plural}"
        for kind, plural in _EVENTS.items()
        for n in [int((kinds == kind).sum())]
    ]
    return f"{', '.join(counts)}."


_EVENTS = {"split": "splits", "merge": "merges", "loss": "losses", "appearance": "appearances"}


def _carry(job: WholeJob) -> dict[str, Any]:
    from napari_seedbed.core import carry_objects, editable_labels

    check_second_image(job)
    labels = replace(job.image, array=editable_labels(job.image.array))
    start, steps = job.parameters["start"], job.parameters["steps"]
    wanted = _labels(job.parameters["objects"])
    last = labels.n_times - 1
    if start > last or (start == last and start > 0):
        raise InputError(f"start: it is {start}; the last time point is {last}, counted from 0.")
    stop = last if steps == 0 else min(last, start + steps)
    carried = 0
    for time in range(start, stop):
        check_stop()
        tell((time - start) / (stop - start), f"time point {time + 2} of {last + 1}")
        now, following = (labels.select_time(t).array for t in (time, time + 1))
        here, there = (set(np.unique(volume).tolist()) for volume in (now, following))
        missing = sorted(set(wanted) - here)
        if missing and time == start:
            raise InputError(f"objects: there is no object {missing[0]} at time point {time}.")
        objects = sorted((set(wanted) or {value for value in here if value > 0}) & here - there)
        if not objects:
            continue
        images = [image_at(job, t) for t in (time, time + 1)]
        edit = carry_objects(
            now,
            following,
            images[0]["image"],
            images[1]["image"],
            objects,
            channel_axis=images[0]["channel_axis"],
            spacing=job.image.spacing,
        )
        edit.apply(following)
        carried += len(objects)
    job.notes.append(f"{carried} object{'' if carried == 1 else 's'} carried.")
    return {"labels": labels}


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
