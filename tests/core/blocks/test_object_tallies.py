"""Labels counted block by block, and what is chosen by it, against all at once."""

import numpy as np
import pytest
from cut_blocks import chunkings, parts, put_together
from scipy import ndimage as ndi

from napari_seedbed.core import clear_border, keep_largest, label, remove_by_size, sort_labels
from napari_seedbed.core.blocks.joined_pieces import block_pieces, join_pieces
from napari_seedbed.core.blocks.object_tallies import (
    join_tallies,
    off_border,
    sorted_places,
    tally_block,
)
from napari_seedbed.core.objects.label_lookup import renumbered
from napari_seedbed.core.objects.object_selection import (
    largest_places,
    only_objects,
    size_limits,
)


def _cells(rng, shape):
    """Labels with gaps between them, some in several pieces."""
    smooth = ndi.gaussian_filter(rng.random(shape), 1.2)
    found = label(smooth > np.quantile(smooth, 0.8))
    return (found * 7 % 83).astype(np.int32)


@pytest.mark.parametrize("shape", [(37, 45), (14, 18, 21)], ids=["2D", "3D"])
def test_tallies_of_blocks_are_those_of_the_whole(rng, shape):
    cells = _cells(rng, shape)
    values, sizes = np.unique(cells[cells > 0], return_counts=True)
    centres = np.array(ndi.center_of_mass(cells > 0, cells, values))
    boxes = [ndi.find_objects((cells == value).astype(int))[0] for value in values]
    for block in chunkings(shape):
        found = join_tallies([tally_block(*part) for part in parts(cells, block)])
        np.testing.assert_array_equal(found.labels, values)
        np.testing.assert_array_equal(found.voxels, sizes)
        np.testing.assert_allclose(found.sums / found.voxels[:, None], centres)
        assert found.low.tolist() == [[s.start for s in box] for box in boxes]
        assert found.high.tolist() == [[s.stop - 1 for s in box] for box in boxes]
        assert not found.is_single
        for by in ("size", "y", "x"):
            for descending in (False, True):
                places = sorted_places(found, by, descending=descending)
                np.testing.assert_array_equal(
                    renumbered(cells, found.labels, places),
                    sort_labels(cells, by, descending=descending),
                )


def test_sorting_by_an_axis_that_is_not_there_is_refused(rng):
    flat = join_tallies([tally_block(*part) for part in parts(_cells(rng, (9, 9)), (4, 4))])
    with pytest.raises(ValueError, match="by is 'z'; it must be size, y or x"):
        sorted_places(flat, "z", descending=False)


@pytest.mark.parametrize("shape", [(37, 45), (14, 18, 21)], ids=["2D", "3D"])
def test_objects_that_stay_are_those_of_the_whole(rng, shape):
    spacing = (2.0, 0.5, 0.7)[-len(shape) :]
    cells = _cells(rng, shape)
    for image in (cells, cells > 0):
        for connectivity in (1, None):
            expected = [
                remove_by_size(image, 6, 30, spacing, objects="pieces", connectivity=connectivity),
                keep_largest(image, 3, objects="pieces", connectivity=connectivity),
                clear_border(
                    image, 1.0, spacing, faces="sides", objects="pieces", connectivity=connectivity
                ),
            ]
            for block in chunkings(shape):
                found = join_pieces(
                    [block_pieces(*part, connectivity) for part in parts(image, block, 1)]
                )
                stay = [
                    found.labels[size_limits(6, 30, spacing)(found.voxels)],
                    found.labels[largest_places(found.voxels, 3)],
                    off_border(found, shape, 1.0, spacing, "sides"),
                ]
                for chosen, whole in zip(stay, expected, strict=True):
                    kept = put_together(
                        (
                            only_objects(
                                place.own(seen).astype(np.int32),
                                found.tables.numbers(seen, place),
                                chosen,
                            ),
                            place,
                        )
                        for seen, place in parts(image, block, 1)
                    )
                    assert kept.any()
                    np.testing.assert_array_equal(kept, whole)
