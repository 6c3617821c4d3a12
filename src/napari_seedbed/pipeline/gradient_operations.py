"""Operations that show slopes, edges, lines and curvature."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.core_calls import core_call
from napari_seedbed.pipeline.declarations import Job, Need
from napari_seedbed.pipeline.filter_operations import by_voxel, image_filter, length, sigma
from napari_seedbed.pipeline.parameters import Parameter

Lengths = tuple[float, ...]


def _slope(job: Job) -> dict[str, NDArray]:
    from napari_seedbed.core import slope

    output = job.parameters["output"]
    axes = "zyx"[3 - len(job.spacing) :]
    if output != "magnitude" and output not in axes:
        raise InputError(f"output: a 2D image has no axis {output}; take magnitude, y or x.")
    found = slope(
        job.load(),
        job.parameters["kernel"],
        None if output == "magnitude" else axes.index(output),
        job.spacing,
        should_stop=job.should_stop,
    )
    return {"image": found}


def _ridges(job: Job, name: str, **own: Any) -> dict[str, NDArray]:
    from napari_seedbed import core

    low, high = job.parameters["sigma_min"], job.parameters["sigma_max"]
    if low <= 0:
        raise InputError(f"sigma_min: it is {low:g}; lines have a width above 0.")
    if low > high:
        raise InputError(f"sigma_min: it is {low:g} and must not be above sigma_max, {high:g}.")
    found = getattr(core, name)(
        job.load(),
        np.linspace(low, high, job.parameters["scales"]).tolist(),
        job.spacing,
        ridges=job.parameters["ridges"],
        should_stop=job.should_stop,
        **own,
    )
    return {"image": found}


def _frangi(job: Job) -> dict[str, NDArray]:
    return _ridges(job, "frangi", contrast=job.parameters["contrast"])


def _sato(job: Job) -> dict[str, NDArray]:
    return _ridges(job, "sato")


def _meijering(job: Job) -> dict[str, NDArray]:
    return _ridges(job, "meijering")


def _slope_halo(spacing: Lengths, parameters: Mapping[str, Any]) -> tuple[int, ...]:
    from napari_seedbed.core.filters.edge_filters import EDGE_REACH

    return (EDGE_REACH[parameters["kernel"]],) * len(spacing)


def _halo(sigma: float, spacing: Lengths, order: int) -> tuple[int, ...]:
    from napari_seedbed.core.filters.gaussian_derivatives import gaussian_halo

    return gaussian_halo(sigma, spacing, order)


def _first_halo(spacing: Lengths, parameters: Mapping[str, Any]) -> tuple[int, ...]:
    return _halo(parameters["sigma"], spacing, 1)


def _second_halo(spacing: Lengths, parameters: Mapping[str, Any]) -> tuple[int, ...]:
    return _halo(parameters["sigma"], spacing, 2)


def _structure_halo(spacing: Lengths, parameters: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(1 + n for n in _halo(parameters["sigma"], spacing, 0))


def _sato_halo(spacing: Lengths, parameters: Mapping[str, Any]) -> tuple[int, ...]:
    return _halo(parameters["sigma_max"], spacing, 2)


def _frangi_halo(spacing: Lengths, parameters: Mapping[str, Any]) -> tuple[int, ...] | None:
    # Otherwise it looks for the largest curvature of the whole image.
    return _sato_halo(spacing, parameters) if parameters["contrast"] > 0 else None


def _eigenvalue_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels, ndim = math.prod(shape), len(shape)
    return Need((40 if ndim == 2 else 72) * voxels, (1e-7 if ndim == 2 else 2e-7) * voxels)


def _ridge_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    one = _eigenvalue_need(shape, n_labels, n_channels, parameters)
    scales = parameters["scales"]
    kept = 8 * scales * math.prod(shape) if "contrast" in parameters else 0
    return Need(2 * one.bytes + kept, 1.5 * scales * one.seconds)


def _ridge_parameters(*own: Parameter) -> tuple[Parameter, ...]:
    return (
        Parameter(
            "ridges",
            "choice",
            "bright",
            "Lines are",
            "Whether lines are brighter or darker than the ground.",
            choices=("bright", "dark"),
            choice_labels=("Bright", "Dark"),
        ),
        length("sigma_min", 1.0, "Thinnest", "Half of the width of the thinnest lines (sigma)."),
        length("sigma_max", 3.0, "Thickest", "Half of the width of the thickest lines (sigma)."),
        Parameter(
            "scales",
            "int",
            3,
            "Sizes",
            "How many sizes from the thinnest to the thickest are tried; each voxel gets the "
            "strongest answer.",
            minimum=1,
            maximum=50,
        ),
        *own,
    )


_WHICH = Parameter(
    "which",
    "choice",
    "largest",
    "Eigenvalue",
    "Which one it shows, by size and with its sign; there is no middle one in 2D.",
    choices=("largest", "middle", "smallest"),
    choice_labels=("Largest", "Middle (3D)", "Smallest"),
)

SLOPE = image_filter(
    name="slope",
    title="Sobel, Scharr, Prewitt, Farid",
    group="Edges",
    function=_slope,
    parameters=(
        Parameter(
            "kernel",
            "choice",
            "sobel",
            "Kernel",
            "How differences of neighbours are smoothed across: Prewitt's is even, Sobel's nearer "
            "to a Gaussian, Scharr's and Farid's treat directions more alike.",
            choices=("sobel", "scharr", "prewitt", "farid"),
            choice_labels=("Sobel", "Scharr", "Prewitt", "Farid"),
        ),
        Parameter(
            "output",
            "choice",
            "magnitude",
            "Show",
            "The slope in its steepest direction, or along one axis, positive where the image gets "
            "brighter.",
            choices=("magnitude", "z", "y", "x"),
            choice_labels=("Magnitude", "Along z", "Along y", "Along x"),
        ),
    ),
    estimate=by_voxel(16, 1e-7),
    halo=_slope_halo,
    term="gradient operator",
    help="How steep the image is, as change of intensity by physical length, from differences of "
    "neighbours.",
    reference="Farid H, Simoncelli EP (2004). Differentiation of discrete multidimensional "
    "signals. IEEE Transactions on Image Processing 13(4), 496-508.",
)

GRADIENT_MAGNITUDE = image_filter(
    name="gradient_magnitude",
    title="Gaussian gradient magnitude",
    group="Edges",
    function=core_call("gradient_magnitude"),
    parameters=(sigma(),),
    estimate=by_voxel(16, 1e-7),
    halo=_first_halo,
    help="How steep the image is after smoothing, as change of intensity by physical length.",
    reference="Canny J (1986). A computational approach to edge detection. IEEE Transactions on "
    "Pattern Analysis and Machine Intelligence 8(6), 679-698.",
)

LAPLACIAN_OF_GAUSSIAN = image_filter(
    name="laplacian_of_gaussian",
    title="Laplacian of Gaussian",
    group="Edges",
    function=core_call("laplacian_of_gaussian"),
    parameters=(
        sigma(),
        Parameter(
            "normalize",
            "bool",
            False,
            "Compare sizes",
            "Multiply by sigma squared, so that blobs of all sizes answer equally strongly.",
        ),
    ),
    estimate=by_voxel(16, 1e-7),
    halo=_second_halo,
    help="Sum of the second derivatives after smoothing: negative on bright blobs and lines, "
    "positive on dark ones, zero at edges. Sigma 0 is the plain Laplacian.",
    reference="Marr D, Hildreth E (1980). Theory of edge detection. Proceedings of the Royal "
    "Society of London B 207(1167), 187-217.",
)

CANNY = image_filter(
    name="canny",
    title="Canny edges",
    group="Edges",
    function=core_call("canny", "mask"),
    gives="mask",
    parameters=(
        sigma(),
        Parameter(
            "low",
            "float",
            0.1,
            "Lower threshold",
            "An edge that has begun goes on where the slope is above this.",
            minimum=0.0,
            maximum=1e9,
        ),
        Parameter(
            "high",
            "float",
            0.2,
            "Upper threshold",
            "An edge begins where the slope is above this.",
            minimum=0.0,
            maximum=1e9,
        ),
        Parameter(
            "thresholds",
            "choice",
            "contrast",
            "Thresholds are",
            "Slopes as a share of the range from the smallest to the largest value, or in the "
            "image's own intensities, by the pixel; or the share of a slice's pixels that are "
            "flatter.",
            choices=("contrast", "share", "intensity"),
            choice_labels=("Relative to the contrast", "Share of flatter pixels", "Intensities"),
        ),
    ),
    estimate=by_voxel(30, 2e-7),
    help="Thin lines along edges, slice by slice. Pixels of a slice must be squares.",
    reference="Canny J (1986). A computational approach to edge detection. IEEE Transactions on "
    "Pattern Analysis and Machine Intelligence 8(6), 679-698.",
)

HESSIAN = image_filter(
    name="hessian_eigenvalue",
    title="Hessian eigenvalue",
    group="Ridges",
    function=core_call("hessian_eigenvalue"),
    parameters=(sigma(), _WHICH),
    estimate=_eigenvalue_need,
    halo=_second_halo,
    help="Principal curvature of the smoothed image: the largest is high on dark lines, the "
    "smallest far below zero on bright ones.",
    reference="Lindeberg T (1998). Edge detection and ridge detection with automatic scale "
    "selection. International Journal of Computer Vision 30(2), 117-156.",
)

STRUCTURE = image_filter(
    name="structure_eigenvalue",
    title="Structure tensor eigenvalue",
    group="Ridges",
    function=core_call("structure_eigenvalue"),
    parameters=(sigma(), _WHICH),
    estimate=_eigenvalue_need,
    halo=_structure_halo,
    help="How much the image changes around a voxel: the largest is high at edges and in texture, "
    "the smallest only where it changes in all directions, as at corners.",
    reference="Bigun J, Granlund GH (1987). Optimal orientation detection of linear symmetry. "
    "International Conference on Computer Vision, 433-438.",
)

FRANGI = image_filter(
    name="frangi",
    core_names={"sigma": "sigma_max"},
    title="Frangi vessels",
    group="Ridges",
    function=_frangi,
    parameters=_ridge_parameters(
        Parameter(
            "contrast",
            "float",
            0.0,
            "Clear curvature (gamma)",
            "Curvature, in the image's intensities, that counts as clear; 0 takes half of the "
            "largest in the image.",
            minimum=0.0,
            maximum=1e12,
            advanced=True,
        )
    ),
    estimate=_ridge_need,
    halo=_frangi_halo,
    help="How much like a line (a tube in 3D) the surroundings of a voxel are, from 0 to 1.",
    reference="Frangi AF and others (1998). Multiscale vessel enhancement filtering. Medical Image "
    "Computing and Computer-Assisted Intervention, LNCS 1496, 130-137.",
)

SATO = image_filter(
    name="sato",
    core_names={"sigma": "sigma_max"},
    title="Sato lines",
    group="Ridges",
    function=_sato,
    parameters=_ridge_parameters(),
    estimate=_ridge_need,
    halo=_sato_halo,
    help="Shows lines (tubes in 3D) by the curvature across them, in the image's intensities.",
    reference="Sato Y and others (1998). Three-dimensional multi-scale line filter for "
    "segmentation and visualization of curvilinear structures in medical images. Medical Image "
    "Analysis 2(2), 143-168.",
)

MEIJERING = image_filter(
    name="meijering",
    core_names={"sigma": "sigma_max"},
    title="Meijering neurites",
    group="Ridges",
    function=_meijering,
    parameters=_ridge_parameters(),
    estimate=_ridge_need,
    help="Shows thin lines evenly, such as neurites, from 0 to 1.",
    reference="Meijering E and others (2004). Design and validation of a tool for neurite tracing "
    "and analysis in fluorescence microscopy images. Cytometry Part A 58(2), 167-176.",
)

GRADIENTS = (SLOPE, GRADIENT_MAGNITUDE, LAPLACIAN_OF_GAUSSIAN, CANNY)
RIDGES = (FRANGI, SATO, MEIJERING, HESSIAN, STRUCTURE)
