"""Smooth surfaces of objects, as triangles.

W. E. Lorensen, H. E. Cline (1987), "Marching cubes: a high resolution 3D surface construction
algorithm"; T. Lewiner et al. (2003), "Efficient implementation of marching cubes' cases with
topological guarantees".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.filters.gaussians import gaussian
from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.progress import check_stop, tell
from napari_seedbed.core.validation import check_labels, check_number, check_spacing
from napari_seedbed.errors import InputError

_REACH = 4
"""Standard deviations within which a Gaussian counts."""


@dataclass(frozen=True, eq=False)
class Surfaces:
    """Triangles of all objects.

    Attributes
    ----------
    vertices : (V, 3) ndarray of float32
        In the unit of the voxel size, from the middle of the first voxel on.
    faces : (F, 3) ndarray of int64
        Three vertices each.
    labels : (V,) ndarray of int64
        The object that a vertex belongs to.
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.int64]
    labels: NDArray[np.int64]


def object_surfaces(
    labels: Any,
    spacing: float | Sequence[float] | None = None,
    *,
    smoothing: float = 1.0,
    only: Sequence[int] | None = None,
) -> Surfaces:
    """Wrap each object of a volume in a smooth surface.

    Parameters
    ----------
    labels : (Z, Y, X) array_like of int or bool
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    smoothing : float
        Standard deviation of the Gaussian that smooths each object first, in the unit of
        `spacing`. Objects keep their volume.
    only : sequence of int, optional
        The labels that are wanted; all by default.

    Returns
    -------
    Surfaces
        Objects at the border of the volume are closed there.

    Raises
    ------
    InputError
        If `labels` are no whole numbers in 3D, or `smoothing` is negative.
    """
    objects = check_labels(labels)
    if objects.ndim != 3:
        raise InputError(f"labels have {objects.ndim} axes; surfaces need 3 (z, y, x).")
    steps = check_spacing(spacing, 3)
    sigma = check_number(smoothing, "smoothing")
    values = np.unique(objects[objects > 0])
    if only is not None:
        values = values[np.isin(values, only)]
    # labels may be huge numbers: their boxes are found by their places in the list
    numbers = np.zeros(objects.shape, np.int32)
    if len(values):
        places = np.searchsorted(values, objects).clip(max=len(values) - 1)
        numbers = np.where(values[places] == objects, places + 1, 0).astype(np.int32)
    boxes = call_aside(partial(ndi.find_objects, numbers))
    vertices, faces, owners = [], [], []
    count = 0
    for nth, box in enumerate(boxes):
        check_stop()
        tell(nth / len(boxes), "wrapping objects")
        mask = np.pad(numbers[box] == nth + 1, [(reach, reach) for reach in _margin(sigma, steps)])
        points, triangles = call_aside(partial(_wrapped, mask, sigma, steps))
        start = [side.start - reach for side, reach in zip(box, _margin(sigma, steps), strict=True)]
        vertices.append(points + np.asarray(start) * steps)
        faces.append(triangles + count)
        owners.append(np.full(len(points), values[nth], np.int64))
        count += len(points)
    if not vertices:
        nothing = np.zeros((0, 3))
        return Surfaces(nothing.astype(np.float32), nothing.astype(np.int64), np.zeros(0, np.int64))
    return Surfaces(
        np.concatenate(vertices).astype(np.float32),
        np.concatenate(faces).astype(np.int64),
        np.concatenate(owners),
    )


def _margin(sigma: float, spacing: Sequence[float]) -> list[int]:
    return [int(np.ceil(_REACH * sigma / step)) + 1 for step in spacing]


def _wrapped(
    mask: NDArray[np.bool_], sigma: float, spacing: Sequence[float]
) -> tuple[NDArray[Any], NDArray[Any]]:
    from skimage.measure import marching_cubes

    if sigma > 0:
        smooth = gaussian(mask.astype(np.float32), sigma, spacing)
        # a level that as many voxels pass as the object has: it neither shrinks nor vanishes
        count = int(mask.sum())
        below, above = np.partition(smooth.ravel(), (-count - 1, -count))[[-count - 1, -count]]
        level = (float(below) + float(above)) / 2
    else:
        smooth, level = mask.astype(np.float32), 0.5
    points, triangles, *_ = marching_cubes(
        smooth, level, spacing=tuple(spacing), allow_degenerate=False
    )
    return points, triangles
