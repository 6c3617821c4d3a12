"""The operations of the snakes panel: shapes that move until they fit the image."""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from napari_seedbed.pipeline.declarations import Need, Operation, SeriesJob, SeriesResult
from napari_seedbed.pipeline.parameters import Parameter

if TYPE_CHECKING:
    from napari_seedbed.core.snakes.snake_methods import Method

PANEL = "snakes"


def _grow(method: "type[Method]", job: SeriesJob) -> SeriesResult:
    """Run one of the methods; each of its fields is a parameter of its operation."""
    from napari_seedbed.core import grow_snakes

    parameters = job.parameters
    grown = grow_snakes(
        job.load,
        job.n_times,
        job.spatial_shape,
        method(**{field.name: parameters[field.name] for field in fields(method)}),
        shapes=job.shapes,
        seeds=job.seeds,
        extent=parameters["extent"],
        follow=parameters["follow"],
        cap=parameters.get("cap", "flat"),
        spacing=job.spacing,
        channel_axis=job.channel_axis,
        tolerance=parameters["tolerance"],
        give_shapes=parameters["shapes"],
        watch=job.context.watch,
        report=job.report,
        should_stop=job.should_stop,
    )
    shapes = {"shapes": grown.shapes} if parameters["shapes"] else {}
    return SeriesResult({"labels": grown.labels}, shapes, grown.notes)


def _elastic_contour(job: SeriesJob) -> SeriesResult:
    from napari_seedbed.core import ElasticContour

    return _grow(ElasticContour, job)


def _edge_surface(job: SeriesJob) -> SeriesResult:
    from napari_seedbed.core import EdgeSurface

    return _grow(EdgeSurface, job)


def _region_surface(job: SeriesJob) -> SeriesResult:
    from napari_seedbed.core import RegionSurface

    return _grow(RegionSurface, job)


def _contour_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    within = math.prod(shape[-2:])
    slices = shape[0] if len(shape) == 3 and parameters["extent"] == "stack" else 1
    # Contours settle after a tenth of the iterations or go on to the last: something between.
    moving = 8e-8 * parameters["points"] * parameters["max_num_iter"] * n_labels
    return Need(
        _bytes_of_labels(shape, parameters) + (40 + 20 * n_channels) * within,
        slices * (0.02 + (1e-7 * n_channels + 1e-7) * within + moving) + _painting(shape),
    )


def _surface_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    # Frames are worked on with a margin.
    room = [n + 4 * (parameters["smoothing"] + 1) for n in shape]
    frame, frames = math.prod(room[-2:]), 1
    if len(shape) == 3 and parameters["extent"] == "volume":
        frame = math.prod(room)
    elif len(shape) == 3 and parameters["extent"] == "stack":
        frames = shape[0]
    rounds = parameters["max_num_iter"]
    moving = frame * (2e-7 * n_channels + 2e-9 * rounds) + 5e-5 * rounds * n_labels
    return Need(
        _bytes_of_labels(shape, parameters) + (28 + 16 * n_channels) * frame,
        frames * moving + _painting(shape),
    )


def _bytes_of_labels(shape: tuple[int, ...], parameters: Mapping[str, Any]) -> int:
    return (8 if parameters["extent"] == "slice" else 16) * math.prod(shape)


def _painting(shape: tuple[int, ...]) -> float:
    """Seconds in which labels are made that are as large as the image."""
    return 1.2e-8 * math.prod(shape)


def _follows(parameters: Mapping[str, Any]) -> bool:
    return bool(parameters["follow"] != "off")


_EXTENTS = {
    "slice": "On its own slice",
    "stack": "Slice by slice",
    "volume": "Surface in 3D",
}
_FOLLOW = Parameter(
    "follow",
    "choice",
    "off",
    "Through time",
    "Whether the result at a time point is where the next one begins, so that a moving object is "
    "followed until it is lost.",
    choices=("off", "forwards", "backwards", "both"),
    choice_labels=("Only where drawn", "Forwards", "Backwards", "Both ways"),
)


def smoothing(voxels: float) -> Parameter:
    return Parameter(
        "sigma",
        "float",
        voxels,
        "Smoothing (sigma)",
        "Width of the Gaussian that the image is smoothed with first. Wider reaches edges from "
        "farther away and ignores noise; narrower follows finer detail.",
        minimum=0.0,
        maximum=1e9,
        unit="physical",
        in_voxels=True,
    )


