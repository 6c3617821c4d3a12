import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage import data, graph, segmentation

from napari_seedbed.core.regions.graph_drawing import GraphPart
from napari_seedbed.core.regions.merging import merge_tree
from napari_seedbed.core.regions.region_graphs import region_graph


@pytest.fixture(scope="module")
def photo():
    image = data.astronaut()[50:200, 100:250]
    labels = segmentation.slic(image, 120, 10)
    return image, labels, region_graph(labels, image, channel_axis=-1)


@pytest.mark.parametrize("level", [0, 25])
def test_lines_are_the_edges_of_the_merged_regions(photo, level):
    image, _, found = photo
    tree = merge_tree(found, "merge")
    groups = tree.groups(tree.steps_at(level))
    merged = found.painted(groups)
    lines = GraphPart(found, found.numbers).lines(groups, "colour")
    rag = graph.rag_mean_color(image, merged, connectivity=1)
    expected = sorted(attributes["weight"] for *_, attributes in rag.edges(data=True))
    assert np.allclose(np.sort(lines.weights), expected)


def test_lines_join_the_middles_of_the_groups(photo):
    _, labels, found = photo
    lines = GraphPart(found, found.numbers).lines(np.arange(len(found.labels)), "colour")
    middles = np.array(ndi.center_of_mass(labels, labels, found.labels))
    assert np.allclose(lines.starts, middles[found.edges[:, 0]])
    assert np.allclose(lines.ends, middles[found.edges[:, 1]])


def test_boundaries_between_groups_are_means_by_length():
    labels = np.array([[1, 1, 3], [2, 2, 3], [2, 2, 3]])
    found = region_graph(labels, np.random.default_rng(0).random((3, 3)))
    groups = np.array([0, 0, 2])
    line = GraphPart(found, found.numbers).lines(groups, "boundary")
    assert line.weights.tolist() == pytest.approx(
        [(found.strengths[1] * 1 + found.strengths[2] * 2) / 3]
    )


def test_a_slice_shows_only_what_touches_in_it():
    labels = np.zeros((2, 3, 4), int)
    labels[0, :, :2], labels[0, :, 2:], labels[1] = 1, 2, 3
    found = region_graph(labels, np.zeros(labels.shape))
    lines = GraphPart(found, found.numbers[:1]).lines(np.arange(3), "colour")
    assert lines.starts.tolist() == [[0, 1, 0.5]]
    assert lines.ends.tolist() == [[0, 1, 2.5]]


def test_no_regions_give_no_lines():
    found = region_graph(np.zeros((3, 4), int), np.zeros((3, 4)))
    assert len(GraphPart(found, found.numbers).lines(np.zeros(0, int), "boundary").weights) == 0
