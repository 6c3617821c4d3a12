import itertools

import numpy as np
import pytest
from skimage import color, data, graph, segmentation

from napari_seedbed.core.filters.edge_filters import gradient_magnitude
from napari_seedbed.core.progress import running
from napari_seedbed.core.regions.average_colours import average_colour
from napari_seedbed.core.regions.region_graphs import numbered, region_graph
from napari_seedbed.errors import Cancelled, InputError


@pytest.fixture(scope="module")
def photo():
    image = data.astronaut()[50:250, 100:300]
    return image, segmentation.slic(image, 300, 10)


def edges_of(found):
    """Pairs of labels and their place in the graph."""
    return {tuple(found.labels[pair].tolist()): i for i, pair in enumerate(found.edges)}


def by_hand(labels, slopes, spacing):
    """Boundary sizes and sums of slopes by pairs of labels, voxel by voxel."""
    sizes, sums = {}, {}
    for place in np.ndindex(labels.shape):
        for axis in range(labels.ndim):
            near = tuple(p + (a == axis) for a, p in enumerate(place))
            if near[axis] >= labels.shape[axis]:
                continue
            pair = tuple(sorted((int(labels[place]), int(labels[near]))))
            if pair[0] < 1 or pair[0] == pair[1]:
                continue
            area = np.prod(spacing) / spacing[axis]
            sizes[pair] = sizes.get(pair, 0) + area
            mean = (slopes[place] + slopes[near]) / 2
            sums[pair] = sums.get(pair, 0) + area * mean
    return sizes, sums


def test_edges_are_those_of_scikit_image(photo):
    image, labels = photo
    expected = {tuple(sorted(e)) for e in graph.RAG(labels, connectivity=1).edges}
    assert set(edges_of(region_graph(labels, image, channel_axis=-1))) == expected


def test_differences_of_colours_are_those_of_scikit_image(photo):
    image, labels = photo
    found = region_graph(labels, image, channel_axis=-1)
    weights, places = found.weights("colour"), edges_of(found)
    for a, b, attributes in graph.rag_mean_color(image, labels, connectivity=1).edges(data=True):
        assert weights[places[min(a, b), max(a, b)]] == pytest.approx(attributes["weight"])


@pytest.mark.parametrize("shape", [(20, 24), (6, 10, 12)])
def test_boundaries_are_those_counted_by_hand(shape):
    rng = np.random.default_rng(0)
    spacing = (2.0, 0.5, 0.25)[-len(shape) :]
    labels = np.kron(rng.integers(0, 9, tuple(n // 2 for n in shape)), np.ones((2,) * len(shape)))
    labels = labels.astype(int) * 1000
    image = rng.random((3, *shape))
    found = region_graph(labels, image, spacing, channel_axis=0, sigma=0.5)
    slopes = np.sqrt(sum(gradient_magnitude(c, 0.5, spacing) ** 2 for c in image))
    sizes, sums = by_hand(labels, slopes, spacing)
    places = edges_of(found)
    assert set(places) == set(sizes)
    for pair, i in places.items():
        assert found.lengths[i] == pytest.approx(sizes[pair])
        assert found.strengths[i] == pytest.approx(sums[pair] / sizes[pair], rel=1e-4)


def test_a_volume_of_very_many_regions_fits():
    labels = np.arange(1, 30 * 40 * 50 + 1).reshape(30, 40, 50)
    found = region_graph(labels, np.zeros(labels.shape))
    assert len(found.edges) == 29 * 40 * 50 + 30 * 39 * 50 + 30 * 40 * 49
    assert (found.lengths == 1).all()


def test_large_labels_do_not_need_a_large_table():
    labels = np.array([[2_000_000_000, 5, 5], [0, 7, -3]])
    found = region_graph(labels, np.zeros((2, 3)))
    assert found.labels.tolist() == [5, 7, 2_000_000_000]
    assert found.numbers.tolist() == [[3, 1, 1], [0, 2, 0]]
    assert set(edges_of(found)) == {(5, 7), (5, 2_000_000_000)}


def test_no_regions_give_an_empty_graph():
    found = region_graph(np.zeros((4, 5), int), np.zeros((4, 5)))
    assert len(found.labels) == len(found.edges) == 0


def test_edges_in_a_slice_are_those_of_its_own_regions():
    labels = np.random.default_rng(0).integers(0, 30, (5, 12, 12))
    found = region_graph(labels, np.zeros(labels.shape))
    expected = {tuple(sorted(e)) for e in graph.RAG(labels[2], connectivity=1).edges}
    pairs = found.labels[found.edges[found.edges_in(found.numbers[2])]]
    assert {tuple(pair) for pair in pairs.tolist()} == {e for e in expected if e[0] > 0}


def test_colours_of_groups_are_means_over_all_their_voxels(photo):
    image, labels = photo
    found = region_graph(labels, image, channel_axis=-1)
    groups = np.arange(len(found.labels)) // 7 * 7
    merged = found.painted(groups)
    expected = color.label2rgb(merged, image.astype(float), kind="avg", bg_label=0)
    assert np.allclose(found.coloured(groups), expected)
    whole = found.coloured(groups, dtype=np.uint8)
    assert whole.dtype == np.uint8
    assert np.array_equal(whole, np.rint(expected))


def test_average_colour_is_that_of_scikit_image(photo):
    image, labels = photo
    labels = np.where(labels % 5 == 0, 0, labels)
    expected = color.label2rgb(labels, image.astype(float), kind="avg", bg_label=0)
    assert np.allclose(average_colour(image, labels, -1), expected, atol=1e-3)


def test_average_colour_twice_changes_nothing(photo):
    image, labels = photo
    once = average_colour(image.astype(float), labels, -1)
    assert np.allclose(average_colour(once, labels, -1), once)


def test_cancel_stops():
    calls = itertools.count()
    with running(should_stop=lambda: next(calls) > 1), pytest.raises(Cancelled):
        region_graph(np.ones((9, 9), int), np.zeros((9, 9)))


def test_labels_of_another_shape_are_refused():
    with pytest.raises(InputError, match="must have the image's shape"):
        region_graph(np.ones((4, 5), int), np.zeros((4, 6)))


def test_another_weight_is_refused(photo):
    image, labels = photo
    with pytest.raises(InputError, match="weight"):
        region_graph(labels, image, channel_axis=-1).weights("size")


@pytest.mark.parametrize("top", [9, 2_000_000_000])
def test_numbers_have_no_gaps(top):
    labels = np.array([[top, 0, 5], [-4, 5, 7]])
    names, numbers = numbered(labels)
    assert names.tolist() == [5, 7, top]
    assert numbers.tolist() == [[3, 0, 1], [0, 1, 2]]
