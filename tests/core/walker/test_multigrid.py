"""The passes of the solver against matrices that do the same, and its behaviour as a whole."""

import numpy as np
import pytest
from random_walk_scenes import grid_matrix
from scipy import sparse

from napari_seedbed.core.threads import split
from napari_seedbed.core.walker import graph_kernels, grid_kernels
from napari_seedbed.core.walker.anchors import anchored
from napari_seedbed.core.walker.edge_weights import as_volume, edge_weights
from napari_seedbed.core.walker.graph_layout import LANES, MOST_LOWER, Graph, GraphLayout, ordered
from napari_seedbed.core.walker.hierarchy import Hierarchy, build_hierarchy
from napari_seedbed.core.walker.multigrid import _LOOK_BACK, Preconditioner, _left, flat, solve
from napari_seedbed.core.walker.seed_map import SeedMap

SHAPES = [(70, 9, 11), (5, 70, 9), (1, 70, 40), (8, 8, 8)]
"""Cut into tiles along z, along y, along y in 2D, and not at all."""


class Scene:
    """A noisy image with two seeds, and the matrix of its equations over the unknown voxels."""

    def __init__(self, shape, large=10**9):
        self.rng = np.random.default_rng(0)
        image = self.rng.random(shape).astype(np.float32)
        weights = edge_weights(as_volume(image, (1.0,) * 3, None), 1.0, "contrast")
        labels = np.zeros(shape, np.int32)
        labels[0, 1, 2:5], labels[-1, -2, 1] = 1, 2
        self.seeds = SeedMap(labels, shape)
        self.hierarchy = build_hierarchy(weights, large=large)
        self.free = self.seeds.state.ravel() == 0
        self.matrix = grid_matrix(weights, shape)
        z, y, x = np.indices(shape)
        self.red = ((z + y + x) % 2 == 0).ravel()

    def vector(self):
        values = self.rng.normal(size=(1, *self.seeds.state.shape)).astype(np.float32)
        values[0][self.seeds.state != 0] = 0
        return values

    def relaxed(self, x, b, colour):
        """Half a sweep by the matrix."""
        chosen = self.free & (self.red if colour == "red" else ~self.red)
        x = x.copy()
        x[chosen] += ((b - self.matrix @ x) / self.matrix.diagonal())[chosen]
        return x

    def preconditioner(self, anchors):
        return Preconditioner(self.hierarchy, anchors, self.seeds.state, 1)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_passes_over_the_voxels_do_what_the_matrix_does(shape):
    scene = Scene(shape)
    r, z, shares = scene.vector(), np.zeros((1, *shape), np.float32), np.zeros((*shape[:2], 1, 2))
    shares = shares.astype(np.float32)
    x, p, q = scene.vector(), scene.vector(), scene.vector()
    step = np.array([0.3], np.float32)
    with anchored(scene.hierarchy, scene.seeds.state, scene.seeds.places) as anchors:
        preconditioner = scene.preconditioner(anchors)
        level = scene.hierarchy.level(0)
        corrections = scene.rng.normal(size=level.stop).astype(np.float32)
        collected = []

        def correct(rows):
            collected.append(preconditioner.b[0, level].copy())
            preconditioner.x[0, level] = corrections

        preconditioner.correct = correct
        moved_x, moved_r, z[...] = x.copy(), r.copy(), q
        preconditioner.apply(np.arange(1), moved_r, z, shares, (moved_x, p, step))
    np.testing.assert_allclose(moved_x, x + 0.3 * p, atol=1e-6)
    np.testing.assert_allclose(moved_r, r - 0.3 * q, atol=1e-6)
    b = moved_r.ravel().astype(np.float64)
    expected = scene.relaxed(scene.relaxed(np.zeros(b.size), b, "red"), b, "black")
    left = np.where(scene.free, b - scene.matrix @ expected, 0)
    group = scene.hierarchy.group.ravel()
    np.testing.assert_allclose(
        collected[0], np.bincount(group, weights=left, minlength=level.stop), atol=1e-4
    )
    expected[scene.free] += corrections[group[scene.free]]
    expected = scene.relaxed(scene.relaxed(expected, b, "black"), b, "red")
    np.testing.assert_allclose(z.ravel(), expected, atol=1e-4)
    assert shares[..., 0].sum() == pytest.approx(b @ expected, rel=1e-3)
    assert shares[..., 1].max() == pytest.approx(np.abs(expected).max(), rel=1e-4)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_turning_makes_a_direction_and_its_product_with_the_matrix(shape):
    scene = Scene(shape)
    p, z = scene.vector(), scene.vector()
    direction = z + 0.7 * p
    energy = np.zeros((*shape[:2], 1), np.float32)
    with anchored(scene.hierarchy, scene.seeds.state, scene.seeds.places) as anchors:
        preconditioner = scene.preconditioner(anchors)
    tiles = preconditioner.tiles
    factor = np.array([0.7], np.float32)
    for phase in tiles.phases:
        for tile in phase:
            grid_kernels.turn(
                *tile, tiles.along_y, *preconditioner.grid, np.arange(1), factor,
                flat(p), flat(z), *preconditioner.equations, energy,
            )  # fmt: skip
    np.testing.assert_allclose(p, direction, atol=1e-6)
    product = np.where(scene.free, scene.matrix @ direction.ravel(), 0)
    np.testing.assert_allclose(z.ravel(), product, atol=1e-4)
    assert energy.sum() == pytest.approx(direction.ravel() @ product, rel=1e-4)


