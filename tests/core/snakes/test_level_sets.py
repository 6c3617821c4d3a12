"""The classical Chan-Vese level set against scikit-image's, and in three dimensions."""

import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage.segmentation import chan_vese as skimage_chan_vese

from napari_seedbed.core.progress import running
from napari_seedbed.core.snakes.level_sets import chan_vese, evolve_level_set
from napari_seedbed.core.snakes.stop_reasons import CONVERGED, LIMIT
from napari_seedbed.errors import Cancelled, InputError


def soft_image(shape=(60, 70), dtype=np.float64):
    image = ndi.gaussian_filter(np.random.default_rng(0).random(shape), 3)
    return (1000 * image).astype(dtype)


def ball(shape, centre, radius, spacing=(1, 1, 1)):
    grid = np.indices(shape)
    square = sum(((g - c) * h) ** 2 for g, c, h in zip(grid, centre, spacing, strict=True))
    return square < radius**2


def dice(result, truth):
    return 2 * (result & truth).sum() / (result.sum() + truth.sum())


@pytest.mark.parametrize("init", ["checkerboard", "disk", "small disk"])
@pytest.mark.parametrize("options", [{}, {"mu": 0.1, "dt": 1.0}, {"lambda1": 1.5, "mu": 0.5}])
def test_equals_scikit_image(init, options):
    image = soft_image()
    expected = skimage_chan_vese(
        image, max_num_iter=60, tol=1e-3, init_level_set=init, extended_output=True, **options
    )
    result = chan_vese(
        image, max_num_iter=60, tol=1e-3, init_level_set=init, extended_output=True, **options
    )
    np.testing.assert_allclose(result[1], expected[1], atol=1e-8)
    np.testing.assert_array_equal(result[0], expected[0])
    np.testing.assert_allclose(result[2], expected[2], rtol=1e-9)


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "f8"])
def test_types_as_in_scikit_image(dtype):
    image = soft_image(dtype=dtype)
    expected = skimage_chan_vese(image, max_num_iter=30, extended_output=True)[1]
    result = chan_vese(image, max_num_iter=30, extended_output=True)[1]
    assert result.dtype == expected.dtype
    np.testing.assert_allclose(result, expected, atol=2e-3 if dtype == "f4" else 1e-8)


def test_an_array_to_begin_with():
    image = soft_image()
    start = np.cos(np.arange(70) / 9) * np.ones((60, 1))
    expected = skimage_chan_vese(image, max_num_iter=20, init_level_set=start)
    np.testing.assert_array_equal(chan_vese(image, max_num_iter=20, init_level_set=start), expected)


def test_a_stack_of_equal_slices_gives_what_one_slice_gives():
    image = soft_image((40, 50))
    start = np.cos(np.arange(50) / 9) * np.ones((40, 1))
    flat = chan_vese(image, max_num_iter=30, init_level_set=start, extended_output=True)[1]
    stack = np.repeat(image[np.newaxis], 5, axis=0)
    starts = np.repeat(start[np.newaxis], 5, axis=0)
    deep = chan_vese(stack, max_num_iter=30, init_level_set=starts, extended_output=True)[1]
    # Along z nothing changes: there the level set is only held where it is, and moves more slowly.
    assert np.ptp(deep, axis=0).max() < 1e-9
    assert np.corrcoef(deep[2].ravel(), flat.ravel())[0, 1] > 0.9


def test_axes_are_alike():
    image = soft_image((20, 24, 28))
    result = chan_vese(image, max_num_iter=20, init_level_set="disk", extended_output=True)[1]
    turned = chan_vese(
        image.transpose(2, 0, 1), max_num_iter=20, init_level_set="disk", extended_output=True
    )[1]
    np.testing.assert_allclose(turned, result.transpose(2, 0, 1), atol=1e-9)


def test_finds_a_noisy_ball():
    truth = ball((30, 32, 34), (14, 16, 17), 9)
    image = truth + 0.3 * np.random.default_rng(0).normal(size=truth.shape)
    result = chan_vese(image, mu=0.1, init_level_set="disk")
    assert dice(result, truth) > 0.99


def test_thick_slices_are_not_smoothed_as_thin_ones():
    spacing = (4, 1, 1)
    truth = ball((9, 40, 40), (4, 20, 20), 13, spacing)
    image = truth + 0.3 * np.random.default_rng(0).normal(size=truth.shape)
    options = {"mu": 0.1, "init_level_set": "disk", "max_num_iter": 300, "tol": 1e-5}
    assert dice(chan_vese(image, spacing=spacing, **options), truth) > 0.97
    assert dice(chan_vese(image, **options), truth) < 0.9


def test_spacing_is_a_unit_of_mu():
    image = soft_image((20, 30))
    options = {"max_num_iter": 15, "extended_output": True, "init_level_set": "disk"}
    result = chan_vese(image, mu=0.5, spacing=(2, 2), **options)[1]
    assert not np.allclose(result, chan_vese(image, mu=0.5, **options)[1])
    uniform = chan_vese(image, mu=0.5, spacing=(1, 1), **options)[1]
    np.testing.assert_array_equal(uniform, chan_vese(image, mu=0.5, **options)[1])


def test_channels_count_together():
    shape = (40, 50)
    image = np.zeros((*shape, 2))
    image[:20, 25:, 0] = image[20:, 25:, 1] = 1
    image += 0.05 * np.random.default_rng(0).random(image.shape)
    # Where a level set is flat it hardly moves.
    start = (np.arange(50) - 20) / 25 * np.ones((40, 1))
    result = chan_vese(image, mu=0.05, init_level_set=start, channel_axis=-1)
    assert (result != (np.arange(50) >= 25)).mean() < 0.02
    one = soft_image()
    np.testing.assert_array_equal(
        chan_vese(one, max_num_iter=10),
        chan_vese(np.stack([one, one]), max_num_iter=10, channel_axis=0),
    )


def test_states_say_why_it_ends():
    states = list(evolve_level_set(soft_image(), tol=0.0, max_num_iter=4))
    assert [s.iteration for s in states] == [0, 1, 2, 3, 4]
    assert [s.reason for s in states] == [None] * 4 + [LIMIT]
    settled = list(evolve_level_set(soft_image(), tol=0.05, max_num_iter=500))
    assert settled[-1].reason == CONVERGED
    assert settled[-1].change <= 0.05


def test_it_can_be_cancelled():
    asked = iter([False] * 5 + [True] * 99)
    with running(should_stop=asked.__next__), pytest.raises(Cancelled):
        chan_vese(soft_image())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"init_level_set": "square"}, "init_level_set is 'square'"),
        ({"init_level_set": np.ones((3, 3))}, "init_level_set has the shape"),
        ({"mu": -1}, "mu must be .* got -1"),
        ({"dt": 0}, "dt must be .* got 0"),
        ({"max_num_iter": 2.5}, "max_num_iter must be .* got 2.5"),
        ({"spacing": (1, 2, 3)}, "spacing"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(InputError, match=message):
        chan_vese(soft_image(), **options)
