"""Images cut into blocks with a halo, as the engine cuts them."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.blocks.block_places import BlockPlace
from napari_seedbed.core.boxes import widened


def places(
    shape: Sequence[int], block: Sequence[int], halo: int | Sequence[int] = 0
) -> list[BlockPlace]:
    """All blocks of an image, in raster order; the last along an axis may be smaller."""
    margins = [halo] * len(shape) if isinstance(halo, int) else list(halo)
    lines = [
        [slice(first, min(first + step, n)) for first in range(0, n, step)]
        for n, step in zip(shape, block, strict=True)
    ]
    return [BlockPlace(own, widened(own, margins, shape), tuple(shape)) for own in product(*lines)]


def parts(
    array: NDArray[Any], block: Sequence[int], halo: int | Sequence[int] = 0
) -> Iterator[tuple[NDArray[Any], BlockPlace]]:
    """What is seen of each block."""
    for place in places(array.shape, block, halo):
        yield array[place.seen], place


def chunkings(shape: Sequence[int]) -> list[tuple[int, ...]]:
    """Blocks of three kinds: uneven, thin along one axis, and the whole."""
    thin = [*shape]
    thin[0] = 1
    return [tuple(max(1, int(n * 0.4)) for n in shape), tuple(thin), tuple(shape)]


def put_together(blocks: Iterator[tuple[NDArray[Any], BlockPlace]]) -> NDArray[Any]:
    """The image that blocks without halo make."""
    out: NDArray[Any] | None = None
    for array, place in blocks:
        if out is None:
            out = np.zeros(place.shape, array.dtype)
        assert array.shape == tuple(part.stop - part.start for part in place.region)
        out[place.region] = array
    assert out is not None
    return out