def _extent(*names: str) -> Parameter:
    return Parameter(
        "extent",
        "choice",
        names[0],
        "In a volume",
        "Whether shapes move on the slices that they were drawn on, or go on from there slice by "
        "slice to where the object ends"
        + (", or become a surface that moves in 3D." if "volume" in names else "."),
        choices=names,
        choice_labels=tuple(_EXTENTS[name] for name in names),
    )


def _iterations(most: int) -> Parameter:
    return Parameter(
        "max_num_iter",
        "int",
        most,
        "Most iterations",
        "It stops after so many iterations even if something still moves.",
        minimum=1,
        maximum=1_000_000,
        advanced=True,
    )


def _results(*, shapes: bool) -> tuple[Parameter, ...]:
    return (
        Parameter(
            "tolerance",
            "float",
            0.5,
            "Simplify shapes",
            "Points of the resulting shapes are left out where the outline moves by no more than "
            "this without them. Labels are not affected.",
            minimum=0.0,
            maximum=1e9,
            unit="physical",
            in_voxels=True,
            advanced=True,
        ),
        Parameter(
            "shapes",
            "bool",
            shapes,
            "Also give shapes",
            "Give outlines beside the labels, on every slice.",
            advanced=True,
        ),
    )


_SMOOTHNESS = Parameter(
    "smoothing",
    "int",
    2,
    "Smoothness",
    "How often the border is smoothed in each iteration. More gives rounder objects, 0 follows "
    "every voxel.",
    minimum=0,
    maximum=20,
)
STEEPNESS = Parameter(
    "steepness",
    "float",
    1000.0,
    "Steepness of the edge map",
    "How quickly the map of where surfaces stop falls from 1 on flat ground to 0 on edges (alpha "
    "of the inverse Gaussian gradient).",
    minimum=1e-6,
    maximum=1e9,
    advanced=True,
    logarithmic=True,
)
_CAP = Parameter(
    "cap",
    "choice",
    "flat",
    "Beyond the outer slices",
    "For a surface in 3D: whether it begins flat on the first and last slice that were drawn, or "
    "with round ends beyond them. One slice alone always begins round, as a ball.",
    choices=("flat", "round"),
    choice_labels=("Flat", "Round"),
    advanced=True,
)


def _snake(**own: Any) -> Operation:
    """An operation with what is the same for all snakes."""
    return Operation(
        **own,
        menu="napari/layers/segment",
        group="Segmentation",
        takes=("image",),
        one_of=("shapes", "seeds"),
        seed_labels=1,
        gives="labels",
        extra_outputs=("shapes",),
        ndim=(2, 3),
        channels="joint",
        series=True,
        follows=_follows,
        panel=PANEL,
    )


ELASTIC_CONTOUR = _snake(
    name="elastic_contour",
    title="Elastic contour",
    function=_elastic_contour,
    parameters=(
        smoothing(1.0),
        Parameter(
            "alpha",
            "float",
            0.1,
            "Tension (alpha)",
            "How strongly the line pulls itself together, like a rubber band. Raise it to shrink "
            "onto an object from far outside, lower it when the line slips off the edge.",
            minimum=0.0,
            maximum=1e9,
            logarithmic=True,
        ),
        Parameter(
            "beta",
            "float",
            0.5,
            "Stiffness (beta)",
            "How strongly the line resists bending. Raise it for smooth outlines, lower it to "
            "follow corners and bays.",
            minimum=0.0,
            maximum=1e9,
            logarithmic=True,
        ),
        Parameter(
            "attracted_by",
            "choice",
            "edges",
            "Attracted by",
            "Edges for outlines of objects (w_edge); bright or dark lines for membranes and "
            "filaments that a path is drawn along (w_line).",
            choices=("edges", "bright", "dark"),
            choice_labels=("Edges", "Bright lines", "Dark lines"),
        ),
        Parameter(
            "pull",
            "float",
            1.0,
            "Pull",
            "How strongly the image attracts the line, against tension and stiffness.",
            minimum=0.0,
            maximum=1e6,
        ),
        Parameter(
            "balloon",
            "float",
            0.0,
            "Balloon",
            "Force that swells closed outlines, or shrinks them if negative; begin with 0.1.",
            minimum=-1e6,
            maximum=1e6,
            advanced=True,
        ),
        _extent("slice", "stack"),
        _FOLLOW,
        Parameter(
            "ends",
            "choice",
            "fixed",
            "Ends of open paths",
            "Whether the first and the last point of an open path stay where they were drawn.",
            choices=("fixed", "free", "fixed-free", "free-fixed"),
            choice_labels=(
                "Both fixed",
                "Both free",
                "Only the first fixed",
                "Only the last fixed",
            ),
            advanced=True,
        ),
        Parameter(
            "points",
            "int",
            200,
            "Points of each line",
            "Points that each line has at the start, whatever its size, so that tension does not "
            "depend on the size; lines longer than four voxels a point get more.",
            minimum=8,
            maximum=100_000,
            advanced=True,
        ),
        Parameter(
            "gamma",
            "float",
            0.2,
            "Inertia (gamma)",
            "Larger makes smaller, steadier steps.",
            minimum=1e-9,
            maximum=1e9,
            advanced=True,
            logarithmic=True,
        ),
        Parameter(
            "max_px_move",
            "float",
            1.0,
            "Largest step",
            "No point moves farther than this in one iteration, in voxels.",
            minimum=1e-6,
            maximum=1e6,
            advanced=True,
        ),
        Parameter(
            "convergence",
            "float",
            0.001,
            "Settled below",
            "A line has settled when its points move less than this in an iteration, in voxels, or "
            "when it stays in place as a whole.",
            minimum=0.0,
            maximum=1e6,
            advanced=True,
            logarithmic=True,
        ),
        _iterations(2000),
        *_results(shapes=True),
    ),
    term="active contour, snake",
    estimate=_contour_need,
    help="A drawn outline or path that contracts like a rubber band until it lies on the edges or "
    "bright lines of the image. For single objects with a clear outline, "
    "membranes and filaments.",
    reference="Kass M, Witkin A, Terzopoulos D (1988). Snakes: active contour models. "
    "International Journal of Computer Vision 1(4), 321-331.",
)

