"""The operations of the snakes panel: shapes that move until they fit the image."""

import math
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING

from napari_seedbed.pipeline.engine.declarations import (
    Need,
    Operation,
    Size,
    Starts,
    Values,
)
from napari_seedbed.pipeline.engine.parameters import (
    Parameter,
    choice,
    number,
    output,
    whole_number,
)
from napari_seedbed.pipeline.engine.series_jobs import SeriesJob, SeriesResult
from napari_seedbed.pipeline.operations.block_functions import BlockFunction
from napari_seedbed.pipeline.operations.shared_parameters import length

if TYPE_CHECKING:
    from napari_seedbed.core.snakes.snake_methods import Method

PANEL = "snakes"


def _grow(method_name: str, job: SeriesJob) -> SeriesResult:
    """Run one of the methods of core; each of its fields is a parameter of its operation."""
    from napari_seedbed import core

    parameters = job.parameters
    method: type[Method] = getattr(core, method_name)
    named = {field.name: parameters[field.name] for field in fields(method)}
    grown = job.core.grow_snakes(
        job.load,
        job.n_times,
        job.spatial_shape,
        getattr(job.core, method_name)(**named),
        shapes=job.shapes,
        seeds=job.seeds,
        extent=parameters["extent"],
        follow=parameters["follow"],
        cap=parameters.get("cap", "image"),
        spacing=job.spacing,
        channel_axis=job.channel_axis,
        tolerance=parameters["tolerance"],
        give_shapes=parameters["shapes"],
        watch=job.context.watch,
    )
    shapes = {"shapes": grown.shapes} if parameters["shapes"] else {}
    return SeriesResult({"labels": grown.labels}, shapes, grown.notes)


def _contour_need(size: Size, parameters: Values) -> Need:
    slices = size.voxels // size.pixels if parameters["extent"] == "stack" else 1
    # Contours settle after a tenth of the iterations or go on to the last: something between.
    moving = 8e-8 * parameters["points"] * parameters["max_num_iter"] * size.n_labels
    moving += 0.02 + (1e-7 * size.n_channels + 1e-7) * size.pixels
    return _with_labels(
        size, parameters, (40 + 20 * size.n_channels) * size.pixels, slices * moving
    )


def _surface_need(size: Size, parameters: Values) -> Need:
    # Frames are worked on with a margin.
    room = [n + 4 * (parameters["smoothing"] + 1) for n in size.shape]
    frame, frames, between = math.prod(room[-2:]), 1, 0
    if len(size.shape) == 3 and parameters["extent"] == "volume":
        frame = math.prod(room)
    elif len(size.shape) == 3 and parameters["extent"] == "stack":
        frames = size.shape[0]
        # Where objects are likely to be on the slices that they were not drawn on.
        between = 4 * size.voxels
    rounds = parameters["max_num_iter"]
    moving = frame * (2e-7 * size.n_channels + 2e-9 * rounds) + 5e-5 * rounds * size.n_labels
    n_bytes = (28 + 16 * size.n_channels) * frame + between
    return _with_labels(size, parameters, n_bytes, frames * moving)


def _with_labels(size: Size, parameters: Values, n_bytes: int, seconds: float) -> Need:
    """What is foretold and, beside, what labels as large as the image take."""
    each = 8 if parameters["extent"] == "slice" else 16
    return Need(each * size.voxels + n_bytes, seconds + 1.2e-8 * size.voxels)


_EXTENTS = {
    "volume": "Surface in 3D",
    "stack": "Slice by slice",
    "slice": "On its own slice",
}
_FOLLOW = choice(
    "follow",
    "Tracking through time",
    "Whether the result at a time point is where the next one begins, so that a moving object is "
    "followed until it is lost.",
    {
        "off": "Only where drawn",
        "forwards": "Forwards",
        "backwards": "Backwards",
        "both": "Both ways",
    },
)


def smoothing(voxels: float) -> Parameter:
    return length(
        "sigma",
        voxels,
        "Smoothing (sigma)",
        "Width of the Gaussian that the image is smoothed with first. Wider reaches edges from "
        "farther away and ignores noise; narrower follows finer detail.",
    )


