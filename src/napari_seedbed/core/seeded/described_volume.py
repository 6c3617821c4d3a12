"""What is known of a volume before there are any seeds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.seeded.basin_graphs import BasinGraph
from napari_seedbed.core.seeded.voxel_features import VoxelFeatures


@dataclass(frozen=True, eq=False)
class DescribedVolume:
    """A volume, what its voxels look like, and the basins of its slopes.

    Attributes
    ----------
    data : (Z, Y, X, C) ndarray
    features : VoxelFeatures
    graph : BasinGraph
    steps : (3,) ndarray
        Voxel size along z, y, x, the finest being 1.
    """

    data: NDArray[Any]
    features: VoxelFeatures
    graph: BasinGraph
    steps: NDArray[np.float64]