EDGE_SURFACE = _snake(
    name="edge_surface",
    title="Edge-seeking surface",
    function=_edge_surface,
    parameters=(
        smoothing(1.5),
        Parameter(
            "balloon",
            "float",
            0.0,
            "Balloon",
            "0 lets shapes slide onto edges close by; positive grows them until they meet edges, "
            "negative shrinks them, from farther away.",
            minimum=-100.0,
            maximum=100.0,
        ),
        Parameter(
            "edge_share",
            "float",
            0.4,
            "Share of edges (threshold)",
            "Share of the image that counts as edge and stops the balloon. Raise it when the "
            "border leaks through faint edges, lower it when it stops too early.",
            minimum=0.0,
            maximum=1.0,
        ),
        _SMOOTHNESS,
        _extent("slice", "stack", "volume"),
        _FOLLOW,
        _CAP,
        STEEPNESS,
        _iterations(100),
        *_results(shapes=False),
    ),
    term="geodesic active contour",
    estimate=_surface_need,
    help="Shapes whose border slides onto edges, or swells or shrinks until it meets some, many at "
    "once and none into another. For objects with clear "
    "edges close to what was drawn, or with a balloon farther away.",
    reference="Marquez-Neila P, Baumela L, Alvarez L (2014). A morphological approach to "
    "curvature-based evolution of curves and surfaces. IEEE Transactions on Pattern Analysis and "
    "Machine Intelligence 36(1), 2-17.",
)

REGION_SURFACE = _snake(
    name="region_surface",
    title="Region-seeking surface",
    function=_region_surface,
    parameters=(
        smoothing(1.5),
        Parameter(
            "lambda1",
            "float",
            1.0,
            "Evenness inside (lambda1)",
            "How much it counts that an object has even brightness. Raise it to keep objects "
            "tight, lower it to let them take in what is less alike.",
            minimum=0.0,
            maximum=1e6,
        ),
        Parameter(
            "lambda2",
            "float",
            1.0,
            "Evenness outside (lambda2)",
            "How much it counts that what is outside has even brightness. Raise it to let objects "
            "take in more.",
            minimum=0.0,
            maximum=1e6,
        ),
        Parameter(
            "outer",
            "choice",
            "near",
            "Compared with",
            "Whether an object is compared with what lies around it, which copes with uneven "
            "ground and other bright objects, or with all that is free.",
            choices=("near", "all"),
            choice_labels=("Surroundings", "All that is free"),
        ),
        _SMOOTHNESS,
        _extent("slice", "stack", "volume"),
        _FOLLOW,
        _CAP,
        _iterations(100),
        *_results(shapes=False),
    ),
    term="Chan-Vese, active contour without edges",
    estimate=_surface_need,
    help="Shapes that take in what is as bright as they are and give up what is not, many at once "
    "and none into another. For objects "
    "that differ from the ground in brightness or colour, also where edges are faint.",
    reference="Chan T, Vese L (2001). Active contours without edges. IEEE Transactions on Image "
    "Processing 10(2), 266-277.",
)
