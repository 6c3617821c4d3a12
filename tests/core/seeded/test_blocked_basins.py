"""Volumes that are read in windows: statistics, features, basins and graph as in memory."""

import numpy as np
import pytest

from napari_seedbed.core.seeded import blocked_basins, voxel_features
from napari_seedbed.core.seeded.basin_graphs import basin_graph
from napari_seedbed.core.seeded.basin_splits import find_splits, split_by_seeds
from napari_seedbed.core.seeded.blocked_basins import cut_into_basins
from napari_seedbed.core.seeded.blocked_splits import split_graph
from napari_seedbed.core.seeded.stored_volumes import BlockGrid, StoredVolume, run_here
from napari_seedbed.core.seeded.volume_statistics import measure_volume
from napari_seedbed.core.seeded.voxel_features import describe_volume
from napari_seedbed.core.seeded.window_features import describe_window, features_at
from napari_seedbed.errors import InputError

THICK = np.array([2.5, 1, 1])
CUBES = np.ones(3)


def blurred_lights(shape, seed=0):
    """A noisy image of lights that are dark in between: parts of it are all of one value."""
    rng = np.random.default_rng(seed)
    grid = np.meshgrid(*map(np.arange, shape), indexing="ij", sparse=True)
    image = np.zeros(shape)
    for centre in rng.uniform(0, shape, (8, len(shape))):
        distance = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True))
        image += 2000 * np.exp(-distance / 150)
    noisy = image + rng.normal(0, 120, shape)
    return np.where(image > 60, np.maximum(noisy, 0), 0).astype(np.uint16)


def one_light(shape):
    """Nothing but one voxel: evenly spread rows do not see it."""
    image = np.zeros(shape, np.float32)
    image[tuple(n // 3 for n in shape)] = 1e-12
    return image


def colours(shape):
    return np.stack([blurred_lights(shape, seed) for seed in range(3)])


# image, its channel axis, voxel size, block, whether a part is outside, most basins
CASES = {
    "3D": (blurred_lights((34, 40, 45)), None, CUBES, (16, 23, 45), False, 35_000),
    "thick planes, coarse": (blurred_lights((20, 61, 50)), None, THICK, (7, 32, 24), True, 30),
    "medium": (blurred_lights((41, 40, 39)), None, CUBES, (20, 20, 20), True, 500),
    "2D": (blurred_lights((70, 81)), None, CUBES, (1, 32, 40), True, 300),
    "colours": (colours((12, 33, 40)), 0, THICK, (12, 16, 16), False, 35_000),
    "one light": (one_light((200, 30, 40)), None, CUBES, (64, 16, 40), False, 35_000),
}


@pytest.mark.parametrize("case", CASES)
def test_windows_and_basins_are_those_of_the_whole(monkeypatch, case):
    image, channel_axis, steps, block, has_outside, most = CASES[case]
    for module in (voxel_features, blocked_basins):
        monkeypatch.setattr(module, "MOST_BASINS", {2: most, 3: most})
    monkeypatch.setattr(voxel_features, "_SAMPLE", 1 << 13)
    volume = StoredVolume(image, steps, channel_axis)
    shape = volume.shape
    data = volume.read(tuple(slice(0, n) for n in shape))
    outside = np.zeros(shape, np.bool_)
    if has_outside:
        outside[..., 5:9] = True
    features, basins, energy = describe_volume(data, steps, outside)
    graph = basin_graph(basins, energy, tuple(steps))

    grid = BlockGrid(shape, block)
    statistics = measure_volume(volume, grid, run_here)
    region = grid.region(len(grid.regions) // 2)
    places = np.meshgrid(*(np.arange(p.start, p.stop) for p in region), indexing="ij")
    places = [axis.ravel() for axis in places]
    window = describe_window(region, volume, statistics)
    np.testing.assert_allclose(window.at(places), features.at(places), atol=1e-4)
    anywhere = [np.random.default_rng(1).integers(0, n, 20) for n in shape]
    found = features_at(anywhere, volume, statistics, run_here)
    np.testing.assert_allclose(found, features.at(anywhere), atol=1e-4)

    store = np.empty(shape, np.int32)
    given = None if not has_outside else outside[0] if image.ndim == 2 else outside
    cut = cut_into_basins(volume, statistics, given, grid, run_here, store)
    np.testing.assert_array_equal(store, graph.basin)
    check_same(cut.graph, graph)

    seeds = [np.random.default_rng(2).integers(0, n, 60) for n in shape]
    z, y, x = np.unique(np.stack(seeds), axis=1)
    kept = store[z, y, x] >= 0
    places = (z[kept], y[kept], x[kept])
    numbers = (np.arange(kept.sum()) % 3).astype(np.int32)
    split, given_labels = split_by_seeds(graph, places, numbers, steps)
    splits, labels = find_splits(
        graph.count, places, numbers, store[places].astype(np.int64), steps
    )
    np.testing.assert_array_equal(labels, given_labels)
    nodes = split_graph(cut.graph, splits, grid, run_here, cut.landscape, store)
    check_same(nodes, split, boxes=False)
    np.testing.assert_array_equal(splits.applied(store[region], region), split.basin[region])


def check_same(graph, expected, *, boxes=True):
    np.testing.assert_array_equal(graph.pair, expected.pair)
    np.testing.assert_allclose(graph.area, expected.area, rtol=1e-5)
    np.testing.assert_allclose(graph.cost, expected.cost, rtol=1e-4, atol=1e-6)
    if boxes:
        np.testing.assert_array_equal(graph.low, expected.low)
        np.testing.assert_array_equal(graph.high, expected.high)
    else:
        assert (graph.low <= expected.low).all()
        assert (graph.high >= expected.high).all()


def test_what_cannot_be_measured_is_refused(monkeypatch):
    image = np.zeros((8, 9, 10), np.float32)
    image[5, 6, 7] = np.nan
    grid = BlockGrid(image.shape, (4, 4, 4))
    with pytest.raises(InputError, match=r"NaN or infinite, one at \(5, 6, 7\)"):
        measure_volume(StoredVolume(image, CUBES), grid, run_here)
    with pytest.raises(InputError, match="block"):
        BlockGrid(image.shape, (4, 0, 4))
    monkeypatch.setattr(blocked_basins, "MOST_NODES", 20)
    noisy = StoredVolume(np.random.default_rng(0).random((20, 20, 20)), CUBES)
    grid = BlockGrid(noisy.shape, (10, 20, 20))
    statistics = measure_volume(noisy, grid, run_here)
    with pytest.raises(InputError, match="may have 20 at most"):
        cut_into_basins(noisy, statistics, None, grid, run_here, np.empty(noisy.shape, np.int32))
