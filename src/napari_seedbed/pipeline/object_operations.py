"""Operations that label, choose, number, join and combine objects."""

import math
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from napari_seedbed.pipeline.core_calls import core_call
from napari_seedbed.pipeline.declarations import Job, Need, Operation
from napari_seedbed.pipeline.filter_operations import by_voxel, length
from napari_seedbed.pipeline.parameters import Parameter

CONNECTIVITY = Parameter(
    "connectivity",
    "choice",
    "corners",
    "Voxels touch at",
    "Whether voxels that only share a corner (or, in 3D, an edge) are one piece.",
    choices=("faces", "corners"),
    choice_labels=("Faces only", "Faces, edges and corners"),
    advanced=True,
)
OBJECTS = Parameter(
    "objects",
    "choice",
    "auto",
    "An object is",
    "All voxels of a label, or each connected piece of it. A mask has a single label, so its "
    "pieces are its objects.",
    choices=("auto", "labels", "pieces"),
    choice_labels=("A label; a piece of a mask", "A label", "A connected piece"),
    advanced=True,
)


def objects_operation(**own: Any) -> Operation:
    """An operation that gives labels for labels or a mask."""
    fixed: dict[str, Any] = {
        "group": "Objects",
        "menu": "napari/layers/segment",
        "takes": ("image",),
        "image_kind": "labels",
        "gives": "labels",
        "ndim": (2, 3),
        "channels": "each",
    }
    return Operation(**{**fixed, **own})


def size(name: str, voxels: float, label: str, help: str) -> Parameter:
    """An area in 2D and a volume in 3D, by default of so many voxels."""
    return Parameter(
        name,
        "float",
        voxels,
        label,
        help,
        minimum=0.0,
        maximum=1e27,
        unit="physical_size",
        in_voxels=True,
    )


def core_parameters(job: Job) -> dict[str, Any]:
    """The parameters of a job, with connectivity as the number that core counts."""
    parameters = dict(job.parameters)
    if "connectivity" in parameters:
        # None means as many as there are axes.
        parameters["connectivity"] = 1 if parameters["connectivity"] == "faces" else None
    return parameters


