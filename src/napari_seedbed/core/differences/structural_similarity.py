"""How alike the structure of two images is, place by place."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from napari_seedbed.core.differences.registration import check_same_shape
from napari_seedbed.core.magnitudes import divided, exponent_of
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.validation import (
    check_channel_axis,
    check_count,
    check_image,
    check_number,
)
from napari_seedbed.errors import InputError

WINDOW = 7


def structural_similarity_map(
    a: Any,
    b: Any,
    *,
    channel_axis: int | None = None,
    window: int = WINDOW,
    data_range: float | None = None,
) -> NDArray[np.floating]:
    """Return the structural similarity of two images at each pixel.

    Parameters
    ----------
    a, b : ndarray
        Images of the same shape; 2D or 3D, with or without channels.
    channel_axis : int, optional
        Axis of the channels, over which the similarity is averaged.
    window : int
        Odd side, in pixels, of the surroundings that are compared; at most the shortest axis.
    data_range : float, optional
        From the smallest to the largest possible value. None: of the type for 8-bit images, else
        from the smallest to the largest value of both images.

    Returns
    -------
    ndarray of float, of the shape of `a` without channels
        1 where the images are the same, down to -1; exactly scikit-image's map.

    Raises
    ------
    InputError
        If the images have different sizes or hold no finite numbers, or `window` or `data_range`
        is wrong.

    References
    ----------
    Wang, Bovik, Sheikh and Simoncelli (2004), Image quality assessment: from error visibility to
    structural similarity.
    """
    first, second = check_image(a, "a"), check_image(b, "b")
    check_same_shape(first, second, ("a", "b"))
    axis = check_channel_axis(channel_axis, first.ndim)
    side = check_count(window, "window")
    spatial = [n for i, n in enumerate(first.shape) if i != axis]
    if side % 2 == 0 or side < 3:
        raise InputError(f"window is {side}; it must be odd and at least 3.")
    if side > min(spatial):
        raise InputError(
            f"a has an axis of {min(spatial)} pixel(s), and structural similarity looks at windows "
            f"of {side}; take larger images, or a smaller window."
        )
    exponent = exponent_of(first, second)
    first, second = divided(first, exponent), divided(second, exponent)
    if data_range is not None:
        data_range = check_number(data_range, "data_range", allow_zero=False)
        data_range = float(np.ldexp(data_range, -exponent))
    extent = _extent(first, second, data_range)
    if axis is None:
        return _map(first, second, side, extent)
    total = np.zeros(spatial)
    channels = [np.moveaxis(image, axis, 0) for image in (first, second)]
    for one, other in zip(*channels, strict=True):
        total += _map(one, other, side, extent)
    total /= first.shape[axis]
    return total


def _extent(a: NDArray[Any], b: NDArray[Any], data_range: float | None) -> float:
    if data_range is not None:
        return check_number(data_range, "data_range", allow_zero=False)
    if a.dtype == np.uint8 and b.dtype == np.uint8:
        return 255.0
    extent = float(max(a.max(), b.max())) - float(min(a.min(), b.min()))
    # Two equal constant images are alike whatever the range.
    return extent if extent > 0 else 1.0


def _map(a: NDArray[Any], b: NDArray[Any], side: int, extent: float) -> NDArray[np.floating]:
    out = np.empty(a.shape)
    # Each slab sees as much of its neighbours as the window reaches.
    reach = side // 2

    def work(slab: Slab) -> None:
        axis = len(slab) - 1
        start, stop = slab[-1].start, slab[-1].stop
        length = a.shape[axis]
        first = max(0, min(start - reach, length - side))
        last = min(length, max(stop + reach, side))
        seen = (*slab[:-1], slice(first, last))
        _, similarity = structural_similarity(
            a[seen].astype(np.float64),
            b[seen].astype(np.float64),
            win_size=side,
            data_range=extent,
            full=True,
        )
        inner = (*slab[:-1], slice(start - first, stop - first))
        out[slab] = similarity[inner]

    in_slabs(work, a.shape)
    return out


def range_of_bytes(image: NDArray[Any]) -> float | None:
    """Return 255 for an image of 8 bits: its `data_range`, whatever it is compared with.

    Parameters
    ----------
    image : ndarray
    """
    return 255.0 if image.dtype == np.uint8 else None
