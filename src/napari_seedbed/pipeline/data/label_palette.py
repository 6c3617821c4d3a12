"""Colours of labels in files that keep none of their own."""

import numpy as np
from numpy.typing import NDArray

_STEP = 0.618033988749895
"""Hues that far apart, in turns, differ for as many objects as there may be."""
_SATURATION, _VALUE = 0.6, 0.95


def distinct_colours(labels: NDArray[np.integer]) -> NDArray[np.uint8]:
    """A colour (N, 3) for each label, those of labels that follow each other far apart."""
    from skimage.color import hsv2rgb

    hue = labels * _STEP % 1
    hsv = np.stack([hue, np.full(len(hue), _SATURATION), np.full(len(hue), _VALUE)], axis=-1)
    return np.asarray(np.rint(hsv2rgb(hsv) * 255), np.uint8)
