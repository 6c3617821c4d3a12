"""Bring an image onto the grid of another one that shows the same scene, moved or turned."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter, spline_filter

from napari_seedbed.core.colour.colour_spaces import result_type
from napari_seedbed.core.differences.phase_correlation import (
    UPSAMPLING,
    best_shift,
    correlation,
    reduced,
    refined_shift,
    rotations_and_scales,
)
from napari_seedbed.core.differences.similarity_refinement import refined_similarity
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.validation import channels_first, check_channel_axis, check_image
from napari_seedbed.errors import InputError

RegistrationKind = Literal["shift", "rotation", "similarity"]
REGISTRATION_KINDS: tuple[RegistrationKind, ...] = get_args(RegistrationKind)

_COARSE_SIZE = 512
_TURN_SIZE = 256
_FINE_SIZE = 1024
_SHIFT_SIZE = 2048
"""Longest sides of the images, averaged over blocks, that each step works on."""

LEAST_SIZE = 16
"""Smaller images determine no angle."""

_INSIDE = 1e-3
"""So far beyond the outermost pixels a position still counts as covered; rounding needs it."""


@dataclass(frozen=True)
class Registration:
    """Where each position of a reference image lies in a moving one.

    Attributes
    ----------
    matrix : (D + 1, D + 1) ndarray
        Takes homogeneous pixel positions ``(y, x, 1)`` of the reference to those of the moving
        image.
    correlation : float
        Correlation of the two images where both are, after the registration, from -1 to 1. Low
        values say that they hardly show the same.
    """

    matrix: NDArray[np.float64]
    correlation: float

    @property
    def shift(self) -> NDArray[np.float64]:
        """What is added to a position in the reference, in pixels, once turned and scaled."""
        return self.matrix[:-1, -1]

    @property
    def scale(self) -> float:
        """How much larger things are in the moving image."""
        n_axes = len(self.matrix) - 1
        return float(abs(np.linalg.det(self.matrix[:-1, :-1])) ** (1 / n_axes))

    @property
    def angle(self) -> float:
        """How far the moving image's content is turned, in degrees, from axis 0 to axis 1; 2D."""
        return float(np.degrees(np.arctan2(self.matrix[1, 0], self.matrix[0, 0])))

    @property
    def is_shift(self) -> bool:
        """Whether nothing is turned or scaled."""
        return bool((self.matrix[:-1, :-1] == np.eye(len(self.matrix) - 1)).all())


def check_same_shape(a: NDArray[Any], b: NDArray[Any], names: tuple[str, str]) -> None:
    """Raise `InputError` saying both shapes if they differ."""
    if a.shape != b.shape:
        raise InputError(
            f"{names[0]} and {names[1]} have different sizes, {a.shape} and {b.shape}; crop or "
            "rescale one to the other's."
        )


