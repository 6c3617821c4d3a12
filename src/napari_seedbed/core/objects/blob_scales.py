"""How well blobs of one size after the other fit an image, and where they fit best.

Each scale is smoothed from the one before, which takes a short kernel, and curvature is found by
differences of neighbours. Once it is smooth, every other voxel says as much: so the many large
scales cost less together than the first few.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.filters.gaussian_derivatives import correlate_along, gaussian_weights
from napari_seedbed.core.objects.peak_kernels import neighbourhood_peaks
from napari_seedbed.core.progress import check_stop, tell

BlobMethod = Literal["log", "dog", "doh"]
Floats = NDArray[np.floating]
Found = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]

# Standard deviation in voxels from which on every other voxel is enough: what is lost is below
# 1e-4 of the contrast.
_SMOOTH = 3.0
_SHORTEST = 16
_ROUNDING = 1e-6
_NOTHING = 0.01
# Exact for polynomials of up to five and four degrees.
_SECOND = np.array([-1, 16, -30, 16, -1]) / 12
_FIRST = np.array([1, -8, 0, 8, -1]) / 12


@dataclass(frozen=True)
class _Scale:
    """The response at one scale, on every `factors`-th voxel along each axis."""

    sigma: float
    response: Floats
    factors: tuple[int, ...]

    def around(self, voxels: NDArray[np.int64]) -> Floats:
        """The largest responses next to voxels of the image, (N, D)."""
        shape = np.array(self.response.shape)
        middle = np.rint(voxels / self.factors).astype(np.int64)
        best = np.full(len(voxels), -np.inf, self.response.dtype)
        for step in itertools.product((-1, 0, 1), repeat=len(shape)):
            place = np.clip(middle + step, 0, shape - 1)
            np.maximum(best, self.response[tuple(place.T)], out=best)
        return best

    def at(self, voxels: NDArray[np.int64]) -> Floats:
        """The responses nearest to voxels of the image, (N, D)."""
        place = np.minimum(
            np.rint(voxels / self.factors).astype(np.int64), np.array(self.response.shape) - 1
        )
        found: Floats = self.response[tuple(place.T)]
        return found


def peaks_in_scales(
    image: Floats,
    sigmas: Sequence[float],
    spacing: tuple[float, ...],
    method: BlobMethod,
    share: float,
    least: float,
) -> Found:
    """Find where the response to bright blobs is larger than all around, in space and scale.

    Parameters
    ----------
    image : ([Z, ]Y, X) ndarray of float
        Around zero.
    sigmas : sequence of float
        Rising scales in the unit of `spacing`.
    spacing : tuple of float
        Voxel size.
    method : {'log', 'dog', 'doh'}
    share : float
        Smallest strength as a share of the largest one.
    least : float
        Smallest strength.

    Returns
    -------
    places : (K, D) ndarray
        Voxel coordinates.
    scales, strengths : (K,) ndarray
    """
    # What is left of a flat image by rounding is no blob.
    floor = max(least, _ROUNDING * float(np.ptp(image)))
    best = 0.0
    parts: list[Found] = [(np.zeros((0, image.ndim)), np.zeros(0), np.zeros(0))]
    before: _Scale | None = None
    here: _Scale | None = None
    scales = _scales(image, sigmas, spacing, method)
    for number, after in enumerate(itertools.chain(scales, [None])):
        tell(number / (len(sigmas) + 1), f"scale {number + 1} of {len(sigmas)}")
        if here is not None:
            best = max(best, float(here.response.max()))
            parts.append(_peaks(before, here, after, max(floor, share * best)))
        before, here = here, after
    places, found, strengths = (np.concatenate(column) for column in zip(*parts, strict=True))
    strong = strengths >= share * strengths.max(initial=0)
    return places[strong], found[strong], strengths[strong]


def _scales(
    image: Floats, sigmas: Sequence[float], spacing: tuple[float, ...], method: BlobMethod
) -> Iterator[_Scale]:
    ratio = sigmas[1] / sigmas[0] if len(sigmas) > 1 else 2**0.25
    # A difference of two Gaussians stands for the scale between them.
    start = 1 / math.sqrt(ratio) if method == "dog" else 1.0
    smooth: Floats = image.copy()
    width = 0.0
    factors = [1] * image.ndim
    for sigma in sigmas:
        check_stop()
        for axis in range(image.ndim):
            step = spacing[axis] * factors[axis]
            if width >= _SMOOTH * step and smooth.shape[axis] >= _SHORTEST:
                smooth = smooth[(slice(None),) * axis + (slice(None, None, 2),)]
                factors[axis] *= 2
        smooth = np.ascontiguousarray(smooth)
        steps = tuple(step * factor for step, factor in zip(spacing, factors, strict=True))
        _smooth_further(smooth, width, sigma * start, steps)
        width = sigma * start
        if method == "dog":
            less = smooth.copy()
            _smooth_further(smooth, width, width * ratio, steps)
            width *= ratio
            # Scaled so that close Gaussians give what the Laplacian gives.
            response: Floats = (less - smooth) * image.dtype.type(2 * ratio / (ratio**2 - 1))
        elif method == "log":
            response = np.zeros_like(smooth)
            for axis, step in enumerate(steps):
                weights = _SECOND * -((sigma / step) ** 2)
                response += _differences(smooth, [(axis, weights)])
        else:
            response = _determinant(smooth, sigma, steps)
        yield _Scale(sigma, response, tuple(factors))


def _smooth_further(array: Floats, before: float, sigma: float, spacing: tuple[float, ...]) -> None:
    """Smooth in place, so that what was smoothed by `before` is smoothed by `sigma`."""
    more = math.sqrt(max(sigma**2 - before**2, 0.0))
    for axis, step in enumerate(spacing):
        if array.shape[axis] > 1 and more > _NOTHING * step:
            weights = gaussian_weights(more / step, reach=array.shape[axis] - 1)
            correlate_along(array, axis, weights, "nearest")


def _differences(smooth: Floats, along: list[tuple[int, NDArray[np.float64]]]) -> Floats:
    out = smooth.copy()
    for axis, weights in along:
        correlate_along(out, axis, weights, "nearest")
    return out


def _determinant(smooth: Floats, sigma: float, steps: tuple[float, ...]) -> Floats:
    """Twice the root of the Hessian's determinant, as large as the Laplacian of round blobs."""
    y, x = (sigma / step for step in steps)
    yy = _differences(smooth, [(0, _SECOND * y * y)])
    xx = _differences(smooth, [(1, _SECOND * x * x)])
    yx = _differences(smooth, [(0, _FIRST * y), (1, _FIRST * x)])
    determinant = np.where(yy + xx < 0, yy * xx - yx * yx, 0)
    found: Floats = 2 * np.sqrt(np.maximum(determinant, 0))
    return found


