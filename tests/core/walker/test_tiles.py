"""Tiles of a grid, for passes of several steps."""

import numpy as np
import pytest

from napari_seedbed.core.walker.tiles import Tiles

STEPS = 3
SHAPES = [(130, 5, 7), (4, 300, 7), (1, 200, 200), (20, 20, 20), (1, 1, 500)]


def planes_of(tile, step):
    first, last, low, high = tile
    return range(first + step * low, last - step * high)


@pytest.mark.parametrize("phases", ["phases", "phases_apart"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_each_step_covers_each_plane_once(shape, phases):
    for step in range(STEPS):
        done = [
            plane
            for phase in getattr(Tiles(shape), phases)
            for tile in phase
            for plane in planes_of(tile, step)
        ]
        assert sorted(done) == list(range(max(shape[:2])))


@pytest.mark.parametrize("phases", ["phases", "phases_apart"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_step_follows_the_step_before_on_the_planes_around(shape, phases):
    n_planes = max(shape[:2])
    done = np.full(n_planes, -1)
    for phase in getattr(Tiles(shape), phases):
        before = done.copy()
        for tile in phase:
            # A tile sees what earlier phases have done and its own work, not its neighbours'.
            own = before.copy()
            first = min(planes_of(tile, step).start + step for step in range(STEPS))
            last = max(planes_of(tile, step).stop + step for step in range(STEPS))
            for now in range(first, last):
                for step in range(STEPS):
                    plane = now - step
                    if plane not in planes_of(tile, step):
                        continue
                    around = own[max(plane - 1, 0) : plane + 2]
                    assert (around >= step - 1).all()
                    assert own[plane] == step - 1
                    # Nor may the planes around have gone on to what this step must not see yet.
                    assert (around <= step).all()
                    own[plane] = step
            done = np.maximum(done, own)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_boxes_and_ranges_cover_the_grid_once(shape):
    tiles = Tiles(shape)
    count = np.zeros(shape, int)
    for z0, z1, y0, y1 in tiles.boxes:
        count[z0:z1, y0:y1] += 1
    assert (count == 1).all()
    for start, stop in tiles.ranges:
        count.reshape(-1)[start:stop] += 1
    assert (count == 2).all()
