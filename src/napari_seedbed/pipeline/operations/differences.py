"""Operations on two images of one scene, or on the time points of a series: what differs."""

from functools import partial

from napari_seedbed.pipeline.engine.declarations import (
    Lengths,
    Need,
    Operation,
    Reach,
    SecondImage,
    Size,
    Values,
)
from napari_seedbed.pipeline.operations.difference_parameters import (
    CHANNELS,
    FINDING,
    FRAMES,
    MODE,
    OUTPUTS,
    match,
    register,
)
from napari_seedbed.pipeline.operations.difference_runs import (
    changes_along_series,
    changes_between_images,
    difference_along_series,
    difference_of_images,
)
from napari_seedbed.pipeline.operations.families import image_filter

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


def _difference_need(size: Size, parameters: Values) -> Need:
    seconds, searched = _SEARCHES[parameters["register"]]
    if len(size.shape) == 3:
        # nothing is turned
        seconds, searched = min(seconds, 2e-6), min(searched, 110)
    each = 3e-8 + _MATCHES[parameters["match"]] + (1e-7 if seconds else 0)
    window = 0
    if parameters["mode"] == "similarity":
        each, window = each + 2.5e-7, 140
    return Need(
        size.voxels * max(searched, window, 35 + 25 * size.n_channels),
        size.voxels * (seconds + size.n_channels * each),
    )


def _changes_need(size: Size, parameters: Values) -> Need:
    need = _difference_need(size, parameters)
    each = 0.0 if parameters["mode"] == "similarity" else 1.5e-7
    more = size.n_channels * each + 1e-7
    return Need(need.bytes + 20 * size.voxels, need.seconds + size.voxels * more)


def _own_pixel(spacing: Lengths, parameters: Values) -> Reach:
    """Registration, matching, and the values for 0 and the largest, depend on all voxels."""
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

_difference = partial(
    image_filter,
    group="Differences",
    channels="joint",
    estimate=_difference_need,
    reference=_WANG,
)
_changes = partial(
    Operation,
    menu="napari/layers/segment",
    group="Differences",
    channels="joint",
    gives="mask",
    estimate=_changes_need,
    reference=_THEILER,
    term="change detection",
    panel=PANEL,
)

IMAGE_DIFFERENCE = _difference(
    name="image_difference",
    title="Difference of two images",
    function=difference_of_images,
    parameters=(MODE, CHANNELS, register("none"), match("none")),
    other=SecondImage(),
    halo=_own_pixel,
    help="Gives the first image minus a second one of the same size, or their ratio or structural "
    "similarity, after the second one is registered to the first and its intensities matched, if "
    "wanted.",
    term="image subtraction",
    core_names=_PAIR,
)

CHANGES = _changes(
    name="changes",
    title="Changes between two images",
    function=changes_between_images,
    parameters=(MODE, CHANNELS, register("auto"), match("robust"), *FINDING, *OUTPUTS),
    other=SecondImage(),
    help="Marks, boxes and lists what has changed between two images of one scene, beyond what "
    "noise, another illumination, or a small move explain.",
    core_names=_PAIR,
)

SERIES_DIFFERENCE = _difference(
    name="series_difference",
    title="Differences along a series",
    function=difference_along_series,
    parameters=(*FRAMES, MODE, CHANNELS, register("none"), match("none")),
    scope="whole",
    help="Gives each time point minus the one before, or minus one time point for all, as "
    "'Difference of two images' does.",
    term="frame differencing",
    core_names=_SERIES,
)

SERIES_CHANGES = _changes(
    name="series_changes",
    title="Changes along a series",
    function=changes_along_series,
    parameters=(*FRAMES, MODE, CHANNELS, register("auto"), match("robust"), *FINDING, *OUTPUTS),
    scope="whole",
    help="Marks, boxes and lists what has changed at each time point since the one before, or "
    "since one time point for all, as 'Changes between two images' does.",
    core_names=_SERIES,
)

DIFFERENCES = (IMAGE_DIFFERENCE, CHANGES, SERIES_DIFFERENCE, SERIES_CHANGES)
