import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from newer_watersheds import as_in_newer
from scipy import ndimage as ndi
from skimage import data, filters, segmentation

from napari_seedbed.core.progress import running
from napari_seedbed.core.regions.watersheds import (
    compact_watershed,
    even_seeds,
    seeded_watershed,
    watershed,
)
from napari_seedbed.errors import Cancelled, InputError

SHAPES = [(40, 50), (9, 20, 24)]


def scattered(shape, count=15):
    """So many seeds of one voxel, at random."""
    rng = np.random.default_rng(1)
    seeds = np.zeros(shape, np.int32)
    seeds.flat[rng.choice(seeds.size, count, replace=False)] = np.arange(1, count + 1)
    return seeds


def random_image(kind, shape, seeds):
    """Values of one kind, distinct where there are seeds: scikit-image takes equal ones as it may.

    Many voxels have equal values, in all kinds but those of floats.
    """
    rng = np.random.default_rng(0)
    few = rng.integers(0, 20, shape)
    few[seeds > 0] = rng.permutation(20)[: np.count_nonzero(seeds)]
    images = {
        "8 bits": few.astype(np.uint8),
        "signed": (13 * few - 128).astype(np.int8),
        "wide integers": few + (1 << 30),
        "few floats": few / 7,
        "float32": rng.random(shape, dtype=np.float32),
        "float64": rng.random(shape),
        "skewed": np.exp(30 * rng.random(shape)),
        "one extreme": np.where(np.arange(few.size).reshape(shape) == 77, 1e300, rng.random(shape)),
        "whole range": rng.uniform(-1, 1, shape) * np.finfo(float).max,
        "tiny": few * 5e-324,
    }
    return images[kind]


KINDS = ["8 bits", "signed", "wide integers", "few floats", "float32", "float64", "skewed",
         "one extreme", "whole range", "tiny"]  # fmt: skip


def flooded_by_hand(image, seeds):
    """Meyer's flooding, voxel by voxel, by a list that is sorted anew for each."""
    labels = seeds.copy()
    queue = [(image[tuple(place)], 0, tuple(place)) for place in np.argwhere(seeds)]
    ages = itertools.count(1)
    axes = range(image.ndim)
    steps = [*((axis, -1) for axis in axes), *((axis, 1) for axis in reversed(axes))]
    while queue:
        queue.sort()
        level, _, place = queue.pop(0)
        for axis, way in steps:
            near = tuple(p + way * (a == axis) for a, p in enumerate(place))
            if all(0 <= p < n for p, n in zip(near, image.shape, strict=True)) and not labels[near]:
                labels[near] = labels[place]
                queue.append((max(level, image[near]), next(ages), near))
    return labels


@pytest.mark.parametrize("shape", [(20, 24), (5, 8, 9)])
@pytest.mark.parametrize("n_values", [1, 4, 10**6])
def test_watershed_is_that_of_flooding_by_hand(shape, n_values):
    image = np.random.default_rng(0).integers(0, n_values, shape)
    assert np.array_equal(
        watershed(image, scattered(shape)), flooded_by_hand(image, scattered(shape))
    )


@as_in_newer
@pytest.mark.parametrize("kind", KINDS)
def test_watershed_is_that_of_scikit_image(kind):
    for shape, compactness in itertools.product(SHAPES, (0, 0.03, 10)):
        seeds = scattered(shape)
        image = random_image(kind, shape, seeds)
        expected = segmentation.watershed(image, seeds, compactness=compactness)
        assert np.array_equal(watershed(image, seeds, compactness=compactness), expected)


@as_in_newer
@pytest.mark.parametrize("shape", SHAPES)
def test_watershed_in_a_mask_is_that_of_scikit_image(shape):
    seeds = scattered(shape)
    mask = filters.gaussian(np.random.default_rng(2).random(shape), 2) > 0.5
    image = random_image("8 bits", shape, seeds)
    expected = segmentation.watershed(image, seeds, mask=mask)
    assert np.array_equal(watershed(image, seeds, mask), expected)


@as_in_newer
def test_watershed_of_a_large_picture_is_that_of_scikit_image():
    """Most values share one bucket, and hundreds of thousands of voxels are a few levels."""
    seeds = scattered((700, 700))
    for kind in ("skewed", "few floats"):
        image = random_image(kind, seeds.shape, seeds)
        assert np.array_equal(watershed(image, seeds), segmentation.watershed(image, seeds))


def test_labels_of_the_mask_are_not_crossed():
    seeds = np.zeros((3, 8), np.int32)
    seeds[1, 1] = 5
    mask = np.repeat([[1, 1, 1, 1, 2, 2, 2, 2]], 3, axis=0)
    assert np.array_equal(watershed(np.zeros((3, 8)), seeds, mask), np.where(mask == 1, 5, 0))


def test_negative_markers_are_kept_and_block():
    seeds = np.zeros((1, 9), np.int32)
    seeds[0, 1], seeds[0, 4] = 3, -1
    assert watershed(np.zeros((1, 9)), seeds).tolist() == [[3, 3, 3, 3, -1, 0, 0, 0, 0]]


