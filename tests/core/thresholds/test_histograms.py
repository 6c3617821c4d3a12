"""Every voxel is counted once, however the image comes."""

import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.exposure import histogram as skimage_histogram

from napari_seedbed.core import blocks_histogram, image_histogram, running
from napari_seedbed.core.thresholds.histograms import histogram_over
from napari_seedbed.errors import Cancelled, InputError

INTEGERS = ("u1", "i1", "u2", "i2", ">u2", "u4", "i4", "u8", "i8")


@pytest.mark.parametrize("dtype", INTEGERS)
def test_each_whole_number_is_counted(rng, dtype):
    limits = np.iinfo(np.dtype(dtype))
    low, high = max(limits.min, -3000), min(limits.max, 60000)
    image = rng.integers(low, high + 1, (40, 50)).astype(dtype)
    found = image_histogram(image)
    values, counts = np.unique(image, return_counts=True)
    there = found.counts > 0
    assert np.array_equal(found.values[there], values)
    assert np.array_equal(found.counts[there], counts)
    assert found.mean == sum(image.ravel().tolist()) / image.size


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f4", "f8"])
def test_bins_of_floats_are_those_of_numpy(rng, dtype):
    image = rng.gamma(2, 30, (60, 70)).astype(dtype)
    found = image_histogram(image, bins=256)
    counts, edges = np.histogram(image.astype(np.float64), 256)
    # A value on an edge may go either way.
    assert np.abs(found.counts - counts).sum() <= 2
    np.testing.assert_allclose(found.values, (edges[1:] + edges[:-1]) / 2, rtol=1e-12)
    assert found.mean == pytest.approx(image.astype(np.float64).mean(), rel=1e-12)


def test_integers_far_apart_are_counted_in_bins(rng):
    image = rng.integers(0, 2**32, (50, 60), dtype=np.uint32)
    found = image_histogram(image)
    assert not found.is_exact
    assert found.counts.sum() == image.size
    assert (found.low, found.high) == (image.min(), image.max())


@given(seed=st.integers(0, 999), cuts=st.lists(st.integers(1, 39), max_size=4, unique=True))
def test_blocks_are_counted_as_the_whole(seed, cuts):
    rng = np.random.default_rng(seed)
    for dtype in ("u1", "u2", "i4", "f4", "f8"):
        image = (rng.random((40, 9)) * 200).astype(dtype)
        whole = image_histogram(image)
        found = blocks_histogram(lambda image=image: np.split(image, sorted(cuts)))
        assert np.array_equal(found.counts, whole.counts)
        assert np.array_equal(found.values, whole.values)
        assert found.mean == pytest.approx(whole.mean, rel=1e-12)


def test_parts_that_are_counted_side_by_side_add_up(rng):
    image = rng.integers(0, 300, (33, 700, 701), dtype=np.uint16)
    counts = image_histogram(image).counts
    assert np.array_equal(counts, np.bincount(image.ravel())[image.min() :])
    part = image.transpose(2, 0, 1)[::2]
    assert image_histogram(part).counts.sum() == part.size


def test_no_more_is_read_than_needed():
    asked = []

    def blocks(dtype):
        for n in range(3):
            asked.append(n)
            yield np.full((4, 4), n, dtype)

    blocks_histogram(lambda: blocks(np.uint16))
    short = len(asked)
    asked.clear()
    blocks_histogram(lambda: blocks(np.float32))
    assert short == 3
    assert len(asked) == 3 + 3


def test_coarse_bins_are_those_of_scikit_image(rng):
    image = rng.normal(0, 3, (80, 90))
    coarse = image_histogram(image).coarse()
    counts, centres = skimage_histogram(image, 256)
    assert np.abs(coarse.counts - counts).sum() <= 2
    np.testing.assert_allclose(coarse.values, centres, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", ["u2", "f8"])
def test_all_voxels_lie_between_the_edges_of_their_counts(rng, dtype):
    image = (rng.random((50, 60)) * 5000).astype(dtype)
    found = image_histogram(image)
    expected, _ = np.histogram(image, found.edges)
    assert np.abs(found.counts - expected).sum() <= 2
    assert found.counts.sum() == image.size


@pytest.mark.parametrize("value", [7, -1e300, 1.7e308])
def test_one_grey_value_is_known_to_be_one(value):
    found = image_histogram(np.full((3, 4), value))
    assert found.is_constant
    assert found.mean == value
    assert found.counts.tolist() == [12]
    assert found.edges[0] <= value <= found.edges[1]


@pytest.mark.parametrize("place", [0, 3])
def test_value_that_is_not_finite_is_refused(place):
    image = np.zeros(4)
    image[place] = np.inf
    with pytest.raises(InputError, match="NaN or infinite"):
        image_histogram(image)


def test_mask_blocks_of_two_types_and_nothing_are_refused():
    with pytest.raises(InputError, match="mask"):
        image_histogram(np.eye(3, dtype=bool))
    with pytest.raises(InputError, match="types"):
        blocks_histogram(lambda: [np.zeros(3, np.uint8), np.zeros(3)])
    with pytest.raises(InputError, match="empty"):
        blocks_histogram(list)


def test_counting_stops_when_asked():
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        image_histogram(np.zeros((4, 4), np.uint8))


def test_counts_of_blocks_are_not_kept(rng):
    """A million values take 8 MB a block, whose number has no bound."""
    blocks = rng.integers(-500, 400_000, (30, 20, 30), np.int32)
    counts = []

    def over(function):
        for block in blocks:
            found = function(block)
            if isinstance(found, np.ndarray):
                counts.append(weakref.ref(found))
                assert sum(one() is not None for one in counts) <= 3
            yield found

    found = histogram_over(over)
    values, numbers = np.unique(blocks, return_counts=True)
    np.testing.assert_array_equal(found.values[found.counts > 0], values)
    np.testing.assert_array_equal(found.counts[found.counts > 0], numbers)
    assert len(counts) == len(blocks)
