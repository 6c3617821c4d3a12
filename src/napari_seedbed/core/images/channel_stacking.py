"""One image of the channels of several."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def stack_channels(images: Sequence[NDArray[Any]], ndim: int) -> NDArray[Any]:
    """Put the channels of images behind each other.

    Parameters
    ----------
    images : sequence of (…) or (C, …) ndarray
        Of one size.
    ndim : int
        How many axes they have without channels.

    Returns
    -------
    (C, …) ndarray
        Of the smallest type that holds all.
    """
    return np.concatenate([one if one.ndim > ndim else one[np.newaxis] for one in images])
