"""Holes filled block by block, against `fill_holes`."""

import numpy as np
import pytest
from cut_blocks import chunkings, parts, put_together
from scipy import ndimage as ndi

from napari_seedbed.core import fill_holes
from napari_seedbed.core.blocks.hole_filling import fill_pieces, filled_block, ground_in_block


def _nested():
    """Rings within rings of other labels, one of them around two others and one open."""
    image = np.zeros((40, 44), np.int32)
    for outer, value in ((0, 0), (2, 9), (5, 4), (9, 4), (11, 7), (14, 2)):
        image[outer : 40 - outer, outer : 44 - outer] = value
        image[outer + 1 : 39 - outer, outer + 1 : 43 - outer] = 0
    image[6:8, 10:14] = 12
    image[6:8, 30] = 12
    image[20, 2] = 0
    image[16:24, 18:24] = [[5, 5, 5, 6, 6, 6]] * 8
    image[18:20, 19:23] = image[22, 19] = 0
    return image


def _holed(rng, shape):
    """A sponge of three labels with many holes, some between several labels, crumbs in them."""
    sponge = ndi.gaussian_filter(rng.random(shape), 0.7) > 0.45
    thirds = np.indices(shape)[-1] * 3 // shape[-1]
    return np.where(sponge, 1 + thirds, np.where(rng.random(shape) < 0.2, 4, 0))


def _filled(image, block, largest, spacing):
    found = [ground_in_block(*part) for part in parts(image, block, 1)]
    filled = fill_pieces(found, largest, spacing)
    return put_together((filled_block(*part, filled), part[1]) for part in parts(image, block, 1))


@pytest.mark.parametrize("shape", [(27, 33), (9, 12, 13), (1, 24, 25)], ids=["2D", "3D", "thin"])
def test_holes_of_blocks_are_those_of_the_whole(rng, shape):
    several = _holed(rng, shape)
    for image in (several, several > 0, several * 1000 - 5 * (several == 0)):
        assert (fill_holes(image) != np.maximum(image, 0)).any()
        for largest in (0, 1.0, 3.0):
            spacing = (2.0, 0.5, 1.0)[-len(shape) :]
            expected = fill_holes(image, largest, spacing)
            for block in chunkings(shape):
                np.testing.assert_array_equal(_filled(image, block, largest, spacing), expected)


def test_of_objects_in_each_other_each_fills_what_it_encloses_first():
    image = _nested()
    for flat in (image, image.T.copy()):
        for largest in (0.0, 40.0, 300.0):
            expected = fill_holes(flat, largest)
            assert (expected != flat).any()
            for block in ((7, 9), (40, 5), (13, 44)):
                np.testing.assert_array_equal(_filled(flat, block, largest, (1, 1)), expected)