def _peaks(before: _Scale | None, here: _Scale, after: _Scale | None, floor: float) -> Found:
    response = here.response
    peaks = neighbourhood_peaks(response, floor)
    places = np.argwhere(peaks)
    value = response[peaks]
    voxels = places * np.array(here.factors)
    for beside in (before, after):
        if beside is not None and len(places):
            top = value >= beside.around(voxels)
            places, value, voxels = places[top], value[top], voxels[top]
    offsets = np.zeros(places.shape)
    for axis, length in enumerate(response.shape):
        # Beyond the border the response goes on as it is there.
        low, high = places.copy(), places.copy()
        low[:, axis] = np.maximum(low[:, axis] - 1, 0)
        high[:, axis] = np.minimum(high[:, axis] + 1, length - 1)
        at_border = (places[:, axis] == 0) | (places[:, axis] == length - 1)
        offset = _vertex(response[tuple(low.T)], value, response[tuple(high.T)])
        offsets[:, axis] = np.where(at_border, 0, offset)
    sigma = np.full(len(places), here.sigma)
    if before is not None and after is not None:
        turn = _vertex(before.at(voxels), value, after.at(voxels))
        sigma *= (after.sigma / before.sigma) ** (turn / 2)
    return (places + offsets) * np.array(here.factors), sigma, value.astype(np.float64)


def _vertex(low: Floats, middle: Floats, high: Floats) -> NDArray[np.float64]:
    """Where the parabola through three neighbouring values is highest, from -0.5 to 0.5."""
    left, right = (middle - low).astype(np.float64), (middle - high).astype(np.float64)
    bend = left + right
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(bend > 0, (left - right) / (2 * bend), 0.0)
    return np.clip(found, -0.5, 0.5)
