"""Operations that find blobs, maxima, circles, ellipses and lines."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from napari_seedbed.pipeline.data.tables import PointsFound
from napari_seedbed.pipeline.engine.core_calls import CoreCall
from napari_seedbed.pipeline.engine.declarations import (
    Estimate,
    Need,
    Operation,
    Size,
    Values,
)
from napari_seedbed.pipeline.engine.jobs import Job
from napari_seedbed.pipeline.engine.parameters import (
    Parameter,
    choice,
    number,
    output,
    switch,
    whole_number,
)
from napari_seedbed.pipeline.operations.block_functions import BlockFunction
from napari_seedbed.pipeline.operations.costs import by_voxel, window_rows
from napari_seedbed.pipeline.operations.families import object_operation
from napari_seedbed.pipeline.operations.object_words import in_words
from napari_seedbed.pipeline.operations.references import SCIKIT_IMAGE
from napari_seedbed.pipeline.operations.shared_parameters import length

_DARK = switch("dark", False, "Dark objects", "Find what is darker than around it.")


def _threshold(kind_help: str, help: str) -> tuple[Parameter, Parameter]:
    return (
        choice(
            "threshold_kind",
            "Threshold type",
            kind_help,
            {"share": "Relative (0 to 1)", "intensity": "Absolute (intensity)"},
            advanced=True,
        ),
        number("threshold", 0.2, "Threshold", help, (0.0, 1e15)),
    )


def _found(name: str, noun: str) -> Callable[[Job], dict[str, PointsFound]]:
    def function(job: Job) -> dict[str, PointsFound]:
        points, columns = CoreCall(name).result(job)
        job.note(lambda: in_words(len(points), noun))
        return {"points": PointsFound(points, columns)}

    return function


def _fit(kind: Literal["circle", "ellipse", "line"]) -> Callable[[Job], dict[str, Any]]:
    def function(job: Job) -> dict[str, Any]:
        parameters = {name: value for name, value in job.parameters.items() if name != "table"}
        fits = job.core.fit_models(job.load(), kind, job.spacing, **parameters)
        job.note(lambda: in_words(len(fits.shapes), kind))
        outputs: dict[str, Any] = {"shapes": fits.shapes}
        if job.parameters["table"]:
            outputs["table"] = fits.table
        return outputs

    return function


def _blobs_seconds(size: Size, parameters: Values) -> float:
    ratio = max(parameters["largest"], 1e-9) / max(parameters["smallest"], 1e-9)
    return 8e-8 * min(1 + 4 * max(0.0, math.log2(ratio)), 10)


def _maxima_seconds(size: Size, parameters: Values) -> float:
    return 1e-7 + 2e-9 * window_rows(size, parameters, "distance")


def _fits_need(seconds_a_trial: float) -> Estimate:
    def estimate(size: Size, parameters: Values) -> Need:
        models = max(1, parameters["number"]) * (size.voxels // size.pixels)
        trials = seconds_a_trial * models * parameters["max_trials"]
        return Need(16 * size.voxels + 50_000_000, 2e-8 * size.voxels + trials)

    return estimate


_points = partial(Operation, menu="napari/layers/segment", group="Objects", gives="points")

FIND_BLOBS = _points(
    name="find_blobs",
    title="Blob detection (LoG, DoG, DoH)",
    function=_found("find_blobs", "blob"),
    parameters=(
        length("smallest", 2.0, "Minimum radius", "Smaller blobs are not looked for."),
        length("largest", 10.0, "Maximum radius", "Larger blobs are not looked for."),
        *_threshold(
            "A share of the strongest blob's strength, or an intensity.",
            "How strong a blob must be, as a share of the strongest one or in the image's "
            "intensities, of which it answers with about a half to nine tenths.",
        ),
        choice(
            "method",
            "Method",
            "The Laplacian is the most exact; the determinant, for 2D only, answers less to long "
            "things.",
            {
                "log": "Laplacian of Gaussian",
                "dog": "Difference of Gaussians",
                "doh": "Determinant of the Hessian (2D)",
            },
        ),
        _DARK,
        number(
            "overlap",
            0.5,
            "Overlap",
            "Of two blobs that share more than this part of the smaller one, the stronger stays.",
            (0.0, 1.0),
            advanced=True,
        ),
    ),
    estimate=by_voxel(40, _blobs_seconds),
    term="spot detection",
    help="Finds round bright or dark things of many sizes, in 2D and 3D: points with radius and "
    "strength.",
    reference="Lindeberg T (1998). Feature detection with automatic scale selection. International "
    "Journal of Computer Vision 30(2), 79-116.",
)

LOCAL_MAXIMA = _points(
    name="local_maxima",
    in_blocks=BlockFunction("regions_in_blocks", "local_maxima"),
    title="Local maxima",
    function=_found("local_maxima", "point"),
    parameters=(
        length(
            "distance",
            3.0,
            "Minimum distance",
            "Of maxima that are no farther apart than this only the brightest stays.",
        ),
        *_threshold(
            "A share of the range from the darkest to the brightest voxel, or an intensity.",
            "How bright a maximum must be: more than this.",
        ),
        _DARK,
        length("border", 0.0, "Exclude border", "What is nearer to the border is left out."),
    ),
    estimate=by_voxel(24, _maxima_seconds),
    help="Finds the voxels that are brighter than all around them. Smooth a noisy image first.",
    reference=SCIKIT_IMAGE,
    term="peak detection",
)

_RANSAC = (
    "Fischler MA, Bolles RC (1981). Random sample consensus: a paradigm for model fitting with "
    "applications to image analysis and automated cartography. Communications of the ACM 24(6), "
    "381-395."
)
_FILLED = switch(
    "use_outlines",
    False,
    "Objects are filled",
    "Take the outlines of filled objects, instead of edges that are thin already.",
)
_EACH = switch("per_label", False, "Each label separately", "Look at each label's points alone.")
_COVERAGE = number(
    "min_coverage",
    0.2,
    "Minimum coverage",
    "Share of the outline, from 0 to 1, that must have edge points along it.",
    (0.0, 1.0),
)


def _fit_parameters(bounds: str, own: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    return (
        whole_number(
            "number",
            1,
            "Number",
            "How many are looked for, one after another, in each slice.",
            (1, 1000),
        ),
        length(
            "tolerance",
            1.5,
            "Residual threshold",
            "How far edge points may lie from what is fitted to them.",
        ),
        length("smallest", 0.0, f"Minimum {bounds}", "0 sets no limit."),
        length("largest", 0.0, f"Maximum {bounds}", "0 sets no limit."),
        *own,
        _FILLED,
        _EACH,
        output("table", True, "Table", "Also give a table of what was fitted."),
        whole_number(
            "min_inliers",
            10,
            "Minimum inliers",
            "How many edge points must lie near.",
            (2, 10**9),
            advanced=True,
        ),
        whole_number(
            "max_trials",
            5000,
            "Maximum trials",
            "How many random samples are tried at most; more find what is hidden in clutter.",
            (1, 10**7),
            advanced=True,
        ),
        whole_number(
            "seed",
            0,
            "Random seed",
            "Of the random samples: the same seed gives the same result.",
            (0, 2**31 - 1),
            advanced=True,
        ),
    )


_fits = partial(
    object_operation,
    gives="shapes",
    term="RANSAC",
    reference=_RANSAC,
    core_names={"edges": "image"},
)

FIT_CIRCLE = _fits(
    name="fit_circle",
    title="Fit circles to edges",
    function=_fit("circle"),
    parameters=_fit_parameters("radius", (_COVERAGE,)),
    estimate=_fits_need(2e-4),
    help="Finds circles that many edge points lie on, among others that do not: outlines, and a "
    "table with area, radius, points and residuals. Volumes are searched slice by slice.",
)

FIT_ELLIPSE = _fits(
    name="fit_ellipse",
    title="Fit ellipses to edges",
    function=_fit("ellipse"),
    parameters=_fit_parameters("semi-axis", (_COVERAGE,)),
    estimate=_fits_need(4e-4),
    help="Finds ellipses that many edge points lie on, among others that do not: outlines, and a "
    "table with area, axes, points and residuals. Volumes are searched slice by slice.",
)

FIT_LINE = _fits(
    name="fit_line",
    title="Fit lines to edges",
    function=_fit("line"),
    parameters=_fit_parameters("length", ()),
    estimate=_fits_need(1e-4),
    help="Finds straight lines that many edge points lie on, among others that do not: paths from "
    "the first to the last point, and a table with length, angle, points and residuals. Volumes "
    "are searched slice by slice.",
)

DETECTIONS = (FIND_BLOBS, LOCAL_MAXIMA, FIT_CIRCLE, FIT_ELLIPSE, FIT_LINE)
