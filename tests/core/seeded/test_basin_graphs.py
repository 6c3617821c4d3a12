"""Basins and their faces, beside plain NumPy."""

import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_seedbed.core.seeded.basin_graphs import (
    FLOOR,
    POWER,
    STEEPNESS,
    basin_graph,
    cut_basins,
)
from napari_seedbed.core.seeded.basin_splits import split_by_seeds

SHAPES = [(1, 30, 40), (9, 14, 12)]


def landscape(shape, seed=0):
    rng = np.random.default_rng(seed)
    return ndi.gaussian_filter(rng.random(shape), [min(1.0, n - 1) for n in shape]).astype("f4")


def faces(basin, energy, spacing):
    """Area and area times energy of each pair of neighbours, by brute force."""
    found = {}
    areas = np.prod(spacing) / np.asarray(spacing)
    for axis in range(3):
        n = basin.shape[axis]
        a, b = (np.take(basin, range(*r), axis) for r in ((0, n - 1), (1, n)))
        e = (np.take(energy, range(n - 1), axis) + np.take(energy, range(1, n), axis)) / 2
        apart = (a != b) & (a >= 0) & (b >= 0)
        for i, j, cost in zip(a[apart], b[apart], e[apart], strict=True):
            pair = found.setdefault((min(i, j), max(i, j)), [0.0, 0.0])
            pair[0] += areas[axis]
            pair[1] += areas[axis] * cost
    return found


def check_faces(graph, spacing):
    wanted = faces(graph.basin, graph.energy, spacing)
    given = {
        tuple(pair): (area, cost)
        for pair, area, cost in zip(graph.pair, graph.area, graph.cost, strict=True)
    }
    assert given.keys() == wanted.keys()
    for pair, values in wanted.items():
        np.testing.assert_allclose(given[pair], values, rtol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_each_basin_is_connected_and_has_one_lowest_voxel(shape):
    height = landscape(shape)
    outside = np.zeros(shape, bool)
    outside[:, :5, :7] = True
    basins = cut_basins(height, outside)
    assert (basins.basin[outside] == -1).all()
    assert set(np.unique(basins.basin)) == {-1, *range(basins.count)}
    around = np.ones((3, 3, 3))
    lowest = ndi.minimum_filter(np.where(outside, np.inf, height), footprint=around) == height
    for number in range(basins.count):
        here = basins.basin == number
        assert ndi.label(here, around)[1] == 1
        assert np.count_nonzero(lowest & here) == 1


@pytest.mark.parametrize("shape", SHAPES)
def test_flat_ground_is_one_basin(shape):
    assert cut_basins(np.zeros(shape, "f4")).count == 1


@pytest.mark.parametrize("shape", SHAPES)
def test_faces_and_weights_are_those_of_all_pairs_of_neighbours(shape):
    spacing = (2.0, 1.0, 0.5)
    height, energy = landscape(shape), landscape(shape, 1)
    graph = basin_graph(cut_basins(height), energy, spacing)
    check_faces(graph, spacing)
    for number in range(graph.count):
        box = ndi.find_objects(graph.basin + 1)[number]
        assert [s.start for s in box] == graph.low[number].tolist()
        assert [s.stop for s in box] == graph.high[number].tolist()
    weights = graph.weights().toarray()
    np.testing.assert_array_equal(weights, weights.T)
    for (i, j), (area, cost) in faces(graph.basin, energy, spacing).items():
        wanted = area * max((1 + STEEPNESS * cost / area) ** -POWER, FLOOR)
        assert weights[i, j] == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_basin_with_seeds_of_several_labels_is_split_between_the_nearest(shape):
    spacing = (2.0, 1.0, 1.0)
    height, energy = landscape(shape), landscape(shape, 1)
    graph = basin_graph(cut_basins(height), energy, spacing)
    rng = np.random.default_rng(2)
    places = tuple(rng.integers(0, n, 60) for n in shape)
    places = tuple(np.unique(np.stack(places), axis=1))
    numbers = rng.integers(0, 3, len(places[0])).astype(np.int32)
    cut, given = split_by_seeds(graph, places, numbers, spacing)
    assert cut.count > graph.count
    check_faces(cut, spacing)
    np.testing.assert_array_equal(given[cut.basin[places]], numbers)
    seeds = np.stack(places, axis=1)
    for number in np.unique(graph.basin[places]):
        own = graph.basin[places] == number
        for voxel in np.argwhere(graph.basin == number):
            label = given[cut.basin[tuple(voxel)]]
            distance = (((seeds[own] - voxel) * spacing) ** 2).sum(axis=1)
            assert label in numbers[own][distance == distance.min()]


def test_no_split_leaves_the_graph_as_it_is():
    graph = basin_graph(cut_basins(landscape((1, 20, 20))), landscape((1, 20, 20)), (1, 1, 1))
    places = tuple(np.array([[0, 0], [2, 17], [3, 16]]))
    same, given = split_by_seeds(graph, places, np.array([0, 1], np.int32), (1, 1, 1))
    assert same is graph
    assert np.count_nonzero(given >= 0) == 2
