"""Windows of filters as arrays."""

import numpy as np


def footprint(rows, ndim):
    """Return a window as an array with its middle in the middle, (…) of `ndim` axes."""
    reach = np.abs(rows).max(axis=0)
    found = np.zeros(2 * reach + 1, bool)
    for z, y, width in rows:
        found[z + reach[0], y + reach[1], reach[2] - width : reach[2] + width + 1] = True
    return found.reshape(found.shape[3 - ndim :])
