"""The parameters that operations on differences share."""

from napari_seedbed.pipeline.filter_operations import length
from napari_seedbed.pipeline.parameters import Parameter

_MODE_TITLES = {
    "signed": "First - second",
    "absolute": "Its size (absolute)",
    "ratio": "First / second (ratio)",
    "similarity": "Structural similarity",
}

MODE = Parameter(
    "mode",
    "choice",
    "signed",
    "Difference",
    "First image minus second, never wrapped around; the size of that; first over second; or how "
    "alike the structure around each pixel is, from -1 to 1 (the same).",
    choices=tuple(_MODE_TITLES),
    choice_labels=tuple(_MODE_TITLES.values()),
)

CHANNELS = Parameter(
    "channels",
    "choice",
    "each",
    "Compare by",
    "Whether each channel is compared with its like, or the mean of the channels (grey).",
    choices=("each", "mean"),
    choice_labels=("Each channel", "Their mean (grey)"),
)

_REGISTER_TITLES = {
    "none": "No",
    "auto": "As needed",
    "shift": "Shift",
    "rotation": "Shift, turn (2D)",
    "similarity": "Shift, turn, scale (2D)",
}


def register(default: str) -> Parameter:
    """How the second image is brought onto the first."""
    return Parameter(
        "register",
        "choice",
        default,
        "Register",
        "How the second image is moved onto the first one before they are compared, to parts of a "
        "pixel. 'As needed' moves only what clearly does not lie on the other, and turns "
        "only what a shift does not explain.",
        choices=tuple(_REGISTER_TITLES),
        choice_labels=tuple(_REGISTER_TITLES.values()),
    )


_MATCH_TITLES = {
    "none": "No",
    "robust": "By what stays",
    "mean_std": "By mean, deviation",
    "percentiles": "By percentiles",
    "histogram": "By the histogram",
}


def match(default: str) -> Parameter:
    """How intensities of the second image are brought to those of the first."""
    return Parameter(
        "match",
        "choice",
        default,
        "Match light",
        "How other light is taken out of the second image: by the gain and the offset that most "
        "pixels agree on, or that make mean and deviation (or the 1st and 99th percentile) equal, "
        "or by a curve that makes the histograms equal.",
        choices=tuple(_MATCH_TITLES),
        choice_labels=tuple(_MATCH_TITLES.values()),
    )


FRAMES = (
    Parameter(
        "against",
        "choice",
        "previous",
        "Compared with",
        "Each time point is compared with the one before (the first one with itself), or with one "
        "of a number.",
        choices=("previous", "frame"),
        choice_labels=("The time point before", "One time point"),
    ),
    Parameter(
        "frame",
        "int",
        0,
        "Time point",
        "Number of the time point that all others are compared with, counted from 0.",
        minimum=0,
        maximum=1e9,
        only_with=("against", ("frame",)),
    ),
)

FINDING = (
    Parameter(
        "n_mads",
        "float",
        6.0,
        "Threshold (× noise)",
        "How many standard deviations of the noise a change must be beyond. The noise is told by "
        "the median absolute deviation, which changes hardly sway.",
        minimum=0.0,
        maximum=1000.0,
    ),
    Parameter(
        "min_contrast",
        "float",
        0.05,
        "Least contrast",
        "Which share of the images' contrast, from 0 to 1, a change must be beyond as well: where "
        "there is no noise, every trace of compression would count otherwise.",
        minimum=0.0,
        maximum=1.0,
        advanced=True,
    ),
    Parameter(
        "min_size",
        "float",
        12.0,
        "Least size",
        "Changes of a smaller area (2D) or volume (3D) beyond the threshold are left out.",
        minimum=0.0,
        maximum=1e12,
        unit="physical_size",
        in_voxels=True,
    ),
    length(
        "max_gap",
        5.0,
        "Largest gap",
        "Pieces that are no farther apart are one change.",
        advanced=True,
    ),
    length(
        "tolerance",
        1.0,
        "Tolerance of place",
        "How far a detail may have moved without being a change: it forgives edges that were "
        "sampled anew. 0 compares pixel with pixel. Not for structural similarity.",
        advanced=True,
    ),
)

OUTPUTS = (
    Parameter("shapes", "bool", True, "Boxes", "Also give a box around each change."),
    Parameter(
        "table",
        "bool",
        True,
        "List",
        "Also give a table: place, size, mean and extreme difference of each change.",
    ),
    Parameter(
        "difference",
        "bool",
        False,
        "Difference",
        "Also give the difference itself; of several channels the one that differs most.",
    ),
)
