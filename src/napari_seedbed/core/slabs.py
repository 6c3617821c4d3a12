"""Work on large arrays slab by slab, on all cores, stopping between slabs when asked to."""

from collections.abc import Callable
from math import prod

from napari_seedbed.core.threads import run_ranges, split

Slab = tuple[slice, ...]

_VOXELS_PER_TASK = 1 << 19


def in_slabs(
    work: Callable[[Slab], None], shape: tuple[int, ...], *, whole: int | None = None
) -> None:
    """Call `work` for slabs of an array, on all cores; they are not cut across the axis `whole`."""
    axis = max((a for a in range(len(shape)) if a != whole), key=lambda a: shape[a])

    def slab(start: int, stop: int) -> None:
        work((slice(None),) * axis + (slice(start, stop),))

    pieces = split(shape[axis], 1 + prod(shape) // _VOXELS_PER_TASK)
    run_ranges(slab, pieces)
