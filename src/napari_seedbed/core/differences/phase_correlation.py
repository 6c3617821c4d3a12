"""Shifts, angles and scales between two images from the phases of their spectra."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import gaussian_filter, map_coordinates, maximum_filter, shift
from skimage.registration import phase_cross_correlation
from skimage.transform import downscale_local_mean

from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.threads import thread_count

Floats = NDArray[np.floating]

UPSAMPLING = 100
"""Parts of a pixel to which shifts are found."""

_MIN_OVERLAP = 0.2
"""Smallest share of the image that two images must have in common along each axis."""

_CANDIDATES = 6
_SCORED = 1024
_MAX_SCALE = 2.0

# Samples of spectra in polar coordinates: of half a turn, and of radii from the innermost on.
_ANGLES = 720
_RADII = 256
_INNERMOST = 12.0
_NORMALIZATIONS = ("phase", None)
"""The phases alone make the sharpest peak; with noise, amplitudes must weigh them."""


def reduced(
    reference: NDArray[np.float32], moving: NDArray[np.float32], size: int, *, same: bool = False
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """Average blocks of pixels until no side is longer than `size`.

    Returns both images and the sides of the blocks along each axis (`same` for all if wanted).
    """
    factors = [-(-length // size) for length in reference.shape]
    if same:
        factors = [max(factors)] * len(factors)
    sides = np.array(factors, float)
    if max(factors) == 1:
        return reference, moving, sides
    # Incomplete blocks at the far border would be filled up with zeros.
    whole = tuple(
        slice(max(1, length // f) * f) for length, f in zip(reference.shape, factors, strict=True)
    )
    small, other = (
        downscale_local_mean(image[whole], tuple(factors)).astype(np.float32)
        for image in (reference, moving)
    )
    return small, other, sides


def correlation(a: Floats, b: Floats, mask: NDArray[np.bool_] | None = None) -> float:
    """Return the correlation coefficient of two images where a mask is; 0 if one is constant."""
    if mask is not None:
        if np.count_nonzero(mask) < _MIN_OVERLAP**2 * mask.size:
            return -1.0
        a, b = a[mask], b[mask]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.corrcoef(a.ravel(), b.ravel())[0, 1]
    return float(np.nan_to_num(found))


def best_shift(
    reference: Floats, moving: Floats, mask: NDArray[np.bool_] | None = None
) -> tuple[Floats, float]:
    """Return by how much positions move from one image to the other, to about a pixel.

    Several ways of phase correlation propose shifts; the one wins after which the images look most
    alike where both are (and a mask of the moving one is). That correlation is returned, too.
    """
    if mask is not None:
        if not mask.any():
            return np.zeros(reference.ndim), -1.0
        moving = np.where(mask, moving, moving[mask].mean())
    candidates = [np.zeros(reference.ndim)]
    for windowed, normalization in product((True, False), _NORMALIZATIONS):
        check_stop()
        pair = [_prepared(image, windowed) for image in (reference, moving)]
        found = _phase_shift(pair[0], pair[1], normalization, 1)
        # A shift is only known up to the size of the image: what left on one side may have come
        # in on the other.
        wrapped = found - np.sign(found) * reference.shape
        candidates += [
            np.where(choice, wrapped, found)
            for choice in product((False, True), repeat=reference.ndim)
        ]
    unique = np.unique(np.rint(candidates), axis=0)
    scores = [_overlap_score(reference, moving, candidate, mask) for candidate in unique]
    best = int(np.argmax(scores))
    return unique[best], scores[best]


def refined_shift(
    reference: NDArray[np.float32], moving: NDArray[np.float32], coarse: Floats
) -> tuple[Floats, float]:
    """Return a shift to a hundredth of a pixel, and the correlation of the images after it."""
    whole = np.rint(coarse)
    check_stop()
    best, best_score = whole, -2.0
    for _ in range(2):
        a, b = _overlap(reference, moving, whole)
        candidates = [whole]
        for normalization in _NORMALIZATIONS:
            check_stop()
            pair = _prepared(a, True), _prepared(b, True)
            candidates.append(whole + _phase_shift(pair[0], pair[1], normalization, UPSAMPLING))
        for candidate in candidates:
            score = _subpixel_score(reference, moving, candidate)
            if score > best_score + 1e-6:
                best, best_score = candidate, score
        if (np.rint(best) == whole).all():
            break
        whole = np.rint(best)
    return best, best_score


def rotations_and_scales(
    reference: NDArray[np.float32], moving: NDArray[np.float32], scaled: bool
) -> Iterator[tuple[float, float]]:
    """Propose angles (radians) and scales by which the moving image's content is changed.

    Spectra do not distinguish half a turn from none, so both are proposed, and so is no change.
    """
    yield 0.0, 1.0
    # Twice the size samples the spectrum more finely.
    side = fft.next_fast_len(2 * max(reference.shape))
    # Radii rise as a geometric series if scales are wanted: then scales shift them, too.
    outermost = side / 2 - 1
    if scaled:
        radii = _INNERMOST * (outermost / _INNERMOST) ** (np.arange(_RADII) / (_RADII - 1))
    else:
        radii = np.linspace(_INNERMOST, outermost, _RADII)
    angles = np.pi / _ANGLES * np.arange(_ANGLES)
    places = [side // 2 + np.outer(wave(angles), radii) for wave in (np.cos, np.sin)]
    spectra = []
    for image in (reference, moving):
        check_stop()
        polar = map_coordinates(_magnitude(image, side), places, order=1)
        polar -= polar.mean(axis=0)
        spread = polar.std(axis=0)
        polar /= np.where(spread > 0, spread, 1)
        if scaled:
            # Without a window and room beyond it, the two ends of the radii would meet.
            polar *= np.hanning(_RADII)
            spectra.append(fft.rfft2(polar, (_ANGLES, 2 * _RADII)))
        else:
            spectra.append(fft.rfft(polar, axis=0))
    cross = spectra[1] * np.conj(spectra[0])
    size = np.sqrt(np.abs(cross))
    # Half way between the phases alone and all of the amplitudes.
    cross /= np.where(size > 0, size, 1)
    if scaled:
        surface = fft.irfft2(cross, (_ANGLES, 2 * _RADII))
        step = float(np.log(radii[1] / radii[0]))
    else:
        surface = fft.irfft(cross.sum(axis=1), _ANGLES)[:, np.newaxis]
        step = 0.0
    for row, column in _peaks(surface):
        # What is larger in the image is smaller in its spectrum.
        scale = float(np.exp(-step * ((column + _RADII) % (2 * _RADII) - _RADII)))
        if 1 / _MAX_SCALE <= scale <= _MAX_SCALE:
            angle = np.pi * row / _ANGLES
            yield angle, scale
            yield angle - np.pi, scale


def _phase_shift(a: Floats, b: Floats, normalization: str | None, upsampling: int) -> Floats:
    """Return by how much positions move from `a` to `b`."""
    with fft.set_workers(thread_count()):
        found, _, _ = phase_cross_correlation(
            a, b, upsample_factor=upsampling, normalization=normalization
        )
    # scikit-image gives what must be added to positions in `b`.
    return -np.asarray(found, float)


def _prepared(image: Floats, windowed: bool) -> Floats:
    """Take away the mean, and fade the image out at its border, where opposite sides meet."""
    out = image - image.mean(dtype=np.float64).astype(image.dtype)
    if windowed:
        for axis, length in enumerate(image.shape):
            if length > 3:
                window = np.hanning(length + 2)[1:-1].astype(image.dtype)
                out *= window.reshape([-1 if a == axis else 1 for a in range(image.ndim)])
    return out


def _overlap(
    reference: NDArray[Any], moving: NDArray[Any], whole: Floats
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the parts of both images that show the same, for a shift by whole pixels."""
    mine, other = [], []
    for length, move in zip(reference.shape, whole.astype(int), strict=True):
        mine.append(slice(max(0, -move), min(length, length - move)))
        other.append(slice(max(0, move), min(length, length + move)))
    return reference[tuple(mine)], moving[tuple(other)]


