"""The parameters that operations on differences share."""

from napari_seedbed.pipeline.engine.parameters import (
    Parameter,
    choice,
    number,
    output,
    whole_number,
)
from napari_seedbed.pipeline.operations.shared_parameters import length, size

_MODE_TITLES = {
    "signed": "First - second",
    "absolute": "Absolute",
    "ratio": "Ratio",
    "similarity": "Similarity (SSIM)",
}

MODE = choice(
    "mode",
    "Difference",
    "First image minus second, never wrapped around; the size of that; first over second; or how "
    "alike the structure around each pixel is, from -1 to 1 (the same).",
    _MODE_TITLES,
)

CHANNELS = choice(
    "channels",
    "Compare channels",
    "Whether each channel is compared with its like, or the mean of the channels (grey).",
    {"each": "Each channel", "mean": "Their mean (grey)"},
)

_REGISTER_TITLES = {
    "none": "None",
    "auto": "Automatic",
    "shift": "Translation",
    "rotation": "Rigid (2D)",
    "similarity": "Similarity (2D)",
}


def register(default: str) -> Parameter:
    """How the second image is brought onto the first."""
    return choice(
        "register",
        "Registration",
        "How the second image is moved onto the first one before they are compared, to parts of a "
        "pixel: by a shift, by a shift and a rotation (rigid), or by these and a scale "
        "(similarity). Automatic moves only what clearly does not lie on the other, and rotates "
        "only what a shift does not explain.",
        _REGISTER_TITLES,
        default,
    )


_MATCH_TITLES = {
    "none": "None",
    "robust": "Robust",
    "mean_std": "Mean and std",
    "percentiles": "Percentiles",
    "histogram": "Histogram",
}


def match(default: str) -> Parameter:
    """How intensities of the second image are brought to those of the first."""
    return choice(
        "match",
        "Match intensities",
        "How another illumination of the second image is corrected: by the gain and the offset "
        "that most pixels agree on, or that make mean and deviation (or the 1st and 99th "
        "percentile) equal, or by a curve that makes the histograms equal.",
        _MATCH_TITLES,
        default,
    )


FRAMES = (
    choice(
        "against",
        "Reference",
        "Each time point is compared with the one before (the first one with itself), or with one "
        "of a number.",
        {"previous": "Previous time point", "frame": "Fixed time point"},
    ),
    whole_number(
        "frame",
        0,
        "Time point",
        "Number of the time point that all others are compared with, counted from 0.",
        (0, 1e9),
        only_with=("against", ("frame",)),
    ),
)

FINDING = (
    number(
        "n_mads",
        6.0,
        "Threshold (× noise)",
        "How many standard deviations of the noise a change must exceed. The noise is estimated by "
        "the median absolute deviation, which changes hardly affect.",
        (0.0, 1000.0),
    ),
    number(
        "min_contrast",
        0.05,
        "Minimum contrast",
        "Which share of the images' contrast, from 0 to 1, a change must be beyond as well: where "
        "there is no noise, every trace of compression would count otherwise.",
        (0.0, 1.0),
        advanced=True,
    ),
    size(
        "min_size",
        12.0,
        "Minimum size",
        "Changes of a smaller area (2D) or volume (3D) beyond the threshold are left out.",
        maximum=1e12,
    ),
    length(
        "max_gap",
        5.0,
        "Maximum gap",
        "Pieces that are no farther apart are one change.",
        advanced=True,
    ),
    length(
        "tolerance",
        1.0,
        "Position tolerance",
        "How far a detail may have moved without being a change: it forgives edges that were "
        "sampled anew. 0 compares pixel with pixel. Not for structural similarity.",
        advanced=True,
    ),
)

OUTPUTS = (
    output("shapes", True, "Bounding boxes", "Also give a box around each change."),
    output(
        "table",
        True,
        "Table of changes",
        "Also give a table: place, size, mean and extreme difference of each change.",
    ),
    output(
        "difference",
        False,
        "Difference",
        "Also give the difference itself; of several channels the one that differs most.",
    ),
)
