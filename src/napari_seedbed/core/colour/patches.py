"""Reference patches: the marked pixels that show what colour is looked for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.colour.colour_spaces import check_colour_image
from napari_seedbed.core.label_values import label_values
from napari_seedbed.core.validation import check_small_labels
from napari_seedbed.errors import InputError


def check_patch(patch_mask: Any, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return a patch as a mask of the image's spatial shape.

    Whole numbers count as inside where they are above 0. Raises `InputError` if it marks nothing
    or has another shape.
    """
    array = _check_shape(patch_mask, shape, "patch_mask")
    mask: NDArray[np.bool_] = array > 0
    if not mask.any():
        raise InputError(
            "patch_mask marks no pixel of the image; mark some of the wanted colour, inside the "
            "image."
        )
    return mask


def check_patches(
    patch_labels: Any, shape: tuple[int, ...]
) -> tuple[NDArray[np.integer], NDArray[np.int32]]:
    """Return labelled patches of the image's spatial shape, and which labels above 0 they have.

    Raises `InputError` if there are none or the shape is another.
    """
    array = _check_shape(patch_labels, shape, "patch_labels")
    found = label_values(array)
    if found.size == 0:
        raise InputError(
            "patch_labels: they mark no pixel of the image; mark some of each wanted colour, "
            "inside the image."
        )
    return array, found


def patch_pixels(
    image: Any, patch_labels: Any, channel_axis: int | None = -1
) -> tuple[NDArray[Any], NDArray[np.integer]]:
    """Return the marked pixels alone, with which the colours of patches can be learnt.

    Parameters
    ----------
    image : (…, C[, …]) array_like
        Image of any number of spatial axes and at least two channels.
    patch_labels : ndarray of int or bool
        Labels of the patches, of the image's shape without its channels; below 1 is no patch.
    channel_axis : int
        Axis of the channels.

    Returns
    -------
    pixels : (N, C) ndarray
        In the image's order, of its type.
    labels : (N,) ndarray of int

    Raises
    ------
    InputError
        If there is no patch, the labels have another shape, or the image too few channels.
    """
    pixels, _ = check_colour_image(image, channel_axis)
    labels, _ = check_patches(patch_labels, pixels.shape[:-1])
    inside = labels > 0
    return np.ascontiguousarray(pixels[inside]), labels[inside]


def _check_shape(patch: Any, shape: tuple[int, ...], name: str) -> NDArray[np.integer]:
    labels = check_small_labels(patch, name=name)
    if labels.shape != shape:
        raise InputError(
            f"{name} has the shape {labels.shape}; it must have the image's shape without its "
            f"channels, {shape}."
        )
    return labels
