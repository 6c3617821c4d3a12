"""Operations that change the shapes of objects or take their skeletons apart."""

from functools import partial
from typing import Any

from napari_seedbed.pipeline.data.tables import Columns, PointsFound
from napari_seedbed.pipeline.engine.core_calls import CoreCall
from napari_seedbed.pipeline.engine.declarations import Lengths, Need, Reach, Size, Values
from napari_seedbed.pipeline.engine.jobs import Job
from napari_seedbed.pipeline.engine.parameters import choice, switch
from napari_seedbed.pipeline.operations.block_functions import BlockFunction
from napari_seedbed.pipeline.operations.costs import by_voxel, window_rows
from napari_seedbed.pipeline.operations.families import object_operation
from napari_seedbed.pipeline.operations.halos import window_halo
from napari_seedbed.pipeline.operations.object_words import in_words
from napari_seedbed.pipeline.operations.references import SCIKIT_IMAGE, SERRA, SOILLE
from napari_seedbed.pipeline.operations.shared_parameters import length, radius, size

_THIN = switch(
    "thin",
    True,
    "Skeletonise first",
    "Thin the objects to skeletons first. What is a skeleton already stays as it is.",
)


def _skeleton_arguments(job: Job) -> dict[str, Any]:
    # Slices have two methods, volumes one.
    is_flat = len(job.spacing) == 2
    return {**job.parameters, "method": job.parameters["method"] if is_flat else None}


def _skeleton_points(job: Job) -> dict[str, PointsFound]:
    points, columns = CoreCall("skeleton_points").result(job)
    for noun, kind in (("end point", "end"), ("branch point", "branch")):
        if job.parameters["kind"] in ("all", kind):
            job.note(partial(_counted, columns, kind, noun))
    return {"points": PointsFound(points, columns)}


def _counted(columns: Columns, kind: str, noun: str) -> str:
    return in_words(int((columns["kind"] == kind).sum()), noun)


def _label_morphology_halo(spacing: Lengths, parameters: Values) -> Reach:
    times = 1 if parameters["kind"] == "erosion" else 2
    return window_halo(times=times, more=1)(spacing, parameters)


def _label_morphology_need(size: Size, parameters: Values) -> Need:
    if parameters["kind"] == "closing":
        return Need(24 * size.voxels, 9e-7 * size.voxels)
    each = 3e-8 + 2e-9 * window_rows(size, parameters)
    return Need(28 * size.voxels, each * size.voxels)


FILL_HOLES = object_operation(
    name="fill_holes",
    in_blocks=BlockFunction("objects_in_blocks", "fill_holes"),
    title="Fill holes",
    parameters=(
        size("largest", 0.0, "Maximum hole size", "Larger holes stay open; 0 fills all."),
        switch(
            "slicewise",
            False,
            "Slice by slice",
            "Fill each slice of a volume on its own, tubes along z too.",
        ),
    ),
    estimate=by_voxel(24, 4e-8),
    help="Fills the background that an object encloses on its own with its label. Other objects in "
    "a hole stay.",
    reference=SOILLE,
)

LABEL_MORPHOLOGY = object_operation(
    name="label_morphology",
    title="Open, close or erode objects",
    parameters=(
        choice(
            "kind",
            "Operation",
            "Opening takes away what a ball does not fit into, closing fills gaps and notches that "
            "a ball beside them does not reach, erosion takes a layer off.",
            {"opening": "Opening", "closing": "Closing", "erosion": "Erosion"},
        ),
        radius(),
    ),
    estimate=_label_morphology_need,
    halo=_label_morphology_halo,
    term="morphological opening and closing of labels",
    help="Smooths each object on its own with a ball: objects that touch stay apart, and none "
    "merge.",
    reference=SERRA,
)

EXPAND_LABELS = object_operation(
    name="expand_labels",
    title="Expand labels",
    parameters=(length("distance", 2.0, "Maximum distance", "How far objects grow at most."),),
    estimate=by_voxel(80, 3e-7),
    halo=window_halo("distance"),
    help="Grows all objects into the background around them until they meet: each voxel goes to "
    "the nearest one.",
    reference=SCIKIT_IMAGE,
)

SKELETON = object_operation(
    name="skeleton",
    title="Skeleton",
    function=CoreCall(arguments=_skeleton_arguments),
    parameters=(
        choice(
            "method",
            "Method in 2D",
            "How slices are thinned; volumes are always thinned by Lee's method.",
            {"zhang": "Zhang and Suen", "lee": "Lee"},
            advanced=True,
        ),
        length(
            "shortest",
            0.0,
            "Minimum branch length",
            "Shorter branches with a loose end are taken away again.",
        ),
    ),
    estimate=by_voxel(32, 3e-7),
    term="medial axis thinning",
    help="Thins each object to lines of one voxel, with the object's label; its holes and pieces "
    "stay.",
    reference="Zhang TY, Suen CY (1984). A fast parallel algorithm for thinning digital patterns. "
    "Communications of the ACM 27(3), 236-239; Lee TC, Kashyap RL, Chu CN (1994). Building "
    "skeleton models via 3-D medial surface/axis thinning algorithms. CVGIP: Graphical Models and "
    "Image Processing 56(6), 462-478.",
)

SKELETON_POINTS = object_operation(
    name="skeleton_points",
    title="End and branch points",
    function=_skeleton_points,
    gives="points",
    parameters=(
        choice(
            "kind",
            "Points",
            "Which points to give. The column 'kind' says which each one is.",
            {"all": "All", "end": "Ends", "branch": "Branch points"},
        ),
        _THIN,
        switch(
            "merge",
            True,
            "Merge branch points",
            "Where branches meet several voxels have three or more neighbours; give one point for "
            "all of them.",
        ),
    ),
    estimate=by_voxel(40, 4e-7),
    help="Finds where the skeletons of objects end and where their branches meet, by the number "
    "of neighbours of each voxel.",
    reference="Arganda-Carreras I et al. (2010). 3D reconstruction of histological sections: "
    "application to mammary gland tissue. Microscopy Research and Technique 73(11), 1019-1029.",
)

BRANCH_TABLE = object_operation(
    name="branch_table",
    title="Measure skeleton branches",
    gives="table",
    menu="napari/layers/measure",
    parameters=(_THIN,),
    estimate=by_voxel(80, 7e-7),
    help="Measures each branch of the objects' skeletons: its length and the distance from end to "
    "end, the points that it joins, and the object's mean width along it.",
    reference="Nunez-Iglesias J et al. (2018). A new Python library to analyse skeleton images "
    "confirms malaria parasite remodelling of the red blood cell membrane skeleton. PeerJ 6, "
    "e4312.",
)

OBJECT_SHAPES = (
    FILL_HOLES,
    LABEL_MORPHOLOGY,
    EXPAND_LABELS,
    SKELETON,
    SKELETON_POINTS,
    BRANCH_TABLE,
)
