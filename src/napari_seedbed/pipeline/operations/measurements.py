"""Operations that measure labelled objects."""

from napari_seedbed.pipeline.data.tables import Table
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
    from napari_seedbed.pipeline.operations.object_tables import measured_objects

    groups = [name for name in _GROUPS if job.parameters[name]]
    columns = measured_objects(job.image, job.other, groups, times=job.times)
    count = len(columns["label"])
    job.notes.append(f"{count} object{'' if count == 1 else 's'} measured.")
    if job.parameters["intensity"] and job.other is None:
        job.notes.append("No image was given, so there are no intensities.")
    return {"table": Table(columns, f"{job.image.name} measurements")}


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
