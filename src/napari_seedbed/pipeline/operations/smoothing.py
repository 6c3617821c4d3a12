"""Operations that smooth or sharpen: windows and Gaussians."""

from functools import partial

from napari_seedbed.pipeline.engine.declarations import Size, Values
from napari_seedbed.pipeline.engine.parameters import number
from napari_seedbed.pipeline.operations.costs import (
    by_voxel,
    window_reach,
    window_rows,
    with_window,
)
from napari_seedbed.pipeline.operations.families import image_filter
from napari_seedbed.pipeline.operations.halos import gaussian_halo, window_halo
from napari_seedbed.pipeline.operations.references import MARR
from napari_seedbed.pipeline.operations.shared_parameters import WINDOW, length, radius, sigma


def _mean_seconds(size: Size, parameters: Values) -> float:
    rows = window_rows(size, parameters) if parameters["window"] == "ball" else 0
    return 5e-8 + 4e-10 * rows


def _extreme_seconds(size: Size, parameters: Values) -> float:
    if parameters["window"] == "box":
        return 5e-8
    return 1e-8 * (1 + window_reach(size, parameters)) + 3e-10 * window_rows(size, parameters)


_by_rows = with_window(
    by_voxel(20, lambda size, parameters: 5e-8 + 6e-9 * window_rows(size, parameters)), 6
)

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

_smoothing = partial(image_filter, group="Smoothing")
_window = partial(
    image_filter, group="Smoothing", parameters=(radius(), WINDOW), halo=window_halo()
)
_extreme = partial(
    _window, group="Morphology", estimate=by_voxel(24, _extreme_seconds), reference=_VAN_HERK
)

GAUSSIAN = _smoothing(
    name="gaussian",
    title="Gaussian filter",
    parameters=(sigma(),),
    estimate=by_voxel(16, 1e-7),
    halo=gaussian_halo(),
    help="Smooths the image with a Gaussian. Several channels are smoothed one by one.",
    reference=_LINDEBERG,
)

MEAN = _window(
    name="mean",
    title="Mean filter",
    estimate=with_window(by_voxel(16, _mean_seconds), 8),
    help="Gives each voxel the mean of a window around it. A box takes the same time whatever its "
    "size.",
    reference="McDonnell MJ (1981). Box-filtering techniques. Computer Graphics and Image "
    "Processing 17(1), 65-70.",
)

MEDIAN = _window(
    name="median",
    title="Median filter",
    estimate=_by_rows,
    help="Gives each voxel the middle value of a window around it: takes away specks and keeps "
    "edges. The type of the image stays.",
    reference=_HUANG,
)

MINIMUM = _extreme(
    name="minimum",
    title="Minimum filter",
    term="greyscale erosion",
    help="Gives each voxel the smallest value in a window around it: bright things shrink. The "
    "type of the image stays.",
)

MAXIMUM = _extreme(
    name="maximum",
    title="Maximum filter",
    term="greyscale dilation",
    help="Gives each voxel the largest value in a window around it: bright things grow. The type "
    "of the image stays.",
)

PERCENTILE = _window(
    name="percentile",
    title="Percentile filter",
    parameters=(
        number(
            "percent",
            25.0,
            "Percentile",
            "Which of the window's values it takes: 0 is the smallest, 50 the median, 100 the "
            "largest.",
            (0.0, 100.0),
        ),
        radius(),
        WINDOW,
    ),
    estimate=_by_rows,
    term="rank filter",
    help="Gives each voxel a percentile of the values in a window around it. The type of the image "
    "stays.",
    reference=_HUANG,
)

DIFFERENCE_OF_GAUSSIANS = _smoothing(
    name="difference_of_gaussians",
    core_names={"sigma": "high_sigma"},
    title="Difference of Gaussians",
    parameters=(
        length("low_sigma", 1.0, "Smaller sigma", "What is finer than this is smoothed away."),
        length("high_sigma", 1.6, "Larger sigma", "What is coarser than this is taken away."),
    ),
    estimate=by_voxel(20, 1e-7),
    halo=gaussian_halo("high_sigma"),
    term="band-pass filter",
    help="Keeps what is larger than one size and smaller than another: the image smoothed a little "
    "minus the image smoothed more.",
    reference=MARR,
)

UNSHARP_MASK = _smoothing(
    name="unsharp_mask",
    title="Unsharp mask",
    parameters=(
        sigma(),
        number(
            "amount",
            1.0,
            "Amount",
            "How often what the Gaussian takes away is added to the image.",
            (0.0, 1e6),
        ),
    ),
    estimate=by_voxel(20, 1e-7),
    halo=gaussian_halo(),
    help="Sharpens: what smoothing would take away is added to the image instead.",
    reference=_LINDEBERG,
)

SMOOTHING = (GAUSSIAN, MEAN, MEDIAN, PERCENTILE, DIFFERENCE_OF_GAUSSIANS, UNSHARP_MASK)
EXTREMES = (
    MINIMUM,
    MAXIMUM,
)