def register_images(
    reference: Any, moving: Any, kind: str = "shift", *, channel_axis: int | None = None
) -> Registration:
    """Find how an image has to be moved to lie on another one.

    Parameters
    ----------
    reference : ndarray
        Image that stays; 2D or 3D, with or without channels.
    moving : ndarray
        Image of the same shape.
    kind : {'shift', 'rotation', 'similarity'}
        'shift': along all axes, to a few hundredths of a pixel (a few more in images longer
        than 2048 pixels and volumes longer than 256), by phase correlation. 'rotation': turned
        and shifted; 'similarity': turned, scaled and shifted; both for 2D images of square pixels,
        by phase correlation of the logarithmic-polar spectra, refined by least squares that bear
        with changed parts. Scales from about 0.6 to 1.6 and shifts of up to two thirds of the
        image are found; `Registration.correlation` says how well.
    channel_axis : int, optional
        Axis of the channels, whose mean is registered.

    Returns
    -------
    Registration

    Raises
    ------
    InputError
        If the images have different shapes, hold no finite numbers, one is constant, or a 3D image
        shall be turned.

    References
    ----------
    Guizar-Sicairos, Thurman and Fienup (2008), Efficient subpixel image registration algorithms.
    Reddy and Chatterji (1996), An FFT-based technique for translation, rotation, and
    scale-invariant image registration.
    """
    fixed, other = check_image(reference, "reference"), check_image(moving, "moving")
    check_same_shape(fixed, other, ("reference", "moving"))
    if kind not in REGISTRATION_KINDS:
        raise InputError(
            f"kind must be one of {', '.join(map(repr, REGISTRATION_KINDS))}; got {kind!r}."
        )
    axis = check_channel_axis(channel_axis, fixed.ndim)
    pair = _grey(fixed, axis), _grey(other, axis)
    if kind != "shift" and pair[0].ndim != 2:
        raise InputError(
            f"kind {kind!r} turns images of 2 spatial axes; these have {pair[0].ndim}. Take 'shift'"
            " or single slices."
        )
    if kind != "shift" and min(pair[0].shape) < LEAST_SIZE:
        raise InputError(
            f"reference has the shape {pair[0].shape}; {kind!r} needs at least {LEAST_SIZE} pixels"
            " along each axis."
        )
    for image, name in zip(pair, ("reference", "moving"), strict=True):
        if image.min() == image.max():
            raise InputError(f"{name} is constant; without structure nothing can be registered.")
    check_stop()
    if kind == "shift":
        return _shift(*pair)
    return _similarity(*pair, kind == "similarity")


def warp_image(
    image: Any, registration: Registration, *, channel_axis: int | None = None, order: int = 3
) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """Move an image onto the grid of the reference it was registered to.

    Parameters
    ----------
    image : ndarray
        The moving image; 2D or 3D, with or without channels.
    registration : Registration
        From `register_images`.
    channel_axis : int, optional
        Axis of the channels.
    order : int
        Order of the interpolating spline: 0, 1 or 3.

    Returns
    -------
    moved : ndarray of float
        Of the image's shape; mirrored at its border where the image does not reach.
        Shifts by whole pixels change no value.
    covered : ndarray of bool
        Where the image reaches, of its shape without channels.

    Raises
    ------
    InputError
        If the image has another number of spatial axes than the registration, or `order` is wrong.
    """
    array = check_image(image)
    axis = check_channel_axis(channel_axis, array.ndim)
    n_axes = array.ndim - (axis is not None)
    if len(registration.matrix) != n_axes + 1:
        raise InputError(
            f"image has {n_axes} spatial axes, but the registration {len(registration.matrix) - 1}."
        )
    if order not in (0, 1, 3):
        raise InputError(f"order must be 0, 1 or 3; got {order!r}.")
    number = _exact_float(array.dtype)
    moved = np.empty(array.shape, number)
    for plane, out in zip(channels_first(array, axis), channels_first(moved, axis), strict=True):
        check_stop()
        _warp(plane.astype(number), registration, order, out)
    return moved, _covered(registration.matrix, channels_first(array, axis).shape[1:])


def _exact_float(dtype: np.dtype[Any]) -> type[np.floating]:
    """Return a float type that holds all numbers of a type (most of 64-bit integers)."""
    return np.float64 if dtype.kind in "iu" and dtype.itemsize > 2 else result_type(dtype)


def _grey(image: NDArray[Any], axis: int | None) -> NDArray[np.float32]:
    """Return the mean of the channels between 0 and 1."""
    grey = image.astype(np.float64) if axis is None else image.mean(axis=axis, dtype=np.float64)
    low, high = grey.min(), grey.max()
    if high > low:
        half = high / 2 - low / 2
        grey /= 2
        grey -= low / 2
        grey /= half
    return grey.astype(np.float32)


