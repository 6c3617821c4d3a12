"""From probabilities of colours to masks, labels and pictures."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.colour.colour_spaces import check_colour_image
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.validation import (
    check_image,
    check_labels,
    check_number,
    check_small_labels,
)
from napari_seedbed.errors import InputError

Background = Literal["black", "grey", "white"]
BACKGROUNDS: tuple[Background, ...] = get_args(Background)

LEVELS = (0.2, 0.4, 0.6, 0.8)
"""Levels of probability that are compared side by side."""


def most_probable(labels: Any, probabilities: Any, threshold: float = 0.5) -> NDArray[np.int32]:
    """Return for each pixel the label of the largest probability.

    Parameters
    ----------
    labels : (K,) array_like of int
        Labels of the classes.
    probabilities : (K, …) ndarray
        One map a class, from 0 to 1.
    threshold : float
        A pixel whose largest probability is below this, or is 0, belongs to no class.

    Returns
    -------
    (…) ndarray of int32
        0 for no class. Of equally probable classes, the first.

    Raises
    ------
    InputError
        If there are not as many labels as maps.
    """
    maps = check_image(probabilities, "probabilities", allow_bool=False)
    names = check_small_labels(labels)
    least = check_number(threshold, "threshold")
    if names.ndim != 1 or maps.ndim < 2 or len(names) != len(maps):
        raise InputError(
            f"labels have the shape {names.shape} and probabilities {maps.shape}; there must be as "
            "many labels as maps."
        )
    out = np.empty(maps.shape[1:], np.int32)

    def work(slab: Slab) -> None:
        best = maps[0][slab].copy()
        winner = np.full(best.shape, names[0])
        for name, values in zip(names[1:], maps[1:], strict=True):
            better = values[slab] > best
            best[better] = values[slab][better]
            winner[better] = name
        winner[(best < least) | (best <= 0)] = 0
        out[slab] = winner

    in_slabs(work, out.shape)
    return out


def masks_at_levels(probability: Any, levels: Sequence[float] = LEVELS) -> NDArray[np.bool_]:
    """Return which pixels reach each level of probability, for a look side by side.

    Parameters
    ----------
    probability : ndarray
        Probabilities from 0 to 1, of any shape.
    levels : sequence of float
        Levels above 0, up to 1.

    Returns
    -------
    (number of levels, …) ndarray of bool

    Raises
    ------
    InputError
        If a level is not above 0 and at most 1.
    """
    values = check_image(probability, "probability", allow_bool=False)
    if not len(levels):
        raise InputError("levels are empty; there must be at least one.")
    checked = [check_number(level, "levels", allow_zero=False) for level in levels]
    if max(checked) > 1:
        raise InputError(f"levels must be at most 1; got {tuple(levels)}.")
    return np.stack([values >= level for level in checked])


def colour_composite(
    image: Any, mask: Any, channel_axis: int | None = -1, *, background: str = "grey"
) -> NDArray[Any]:
    """Return an image in colour where the mask is, and without colour elsewhere.

    Parameters
    ----------
    image : (…, C[, …]) array_like
        Image of at least two channels.
    mask : ndarray of bool or int
        True (above 0) where colour stays, of the image's shape without its channels.
    channel_axis : int
        Axis of the channels.
    background : {'grey', 'black', 'white'}
        What is elsewhere: the mean of the channels, 0, or the image's largest value.

    Returns
    -------
    ndarray
        Of the image's shape and type.

    Raises
    ------
    InputError
        If the mask has another shape, or `background` is none of these.
    """
    pixels, axis = check_colour_image(image, channel_axis)
    shape = pixels.shape[:-1]
    inside = check_labels(mask, shape, "mask") > 0
    if background not in BACKGROUNDS:
        raise InputError(
            f"background must be one of {', '.join(map(repr, BACKGROUNDS))}; got {background!r}."
        )
    out = np.empty(np.moveaxis(pixels, -1, axis).shape, pixels.dtype)
    painted = np.moveaxis(out, axis, -1)
    flat = pixels.max() if background == "white" else pixels.dtype.type(0)

    def work(slab: Slab) -> None:
        colours = pixels[slab]
        if background == "grey":
            grey = colours.mean(axis=-1, dtype=np.float64)
            if out.dtype.kind in "iu":
                # The largest numbers of 64 bits are one less than what they round to.
                most = np.nextafter(2.0 ** np.iinfo(out.dtype).max.bit_length(), 0)
                grey = np.minimum(np.rint(grey), most)
            elsewhere = grey.astype(out.dtype)[..., np.newaxis]
        else:
            elsewhere = flat
        painted[slab] = np.where(inside[slab][..., np.newaxis], colours, elsewhere)

    in_slabs(work, shape)
    return out


def class_labels(classes: Any) -> list[int]:
    """Return the labels of classes of colours: Gaussians, or histograms by their labels.

    Parameters
    ----------
    classes : sequence of ColourGaussian, or dict
    """
    return list(classes) if isinstance(classes, dict) else [one.label for one in classes]


def maps_of_labels(
    maps: NDArray[Any], labels: Sequence[int], every: Sequence[int], count: int = 1
) -> NDArray[Any]:
    """Return maps in the places of their labels, 0 for labels that have none.

    Parameters
    ----------
    maps : (K * count, …) ndarray
        So many maps for each label.
    labels : sequence of K ints
    every : sequence of N ints
        All labels that there are places for.
    count : int

    Returns
    -------
    (N * count, …) ndarray
    """
    found = np.zeros((len(every) * count, *maps.shape[1:]), maps.dtype)
    order = list(every)
    for nth, label in enumerate(labels):
        place = order.index(label) * count
        found[place : place + count] = maps[nth * count : (nth + 1) * count]
    return found
