"""The operation that makes objects one after the other, and what its panel keeps prepared."""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.seeded.object_steps import ObjectStep
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.fingerprint import Fingerprint
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.encodings.object_steps import (
    STEPS,
    shape_of_steps,
    steps_as_text,
    steps_from_text,
)
from napari_seedbed.pipeline.engine.declarations import (
    Need,
    Operation,
    SecondImage,
    Size,
    Starts,
    Values,
)
from napari_seedbed.pipeline.engine.inputs import Inputs
from napari_seedbed.pipeline.engine.jobs import Job
from napari_seedbed.pipeline.engine.parameters import text, whole_number
from napari_seedbed.pipeline.engine.provenance import describe, make_record
from napari_seedbed.pipeline.operations.seeded import DARKER, darker_than, prepared_segmenter

if TYPE_CHECKING:
    from napari_seedbed.core.seeded.seeded_segmenter import SeededSegmenter

OPERATION = "object_by_object"

SEVERAL_MASKS = (
    "these objects were kept with several masks, and a recipe holds one. What is in the layer "
    "stays as it is."
)
CHANGED = (
    "The objects were changed by hand after they were kept, and the steps do not repeat that; "
    "Save recipe… of Proofread holds what was edited there."
)

_SEGMENTER = "segmenter for proposals"
_SECONDS_AN_OBJECT = 0.15
MOST_NAMED = 20


def segmenter_in(cache: Mapping[Any, Any]) -> "SeededSegmenter":
    """What `operations.prepare` with this cache has prepared for proposals."""
    found: SeededSegmenter = cache[_SEGMENTER]
    return found


def _prepare(job: Job) -> None:
    cache: MutableMapping[Any, Any] = job.context.cache
    segmenter = prepared_segmenter(job)
    segmenter.prepare()
    cache[_SEGMENTER] = segmenter


def _object_by_object(job: Job) -> dict[str, NDArray[np.int32]]:
    # A script has no time point where there is no time.
    time = 0 if job.time is None else job.time
    labels, missing = job.core.objects_of_steps(
        prepared_segmenter(job), _steps(job, time), _excluded(job), time=time
    )
    job.note(_missing_in_words, missing)
    return {"labels": labels}


def _missing_in_words(numbers: Sequence[int]) -> list[str]:
    return [
        f"Object {number} is missing: earlier objects cover all its strokes." for number in numbers
    ]


def _excluded(job: Job) -> NDArray[np.bool_] | None:
    other = job.other()
    return None if other is None else other > 0


def _steps(job: Job, time: int) -> Sequence[ObjectStep]:
    """What objects are made from: what the panel recorded, or seeds."""
    told = job.parameters[STEPS]
    if told.strip():
        own, shape = job.image.spatial_shape, shape_of_steps(told)
        if shape != own:
            raise InputError(
                f"{STEPS}: they were made on an image of the shape {shape}, this one has the shape "
                f"{own}; strokes hold for their own image only."
            )
        found = steps_from_text(told)
        if job.other() is None and any(step.is_masked for step in found):
            raise InputError(
                "other: there is none, but objects were made with a mask of what is no object; "
                "give that mask."
            )
        kept: Sequence[ObjectStep] = job.constant(STEPS, found)
        return kept
    if job.seeds is None:
        raise InputError(
            f"seeds: there are neither seeds nor {STEPS}; mark each object with a label of its own."
        )
    made: Sequence[ObjectStep] = job.core.steps_of_seeds(
        job.seeds,
        job.parameters["background"],
        time=time,
        darker_than=job.parameters[DARKER],
        is_masked=job.other() is not None,
    )
    return made


def _need(size: Size, parameters: Values) -> Need:
    from napari_seedbed.core import seeded_segmentation_memory, seeded_segmentation_seconds

    counted = (size.shape, 2, size.n_channels)
    seconds = float(seeded_segmentation_seconds(*counted))
    memory = int(seeded_segmentation_memory(*counted)) + 8 * size.voxels
    return Need(memory, seconds + _SECONDS_AN_OBJECT * size.n_labels)


OBJECT_BY_OBJECT = Operation(
    name=OPERATION,
    panel="seeded_segmentation",
    title="Seeded segmentation, object by object",
    term="interactive segmentation, click to segment",
    menu="napari/layers/segment",
    group="Segmentation",
    starts=Starts(("seeds",), needed=False, labels=1),
    other=SecondImage("mask", "Not an object", needed=False),
    gives="labels",
    channels="joint",
    function=_object_by_object,
    prepare=_prepare,
    core_names={"excluded": "other", "strokes": "seeds"},
    parameters=(
        whole_number(
            "background",
            0,
            "Background label",
            "The label of the seeds that marks what is no object. 0 means that every label is an "
            "object.",
            (0, 2**31 - 1),
            advanced=True,
        ),
        darker_than(" Recorded strokes bring their own."),
        text(
            STEPS,
            "",
            "Strokes of each object",
            "What the objects were made from, in their order, as the panel and recipes keep it; "
            "instead of seeds.",
            check_text=steps_from_text,
            advanced=True,
            lines=2,
        ),
    ),
    estimate=_need,
    help="Makes one object after the other, each from its own strokes alone, in the order of their "
    "labels. No background need be marked, and objects that were made are walls for the next. All "
    "channels count together.",
    reference="Grady L (2006). Random walks for image segmentation. IEEE Transactions on Pattern "
    "Analysis and Machine Intelligence 28(11), 1768-1783.",
)


def record_of_objects(
    image: Image,
    objects: Image,
    steps: Sequence[ObjectStep],
    *,
    masks: Sequence[Image] = (),
    known_masks: Sequence[Mapping[str, Any]] = (),
    lacks: Sequence[str] = (),
) -> dict[str, Any]:
    """How objects were made that were kept one after the other: the record that a run would have.

    Parameters
    ----------
    image : Image
    objects : Image
        What was kept, on the image's grid.
    steps : sequence of ObjectStep
        In the order in which objects were kept.
    masks : sequence of Image
        The masks of what was no object, for the steps that say so.
    known_masks : sequence of dict
        Masks of earlier steps, as an earlier record describes its inputs.
    lacks : sequence of str
        What the steps do not repeat of the objects, a sentence each.

    Returns
    -------
    dict
        Its notes have `SEVERAL_MASKS` where there is not one mask for all steps that need one. What
        it lacks names objects that no step makes.
    """
    described: dict[str, Mapping[str, Any]] = {one["fingerprint"]: one for one in known_masks}
    for mask in masks:
        name = Fingerprint(mask).finish()
        described.setdefault(name, describe(mask, name, "other"))
    is_masked = any(step.is_masked for step in steps)
    lacks = list(lacks)
    made = [0, *(step.number for step in steps)]
    if len(others := np.setdiff1d(objects.array, made)):
        numbers = ", ".join(str(number) for number in others[:MOST_NAMED])
        more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
        lacks.append(f"No step makes these objects of the layer: {numbers}{more}.")
    told = steps_as_text(image.spatial_shape, steps)
    parameters = {**OBJECT_BY_OBJECT.defaults(), STEPS: told}
    times = None if image.time_axis is None else list(range(image.n_times))
    record = make_record(
        OBJECT_BY_OBJECT,
        parameters,
        Inputs(image),
        {"labels": objects},
        times,
        Fingerprint(image).finish(),
        [*lacks, *([SEVERAL_MASKS] if is_masked and len(described) != 1 else [])],
    )
    if is_masked and len(described) == 1:
        record["inputs"] += described.values()
    return {**record, "lacks": lacks}
