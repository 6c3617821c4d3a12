"""Painting of labels, voxel by voxel, beside the same written down with whole arrays."""

import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_seedbed.core.filters.gaussian_derivatives import gaussian_weights
from napari_seedbed.core.seeded.basin_graphs import basin_graph, cut_basins
from napari_seedbed.core.seeded.field_kernels import give_away_islands
from napari_seedbed.core.seeded.label_painting import LEAST, SMOOTHING, TRUNCATE, Painter
from napari_seedbed.core.seeded.voxel_walks import VoxelPlaces

SHAPES = [(1, 41, 150), (9, 30, 22), (70, 1, 9), (3, 90, 70)]
STEPS = np.array([2.0, 1.0, 1.0])


def graph_of(shape, seed=0):
    rng = np.random.default_rng(seed)
    height = ndi.gaussian_filter(rng.random(shape), 1.5).astype(np.float32)
    outside = ndi.gaussian_filter(rng.random(shape), 2) > 0.55
    return basin_graph(cut_basins(height, outside), height, tuple(STEPS))


def walks_of(count, n_labels, seed=0):
    walks = np.random.default_rng(seed).random((n_labels, count)).astype(np.float32) ** 20
    walks[:, ::13] = 0
    return walks


def smoothed(values, shape):
    for axis, (step, n) in enumerate(zip(STEPS, shape, strict=True)):
        kernel = gaussian_weights(SMOOTHING / step if n > 1 else 0.0, truncate=TRUNCATE)
        values = ndi.correlate1d(values, kernel, axis, mode="nearest")
    return values


def claimed(graph, walks, class_of):
    """The most probable of each class, in its own nodes and those that touch them."""
    claims = np.zeros(walks.shape, bool)
    neighbours = [{n} for n in range(graph.count)]
    for a, b in graph.pair:
        neighbours[a].add(b)
        neighbours[b].add(a)
    for n in range(graph.count):
        for c in np.unique(class_of):
            own = np.flatnonzero(class_of == c)
            best = own[walks[own, n].argmax()]
            if walks[best, n] > LEAST:
                claims[best, list(neighbours[n])] = True
    return claims


def strengths(places, claims, walks):
    basin = places.basin
    inside = basin >= 0
    out = []
    for own, walk in zip(claims, walks, strict=True):
        given = np.where(own, np.maximum(walk, np.float32(LEAST)), 0)
        here = inside & own[basin]
        out.append(np.where(here, smoothed(np.where(inside, given[basin], 0.0), basin.shape), 0))
    return np.array(out)


def close_to_winning(found, strength):
    """Whether what won is the strongest everywhere, but for rounding."""
    own = np.take_along_axis(strength, np.maximum(found, 0)[np.newaxis], 0)[0]
    return np.all((own >= strength.max(axis=0) * (1 - 1e-5)) | (found < 0))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_strongest_label_that_claims_a_basin_wins(shape):
    graph = graph_of(shape)
    walks = walks_of(graph.count, 7)
    # Without evidence labels are one class.
    painter = Painter(graph, walks, STEPS, None, np.array([0, 1, 2, 3, 4, 5, 6]))
    claims = claimed(graph, walks, np.zeros(7, int))
    found = painter.paint().winner
    nobody = ~claims.any(axis=0)
    assert np.array_equal(found < 0, (graph.basin < 0) | nobody[graph.basin])
    alone = (claims.sum(axis=0) == 1)[graph.basin] & (graph.basin >= 0)
    assert np.array_equal(found[alone], claims.argmax(axis=0)[graph.basin][alone])
    assert close_to_winning(np.where(alone, -1, found), strengths(graph, claims, walks))


@pytest.mark.parametrize("shape", SHAPES)
def test_probabilities_and_entropy_are_summed_over_all_labels(shape):
    graph = graph_of(shape, seed=1)
    walks = walks_of(graph.count, 5, seed=1)
    painter = Painter(graph, walks, STEPS, None, np.arange(5))
    claims = claimed(graph, walks, np.zeros(5, int)) | (walks > LEAST)
    expected = strengths(graph, claims, walks)
    each = painter.paint(each=True).each
    assert np.allclose(each, expected, rtol=1e-4, atol=1e-7)
    sums = painter.paint(entropy=True)
    assert np.allclose(sums.total, expected.sum(axis=0), rtol=1e-4, atol=1e-7)
    logs = np.where(expected > 0, expected * np.log(np.maximum(expected, 1e-30)), 0)
    assert np.allclose(sums.information, logs.sum(axis=0), rtol=1e-4, atol=1e-5)


def test_where_voxels_are_places_of_their_own_all_labels_may_win():
    shape = (6, 20, 17)
    outside = np.random.default_rng(3).random(shape) > 0.9
    places = VoxelPlaces.of(shape, outside)
    walks = walks_of(outside.size, 3, seed=3)
    walks[2] = 0
    found = Painter(places, walks, STEPS, None, np.arange(3)).paint().winner
    reached = walks.max(axis=0) > 0
    claims = np.array([reached, reached, np.zeros_like(reached)])
    assert np.array_equal(found < 0, outside | ~reached.reshape(shape))
    assert close_to_winning(found, strengths(places, claims, walks))


@pytest.mark.parametrize("shape", SHAPES)
def test_parts_come_out_as_in_the_whole(shape):
    graph = graph_of(shape, seed=2)
    painter = Painter(graph, walks_of(graph.count, 6, seed=2), STEPS, None, np.arange(6))
    whole = painter.paint().winner
    rng = np.random.default_rng(0)
    for _ in range(8):
        ends = [np.sort(rng.choice(n + 1, 2, replace=False)) for n in shape]
        part = tuple(slice(int(a), int(b)) for a, b in ends)
        assert np.array_equal(painter.paint(part).winner, whole[part])


def test_islands_are_what_no_seed_of_theirs_is_connected_to():
    rng = np.random.default_rng(0)
    is_object, rest = np.array([True, True, False, True]), 2
    for shape in ((5, 7, 9), (1, 20, 30), (12, 12, 12), (1, 1, 40), (40, 1, 1)):
        for number in range(40):
            winner = rng.integers(-1, 4, shape).astype(np.int32)
            if number % 2:
                winner = np.repeat(winner, 3, axis=2)[:, :, : shape[2]].copy()
            objects = np.flatnonzero((winner >= 0) & is_object[winner])
            seeds = rng.choice(objects, min(len(objects), 5), replace=False)
            expected = winner.copy()
            for label in np.flatnonzero(is_object):
                part, _ = ndi.label(winner == label)
                seeded = np.unique(part.reshape(-1)[seeds])
                expected[(part > 0) & ~np.isin(part, seeded)] = rest
            give_away_islands(winner, is_object, seeds, rest)
            assert np.array_equal(winner, expected)
