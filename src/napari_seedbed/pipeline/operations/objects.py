"""Operations that label, choose, number, join and combine objects."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.engine.core_calls import CoreCall
from napari_seedbed.pipeline.engine.declarations import (
    Lengths,
    Reach,
    SecondImage,
    Size,
    Values,
)
from napari_seedbed.pipeline.engine.jobs import Job
from napari_seedbed.pipeline.engine.parameters import choice, switch, whole_number
from napari_seedbed.pipeline.operations.block_functions import BlockFunction
from napari_seedbed.pipeline.operations.costs import by_voxel
from napari_seedbed.pipeline.operations.families import object_operation
from napari_seedbed.pipeline.operations.object_words import connectivity_of, in_words
from napari_seedbed.pipeline.operations.references import ROSENFELD, SCIKIT_IMAGE, SOILLE
from napari_seedbed.pipeline.operations.shared_parameters import length, size

CONNECTIVITY = choice(
    "connectivity",
    "Connectivity",
    "Whether voxels that only share a corner (or, in 3D, an edge) are one piece.",
    {"faces": "Faces (4 or 6 neighbours)", "corners": "Corners too (8 or 26 neighbours)"},
    default="corners",
    advanced=True,
)
OBJECTS = choice(
    "objects",
    "Objects",
    "All voxels of a label, or each connected piece of it. A mask has a single label, so its "
    "pieces are its objects.",
    {"auto": "Automatic", "labels": "Labels", "pieces": "Connected components"},
    advanced=True,
)


def core_parameters(job: Job) -> dict[str, Any]:
    """The parameters of a job, with connectivity as the number that core counts."""
    parameters = dict(job.parameters)
    if "connectivity" in parameters:
        parameters["connectivity"] = connectivity_of(parameters)
    return parameters


def _label(job: Job) -> dict[str, NDArray]:
    found = CoreCall("label", core_parameters).result(job)
    job.note(lambda: in_words(int(found.max()), "object"))
    return {"labels": found}


def _count(job: Job) -> dict[str, Any]:
    number = CoreCall("count", core_parameters).result(job)
    job.note(lambda: in_words(number, "object"))
    return {"table": {"objects": np.atleast_1d(number)}}


def _second_labels(job: Job) -> dict[str, Any]:
    return {"other": job.other(), **job.parameters}


def _parents(job: Job) -> dict[str, Any]:
    return {"parents": job.other(), **job.parameters}


def _combine_halo(spacing: Lengths, parameters: Values) -> Reach:
    by_voxel_alone = parameters["how"] in ("and", "or", "xor", "minus")
    renumbered = parameters["renumber"] and parameters["how"] in ("or", "xor")
    return (0,) * len(spacing) if by_voxel_alone and not renumbered else None


def _join_seconds(size: Size, parameters: Values) -> float:
    return 6e-7 if parameters["distance"] > 0 else 5e-8


_in_blocks = partial(BlockFunction, "objects_in_blocks")

_pieces = partial(
    object_operation, function=CoreCall(arguments=core_parameters), estimate=by_voxel(16, 5e-8)
)

LABEL = _pieces(
    name="label",
    in_blocks=_in_blocks("label"),
    title="Label connected components",
    function=_label,
    parameters=(CONNECTIVITY,),
    estimate=by_voxel(22, 5e-8),
    term="connected component labelling",
    help="Gives each connected piece of a mask, or of each label, a label of its own and says how "
    "many there are.",
    reference=ROSENFELD,
)

COUNT = _pieces(
    name="count",
    in_blocks=_in_blocks("count"),
    title="Count objects",
    function=_count,
    menu="napari/layers/measure",
    parameters=(OBJECTS, CONNECTIVITY),
    gives="table",
    help="Counts the labels of a label image, or the connected pieces of a mask.",
    reference=ROSENFELD,
)

REMOVE_BY_SIZE = _pieces(
    name="remove_by_size",
    in_blocks=_in_blocks("remove_by_size"),
    title="Remove small and large objects",
    parameters=(
        size("smallest", 20.0, "Minimum size", "Smaller objects are taken away; 0 sets no limit."),
        size("largest", 0.0, "Maximum size", "Larger objects are taken away; 0 sets no limit."),
        OBJECTS,
        CONNECTIVITY,
    ),
    term="area opening",
    help="Takes away objects whose area (2D) or volume (3D) is out of bounds. The others keep "
    "their labels.",
    reference="Vincent L (1993). Morphological area openings and closings for grey-scale images. "
    "Shape in Picture, Springer, 197-208.",
)

KEEP_LARGEST = _pieces(
    name="keep_largest",
    in_blocks=_in_blocks("keep_largest"),
    title="Keep the largest objects",
    parameters=(
        whole_number(
            "number", 1, "Number", "How many stay; of equal ones those that come first.", (0, 10**9)
        ),
        OBJECTS,
        CONNECTIVITY,
    ),
    help="Keeps the largest objects, with their labels, and takes all others away.",
    reference=ROSENFELD,
)

CLEAR_BORDER = _pieces(
    name="clear_border",
    in_blocks=_in_blocks("clear_border"),
    title="Clear border",
    parameters=(
        length(
            "distance",
            0.0,
            "Distance to the border",
            "How near to the border is too near; 0 means at it.",
        ),
        choice(
            "faces",
            "Border",
            "In a volume, whether its first and last slice count as border.",
            {"all": "All faces", "sides": "Sides of the slices only"},
        ),
        OBJECTS,
        CONNECTIVITY,
    ),
    help="Takes away objects that touch the border of the image, since they are cut off there.",
    reference=SOILLE,
)

RELABEL = object_operation(
    name="relabel_sequential",
    in_blocks=_in_blocks("relabel_sequential"),
    title="Relabel sequentially",
    parameters=(whole_number("start", 1, "First label", "Of the first object.", (1, 2**30)),),
    estimate=by_voxel(12, 2e-8),
    help="Gives the objects labels without gaps between them; their order stays.",
    reference=SCIKIT_IMAGE,
)

SORT_LABELS = object_operation(
    name="sort_labels",
    in_blocks=_in_blocks("sort_labels"),
    title="Sort labels",
    parameters=(
        choice(
            "by",
            "Sort by",
            "What decides on the order: the number of voxels or the place of the centre.",
            {
                "size": "Size",
                "x": "Position along x",
                "y": "Position along y",
                "z": "Position along z",
            },
        ),
        switch("descending", False, "Descending", "Give label 1 to the largest value."),
    ),
    estimate=by_voxel(24, 3e-8),
    help="Numbers the objects 1, 2, … by their size or place.",
    reference=SCIKIT_IMAGE,
)

JOIN_LABELS = _pieces(
    name="join_labels",
    in_blocks=_in_blocks("join_labels"),
    title="Merge nearby objects",
    parameters=(
        length(
            "distance",
            0.0,
            "Maximum distance",
            "Objects whose nearest voxels' centres are no farther apart become one; those that "
            "touch always do.",
        ),
        CONNECTIVITY,
    ),
    estimate=by_voxel(64, _join_seconds),
    help="Gives objects that touch, or nearly touch, one label: the lowest that they had.",
    reference="Gower JC, Ross GJS (1969). Minimum spanning trees and single linkage cluster "
    "analysis. Applied Statistics 18(1), 54-64.",
    term="single linkage",
)

COMBINE = object_operation(
    name="combine_labels",
    title="Combine masks or labels (AND, OR, XOR)",
    function=CoreCall(arguments=_second_labels),
    other=SecondImage("labels", "Second labels or mask"),
    parameters=(
        choice(
            "how",
            "Operation",
            "Parts of the first image inside or outside of the second one's objects, the objects "
            "of both, or whole objects of the first image that overlap with the second.",
            {
                "and": "AND: the first where the second is",
                "or": "OR: both, the first on top",
                "xor": "XOR: where only one of them is",
                "minus": "Minus: the first without the second",
                "pairs": "Each pair of labels that meet",
                "overlapping": "Objects that overlap with the second",
                "apart": "Objects that do not overlap with it",
            },
        ),
        switch(
            "renumber",
            False,
            "New labels for the second",
            "For 'or' and 'xor': give the second image's objects labels of their own. Otherwise "
            "objects with the same label become one.",
        ),
    ),
    estimate=by_voxel(32, 6e-8),
    halo=_combine_halo,
    help="Puts two masks or label images together: and, or, xor, minus, or whole objects that "
    "overlap. A mask as the second image masks the labels of the first.",
    reference="Boole G (1854). An investigation of the laws of thought. Walton and Maberly.",
)

RELATE = object_operation(
    name="relate_objects",
    in_blocks=_in_blocks("relate_objects"),
    title="Relate objects",
    function=CoreCall(arguments=_parents),
    core_names={"labels": "image", "parents": "other"},
    menu="napari/layers/measure",
    other=SecondImage("labels", "Parents", is_newer=True),
    parameters=(
        choice(
            "rows",
            "A row for",
            "Each child with its parent, the share of it that lies there and the number of "
            "siblings, or each parent with the number of its children.",
            {"children": "Each child", "parents": "Each parent"},
        ),
    ),
    gives="table",
    estimate=by_voxel(24, 5e-8),
    help="Finds the parent of each object, such as the cell of a nucleus or of a spot: the object "
    "of the second image that holds most of it.",
    reference="Carpenter AE et al. (2006). CellProfiler: image analysis software for identifying "
    "and quantifying cell phenotypes. Genome Biology 7, R100.",
    term="parent and child objects",
)

OBJECT_LISTS = (
    LABEL,
    COUNT,
    REMOVE_BY_SIZE,
    KEEP_LARGEST,
    CLEAR_BORDER,
    RELABEL,
    SORT_LABELS,
    JOIN_LABELS,
    COMBINE,
    RELATE,
)