def _extent(*names: str) -> Parameter:
    surface = "become a surface that moves in 3D, or " if "volume" in names else ""
    return choice(
        "extent",
        "In a volume",
        f"Whether shapes {surface}go on slice by slice from where they were drawn to where the "
        "object ends, or stay on their own slices.",
        {name: _EXTENTS[name] for name in names},
    )


def _iterations(most: int) -> Parameter:
    return whole_number(
        "max_num_iter",
        most,
        "Maximum iterations",
        "It stops after this many iterations even if something still moves.",
        (1, 1_000_000),
        advanced=True,
    )


def _results(*, shapes: bool) -> tuple[Parameter, ...]:
    return (
        length(
            "tolerance",
            0.5,
            "Simplification tolerance",
            "Points of the resulting shapes are left out where the outline moves by no more than "
            "this without them. Labels are not affected.",
            advanced=True,
        ),
        output(
            "shapes",
            shapes,
            "Also give shapes",
            "Give outlines beside the labels, on every slice.",
            advanced=True,
        ),
    )


_SMOOTHNESS = whole_number(
    "smoothing",
    2,
    "Smoothing iterations",
    "How often the contour is smoothed in each iteration. More gives rounder objects, 0 follows "
    "every voxel.",
    (0, 20),
)
STEEPNESS = number(
    "steepness",
    1000.0,
    "Edge steepness (alpha)",
    "How quickly the stopping function falls from 1 on flat background to 0 on edges (alpha of the "
    "inverse Gaussian gradient).",
    (1e-6, 1e9),
    advanced=True,
)
_CAP = choice(
    "cap",
    "Ends of the surface",
    "For a surface in 3D: whether it begins as far beyond the first and last slice that were drawn "
    "as the image shows it, flat on them, or with round ends beyond them. One slice alone begins "
    "as a ball where the image does not decide.",
    {"image": "As the image shows", "flat": "Flat", "round": "Round"},
    advanced=True,
)


_snake = partial(
    Operation,
    menu="napari/layers/segment",
    group="Segmentation",
    starts=Starts(("shapes", "seeds"), labels=1),
    gives="labels",
    channels="joint",
    scope="series",
    panel=PANEL,
)

ELASTIC_CONTOUR = _snake(
    name="elastic_contour",
    title="Active contour (snake)",
    function=partial(_grow, "ElasticContour"),
    parameters=(
        smoothing(1.0),
        number(
            "alpha",
            0.1,
            "Tension (alpha)",
            "How strongly the line pulls itself together, like a rubber band. Raise it to shrink "
            "onto an object from far outside, lower it when the line slips off the edge.",
            (0.0, 1e9),
        ),
        number(
            "beta",
            0.5,
            "Stiffness (beta)",
            "How strongly the line resists bending. Raise it for smooth outlines, lower it to "
            "follow corners and bays.",
            (0.0, 1e9),
        ),
        choice(
            "attracted_by",
            "Attracted by",
            "Edges for outlines of objects (w_edge); bright or dark lines for membranes and "
            "filaments that a path is drawn along (w_line).",
            {"edges": "Edges", "bright": "Bright lines", "dark": "Dark lines"},
        ),
        number(
            "pull",
            1.0,
            "Image force",
            "How strongly edges or lines of the image attract the contour, against tension and "
            "stiffness.",
            (0.0, 1e6),
        ),
        number(
            "balloon",
            0.0,
            "Balloon force",
            "Force that swells closed outlines, or shrinks them if negative; begin with 0.1.",
            (-1e6, 1e6),
            advanced=True,
        ),
        _extent("slice", "stack"),
        _FOLLOW,
        choice(
            "ends",
            "Ends of open paths",
            "Whether the first and the last point of an open path stay where they were drawn.",
            {
                "fixed": "Both fixed",
                "free": "Both free",
                "fixed-free": "Only the first fixed",
                "free-fixed": "Only the last fixed",
            },
            advanced=True,
        ),
        whole_number(
            "points",
            200,
            "Points per contour",
            "Points that each contour has at the start, whatever its size, so that tension does "
            "not depend on the size; contours longer than four voxels a point get more.",
            (8, 100_000),
            advanced=True,
        ),
        number(
            "gamma",
            0.2,
            "Inertia (gamma)",
            "Larger makes smaller, steadier steps.",
            (1e-9, 1e9),
            advanced=True,
        ),
        number(
            "max_px_move",
            1.0,
            "Maximum step",
            "No point moves farther than this in one iteration, in voxels.",
            (1e-6, 1e6),
            advanced=True,
        ),
        number(
            "convergence",
            0.001,
            "Convergence tolerance",
            "A contour has converged when its points move less than this in an iteration, in "
            "voxels, or when it stays in place as a whole.",
            (0.0, 1e6),
            advanced=True,
        ),
        _iterations(2000),
        *_results(shapes=True),
    ),
    term="parametric deformable model",
    estimate=_contour_need,
    help="A drawn outline or path that contracts like a rubber band until it lies on the edges or "
    "bright lines of the image. For single objects with a clear outline, "
    "membranes and filaments.",
    reference="Kass M, Witkin A, Terzopoulos D (1988). Snakes: active contour models. "
    "International Journal of Computer Vision 1(4), 321-331.",
)