def _overlap_score(
    reference: Floats, moving: Floats, whole: Floats, mask: NDArray[np.bool_] | None = None
) -> float:
    left = [1 - abs(move) / length for move, length in zip(whole, reference.shape, strict=True)]
    if min(left) < _MIN_OVERLAP:
        return -1.0
    inside = None if mask is None else _overlap(reference, mask, whole)[1]
    return correlation(*_overlap(reference, moving, whole), inside)


def _subpixel_score(reference: Floats, moving: Floats, move: Floats) -> float:
    """Return the correlation after a shift, in the middle of what both images show."""
    whole = np.rint(move)
    if _overlap_score(reference, moving, whole) == -1:
        return -1.0
    a, b = _overlap(reference, moving, whole)
    limit = _SCORED if a.ndim == 2 else _SCORED // 8
    middle = tuple(
        slice(max(0, (n - limit) // 2), max(0, (n - limit) // 2) + limit) for n in a.shape
    )
    a, b = a[middle], b[middle]
    rest = move - whole
    if rest.any():
        b = shift(b, -rest, order=3, mode="nearest")
        inside = tuple(slice(2, -2) if n > 8 else slice(None) for n in a.shape)
        a, b = a[inside], b[inside]
    return correlation(a, b)


def _magnitude(image: NDArray[np.float32], side: int) -> Floats:
    """Return the logarithm of the size of the spectrum's waves, zero frequency in the middle."""
    spectrum = fft.fft2(_prepared(image, True), (side, side), workers=thread_count())
    size = np.abs(fft.fftshift(spectrum))
    size += 1e-6 * size.max()
    # Spectra of parts that overlap agree in what they are like, not in each speckle.
    magnitude: Floats = gaussian_filter(np.log(size), 2.0)
    return magnitude


def _peaks(surface: Floats) -> Iterator[tuple[float, float]]:
    """Return the places of the highest peaks, each to a part of a pixel; the border goes round."""
    size = tuple(min(n, 7) for n in surface.shape)
    tops = np.flatnonzero(surface == maximum_filter(surface, size, mode="wrap"))
    for index in tops[np.argsort(surface.ravel()[tops])[::-1][:_CANDIDATES]]:
        row, column = np.unravel_index(int(index), surface.shape)
        yield (
            float(row) + _vertex(surface[:, column], int(row)),
            float(column) + _vertex(surface[row], int(column)),
        )


def _vertex(values: Floats, place: int) -> float:
    """Return how far the top of a parabola through three values lies from the middle one."""
    if len(values) < 3:
        return 0.0
    left, middle, right = values[place - 1], values[place], values[(place + 1) % len(values)]
    bend = left - 2 * middle + right
    return float((left - right) / (2 * bend)) if bend < 0 else 0.0
