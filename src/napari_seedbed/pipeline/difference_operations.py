"""Operations on two images of one scene, or on the time points of a series: what differs."""

import math
from collections.abc import Mapping
from typing import Any

from napari_seedbed.pipeline.declarations import Need, Operation
from napari_seedbed.pipeline.difference_parameters import (
    CHANNELS,
    FINDING,
    FRAMES,
    MODE,
    OUTPUTS,
    match,
    register,
)
from napari_seedbed.pipeline.difference_runs import (
    changes_along_series,
    changes_between_images,
    difference_along_series,
    difference_of_images,
)

PANEL = "differences"

_PAIR = {
    "a": "image",
    "b": "other",
    "reference": "image",
    "moving": "other",
    "kind": "register",
}
_SERIES = {**_PAIR, "b": "image", "moving": "image"}

# Measured, for a megapixel and for a volume of 60 x 200 x 200, on two cores: seconds and bytes a
# voxel that a registration takes.
_SEARCHES = {
    "none": (0.0, 0),
    "shift": (1.2e-6, 80),
    "auto": (5e-6, 300),
    "rotation": (4e-6, 260),
    "similarity": (4e-6, 260),
}
_MATCHES = {"none": 0.0, "robust": 5e-8, "mean_std": 2e-8, "percentiles": 5e-8, "histogram": 1.3e-7}


def _difference_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    seconds, searched = _SEARCHES[parameters["register"]]
    if len(shape) == 3:
        # nothing is turned
        seconds, searched = min(seconds, 2e-6), min(searched, 110)
    each = 3e-8 + _MATCHES[parameters["match"]] + (1e-7 if seconds else 0)
    window = 0
    if parameters["mode"] == "similarity":
        each, window = each + 2.5e-7, 140
    return Need(
        voxels * max(searched, window, 35 + 25 * n_channels),
        voxels * (seconds + n_channels * each),
    )


def _changes_need(
    shape: tuple[int, ...], n_labels: int, n_channels: int, parameters: Mapping[str, Any]
) -> Need:
    voxels = math.prod(shape)
    need = _difference_need(shape, n_labels, n_channels, parameters)
    each = 0.0 if parameters["mode"] == "similarity" else 1.5e-7
    return Need(need.bytes + 20 * voxels, need.seconds + voxels * (n_channels * each + 1e-7))


def _own_pixel(spacing: tuple[float, ...], parameters: Mapping[str, Any]) -> tuple[int, ...] | None:
    """Registration, matching, and what counts as 0 or as the largest value, tell all voxels."""
    is_local = parameters["register"] == parameters["match"] == "none"
    is_local &= parameters["mode"] in ("signed", "absolute")
    return (0,) * len(spacing) if is_local else None


_WANG = (
    "Wang Z, Bovik AC, Sheikh HR, Simoncelli EP (2004). Image quality assessment: from error "
    "visibility to structural similarity. IEEE Transactions on Image Processing 13(4), 600-612."
)
_THEILER = (
    "Theiler J, Wohlberg B (2012). Local coregistration adjustment for anomalous change "
    "detection. IEEE Transactions on Geoscience and Remote Sensing 50(8), 3107-3116."
)

IMAGE_DIFFERENCE = Operation(
    name="image_difference",
    group="Differences",
    title="Difference of two images",
    menu="napari/layers/filter",
    function=difference_of_images,
    parameters=(MODE, CHANNELS, register("none"), match("none")),
    takes=("image", "other"),
    gives="image",
    ndim=(2, 3),
    channels="joint",
    estimate=_difference_need,
    halo=_own_pixel,
    help="Gives the first image minus a second one of the same size, or their ratio or structural "
    "similarity, after the second one was moved onto the first and its light matched, if wanted.",
    reference=_WANG,
    term="image subtraction",
    core_names=_PAIR,
)

CHANGES = Operation(
    name="changes",
    group="Differences",
    title="Changes between two images",
    menu="napari/layers/segment",
    function=changes_between_images,
    parameters=(MODE, CHANNELS, register("auto"), match("robust"), *FINDING, *OUTPUTS),
    takes=("image", "other"),
    gives="mask",
    ndim=(2, 3),
    channels="joint",
    estimate=_changes_need,
    help="Marks, boxes and lists what has changed between two images of one scene, beyond what "
    "noise, other light, or a small move explain.",
    reference=_THEILER,
    term="change detection",
    extra_outputs=("shapes", "table", "difference"),
    panel=PANEL,
    core_names=_PAIR,
)

SERIES_DIFFERENCE = Operation(
    name="series_difference",
    group="Differences",
    title="Differences along a series",
    menu="napari/layers/filter",
    function=difference_along_series,
    parameters=(*FRAMES, MODE, CHANNELS, register("none"), match("none")),
    takes=("image",),
    gives="image",
    ndim=(2, 3),
    channels="joint",
    estimate=_difference_need,
    whole=True,
    help="Gives each time point minus the one before, or minus one time point for all, as "
    "'Difference of two images' does.",
    reference=_WANG,
    term="frame differencing",
    core_names=_SERIES,
)

SERIES_CHANGES = Operation(
    name="series_changes",
    group="Differences",
    title="Changes along a series",
    menu="napari/layers/segment",
    function=changes_along_series,
    parameters=(*FRAMES, MODE, CHANNELS, register("auto"), match("robust"), *FINDING, *OUTPUTS),
    takes=("image",),
    gives="mask",
    ndim=(2, 3),
    channels="joint",
    estimate=_changes_need,
    whole=True,
    help="Marks, boxes and lists what has changed at each time point since the one before, or "
    "since one time point for all, as 'Changes between two images' does.",
    reference=_THEILER,
    term="change detection",
    extra_outputs=("shapes", "table", "difference"),
    panel=PANEL,
    core_names=_SERIES,
)

DIFFERENCES = (IMAGE_DIFFERENCE, CHANGES, SERIES_DIFFERENCE, SERIES_CHANGES)
