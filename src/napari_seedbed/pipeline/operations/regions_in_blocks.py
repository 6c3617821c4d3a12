"""Maxima, colours and graphs of regions in blocks: what operations do beside core."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.blocks.peak_blocks import (
    BlockPeaks,
    JoinedPeaks,
    PeakRule,
    all_middles,
    join_peaks,
    nearest_in_block,
    peak_halo,
    peaks_in_block,
)
from napari_seedbed.core.blocks.region_blocks import (
    BlockEdges,
    RegionSums,
    coloured_block,
    edges_in_block,
    join_edges,
    join_sums,
    region_numbers,
    region_sums,
)
from napari_seedbed.core.filters.gaussian_derivatives import gaussian_halo
from napari_seedbed.core.filters.local_filters import float_image, ordered_image
from napari_seedbed.core.images.type_conversion import in_type_of
from napari_seedbed.core.objects.peaks import chosen_maxima, maxima_level
from napari_seedbed.pipeline.data.tables import PointsFound
from napari_seedbed.pipeline.engine.block_jobs import BlockJob, BlockView
from napari_seedbed.pipeline.engine.jobs import Channels
from napari_seedbed.pipeline.operations.block_views import place_of
from napari_seedbed.pipeline.operations.object_words import in_words
from napari_seedbed.pipeline.operations.region_graphs import chosen_groups

Outputs = dict[str, Any]


def _extremes(block: BlockView) -> tuple[float, float]:
    image = ordered_image(block.image)
    return float(image.min()), float(image.max())


def _peaks(block: BlockView, rule: PeakRule) -> BlockPeaks:
    return peaks_in_block(block.image, place_of(block), rule)


def _nearest(
    block: BlockView, rule: PeakRule, joined: JoinedPeaks
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    place = place_of(block)
    if not joined.is_needed(place.start):
        return np.zeros(0, np.int64), np.zeros((0, len(place.shape)), np.int64)
    return nearest_in_block(block.image, place, rule, joined)


def local_maxima(job: BlockJob) -> Outputs:
    """The points that are brighter than all around."""
    chosen, shape = job.parameters, job.image.spatial_shape
    extremes = job.map(_extremes)
    low, high = min(least for least, _ in extremes), max(most for _, most in extremes)
    dark, distance = chosen["dark"], chosen["distance"]
    level = maxima_level(chosen["threshold"], chosen["threshold_kind"], low, high, dark=dark)
    points, columns = np.zeros((0, len(shape))), {"value": np.zeros(0)}
    if low < high:
        rule = PeakRule(distance, level, job.spacing, dark)
        halo = peak_halo(distance, job.spacing)
        joined = join_peaks(job.map(_peaks, rule, halo=halo))
        nearest = job.map(_nearest, rule, joined, halo=halo) if joined.is_cut.any() else []
        points, columns = chosen_maxima(
            all_middles(joined, nearest),
            joined.values,
            shape,
            distance,
            job.spacing,
            dark=dark,
            border=chosen["border"],
        )
    job.note(in_words, len(points), "point")
    return {"points": PointsFound(points, columns)}


def _channel_axis(block: BlockView) -> int | None:
    return 0 if block.image.ndim > len(block.region) else None


def _sums(block: BlockView) -> RegionSums:
    assert block.other is not None
    return region_sums(block.other, block.image, _channel_axis(block))


def _coloured(
    block: BlockView, regions: RegionSums, dtype: np.dtype[Any], colours: np.dtype[Any] | None
) -> NDArray[Any]:
    assert block.other is not None
    found = coloured_block(block.other, regions, dtype)
    if colours is not None:
        found = in_type_of(found, np.empty(0, colours))
    return found[0] if len(found) == 1 else found


def _colours_of(job: BlockJob) -> np.dtype[Any] | None:
    """The type that colours come out in; None where the image has none."""
    return job.outputs.image.dtype if job.outputs.image.rgb else None


def average_colour(job: BlockJob) -> Outputs:
    """A picture in which each region has its mean colour."""
    regions = join_sums(job.map(_sums))
    dtype = float_image(np.zeros(1, job.image.dtype)).dtype
    known = (regions, dtype, _colours_of(job))
    return {"image": job.write("image", _coloured, *known, dtype=dtype)}


def _edges(block: BlockView, sigma: float) -> BlockEdges:
    assert block.other is not None
    return edges_in_block(
        block.other, block.image, place_of(block), block.spacing, _channel_axis(block), sigma=sigma
    )


def _painted(block: BlockView, labels: NDArray[np.int64], groups: NDArray[np.int64]) -> Any:
    assert block.other is not None
    table = np.concatenate([[0], labels[groups]]).astype(np.int32)
    return table[region_numbers(block.other, labels)]


def region_graph_merge(job: BlockJob) -> Outputs:
    """Regions that are alike joined."""
    sigma = job.parameters["sigma"]
    sums = join_sums(job.map(_sums))
    halo = [n + 1 for n in gaussian_halo(sigma, job.spacing, 1)]
    graph = join_edges(job.map(_edges, sigma, halo=halo), sums)
    groups = chosen_groups(job, graph)
    outputs = {"labels": job.write("labels", _painted, graph.labels, groups, dtype=np.int32)}
    if job.parameters["average"]:
        means = graph.colours(groups)
        colours = RegionSums(graph.labels, np.ones_like(graph.voxels), means)
        count = means.shape[1]
        own = Channels(np.zeros(count), as_input=True) if count > 1 else ()
        known = (colours, np.dtype(np.float32), _colours_of(job))
        outputs["average"] = job.write("average", _coloured, *known, dtype=np.float32, channels=own)
    return outputs
