"""Pieces joined over the faces of blocks, against labelling at once."""

import numpy as np
import pytest
from cut_blocks import chunkings, parts, put_together
from scipy import ndimage as ndi

from napari_seedbed.core import label
from napari_seedbed.core.blocks.block_places import BlockPlace
from napari_seedbed.core.blocks.joined_pieces import block_pieces, join_pieces
from napari_seedbed.core.blocks.plane_runs import PlaneRuns


def _scenes(rng, shape):
    """Noise that percolates, smooth blobs, labels with several pieces, and one snake."""
    noise = rng.random(shape) < 0.45
    blobs = ndi.gaussian_filter(rng.random(shape), 1.5) > 0.5
    several = rng.integers(-1, 4, shape) * 100
    snake = np.zeros(shape, bool)
    snake[..., ::2, :] = True
    snake[..., 1::4, -1] = snake[..., 3::4, 0] = True
    return noise, blobs, several, snake, np.zeros(shape, bool)


@pytest.mark.parametrize("shape", [(23, 31), (9, 14, 17)], ids=["2D", "3D"])
def test_pieces_of_blocks_are_those_of_the_whole(rng, shape):
    for image in _scenes(rng, shape):
        for connectivity in (1, None):
            expected = label(image, connectivity=connectivity)
            sizes = np.bincount(expected.ravel())[1:]
            boxes = ndi.find_objects(expected)
            for block in chunkings(shape):
                joined = join_pieces(
                    [block_pieces(*part, connectivity) for part in parts(image, block, 1)]
                )
                found = put_together(
                    (joined.tables.numbers(*part), part[1]) for part in parts(image, block, 1)
                )
                np.testing.assert_array_equal(found, expected)
                np.testing.assert_array_equal(joined.voxels, sizes)
                np.testing.assert_array_equal(joined.labels, np.arange(1, len(sizes) + 1))
                firsts = np.unravel_index(joined.first, shape)
                np.testing.assert_array_equal(expected[firsts], joined.labels)
                np.testing.assert_array_equal(joined.values, image[firsts])
                assert joined.low.tolist() == [[s.start for s in box] for box in boxes]
                assert joined.high.tolist() == [[s.stop - 1 for s in box] for box in boxes]


def test_runs_give_back_their_plane(rng):
    for plane in (rng.integers(0, 3, (7, 9)), np.zeros((3, 4)), np.arange(6).reshape(2, 3)):
        runs = PlaneRuns.of(plane.astype(np.int32))
        np.testing.assert_array_equal(runs.plane(), plane)
    assert len(PlaneRuns.of(np.full((500, 500), 7, np.int32)).begins) == 1


def test_a_ring_is_what_lies_around_a_block_and_0_beyond_the_image(rng):
    image = rng.integers(1, 100, (6, 7))
    place = BlockPlace((slice(0, 3), slice(2, 7)), (slice(0, 5), slice(0, 7)), (6, 7))
    expected = np.pad(image, 1)[0:5, 2:9]
    np.testing.assert_array_equal(place.ringed(image[place.seen]), expected)
    stacked = place.ringed(np.stack([image, 2 * image])[:, 0:5])
    np.testing.assert_array_equal(stacked, [expected, 2 * expected])
