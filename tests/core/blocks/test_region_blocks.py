"""Colours and graphs of regions from blocks, against those of the whole."""

import numpy as np
import pytest
from cut_blocks import chunkings, parts, put_together
from scipy import ndimage as ndi

from napari_seedbed.core import average_colour, label, region_graph
from napari_seedbed.core.blocks.region_blocks import (
    coloured_block,
    edges_in_block,
    join_edges,
    join_sums,
    region_numbers,
    region_sums,
)
from napari_seedbed.core.filters.gaussian_derivatives import gaussian_halo


def _regions(rng, shape):
    smooth = ndi.gaussian_filter(rng.random(shape), 1.0)
    found = label((smooth * 60).astype(int) + 1, connectivity=1) * 3
    found[smooth < np.quantile(smooth, 0.1)] = -1
    return found


@pytest.mark.parametrize("shape", [(31, 37), (10, 14, 15)], ids=["2D", "3D"])
def test_regions_of_blocks_are_those_of_the_whole(rng, shape):
    spacing = (2.0, 0.5, 0.7)[-len(shape) :]
    regions = _regions(rng, shape)
    grey = rng.integers(0, 4000, shape).astype(np.uint16)
    colour = rng.random((2, *shape)).astype(np.float32)
    for image, axis, sigma in ((grey, None, 0.0), (colour, 0, 0.8)):
        lead = () if axis is None else (slice(None),)
        expected = region_graph(regions, image, spacing, axis, sigma=sigma)
        halo = [n + 1 for n in gaussian_halo(sigma, spacing, 1)]
        for block in chunkings(shape):
            sums = join_sums(
                [
                    region_sums(own, image[(*lead, *place.region)], axis)
                    for own, place in parts(regions, block)
                ]
            )
            graph = join_edges(
                [
                    edges_in_block(
                        seen, image[(*lead, *place.seen)], place, spacing, axis, sigma=sigma
                    )
                    for seen, place in parts(regions, block, halo)
                ],
                sums,
            )
            np.testing.assert_array_equal(graph.labels, expected.labels)
            np.testing.assert_array_equal(graph.voxels, expected.voxels)
            np.testing.assert_allclose(graph.means, expected.means, rtol=1e-12)
            np.testing.assert_array_equal(graph.edges, expected.edges)
            np.testing.assert_allclose(graph.lengths, expected.lengths, rtol=1e-12)
            np.testing.assert_allclose(graph.strengths, expected.strengths, rtol=1e-5)
            numbers = put_together(
                (region_numbers(own, sums.labels), place) for own, place in parts(regions, block)
            )
            np.testing.assert_array_equal(numbers, expected.numbers)
            for channel, whole in enumerate(
                average_colour(image, regions, axis).reshape(-1, *shape)
            ):
                painted = put_together(
                    (coloured_block(own, sums, np.dtype(np.float32))[channel], place)
                    for own, place in parts(regions, block)
                )
                np.testing.assert_allclose(painted, whole, rtol=1e-6)
