"""What to do where memory does not do for a run: blocks, a lower resolution, a crop, in numbers."""

from collections.abc import Iterator, Sequence

from napari_seedbed.pipeline.data.memory import bytes_in_words
from napari_seedbed.pipeline.engine.run_costs import RunCost
from napari_seedbed.pipeline.files.zarr_levels import levels_of

_LEAST_SHARE = 1 / 64
"""Of each side of an image; a smaller crop is of no use to anybody."""

_STEPS = 12
"""Halvings of the range in which the largest crop lies: it is found to a thousandth."""


def proposal(cost: RunCost, free: int) -> str:
    """A sentence of what to do where so many bytes are free, with what each would take.

    Parameters
    ----------
    cost : RunCost
    free : int
        Bytes.
    """
    ways = [*_blocks(cost, free), *_level(cost, free), *_crop(cost, free)]
    ways.append("close other programs, or use a machine with more memory")
    text = ", ".join(ways)
    return f"{text[:1].upper()}{text[1:]}."


def _blocks(cost: RunCost, free: int) -> Iterator[str]:
    found = cost.in_blocks()
    if found is not None and found.bytes <= free:
        source = "" if cost.image.is_lazy else "from a file "
        yield f"run it {source}in blocks ({found.text})"


def _level(cost: RunCost, free: int) -> Iterator[str]:
    image = cost.image
    axes, shape = image.spatial_axes, image.spatial_shape
    sizes = dict(zip(axes, image.spacing, strict=True))
    for number, level in enumerate(levels_of(shape, axes, sizes)):
        spacing = level.scale(image.spacing)
        needed = cost.bytes_at(level.shape, spacing)
        if number and needed <= free:
            factor = max(level.factors)
            yield (
                f"use level {number} of its pyramid (1/{factor} of the resolution, "
                f"{_in_words(level.shape)} voxels, {bytes_in_words(needed)})"
            )
            return


def _crop(cost: RunCost, free: int) -> Iterator[str]:
    shape = cost.image.spatial_shape

    def part(share: float) -> tuple[int, ...]:
        return tuple(max(1, int(n * share)) for n in shape)

    def fits(share: float) -> bool:
        return cost.bytes_at(part(share), cost.image.spacing) <= free

    low, high = _LEAST_SHARE, 1.0
    if not fits(low):
        return
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    yield f"crop the image to {_in_words(part(low))} voxels"


def _in_words(shape: Sequence[int]) -> str:
    return " x ".join(str(n) for n in shape)
