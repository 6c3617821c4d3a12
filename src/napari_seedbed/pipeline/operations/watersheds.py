"""Operations that grow regions from seeds, find seeds, and cut objects apart."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.pipeline.data.tables import PointsFound
from napari_seedbed.pipeline.engine.core_calls import CoreCall
from napari_seedbed.pipeline.engine.declarations import SecondImage, Size, Starts, Values
from napari_seedbed.pipeline.engine.jobs import Job
from napari_seedbed.pipeline.engine.parameters import choice, number, output
from napari_seedbed.pipeline.operations.block_functions import BlockFunction
from napari_seedbed.pipeline.operations.costs import by_voxel, flooding
from napari_seedbed.pipeline.operations.families import region_operation
from napari_seedbed.pipeline.operations.references import BEUCHER
from napari_seedbed.pipeline.operations.shared_parameters import (
    compactness,
    length,
    size,
    smoothing,
)


def _seeds_of(job: Job, shape: tuple[int, ...]) -> NDArray[np.integer]:
    """What was marked with seeds, or with shapes: closed ones filled, others as lines."""
    if job.seeds is not None:
        return job.seeds
    found: NDArray[np.integer] = job.core.seeds_from_drawn(job.shapes, shape, job.spacing)
    return found


def _marked(job: Job) -> dict[str, Any]:
    """The parameters of a job, and what was marked."""
    seeds = _seeds_of(job, job.load().shape[-len(job.spacing) :])
    return {"seeds": seeds, **job.parameters}


def _seeded_watershed(job: Job) -> dict[str, NDArray]:
    found = CoreCall("seeded_watershed", _marked).result(job)
    return {"labels": np.maximum(found, 0)}


def _nuclei(job: Job) -> dict[str, Any]:
    return {"nuclei": job.seeds, **job.parameters}


def _cells_from_nuclei(job: Job) -> dict[str, NDArray]:
    cells = CoreCall("cells_from_nuclei", _nuclei).result(job)
    job.note(_background_in_words, cells)
    return {"labels": cells}


def _background_in_words(cells: NDArray[np.integer]) -> str:
    share = 100 * np.count_nonzero(cells == 0) / cells.size
    return f"{share:.0f} % of the image is background."


def _cell_seconds(size: Size, parameters: Values) -> float:
    is_limited = parameters["distance"] > 0 or parameters["background"] == "automatic"
    return 8e-7 if is_limited else 2.5e-7


def _peak_arguments(job: Job) -> dict[str, Any]:
    return {name: job.parameters[name] for name in ("height", "kind")}


def _h_maxima(job: Job) -> dict[str, object]:
    labels = CoreCall("h_maxima", _peak_arguments).result(job)
    outputs: dict[str, object] = {"labels": labels}
    job.note(lambda: f"{int(labels.max())} found.")
    if job.parameters["points"]:
        points, values = job.core.label_points(labels)
        heights = job.core.values_at(job.load(), points)
        outputs["points"] = PointsFound(points, {"label": values, "intensity": heights})
    return outputs


SEEDED_WATERSHED = region_operation(
    name="seeded_watershed",
    in_blocks=BlockFunction("watersheds_in_blocks", "seeded_watershed"),
    title="Seeded watershed",
    function=_seeded_watershed,
    parameters=(
        choice(
            "landscape",
            "Boundaries",
            "What holds regions back: edges, or lines that are brighter or darker than what they "
            "part.",
            {"gradient": "Edges", "bright": "Bright lines", "dark": "Dark lines"},
        ),
        smoothing(1.0),
        compactness(
            0.0,
            "How round regions become: 0 follows every edge; it counts against the landscape from "
            "0 to 1 for each voxel of distance from the seed.",
        ),
    ),
    starts=Starts(("seeds", "shapes"), labels=1),
    other=SecondImage("mask", "Only in mask", needed=False),
    estimate=flooding,
    help="Grows seeds until they meet at the image's edges: quick, each region in one piece. Mark "
    "every object, and the background with a label of its own.",
    reference=BEUCHER,
)

CELLS_FROM_NUCLEI = region_operation(
    name="cells_from_nuclei",
    title="Cells from nuclei",
    term="secondary objects",
    function=_cells_from_nuclei,
    core_names={"nuclei": "seeds", "mask": "other"},
    parameters=(
        choice(
            "stain",
            "Bright are",
            "What the image shows: cells meet on bright membranes, or where the cytoplasm is "
            "darkest.",
            {"membrane": "Membranes", "cytoplasm": "Cytoplasm"},
        ),
        smoothing(1.0),
        choice(
            "background",
            "Background",
            "Automatic: of cytoplasm, what is darker than Li's threshold; of membranes, what is "
            "farther from all nuclei than three of them are wide, up to the next membrane. A "
            "threshold takes its place.",
            {"automatic": "Automatic", "none": "None: cells fill the image"},
        ),
        length(
            "distance",
            0.0,
            "Maximum distance",
            "How far a cell reaches from its nucleus at most; 0 sets no limit.",
        ),
        number(
            "threshold",
            0.0,
            "Threshold",
            "In the image's intensities: voxels that are darker after smoothing are background; 0 "
            "leaves that to Background.",
            (0.0, 1e12),
        ),
    ),
    starts=Starts(("seeds",), labels=1),
    other=SecondImage("mask", "Only in mask", needed=False),
    channels="each",
    estimate=by_voxel(90, _cell_seconds),
    help="Grows nuclei, the seeds, to whole cells in an image of membranes or cytoplasm. Each cell "
    "has the label of its nucleus and holds all of it.",
    reference=BEUCHER,
)

FLOOD_FILL = region_operation(
    name="flood_fill",
    title="Flood fill",
    term="connected threshold region growing",
    function=CoreCall(arguments=_marked),
    parameters=(
        number(
            "tolerance",
            0.0,
            "Tolerance",
            "How far, in the image's intensities, voxels may lie below the darkest or above the "
            "brightest one that was marked.",
            (0.0, 1e12),
        ),
        choice(
            "connectivity",
            "Connectivity",
            "Whether voxels that touch only at a corner are filled, too.",
            {"faces": "Faces (4 or 6 neighbours)", "corners": "Corners too (8 or 26 neighbours)"},
            default="corners",
        ),
    ),
    starts=Starts(("seeds", "shapes"), labels=1),
    estimate=by_voxel(34, 0.5e-7, channel=(10, 0.5e-7)),
    help="Fills from each seed over voxels that are about as bright and joined to it. With several "
    "channels a voxel must be alike in all of them.",
    reference="Adams R, Bischof L (1994). Seeded region growing. IEEE Transactions on Pattern "
    "Analysis and Machine Intelligence 16(6), 641-647.",
)

H_MAXIMA = region_operation(
    name="h_maxima",
    title="H-maxima and h-minima",
    term="regional maxima by their dynamics",
    function=_h_maxima,
    parameters=(
        number(
            "height",
            10.0,
            "Height",
            "How far, in the image's intensities, a peak must rise above the way to a higher one.",
            (0.0, 1e12),
        ),
        choice(
            "kind",
            "Extrema",
            "Bright peaks or dark pits.",
            {"bright": "Bright (maxima)", "dark": "Dark (minima)"},
        ),
        output(
            "points",
            False,
            "Points",
            "Also give a point in each peak, with its label and intensity.",
        ),
    ),
    other=SecondImage("mask", "Only in mask", needed=False),
    channels="each",
    estimate=by_voxel(90, 6e-7),
    help="Labels each peak that rises far enough above its surroundings, whatever its brightness: "
    "seeds for a watershed, or spots to count.",
    reference="Grimaud M (1992). A new measure of contrast: the dynamics. Image Algebra and "
    "Morphological Image Processing III, Proceedings of SPIE 1769, 292-305.",
)

SPLIT_TOUCHING = region_operation(
    name="split_touching",
    in_blocks=BlockFunction("watersheds_in_blocks", "split_touching"),
    title="Split touching objects",
    parameters=(
        length(
            "depth",
            1.0,
            "Minimum neck depth",
            "How much narrower than its two parts, from the border to the middle, a neck must be "
            "to be cut. Raise it where objects fall to pieces.",
        ),
        length(
            "sigma",
            0.0,
            "Smoothing (sigma)",
            "Standard deviation of a Gaussian that smooths the distances to the border first. "
            "Raise it where rough borders make cuts.",
        ),
        size(
            "smallest",
            0.0,
            "Smallest size",
            "Area (2D) or volume (3D): smaller pieces are taken away, and no cut makes smaller "
            "ones.",
        ),
    ),
    image_kind="labels",
    group="Objects",
    estimate=by_voxel(100, 4e-7),
    help="Cuts objects apart where they are thin, by a watershed of the distance to their border "
    "in physical units. A mask or labels; labels are never joined.",
    reference=BEUCHER,
)

WATERSHEDS = (SEEDED_WATERSHED, CELLS_FROM_NUCLEI, FLOOD_FILL, H_MAXIMA, SPLIT_TOUCHING)
