"""Filling from seeds over what looks like them."""

from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.regions import growth_kernels
from napari_seedbed.core.regions.bordered_grids import BorderedGrid, check_corners
from napari_seedbed.core.regions.channel_stacks import channel_stack
from napari_seedbed.core.regions.region_graphs import numbered
from napari_seedbed.core.validation import check_number, check_small_labels
from napari_seedbed.errors import InputError

_STEPS_PER_CALL = 1 << 18


def flood_fill(
    image: Any,
    seeds: Any,
    tolerance: float = 0.0,
    channel_axis: int | None = None,
    *,
    connectivity: Literal["faces", "corners"] = "corners",
) -> NDArray[np.int32]:
    """Fill from seeds over voxels that differ from them by no more than a tolerance.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like, with channels where `channel_axis` says so
        In each channel a voxel must be alike.
    seeds : ([Z, ]Y, X) array_like of int
        Labels; negative ones are left out and never crossed. The values of all voxels of a label
        count: it spreads from the lowest less the tolerance to the highest plus the tolerance.
    tolerance : float
        In the image's intensities.
    channel_axis : int, optional
    connectivity : {'faces', 'corners'}
        Whether it spreads to voxels that share only a corner, as scikit-image's does.

    Returns
    -------
    ([Z, ]Y, X) ndarray of int32
        0 where nothing was filled. Where labels could both go, the one that needs fewer steps
        gets there.

    Raises
    ------
    InputError
        If there are no seeds, shapes do not fit or a number makes no sense.
    """
    channels, _ = channel_stack(image, channel_axis, None)
    shape = channels.shape[1:]
    marks = check_small_labels(seeds, shape, "seeds")
    reach = check_number(tolerance, "tolerance")
    corners = check_corners(connectivity)
    # Numbers without gaps: bounds are looked up by them.
    values, codes = call_aside(partial(numbered, marks))
    if not values.size:
        raise InputError("seeds: there are none; mark at least one label above 0.")
    grid = BorderedGrid(shape)
    labels = call_aside(partial(grid.flat, codes, np.int32))
    territory = call_aside(partial(grid.flat, marks >= 0, np.int32))
    begin = np.flatnonzero(labels)
    flat = call_aside(partial(grid.flat, channels, channels.dtype))
    lows, highs = _bounds(flat[:, begin], labels[begin], len(values), reach)
    queue = np.empty(territory.size, np.int64)
    queue[: begin.size] = begin
    state = np.array([0, begin.size], np.int64)
    steps = grid.steps(corners)
    while not growth_kernels.spread(
        flat, territory, labels, steps, lows, highs, _STEPS_PER_CALL, state, queue
    ):
        check_stop()
    names = np.concatenate([[0], values]).astype(np.int32)
    return np.asarray(names[grid.image(labels)])


def _bounds(
    values: NDArray[np.floating], codes: NDArray[np.int32], n_labels: int, tolerance: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest values (L, C) that each label spreads over."""
    lows = np.full((n_labels, len(values)), np.inf)
    highs = -lows
    for c, channel in enumerate(values.astype(np.float64)):
        np.minimum.at(lows[:, c], codes - 1, channel)
        np.maximum.at(highs[:, c], codes - 1, channel)
    return lows - tolerance, highs + tolerance
