"""Operations that make masks and classes by grey values."""

import math
from dataclasses import replace
from functools import partial
from operator import add
from typing import Any

from napari_seedbed.core.threads import thread_count
from napari_seedbed.pipeline.engine.core_calls import CoreCall
from napari_seedbed.pipeline.engine.declarations import (
    Lengths,
    Need,
    Operation,
    Reach,
    Size,
    Values,
)
from napari_seedbed.pipeline.engine.parameters import Parameter, choice, number, whole_number
from napari_seedbed.pipeline.operations import volume_thresholds
from napari_seedbed.pipeline.operations.block_functions import BlockFunction
from napari_seedbed.pipeline.operations.costs import by_voxel, window_reach
from napari_seedbed.pipeline.operations.halos import gaussian_halo
from napari_seedbed.pipeline.operations.references import CANNY_1986
from napari_seedbed.pipeline.operations.shared_parameters import length, size

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


_CLEANING = (
    length(
        volume_thresholds.SMOOTHING,
        0.0,
        "Smoothing (sigma)",
        "Standard deviation of a Gaussian that smooths the image first, the same physical length "
        "along every axis; 0 leaves it as it is. Raise it where noise gives specks. Whole numbers "
        "stay whole.",
    ),
    size(
        volume_thresholds.SMALLEST,
        0.0,
        "Smallest size",
        "Connected pieces with a smaller area (2D) or volume (3D) are taken away; 0 keeps all.",
    ),
)
"""Parameters of all thresholds, for noisy images."""


def _threshold(**declared: Any) -> Operation:
    """An operation of the panel, with what is done before and after it."""
    halo, estimate = declared.pop("halo", _value_halo), declared.pop("estimate")
    function, parameters = declared.pop("function"), declared.pop("parameters")
    gives = declared.setdefault("gives", "mask")

    def whole_halo(spacing: Lengths, parameters: Values) -> Reach:
        own = (
            None
            if halo is None or parameters[volume_thresholds.SMALLEST]
            else halo(spacing, parameters)
        )
        if own is None:
            return None
        before = gaussian_halo(volume_thresholds.SMOOTHING)(spacing, parameters)
        assert before is not None
        return tuple(map(add, own, before)) if parameters[volume_thresholds.SMOOTHING] else own

    def whole_need(size: Size, parameters: Values) -> Need:
        need = estimate(size, parameters)
        smooths, sorts = (
            bool(parameters[name])
            for name in (volume_thresholds.SMOOTHING, volume_thresholds.SMALLEST)
        )
        return Need(
            need.bytes + (12 * smooths + 16 * sorts) * size.voxels,
            need.seconds + (4e-8 * smooths + 5e-8 * sorts) * size.voxels,
        )

    return Operation(
        **declared,
        menu="napari/layers/segment",
        group="Thresholds",
        panel=PANEL,
        function=volume_thresholds.cleaned(function, gives),
        parameters=(*parameters, *_CLEANING),
        halo=whole_halo,
        estimate=whole_need,
    )


def _value_halo(spacing: Lengths, parameters: Values) -> Reach:
    """One voxel is compared with a value; values of slices are found in whole slices."""
    in_slices = parameters["per"] == "slice" and parameters.get("method") != "manual"
    return None if in_slices else (0,) * len(spacing)


def _local_halo(spacing: Lengths, parameters: Values) -> Reach:
    from napari_seedbed.core.thresholds.local_thresholds import local_halo

    return local_halo(parameters["block_size"], spacing, parameters["method"])


def _local_need(size: Size, parameters: Values) -> Need:
    each = 1.5e-7
    if parameters["method"] == "median":
        # Rows of the window are what takes time.
        width = window_reach(size, parameters, "block_size") + 1
        each += 6e-9 * width ** (len(size.shape) - 1)
    return Need(5_000_000 + 20 * size.voxels, each * size.voxels)


_SLAB_VOXELS = 1 << 18


