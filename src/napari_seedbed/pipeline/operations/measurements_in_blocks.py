"""Objects measured and scored block by block: what operations do beside core."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.blocks.measured_blocks import BlockMeasures, join_measures, measure_block
from napari_seedbed.core.blocks.median_search import MedianSearch, PartCounts
from napari_seedbed.core.blocks.surface_blocks import (
    BlockDistances,
    FarVoxels,
    distances_in_block,
    far_voxels,
    join_distances,
    nearest_in_block,
)
from napari_seedbed.core.objects.object_measurement import channel_suffixes
from napari_seedbed.core.scores.agreement_maps import agreement_map
from napari_seedbed.core.scores.label_overlaps import (
    LabelOverlaps,
    joined_overlaps,
    overlaps_of_part,
)
from napari_seedbed.core.scores.object_errors import errors_in_overlaps
from napari_seedbed.core.scores.segmentation_scoring import scores_of_overlaps
from napari_seedbed.core.scores.volume_scores import error_points, score_table
from napari_seedbed.pipeline.data.tables import PointsFound, Table
from napari_seedbed.pipeline.engine.block_jobs import BlockJob, BlockView
from napari_seedbed.pipeline.operations.block_views import place_of
from napari_seedbed.pipeline.operations.measurement_words import (
    NO_IMAGE,
    TABLE_NAME,
    channel_names,
    count_in_words,
    wanted_groups,
)

Outputs = dict[str, Any]

_SEEN_FOR_SURFACES = 16
"""Voxels around a block within which distances of surfaces are mostly found."""


def _measures(block: BlockView, groups: Sequence[str], with_image: bool) -> BlockMeasures:
    image = block.other if with_image else None
    axis = 0 if image is not None and image.ndim > block.image.ndim else None
    return measure_block(block.image, place_of(block), groups, image, axis)


def _medians(
    block: BlockView, searches: Sequence[MedianSearch], needed: set[tuple[int, ...]]
) -> list[list[PartCounts]] | None:
    """What each channel has in the ranges; None where no object is searched."""
    place = place_of(block)
    if place.start not in needed:
        return None
    image = block.other
    assert image is not None
    channels = image if image.ndim > block.image.ndim else image[np.newaxis]
    pairs = zip(searches, channels, strict=True)
    return [search.counted(block.image, channel) for search, channel in pairs]


def measure(job: BlockJob) -> Outputs:
    """A table with a row an object."""
    groups = wanted_groups(job.parameters)
    with_image = job.other is not None and "intensity" in groups
    found = job.map(_measures, groups, with_image, halo=1)
    suffixes: list[str] = []
    if with_image:
        assert job.other is not None
        several = job.other.n_channels > 1
        names = channel_names(job.other)
        suffixes = channel_suffixes(len(found[0].intensities), names) if several else [""]
    joined = join_measures(found, job.spacing, suffixes)
    searches = joined.searches
    searched = np.concatenate([np.zeros(0, np.int64), *(one.labels for one in searches)])
    needed = {
        tuple(part.start for part in region)
        for region, measures in zip(job.blocks, found, strict=True)
        if np.isin(measures.labels, searched).any()
    }
    while not all(search.is_done for search in searches):
        counted = [one for one in job.map(_medians, searches, needed) if one is not None]
        searches = [
            search.narrowed([block[nth] for block in counted])
            for nth, search in enumerate(searches)
        ]
    facts = joined.with_medians(searches)
    columns = facts.columns(groups, job.image.spatial_shape, job.spacing, job.image.unit)
    job.shared["measured"] = job.shared.get("measured", 0) + len(facts.labels)
    job.note(count_in_words, job.shared["measured"])
    if job.parameters["intensity"] and job.other is None:
        job.notes.append(NO_IMAGE)
    return {"table": Table(columns, TABLE_NAME.format(job.outputs.image.name))}


def _scored(block: BlockView, background: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The truth and the labels of a block, as they are scored."""
    assert block.other is not None
    labels = block.image
    if background:
        labels = np.where(labels == background, 0, labels)
    return block.other, labels


def _overlaps(block: BlockView, background: int) -> LabelOverlaps:
    return overlaps_of_part(*_scored(block, background), place_of(block).start)


def _distances(block: BlockView, background: int) -> BlockDistances:
    return distances_in_block(*_scored(block, background), place_of(block), block.spacing)


def _nearest(block: BlockView, background: int, far: tuple[FarVoxels, FarVoxels]) -> Any:
    return nearest_in_block(lambda: _scored(block, background), place_of(block), far, block.spacing)


def _agreement(block: BlockView, background: int) -> NDArray[np.uint8]:
    return agreement_map(*_scored(block, background))


def scores(job: BlockJob) -> Outputs:
    """A table of scores, and the errors and a map of them where they are wanted."""
    background = job.parameters["background"]
    overlaps = joined_overlaps(job.map(_overlaps, background))
    found = job.map(_distances, background, halo=_SEEN_FOR_SURFACES)
    far = far_voxels(found, job.spacing)
    nearest = []
    if any(len(voxels.places) for voxels in far):
        nearest = job.map(_nearest, background, far, halo=1)
    scored = scores_of_overlaps(overlaps) | join_distances(found, far, nearest, job.spacing)
    outputs: Outputs = {"table": score_table(scored)}
    if job.parameters["points"]:
        errors = errors_in_overlaps(overlaps, job.spacing)
        points, columns = error_points(errors, len(job.spacing))
        outputs["points"] = PointsFound(points, columns)
    if job.parameters["agreement"]:
        outputs["agreement"] = job.write("agreement", _agreement, background, dtype=np.uint8)
    return outputs
