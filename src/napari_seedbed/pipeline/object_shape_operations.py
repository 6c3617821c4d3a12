"""Operations that change the shapes of objects or take their skeletons apart."""

import math
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from napari_seedbed.pipeline.core_calls import core_call
from napari_seedbed.pipeline.declarations import Job, Need
from napari_seedbed.pipeline.filter_operations import by_voxel, length, radius, rows_in_window
from napari_seedbed.pipeline.object_operations import in_words, objects_operation, size
from napari_seedbed.pipeline.parameters import Parameter
from napari_seedbed.pipeline.tables import PointsFound

Lengths = tuple[float, ...]

_THIN = Parameter(
    "thin",
    "bool",
    True,
    "Thin first",
    "Thin the objects to skeletons first. What is a skeleton already stays as it is.",
)


def _skeleton(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import skeleton

    labels = job.load()
    method = job.parameters["method"]
    found = skeleton(
        labels,
        # Slices have two methods, volumes one.
        method if labels.ndim == 2 else None,
        job.spacing,
        shortest=job.parameters["shortest"],
        should_stop=job.should_stop,
    )
    return {"labels": found}


def _skeleton_points(job: Job) -> dict[str, PointsFound]:
    from napari_seedbed.core import skeleton_points

    points, columns = skeleton_points(
        job.load(),
        job.spacing,
        thin=job.parameters["thin"],
        merge=job.parameters["merge"],
        should_stop=job.should_stop,
    )
    wanted = job.parameters["kind"]
    kept = slice(None) if wanted == "all" else columns["kind"] == wanted
    columns = {name: column[kept] for name, column in columns.items()}
    ends, branches = (int((columns["kind"] == kind).sum()) for kind in ("end", "branch"))
    if wanted != "branch":
        job.notes.append(in_words(ends, "end point"))
    if wanted != "end":
        job.notes.append(in_words(branches, "branch point"))
    return {"points": PointsFound(points[kept], columns)}


def _label_morphology_halo(spacing: Lengths, parameters: Mapping[str, Any]) -> tuple[int, ...]:
    from napari_seedbed.core.filters.windows import window_halo

    times = 1 if parameters["kind"] == "erosion" else 2
    return tuple(times * (n + 1) for n in window_halo(parameters["radius"], spacing))


def _expand_halo(spacing: Lengths, parameters: Mapping[str, Any]) -> tuple[int, ...]:
    from napari_seedbed.core.filters.windows import window_halo

    return window_halo(parameters["distance"], spacing)


def _label_morphology_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    if parameters["kind"] == "closing":
        return Need(24 * voxels, 9e-7 * voxels)
    return Need(28 * voxels, (3e-8 + 2e-9 * rows_in_window(shape, parameters)) * voxels)


FILL_HOLES = objects_operation(
    name="fill_holes",
    title="Fill holes",
    function=core_call("fill_holes", "labels"),
    parameters=(
        size("largest", 0.0, "Largest hole", "Larger holes stay open; 0 fills all."),
        Parameter(
            "slicewise",
            "bool",
            False,
            "Slice by slice",
            "Fill each slice of a volume on its own, tubes along z too.",
        ),
    ),
    estimate=by_voxel(24, 4e-8),
    help="Fills the ground that an object encloses on its own with its label. Other objects in a "
    "hole stay.",
    reference="Soille P (2004). Morphological image analysis. 2nd edition, Springer, chapter 6.",
)

LABEL_MORPHOLOGY = objects_operation(
    name="label_morphology",
    title="Open, close or shrink objects",
    function=core_call("label_morphology", "labels"),
    parameters=(
        Parameter(
            "kind",
            "choice",
            "opening",
            "Do",
            "Opening takes away what a ball does not fit into, closing fills gaps and notches that "
            "a ball beside them does not reach, shrinking takes a layer off.",
            choices=("opening", "closing", "erosion"),
            choice_labels=("Open", "Close", "Shrink"),
        ),
        radius(),
    ),
    estimate=_label_morphology_need,
    halo=_label_morphology_halo,
    term="morphological opening and closing of labels",
    help="Smooths each object on its own with a ball: objects that touch stay apart, and none "
    "merge.",
    reference="Serra J (1982). Image analysis and mathematical morphology. Academic Press.",
)

EXPAND_LABELS = objects_operation(
    name="expand_labels",
    title="Expand objects",
    function=core_call("expand_labels", "labels"),
    parameters=(length("distance", 2.0, "Distance", "How far objects grow at most."),),
    estimate=by_voxel(80, 3e-7),
    halo=_expand_halo,
    help="Grows all objects into the ground around them until they meet: each voxel goes to the "
    "nearest one.",
    reference="van der Walt S et al. (2014). scikit-image: image processing in Python. PeerJ 2, "
    "e453.",
)

SKELETON = objects_operation(
    name="skeleton",
    title="Skeleton",
    function=_skeleton,
    parameters=(
        Parameter(
            "method",
            "choice",
            "zhang",
            "Method in 2D",
            "How slices are thinned; volumes are always thinned by Lee's method.",
            choices=("zhang", "lee"),
            choice_labels=("Zhang and Suen", "Lee"),
            advanced=True,
        ),
        length(
            "shortest",
            0.0,
            "Shortest branch",
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

SKELETON_POINTS = objects_operation(
    name="skeleton_points",
    title="End and branch points",
    function=_skeleton_points,
    gives="points",
    parameters=(
        Parameter(
            "kind",
            "choice",
            "all",
            "Points",
            "Which points to give. The column 'kind' tells one from the other.",
            choices=("all", "end", "branch"),
            choice_labels=("All", "Ends", "Branch points"),
        ),
        _THIN,
        Parameter(
            "merge",
            "bool",
            True,
            "One point a branching",
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

BRANCH_TABLE = objects_operation(
    name="branch_table",
    title="Measure branches",
    function=core_call("branch_table", "table"),
    gives="table",
    menu="napari/layers/measure",
    parameters=(_THIN,),
    estimate=by_voxel(48, 7e-7),
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
