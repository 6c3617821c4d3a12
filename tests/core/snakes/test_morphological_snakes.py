"""Morphological snakes against scikit-image's, bit for bit, and what they add to it."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp
from scipy import ndimage as ndi
from skimage.segmentation import morphsnakes

from napari_seedbed.core.progress import running
from napari_seedbed.core.snakes import bit_grids
from napari_seedbed.core.snakes.morphological_snakes import (
    evolve_chan_vese,
    evolve_geodesic,
    morphological_chan_vese,
    morphological_geodesic_active_contour,
)
from napari_seedbed.core.snakes.snake_inputs import (
    checkerboard_level_set,
    disk_level_set,
    inverse_gaussian_gradient,
)
from napari_seedbed.core.snakes.stop_reasons import CONVERGED, LIMIT, SHRUNK_AWAY
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


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(bool, hnp.array_shapes(min_dims=3, max_dims=3, max_side=70)))
def test_places_and_bounds_are_those_of_the_voxels(mask):
    bits = bit_grids.pack(mask)
    np.testing.assert_array_equal(bit_grids.places(bits), np.argwhere(mask))
    boxes = ndi.find_objects(mask.astype(np.uint8))
    assert bit_grids.bounds(bits) == (boxes[0] if boxes else None)


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
        for reach in itertools.product((0, 1), repeat=2):
            bit_grids.in_planes(bit_grids.grow, bits, n_x, flip, everywhere, *reach, out)
            box = np.ones([2 * n + 1 for n in (*reach, 1)])
            np.testing.assert_array_equal(bit_grids.unpack(out, n_x), grown(mask, box))


def two_regions():
    image = np.zeros((60, 60))
    image[20:40, 15:45] = 1
    return image


def test_evolution_ends_when_nothing_changes_and_says_so():
    states = list(evolve_chan_vese(two_regions(), "disk", num_iter=500))
    assert [state.iteration for state in states] == list(range(len(states)))
    assert len(states) < 100
    assert states[-1].reason == CONVERGED
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


# --- voxels that are no cubes -------------------------------------------------------------------

COARSE = (3.0, 1.0, 1.0)


def ball(shape, spacing, radius):
    """Return a ball in the middle that is round in the unit of the spacing."""
    away = [(np.arange(n) - (n - 1) / 2) * h for n, h in zip(shape, spacing, strict=True)]
    return sum(part**2 for part in np.ix_(*away)) <= radius**2


def flatness(mask, spacing):
    """Return how far a mask reaches along z over how far along x, 1 for a ball; 0 for nothing."""
    if not mask.any():
        return 0
    spread = np.argwhere(mask).std(axis=0) * spacing
    return spread[0] / spread[2]


def smoothed(mask, spacing, n):
    """Return a mask after smoothings alone: no image pulls, no balloon pushes."""
    flat = np.ones(mask.shape)
    return morphological_geodesic_active_contour(flat, n, mask, 1, 0.5, 0, spacing=spacing)


@pytest.mark.parametrize("spacing", [None, 2, (1, 1, 1), (0.3, 0.3, 0.3)], ids=str)
def test_voxels_that_are_cubes_of_any_size_are_those_of_scikit_image(peer, spacing):
    image = soft_image((20, 22, 70))
    expected = peer("morphological_chan_vese", image, 9, "disk", 2)
    result = morphological_chan_vese(image, 9, "disk", 2, spacing=spacing)
    np.testing.assert_array_equal(result, expected)
    edges = inverse_gaussian_gradient(image, 100, 1.5)
    name = "morphological_geodesic_active_contour"
    expected = peer(name, edges, 9, "disk", 1, "auto", 1)
    result = morphological_geodesic_active_contour(edges, 9, "disk", 1, "auto", 1, spacing=spacing)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("radius", [12, 20, 28])
def test_smoothing_keeps_a_ball_of_flat_voxels_round(radius):
    start = ball((25, 75, 75), COARSE, radius)
    with_spacing = flatness(smoothed(start, COARSE, 20), COARSE)
    without = flatness(smoothed(start, None, 20), COARSE)
    assert abs(with_spacing - 1) < 0.1
    assert abs(with_spacing - 1) < abs(without - 1)


def test_regions_of_flat_voxels_are_found_in_noise():
    truth = ball((25, 75, 75), COARSE, 28)
    image = truth + np.random.default_rng(0).normal(size=truth.shape)
    found = morphological_chan_vese(image, 100, truth, 3, spacing=COARSE)
    assert 2 * (truth & (found > 0)).sum() / (truth.sum() + found.sum()) > 0.97
    assert flatness(found, COARSE) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("spacing", [(3, 1, 1), (2.5, 1, 1), (2, 2, 1)], ids=str)
def test_a_balloon_grows_as_fast_along_coarse_axes(spacing):
    start = ball([int(121 / h) | 1 for h in spacing], spacing, 6)
    grown = morphological_geodesic_active_contour(
        np.ones(start.shape), 30, start, 1, 0.5, 1, spacing=spacing
    )
    reached = np.ptp(np.argwhere(grown), axis=0) * spacing
    assert np.ptp(reached) <= 0.2 * reached.max()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_axes_may_come_in_any_order(order):
    spacing = (3, 2, 1)
    image = soft_image((14, 20, 30), "u1")
    edges = inverse_gaussian_gradient(soft_image((14, 20, 30)), 100, 1.5)
    turned = [spacing[axis] for axis in order]
    options = {"num_iter": 30, "init_level_set": "disk"}
    for function, array, extra in (
        (morphological_chan_vese, image, {}),
        (morphological_geodesic_active_contour, edges, {"balloon": 1}),
    ):
        expected = function(array, **options, **extra, spacing=spacing)
        result = function(array.transpose(order), **options, **extra, spacing=turned)
        np.testing.assert_array_equal(result, expected.transpose(order))


def test_only_ratios_of_spacings_matter():
    image = soft_image((12, 30, 30))
    first = morphological_chan_vese(image, 30, "disk", spacing=(3, 1, 1))
    np.testing.assert_array_equal(
        morphological_chan_vese(image, 30, "disk", spacing=(0.3, 0.1, 0.1)), first
    )


def test_slopes_are_those_of_physical_units():
    # Along both axes the front feels a slope, into opposite directions: 0.03 a voxel down along x
    # and 0.1 up along y. In voxels 2 long along y the latter counts a quarter, and x wins.
    y, x = np.mgrid[:9, :9]
    edges = 0.1 * y - 0.03 * x
    start = (y >= 4) & (x >= 4)
    cubes = morphological_geodesic_active_contour(edges, 1, start, 0)
    long = morphological_geodesic_active_contour(edges, 1, start, 0, spacing=(2, 1))
    assert cubes[4, 4] == 1
    assert long[4, 4] == 0


def test_it_does_not_stop_before_a_smoothing_that_still_changes_something():
    # One plane, which smoothing in the plane leaves as it is, but not smoothing across planes.
    disc = morphsnakes.disk_level_set((40, 40), radius=9)
    for _ in range(20):
        disc = morphsnakes.inf_sup(morphsnakes.sup_inf(disc))
        disc = morphsnakes.sup_inf(morphsnakes.inf_sup(disc))
    start = np.zeros((5, 40, 40), np.int8)
    start[2] = disc
    assert start.any()
    states = list(evolve_geodesic(np.ones(start.shape), start, num_iter=100, spacing=(4, 1, 1)))
    assert all(state.changed == 0 for state in states[:16])
    assert states[16].changed > 0
    assert states[-1].reason == SHRUNK_AWAY


@pytest.mark.parametrize("spacing", [(1, 2), (1, 0, 1), (1, np.nan, 1), "coarse"], ids=str)
def test_a_bad_spacing_is_named(spacing):
    for function in (morphological_chan_vese, morphological_geodesic_active_contour):
        with pytest.raises(InputError, match="spacing"):
            function(soft_image((6, 6, 6)), 2, "disk", spacing=spacing)


def test_it_can_be_cancelled():
    stop = iter([False] * 9 + [True] * 99).__next__
    with running(should_stop=stop), pytest.raises(Cancelled):
        list(evolve_chan_vese(two_regions(), num_iter=10))


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
