"""The parameters that operations on colours share."""

from collections.abc import Callable

from napari_seedbed.pipeline.parameters import Parameter

THRESHOLD = Parameter(
    "threshold",
    "float",
    0.5,
    "Threshold",
    "Pixels of this probability or more belong to the mask, and to the label of their most "
    "probable class.",
    minimum=0.0,
    maximum=1.0,
)
COLOURLESS = (
    Parameter(
        "black_level",
        "float",
        0.0,
        "Black level",
        "Pixels whose channels have this mean or less are black: they are not learnt from, and "
        "come out as 0. Raise it where the colours of dark pixels are noise.",
        minimum=0.0,
        maximum=1e9,
        advanced=True,
    ),
    Parameter(
        "saturation_level",
        "float",
        0.0,
        "Saturation level",
        "Pixels with a channel at this value or above (255 of 8 bits) have lost their colour and "
        "are treated as black ones. 0: the colour of their clipped values counts.",
        minimum=0.0,
        maximum=1e9,
        advanced=True,
    ),
)

MIN_SATURATION = Parameter(
    "min_saturation",
    "float",
    0.05,
    "Least saturation",
    "Pixels greyer than this (in HSV, from 0 to 1) have no hue and come out as 0; for the space "
    "'hue' only.",
    minimum=0.0,
    maximum=1.0,
    advanced=True,
)


def space(*names: str) -> tuple[Parameter, ...]:
    """The colour space, one of these, and the pair of channels that it may need."""
    titles = {
        "rg": "Chromaticities (r and g)",
        "hue": "Hue",
        "hue_saturation": "Hue and saturation",
        "channels": "Values of two channels",
    }
    channel = "Which channel is the {} coordinate, counted from 1; for chromaticities and values."
    return (
        Parameter(
            "space",
            "choice",
            "rg",
            "Colour space",
            "What is told of a pixel's colour: channels over the sum of all, hue, hue and "
            "saturation (of red, green and blue), or values of channels, brightness included.",
            choices=names,
            choice_labels=tuple(titles[name] for name in names),
        ),
        Parameter(
            "channel_1",
            "int",
            1,
            "First channel",
            channel.format("first"),
            minimum=1,
            maximum=10_000,
            advanced=True,
        ),
        Parameter(
            "channel_2",
            "int",
            2,
            "Second channel",
            channel.format("second"),
            minimum=1,
            maximum=10_000,
            advanced=True,
        ),
    )


def colours(check: Callable[[str], object]) -> Parameter:
    """What was learnt from patches, as a text that `check` can read."""
    return Parameter(
        "colours",
        "text",
        "",
        "Reference colours",
        "What was learnt from patches, as numbers, instead of patches: it holds for other images "
        "of any size. The panel writes it.",
        advanced=True,
        check_text=check,
    )


MASK = Parameter("mask", "bool", False, "Mask", "Also give the pixels that reach the threshold.")
LABELS = Parameter(
    "labels",
    "bool",
    False,
    "Labels",
    "Also give the most probable class of each pixel that reaches the threshold.",
)
PROBABILITIES = Parameter(
    "probabilities",
    "bool",
    False,
    "Probability of each class",
    "Also give one image a class; the main one has the largest of them.",
)
COORDINATES = Parameter(
    "coordinates",
    "bool",
    False,
    "Probability of each coordinate",
    "Also give how probable each coordinate is by itself, as r and g of an RGB image.",
)
COMPOSITE = Parameter(
    "composite",
    "bool",
    False,
    "Masked colour composite",
    "Also give the image with colour only inside the mask.",
)
BACKGROUND = Parameter(
    "background",
    "choice",
    "grey",
    "Outside the mask",
    "What the composite shows outside of the mask.",
    choices=("grey", "black", "white"),
    choice_labels=("Grey values", "Black", "White"),
    advanced=True,
)
