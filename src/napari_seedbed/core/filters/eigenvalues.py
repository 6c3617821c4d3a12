"""Eigenvalues of a symmetric matrix at each voxel: curvature and texture.

References
----------
Smith OK (1961). Eigenvalues of a symmetric 3 x 3 matrix. Communications of the ACM 4(4), 168.
"""

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters.edge_filters import slope
from napari_seedbed.core.filters.gaussian_derivatives import hessian
from napari_seedbed.core.filters.gaussians import gaussian
from napari_seedbed.core.filters.local_filters import float_image, proportional
from napari_seedbed.core.magnitudes import moderate, restored
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.validation import check_number, check_spacing
from napari_seedbed.errors import InputError

Which = Literal["largest", "middle", "smallest"]

_VOXELS_PER_TASK = 1 << 16


def symmetric_eigenvalues(
    elements: Sequence[NDArray[np.floating]], *, one_core: bool = False
) -> NDArray[np.floating]:
    """Eigenvalues of symmetric 2 x 2 or 3 x 3 matrices.

    Parameters
    ----------
    elements : 3 or 6 (…) ndarrays of float
        The upper triangle row by row, of all voxels.
    one_core : bool
        Whether to leave the other cores to whoever calls this for one part of many.

    Returns
    -------
    (2 or 3, …) ndarray
        The largest first.
    """
    from skimage.feature import hessian_matrix_eigvals

    flat = [np.ravel(element) for element in elements]
    count = 2 if len(flat) == 3 else 3
    out = np.empty((count, flat[0].size), flat[0].dtype)

    def run(start: int, stop: int) -> None:
        part = [element[start:stop].astype(np.float64) for element in flat]
        out[:, start:stop] = hessian_matrix_eigvals(part) if count == 2 else _of_three(*part)

    pieces = split(out.shape[1], 1 + out.shape[1] // _VOXELS_PER_TASK)
    if one_core:
        for piece in pieces:
            check_stop()
            run(*piece)
    else:
        run_ranges(run, pieces)
    return out.reshape((count, *elements[0].shape))


def _of_three(
    zz: NDArray[np.float64],
    zy: NDArray[np.float64],
    zx: NDArray[np.float64],
    yy: NDArray[np.float64],
    yx: NDArray[np.float64],
    xx: NDArray[np.float64],
) -> tuple[NDArray[np.float64], ...]:
    middle = (zz + yy + xx) / 3
    a, b, c = zz - middle, yy - middle, xx - middle
    spread = np.sqrt((a * a + b * b + c * c + 2 * (zy * zy + zx * zx + yx * yx)) / 6)
    determinant = a * (b * c - yx * yx) - zy * (zy * c - yx * zx) + zx * (zy * yx - b * zx)
    cubed = spread**3
    with np.errstate(divide="ignore", invalid="ignore"):
        half = np.where(cubed > 0, determinant / (2 * cubed), 1.0)
    angle = np.arccos(np.clip(half, -1, 1)) / 3
    first = 2 * spread * np.cos(angle)
    last = 2 * spread * np.cos(angle + 2 * np.pi / 3)
    return middle + first, middle - first - last, middle + last


@proportional
def hessian_eigenvalue(
    image: Any,
    sigma: float = 1.0,
    which: Which = "largest",
    spacing: float | Sequence[float] | None = None,
) -> NDArray[np.floating]:
    """One of the principal curvatures of an image that was smoothed with a Gaussian.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    sigma : float
        Standard deviation in the unit of `spacing`.
    which : {'largest', 'middle', 'smallest'}
        With their signs: the largest is high on dark lines, the smallest far below 0 on bright
        ones. There is no middle one in 2D.
    spacing : sequence of float, optional
        Voxel size; 1 when None.

    Returns
    -------
    ([Z, ]Y, X) ndarray
        Intensity by the square of the unit of `spacing`; float64 for float64 images, float32 for
        all others.

    Raises
    ------
    InputError
        If `sigma` is negative, or there is no such eigenvalue.
    """
    array = float_image(image)
    size = check_spacing(spacing, array.ndim)
    place = _place(which, array.ndim)
    elements = hessian(array, check_number(sigma, "sigma"), size)
    return symmetric_eigenvalues(elements)[place]


def structure_eigenvalue(
    image: Any,
    sigma: float = 1.0,
    which: Which = "largest",
    spacing: float | Sequence[float] | None = None,
) -> NDArray[np.floating]:
    """One of the eigenvalues of the structure tensor, the mean product of slopes around a voxel.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    sigma : float
        Standard deviation, in the unit of `spacing`, of the Gaussian that gives the weights of the
        mean. The slopes are Sobel's.
    which : {'largest', 'middle', 'smallest'}
        The largest is high at edges and in texture; the smallest only at corners, where the image
        changes in all directions. There is no middle one in 2D.
    spacing : sequence of float, optional
        Voxel size; 1 when None.

    Returns
    -------
    ([Z, ]Y, X) ndarray
        Squared intensity by the square of the unit of `spacing`; float64 for float64 images,
        float32 for all others.

    Raises
    ------
    InputError
        If `sigma` is negative, there is no such eigenvalue, or the squares do not fit the type.
    """
    array, exponent = moderate(float_image(image))
    size = check_spacing(spacing, array.ndim)
    place = _place(which, array.ndim)
    width = check_number(sigma, "sigma")
    slopes = [slope(array, "sobel", axis, size) for axis in range(array.ndim)]
    elements = [
        gaussian(one * other, width, size)
        for one, other in combinations_with_replacement(slopes, 2)
    ]
    return restored(symmetric_eigenvalues(elements)[place], 2 * exponent)


def _place(which: str, ndim: int) -> int:
    if ndim not in (2, 3):
        raise InputError(f"image has {ndim} axes; it must have 2 or 3.")
    if which not in ("largest", "middle", "smallest"):
        raise InputError(f"which is {which!r}; it must be largest, middle or smallest.")
    if which == "middle" and ndim == 2:
        raise InputError(
            "which: there is no middle eigenvalue in 2D, only the largest and the smallest."
        )
    return {"largest": 0, "middle": 1, "smallest": -1}[which]