EDGE_SURFACE = _snake(
    name="edge_surface",
    title="Geodesic active contour",
    function=partial(_grow, "EdgeSurface"),
    in_blocks=BlockFunction("snakes_in_blocks", "edge_surface"),
    parameters=(
        smoothing(1.5),
        number(
            "balloon",
            0.0,
            "Balloon force",
            "0 lets shapes slide onto edges close by; positive grows them until they meet edges, "
            "negative shrinks them, from farther away.",
            (-100.0, 100.0),
        ),
        number(
            "edge_share",
            0.4,
            "Edge threshold (share)",
            "Share of the image that counts as edge and stops the balloon. Raise it when the "
            "border leaks through faint edges, lower it when it stops too early.",
            (0.0, 1.0),
        ),
        _SMOOTHNESS,
        _extent("volume", "stack", "slice"),
        _FOLLOW,
        _CAP,
        STEEPNESS,
        _iterations(100),
        *_results(shapes=False),
    ),
    term="morphological level set",
    estimate=_surface_need,
    help="Shapes whose border slides onto edges, or swells or shrinks until it meets some, many at "
    "once and none into another. For objects with clear edges close to what was drawn, or with a "
    "balloon force farther away.",
    reference="Marquez-Neila P, Baumela L, Alvarez L (2014). A morphological approach to "
    "curvature-based evolution of curves and surfaces. IEEE Transactions on Pattern Analysis and "
    "Machine Intelligence 36(1), 2-17.",
)

REGION_SURFACE = _snake(
    name="region_surface",
    title="Chan-Vese (morphological)",
    function=partial(_grow, "RegionSurface"),
    in_blocks=BlockFunction("snakes_in_blocks", "region_surface"),
    parameters=(
        smoothing(1.5),
        number(
            "lambda1",
            1.0,
            "Inside weight (lambda1)",
            "Weight of the differences of brightness within an object. Raise it to keep objects "
            "tight, lower it to let them take in what is less alike.",
            (0.0, 1e6),
        ),
        number(
            "lambda2",
            1.0,
            "Outside weight (lambda2)",
            "Weight of the differences of brightness outside. Raise it to let objects take in "
            "more.",
            (0.0, 1e6),
        ),
        choice(
            "outer",
            "Outside region",
            "Whether an object is compared with what lies around it, which copes with uneven "
            "background and other bright objects, or with all of the background.",
            {"near": "Surroundings", "all": "All of the background"},
        ),
        _SMOOTHNESS,
        _extent("volume", "stack", "slice"),
        _FOLLOW,
        _CAP,
        _iterations(100),
        *_results(shapes=False),
    ),
    term="active contour without edges (ACWE)",
    estimate=_surface_need,
    help="Shapes that take in what is as bright as they are and give up what is not, many at once "
    "and none into another. For objects that differ from the background in brightness or colour, "
    "also where edges are faint.",
    reference="Chan T, Vese L (2001). Active contours without edges. IEEE Transactions on Image "
    "Processing 10(2), 266-277.",
)
