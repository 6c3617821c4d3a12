"""Objects cut apart in blocks, against `split_touching`."""

import numpy as np
import pytest
from cut_blocks import chunkings, parts, put_together
from scipy import ndimage as ndi

from napari_seedbed.core import split_touching
from napari_seedbed.core.blocks.joined_pieces import block_pieces, join_pieces
from napari_seedbed.core.blocks.split_blocks import (
    code_numbers,
    codes_in,
    split_codes,
    split_halo,
)


@pytest.mark.parametrize("shape", [(70, 84), (20, 36, 40)], ids=["2D", "3D"])
def test_objects_cut_in_blocks_are_those_of_the_whole(rng, shape):
    spacing = (1.5, 1.0, 0.8)[-len(shape) :]
    smooth = ndi.gaussian_filter(rng.random(shape), 2.0)
    cells = np.where(smooth > np.quantile(smooth, 0.75), 1 + np.indices(shape)[-1] // 30, 0)
    for sigma, depth in ((0.0, 0.5), (1.0, 0.3)):
        expected = split_touching(cells, depth, spacing, sigma=sigma)
        for block in chunkings(shape)[::2]:
            pieces = join_pieces([block_pieces(*part, 1) for part in parts(cells, block, 1)])
            longest = (pieces.high - pieces.low + 1).max(axis=0).tolist()
            assert expected.max() > len(pieces.labels)
            halo = split_halo(longest, spacing, sigma)
            coded = put_together(
                (split_codes(*part, depth, spacing, sigma), part[1])
                for part in parts(cells, block, halo)
            )
            found = code_numbers(coded, codes_in(coded))
            np.testing.assert_array_equal(found, expected)
