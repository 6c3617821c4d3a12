"""Objects labelled, chosen, numbered and filled block by block: what operations do beside core."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.blocks.block_places import BlockPlace
from napari_seedbed.core.blocks.hole_filling import (
    BlockGround,
    FilledPieces,
    fill_pieces,
    filled_block,
    ground_in_block,
)
from napari_seedbed.core.blocks.joined_pieces import (
    BlockPieces,
    JoinedPieces,
    PieceTables,
    block_pieces,
    join_pieces,
)
from napari_seedbed.core.blocks.linked_labels import link_halo, links_in_block, lowest_labels
from napari_seedbed.core.blocks.object_tallies import (
    CountedObjects,
    ObjectTallies,
    join_tallies,
    off_border,
    sorted_places,
    tally_block,
)
from napari_seedbed.core.objects.label_lookup import kept, renumbered
from napari_seedbed.core.objects.object_selection import (
    largest_places,
    only_objects,
    size_limits,
)
from napari_seedbed.core.objects.relations import relations_of_overlaps
from napari_seedbed.core.scores.label_overlaps import (
    LabelOverlaps,
    joined_overlaps,
    overlaps_of_part,
)
from napari_seedbed.pipeline.engine.block_jobs import BlockJob, BlockView
from napari_seedbed.pipeline.operations.block_views import place_of
from napari_seedbed.pipeline.operations.object_words import connectivity_of, in_words

Outputs = dict[str, Any]
Labels = NDArray[np.int32]


# Passes over the blocks


def _pieces(block: BlockView, connectivity: int | None, is_mask: bool) -> BlockPieces:
    return block_pieces(_seen(block, is_mask), place_of(block), connectivity)


def _seen(block: BlockView, is_mask: bool) -> NDArray[Any]:
    # Masks are labelled several times as fast.
    return block.image > 0 if is_mask else block.image


def _numbers(block: BlockView, tables: PieceTables, is_mask: bool) -> Labels:
    return tables.numbers(_seen(block, is_mask), place_of(block))


def _kept_pieces(
    block: BlockView, tables: PieceTables, is_mask: bool, stay: NDArray[np.integer]
) -> Labels:
    own = place_of(block).own(block.image)
    return only_objects(own, _numbers(block, tables, is_mask), stay)


def _kept_labels(block: BlockView, stay: NDArray[np.integer]) -> Labels:
    return kept(block.image, stay)


def _tally(block: BlockView) -> ObjectTallies:
    return tally_block(block.image, place_of(block))


def _renumbered(
    block: BlockView, labels: NDArray[np.integer], targets: NDArray[np.integer]
) -> Labels:
    return renumbered(block.image, labels, targets)


def _links(block: BlockView, distance: float, connectivity: int | None) -> NDArray[np.int64]:
    return links_in_block(block.image, distance, block.spacing, connectivity)


def _overlaps(block: BlockView) -> LabelOverlaps:
    return overlaps_of_part(block.image, block.other, place_of(block).start)


Grounds = list[tuple[int, BlockGround]]
"""For each slice its number and what lies in it; 0 where all slices count together."""


def _slices(block: BlockView, is_slicewise: bool) -> list[tuple[int, NDArray[Any], BlockPlace]]:
    """The block as a whole, or each of its slices: number, what is seen, and its place."""
    place = place_of(block)
    if not is_slicewise:
        return [(0, block.image, place)]
    planes = zip(place.own_planes(block.image), place.planes, strict=True)
    return [(place.start[0] + nth, plane, flat) for nth, (plane, flat) in enumerate(planes)]


def _grounds(block: BlockView, is_slicewise: bool) -> Grounds:
    return [(z, ground_in_block(seen, place)) for z, seen, place in _slices(block, is_slicewise)]


def _filled(block: BlockView, filled: dict[int, FilledPieces], is_slicewise: bool) -> Labels:
    found = [filled_block(seen, at, filled[z]) for z, seen, at in _slices(block, is_slicewise)]
    return np.stack(found) if is_slicewise else found[0]


# Operations


def label(job: BlockJob) -> Outputs:
    """Connected pieces, numbered in the order of their first voxels."""
    is_mask = job.image.dtype.kind == "b"
    found = join_pieces(job.map(_pieces, connectivity_of(job.parameters), is_mask, halo=1))
    job.note(in_words, len(found.labels), "object")
    return {"labels": job.write("labels", _numbers, found.tables, is_mask, halo=1, dtype=np.int32)}


class _Found:
    """The objects that an operation counts: labels, or connected pieces."""

    def __init__(self, job: BlockJob) -> None:
        tallies = join_tallies(job.map(_tally))
        objects = job.parameters["objects"]
        self._job, self._is_mask = job, tallies.is_single
        self._pieces: JoinedPieces | None = None
        self.counted: CountedObjects = tallies
        if objects == "pieces" or (objects == "auto" and tallies.is_single):
            connectivity = connectivity_of(job.parameters)
            self._pieces = join_pieces(job.map(_pieces, connectivity, self._is_mask, halo=1))
            self.counted = self._pieces

    def only(self, stay: NDArray[np.integer]) -> Outputs:
        """The labels of those that stay."""
        write, pieces = self._job.write, self._pieces
        if pieces is None:
            return {"labels": write("labels", _kept_labels, stay, dtype=np.int32)}
        known = (pieces.tables, self._is_mask, stay)
        return {"labels": write("labels", _kept_pieces, *known, halo=1, dtype=np.int32)}


def count(job: BlockJob) -> Outputs:
    """How many objects there are."""
    number = len(_Found(job).counted.labels)
    job.note(in_words, number, "object")
    return {"table": {"objects": np.atleast_1d(number)}}


def _choosing(
    choose: Callable[[BlockJob, CountedObjects], NDArray[np.integer]],
) -> Callable[[BlockJob], Outputs]:
    def function(job: BlockJob) -> Outputs:
        found = _Found(job)
        return found.only(choose(job, found.counted))

    return function


def _of_good_size(job: BlockJob, found: CountedObjects) -> NDArray[np.integer]:
    chosen = job.parameters
    is_good = size_limits(chosen["smallest"], chosen["largest"], job.spacing)
    return found.labels[is_good(found.voxels)]


def _largest(job: BlockJob, found: CountedObjects) -> NDArray[np.integer]:
    return found.labels[largest_places(found.voxels, job.parameters["number"])]


def _off_border(job: BlockJob, found: CountedObjects) -> NDArray[np.integer]:
    chosen, shape = job.parameters, job.image.spatial_shape
    return off_border(found, shape, chosen["distance"], job.spacing, chosen["faces"])


remove_by_size = _choosing(_of_good_size)
keep_largest = _choosing(_largest)
clear_border = _choosing(_off_border)


def _numbering(
    number: Callable[[BlockJob, ObjectTallies], NDArray[np.integer]],
) -> Callable[[BlockJob], Outputs]:
    def function(job: BlockJob) -> Outputs:
        found = join_tallies(job.map(_tally))
        targets = number(job, found)
        return {"labels": job.write("labels", _renumbered, found.labels, targets, dtype=np.int32)}

    return function


def _in_order(job: BlockJob, found: ObjectTallies) -> NDArray[np.integer]:
    start = job.parameters["start"]
    return np.arange(start, start + len(found.labels))


def _by_key(job: BlockJob, found: ObjectTallies) -> NDArray[np.integer]:
    return sorted_places(found, job.parameters["by"], descending=job.parameters["descending"])


def _joined(job: BlockJob, found: ObjectTallies) -> NDArray[np.integer]:
    distance = job.parameters["distance"]
    halo = link_halo(distance, job.spacing)
    links = job.map(_links, distance, connectivity_of(job.parameters), halo=halo)
    return lowest_labels(links, found.labels)


relabel_sequential = _numbering(_in_order)
sort_labels = _numbering(_by_key)
join_labels = _numbering(_joined)


def relate_objects(job: BlockJob) -> Outputs:
    """The parent of each object, or the number of children of each parent."""
    overlaps = joined_overlaps(job.map(_overlaps))
    return {"table": relations_of_overlaps(overlaps, job.parameters["rows"])}


def fill_holes(job: BlockJob) -> Outputs:
    """Objects without their holes."""
    is_slicewise = job.parameters["slicewise"] and len(job.spacing) == 3
    spacing = job.spacing[1:] if is_slicewise else job.spacing
    by_slice: dict[int, list[BlockGround]] = {}
    halo: Sequence[int] = (0, 1, 1) if is_slicewise else (1,) * len(job.spacing)
    for block in job.map(_grounds, is_slicewise, halo=halo):
        for z, ground in block:
            by_slice.setdefault(z, []).append(ground)
    filled = {
        z: fill_pieces(grounds, job.parameters["largest"], spacing)
        for z, grounds in by_slice.items()
    }
    return {"labels": job.write("labels", _filled, filled, is_slicewise, halo=halo, dtype=np.int32)}
