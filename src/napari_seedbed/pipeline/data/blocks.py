"""Images read block by block, so that what is larger than memory can be looked at."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop
from napari_seedbed.pipeline.data.image import Image, voxels_of


def image_blocks(image: Image, channel: int | None = None) -> Iterator[NDArray]:
    """Give all voxels of an image once, in parts.

    Parameters
    ----------
    image : Image
    channel : int, optional
        All channels when None.

    Yields
    ------
    ndarray
        Time points of images in memory, without copies, and of those without chunks; chunks of
        others, of which only one is in memory at a time.
    """
    if channel is not None:
        image = image.select_channels([channel])
    array = image.array
    if not hasattr(array, "numblocks"):
        for t in range(image.n_times):
            yield np.asarray(image.select_time(t).array)
        return
    for place in np.ndindex(array.numblocks):
        yield voxels_of(array.blocks[place])


class OverBlocks(Protocol):
    """Calls a function for all voxels of an image, block by block, wherever that is done."""

    def __call__(
        self,
        function: Callable[..., Any],
        image: Image,
        channel: int | None = None,
        change: Callable[[NDArray], NDArray] | None = None,
        reach: Sequence[int] = (),
        *,
        placed: bool = False,
    ) -> Iterable[Any]:
        """What the function gives for each block, in an order that is always the same.

        Parameters
        ----------
        function : callable
            Picklable.
        image : Image
        channel : int, optional
            All channels when None.
        change : callable, optional
            Picklable; gives another volume for the volume of a channel, whose parts it is asked
            for instead.
        reach : sequence of int
            How far around a voxel that looks, along each axis of space.
        placed : bool
            Whether the function is called with a block of one time point with what is around it,
            the region of the block, and that of what is seen.
        """
        ...


def over_blocks(
    function: Callable[..., Any],
    image: Image,
    channel: int | None = None,
    change: Callable[[NDArray], NDArray] | None = None,
    reach: Sequence[int] = (),
    *,
    placed: bool = False,
) -> Iterator[Any]:
    """Call a function here, with one block after the other; see `OverBlocks`."""
    if placed:
        one = image if channel is None else image.select_channels([channel])
        everything = tuple(slice(0, n) for n in image.spatial_shape)
        for t in range(image.n_times):
            check_stop()
            yield function(one.select_time(t).volume(), everything, everything)
        return
    for block in changed_volumes(image, change, channel):
        check_stop()
        yield function(block)


def changed_volumes(
    image: Image, change: Callable[[NDArray], NDArray] | None, channel: int | None = None
) -> Iterator[NDArray]:
    """Give all voxels of an image as `image_blocks`, or its volumes if they are to be changed.

    Parameters
    ----------
    image : Image
    change : callable or None
        Gives another volume for the volume of a channel at a time point.
    channel : int, optional
        All channels when None.
    """
    if change is None:
        yield from image_blocks(image, channel)
        return
    if channel is not None:
        image = image.select_channels([channel])
    for t in range(image.n_times):
        for plane in image.select_time(t).channels():
            yield change(plane.volume())


def count_blocks(image: Image) -> int:
    """How many blocks `image_blocks` gives."""
    return int(np.prod(getattr(image.array, "numblocks", image.n_times)))
