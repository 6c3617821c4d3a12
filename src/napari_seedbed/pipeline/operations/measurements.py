"""Operations that measure labelled objects."""

from typing import Any

from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.tables import Columns, Table
from napari_seedbed.pipeline.engine.declarations import Need, SecondImage, Size, Values
from napari_seedbed.pipeline.engine.jobs import WholeJob
from napari_seedbed.pipeline.engine.parameters import switch
from napari_seedbed.pipeline.operations.families import object_operation

_GROUPS = {
    "size": ("Size", "Voxels, area or volume, diameter of the disc or ball of that size."),
    "position": (
        "Position",
        "Centroid in physical units and voxels, bounding box, whether it touches the border.",
    ),
    "shape": (
        "Shape",
        "Perimeter or surface, circularity or sphericity, axes, orientation, extent, Euler number.",
    ),
    "hull": ("Convex hull", "Solidity and Feret diameter."),
    "intensity": (
        "Intensity",
        "Mean, standard deviation, smallest, largest, median and sum, for each channel of the "
        "image; left out where no image is given.",
    ),
    "neighbours": (
        "Neighbours",
        "How many objects it touches, and the nearest one by its centroid.",
    ),
}

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
    groups = tuple(name for name in _GROUPS if job.parameters[name])

    def measured(t: int) -> Columns:
        about: dict[str, Any] = {}
        if job.other is not None and "intensity" in groups:
            about["image"] = job.other_at(t)
            about["channel_axis"] = job.other_channel_axis()
            about["channel_names"] = _channel_names(job.other)
        table: Columns = job.core.measure_objects(
            job.labels_at(t), job.spacing, job.image.unit, groups=groups, **about
        )
        return table

    columns = job.table_of(measured)
    job.note(_count_in_words, columns)
    if job.parameters["intensity"] and job.other is None:
        job.notes.append("No image was given, so there are no intensities.")
    return {"table": job.table(columns, f"{job.image.name} measurements")}


def _count_in_words(columns: Columns) -> str:
    count = len(columns["label"])
    return f"{count} object{'' if count == 1 else 's'} measured."


def _channel_names(image: Image) -> tuple[str, ...]:
    """Names that differ, or none: then channels are counted."""
    if image.n_channels == 1:
        return ()
    names = ("red", "green", "blue") if image.rgb else image.channel_names
    known = len(names) == image.n_channels == len(set(names)) and all(names)
    return tuple(name.strip().replace(" ", "_") for name in names) if known else ()


def _measure_need(size: Size, parameters: Values) -> Need:
    each = 12 if parameters["intensity"] or parameters["hull"] else 4
    seconds = 3e-8 + sum(_SECONDS[name] for name in _GROUPS if parameters[name])
    return Need(each * size.voxels, seconds * size.voxels)


MEASURE = object_operation(
    name="measure",
    title="Measure objects",
    menu="napari/layers/measure",
    function=_measure,
    core_names={"image": "other", "labels": "image"},
    parameters=tuple(switch(name, True, label, help) for name, (label, help) in _GROUPS.items()),
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
