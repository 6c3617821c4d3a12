"""Seeded watersheds of blocks, against `seeded_watershed`."""

import numpy as np
import pytest
from cut_blocks import chunkings, places, put_together
from scipy import ndimage as ndi

from napari_seedbed.core import seeded_watershed
from napari_seedbed.core.blocks.flooded_blocks import (
    basins_in_block,
    flooded_regions,
    join_basins,
)
from napari_seedbed.core.regions.watersheds import steepness


def _scene(rng, shape, count):
    """Touching cells with bright borders and noise, one seed in each."""
    middles = (rng.random((count, len(shape))) * shape).astype(int)
    grid = np.indices(shape).reshape(len(shape), 1, -1)
    away = np.sqrt(((grid - middles.T[:, :, np.newaxis]) ** 2).sum(axis=0))
    nearest = np.sort(away, axis=0)[:2]
    border = np.exp(-(((nearest[1] - nearest[0]) / 3) ** 2)).reshape(shape)
    image = (border + 0.15 * rng.standard_normal(shape)).astype(np.float32)
    seeds = np.zeros(shape, np.int32)
    seeds[tuple(middles.T)] = np.arange(1, count + 1)
    return image, seeds


def _in_blocks(heights, seeds, block, mask=None):
    cut = places(heights.shape, block)
    regions = [
        flooded_regions(
            heights[p.region], seeds[p.region], None if mask is None else mask[p.region]
        )
        for p in cut
    ]
    found = [
        basins_in_block(own, heights[p.region], seeds[p.region], p)
        for own, p in zip(regions, cut, strict=True)
    ]
    tables = join_basins(found)
    pieces = zip(regions, cut, strict=True)
    return put_together((tables[p.start][own], p) for own, p in pieces), found


@pytest.mark.parametrize("shape", [(90, 110), (24, 40, 44)], ids=["2D", "3D"])
def test_grown_seeds_of_blocks_agree_with_those_of_the_whole(rng, shape):
    image, seeds = _scene(rng, shape, 14)
    size = (1.0,) * len(shape)
    heights = steepness(image[np.newaxis], "bright", 1.5, size)
    expected = seeded_watershed(image, seeds, "bright", 1.5)
    for block in chunkings(shape)[::2]:
        found, blocks = _in_blocks(heights, seeds, block)
        assert (found > 0).all()
        assert (found[seeds > 0] == seeds[seeds > 0]).all()
        overlaps = []
        for value in np.unique(seeds)[1:]:
            one, other = found == value, expected == value
            overlaps.append(2 * (one & other).sum() / (one.sum() + other.sum()))
            assert ndi.label(one)[1] == 1
        assert np.mean(overlaps) > 0.99
        assert min(overlaps) > 0.95
        # What blocks tell each other grows with their faces.
        nodes = max(len(one.seeds) for one in blocks)
        assert len(blocks) == 1 or nodes < 2 * sum(heights[0].shape) ** (len(shape) - 1)


def test_walls_and_masks_hold_seeds_back_in_blocks(rng):
    image, seeds = _scene(rng, (60, 64), 6)
    heights = steepness(image[np.newaxis], "bright", 1.5, (1.0, 1.0))
    mask = np.ones(image.shape, bool)
    mask[30:32] = False
    seeds[:, 40] = -1
    seeds[:30, 41:] = np.minimum(seeds[:30, 41:], 0)
    expected = seeded_watershed(image, seeds, "bright", 1.5, mask=mask)
    found, _ = _in_blocks(heights, seeds, (17, 23), mask)
    assert not found[~mask].any()
    assert not found[seeds < 0].any()
    # A part that no seed reaches.
    assert not found[:30, 41:].any()
    assert (found == np.maximum(expected, 0)).mean() > 0.98


def test_without_seeds_nothing_grows(rng):
    heights = rng.random((20, 20))
    found, _ = _in_blocks(heights, np.zeros((20, 20), np.int32), (7, 9))
    assert not found.any()
