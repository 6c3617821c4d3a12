"""Lines, tubes and sheets, bright or dark, by the curvature of the image at several sizes.

Second derivatives are taken by physical length, so voxels need not be cubes.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters.eigenvalues import symmetric_eigenvalues
from napari_seedbed.core.filters.gaussian_derivatives import hessian
from napari_seedbed.core.filters.local_filters import float_image, proportional
from napari_seedbed.core.magnitudes import exponent_of, moderate
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.validation import check_number, check_spacing
from napari_seedbed.errors import InputError

Ridges = Literal["bright", "dark"]

_PLATES = 0.5
_BLOBS = 0.5
"""Frangi's alpha and beta, which nobody seems to change."""


@proportional
def sato(
    image: Any,
    sigmas: Sequence[float],
    spacing: float | Sequence[float] | None = None,
    *,
    ridges: Ridges = "bright",
) -> NDArray[np.floating]:
    """Show lines by the curvature across them.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
    sigmas : sequence of float
        Half widths of lines in the unit of `spacing`; each voxel gets the strongest answer.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    ridges : {'bright', 'dark'}
        Whether lines are bright or dark against the background.

    Returns
    -------
    ([Z, ]Y, X) ndarray
        In the image's intensities, 0 where there is no line; float64 for float64 images, float32
        for all others.

    Raises
    ------
    InputError
        If a size is not above 0, or the image is neither 2D nor 3D.

    References
    ----------
    Sato Y and others (1998). Three-dimensional multi-scale line filter for segmentation and
    visualization of curvilinear structures in medical images. Medical Image Analysis 2(2), 143-168.
    """
    best: NDArray[np.floating] | None = None
    for values in _curvatures(image, sigmas, spacing, ridges):
        found = _by_voxel(_across, values)
        best = found if best is None else np.maximum(best, found, out=best)
    assert best is not None
    return best


def meijering(
    image: Any,
    sigmas: Sequence[float],
    spacing: float | Sequence[float] | None = None,
    *,
    ridges: Ridges = "bright",
    largest: Sequence[float] = (),
) -> NDArray[np.floating]:
    """Show thin lines evenly, such as neurites, from 0 to 1; as `sato`.

    The answer to each size is divided by its largest value in the image.

    Parameters
    ----------
    image, sigmas, spacing, ridges
        As in `sato`.
    largest : sequence of float, optional
        What to divide by instead, for each size: `largest_answers` of all blocks of an image.

    References
    ----------
    Meijering E and others (2004). Design and validation of a tool for neurite tracing and analysis
    in fluorescence microscopy images. Cytometry Part A 58(2), 167-176.
    """
    best: NDArray[np.floating] | None = None
    exponent = exponent_of(float_image(image)) if len(largest) else 0
    for nth, values in enumerate(_curvatures(image, sigmas, spacing, ridges)):
        found = _by_voxel(_strongest_mixture, values)
        most = float(np.ldexp(largest[nth], -exponent)) if len(largest) else float(found.max())
        if most > 0:
            found /= most
        best = found if best is None else np.maximum(best, found, out=best)
    assert best is not None
    return best


def largest_answers(
    image: Any,
    inner: tuple[slice, ...],
    sigmas: Sequence[float],
    spacing: float | Sequence[float] | None = None,
    *,
    ridges: Ridges = "bright",
) -> list[float]:
    """Give the largest answer of `meijering` to each size, before it is divided by that.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like
        A block with what is around it.
    inner : tuple of slice
        Where the block lies in it.
    sigmas, spacing, ridges
        As in `meijering`.
    """
    exponent = exponent_of(float_image(image))
    return [
        float(np.ldexp(_by_voxel(_strongest_mixture, values)[inner].max(), exponent))
        for values in _curvatures(image, sigmas, spacing, ridges)
    ]


def largest_curvature(
    image: Any,
    inner: tuple[slice, ...],
    sigmas: Sequence[float],
    spacing: float | Sequence[float] | None = None,
    *,
    ridges: Ridges = "bright",
) -> float:
    """Give the largest curvature, over all sizes, of which `frangi` takes half by default.

    Parameters
    ----------
    image, inner, sigmas, spacing, ridges
        As in `largest_answers`.
    """
    exponent = exponent_of(float_image(image))
    largest = max(
        float(_by_voxel(_squared_size, values)[inner].max())
        for values in _curvatures(image, sigmas, spacing, ridges)
    )
    return float(np.ldexp(largest**0.5, exponent))


