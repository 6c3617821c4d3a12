"""The first answer for the slice in view."""

import numpy as np
import pytest

from napari_seedbed.core import RandomWalker
from napari_seedbed.core.walker.anchors import anchored
from napari_seedbed.core.walker.multigrid import Preconditioner
from napari_seedbed.core.walker.seed_map import SeedMap
from napari_seedbed.core.walker.slice_preview import preview_slice

SHAPE = (20, 22, 24)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("index", [0, 2, 10, -1])
def test_nothing_moves_where_the_solution_is_exact(rng, axis, index):
    image = rng.random(SHAPE)
    labels = np.zeros(SHAPE, np.int32)
    labels[3, 4:8, 5], labels[15, 16, 10:20] = 1, 2
    walker = RandomWalker(image, beta=2)
    walker.solve(labels, 1e-6)
    exact = walker.probabilities[:1]
    hierarchy = walker._hierarchy
    seeds = SeedMap(labels, SHAPE)
    index %= SHAPE[axis]
    with anchored(hierarchy, seeds.state, seeds.places) as anchors:
        preconditioner = Preconditioner(hierarchy, anchors, seeds.state, 1)
        level = hierarchy.level(hierarchy.n_large)
        nothing = np.zeros((1, level.stop - level.start), np.float32)
        places, given = seeds.places, seeds.given(range(1))
        seen = preview_slice(preconditioner, nothing, exact, places, given, axis, index)
    np.testing.assert_allclose(seen, np.take(exact, index, axis=axis + 1), atol=1e-4)
