"""Smallest and largest values in windows of any size.

A window is made of rows. The extreme along rows of one length costs the same for every length;
those of all rows are then put together. So the cost grows with the number of rows, not of voxels.

References
----------
van Herk M (1992). A fast algorithm for local minimum and maximum filters on rectangular and
octagonal kernels. Pattern Recognition Letters 13(7), 517-521.
Urbach ER, Wilkinson MHF (2008). Efficient 2-D grayscale morphological transformations with
arbitrary flat structuring elements. IEEE Transactions on Image Processing 17(1), 1-8.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from napari_seedbed.core.filters.local_filters import ordered_image
from napari_seedbed.core.filters.windows import Window, window_rows
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.validation import check_number, check_spacing

_VOXELS_PER_TASK = 1 << 18


def minimum(
    image: Any,
    radius: float,
    spacing: float | Sequence[float] | None = None,
    *,
    window: Window = "ball",
) -> NDArray[Any]:
    """Give each voxel the smallest value in a window around it (erosion).

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    radius : float
        Half of the window's width in the unit of `spacing`.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    window : {'ball', 'box'}

    Returns
    -------
    ([Z, ]Y, X) ndarray
        Of the image's type. What lies outside the image does not count.

    Raises
    ------
    InputError
        If the radius is negative or the image is no image.
    """
    return _extreme(image, radius, spacing, window, largest=False)


def maximum(
    image: Any,
    radius: float,
    spacing: float | Sequence[float] | None = None,
    *,
    window: Window = "ball",
) -> NDArray[Any]:
    """Give each voxel the largest value in a window around it (dilation).

    Parameters
    ----------
    image, radius, spacing, window
        As in `minimum`.
    """
    return _extreme(image, radius, spacing, window, largest=True)


def _extreme(
    image: Any,
    radius: float,
    spacing: float | Sequence[float] | None,
    window: Window,
    *,
    largest: bool,
) -> NDArray[Any]:
    array = ordered_image(image)
    dtype = np.asarray(image).dtype.newbyteorder("=")
    size = check_spacing(spacing, array.ndim)
    length = check_number(radius, "radius")
    limits = [n - 1 for n in array.shape]
    along = maximum_filter1d if largest else minimum_filter1d
    if window == "box":
        rows = window_rows(length, size, "ball", [0] * array.ndim)
        out = array
        for axis, (step, limit) in enumerate(zip(size, limits, strict=True)):
            width = window_rows(length, (step,) * 3, "box", (0, 0, limit))[0, 2]
            if width:
                out = _along(along, out, axis, int(width))
        result = out.copy() if out is array else out
    else:
        rows = window_rows(length, size, window, limits)
        result = _of_rows(array, rows, along, largest=largest)
    return result.view(bool) if dtype.kind == "b" else result.astype(dtype, copy=False)


def _along(extreme: Any, array: NDArray[Any], axis: int, width: int) -> NDArray[Any]:
    """The extreme of each row of `2 * width + 1` voxels along an axis."""
    out = np.empty_like(array, order="C")

    def work(slab: Slab) -> None:
        extreme(array[slab], 2 * width + 1, axis, output=out[slab], mode="nearest")

    if array.ndim == 1:
        work((slice(None),))
    else:
        in_slabs(work, array.shape, whole=axis)
    return out


def _of_rows(
    array: NDArray[Any], rows: NDArray[np.int64], along: Any, *, largest: bool
) -> NDArray[Any]:
    better = np.maximum if largest else np.minimum
    result = np.array(array, order="C")
    volume = array.reshape((1,) * (3 - array.ndim) + array.shape)
    out = result.reshape(volume.shape)
    axis = 0 if volume.shape[0] >= volume.shape[1] else 1
    parts = split(volume.shape[axis], 1 + volume.size // _VOXELS_PER_TASK)
    for width in np.unique(rows[:, 2])[::-1]:
        extremes = volume if width == 0 else _along(along, volume, 2, int(width))
        offsets = rows[rows[:, 2] == width, :2]

        def take(
            start: int,
            stop: int,
            extremes: NDArray[Any] = extremes,
            offsets: NDArray[np.int64] = offsets,
        ) -> None:
            for offset in offsets:
                check_stop()
                to: list[slice] = []
                of: list[slice] = []
                for a in (0, 1):
                    bounds = (start, stop) if a == axis else (0, volume.shape[a])
                    low = max(bounds[0], -int(offset[a]))
                    high = max(low, min(bounds[1], volume.shape[a] - int(offset[a])))
                    to.append(slice(low, high))
                    of.append(slice(low + int(offset[a]), high + int(offset[a])))
                there = out[tuple(to)]
                better(there, extremes[tuple(of)], out=there)

        run_ranges(take, parts)
    return result