def frangi(
    image: Any,
    sigmas: Sequence[float],
    spacing: float | Sequence[float] | None = None,
    *,
    contrast: float = 0.0,
    ridges: Ridges = "bright",
) -> NDArray[np.floating]:
    """Show how much like a line, a tube in 3D, the surroundings of a voxel are, from 0 to 1.

    Parameters
    ----------
    image, sigmas, spacing
        As in `sato`.
    contrast : float
        Curvature (gamma), in the image's intensities, that counts as clear. 0 takes half of the
        largest in the image, over all sizes.
    ridges
        As in `sato`.

    Returns
    -------
    ([Z, ]Y, X) ndarray
        float64 for float64 images, float32 for all others.

    Raises
    ------
    InputError
        If a size is not above 0, `contrast` negative, or the image is neither 2D nor 3D.

    References
    ----------
    Frangi AF and others (1998). Multiscale vessel enhancement filtering. Medical Image Computing
    and Computer-Assisted Intervention, LNCS 1496, 130-137.
    """
    image = float_image(image)
    # The curvatures are those of an image of moderate numbers.
    gamma = float(np.ldexp(check_number(contrast, "contrast"), -exponent_of(image)))
    likeness, strength = [], []
    for values in _curvatures(image, sigmas, spacing, ridges):
        strength.append(_by_voxel(_squared_size, values))
        likeness.append(_by_voxel(_tube_likeness, values))
    if gamma == 0:
        gamma = max(float(squares.max()) for squares in strength) ** 0.5 / 2
    best = np.zeros_like(strength[0])
    if gamma > 0:
        for like, squares in zip(likeness, strength, strict=True):
            _take_clearer(best, like, squares, gamma)
    return best


def _take_clearer(
    best: NDArray[np.floating],
    like: NDArray[np.floating],
    squares: NDArray[np.floating],
    gamma: float,
) -> None:
    def work(slab: Slab) -> None:
        clear = -np.expm1(-squares[slab] / (2 * gamma**2))
        np.maximum(best[slab], like[slab] * clear, out=best[slab])

    in_slabs(work, best.shape)


def _across(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Mean curvature across a line: the geometric one of all but the smallest."""
    across = np.maximum(values[:-1], 0)
    found: NDArray[np.floating] = np.prod(across, axis=0) ** (1 / len(across))
    return found


def _strongest_mixture(values: NDArray[np.floating]) -> NDArray[np.floating]:
    alpha = 1 / (len(values) + 1)
    mixed = (1 - alpha) * values + alpha * values.sum(axis=0)
    strongest = np.take_along_axis(mixed, np.abs(mixed).argmax(axis=0)[None], 0)[0]
    return np.maximum(strongest, 0)


def _squared_size(values: NDArray[np.floating]) -> NDArray[np.floating]:
    found: NDArray[np.floating] = np.square(values).sum(axis=0)
    return found


def _tube_likeness(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """How little the smallest curvature is beside the others, and how alike these are."""
    ordered = np.take_along_axis(values, np.abs(values).argsort(axis=0), 0)
    clear = (ordered[1:] > 0).all(axis=0)
    across = np.where(clear, ordered[1:], 1)
    blob = np.abs(ordered[0]) / np.prod(across, axis=0) ** (1 / len(across))
    like = np.where(clear, np.exp(-(blob**2) / (2 * _BLOBS**2)), 0)
    if len(across) == 2:
        like *= 1 - np.exp(-((across[0] / across[1]) ** 2) / (2 * _PLATES**2))
    return like


def _by_voxel(
    function: Callable[[NDArray[np.floating]], NDArray[np.floating]], values: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Give what a function of the eigenvalues (D, …) of a voxel gives for each, (…)."""
    out = np.empty(values.shape[1:], values.dtype)

    def work(slab: Slab) -> None:
        out[slab] = function(values[(slice(None), *slab)])

    in_slabs(work, out.shape)
    return out


def _curvatures(
    image: Any, sigmas: Sequence[float], spacing: float | Sequence[float] | None, ridges: str
) -> Iterator[NDArray[np.floating]]:
    """For each size the eigenvalues, the largest first, of the image with dark ridges.

    They are multiplied by the size squared, so that answers of all sizes compare.
    """
    array, _ = moderate(float_image(image))
    if array.ndim not in (2, 3):
        raise InputError(f"image has {array.ndim} axes; it must have 2 or 3.")
    size = check_spacing(spacing, array.ndim)
    if ridges not in ("bright", "dark"):
        raise InputError(f"ridges is {ridges!r}; it must be bright or dark.")
    if not len(sigmas):
        raise InputError("sigmas: there are none; give at least one size.")
    for sigma in sigmas:
        width = check_number(sigma, "sigmas", allow_zero=False)
        factor = width**2 if ridges == "dark" else -(width**2)
        elements = hessian(array, width, size)
        for element in elements:
            element *= factor
        yield symmetric_eigenvalues(elements)
