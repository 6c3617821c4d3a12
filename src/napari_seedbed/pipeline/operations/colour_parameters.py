"""The parameters that operations on colours share."""

from collections.abc import Callable

from napari_seedbed.pipeline.engine.parameters import (
    Parameter,
    choice,
    number,
    output,
    text,
    whole_number,
)

THRESHOLD = number(
    "threshold",
    0.5,
    "Threshold",
    "Pixels of this probability or more belong to the mask, and to the label of their most "
    "probable class.",
    (0.0, 1.0),
)
COLOURLESS = (
    number(
        "black_level",
        0.0,
        "Black level",
        "Pixels whose channels have this mean or less are black: they are not learnt from, and "
        "come out as 0. Raise it where the colours of dark pixels are noise.",
        (0.0, 1e9),
        advanced=True,
    ),
    number(
        "saturation_level",
        0.0,
        "Saturation level",
        "Pixels with a channel at this value or above (255 of 8 bits) have lost their colour and "
        "are treated as black ones. 0: the colour of their clipped values counts.",
        (0.0, 1e9),
        advanced=True,
    ),
)

MIN_SATURATION = number(
    "min_saturation",
    0.05,
    "Minimum saturation",
    "Pixels greyer than this (in HSV, from 0 to 1) have no hue and come out as 0; for the space "
    "'hue' only.",
    (0.0, 1.0),
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
        choice(
            "space",
            "Colour space",
            "How colours are described: channels over the sum of all, hue, hue and saturation (of "
            "red, green and blue), or values of channels, brightness included.",
            {name: titles[name] for name in names},
        ),
        whole_number(
            "channel_1", 1, "First channel", channel.format("first"), (1, 10_000), advanced=True
        ),
        whole_number(
            "channel_2", 2, "Second channel", channel.format("second"), (1, 10_000), advanced=True
        ),
    )


def colours(check: Callable[[str], object]) -> Parameter:
    """What was learnt from patches, as a text that `check` can read."""
    return text(
        "colours",
        "",
        "Reference colours",
        "What was learnt from patches, as numbers, instead of patches: it holds for other images "
        "of any size. The panel writes it.",
        advanced=True,
        check_text=check,
    )


MASK = output("mask", False, "Mask", "Also give the pixels that reach the threshold.")
LABELS = output(
    "labels",
    False,
    "Labels",
    "Also give the most probable class of each pixel that reaches the threshold.",
)
PROBABILITIES = output(
    "probabilities",
    False,
    "Probability of each class",
    "Also give one image a class; the main one has the largest of them.",
)
COORDINATES = output(
    "coordinates",
    False,
    "Probability of each coordinate",
    "Also give how probable each coordinate is by itself, as r and g of an RGB image.",
)
COMPOSITE = output(
    "composite",
    False,
    "Masked colour composite",
    "Also give the image with colour only inside the mask.",
)
BACKGROUND = choice(
    "background",
    "Outside the mask",
    "What the composite shows outside of the mask.",
    {"grey": "Grey values", "black": "Black", "white": "White"},
    advanced=True,
)
