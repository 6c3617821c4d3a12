"""Operations that find blobs, maxima, circles, ellipses and lines."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from napari_seedbed.pipeline.declarations import Estimate, Job, Need, Operation
from napari_seedbed.pipeline.filter_operations import length
from napari_seedbed.pipeline.object_operations import in_words
from napari_seedbed.pipeline.parameters import Parameter
from napari_seedbed.pipeline.tables import PointsFound

_DARK = Parameter("dark", "bool", False, "Dark on bright", "Find what is darker than around it.")


def _threshold(kind_help: str, help: str) -> tuple[Parameter, Parameter]:
    return (
        Parameter(
            "threshold_kind",
            "choice",
            "share",
            "Threshold is",
            kind_help,
            choices=("share", "intensity"),
            choice_labels=("A share from 0 to 1", "An intensity"),
            advanced=True,
        ),
        Parameter("threshold", "float", 0.2, "Threshold", help, minimum=0.0, maximum=1e15),
    )


def _find_blobs(job: Job) -> dict[str, PointsFound]:
    from napari_seedbed.core import find_blobs

    points, columns = find_blobs(
        job.load(),
        spacing=job.spacing,
        report=job.report,
        should_stop=job.should_stop,
        **job.parameters,
    )
    job.notes.append(in_words(len(points), "blob"))
    return {"points": PointsFound(points, columns)}


def _local_maxima(job: Job) -> dict[str, PointsFound]:
    from napari_seedbed.core import local_maxima

    points, columns = local_maxima(
        job.load(), spacing=job.spacing, should_stop=job.should_stop, **job.parameters
    )
    job.notes.append(in_words(len(points), "point"))
    return {"points": PointsFound(points, columns)}


def _fit(kind: Literal["circle", "ellipse", "line"]) -> Callable[[Job], dict[str, Any]]:
    def function(job: Job) -> dict[str, Any]:
        from napari_seedbed.core import fit_models

        parameters = {name: value for name, value in job.parameters.items() if name != "table"}
        fits = fit_models(job.load(), kind, job.spacing, should_stop=job.should_stop, **parameters)
        job.notes.append(in_words(len(fits.shapes), kind))
        outputs: dict[str, Any] = {"shapes": fits.shapes}
        if job.parameters["table"]:
            outputs["table"] = fits.table
        return outputs

    return function


def _blobs_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    ratio = max(parameters["largest"], 1e-9) / max(parameters["smallest"], 1e-9)
    scales = 1 + 4 * max(0.0, math.log2(ratio))
    return Need(40 * voxels, 8e-8 * voxels * min(scales, 10))


def _maxima_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    reach = min(parameters["distance"], max(shape))
    rows = 2 * reach + 1 if len(shape) == 2 else 0.8 * (2 * reach + 1) ** 2
    return Need(24 * voxels, (1e-7 + 2e-9 * rows) * voxels)


def _fits_need(seconds_a_trial: float) -> Estimate:
    def estimate(
        shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
    ) -> Need:
        voxels = math.prod(shape)
        slices = voxels // math.prod(shape[-2:])
        models = max(1, parameters["number"]) * slices
        trials = models * parameters["max_trials"]
        return Need(16 * voxels + 50_000_000, 2e-8 * voxels + seconds_a_trial * trials)

    return estimate


FIND_BLOBS = Operation(
    name="find_blobs",
    title="Find blobs",
    group="Objects",
    menu="napari/layers/segment",
    function=_find_blobs,
    parameters=(
        length("smallest", 2.0, "Smallest radius", "Smaller blobs are not looked for."),
        length("largest", 10.0, "Largest radius", "Larger blobs are not looked for."),
        *_threshold(
            "A share of the strongest blob's strength, or an intensity.",
            "How strong a blob must be, as a share of the strongest one or in the image's "
            "intensities, of which it answers with about a half to nine tenths.",
        ),
        Parameter(
            "method",
            "choice",
            "log",
            "Method",
            "The Laplacian is the most exact; the determinant, for 2D only, answers less to long "
            "things.",
            choices=("log", "dog", "doh"),
            choice_labels=(
                "Laplacian of Gaussian",
                "Difference of Gaussians",
                "Determinant of the Hessian (2D)",
            ),
        ),
        _DARK,
        Parameter(
            "overlap",
            "float",
            0.5,
            "Overlap",
            "Of two blobs that share more than this part of the smaller one, the stronger stays.",
            minimum=0.0,
            maximum=1.0,
            advanced=True,
        ),
    ),
    takes=("image",),
    gives="points",
    ndim=(2, 3),
    channels="each",
    estimate=_blobs_need,
    term="LoG, DoG, DoH",
    help="Finds round bright or dark things of many sizes, in 2D and 3D: points with radius and "
    "strength.",
    reference="Lindeberg T (1998). Feature detection with automatic scale selection. International "
    "Journal of Computer Vision 30(2), 79-116.",
)

LOCAL_MAXIMA = Operation(
    name="local_maxima",
    title="Local maxima",
    group="Objects",
    menu="napari/layers/segment",
    function=_local_maxima,
    parameters=(
        length(
            "distance",
            3.0,
            "Distance",
            "Of maxima that are no farther apart than this only the brightest stays.",
        ),
        *_threshold(
            "A share of the range from the darkest to the brightest voxel, or an intensity.",
            "How bright a maximum must be: more than this.",
        ),
        _DARK,
        length("border", 0.0, "Away from the border", "What is nearer to the border is left out."),
    ),
    takes=("image",),
    gives="points",
    ndim=(2, 3),
    channels="each",
    estimate=_maxima_need,
    help="Finds the voxels that are brighter than all around them. Smooth a noisy image first.",
    reference="van der Walt S et al. (2014). scikit-image: image processing in Python. PeerJ 2, "
    "e453.",
    term="peak detection",
)

_RANSAC = (
    "Fischler MA, Bolles RC (1981). Random sample consensus: a paradigm for model fitting with "
    "applications to image analysis and automated cartography. Communications of the ACM 24(6), "
    "381-395."
)
_FILLED = Parameter(
    "use_outlines",
    "bool",
    False,
    "Objects are filled",
    "Take the outlines of filled objects, instead of edges that are thin already.",
)
_EACH = Parameter(
    "per_label", "bool", False, "Each label on its own", "Look at each label's points alone."
)
_COVERAGE = Parameter(
    "min_coverage",
    "float",
    0.2,
    "Least part of the outline",
    "Share of the outline, from 0 to 1, that must have edge points along it.",
    minimum=0.0,
    maximum=1.0,
)


def _fit_parameters(bounds: str, own: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    return (
        Parameter(
            "number",
            "int",
            1,
            "How many",
            "How many are looked for, one after another, in each slice.",
            minimum=1,
            maximum=1000,
        ),
        length(
            "tolerance",
            1.5,
            "Tolerance",
            "How far edge points may lie from what is fitted to them.",
        ),
        length("smallest", 0.0, f"Smallest {bounds}", "0 sets no limit."),
        length("largest", 0.0, f"Largest {bounds}", "0 sets no limit."),
        *own,
        _FILLED,
        _EACH,
        Parameter("table", "bool", True, "Table", "Also give a table of what was fitted."),
        Parameter(
            "min_inliers",
            "int",
            10,
            "Least points",
            "How many edge points must lie near.",
            minimum=2,
            maximum=10**9,
            advanced=True,
        ),
        Parameter(
            "max_trials",
            "int",
            5000,
            "Trials",
            "How many random samples are tried at most; more find what is hidden in clutter.",
            minimum=1,
            maximum=10**7,
            advanced=True,
        ),
        Parameter(
            "seed",
            "int",
            0,
            "Seed",
            "Of the random samples: the same seed gives the same result.",
            minimum=0,
            maximum=2**31 - 1,
            advanced=True,
        ),
    )


def _fit_operation(**own: Any) -> Operation:
    fixed: dict[str, Any] = {
        "group": "Objects",
        "menu": "napari/layers/segment",
        "takes": ("image",),
        "image_kind": "labels",
        "gives": "shapes",
        "extra_outputs": ("table",),
        "ndim": (2, 3),
        "channels": "each",
        "term": "RANSAC",
        "reference": _RANSAC,
        "core_names": {"edges": "image"},
    }
    return Operation(**{**fixed, **own})


FIT_CIRCLE = _fit_operation(
    name="fit_circle",
    title="Fit circles to edges",
    function=_fit("circle"),
    parameters=_fit_parameters("radius", (_COVERAGE,)),
    estimate=_fits_need(2e-4),
    help="Finds circles that many edge points lie on, among others that do not: outlines, and a "
    "table with area, radius, points and residuals. Volumes are searched slice by slice.",
)

FIT_ELLIPSE = _fit_operation(
    name="fit_ellipse",
    title="Fit ellipses to edges",
    function=_fit("ellipse"),
    parameters=_fit_parameters("semi-axis", (_COVERAGE,)),
    estimate=_fits_need(4e-4),
    help="Finds ellipses that many edge points lie on, among others that do not: outlines, and a "
    "table with area, axes, points and residuals. Volumes are searched slice by slice.",
)

FIT_LINE = _fit_operation(
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