def _shift(reference: NDArray[np.float32], moving: NDArray[np.float32]) -> Registration:
    fewer = 1 if reference.ndim == 2 else 8
    small, other, factors = reduced(reference, moving, _COARSE_SIZE // fewer)
    coarse = best_shift(small, other)[0] * factors
    small, other, factors = reduced(reference, moving, _SHIFT_SIZE // fewer)
    found, score = refined_shift(small, other, coarse / factors)
    shift = found * factors
    # A step of the search is longer in large images and would miss whole pixels.
    near = (factors > 1) & (np.abs(shift - np.rint(shift)) <= factors / UPSAMPLING)
    shift = np.where(near, np.rint(shift), shift)
    matrix = np.eye(reference.ndim + 1)
    matrix[:-1, -1] = shift
    return Registration(matrix, score)


def _similarity(
    reference: NDArray[np.float32], moving: NDArray[np.float32], scaled: bool
) -> Registration:
    # One factor for both axes keeps angles.
    small, other, factors = reduced(reference, moving, _TURN_SIZE, same=True)
    best, best_score = np.eye(3), -np.inf
    for angle, scale in rotations_and_scales(small, other, scaled):
        check_stop()
        matrix = _turned(angle, scale, small.shape)
        turned = affine_transform(other, matrix, order=1, mode="nearest")
        covered = _covered(matrix, small.shape)
        shift, score = best_shift(small, turned, covered)
        matrix[:2, 2] += matrix[:2, :2] @ shift
        if score > best_score:
            best, best_score = matrix, score
    matrix, size = best, float(factors[0])
    for longest, sigma in ((_TURN_SIZE, 2.0), (_FINE_SIZE, 2.0), (_FINE_SIZE, 0.8)):
        check_stop()
        small, other, factors = reduced(reference, moving, longest, same=True)
        matrix = refined_similarity(
            gaussian_filter(small, sigma), gaussian_filter(other, sigma),
            _at_scale(matrix, size / factors[0]), scaled,
        )  # fmt: skip
        size = float(factors[0])
    return Registration(_at_scale(matrix, size), _score(small, other, matrix))


def _turned(angle: float, scale: float, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the matrix that turns and scales about the image's middle."""
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    matrix = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    middle = (np.array(shape) - 1) / 2
    matrix[:2, 2] = middle - matrix[:2, :2] @ middle
    return matrix


def _at_scale(matrix: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Return a matrix for images whose pixels are `factor` times smaller.

    The middle of a large pixel lies between those of the small ones.
    """
    change = np.diag([factor, factor, 1.0])
    change[:2, 2] = (factor - 1) / 2
    scaled: NDArray[np.float64] = change @ matrix @ np.linalg.inv(change)
    scaled[:2, :2] = matrix[:2, :2]
    return scaled


def _score(
    reference: NDArray[np.float32], moving: NDArray[np.float32], matrix: NDArray[np.float64]
) -> float:
    covered = _covered(matrix, reference.shape)
    warped = affine_transform(moving, matrix, order=1, mode="nearest")
    return correlation(reference, warped, covered)


def _warp(
    plane: NDArray[np.floating], registration: Registration, order: int, out: NDArray[np.floating]
) -> None:
    matrix = registration.matrix
    if registration.is_shift and (matrix[:-1, -1] == np.rint(matrix[:-1, -1])).all():
        order = 0  # no pixel lies between others
    if order > 1:
        plane = spline_filter(plane, order, output=plane.dtype, mode="mirror")

    def work(slab: Slab) -> None:
        start = np.zeros(plane.ndim)
        start[len(slab) - 1] = slab[-1].start or 0
        offset = matrix[:-1, :-1] @ start + matrix[:-1, -1]
        part = out[slab]
        affine_transform(
            plane, matrix[:-1, :-1], offset, part.shape, part, order, "mirror", prefilter=False
        )

    in_slabs(work, out.shape)


def _covered(matrix: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.ones(shape, bool)

    def work(slab: Slab) -> None:
        sides = [range(length)[cut] for length, cut in zip(shape, slab, strict=False)]
        sides += [range(length) for length in shape[len(slab) :]]
        grid = np.meshgrid(*(np.arange(s.start, s.stop) for s in sides), indexing="ij", sparse=True)
        inside = mask[slab]
        for row, length in zip(matrix[:-1], shape, strict=True):
            position = sum((c * x for c, x in zip(row, grid, strict=False)), row[-1])
            inside &= (position >= -_INSIDE) & (position <= length - 1 + _INSIDE)

    in_slabs(work, shape)
    return mask
