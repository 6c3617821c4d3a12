"""The random walker against a direct solve, scikit-image, and properties that it must have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_walk_scenes import direct_probabilities, smooth_scene
from scipy import ndimage as ndi
from skimage.segmentation import random_walker as skimage_random_walker

from napari_seedbed.core import RandomWalker, random_walker
from napari_seedbed.core.progress import Progress
from napari_seedbed.errors import Cancelled, InputError, NotConvergedError

SCENES = [
    # shape, labels, channels, spacing, normalization, a part outside
    ((24, 24, 24), 2, 1, None, "std", False),
    ((24, 24, 24), 2, 1, None, "contrast", True),
    ((24, 24, 24), 5, 2, (3, 1, 1), "contrast", False),
    ((24, 24, 24), 5, 1, (3, 1, 1), "std", True),
    ((24, 24, 24), 30, 4, None, "contrast", True),
    ((64, 64), 2, 1, None, "std", False),
    ((64, 64), 2, 3, (1, 2), "contrast", False),
    ((64, 64), 5, 3, None, "contrast", True),
    ((64, 64), 30, 2, (1, 2), "contrast", True),
]


def scene(shape, n_labels, n_channels, spacing, normalization, outside):
    image, labels = smooth_scene(shape, n_labels, n_channels)
    if outside:
        labels[tuple(slice(9, 15) for _ in shape)] = -1
    beta = 130 if normalization == "std" else 7
    return RandomWalker(image, spacing, -1, beta, normalization), labels


@pytest.mark.parametrize(("tol", "largest_error"), [(1e-3, 5e-3), (1e-7, 1e-5)])
@pytest.mark.parametrize("case", SCENES, ids=str)
def test_probabilities_agree_with_a_direct_solve(case, tol, largest_error):
    walker, labels = scene(*case)
    walker.solve(labels, tol)
    volume = (1, *labels.shape) if labels.ndim == 2 else labels.shape
    weights = walker.edge_weights
    truth = direct_probabilities(weights, labels.reshape(volume)).reshape(-1, *labels.shape)
    inside = labels >= 0
    assert np.abs(walker.probabilities - truth)[:, inside].max() <= largest_error


@pytest.mark.parametrize("case", SCENES, ids=str)
def test_probabilities_lie_between_0_and_1_and_sum_to_1(case):
    walker, labels = scene(*case)
    walker.solve(labels)
    p = walker.probabilities
    assert p.min() >= 0
    assert p.max() <= 1
    np.testing.assert_allclose(p.sum(axis=0)[labels >= 0], 1, atol=1e-6)


@pytest.mark.parametrize("shape", [(40, 40), (16, 16, 16)])
@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.uint8, np.int16])
def test_labels_agree_with_scikit_image_on_all_but_ties(shape, n_channels, dtype):
    image, labels = smooth_scene(shape, 3, n_channels)
    if dtype != np.float64:
        image = (image / image.max() * min(np.iinfo(dtype).max, 4000)).astype(dtype)
    data, axis = (image[..., 0], None) if n_channels == 1 else (image, -1)
    ours = random_walker(data, labels, tol=1e-6, channel_axis=axis)
    full = skimage_random_walker(data, labels, mode="bf", channel_axis=axis, return_full_prob=True)
    ranked = np.sort(full, axis=0)
    clear = ranked[-1] - ranked[-2] > 1e-4
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(ours[clear], (full.argmax(axis=0) + 1)[clear])
    assert ours.dtype == labels.dtype


def test_probabilities_agree_with_scikit_image_with_spacing():
    image, labels = smooth_scene((14, 16, 18), 2)
    options = {"spacing": (2.0, 1.0, 0.5), "return_full_prob": True}
    theirs = skimage_random_walker(image[..., 0], labels, mode="bf", **options)
    ours = random_walker(image[..., 0], labels, tol=1e-6, **options)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_labels_are_renumbered_as_in_scikit_image_and_kept_by_the_class():
    image, labels = smooth_scene((20, 20), 2)
    labels[labels == 2], labels[labels == 1] = 9, 4
    labels[0, :5], labels[1, :5], labels[:2, 5] = 0, -3, -3
    theirs = skimage_random_walker(image[..., 0], labels, mode="bf")
    np.testing.assert_array_equal(random_walker(image[..., 0], labels, tol=1e-6), theirs)
    walker = RandomWalker(image[..., 0], beta=130, normalization="std")
    np.testing.assert_array_equal(walker.solve(labels, 1e-6), np.choose(theirs.clip(0), [0, 4, 9]))


@settings(max_examples=15, deadline=None)
@given(
    factor=st.floats(-1e3, 1e3).filter(lambda a: abs(a) > 1e-3),
    offset=st.floats(-1e3, 1e3),
    seed=st.integers(0, 5),
)
def test_contrast_is_invariant_to_brightness_and_gain(factor, offset, seed):
    image, labels = smooth_scene((20, 24), 3, seed=seed)
    image = image[..., 0]
    before = RandomWalker(image)
    before.solve(labels, 1e-4)
    after = RandomWalker(factor * image + offset)
    after.solve(labels, 1e-4)
    np.testing.assert_allclose(after.probabilities, before.probabilities, atol=2e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float16, ">u2"])
def test_contrast_needs_no_tuning_between_types(dtype):
    image, labels = smooth_scene((16, 20, 20), 2)
    counts = np.round(image[..., 0] / image.max() * 255)
    expected = RandomWalker(counts)
    expected.solve(labels)
    walker = RandomWalker(counts.astype(dtype))
    walker.solve(labels)
    np.testing.assert_allclose(walker.probabilities, expected.probabilities, atol=1e-3)


def test_a_repeated_channel_changes_nothing():
    image, labels = smooth_scene((20, 20), 2)
    one = RandomWalker(image[..., 0])
    three = RandomWalker(np.repeat(image, 3, axis=-1), channel_axis=-1)
    np.testing.assert_array_equal(three.solve(labels, 1e-5), one.solve(labels, 1e-5))


def test_swapping_two_labels_swaps_their_probabilities():
    image, labels = smooth_scene((16, 16, 16), 3)
    walker = RandomWalker(image[..., 0])
    walker.solve(labels, 1e-5)
    before = walker.probabilities
    walker.solve(np.choose(labels, [0, 3, 2, 1]), 1e-5, warm=False)
    np.testing.assert_allclose(walker.probabilities, before[::-1], atol=1e-4)


def test_uncertainty_is_the_normalised_entropy():
    for n_labels in (2, 4):
        image, labels = smooth_scene((20, 20), n_labels)
        walker = RandomWalker(image[..., 0])
        walker.solve(labels)
        p = np.clip(walker.probabilities.astype(float), 1e-30, 1)
        expected = -(p * np.log(p)).sum(axis=0) / np.log(n_labels)
        np.testing.assert_allclose(walker.uncertainty, expected, atol=1e-4)
        assert walker.uncertainty[labels > 0].max() < 1e-6


def two_balls(shape):
    """Return a noisy image of a bright ball in the dark, with a stroke in and one outside."""
    rng = np.random.default_rng(1)
    grid = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    image = (sum(g**2 for g in grid) < 0.3) + 0.1 * rng.standard_normal(shape)
    labels = np.zeros(shape, int)
    middle = tuple(n // 2 for n in shape)
    labels[(*middle[:-1], slice(middle[-1] - 3, middle[-1] + 4))] = 1
    labels[(*middle[:-2], 1, slice(2, -2))] = 2
    return image, labels


def strokes(walker_labels):
    """Yield seeds as they change while somebody draws: added, erased, relabelled, undone."""
    seeds = walker_labels.copy()
    seeds[3, 4:12, 10] = 2
    yield seeds
    seeds = seeds.copy()
    seeds[3, 4:12, 10] = 0
    yield seeds
    seeds = seeds.copy()
    seeds[walker_labels == 1] = 2
    seeds[10, 10, 4:9] = 1
    yield seeds
    seeds = seeds.copy()
    seeds[15, 2:8, 3] = 3
    yield seeds
    yield walker_labels


def test_warm_solves_give_the_answer_of_a_cold_one():
    image, labels = smooth_scene((20, 20, 20), 2)
    live = RandomWalker(image[..., 0])
    live.solve(labels)
    for seeds in strokes(labels):
        live.solve(seeds)
        fresh = RandomWalker(image[..., 0])
        fresh.solve(seeds, 1e-5)
        assert live.label_values == fresh.label_values
        assert np.abs(live.probabilities - fresh.probabilities).max() < 5e-3


def test_a_cold_solve_gives_the_same_bits_whatever_came_before():
    image, labels = smooth_scene((20, 20, 20), 2)
    live = RandomWalker(image[..., 0])
    for seeds in strokes(labels):
        live.solve(seeds)
        again = live.solve(seeds, warm=False)
        fresh = RandomWalker(image[..., 0])
        np.testing.assert_array_equal(again, fresh.solve(seeds))
        np.testing.assert_array_equal(live.probabilities, fresh.probabilities)


def test_a_stroke_needs_fewer_iterations_than_a_cold_solve():
    image, labels = two_balls((40, 40, 40))
    walker = RandomWalker(image)
    walker.solve(labels)
    cold = walker.iterations
    labels[20, 5, 20:26] = 2
    walker.solve(labels)
    assert walker.iterations < cold


def test_a_change_of_the_outside_is_followed():
    image, labels = smooth_scene((20, 20, 20), 2)
    walker = RandomWalker(image[..., 0])
    walker.solve(labels)
    labels[10] = np.where(labels[10] == 0, -1, labels[10])
    np.testing.assert_array_equal(walker.solve(labels), RandomWalker(image[..., 0]).solve(labels))


def test_what_no_seed_reaches_gets_no_label():
    image = np.zeros((9, 9))
    labels = np.zeros((9, 9), int)
    labels[:, 4], labels[1, 1], labels[7, 1] = -1, 1, 2
    walker = RandomWalker(image)
    result = walker.solve(labels)
    assert (result[:, 4:] == 0).all()
    assert (result[:, :4] > 0).all()
    assert (walker.probabilities[:, :, 4:] == 0).all()


def steep_weights_scene(n=28):
    """Weights from 1e-6 to 1 in a random pattern of the finest scale, hard for a solver."""
    rng = np.random.default_rng(3)
    image = ndi.gaussian_filter(rng.random((n, n, n)), 0.7)
    labels = np.zeros(image.shape, int)
    labels[n // 2, n // 2, n // 2 : n // 2 + 3], labels[2, 2:-2, 2] = 1, 2
    walker = RandomWalker(image, beta=12)
    assert np.percentile(walker.edge_weights[2][..., :-1], 10) < 1.1e-6
    assert walker.edge_weights[2].max() > 0.99
    return walker, labels


def test_strong_contrast_is_solved_right():
    walker, labels = steep_weights_scene(20)
    walker.solve(labels)
    truth = direct_probabilities(walker.edge_weights, labels)
    assert np.abs(walker.probabilities - truth).max() <= 5e-3


@pytest.mark.parametrize("case", SCENES, ids=str)
def test_a_hierarchy_built_around_the_seeds_gives_the_same_probabilities(case, monkeypatch):
    walker, labels = scene(*case)
    walker.solve(labels)
    weights = [w.copy() for w in walker.edge_weights]
    monkeypatch.setattr("napari_seedbed.core.walker.random_walks.PATIENCE", 0)
    told: list[Progress] = []
    walker.solve(labels, report=told.append, warm=False)
    assert any("closer" in progress.message for progress in told)
    for before, after in zip(weights, walker.edge_weights, strict=True):
        np.testing.assert_array_equal(after, before)
    volume = (1, *labels.shape) if labels.ndim == 2 else labels.shape
    truth = direct_probabilities(walker.edge_weights, labels.reshape(volume))
    error = np.abs(walker.probabilities - truth.reshape(-1, *labels.shape))
    assert error[:, labels >= 0].max() <= 5e-3


def test_what_does_not_converge_says_so(monkeypatch):
    monkeypatch.setattr("napari_seedbed.core.walker.multigrid.MAX_ITERATIONS", 1)
    walker, labels = steep_weights_scene()
    with pytest.raises(NotConvergedError, match="larger tol"):
        walker.solve(labels)
    assert walker.labels is None


def test_progress_rises_to_1_and_the_preview_comes_first():
    image, labels = two_balls((40, 30, 20))
    walker = RandomWalker(image)
    told: list[Progress] = []
    result = walker.solve(labels, report=told.append, view=(0, 20))
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    shown = [n for n, progress in enumerate(told) if progress.preview is not None]
    assert len(shown) == 1
    preview = told[shown[0]].preview
    assert shown[0] <= 1
    assert preview.labels.shape == (30, 20)
    assert (preview.labels == result[20]).mean() > 0.95


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_preview_after_a_stroke_is_close_to_the_result(axis):
    image, labels = two_balls((32, 32, 32))
    walker = RandomWalker(image)
    walker.solve(labels, report=lambda progress: None, view=(axis, 16))
    labels[16, 5:7, 10:14] = 2
    told: list[Progress] = []
    result = walker.solve(labels, report=told.append, view=(axis, 16))
    preview = next(p.preview for p in told if p.preview is not None)
    assert (preview.labels == np.take(result, 16, axis=axis)).mean() > 0.97


def test_the_preview_of_a_2d_image_is_the_whole_image():
    image, labels = two_balls((50, 40))
    told: list[Progress] = []
    result = RandomWalker(image).solve(labels, report=told.append, view=(0, 0))
    preview = next(p.preview for p in told if p.preview is not None)
    assert preview.labels.shape == (50, 40)
    assert (preview.labels == result).mean() > 0.95


def test_labels_solved_one_after_the_other_have_a_preview_too(monkeypatch):
    monkeypatch.setattr("napari_seedbed.core.walker.random_walks.GROUP_BYTES", 0)
    image, labels = two_balls((30, 30, 30))
    labels[15, 5, 5:25] = 3
    told: list[Progress] = []
    result = RandomWalker(image).solve(labels, report=told.append, view=(0, 15))
    preview = next(p.preview for p in told if p.preview is not None)
    assert (preview.labels == result[15]).mean() > 0.9


def test_many_labels_in_groups_agree_with_all_at_once(monkeypatch):
    image, labels = smooth_scene((20, 20, 20), 12)
    walker = RandomWalker(image[..., 0])
    expected = walker.solve(labels, 1e-5)
    probabilities, uncertainty = walker.probabilities, walker.uncertainty
    monkeypatch.setattr("napari_seedbed.core.walker.random_walks.GROUP_BYTES", 1 << 19)
    monkeypatch.setattr("napari_seedbed.core.walker.label_solutions.KEPT_BYTES", 0)
    grouped = RandomWalker(image[..., 0])
    np.testing.assert_array_equal(grouped.solve(labels, 1e-5), expected)
    np.testing.assert_allclose(grouped.uncertainty, uncertainty, atol=1e-4)
    np.testing.assert_allclose(grouped.probabilities, probabilities, atol=1e-4)


@pytest.mark.parametrize("after", [0, 3, 10, 40])
def test_stopping_raises_cancelled_and_keeps_the_last_result(after):
    image, labels = smooth_scene((30, 30, 30), 2)
    walker = RandomWalker(image[..., 0])
    asked = 0

    def should_stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > after

    with pytest.raises(Cancelled):
        walker.solve(labels, should_stop=should_stop)
    np.testing.assert_array_equal(walker.solve(labels), RandomWalker(image[..., 0]).solve(labels))


BAD_INPUT = [
    (lambda i, s: (i, s * 0), "No seeds"),
    (lambda i, s: (i, s[1:]), "shape"),
    (lambda i, s: (i, s + 0.5), "whole numbers"),
    (lambda i, s: (np.where(i > i.mean(), np.nan, i), s), "NaN"),
    (lambda i, s: (np.where(i > i.mean(), np.inf, i), s), "infinite"),
    (lambda i, s: (i * 1j, s), "complex"),
    (lambda i, s: (i[:0], s[:0]), "empty"),
    (lambda i, s: (i[0, 0], s[0, 0]), "spatial axes"),
]


@pytest.mark.parametrize(("spoil", "words"), BAD_INPUT, ids=[words for _, words in BAD_INPUT])
def test_bad_input_is_named(spoil, words):
    image, labels = smooth_scene((8, 9, 10), 2)
    with pytest.raises(InputError, match=words):
        random_walker(*spoil(image[..., 0], labels))


@pytest.mark.parametrize(
    "options",
    [{"beta": -1}, {"beta": "x"}, {"tol": 0}, {"mode": "fast"}, {"spacing": (1, 1)},
     {"channel_axis": 7}, {"normalization": "none"}],
    ids=str,
)  # fmt: skip
def test_bad_parameters_are_named(options):
    image, labels = smooth_scene((8, 9, 10), 2)
    with pytest.raises(InputError, match=next(iter(options))):
        random_walker(image[..., 0], labels, **options)


@pytest.mark.parametrize("normalization", ["std", "contrast"])
def test_a_constant_image_is_split_half_way(normalization):
    labels = np.zeros((21, 5), int)
    labels[0], labels[-1] = 1, 2
    walker = RandomWalker(np.full((21, 5), 7.0), normalization=normalization)
    walker.solve(labels, 1e-6)
    ramp = np.linspace(1, 0, 21)[:, np.newaxis] * np.ones(5)
    np.testing.assert_allclose(walker.probabilities[0], ramp, atol=1e-4)


@pytest.mark.parametrize("shape", [(1, 30), (30, 1), (1, 12, 14), (12, 1, 14), (12, 14, 1)])
def test_axes_of_one_pixel_work(shape):
    image = np.linspace(0, 1, int(np.prod(shape))).reshape(shape)
    labels = np.zeros(shape, int)
    labels.flat[0], labels.flat[-1] = 1, 2
    squeezed = RandomWalker(np.squeeze(image)) if np.squeeze(image).ndim > 1 else None
    result = RandomWalker(image).solve(labels, 1e-5)
    assert set(np.unique(result)) == {1, 2}
    if squeezed is not None:
        np.testing.assert_array_equal(np.squeeze(result), squeezed.solve(np.squeeze(labels), 1e-5))
