"""Skeletons, their points and branches: hand-drawn lines, and what topology says of any shape."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage as ndi
from skimage.measure import euler_number
from skimage.morphology import skeletonize

from napari_seedbed.core import branch_table, skeleton, skeleton_points
from napari_seedbed.core.objects.skeleton_graph import neighbour_counts, skeleton_graph
from napari_seedbed.errors import InputError


def drawn(*rows):
    """A label image from rows of digits and dots."""
    return np.array([[0 if c == "." else int(c) for c in row] for row in rows], np.int32)


def blobs(seed, shape, share=0.1):
    noise = ndi.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1.2)
    return noise > share * noise.std()


CROSS = drawn(
    "...1....",
    "...1....",
    "...1....",
    "11111111",
    "...1....",
    "...1....",
)
STAIRS = drawn(
    "11......",
    ".11.....",
    "..11....",
    "...11111",
)
RING = drawn(
    "..111..",
    ".1...1.",
    ".1...1.",
    "..111..",
)


def test_skeleton_of_a_flat_mask_is_that_of_scikit_image():
    mask = blobs(3, (40, 50))
    np.testing.assert_array_equal(skeleton(mask), skeletonize(mask))


def topology(mask):
    """Numbers of pieces and cavities and the Euler number, of which that of holes follows."""
    padded = np.pad(mask, 1)
    touching = np.ones((3,) * mask.ndim, bool)
    return ndi.label(padded, touching)[1], ndi.label(~padded)[1], euler_number(padded, mask.ndim)


@pytest.mark.parametrize("method", ["zhang", "lee"])
@given(
    st.one_of(
        arrays(np.uint8, st.tuples(*[st.integers(1, 12)] * 2), elements=st.integers(0, 3)),
        arrays(np.uint8, st.tuples(*[st.integers(1, 7)] * 3), elements=st.integers(0, 3)),
    )
)
def test_each_object_keeps_its_pieces_holes_and_cavities(method, labels):
    found = skeleton(labels, method if labels.ndim == 2 else None)
    assert (found[found > 0] == labels[found > 0]).all()
    for value in np.unique(labels[labels > 0]):
        assert topology(found == value) == topology(labels == value)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", [(60, 50), (18, 20, 22)])
@pytest.mark.parametrize("share", [0, 0.5, -0.5])
def test_thick_objects_keep_their_topology_and_get_thin(seed, shape, share):
    mask = blobs(seed, shape, share)
    found = skeleton(mask, "lee") > 0
    assert topology(found) == topology(mask)
    assert found.sum() < mask.sum() / 2
    np.testing.assert_array_equal(skeleton(found, "lee") > 0, found)


def test_solid_boxes_of_any_size_leave_a_line_that_the_table_lists():
    rng = np.random.default_rng(0)
    sizes = [(4, 4, 50), (8, 8, 8), (1, 1, 1), *rng.integers(1, 13, (60, 3)), (9, 2), (2, 2)]
    for size in sizes:
        box = np.pad(np.full(size, 5), 1)
        for method in ("lee",) if box.ndim == 3 else ("zhang", "lee"):
            line = skeleton(box, method)
            assert topology(line > 0) == topology(box > 0)
            assert set(branch_table(line, thin=False)["label"]) == {5}
    rod = np.argwhere(skeleton(np.ones(sizes[0], bool)))
    assert 44 <= len(rod) <= 50
    assert (np.ptp(rod[:, :2], axis=0) == 0).all()


def test_objects_that_touch_have_one_skeleton_each():
    labels = np.zeros((9, 30), int)
    labels[1:8, 1:15], labels[1:8, 15:29] = 4, 2
    found = skeleton(labels)
    for value in (2, 4):
        np.testing.assert_array_equal(found == value, skeletonize(labels == value))


def test_method_for_slices_is_refused_in_3d():
    with pytest.raises(InputError, match="take lee in 3D"):
        skeleton(np.ones((3, 3, 3), int), "zhang")


def places(points, columns, kind):
    return sorted(map(tuple, points[columns["kind"] == kind].tolist()))


def test_cross_has_four_ends_and_one_branch_point():
    points, columns = skeleton_points(CROSS, thin=False)
    assert places(points, columns, "end") == [(0, 3), (3, 0), (3, 7), (5, 3)]
    assert places(points, columns, "branch") == [(3, 3)]
    assert list(columns["branches"]) == [1, 1, 1, 1, 4]


def test_single_voxels_count_their_neighbours():
    points, columns = skeleton_points(CROSS, thin=False, merge=False)
    counts = ndi.convolve(CROSS, np.ones((3, 3), int), mode="constant") - 1
    expected = np.argwhere((CROSS > 0) & (counts != 2))
    assert sorted(map(tuple, points.tolist())) == sorted(map(tuple, expected.tolist()))
    assert (columns["kind"] == "branch").sum() == 5
    assert (columns["kind"] == "end").sum() == 4


@given(
    st.one_of(
        arrays(bool, st.tuples(*[st.integers(1, 8)] * 2)),
        arrays(bool, st.tuples(*[st.integers(1, 5)] * 3)),
    )
)
def test_neighbours_are_counted_by_convolution(mask):
    counts = ndi.convolve(mask.astype(int), np.ones((3,) * mask.ndim, int), mode="constant") - 1
    np.testing.assert_array_equal(neighbour_counts(mask), np.where(mask, counts, 0))


def test_stairs_do_not_branch():
    points, columns = skeleton_points(STAIRS, thin=False)
    assert places(points, columns, "end") == [(0, 0), (3, 7)]
    assert len(points) == 2


def test_neighbouring_voxels_where_branches_meet_are_one_point():
    mask = np.zeros((11, 20), bool)
    mask[5, :] = True
    mask[:5, 8] = True
    mask[6:, 9] = True
    points, columns = skeleton_points(mask, thin=False)
    assert places(points, columns, "branch") == [(5, 8.5)]
    assert columns["branches"][columns["kind"] == "branch"] == [4]


def test_voxel_on_its_own_is_isolated():
    points, columns = skeleton_points(np.pad([[7]], 2))
    np.testing.assert_array_equal(points, [[2, 2]])
    assert columns["kind"][0] == "isolated"
    assert columns["label"][0] == 7
    table = branch_table(np.pad([[7]], 2), 0.5)
    assert (table["kind"], table["label"], table["length"], table["mean_width"]) == (
        ["point"], [7], [0], [0.5],
    )  # fmt: skip
    assert (table["start_node"], table["end_node"], table["start_y"]) == ([1], [1], [1.0])


def test_ring_has_neither_ends_nor_branches():
    points, _ = skeleton_points(RING, thin=False)
    assert len(points) == 0
    table = branch_table(RING, thin=False)
    assert list(table["kind"]) == ["ring"]
    assert table["length"][0] == pytest.approx(6 + 4 * np.sqrt(2))
    assert table["start_node"][0] == table["end_node"][0] == 0


@pytest.mark.parametrize("shape", [(30, 40), (60, 50), (10, 20, 20), (16, 16, 16)])
@pytest.mark.parametrize("seed", range(6))
def test_nodes_less_branches_are_pieces_less_holes(seed, shape):
    thin = skeletonize(blobs(seed, shape, share=0.3))
    graph = skeleton_graph(thin.astype(np.int32), (1.0,) * thin.ndim)
    rings = np.count_nonzero(graph.branch_nodes[:, 0] < 0)
    vertices, edges = len(graph.node_degrees), len(graph.branch_nodes) - rings
    if thin.ndim == 2:
        assert vertices - edges == euler_number(thin, connectivity=2)
    else:
        # A thin line has no cavities either, but walls that thinning leaves thick may have loops.
        assert abs(vertices - edges - euler_number(thin, connectivity=3)) <= 2
    degrees = np.bincount(graph.branch_nodes[graph.branch_nodes >= 0], minlength=vertices)
    np.testing.assert_array_equal(degrees, graph.node_degrees)


def test_branches_of_a_cross_are_measured_in_physical_units():
    table = branch_table(CROSS, (2.0, 0.5), thin=False)
    assert list(table["kind"]) == ["end-branch"] * 4
    np.testing.assert_allclose(sorted(table["length"]), [1.5, 2.0, 4.0, 6.0])
    np.testing.assert_allclose(table["distance"], table["length"])
    assert set(table["end_node"]) | set(table["start_node"]) == {1, 2, 3, 4, 5}
    assert {5} == {max(pair) for pair in zip(table["start_node"], table["end_node"], strict=True)}


def test_slanted_line_in_3d_has_its_length():
    line = np.zeros((6, 6, 8), bool)
    line[[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]] = True
    line[4, 4, 5:7] = True
    table = branch_table(line, (3.0, 1.0, 2.0), thin=False)
    assert table["length"][0] == pytest.approx(3 * np.sqrt(9 + 1 + 4) + 2 * 2)
    assert table["distance"][0] == pytest.approx(np.sqrt(9**2 + 3**2 + 10**2))
    assert (table["start_z"][0], table["end_x"][0]) == (3.0, 12.0)


@pytest.mark.parametrize("width", [1, 3, 7])
def test_width_is_that_of_the_object(width):
    bar = np.zeros((21, 60), bool)
    bar[10 - width // 2 : 11 + width // 2, 5:55] = True
    table = branch_table(bar, 0.5)
    assert len(table["mean_width"]) == 1
    assert table["mean_width"][0] == pytest.approx(width * 0.5, rel=0.05)


def test_width_of_objects_that_touch_is_their_own():
    labels = np.zeros((9, 80), int)
    labels[1:4], labels[4:7] = 1, 2
    np.testing.assert_allclose(branch_table(labels)["mean_width"], [3, 3], rtol=0.05)


def test_short_branches_go_and_long_ones_stay():
    mask = np.zeros((20, 60), bool)
    mask[10, 2:58] = True
    mask[7:10, 20] = True
    mask[2:10, 40] = True
    pruned = skeleton(mask, shortest=5)
    assert not pruned[7:10, 20].any()
    assert pruned[10, 20]
    assert pruned[2:10, 40].all()
    kinds = skeleton_points(pruned)[1]["kind"]
    assert sorted(kinds) == ["branch", "end", "end", "end"]
    assert sorted(skeleton_points(skeleton(mask, shortest=9))[1]["kind"]) == ["end", "end"]


def test_star_of_short_branches_keeps_its_two_longest():
    pruned = skeleton(CROSS, shortest=100)
    points, columns = skeleton_points(pruned)
    assert places(points, columns, "end") == [(3, 0), (3, 7)]


@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5)])
def test_nothing_has_no_skeleton(shape):
    nothing = np.zeros(shape, np.uint8)
    assert not skeleton(nothing, shortest=3).any()
    for merge in (True, False):
        points, columns = skeleton_points(nothing, merge=merge)
        assert points.shape == (0, len(shape))
        assert len(columns["kind"]) == 0
    assert {len(column) for column in branch_table(nothing).values()} == {0}
