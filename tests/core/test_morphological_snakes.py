"""Morphological snakes against scikit-image's, bit for bit, and what they add to it."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp
from scipy import ndimage as ndi
from skimage.segmentation import morphsnakes

from napari_seedbed.core import bit_grids
from napari_seedbed.core.morphological_snakes import (
    evolve_chan_vese,
    evolve_geodesic,
    morphological_chan_vese,
    morphological_geodesic_active_contour,
)
from napari_seedbed.core.snake_inputs import (
    checkerboard_level_set,
    disk_level_set,
    inverse_gaussian_gradient,
)
from napari_seedbed.core.stop_reasons import LIMIT, SETTLED, SHRUNK_AWAY
from napari_seedbed.errors import Cancelled, InputError

# Widths on both sides of a word's 64 voxels, and short axes.
SHAPES = [(40, 50), (33, 130), (2, 70), (20, 22, 70), (9, 64, 65), (3, 2, 64)]


@pytest.fixture
def peer(monkeypatch):
    """Let scikit-image smooth as in a fresh process: its operators remember their turn."""

    def run(function, *args, **options):
        both = [
            lambda u: morphsnakes.sup_inf(morphsnakes.inf_sup(u)),
            lambda u: morphsnakes.inf_sup(morphsnakes.sup_inf(u)),
        ]
        monkeypatch.setattr(morphsnakes._curvop, "funcs", itertools.cycle(both))
        return getattr(morphsnakes, function)(*args, **options)

    return run


def soft_image(shape, dtype=np.float64):
    image = ndi.gaussian_filter(np.random.default_rng(0).random(shape), 2)
    image = (image - image.min()) / np.ptp(image)
    return image.astype(dtype) if np.dtype(dtype).kind == "f" else (200 * image).astype(dtype)


@pytest.mark.parametrize("smoothing", range(5))
@pytest.mark.parametrize("init", ["checkerboard", "disk"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_chan_vese_equals_scikit_image(peer, shape, init, smoothing):
    image = soft_image(shape)
    expected = peer("morphological_chan_vese", image, 9, init, smoothing, 1, 1.3)
    result = morphological_chan_vese(image, 9, init, smoothing, 1, 1.3)
    assert result.dtype == np.int8
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f4", "?"])
def test_chan_vese_equals_scikit_image_for_all_types(peer, dtype):
    image = soft_image((60, 80)) > 0.5 if dtype == "?" else soft_image((60, 80), dtype)
    expected = peer("morphological_chan_vese", image, 30)
    np.testing.assert_array_equal(morphological_chan_vese(image, 30), expected)


def test_means_so_close_that_rounding_matters_are_summed_as_in_scikit_image(peer):
    # Many voxels lie exactly between the means of inside and outside.
    rng = np.random.default_rng(0)
    image = rng.choice(np.array([0.1, 0.2, 0.3], np.float32), (60, 70))
    for n in (1, 2, 5):
        expected = peer("morphological_chan_vese", image, n, "checkerboard", 0)
        result = morphological_chan_vese(image, n, "checkerboard", 0)
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("smoothing", [0, 1, 2, 4])
@pytest.mark.parametrize("balloon", [-1, 0, 0.5, 2])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_geodesic_contours_equal_scikit_image(peer, shape, balloon, smoothing):
    edges = inverse_gaussian_gradient(soft_image(shape), 100, 1.5)
    name = "morphological_geodesic_active_contour"
    expected = peer(name, edges, 9, "disk", smoothing, "auto", balloon)
    result = morphological_geodesic_active_contour(edges, 9, "disk", smoothing, "auto", balloon)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("threshold", [0.3, "auto"])
def test_geodesic_contours_equal_scikit_image_for_types_and_thresholds(peer, dtype, threshold):
    edges = inverse_gaussian_gradient(soft_image((60, 80), dtype), 100, 1.5)
    name = "morphological_geodesic_active_contour"
    start = checkerboard_level_set((60, 80), 9)
    expected = peer(name, edges, 40, start, 1, threshold, 1)
    result = morphological_geodesic_active_contour(edges, 40, start, 1, threshold, 1)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_starting_shapes_and_edge_map_equal_scikit_image(peer, shape):
    np.testing.assert_array_equal(disk_level_set(shape), peer("disk_level_set", shape))
    middle, radius = tuple(range(len(shape))), 3.5
    np.testing.assert_array_equal(
        disk_level_set(shape, center=middle, radius=radius),
        peer("disk_level_set", shape, center=middle, radius=radius),
    )
    np.testing.assert_array_equal(
        checkerboard_level_set(shape, 3), peer("checkerboard_level_set", shape, 3)
    )
    image = soft_image(shape)
    np.testing.assert_array_equal(
        inverse_gaussian_gradient(image, 50, 2), peer("inverse_gaussian_gradient", image, 50, 2)
    )


def test_the_callback_sees_every_state(peer):
    image, ours, theirs = soft_image((40, 50)), [], []
    peer("morphological_chan_vese", image, 60, iter_callback=lambda u: theirs.append(u.copy()))
    morphological_chan_vese(image, 60, iter_callback=ours.append)
    assert len(ours) == 61
    np.testing.assert_array_equal(ours, theirs)


def test_calls_do_not_remember_each_other():
    image = soft_image((40, 50))
    first = morphological_chan_vese(image, 5)
    morphological_chan_vese(image, 1)
    np.testing.assert_array_equal(morphological_chan_vese(image, 5), first)


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(bool, hnp.array_shapes(min_dims=3, max_dims=3, max_side=70)))
def test_packing_loses_nothing(mask):
    np.testing.assert_array_equal(bit_grids.unpack(bit_grids.pack(mask), mask.shape[2]), mask)


@settings(max_examples=30, deadline=None)
@given(hnp.arrays(bool, hnp.array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=67)))
def test_operators_on_words_equal_those_on_voxels(mask):
    bits, out = bit_grids.pack(mask), bit_grids.pack(mask)
    n_x = mask.shape[2]
    for flip, peer_op, grown in (
        (np.uint64(0), morphsnakes.inf_sup, ndi.binary_dilation),
        (~np.uint64(0), morphsnakes.sup_inf, ndi.binary_erosion),
    ):
        bit_grids.in_planes(bit_grids.curve_3d, bits, n_x, flip, out)
        np.testing.assert_array_equal(bit_grids.unpack(out, n_x), peer_op(mask))
        bit_grids.in_planes(bit_grids.curve_2d, bits, n_x, flip, out)
        for plane, words in zip(mask, out, strict=True):
            found = bit_grids.unpack(words[np.newaxis], n_x)[0]
            np.testing.assert_array_equal(found, peer_op(plane))
        everywhere = bit_grids.pack(np.ones_like(mask))
        bit_grids.in_planes(bit_grids.grow, bits, n_x, flip, everywhere, out)
        np.testing.assert_array_equal(bit_grids.unpack(out, n_x), grown(mask, np.ones((3, 3, 3))))


def two_regions():
    image = np.zeros((60, 60))
    image[20:40, 15:45] = 1
    return image


def test_evolution_ends_when_nothing_changes_and_says_so():
    states = list(evolve_chan_vese(two_regions(), "disk", num_iter=500))
    assert [state.iteration for state in states] == list(range(len(states)))
    assert len(states) < 100
    assert states[-1].reason == SETTLED
    assert states[-1].changed == 0
    assert all(state.reason is None for state in states[:-1])
    # What is inside is the rectangle, but for its rounded corners.
    assert (states[-1].level_set != two_regions()).sum() <= 12


def test_evolution_ends_at_the_limit_and_where_all_has_gone():
    states = list(evolve_chan_vese(two_regions(), "disk", num_iter=3))
    assert states[-1].iteration == 3
    assert states[-1].reason == LIMIT
    flat = np.ones((40, 40))
    gone = list(evolve_geodesic(flat, "disk", num_iter=100, threshold=0.5, balloon=-1))
    assert gone[-1].reason == SHRUNK_AWAY
    assert not gone[-1].level_set.any()


def test_changed_is_the_fraction_of_voxels_that_differ_from_the_state_before():
    states = list(evolve_geodesic(soft_image((30, 40)), "disk", num_iter=5, balloon=1))
    for before, after in itertools.pairwise(states):
        assert after.changed == np.mean(before.level_set != after.level_set)


def test_channels_count_together():
    shape = (40, 50)
    # Neither channel alone tells the left part from the right one everywhere.
    image = np.zeros((*shape, 2))
    image[:20, 25:, 0] = image[20:, 25:, 1] = 1
    image += 0.05 * np.random.default_rng(0).random(image.shape)
    start = disk_level_set(shape, center=(20, 35), radius=10)
    result = morphological_chan_vese(image, 60, start, channel_axis=-1)
    truth = np.zeros(shape)
    truth[:, 25:] = 1
    assert (result != truth).mean() < 0.02
    moved = morphological_chan_vese(np.moveaxis(image, -1, 0), 60, start, channel_axis=0)
    np.testing.assert_array_equal(moved, result)


def test_it_can_be_cancelled():
    states = evolve_chan_vese(
        two_regions(), num_iter=10, should_stop=iter([False] * 9 + [True] * 99).__next__
    )
    with pytest.raises(Cancelled):
        list(states)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda im: morphological_chan_vese(im, 5, "square"), "init_level_set is 'square'"),
        (
            lambda im: morphological_chan_vese(im, 5, np.ones((3, 3))),
            "init_level_set has the shape",
        ),
        (lambda im: morphological_chan_vese(im, -1), "num_iter must be .* got -1"),
        (lambda im: morphological_chan_vese(im, 5, smoothing=0.5), "smoothing must be .* got 0.5"),
        (lambda im: morphological_chan_vese(im, 5, lambda1=-1), "lambda1 must be .* got -1"),
        (lambda im: morphological_chan_vese(im[0], 5), "image has 1 spatial axes"),
        (lambda im: morphological_chan_vese(np.where(im > 0.9, np.nan, im), 5), "NaN"),
        (lambda im: morphological_geodesic_active_contour(im, 5, threshold="low"), "threshold is"),
        (lambda im: morphological_geodesic_active_contour(im, 5, balloon=np.inf), "balloon is"),
        (lambda im: checkerboard_level_set(im.shape, 0), "square_size is 0"),
        (lambda im: disk_level_set(im.shape, center=(1,)), "center has 1"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(InputError, match=message):
        call(soft_image((20, 30)))
