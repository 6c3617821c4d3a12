"""Boxes of voxels: a slice for each axis, with whole numbers from 0 on."""

from collections.abc import Iterable, Sequence


def widened(
    box: Iterable[slice], margins: Iterable[int], shape: Sequence[int]
) -> tuple[slice, ...]:
    """Return a box with so many voxels more on both sides of each axis, within the image."""
    return tuple(
        slice(max(0, side.start - more), min(n, side.stop + more))
        for side, more, n in zip(box, margins, shape, strict=True)
    )
