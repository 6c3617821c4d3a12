"""Grey values of labelled objects."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.objects import object_kernels as kernels
from napari_seedbed.core.objects.labelled_volume import LabelledVolume
from napari_seedbed.core.threads import run_ranges, split

INTENSITIES = (
    "mean_intensity",
    "std_intensity",
    "min_intensity",
    "max_intensity",
    "median_intensity",
    "sum_intensity",
)
"""In the order of the columns that `describe_values` writes."""

_OBJECTS_PER_PART = 256


def object_intensities(
    volume: LabelledVolume, sizes: NDArray[np.int64], image: NDArray[Any]
) -> dict[str, NDArray[np.float64]]:
    """Describe the values of one channel in each object.

    Parameters
    ----------
    volume : LabelledVolume
    sizes : (K,) ndarray
        Voxels of each object.
    image : ([Z, ]Y, X) ndarray

    Returns
    -------
    dict of (K,) ndarray
        `INTENSITIES`. The standard deviation is that of all voxels, not of a sample.
    """
    starts = np.concatenate([[0], np.cumsum(sizes)])
    # What float32 cannot hold exactly takes twice the memory.
    exact = np.float32 if image.dtype.itemsize < 4 or image.dtype == np.float32 else np.float64
    grouped = np.empty(starts[-1], exact)
    following = starts[:-1].copy()
    values = volume.as_volume(image)
    for first, last in volume.slabs():
        part = values[first:last].astype(exact)
        kernels.group_values(volume.numbers(first, last), part, following, grouped)
    table = np.empty((len(sizes), len(INTENSITIES)))
    pieces = split(len(sizes), 1 + len(sizes) // _OBJECTS_PER_PART)
    run_ranges(kernels.describe_values, pieces, starts, grouped, table)
    return dict(zip(INTENSITIES, table.T.copy(), strict=True))
