"""Islands of a volume in blocks, beside those found in the whole."""

import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_seedbed.core.seeded.blocked_islands import (
    connected_parts,
    find_islands,
    without_islands,
)
from napari_seedbed.core.seeded.stored_volumes import BlockGrid


@pytest.mark.parametrize("shape", [(1, 40, 50), (17, 20, 23)], ids=["2D", "3D"])
def test_parts_that_hang_together_with_no_seed_go_to_the_background(rng, shape):
    smooth = ndi.gaussian_filter(rng.random(shape), [min(1.5, n - 1) for n in shape])
    labels = np.digitize(smooth, np.quantile(smooth, [0.3, 0.5, 0.6, 0.8])).astype(np.int32)
    background = [4]
    seeds = np.argwhere((rng.random(shape) < 0.01) & (labels > 0) & (labels != 4))
    is_seed = np.zeros(shape, bool)
    is_seed[tuple(seeds.T)] = True
    expected = labels.copy()
    for label in (1, 2, 3):
        parts, _ = ndi.label(labels == label)
        expected[~np.isin(parts, [0, *parts[is_seed & (labels == label)]])] = 4
    assert (expected != labels).any()
    for block in ((5, 9, 8), (17, 40, 10), shape):
        grid = BlockGrid(shape, block)
        found = [
            connected_parts(labels[region], background, np.nonzero(is_seed[region]))
            for region in grid.regions
        ]
        islands = find_islands(found, grid)
        result = labels.copy()
        for number, is_island in islands.items():
            region = grid.region(number)
            result[region] = without_islands(labels[region], background, is_island, 4)
        np.testing.assert_array_equal(result, expected)
