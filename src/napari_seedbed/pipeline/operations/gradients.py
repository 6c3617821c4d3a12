"""Operations that show slopes, edges, lines and curvature."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.engine.core_calls import CoreCall
from napari_seedbed.pipeline.engine.declarations import Lengths, Need, Reach, Size, Values
from napari_seedbed.pipeline.engine.jobs import Job
from napari_seedbed.pipeline.engine.parameters import choice, number, switch, whole_number
from napari_seedbed.pipeline.engine.windows import Region, inner_of
from napari_seedbed.pipeline.operations.costs import by_voxel
from napari_seedbed.pipeline.operations.families import image_filter
from napari_seedbed.pipeline.operations.halos import gaussian_halo
from napari_seedbed.pipeline.operations.references import CANNY_1986, MARR
from napari_seedbed.pipeline.operations.shared_parameters import length, sigma


def _slope_arguments(job: Job) -> dict[str, Any]:
    output = job.parameters["output"]
    axes = "zyx"[3 - len(job.spacing) :]
    if output != "magnitude" and output not in axes:
        raise InputError(f"output: a 2D image has no axis {output}; take magnitude, y or x.")
    axis = None if output == "magnitude" else axes.index(output)
    return {"kernel": job.parameters["kernel"], "axis": axis}


def _slope_halo(spacing: Lengths, parameters: Values) -> Reach:
    from napari_seedbed.core.filters.edge_filters import EDGE_REACH

    return (EDGE_REACH[parameters["kernel"]],) * len(spacing)


def _ridge_arguments(job: Job) -> dict[str, Any]:
    others = dict(job.parameters)
    low, high, scales = (others.pop(name) for name in ("sigma_min", "sigma_max", "scales"))
    if low <= 0:
        raise InputError(f"sigma_min: it is {low:g}; lines have a width above 0.")
    if low > high:
        raise InputError(f"sigma_min: it is {low:g} and must not be above sigma_max, {high:g}.")
    return {"sigmas": np.linspace(low, high, scales).tolist(), **others}


_ridge_halo = gaussian_halo("sigma_max", order=2)


def _frangi_arguments(job: Job) -> dict[str, Any]:
    arguments = _ridge_arguments(job)
    if not arguments["contrast"]:
        # Half of the largest curvature of all of the image, where a part of it is worked on.
        arguments["contrast"] = job.statistic(
            0.0, "curvature", lambda: max(_over_ridges(job, _largest_curvature, arguments)) / 2
        )
    return arguments


def _meijering_arguments(job: Job) -> dict[str, Any]:
    arguments = _ridge_arguments(job)
    if job.wanted is None:
        return arguments
    largest = job.kept(
        ("answers", job.channel, job.time),
        lambda: np.max(list(_over_ridges(job, _largest_answers, arguments)), axis=0).tolist(),
    )
    return {**arguments, "largest": largest}


def _over_ridges(
    job: Job, function: Callable[..., Any], arguments: Mapping[str, Any]
) -> Iterable[Any]:
    """What a function of blocks with what is around them gives for all of the image."""
    about = {name: arguments[name] for name in ("sigmas", "ridges")}
    called = partial(function, spacing=job.spacing, **about)
    image = job.image.select_time(job.time)
    reach = _ridge_halo(job.spacing, job.parameters) or ()
    return job.over(called, image, job.channel, None, reach, placed=True)


def _largest_curvature(voxels: NDArray, region: Region, seen: Region, **about: Any) -> float:
    from napari_seedbed.core.filters.ridge_filters import largest_curvature

    return largest_curvature(voxels, inner_of(region, seen), **about)


def _largest_answers(voxels: NDArray, region: Region, seen: Region, **about: Any) -> list[float]:
    from napari_seedbed.core.filters.ridge_filters import largest_answers

    return largest_answers(voxels, inner_of(region, seen), **about)


def _eigenvalue_need(size: Size, parameters: Values) -> Need:
    each, seconds = (40, 1e-7) if len(size.shape) == 2 else (72, 2e-7)
    return Need(each * size.voxels, seconds * size.voxels)


def _ridge_need(size: Size, parameters: Values) -> Need:
    one, scales = _eigenvalue_need(size, parameters), parameters["scales"]
    kept = 8 * scales * size.voxels if "contrast" in parameters else 0
    return Need(2 * one.bytes + kept, 1.5 * scales * one.seconds)


_RIDGE_PARAMETERS = (
    choice(
        "ridges",
        "Ridge polarity",
        "Whether lines are bright or dark against the background.",
        {"bright": "Bright", "dark": "Dark"},
    ),
    length("sigma_min", 1.0, "Smallest sigma", "Half of the width of the thinnest lines."),
    length("sigma_max", 3.0, "Largest sigma", "Half of the width of the thickest lines."),
    whole_number(
        "scales",
        3,
        "Number of sigmas",
        "How many sigmas from the smallest to the largest are tried; each voxel gets the "
        "strongest answer.",
        (1, 50),
    ),
)

_edges = partial(image_filter, group="Edges", estimate=by_voxel(16, 1e-7))
_eigenvalue = partial(image_filter, group="Ridges", estimate=_eigenvalue_need)
_ridges = partial(
    image_filter,
    group="Ridges",
    parameters=_RIDGE_PARAMETERS,
    function=CoreCall(arguments=_ridge_arguments),
    estimate=_ridge_need,
    core_names={"sigma": "sigma_max"},
)

_WHICH = choice(
    "which",
    "Eigenvalue",
    "Which one it shows, by size and with its sign; there is no middle one in 2D.",
    {"largest": "Largest", "middle": "Middle (3D)", "smallest": "Smallest"},
)

SLOPE = _edges(
    name="slope",
    title="Edge filter (Sobel, Scharr, Prewitt, Farid)",
    function=CoreCall(arguments=_slope_arguments),
    parameters=(
        choice(
            "kernel",
            "Kernel",
            "How differences of neighbours are smoothed across: Prewitt's is even, Sobel's nearer "
            "to a Gaussian, Scharr's and Farid's treat directions more alike.",
            {"sobel": "Sobel", "scharr": "Scharr", "prewitt": "Prewitt", "farid": "Farid"},
        ),
        choice(
            "output",
            "Output",
            "The slope in its steepest direction, or along one axis, positive where the image gets "
            "brighter.",
            {"magnitude": "Magnitude", "z": "Along z", "y": "Along y", "x": "Along x"},
        ),
    ),
    halo=_slope_halo,
    term="gradient operator",
    help="How steep the image is, as change of intensity by physical length, from differences of "
    "neighbours.",
    reference="Farid H, Simoncelli EP (2004). Differentiation of discrete multidimensional "
    "signals. IEEE Transactions on Image Processing 13(4), 496-508.",
)

GRADIENT_MAGNITUDE = _edges(
    name="gradient_magnitude",
    title="Gaussian gradient magnitude",
    parameters=(sigma(),),
    halo=gaussian_halo(order=1),
    help="How steep the image is after smoothing, as change of intensity by physical length.",
    reference=CANNY_1986,
)

LAPLACIAN_OF_GAUSSIAN = _edges(
    name="laplacian_of_gaussian",
    title="Laplacian of Gaussian",
    parameters=(
        sigma(),
        switch(
            "normalize",
            False,
            "Scale-normalised",
            "Multiply by sigma squared, so that blobs of all sizes answer equally strongly.",
        ),
    ),
    halo=gaussian_halo(order=2),
    help="Sum of the second derivatives after smoothing: negative on bright blobs and lines, "
    "positive on dark ones, zero at edges. Sigma 0 is the plain Laplacian.",
    reference=MARR,
)

CANNY = _edges(
    name="canny",
    title="Canny edges",
    gives="mask",
    parameters=(
        sigma(),
        number(
            "low",
            0.1,
            "Lower threshold",
            "An edge that has begun goes on where the slope is above this.",
            (0.0, 1e9),
        ),
        number(
            "high",
            0.2,
            "Upper threshold",
            "An edge begins where the slope is above this.",
            (0.0, 1e9),
        ),
        choice(
            "thresholds",
            "Threshold units",
            "Slopes as a share of the range from the smallest to the largest value, or in the "
            "image's own intensities, by the pixel; or the share of a slice's pixels that are "
            "flatter.",
            {
                "contrast": "Relative to contrast",
                "share": "Quantile of slopes",
                "intensity": "Intensities",
            },
        ),
    ),
    estimate=by_voxel(30, 2e-7),
    help="Thin lines along edges, slice by slice. Pixels of a slice must be squares.",
    reference=CANNY_1986,
)

HESSIAN = _eigenvalue(
    name="hessian_eigenvalue",
    title="Hessian eigenvalue",
    parameters=(sigma(), _WHICH),
    halo=gaussian_halo(order=2),
    help="Principal curvature of the smoothed image: the largest is high on dark lines, the "
    "smallest far below zero on bright ones.",
    reference="Lindeberg T (1998). Edge detection and ridge detection with automatic scale "
    "selection. International Journal of Computer Vision 30(2), 117-156.",
)

STRUCTURE = _eigenvalue(
    name="structure_eigenvalue",
    title="Structure tensor eigenvalue",
    parameters=(sigma(), _WHICH),
    halo=gaussian_halo(more=1),
    help="How much the image changes around a voxel: the largest is high at edges and in texture, "
    "the smallest only where it changes in all directions, as at corners.",
    reference="Bigun J, Granlund GH (1987). Optimal orientation detection of linear symmetry. "
    "International Conference on Computer Vision, 433-438.",
)

FRANGI = _ridges(
    name="frangi",
    title="Frangi vesselness",
    function=CoreCall(arguments=_frangi_arguments),
    parameters=(
        *_RIDGE_PARAMETERS,
        number(
            "contrast",
            0.0,
            "Structureness (gamma)",
            "Curvature, in the image's intensities, that counts as clear; 0 takes half of the "
            "largest in the image.",
            (0.0, 1e12),
            advanced=True,
        ),
    ),
    halo=_ridge_halo,
    help="How much like a line (a tube in 3D) the surroundings of a voxel are, from 0 to 1.",
    reference="Frangi AF and others (1998). Multiscale vessel enhancement filtering. Medical Image "
    "Computing and Computer-Assisted Intervention, LNCS 1496, 130-137.",
)

SATO = _ridges(
    name="sato",
    title="Sato tubeness",
    halo=_ridge_halo,
    help="Shows lines (tubes in 3D) by the curvature across them, in the image's intensities.",
    reference="Sato Y and others (1998). Three-dimensional multi-scale line filter for "
    "segmentation and visualization of curvilinear structures in medical images. Medical Image "
    "Analysis 2(2), 143-168.",
)

MEIJERING = _ridges(
    name="meijering",
    title="Meijering neuriteness",
    function=CoreCall(arguments=_meijering_arguments),
    halo=_ridge_halo,
    help="Shows thin lines evenly, such as neurites, from 0 to 1.",
    reference="Meijering E and others (2004). Design and validation of a tool for neurite tracing "
    "and analysis in fluorescence microscopy images. Cytometry Part A 58(2), 167-176.",
)

GRADIENTS = (SLOPE, GRADIENT_MAGNITUDE, LAPLACIAN_OF_GAUSSIAN, CANNY)
RIDGES = (FRANGI, SATO, MEIJERING, HESSIAN, STRUCTURE)
