"""Operations that make masks and classes by grey values."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from napari_seedbed.pipeline import volume_thresholds
from napari_seedbed.pipeline.declarations import Estimate, Need, Operation
from napari_seedbed.pipeline.filter_operations import by_voxel, length
from napari_seedbed.pipeline.parameters import Parameter

PANEL = "threshold"

METHOD_TITLES = {
    "otsu": "Otsu",
    "li": "Li",
    "yen": "Yen",
    "isodata": "Isodata",
    "triangle": "Triangle",
    "mean": "Mean",
    "minimum": "Minimum",
}
"""Methods that find one value, in the order in which they are shown."""

# Far beyond any grey value, and one less is still another number.
_LARGEST = 1e15


def _value_halo(
    spacing: tuple[float, ...], parameters: Mapping[str, Any]
) -> tuple[int, ...] | None:
    """One voxel is compared with a value; values of slices are found in whole slices."""
    in_slices = parameters["per"] == "slice" and parameters.get("method") != "manual"
    return None if in_slices else (0,) * len(spacing)


def _local_halo(spacing: tuple[float, ...], parameters: Mapping[str, Any]) -> tuple[int, ...]:
    from napari_seedbed.core.thresholds.local_thresholds import local_halo

    return local_halo(parameters["block_size"], spacing, parameters["method"])


def _local_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels, each = math.prod(shape), 1.5e-7
    if parameters["method"] == "median":
        # Rows of the window are what takes time.
        width = min(parameters["block_size"], max(shape)) + 1
        each += 6e-9 * width ** (len(shape) - 1)
    return Need(5_000_000 + 20 * voxels, each * voxels)


def _window_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    # Blocks have a size of their own.
    voxels = math.prod(shape)
    return Need(16_000_000 + 14 * voxels, 2e-7 * voxels)


def _window_halo(spacing: tuple[float, ...], parameters: Mapping[str, Any]) -> tuple[int, ...]:
    from napari_seedbed.core.thresholds.local_thresholds import local_halo

    return local_halo(parameters["window_size"], spacing)


_OBJECTS = Parameter(
    "objects",
    "choice",
    "light",
    "Objects",
    "Whether the objects are lighter or darker than what is around them.",
    choices=("light", "dark"),
    choice_labels=("Light", "Dark"),
)

_PER = Parameter(
    "per",
    "choice",
    "volume",
    "Value for each",
    "Where an automatic value is found: in each slice along z, in each volume (time point), or "
    "once in the whole series. Each channel has its own.",
    choices=("slice", "volume", "series"),
    choice_labels=("Slice", "Volume", "Series"),
)


def _grey_value(name: str, label: str, help: str) -> Parameter:
    return Parameter(name, "float", 0.0, label, help, minimum=-_LARGEST, maximum=_LARGEST)


_TWO_VALUES = (
    Parameter(
        "method",
        "choice",
        "otsu",
        "Values",
        "The two values that divide the image best into three classes, or typed ones.",
        choices=("otsu", "manual"),
        choice_labels=("Otsu, three classes", "As typed"),
    ),
    _grey_value("low", "Lower value", "The lower grey value, where values are typed."),
    _grey_value("high", "Upper value", "The upper grey value, where values are typed."),
)

_OTSU = (
    "Otsu N (1979). A threshold selection method from gray-level histograms. IEEE Transactions on "
    "Systems, Man, and Cybernetics 9(1), 62-66."
)


def _declared(estimate: Estimate, **own: Any) -> Operation:
    fixed: dict[str, Any] = {
        "group": "Thresholds",
        "menu": "napari/layers/segment",
        "takes": ("image",),
        "gives": "mask",
        "ndim": (2, 3),
        "channels": "each",
        "panel": PANEL,
        "estimate": estimate,
    }
    return Operation(**{**fixed, **own})


THRESHOLD = _declared(
    by_voxel(2, 6e-9),
    name="threshold",
    title="Threshold",
    function=volume_thresholds.threshold,
    parameters=(
        Parameter(
            "method",
            "choice",
            "otsu",
            "Method",
            "How the grey value is found that divides the image, or that it is typed.",
            choices=("manual", *METHOD_TITLES),
            choice_labels=("As typed", *METHOD_TITLES.values()),
        ),
        _grey_value("value", "Value", "The grey value, where it is typed."),
        _OBJECTS,
        _PER,
    ),
    halo=_value_halo,
    help="Marks the voxels above a grey value, or those that are not. The value is typed, or found "
    "in the histogram, in which every voxel counts.",
    reference="Sezgin M, Sankur B (2004). Survey over image thresholding techniques and "
    "quantitative performance evaluation. Journal of Electronic Imaging 13(1), 146-165.",
    term="global threshold",
)

MULTI_OTSU = _declared(
    by_voxel(6, 1.5e-8),
    name="multi_otsu",
    title="Several classes (multi-Otsu)",
    gives="labels",
    function=volume_thresholds.multi_otsu,
    parameters=(
        Parameter(
            "classes",
            "int",
            3,
            "Classes",
            "Into how many classes of grey values the image is divided.",
            minimum=2,
            maximum=255,
        ),
        _OBJECTS,
        _PER,
    ),
    halo=_value_halo,
    help="Divides the image into classes of grey values that are as even as can be. The darkest "
    "class is 0, or the brightest one where objects are dark.",
    reference="Liao PS, Chen TS, Chung PC (2001). A fast algorithm for multilevel thresholding. "
    "Journal of Information Science and Engineering 17(5), 713-727.",
    term="multi-Otsu threshold",
)

THRESHOLD_BETWEEN = _declared(
    by_voxel(3, 8e-9),
    name="threshold_between",
    title="Between two values",
    function=volume_thresholds.threshold_between,
    parameters=(
        *_TWO_VALUES,
        Parameter(
            "objects",
            "choice",
            "between",
            "Objects",
            "Whether the objects lie between the two values or outside.",
            choices=("between", "outside"),
            choice_labels=("Between them", "Outside"),
        ),
        _PER,
    ),
    halo=_value_halo,
    help="Marks the voxels above a lower and not above an upper grey value, or all others.",
    reference=_OTSU,
    term="band threshold",
)

THRESHOLD_HYSTERESIS = _declared(
    by_voxel(12, 4e-8),
    name="threshold_hysteresis",
    title="Hysteresis",
    function=volume_thresholds.threshold_hysteresis,
    parameters=(*_TWO_VALUES, _OBJECTS, _PER),
    help="Marks what passes the easier of two values as far as it is connected to what passes the "
    "harder one: faint parts of clear objects stay, and faint noise does not.",
    reference="Canny J (1986). A computational approach to edge detection. IEEE Transactions on "
    "Pattern Analysis and Machine Intelligence 8(6), 679-698.",
    term="hysteresis threshold",
)

THRESHOLD_LOCAL = _declared(
    _local_need,
    name="threshold_local",
    title="Local threshold",
    function=volume_thresholds.threshold_local,
    parameters=(
        length(
            "block_size",
            35.0,
            "Block size",
            "Width of the neighbourhood, the same physical length along every axis. Take it wider "
            "than the objects.",
        ),
        Parameter(
            "method",
            "choice",
            "gaussian",
            "Compared with",
            "What a voxel is compared with: the mean of its neighbourhood, in which near voxels "
            "count most (Gaussian) or all the same, or the median.",
            choices=("gaussian", "mean", "median"),
            choice_labels=("Gaussian mean", "Mean", "Median"),
        ),
        _grey_value(
            "offset",
            "Offset",
            "How much lighter or darker than their neighbourhood objects must be, in grey values. "
            "Raise it when the ground is speckled.",
        ),
        _OBJECTS,
    ),
    halo=_local_halo,
    help="Marks what is lighter, or darker, than its neighbourhood. For uneven light.",
    reference="Gonzalez RC, Woods RE (2018). Digital image processing, 4th edition, section 10.3. "
    "Pearson.",
    term="adaptive threshold",
)

_WINDOW_SIZE = length(
    "window_size",
    15.0,
    "Window size",
    "Width of the neighbourhood, the same physical length along every axis.",
)

SAUVOLA = _declared(
    _window_need,
    name="sauvola",
    title="Sauvola",
    function=volume_thresholds.sauvola,
    parameters=(
        _WINDOW_SIZE,
        Parameter(
            "k",
            "float",
            0.2,
            "Strictness (k)",
            "How far below an even ground objects must be, as a part of its grey value. Raise it "
            "when the ground is speckled.",
            minimum=0.0,
            maximum=10.0,
        ),
        Parameter(
            "r",
            "float",
            0.0,
            "Half of white (r)",
            "Half of the grey value of white. With 0 it is half of the image's largest value.",
            minimum=0.0,
            maximum=_LARGEST,
            advanced=True,
        ),
        replace(_OBJECTS, default="dark"),
    ),
    halo=_window_halo,
    help="Marks dark objects on an uneven, stained ground, such as text on an old page. The "
    "threshold is near the local mean where there is contrast, and far from it elsewhere.",
    reference="Sauvola J, Pietikäinen M (2000). Adaptive document image binarization. Pattern "
    "Recognition 33(2), 225-236.",
    term="Sauvola threshold",
)

NIBLACK = _declared(
    _window_need,
    name="niblack",
    title="Niblack",
    function=volume_thresholds.niblack,
    parameters=(
        _WINDOW_SIZE,
        Parameter(
            "k",
            "float",
            0.2,
            "Deviations (k)",
            "How many standard deviations of their neighbourhood objects stand out.",
            minimum=-100.0,
            maximum=100.0,
        ),
        _OBJECTS,
    ),
    halo=_window_halo,
    help="Marks what differs from the mean of its neighbourhood by some of its standard "
    "deviations. Faint objects are found as well as clear ones, and so is noise on an even ground.",
    reference="Niblack W (1986). An introduction to digital image processing. Prentice-Hall.",
    term="Niblack threshold",
)

THRESHOLD_OTSU = _declared(
    by_voxel(2, 6e-9),
    name="threshold_otsu",
    title="Otsu threshold",
    function=volume_thresholds.threshold_otsu,
    parameters=(),
    help="Marks the voxels brighter than the value that best separates the image into a dark "
    "and a bright class. Several channels give one mask a channel, each with its own value.",
    reference=_OTSU,
)

THRESHOLDS = (
    THRESHOLD,
    MULTI_OTSU,
    THRESHOLD_BETWEEN,
    THRESHOLD_HYSTERESIS,
    THRESHOLD_LOCAL,
    SAUVOLA,
    NIBLACK,
    THRESHOLD_OTSU,
)
"""All of them; the first one gives the panel its name."""
