"""Operations that measure labelled objects."""

from typing import Any

from napari_seedbed.pipeline.data.tables import Columns, Table
from napari_seedbed.pipeline.engine.declarations import Need, SecondImage, Size, Values
from napari_seedbed.pipeline.engine.jobs import WholeJob
from napari_seedbed.pipeline.engine.parameters import switch
from napari_seedbed.pipeline.operations.block_functions import BlockFunction
from napari_seedbed.pipeline.operations.families import object_operation
from napari_seedbed.pipeline.operations.measurement_words import (
    GROUPS,
    NO_IMAGE,
    TABLE_NAME,
    channel_names,
    count_in_words,
    wanted_groups,
)

_SECONDS = {
    "size": 0.0,
    "position": 0.0,
    "shape": 4e-8,
    "hull": 8e-8,
    "intensity": 3e-8,
    "neighbours": 3e-8,
}
"""For a voxel, beside what it takes to find the objects."""


def _measure(job: WholeJob) -> dict[str, Table]:
    groups = wanted_groups(job.parameters)

    def measured(t: int) -> Columns:
        about: dict[str, Any] = {}
        if job.other is not None and "intensity" in groups:
            about["image"] = job.other_at(t)
            about["channel_axis"] = job.other_channel_axis()
            about["channel_names"] = channel_names(job.other)
        table: Columns = job.core.measure_objects(
            job.labels_at(t), job.spacing, job.image.unit, groups=groups, **about
        )
        return table

    columns = job.table_of(measured)
    job.note(_count_in_words, columns)
    if job.parameters["intensity"] and job.other is None:
        job.notes.append(NO_IMAGE)
    return {"table": job.table(columns, TABLE_NAME.format(job.image.name))}


def _count_in_words(columns: Columns) -> str:
    return count_in_words(len(columns["label"]))


def _measure_need(size: Size, parameters: Values) -> Need:
    each = 12 if parameters["intensity"] or parameters["hull"] else 4
    seconds = 3e-8 + sum(_SECONDS[name] for name in GROUPS if parameters[name])
    return Need(each * size.voxels, seconds * size.voxels)


MEASURE = object_operation(
    name="measure",
    in_blocks=BlockFunction("measurements_in_blocks", "measure"),
    title="Measure objects",
    menu="napari/layers/measure",
    function=_measure,
    core_names={"image": "other", "labels": "image"},
    parameters=tuple(switch(name, True, label, help) for name, (label, help) in GROUPS.items()),
    other=SecondImage(title="Intensities of", needed=False),
    gives="table",
    channels="joint",
    scope="times",
    panel="measurements",
    estimate=_measure_need,
    help="Measures each labelled object: a table of its size, position, shape, grey values and "
    "neighbours, in the unit of the voxel size.",
    reference="Legland D, Arganda-Carreras I, Andrey P (2016). MorphoLibJ: integrated library and "
    "plugins for mathematical morphology with ImageJ. Bioinformatics 32(22), 3532-3534.",
    term="region properties",
)
