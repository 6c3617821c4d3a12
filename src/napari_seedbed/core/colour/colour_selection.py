"""Pixels whose colours lie inside an outline that was drawn among colours."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.colour.colour_histograms import ColourBins, bins_in_polygon, look_up
from napari_seedbed.core.colour.colour_spaces import ColourSpace, check_colour_image
from napari_seedbed.core.validation import check_points
from napari_seedbed.errors import InputError

FINENESS = 256
"""Steps across an outline, along each coordinate, to which it is exact."""


def colours_in_polygon(
    image: Any, polygon: Any, space: ColourSpace, channel_axis: int | None = -1
) -> NDArray[np.bool_]:
    """Return which pixels have a colour inside a polygon.

    Parameters
    ----------
    image : (…, C[, …]) array_like
        Image of any number of spatial axes and at least two channels.
    polygon : (N, 2) array_like
        Corners in the two coordinates of `space`: a lasso, or the four corners of a box.
    space : ColourSpace
        Of two coordinates.
    channel_axis : int
        Axis of the channels.

    Returns
    -------
    ndarray of bool, of the image's shape without its channels
        Exact to a 256th of the polygon's width and height, and exact for boxes but for colours on
        their border. Depends on the pixel alone, so that parts of an image give parts of the
        result. Pixels without a colour are False.

    Raises
    ------
    InputError
        If the polygon has fewer than three corners or encloses nothing, or the space other than
        two coordinates.
    """
    pixels, _ = check_colour_image(image, channel_axis)
    if space.n_coordinates != 2:
        raise InputError(f"space has {space.n_coordinates} coordinates; a polygon needs 2.")
    corners = check_points(polygon, "polygon")
    if len(corners) < 3:
        raise InputError(f"polygon has {len(corners)} corners; it must have at least 3.")
    low, high = corners.min(axis=0), corners.max(axis=0)
    size = high - low
    if not (size > 0).all():
        raise InputError("polygon encloses nothing; draw around some colours.")
    # What lies outside of the bins belongs to the outermost ones, which must not be chosen.
    margin = size / FINENESS
    ranges = tuple((float(a), float(b)) for a, b in zip(low - margin, high + margin, strict=True))
    bins = ColourBins(space, (FINENESS + 2,) * 2, ranges)
    return look_up(pixels, bins, bins_in_polygon(bins, corners))
