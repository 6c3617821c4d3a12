import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi
from skimage import data, graph, segmentation

from napari_seedbed.core.regions.merging import merge_tree
from napari_seedbed.core.regions.region_graphs import region_graph
from napari_seedbed.errors import InputError


@pytest.fixture(scope="module")
def photo():
    image = data.astronaut()[50:250, 100:300]
    return image, segmentation.slic(image, 300, 10)


def same_partition(a, b):
    """Whether two label images cut an image into the same parts."""
    pairs = np.unique(np.stack([a.ravel(), b.ravel()]), axis=1).shape[1]
    return pairs == len(np.unique(a)) == len(np.unique(b))


def merged_at(found, method, level, weight="colour"):
    tree = merge_tree(found, method, weight)
    return found.painted(tree.groups(tree.steps_at(level)))


def fresh_rag(image, labels):
    return graph.rag_mean_color(image, labels, connectivity=1)


def join_colours(rag, source, target):
    for key in ("total color", "pixel count"):
        rag.nodes[target][key] = rag.nodes[target][key] + rag.nodes[source][key]
    node = rag.nodes[target]
    node["mean color"] = node["total color"] / node["pixel count"]


def colour_weight(rag, source, target, neighbour):
    away = rag.nodes[target]["mean color"] - rag.nodes[neighbour]["mean color"]
    return {"weight": np.linalg.norm(away)}


def boundary_weight(rag, source, target, neighbour):
    none = {"weight": 0.0, "count": 0}
    one, two = (rag[n].get(neighbour, none) for n in (source, target))
    count = one["count"] + two["count"]
    total = one["count"] * one["weight"] + two["count"] * two["weight"]
    return {"count": count, "weight": total / count}


@pytest.mark.parametrize("level", [0, 3, 15, 29, 60, 1000])
def test_cut_is_that_of_scikit_image(photo, level):
    image, labels = photo
    expected = graph.cut_threshold(labels, fresh_rag(image, labels), level)
    found = region_graph(labels, image, channel_axis=-1)
    assert same_partition(merged_at(found, "cut", level), expected)


@pytest.mark.parametrize("level", [0, 5, 20, 40, 90, 1000])
def test_merging_by_colour_is_that_of_scikit_image(photo, level):
    image, labels = photo
    expected = graph.merge_hierarchical(
        labels, fresh_rag(image, labels), level, rag_copy=False, in_place_merge=True,
        merge_func=join_colours, weight_func=colour_weight,
    )  # fmt: skip
    found = region_graph(labels, image, channel_axis=-1)
    assert same_partition(merged_at(found, "merge", level), expected)


@pytest.mark.parametrize("level", [2, 5, 10, 20])
def test_merging_by_boundary_is_that_of_scikit_image(photo, level):
    """With the boundaries of our graph given to its algorithm."""
    image, labels = photo
    found = region_graph(labels, image, channel_axis=-1)
    rag = graph.RAG(labels, connectivity=1)
    for pair, length, strength in zip(found.edges, found.lengths, found.strengths, strict=True):
        a, b = found.labels[pair].tolist()
        rag.add_edge(a, b, weight=strength, count=length)
    for label in rag:
        rag.nodes[label]["labels"] = [label]
    expected = graph.merge_hierarchical(
        labels, rag, level, rag_copy=False, in_place_merge=True,
        merge_func=lambda *_: None, weight_func=boundary_weight,
    )  # fmt: skip
    assert same_partition(merged_at(found, "merge", level, "boundary"), expected)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["cut", "merge"]))
def test_merged_regions_of_a_volume_stay_connected(seed, method):
    rng = np.random.default_rng(seed)
    labels = ndi.label(rng.random((4, 6, 6)) > 0.5)[0]
    found = region_graph(labels, rng.random((4, 6, 6)))
    for label in np.unique(merged := merged_at(found, method, 0.3)):
        if label > 0:
            assert ndi.label(merged == label)[1] == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["cut", "merge"]))
def test_each_step_joins_two_groups(seed, method):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 12, (8, 9))
    found = region_graph(labels, rng.random((8, 9)))
    tree = merge_tree(found, method)
    counts = [len(np.unique(tree.groups(n))) for n in range(len(tree.heights) + 1)]
    assert counts == list(range(len(found.labels), len(found.labels) - len(counts), -1))


def test_all_steps_leave_one_group_for_each_connected_part():
    labels = np.array([[1, 2, 0, 3, 4, 0, 5]])
    found = region_graph(labels, np.zeros((1, 7)))
    tree = merge_tree(found, "merge")
    assert found.painted(tree.groups(len(tree.heights))).tolist() == [[1, 1, 0, 3, 3, 0, 5]]


def test_levels_never_fall(photo):
    image, labels = photo
    heights = merge_tree(region_graph(labels, image, channel_axis=-1), "merge").heights
    assert (np.diff(heights) >= 0).all()


def test_level_of_a_number_of_steps_gives_that_number_again(photo):
    image, labels = photo
    tree = merge_tree(region_graph(labels, image, channel_axis=-1), "cut")
    distinct = [n for n in range(1, len(tree.heights)) if tree.heights[n] > tree.heights[n - 1]]
    assert [tree.steps_at(tree.level_of(n)) for n in distinct] == distinct


def test_a_number_of_groups_is_reached(photo):
    image, labels = photo
    tree = merge_tree(region_graph(labels, image, channel_axis=-1), "merge")
    assert len(np.unique(tree.groups(tree.steps_for(12)))) == 12


def test_one_hub_with_many_neighbours_is_merged_in_order():
    """A star: the hub takes the neighbours in by their likeness, as networkx's edges say."""
    rng = np.random.default_rng(0)
    labels = np.ones((81, 81), int)
    labels[1::2, 1::2] = np.arange(2, 1602).reshape(40, 40)
    image = rng.random(labels.shape)
    found = region_graph(labels, image)
    star = networkx.Graph([tuple(e) for e in found.edges.tolist()])
    assert max(dict(star.degree).values()) == 1600
    tree = merge_tree(found, "merge")
    assert len(tree.heights) == 1600


def test_another_method_is_refused():
    with pytest.raises(InputError, match="method"):
        merge_tree(region_graph(np.ones((2, 2), int), np.zeros((2, 2))), "grow")
