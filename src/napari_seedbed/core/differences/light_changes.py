"""How the intensities of two images of one scene differ, estimated from what has not changed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_seedbed.core.progress import check_stop

_SAMPLES = 50_000
_SIGMA = 1.0
_ROUNDS = 20

_FAR = 3 * 1.4826
"""Residuals so many median absolute deviations out are no noise, but changes."""

_CLEARLY = 0.95
"""A start that needs more of a change of light must leave so much smaller residuals."""


def gain_and_offset(
    image: NDArray[Any], reference: NDArray[Any], mask: NDArray[np.bool_] | None = None
) -> tuple[float, float]:
    """Return the gain and the offset that bring an image to a reference, whatever has changed.

    The line ``reference = gain * image + offset`` is fitted again and again to the pixels that lie
    near it, as in least trimmed squares; its gain is the ratio of their standard deviations, which
    noise in either image does not pull down.

    Parameters
    ----------
    image, reference : ([Z, ]Y, X) ndarray
    mask : ndarray of bool, optional
        Pixels that count.

    Returns
    -------
    gain, offset : float
        1 and 0 for equal images; a gain of 1 where there is nothing to estimate it from.

    References
    ----------
    Rousseeuw PJ, Van Driessen K (2006). Computing LTS regression for large data sets. Data Mining
    and Knowledge Discovery 12(1), 29-45.
    """
    x, y = (_sample(part, mask) for part in (image, reference))
    starts = [(1.0, 0.0), (1.0, float(np.median(y) - np.median(x)))]
    (x_low, x_high), (y_low, y_high) = (np.percentile(part, (1, 99)) for part in (x, y))
    if x_high > x_low and y_high > y_low:
        gain = float((y_high - y_low) / (x_high - x_low))
        starts.append((gain, float(y_low - gain * x_low)))
    best, least = (1.0, 0.0), np.inf
    for start in starts:
        check_stop()
        line = _refined(x, y, *start)
        residual = float(np.abs(y - line[0] * x - line[1]).mean())
        if residual < _CLEARLY * least:
            best, least = line, residual
    return best


def _sample(plane: NDArray[Any], mask: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    """Return pixels, evenly spread, of an image made a little smoother: edges may have moved."""
    smooth = gaussian_filter(plane.astype(np.float64), _SIGMA)
    values = smooth.ravel() if mask is None else smooth[mask]
    return values[:: 1 + values.size // _SAMPLES]


def _refined(
    x: NDArray[np.float64], y: NDArray[np.float64], gain: float, offset: float
) -> tuple[float, float]:
    for _ in range(_ROUNDS):
        residual = y - gain * x - offset
        residual -= np.median(residual)
        np.abs(residual, out=residual)
        near = residual <= _FAR * np.median(residual)
        if not near.any():
            # Numbers so large that their squares are infinite.
            break
        spread, wanted = float(x[near].std()), float(y[near].std())
        # Rounding alone spreads equal numbers a little.
        told = min(spread, gain * wanted) > 1e-9 * float(np.abs(x[near]).max(initial=0.0))
        new_gain = wanted / spread if told and wanted > 0 else gain
        new_offset = float(y[near].mean() - new_gain * x[near].mean())
        rests = abs(new_gain - gain) <= 1e-5 * gain and abs(new_offset - offset) <= 1e-4 * wanted
        gain, offset = new_gain, new_offset
        if rests:
            break
    return gain, offset
