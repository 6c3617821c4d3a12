"""Local maxima of blocks, against `local_maxima`."""

import numpy as np
import pytest
from cut_blocks import chunkings, places
from scipy import ndimage as ndi

from napari_seedbed.core import local_maxima
from napari_seedbed.core.blocks.peak_blocks import (
    PeakRule,
    all_middles,
    join_peaks,
    nearest_in_block,
    peak_halo,
    peaks_in_block,
)
from napari_seedbed.core.objects.peaks import chosen_maxima, maxima_level


@pytest.mark.parametrize("shape", [(43, 52), (14, 18, 21)], ids=["2D", "3D"])
def test_maxima_of_blocks_are_those_of_the_whole(rng, shape):
    spacing = (2.0, 0.5, 0.7)[-len(shape) :]
    smooth = ndi.gaussian_filter(rng.random(shape), 1.2)
    coarse = np.rint(np.clip(smooth * 40, 18, 22)).astype(np.uint8)
    cut = 0
    for image in (smooth, coarse):
        for distance, dark in ((0.0, False), (1.5, True)):
            expected, columns = local_maxima(image, distance, 0.4, spacing, dark=dark, border=0.6)
            assert len(expected) > 1
            level = maxima_level(0.4, "share", float(image.min()), float(image.max()), dark=dark)
            rule = PeakRule(distance, level, spacing, dark)
            halo = peak_halo(distance, spacing)
            for block in chunkings(shape):
                cells = [(image[place.seen], place) for place in places(shape, block, halo)]
                joined = join_peaks([peaks_in_block(*cell, rule) for cell in cells])
                cut += int(joined.is_cut.sum())
                nearest = [
                    nearest_in_block(*cell, rule, joined)
                    for cell in cells
                    if joined.is_needed(cell[1].start)
                ]
                points, found = chosen_maxima(
                    all_middles(joined, nearest),
                    joined.values,
                    shape,
                    distance,
                    spacing,
                    dark=dark,
                    border=0.6,
                )
                np.testing.assert_array_equal(points, expected)
                np.testing.assert_array_equal(found["value"], columns["value"])
    assert cut > 4
