"""Labels of a volume in blocks, beside those of the whole."""

import numpy as np
import pytest

from napari_seedbed.core.seeded.blocked_labels import BlockedLabels
from napari_seedbed.core.seeded.stored_volumes import BlockGrid, run_here

BACKGROUND = 7


def run_twice(function, tasks, *shared):
    """Do each task again, as where a worker is lost after it has written."""
    for task in tasks:
        list(run_here(function, [task], *shared))
        yield from run_here(function, [task], *shared)


@pytest.mark.parametrize("run", [run_here, run_twice], ids=["once", "twice"])
def test_islands_go_to_the_background_and_objects_beside_them_stay(run):
    painted = np.full((4, 8, 16), BACKGROUND, np.int32)
    # Two islands before an object and behind it, and another block with nothing but an island.
    painted[0, 0, 0:2], painted[1, 1:3, 3], painted[3, 6, 5] = 2, 3, 3
    painted[2, 2, 9:12] = 3
    painted[0, 7, 7] = 0
    expected = np.where(np.isin(painted, (2, 3)), BACKGROUND, painted)
    expected[1, 1:3, 3] = 3
    islands = {0: np.array([True, False, True]), 1: np.array([True])}
    grid = BlockGrid(painted.shape, (4, 8, 8))
    found = BlockedLabels(grid, painted, islands, (BACKGROUND,), BACKGROUND, frozenset())
    everything = tuple(slice(0, n) for n in painted.shape)
    np.testing.assert_array_equal(found.read(everything), expected)
    settled = found.settled(run)
    np.testing.assert_array_equal(settled.read(everything), expected)
    np.testing.assert_array_equal(settled.block(0), expected[:, :, :8])
    part = (slice(1, 4), slice(2, 7), slice(3, 11))
    np.testing.assert_array_equal(settled.read(part), expected[part])
