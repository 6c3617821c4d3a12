"""Surfaces that move in images larger than memory: only what lies around them is read.

Objects that begin near each other share a region, which grows as long as one of them comes near
its sides. What is measured of the whole image, its contrast, is measured block by block.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from napari_seedbed.core.boxes import widened
from napari_seedbed.core.marks.shapes import clean_shapes
from napari_seedbed.core.progress import check_stop, part_of
from napari_seedbed.core.snakes.snake_images import Limits, limits_of_samples, sample_step
from napari_seedbed.errors import InputError, MemoryForecastError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.memory import bytes_in_words
from napari_seedbed.pipeline.engine.block_jobs import BlockJob, BlockView
from napari_seedbed.pipeline.engine.declarations import Size
from napari_seedbed.pipeline.engine.registry import get

if TYPE_CHECKING:
    from napari_seedbed.core.marks.shapes import Shape

Region = tuple[slice, ...]

LEAST_MARGIN = 24
"""Voxels around what was drawn that are looked at from the beginning."""

_TRUNCATED = 4.0
"""Standard deviations that the smoothing reaches."""


def edge_surface(job: BlockJob) -> dict[str, Image] | None:
    """Let geodesic contours move; None with a balloon, which is held back by a share of all."""
    return None if job.parameters["balloon"] else _grown(job, "edge_surface", "EdgeSurface")


def region_surface(job: BlockJob) -> dict[str, Image] | None:
    """Let Chan-Vese surfaces move; None where all of the background counts."""
    everything = job.parameters["outer"] == "all"
    return None if everything else _grown(job, "region_surface", "RegionSurface")


def _grown(job: BlockJob, operation: str, method: str) -> dict[str, Image] | None:
    parameters = job.parameters
    is_volume = len(job.plan.shape) == 3
    if (is_volume and parameters["extent"] != "volume") or parameters["follow"] != "off":
        return None
    if parameters["shapes"]:
        raise InputError(
            "shapes: runs in blocks give labels only; leave them out, or take a lower level of the "
            "image's pyramid, or crop it."
        )
    if job.shapes:
        clean_shapes([replace(one, time=0) for one in job.shapes], job.plan.shape)
    regions = _apart(_boxes_of_starts(job), job.plan.shape)
    limits = _limits(job)
    found: list[Found] = []
    while left := [one for one in regions if all(one != own.region for own in found)]:
        check_stop()
        with part_of(len(found), len(regions)):
            own = _in_region(job, left[0], operation, method, limits)
        larger = _needed(own, job)
        if larger == own.region:
            found.append(own)
            continue
        # Objects of regions that meet now move together.
        others = [one for one in regions if one != own.region]
        regions = _apart([*others, larger], job.plan.shape, margin=0)
        found = [own for own in found if own.region in regions]
    job.notes += dict.fromkeys(note for own in found for note in own.notes)
    return {"labels": job.write("labels", pasted, tuple(found), dtype=np.int32)}


@dataclass(frozen=True, eq=False)
class Found:
    """Labels of a part of the image."""

    region: Region
    labels: NDArray[np.int32]
    notes: tuple[str, ...]


def _boxes_of_starts(job: BlockJob) -> list[Region]:
    """A box around all that each object begins with."""
    ends: dict[int, NDArray[np.int64]] = {}

    def add(label: int, low: Any, high: Any) -> None:
        known = ends.get(label)
        box = np.array([low, high])
        ends[label] = (
            box
            if known is None
            else np.array([np.minimum(known[0], box[0]), np.maximum(known[1], box[1])])
        )

    for shape in job.shapes:
        low, high = shape.points.min(axis=0), shape.points.max(axis=0)
        add(shape.label, np.floor(low).astype(int), np.ceil(high).astype(int) + 1)
    if job.seeds is not None:
        for boxes in job.map(boxes_of_block):
            for label, low, high in boxes:
                add(label, low, high)
    found: list[Region] = []
    for box in ends.values():
        sides = zip(*box.tolist(), job.plan.shape, strict=True)
        found.append(tuple(slice(max(low, 0), min(high, n)) for low, high, n in sides))
    return found


def boxes_of_block(block: BlockView) -> list[tuple[int, list[int], list[int]]]:
    """Return each label of the seeds in a block, and the ends of its box in the image."""
    seeds = block.seeds
    assert seeds is not None
    start = [part.start for part in block.region]
    values, numbers = np.unique(np.maximum(seeds, 0), return_inverse=True)
    boxes = find_objects(numbers.reshape(seeds.shape) + (values[0] > 0))
    found = []
    for value, box in zip(values[values > 0].tolist(), boxes, strict=True):
        low = [part.start + s for part, s in zip(box, start, strict=True)]
        high = [part.stop + s for part, s in zip(box, start, strict=True)]
        found.append((value, low, high))
    return found


def _apart(
    boxes: Sequence[Region], shape: Sequence[int], margin: int = LEAST_MARGIN
) -> list[Region]:
    """Widen boxes, by their own size at the least, and join those that meet."""
    regions = []
    for box in boxes:
        margins = [max(margin, part.stop - part.start) if margin else 0 for part in box]
        regions.append(widened(box, margins, shape))
    nth = 0
    while nth < len(regions):
        met = [
            other
            for other in range(len(regions))
            if other != nth
            and all(
                a.start < b.stop and b.start < a.stop
                for a, b in zip(regions[nth], regions[other], strict=True)
            )
        ]
        if not met:
            nth += 1
            continue
        several = [regions[nth], *(regions[other] for other in met)]
        joined = tuple(
            slice(min(r[axis].start for r in several), max(r[axis].stop for r in several))
            for axis in range(len(shape))
        )
        kept = [r for other, r in enumerate(regions) if other != nth and other not in met]
        regions, nth = [joined, *kept], 0
    return regions


def _limits(job: BlockJob) -> Limits:
    """The contrast of the whole image."""
    parts = job.map(sample_of_block, sample_step(job.plan.shape))
    samples = [np.concatenate(own) for own in zip(*(part.samples for part in parts), strict=True)]
    lowest = np.min([part.lowest for part in parts], axis=0)
    highest = np.max([part.highest for part in parts], axis=0)
    return limits_of_samples(samples, lambda c: (float(lowest[c]), float(highest[c])))


@dataclass(frozen=True, eq=False)
class SampleOfBlock:
    """For each channel some voxels, and the lowest and the highest of all."""

    samples: list[NDArray[Any]]
    lowest: list[float]
    highest: list[float]


def sample_of_block(block: BlockView, step: int) -> SampleOfBlock:
    """Return the voxels of a block that lie at multiples of the step along all axes."""
    image = block.image
    channels = image if image.ndim > len(block.region) else image[np.newaxis]
    if channels.dtype.kind == "b":
        channels = channels.astype(np.uint8)
    if channels.dtype.kind == "f" and not np.isfinite(channels).all():
        raise InputError("image: it holds NaN or infinite values; replace them first.")
    place = tuple(slice(-part.start % step, None, step) for part in block.region)
    return SampleOfBlock(
        [channel[place].ravel() for channel in channels],
        [float(channel.min()) for channel in channels],
        [float(channel.max()) for channel in channels],
    )


def _in_region(job: BlockJob, region: Region, operation: str, method: str, limits: Limits) -> Found:
    """Let all objects of a region move in it."""
    parameters, image = job.parameters, job.image
    shape = tuple(part.stop - part.start for part in region)
    need = get(operation).estimate(Size(shape, 1, image.n_channels), parameters).bytes
    if need > job.workers.memory * job.workers.at_once:
        raise MemoryForecastError(
            f"What lies around these objects, {' x '.join(map(str, shape))} voxels, needs "
            f"{bytes_in_words(need)} of memory, which is more than may be taken. Begin with fewer "
            "objects that lie near each other, or use a lower level of the image's pyramid."
        )
    voxels = image.crop(region).volume()
    kind = getattr(job.core, method)
    seeds = None if job.seeds is None else np.asarray(job.seeds.crop(region).volume())
    grown = job.core.grow_snakes(
        lambda t: voxels,
        1,
        shape,
        kind(**{field.name: parameters[field.name] for field in fields(kind)}),
        shapes=[
            _moved(one, region) for one in job.shapes if _begins_in(one, region, job.plan.shape)
        ],
        seeds=None if seeds is None else lambda t: seeds,
        extent=parameters["extent"],
        cap=parameters["cap"],
        spacing=job.spacing,
        channel_axis=0 if voxels.ndim > len(shape) else None,
        tolerance=parameters["tolerance"],
        give_shapes=False,
        limits=limits,
    )
    return Found(region, grown.labels[0], tuple(grown.notes))


def _begins_in(shape: "Shape", region: Region, size: Sequence[int]) -> bool:
    """Whether a region holds a shape, as far as that lies in the image."""
    first = np.clip(np.floor(shape.points.min(axis=0)), 0, np.array(size) - 1)
    return all(part.start <= at < part.stop for part, at in zip(region, first, strict=True))


def _moved(shape: "Shape", region: Region) -> "Shape":
    start = np.array([part.start for part in region])
    return replace(shape, points=shape.points - start, time=0)


def _needed(found: Found, job: BlockJob) -> Region:
    """Its region, or a larger one where an object has come near its sides.

    Around each object as much is looked at as it is large, and as far as the smoothing reaches.
    """
    region = found.region
    wanted = [(part.start, part.stop) for part in region]
    for box in find_objects(found.labels):
        if box is None:
            continue
        for axis, part in enumerate(box):
            smooth = ceil(_TRUNCATED * job.parameters["sigma"] / job.spacing[axis])
            margin = part.stop - part.start + smooth + 2 * job.parameters["smoothing"] + 3
            low, high = wanted[axis]
            start = region[axis].start
            wanted[axis] = (
                min(low, start + part.start - margin),
                max(high, start + part.stop + margin),
            )
    return tuple(
        slice(max(low, 0), min(high, n))
        for (low, high), n in zip(wanted, job.plan.shape, strict=True)
    )


def pasted(block: BlockView, found: Sequence[Found]) -> NDArray[np.int32]:
    """Return the labels of a block."""
    labels = np.zeros([part.stop - part.start for part in block.region], np.int32)
    for own in found:
        common = [
            (max(a.start, b.start), min(a.stop, b.stop))
            for a, b in zip(block.region, own.region, strict=True)
        ]
        if all(low < high for low, high in common):
            here, there = (
                tuple(
                    slice(low - part.start, high - part.start)
                    for (low, high), part in zip(common, whole, strict=True)
                )
                for whole in (block.region, own.region)
            )
            labels[here] = own.labels[there]
    return labels