def _window_need(size: Size, parameters: Values) -> Need:
    # Slabs, one a thread, have a size of their own; the window reaches beyond them.
    reach = 2 * math.ceil(window_reach(size, parameters, "window_size") / 2)
    deep = min(size.shape[0], max(1, _SLAB_VOXELS // math.prod(size.shape[1:])))
    slabs = 20 * thread_count() * math.prod(n + reach for n in (deep, *size.shape[1:]))
    return Need(max(16_000_000, slabs) + 14 * size.voxels, 2e-7 * size.voxels)


def _window_halo(spacing: Lengths, parameters: Values) -> Reach:
    from napari_seedbed.core.thresholds.local_thresholds import local_halo

    return local_halo(parameters["window_size"], spacing)


_OBJECTS = choice(
    "objects",
    "Objects",
    "Whether the objects are bright or dark against what is around them.",
    {"light": "Bright", "dark": "Dark"},
)

_PER = choice(
    "per",
    "Threshold for each",
    "Where an automatic value is found: in each slice along z, in each volume (time point), or "
    "once in the whole series. Each channel has its own.",
    {"slice": "Slice", "volume": "Volume", "series": "Series"},
    default="volume",
)


def _grey_value(name: str, label: str, help: str) -> Parameter:
    return number(name, 0.0, label, help, (-_LARGEST, _LARGEST))


_TWO_VALUES = (
    choice(
        "method",
        "Values",
        "The two values that divide the image best into three classes, or values set by hand.",
        {"otsu": "Multi-Otsu (3 classes)", "manual": "Manual"},
    ),
    _grey_value("low", "Lower value", "The lower grey value, where values are set by hand."),
    _grey_value("high", "Upper value", "The upper grey value, where values are set by hand."),
)

_OTSU = (
    "Otsu N (1979). A threshold selection method from gray-level histograms. IEEE Transactions on "
    "Systems, Man, and Cybernetics 9(1), 62-66."
)


_window = partial(_threshold, estimate=_window_need, halo=_window_halo)

THRESHOLD = _threshold(
    name="threshold",
    title="Threshold",
    estimate=by_voxel(2, 6e-9),
    function=volume_thresholds.threshold,
    parameters=(
        choice(
            "method",
            "Method",
            "How the grey value is found that divides the image; manual: it is set by hand.",
            {"manual": "Manual", **METHOD_TITLES},
            default="otsu",
        ),
        _grey_value("value", "Value", "The grey value, where it is set by hand."),
        _OBJECTS,
        _PER,
    ),
    help="Marks the voxels above a grey value, or those that are not. The value is set by hand, or "
    "found in the histogram, in which every voxel counts.",
    reference="Sezgin M, Sankur B (2004). Survey over image thresholding techniques and "
    "quantitative performance evaluation. Journal of Electronic Imaging 13(1), 146-165. Otsu's "
    f"method: {_OTSU}",
    term="global threshold",
)

MULTI_OTSU = _threshold(
    name="multi_otsu",
    title="Multi-Otsu (several classes)",
    estimate=by_voxel(6, 1.5e-8),
    gives="labels",
    function=volume_thresholds.multi_otsu,
    parameters=(
        whole_number(
            "classes",
            3,
            "Classes",
            "Into how many classes of grey values the image is divided.",
            (2, 255),
        ),
        _OBJECTS,
        _PER,
    ),
    help="Divides the image into classes of grey values that are as even as can be. The darkest "
    "class is 0, or the brightest one where objects are dark.",
    reference="Liao PS, Chen TS, Chung PC (2001). A fast algorithm for multilevel thresholding. "
    "Journal of Information Science and Engineering 17(5), 713-727.",
    term="multi-Otsu threshold",
)

THRESHOLD_BETWEEN = _threshold(
    name="threshold_between",
    title="Between two values",
    estimate=by_voxel(3, 8e-9),
    function=volume_thresholds.threshold_between,
    parameters=(
        *_TWO_VALUES,
        choice(
            "objects",
            "Objects",
            "Whether the objects lie between the two values or outside.",
            {"between": "Between them", "outside": "Outside"},
        ),
        _PER,
    ),
    help="Marks the voxels above a lower and not above an upper grey value, or all others.",
    reference=_OTSU,
    term="band threshold",
)

THRESHOLD_HYSTERESIS = _threshold(
    name="threshold_hysteresis",
    title="Hysteresis",
    estimate=by_voxel(12, 4e-8),
    function=volume_thresholds.threshold_hysteresis,
    parameters=(*_TWO_VALUES, _OBJECTS, _PER),
    halo=None,
    in_blocks=BlockFunction("hysteresis_in_blocks", "threshold_hysteresis"),
    help="Marks what passes the easier of two values as far as it is connected to what passes the "
    "harder one: faint parts of clear objects stay, and faint noise does not.",
    reference=CANNY_1986,
    term="hysteresis threshold",
)

THRESHOLD_LOCAL = _threshold(
    name="threshold_local",
    title="Local threshold",
    function=CoreCall("threshold_local", volume_thresholds.own_parameters),
    estimate=_local_need,
    parameters=(
        length(
            "block_size",
            35.0,
            "Block size",
            "Width of the neighbourhood, the same physical length along every axis. Take it wider "
            "than the objects.",
        ),
        choice(
            "method",
            "Compared with",
            "What a voxel is compared with: the mean of its neighbourhood, in which near voxels "
            "count most (Gaussian) or all the same, or the median.",
            {"gaussian": "Gaussian mean", "mean": "Mean", "median": "Median"},
        ),
        _grey_value(
            "offset",
            "Offset",
            "How much brighter or darker than their neighbourhood objects must be, in grey values. "
            "Raise it when the background is speckled.",
        ),
        _OBJECTS,
    ),
    halo=_local_halo,
    help="Marks what is brighter, or darker, than its neighbourhood. For uneven illumination.",
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

SAUVOLA = _window(
    name="sauvola",
    title="Sauvola",
    function=CoreCall("threshold_sauvola", volume_thresholds.sauvola_arguments),
    parameters=(
        _WINDOW_SIZE,
        number(
            "k",
            0.2,
            "Parameter k",
            "How far below an even background objects must be, as a part of its grey value. Raise "
            "it when the background is speckled.",
            (0.0, 10.0),
        ),
        number(
            "r",
            0.0,
            "Dynamic range (r)",
            "Dynamic range of the standard deviation, half of the grey value of white. With 0 it "
            "is half of the image's largest value.",
            (0.0, _LARGEST),
            advanced=True,
        ),
        replace(_OBJECTS, default="dark"),
    ),
    help="Marks dark objects on an uneven, stained background, such as text on an old page. The "
    "threshold is near the local mean where there is contrast, and far from it elsewhere.",
    reference="Sauvola J, Pietikäinen M (2000). Adaptive document image binarization. Pattern "
    "Recognition 33(2), 225-236.",
    term="Sauvola threshold",
)

NIBLACK = _window(
    name="niblack",
    title="Niblack",
    function=CoreCall("threshold_niblack", volume_thresholds.own_parameters),
    parameters=(
        _WINDOW_SIZE,
        number(
            "k",
            0.2,
            "Parameter k",
            "How many standard deviations of their neighbourhood objects stand out.",
            (-100.0, 100.0),
        ),
        _OBJECTS,
    ),
    help="Marks what differs from the mean of its neighbourhood by some of its standard "
    "deviations. Faint objects are found as well as clear ones, and so is noise on an even "
    "background.",
    reference="Niblack W (1986). An introduction to digital image processing. Prentice-Hall.",
    term="Niblack threshold",
)

THRESHOLDS = (
    THRESHOLD,
    MULTI_OTSU,
    THRESHOLD_BETWEEN,
    THRESHOLD_HYSTERESIS,
    THRESHOLD_LOCAL,
    SAUVOLA,
    NIBLACK,
)
"""All of them; the first one gives the panel its name."""