def random_graph(n_nodes, n_edges, hub=0):
    """A graph with random edges, and a first node with `hub` neighbours."""
    rng = np.random.default_rng(1)
    i, j = rng.integers(0, n_nodes, (2, n_edges))
    i = np.concatenate([i, np.full(hub, n_nodes - 1)])
    j = np.concatenate([j, np.arange(hub)])
    w = rng.random(i.size).astype(np.float32)
    upper = sparse.coo_array((w, (i, j)), shape=(n_nodes,) * 2)
    matrix = (upper + upper.T).tolil()
    matrix.setdiag(0)
    matrix = matrix.tocsr()
    matrix.eliminate_zeros()
    return matrix.astype(np.float32)


@pytest.mark.parametrize("n_blocks", [1, 4])
@pytest.mark.parametrize("hub", [0, 2 * MOST_LOWER])
def test_sweeps_in_chunks_are_gauss_seidel_in_their_order(n_blocks, hub):
    n = 1000
    edges = random_graph(n, 4000, hub)
    graph = Graph(edges.indptr.astype(np.int64), edges.indices.astype(np.int32), edges.data)
    blocks = split(n // LANES, n_blocks)
    new = ordered(graph, blocks)
    layout = GraphLayout()
    layout.add(graph, new, np.zeros(n, np.int32), np.zeros(1, np.int32), blocks)
    if hub == 0:
        assert layout.n_slots < 1.15 * edges.nnz / LANES
    old = np.argsort(new)
    edges = edges[old][:, old].toarray().astype(np.float64)
    rng = np.random.default_rng(2)
    anchor = rng.random(n).astype(np.float32)
    diagonal = edges.sum(axis=1) + anchor
    b, pivot = rng.normal(size=n).astype(np.float32), (1 / diagonal).astype(np.float32)
    x = rng.normal(size=2 * n if n_blocks > 1 else n).astype(np.float32)
    x[n:] = x[:n] if n_blocks > 1 else x[n:]
    rows, lower, to, weight = layout.slots[0], layout.lowers[0], layout.to, layout.weight
    y, r = np.empty(n, np.float32), np.empty(n, np.float32)

    for block in blocks:
        graph_kernels.apply(*block, x, y, rows, to, weight, anchor)
    start = x[:n].astype(np.float64)
    np.testing.assert_allclose(y, diagonal * start - edges @ start, atol=1e-3)

    # Backwards, chunk by chunk, each block for itself.
    expected, before = start.copy(), start.copy()
    for first, last in blocks:
        inside = np.zeros(n, bool)
        inside[LANES * first : LANES * last] = True
        for chunk in range(last - 1, first - 1, -1):
            here = slice(LANES * chunk, LANES * (chunk + 1))
            seen = np.where(inside, expected, before)
            expected[here] = ((b + edges @ seen) * pivot)[here]
    for block in blocks:
        graph_kernels.sweep_back(*block, x, b, rows, to, weight, pivot)
    np.testing.assert_allclose(x[:n], expected, atol=1e-4)

    # Forwards from zero: whatever was left out must be in the residual.
    for block in blocks:
        graph_kernels.sweep_from_zero(*block, x, b, rows, lower, to, weight, pivot)
    swept = x[:n].astype(np.float64)
    for block in blocks:
        graph_kernels.residual_after_sweep(*block, x, r, rows, lower, to, weight)
    np.testing.assert_allclose(r, b - (diagonal * swept - edges @ swept), atol=1e-3)
    assert np.linalg.norm(r) < np.linalg.norm(b)


def solution(large):
    scene = Scene((40, 30, 20), large)
    x = np.zeros((1, 40, 30, 20), np.float32)
    x.reshape(1, -1)[:, scene.seeds.places] = scene.seeds.given(range(1)).T
    with anchored(scene.hierarchy, scene.seeds.state, scene.seeds.places) as anchors:
        outcome = solve(scene.preconditioner(anchors), x, 1e-5)
    assert outcome.converged
    return scene.hierarchy, x, outcome.iterations


def test_levels_in_blocks_lead_to_the_same_solution():
    alone, x_alone, iterations_alone = solution(large=10**9)
    blocks, x_blocks, iterations_blocks = solution(large=100)
    assert alone.n_large == 0
    assert blocks.n_large >= 2
    np.testing.assert_allclose(x_blocks, x_alone, atol=1e-5)
    assert iterations_blocks <= iterations_alone + 3


def test_all_edges_of_the_grid_are_in_the_graphs():
    scene = Scene((20, 12, 9))
    h: Hierarchy = scene.hierarchy
    group = h.group.ravel()
    for level in range(h.n_levels):
        n = h.level(level).stop - h.level(level).start
        matrix = np.zeros((n, n))
        nothing = np.zeros(n, np.float32)
        graph_kernels.write_matrix(h.rows(level), h.to, h.weight, nothing, matrix)
        sums = sparse.csr_array(
            (np.ones(group.size), (group, np.arange(group.size))), (n, group.size)
        )
        np.testing.assert_allclose(matrix, (sums @ scene.matrix @ sums.T).toarray(), atol=1e-4)
        group = h.parent[h.level(level)][group]


def test_the_number_of_iterations_left_is_foreseen():
    steady = list(0.5 ** np.arange(_LOOK_BACK + 5))
    assert _left(steady, accepted=steady[-1] / 8) == pytest.approx(3)
    assert _left(steady[:3], accepted=1e-9) == 0
    assert _left([*steady, *[steady[-1]] * _LOOK_BACK], accepted=1e-9) == np.inf
    assert _left(steady, accepted=1.0) == 0
