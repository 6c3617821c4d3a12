"""Scores and relations from blocks, against those of the whole."""

from functools import partial

import numpy as np
import pytest
from cut_blocks import chunkings, parts, places
from scipy import ndimage as ndi

from napari_seedbed.core import label, relate_objects
from napari_seedbed.core.blocks.surface_blocks import (
    distances_in_block,
    far_voxels,
    join_distances,
    nearest_in_block,
)
from napari_seedbed.core.objects.relations import relations_of_overlaps
from napari_seedbed.core.scores.label_overlaps import (
    count_overlaps,
    joined_overlaps,
    overlaps_of_part,
)
from napari_seedbed.core.scores.surface_scores import surface_distances


def _pair(rng, shape):
    """A truth with voxels that do not count, and a result that misses a part of it."""
    smooth = ndi.gaussian_filter(rng.random(shape), 1.5)
    truth = label(smooth > np.quantile(smooth, 0.7))
    result = label(np.roll(smooth, 1, axis=-1) > np.quantile(smooth, 0.75))
    result[..., : shape[-1] // 2] = 0
    truth[..., -1] = -1
    return truth, result


def _given(*arrays):
    return arrays


def _distances(truth, result, block, halo, spacing):
    cut = [(truth[p.seen], result[p.seen], p) for p in places(truth.shape, block, halo)]
    found = [distances_in_block(*part, spacing) for part in cut]
    far = far_voxels(found, spacing)
    nearest = [nearest_in_block(partial(_given, *part[:2]), part[2], far, spacing) for part in cut]
    return join_distances(found, far, nearest, spacing), sum(len(one.places) for one in far)


@pytest.mark.parametrize("shape", [(37, 45), (14, 18, 21), (1, 20, 22)], ids=["2D", "3D", "thin"])
def test_distances_of_surfaces_in_blocks_are_those_of_the_whole(rng, shape):
    spacing = (2.0, 0.5, 0.7)[-len(shape) :]
    truth, result = _pair(rng, shape)
    nothing = np.zeros(shape, np.int32)
    for one, other in ((truth, result), (result, truth), (nothing, truth), (nothing, nothing)):
        expected = surface_distances(one, other, spacing)
        for block in chunkings(shape):
            for halo in (1, 4):
                found, _ = _distances(one, other, block, halo, spacing)
                for name, value in expected.items():
                    assert found[name] == pytest.approx(value, rel=1e-6), name


def test_few_voxels_are_looked_for_far_away(rng):
    truth, _ = _pair(rng, (60, 60))
    truth = np.maximum(truth, 0)
    shifted = np.roll(truth, 1, axis=0)
    _, far = _distances(truth, shifted, (20, 20), 8, (1.0, 1.0))
    assert far == 0


@pytest.mark.parametrize("shape", [(37, 45), (14, 18, 21)], ids=["2D", "3D"])
def test_overlaps_of_blocks_add_up_to_those_of_the_whole(rng, shape):
    truth, result = _pair(rng, shape)
    expected = count_overlaps(truth, result)
    for block in chunkings(shape):
        found = joined_overlaps(
            [
                overlaps_of_part(part, result[place.region], place.start)
                for part, place in parts(truth, block)
            ]
        )
        for name in ("truth_values", "result_values", "truth_index", "result_index", "voxels"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        np.testing.assert_array_equal(found.position_sums, expected.position_sums)
    objects, parents = np.maximum(truth, 0), result
    for rows in ("children", "parents"):
        whole = relate_objects(objects, parents, rows)
        found = relations_of_overlaps(count_overlaps(objects, parents), rows)
        for name, column in whole.items():
            np.testing.assert_array_equal(found[name], column)