def test_compactness_counts_physical_distance():
    """On a flat image a very compact watershed is a Voronoi diagram."""
    spacing = (3.0, 1.0)
    seeds = scattered((20, 60), 8)
    found = watershed(np.zeros((20, 60)), seeds, compactness=100, spacing=spacing)
    places = np.argwhere(seeds)
    grid = np.indices((20, 60)).reshape(2, -1).T
    away = np.linalg.norm((grid[:, None] - places) * spacing, axis=2)
    nearest = np.sort(away, axis=1)
    clear = (nearest[:, 1] - nearest[:, 0] > 1e-6).reshape(20, 60)
    expected = seeds[tuple(places[away.argmin(axis=1)].T)].reshape(20, 60)
    assert np.mean(found[clear] == expected[clear]) > 0.99


@settings(max_examples=15, deadline=None)
@given(
    arrays(np.float64, (7, 8), elements=st.floats(0, 1)),
    st.lists(st.integers(0, 55), min_size=1, max_size=6, unique=True),
)
def test_each_region_is_connected_and_holds_its_seed(image, places):
    seeds = np.zeros((7, 8), np.int32)
    seeds.flat[places] = np.arange(1, len(places) + 1)
    found = watershed(image, seeds)
    assert (found > 0).all()
    assert np.array_equal(found[seeds > 0], seeds[seeds > 0])
    for label in np.unique(found):
        assert ndi.label(found == label)[1] == 1


def test_seeds_meet_on_the_edge_of_a_step():
    image = np.zeros((20, 40))
    image[:, 25:] = 5
    seeds = np.zeros(image.shape, np.int32)
    seeds[10, 2], seeds[10, 37] = 1, 2
    assert np.array_equal(seeded_watershed(image, seeds, sigma=0.5), np.where(image == 5, 2, 1))


def test_an_edge_in_one_channel_is_enough():
    image = np.zeros((4, 20, 40))
    image[2, :, 25:] = 5
    seeds = np.zeros((20, 40), np.int32)
    seeds[10, 2], seeds[10, 37] = 1, 2
    found = seeded_watershed(image, seeds, sigma=0.5, channel_axis=0)
    assert np.array_equal(found, np.where(image[2] == 5, 2, 1))


@pytest.mark.parametrize(("landscape", "border"), [("bright", 9.0), ("dark", -9.0)])
def test_seeds_meet_on_a_border_line(landscape, border):
    image = np.zeros((20, 40))
    image[:, 12] = border
    seeds = np.zeros(image.shape, np.int32)
    seeds[10, 2], seeds[10, 37] = 1, 2
    found = seeded_watershed(image, seeds, landscape, sigma=0)
    assert (found[:, :12] == 1).all()
    assert (found[:, 13:] == 2).all()


def test_regions_follow_real_edges_better_than_blocks_do():
    """The strongest edges of a photograph lie on borders between regions."""
    image = data.camera()[::2, ::2]
    edges = filters.sobel(image)
    strong = edges > np.quantile(edges, 0.97)
    blocks = compact_watershed(image, 400, compactness=100)
    regions = compact_watershed(image, 400, compactness=0.001)
    recall = [
        segmentation.find_boundaries(labels, mode="thick")[strong].mean()
        for labels in (blocks, regions)
    ]
    assert recall[1] > 2 * recall[0]


@pytest.mark.parametrize("n_segments", [1, 50, 400])
def test_about_as_many_regions_come_out_as_wanted(n_segments):
    found = compact_watershed(np.random.default_rng(0).random((90, 120)), n_segments)
    assert 0.8 * n_segments <= found.max() <= 1.25 * n_segments


def test_basins_are_regions_where_no_number_is_given():
    """Four flat squares have four basins."""
    image = np.kron([[0, 3], [6, 9]], np.ones((20, 20)))
    found = compact_watershed(image, 0, compactness=0, sigma=1, depth=0.05)
    expected = np.kron([[1, 2], [3, 4]], np.ones((20, 20), int))
    inner = np.ones(image.shape, bool)
    inner[18:22] = inner[:, 18:22] = False
    pairs = set(zip(found[inner].tolist(), expected[inner].tolist(), strict=True))
    assert len(pairs) == 4
    assert found.max() == 4


def test_even_seeds_are_equally_far_apart_in_physical_units():
    places = np.argwhere(even_seeds((10, 100, 100), 40, (10, 1, 1))) * (10, 1, 1)
    gaps = [np.diff(np.unique(axis)).min() for axis in places.T]
    assert max(gaps) / min(gaps) < 1.5


def test_cancel_stops_within_a_call():
    calls = itertools.count()
    with running(should_stop=lambda: next(calls) > 1), pytest.raises(Cancelled):
        watershed(np.zeros((700, 700)), scattered((700, 700)))


def test_no_seeds_are_refused():
    with pytest.raises(InputError, match="mark at least one label"):
        seeded_watershed(np.zeros((5, 5)), np.zeros((5, 5), int))
