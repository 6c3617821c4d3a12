"""Operations that smooth or sharpen: windows and Gaussians."""

import math
from collections.abc import Mapping
from typing import Any

from napari_seedbed.pipeline.core_calls import core_call
from napari_seedbed.pipeline.declarations import Need
from napari_seedbed.pipeline.filter_operations import (
    WINDOW,
    by_voxel,
    image_filter,
    length,
    radius,
    rows_in_window,
    sigma,
)
from napari_seedbed.pipeline.parameters import Parameter

Lengths = tuple[float, ...]


def _window_halo(spacing: Lengths, parameters: Mapping[str, Any]) -> tuple[int, ...]:
    from napari_seedbed.core.filters.windows import window_halo

    return window_halo(parameters["radius"], spacing)


def _gaussian_halo(spacing: Lengths, parameters: Mapping[str, Any]) -> tuple[int, ...]:
    from napari_seedbed.core.filters.gaussian_derivatives import gaussian_halo

    return gaussian_halo(parameters.get("high_sigma", parameters.get("sigma")), spacing)


def _sliding_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    each = 5e-8 + 6e-9 * rows_in_window(shape, parameters)
    return Need(24 * voxels, each * voxels)


def _mean_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    each = 5e-8
    if parameters["window"] == "ball":
        each += 4e-10 * rows_in_window(shape, parameters)
    return Need(24 * voxels, each * voxels)


def _extreme_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    each = 5e-8
    if parameters["window"] == "ball":
        lengths = 1 + min(parameters["radius"], max(shape))
        each = 1e-8 * lengths + 3e-10 * rows_in_window(shape, parameters)
    return Need(24 * voxels, each * voxels)


_HUANG = (
    "Huang T, Yang G, Tang G (1979). A fast two-dimensional median filtering algorithm. IEEE "
    "Transactions on Acoustics, Speech, and Signal Processing 27(1), 13-18."
)
_VAN_HERK = (
    "van Herk M (1992). A fast algorithm for local minimum and maximum filters on rectangular and "
    "octagonal kernels. Pattern Recognition Letters 13(7), 517-521."
)
_LINDEBERG = (
    "Lindeberg T (1994). Scale-space theory: a basic tool for analysing structures at different "
    "scales. Journal of Applied Statistics 21(1-2), 225-270."
)

MEAN = image_filter(
    name="mean",
    title="Mean filter",
    group="Smoothing",
    function=core_call("mean"),
    parameters=(radius(), WINDOW),
    estimate=_mean_need,
    halo=_window_halo,
    help="Gives each voxel the mean of a window around it. A box takes the same time whatever its "
    "size.",
    reference="McDonnell MJ (1981). Box-filtering techniques. Computer Graphics and Image "
    "Processing 17(1), 65-70.",
)

MEDIAN = image_filter(
    name="median",
    title="Median filter",
    group="Smoothing",
    function=core_call("median"),
    parameters=(radius(), WINDOW),
    estimate=_sliding_need,
    halo=_window_halo,
    help="Gives each voxel the middle value of a window around it: takes away specks and keeps "
    "edges. The type of the image stays.",
    reference=_HUANG,
)

MINIMUM = image_filter(
    name="minimum",
    title="Minimum filter",
    group="Morphology",
    function=core_call("minimum"),
    parameters=(radius(), WINDOW),
    estimate=_extreme_need,
    halo=_window_halo,
    term="greyscale erosion",
    help="Gives each voxel the smallest value in a window around it: bright things shrink. The "
    "type of the image stays.",
    reference=_VAN_HERK,
)

MAXIMUM = image_filter(
    name="maximum",
    title="Maximum filter",
    group="Morphology",
    function=core_call("maximum"),
    parameters=(radius(), WINDOW),
    estimate=_extreme_need,
    halo=_window_halo,
    term="greyscale dilation",
    help="Gives each voxel the largest value in a window around it: bright things grow. The type "
    "of the image stays.",
    reference=_VAN_HERK,
)

PERCENTILE = image_filter(
    name="percentile",
    title="Percentile filter",
    group="Smoothing",
    function=core_call("percentile"),
    parameters=(
        Parameter(
            "percent",
            "float",
            25.0,
            "Percentile",
            "Which of the window's values it takes: 0 is the smallest, 50 the median, 100 the "
            "largest.",
            minimum=0.0,
            maximum=100.0,
        ),
        radius(),
        WINDOW,
    ),
    estimate=_sliding_need,
    halo=_window_halo,
    term="rank filter",
    help="Gives each voxel a percentile of the values in a window around it. The type of the image "
    "stays.",
    reference=_HUANG,
)

DIFFERENCE_OF_GAUSSIANS = image_filter(
    name="difference_of_gaussians",
    core_names={"sigma": "high_sigma"},
    title="Difference of Gaussians",
    group="Smoothing",
    function=core_call("difference_of_gaussians"),
    parameters=(
        length("low_sigma", 1.0, "Smaller sigma", "What is finer than this is smoothed away."),
        length("high_sigma", 1.6, "Larger sigma", "What is coarser than this is taken away."),
    ),
    estimate=by_voxel(20, 1e-7),
    halo=_gaussian_halo,
    term="band-pass filter",
    help="Keeps what is larger than one size and smaller than another: the image smoothed a little "
    "minus the image smoothed more.",
    reference="Marr D, Hildreth E (1980). Theory of edge detection. Proceedings of the Royal "
    "Society of London B 207(1167), 187-217.",
)

UNSHARP_MASK = image_filter(
    name="unsharp_mask",
    title="Unsharp mask",
    group="Smoothing",
    function=core_call("unsharp_mask"),
    parameters=(
        sigma(),
        Parameter(
            "amount",
            "float",
            1.0,
            "Amount",
            "How often what the Gaussian takes away is added to the image.",
            minimum=0.0,
            maximum=1e6,
        ),
    ),
    estimate=by_voxel(20, 1e-7),
    halo=_gaussian_halo,
    help="Sharpens: what smoothing would take away is added to the image instead.",
    reference=_LINDEBERG,
)

SMOOTHING = (MEAN, MEDIAN, PERCENTILE, DIFFERENCE_OF_GAUSSIANS, UNSHARP_MASK)
EXTREMES = (MINIMUM, MAXIMUM)