def _label(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import label

    found, number = label(job.load(), return_num=True, **core_parameters(job))
    job.notes.append(in_words(number, "object"))
    return {"labels": found}


def _count(job: Job) -> dict[str, Any]:
    import numpy as np

    from napari_seedbed.core import count

    number = count(job.load(), **core_parameters(job))
    job.notes.append(in_words(number, "object"))
    return {"table": {"objects": np.array([number])}}


def _remove_by_size(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import remove_by_size

    return {"labels": remove_by_size(job.load(), spacing=job.spacing, **core_parameters(job))}


def _keep_largest(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import keep_largest

    return {"labels": keep_largest(job.load(), **core_parameters(job))}


def _clear_border(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import clear_border

    return {"labels": clear_border(job.load(), spacing=job.spacing, **core_parameters(job))}


def _join_labels(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import join_labels

    found = join_labels(
        job.load(), spacing=job.spacing, should_stop=job.should_stop, **core_parameters(job)
    )
    return {"labels": found}


def _combine(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import combine_labels

    found = combine_labels(
        job.load(), job.other(), job.parameters["how"], renumber=job.parameters["renumber"]
    )
    return {"labels": found}


def _combine_halo(
    spacing: tuple[float, ...], parameters: Mapping[str, Any]
) -> tuple[int, ...] | None:
    by_voxel_alone = parameters["how"] in ("and", "or", "xor", "minus")
    renumbered = parameters["renumber"] and parameters["how"] in ("or", "xor")
    return (0,) * len(spacing) if by_voxel_alone and not renumbered else None


def _join_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    near = parameters["distance"] > 0
    return Need(64 * voxels, (6e-7 if near else 5e-8) * voxels)


def in_words(number: int, noun: str) -> str:
    """Say how many were found, as ``3 objects found.`` does."""
    return f"{number} {noun}{'' if number == 1 else 's'} found."


LABEL = objects_operation(
    name="label",
    title="Label objects",
    function=_label,
    parameters=(CONNECTIVITY,),
    estimate=by_voxel(16, 5e-8),
    term="connected components",
    help="Gives each connected piece of a mask, or of each label, a label of its own and says how "
    "many there are.",
    reference="Rosenfeld A, Pfaltz JL (1966). Sequential operations in digital picture processing. "
    "Journal of the ACM 13(4), 471-494.",
)

COUNT = objects_operation(
    name="count",
    title="Count objects",
    function=_count,
    menu="napari/layers/measure",
    parameters=(OBJECTS, CONNECTIVITY),
    gives="table",
    estimate=by_voxel(16, 5e-8),
    help="Counts the labels of a label image, or the connected pieces of a mask.",
    reference="Rosenfeld A, Pfaltz JL (1966). Sequential operations in digital picture processing. "
    "Journal of the ACM 13(4), 471-494.",
)

REMOVE_BY_SIZE = objects_operation(
    name="remove_by_size",
    title="Remove small and large objects",
    function=_remove_by_size,
    parameters=(
        size("smallest", 20.0, "Smallest", "Smaller objects are taken away; 0 sets no limit."),
        size("largest", 0.0, "Largest", "Larger objects are taken away; 0 sets no limit."),
        OBJECTS,
        CONNECTIVITY,
    ),
    estimate=by_voxel(16, 5e-8),
    term="area opening",
    help="Takes away objects whose area (2D) or volume (3D) is out of bounds. The others keep "
    "their labels.",
    reference="Vincent L (1993). Morphological area openings and closings for grey-scale images. "
    "Shape in Picture, Springer, 197-208.",
)

KEEP_LARGEST = objects_operation(
    name="keep_largest",
    title="Keep the largest objects",
    function=_keep_largest,
    parameters=(
        Parameter(
            "number",
            "int",
            1,
            "Number",
            "How many stay; of equal ones those that come first.",
            minimum=0,
            maximum=10**9,
        ),
        OBJECTS,
        CONNECTIVITY,
    ),
    estimate=by_voxel(16, 5e-8),
    help="Keeps the largest objects, with their labels, and takes all others away.",
    reference="Rosenfeld A, Pfaltz JL (1966). Sequential operations in digital picture processing. "
    "Journal of the ACM 13(4), 471-494.",
)

CLEAR_BORDER = objects_operation(
    name="clear_border",
    title="Clear the border",
    function=_clear_border,
    parameters=(
        length("distance", 0.0, "Distance", "How near to the border is too near; 0 means at it."),
        Parameter(
            "faces",
            "choice",
            "all",
            "Border",
            "In a volume, whether its first and last slice count as border.",
            choices=("all", "sides"),
            choice_labels=("All faces", "Sides of the slices only"),
        ),
        OBJECTS,
        CONNECTIVITY,
    ),
    estimate=by_voxel(16, 5e-8),
    help="Takes away objects that touch the border of the image, since they are cut off there.",
    reference="Soille P (2004). Morphological image analysis. 2nd edition, Springer, chapter 6.",
)

RELABEL = objects_operation(
    name="relabel_sequential",
    title="Number without gaps",
    function=core_call("relabel_sequential", "labels"),
    parameters=(
        Parameter(
            "start", "int", 1, "First label", "Of the first object.", minimum=1, maximum=2**30
        ),
    ),
    estimate=by_voxel(12, 2e-8),
    help="Gives the objects labels without gaps between them; their order stays.",
    reference="van der Walt S et al. (2014). scikit-image: image processing in Python. PeerJ 2, "
    "e453.",
)

SORT_LABELS = objects_operation(
    name="sort_labels",
    title="Sort objects",
    function=core_call("sort_labels", "labels"),
    parameters=(
        Parameter(
            "by",
            "choice",
            "size",
            "By",
            "What decides on the order: the number of voxels or the place of the centre.",
            choices=("size", "x", "y", "z"),
            choice_labels=("Size", "Place along x", "Place along y", "Place along z"),
        ),
        Parameter(
            "descending", "bool", False, "Largest first", "Give label 1 to the largest value."
        ),
    ),
    estimate=by_voxel(24, 3e-8),
    help="Numbers the objects 1, 2, … by their size or place.",
    reference="van der Walt S et al. (2014). scikit-image: image processing in Python. PeerJ 2, "
    "e453.",
)

JOIN_LABELS = objects_operation(
    name="join_labels",
    title="Join objects",
    function=_join_labels,
    parameters=(
        length(
            "distance",
            0.0,
            "Distance",
            "Objects whose nearest voxels' centres are no farther apart become one; those that "
            "touch always do.",
        ),
        CONNECTIVITY,
    ),
    estimate=_join_need,
    help="Gives objects that touch, or nearly touch, one label: the lowest that they had.",
    reference="Gower JC, Ross GJS (1969). Minimum spanning trees and single linkage cluster "
    "analysis. Applied Statistics 18(1), 54-64.",
    term="single linkage",
)

COMBINE = objects_operation(
    name="combine_labels",
    title="Combine two masks or label images",
    function=_combine,
    takes=("image", "other"),
    other_kind="labels",
    other_title="Second labels or mask",
    parameters=(
        Parameter(
            "how",
            "choice",
            "and",
            "Keep",
            "Parts of the first image inside or outside of the second one's objects, the objects "
            "of both, or whole objects of the first image that overlap with the second.",
            choices=("and", "or", "xor", "minus", "pairs", "overlapping", "apart"),
            choice_labels=(
                "And: the first where the second is",
                "Or: both, the first on top",
                "Xor: where only one of them is",
                "Minus: the first without the second",
                "Each pair of labels that meet",
                "Objects that overlap with the second",
                "Objects that do not overlap with it",
            ),
        ),
        Parameter(
            "renumber",
            "bool",
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
)
