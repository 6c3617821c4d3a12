"""Operations that grow regions from seeds, find seeds, and cut objects apart."""

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.core_calls import core_call
from napari_seedbed.pipeline.declarations import Job
from napari_seedbed.pipeline.filter_operations import by_voxel, length
from napari_seedbed.pipeline.parameters import Parameter
from napari_seedbed.pipeline.region_operations import by_value, compactness, regions, smoothing
from napari_seedbed.pipeline.tables import PointsFound


def _seeds_of(job: Job, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """What was marked with seeds, or with shapes: closed ones filled, others as lines."""
    from napari_seedbed.core import seeds_from_shapes

    if job.seeds is not None:
        return job.seeds.astype(np.int32, copy=False)
    kinds = [("polygon" if one.closed else "path", one.points) for one in job.shapes]
    return seeds_from_shapes(kinds, [one.label for one in job.shapes], shape, job.spacing)


def _marked(job: Job) -> tuple[NDArray, NDArray[np.int32]]:
    image = job.load()
    shape = image.shape if job.channel_axis is None else image.shape[1:]
    seeds = _seeds_of(job, shape)
    if not (seeds > 0).any():
        raise InputError("seeds: there are none; mark at least one label.")
    return image, seeds


def _seeded_watershed(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import seeded_watershed

    image, seeds = _marked(job)
    found = seeded_watershed(
        image,
        seeds,
        **job.parameters,
        spacing=job.spacing,
        channel_axis=job.channel_axis,
        mask=job.other(),
        should_stop=job.should_stop,
    )
    return {"labels": np.maximum(found, 0)}


def _flood_fill(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import flood_fill

    image, seeds = _marked(job)
    found = flood_fill(
        image,
        seeds,
        **job.parameters,
        channel_axis=job.channel_axis,
        should_stop=job.should_stop,
    )
    return {"labels": found}


def _h_maxima(job: Job) -> dict[str, object]:
    from napari_seedbed.core import h_maxima, label_points

    image = job.load()
    labels = h_maxima(
        image,
        job.parameters["height"],
        job.parameters["kind"],
        mask=job.other(),
        should_stop=job.should_stop,
    )
    outputs: dict[str, object] = {"labels": labels}
    job.notes.append(f"{int(labels.max())} found.")
    if job.parameters["points"]:
        points, values = label_points(labels)
        heights = image[tuple(points.astype(int).T)].astype(np.float64)
        outputs["points"] = PointsFound(points, {"label": values, "intensity": heights})
    return outputs


SEEDED_WATERSHED = regions(
    name="seeded_watershed",
    title="Watershed from seeds",
    function=_seeded_watershed,
    parameters=(
        Parameter(
            "landscape",
            "choice",
            "gradient",
            "Borders are",
            "What holds regions back: edges, or lines that are brighter or darker than what they "
            "part.",
            choices=("gradient", "bright", "dark"),
            choice_labels=("Edges", "Bright lines", "Dark lines"),
        ),
        smoothing(1.0),
        compactness(
            0.0,
            "How round regions become: 0 follows every edge; it counts against the landscape from "
            "0 to 1 for each voxel of distance from the seed.",
        ),
    ),
    one_of=("seeds", "shapes"),
    optional=("other",),
    other_kind="mask",
    other_title="Only in mask",
    seed_labels=1,
    estimate=by_value(90, 16, 1.0e-6),
    help="Grows seeds until they meet at the image's edges: quick, each region in one piece. Mark "
    "every object, and the background with a label of its own.",
    reference="Beucher S, Meyer F (1993). The morphological approach to segmentation: the "
    "watershed transformation. In: Mathematical Morphology in Image Processing, 433-481.",
)

FLOOD_FILL = regions(
    name="flood_fill",
    title="Flood fill",
    term="connected threshold region growing",
    function=_flood_fill,
    parameters=(
        Parameter(
            "tolerance",
            "float",
            0.0,
            "Tolerance",
            "How far, in the image's intensities, voxels may lie below the darkest or above the "
            "brightest one that was marked.",
            minimum=0.0,
            maximum=1e12,
        ),
        Parameter(
            "connectivity",
            "choice",
            "corners",
            "Spreads over",
            "Whether voxels that touch only at a corner are filled, too.",
            choices=("faces", "corners"),
            choice_labels=("Faces", "Faces and corners"),
        ),
    ),
    one_of=("seeds", "shapes"),
    seed_labels=1,
    estimate=by_value(34, 10, 1e-7),
    help="Fills from each seed over voxels that are about as bright and joined to it. With several "
    "channels a voxel must be alike in all of them.",
    reference="Adams R, Bischof L (1994). Seeded region growing. IEEE Transactions on Pattern "
    "Analysis and Machine Intelligence 16(6), 641-647.",
)

H_MAXIMA = regions(
    name="h_maxima",
    title="Peaks as seeds (h-maxima)",
    term="regional maxima by their dynamics",
    function=_h_maxima,
    parameters=(
        Parameter(
            "height",
            "float",
            10.0,
            "Height",
            "How far, in the image's intensities, a peak must rise above the way to a higher one.",
            minimum=0.0,
            maximum=1e12,
        ),
        Parameter(
            "kind",
            "choice",
            "bright",
            "Look for",
            "Bright peaks or dark pits.",
            choices=("bright", "dark"),
            choice_labels=("Bright peaks", "Dark pits"),
        ),
        Parameter(
            "points",
            "bool",
            False,
            "Points",
            "Also give a point in each peak, with its label and intensity.",
        ),
    ),
    optional=("other",),
    other_kind="mask",
    other_title="Only in mask",
    channels="each",
    extra_outputs=("points",),
    estimate=by_voxel(90, 6e-7),
    help="Labels each peak that rises far enough above its surroundings, whatever its brightness: "
    "seeds for a watershed, or spots to count.",
    reference="Grimaud M (1992). A new measure of contrast: the dynamics. Image Algebra and "
    "Morphological Image Processing III, Proceedings of SPIE 1769, 292-305.",
)

SPLIT_TOUCHING = regions(
    name="split_touching",
    title="Split touching objects",
    function=core_call("split_touching", "labels"),
    parameters=(
        length(
            "depth",
            1.0,
            "Depth of necks",
            "How much narrower than its two parts, from the border to the middle, a neck must be "
            "to be cut. Raise it where objects fall to pieces.",
        ),
    ),
    image_kind="labels",
    group="Objects",
    estimate=by_voxel(110, 8e-7),
    help="Cuts objects apart where they are thin, by a watershed of the distance to their border "
    "in physical units. A mask or labels; labels are never joined.",
    reference="Beucher S, Meyer F (1993). The morphological approach to segmentation: the "
    "watershed transformation. In: Mathematical Morphology in Image Processing, 433-481.",
)

WATERSHEDS = (SEEDED_WATERSHED, FLOOD_FILL, H_MAXIMA, SPLIT_TOUCHING)
