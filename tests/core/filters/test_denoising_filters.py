"""Denoising against scikit-image, and on a scene whose truth is known."""

import itertools

import numpy as np
import pytest
from skimage import restoration

from napari_seedbed.core import (
    background,
    bilateral,
    difference_of_gaussians,
    non_local_means,
    subtract_background,
    total_variation,
    unsharp_mask,
    wavelet,
)
from napari_seedbed.core.boxes import widened
from napari_seedbed.core.filters.denoising_filters import NOISE_REACH, noise_level, noise_over
from napari_seedbed.errors import InputError

TRUTH = np.zeros((64, 72))
TRUTH[16:48, 20:50] = 100
DENOISERS = pytest.mark.parametrize(
    "denoise",
    [
        lambda a: bilateral(a, 2, 30),
        total_variation,
        non_local_means,
        wavelet,
    ],
    ids=["bilateral", "total_variation", "non_local_means", "wavelet"],
)


@pytest.fixture
def noisy(rng):
    return TRUTH + rng.normal(0, 10, TRUTH.shape)


@DENOISERS
def test_noise_is_less_than_half_and_the_box_still_there(noisy, denoise):
    assert np.std(denoise(noisy) - TRUTH) < np.std(noisy - TRUTH) / 2


@DENOISERS
def test_scale_of_intensities_does_not_matter(noisy, denoise):
    if denoise.__name__ == "<lambda>":
        pytest.skip("likeness is given in intensities")
    np.testing.assert_allclose(denoise(noisy * 1e4 - 3e5), denoise(noisy) * 1e4 - 3e5, atol=1)


def test_noise_is_measured(noisy):
    assert noise_level(noisy) == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize("shape", [(30, 41), (9, 20, 22), (1, 40), (5, 3, 2)], ids=str)
def test_noise_is_what_scikit_image_estimates(rng, shape):
    image = rng.normal(100, 7, shape).astype(np.float32)
    expected = restoration.estimate_sigma(np.squeeze(image))
    assert noise_level(image) == pytest.approx(expected, rel=1e-6)


def test_bilateral_of_a_volume_is_the_sum_of_its_definition(rng):
    volume = rng.random((7, 8, 9))
    found = bilateral(volume, 0.5, 0.3, (1.0, 0.5, 0.5))
    z, y, x = 3, 4, 4
    near = volume[z - 2 : z + 3, y - 3 : y + 4, x - 3 : x + 4]
    dz, dy, dx = np.ogrid[-2:3, -3:4, -3:4]
    weights = np.exp(-0.5 * (dz**2 + (0.5 * dy) ** 2 + (0.5 * dx) ** 2) / 0.25)
    weights *= np.exp(-0.5 * (near - volume[z, y, x]) ** 2 / 0.09)
    assert found[z, y, x] == pytest.approx((weights * near).sum() / weights.sum(), rel=1e-12)


@pytest.mark.parametrize("shape", [(40, 44), (10, 20, 22)], ids=["2D", "3D"])
def test_total_variation_is_that_of_scikit_image(rng, shape):
    image = rng.random(shape)
    unit = (image - image.min()) / np.ptp(image)
    expected = restoration.denoise_tv_chambolle(unit, weight=0.2)
    np.testing.assert_allclose(total_variation(unit, 0.2), expected, atol=1e-9)


def test_total_variation_of_far_slices_is_that_of_each(rng):
    volume = rng.random((4, 20, 20))
    # The same range in each slice: the weight counts against it.
    volume[:, 0, 0], volume[:, 0, 1] = 0, 1
    far = total_variation(volume, 0.2, (1e6, 1.0, 1.0), eps=0, max_num_iter=50)
    alone = [total_variation(plane, 0.2, eps=0, max_num_iter=50) for plane in volume]
    np.testing.assert_allclose(far, alone, atol=1e-5)


@pytest.mark.parametrize("shape", [(40, 44), (12, 20, 22)], ids=["2D", "3D"])
def test_non_local_means_is_that_of_scikit_image(rng, shape):
    image = rng.random(shape)
    expected = restoration.denoise_nl_means(image, 3, 2, h=0.3, fast_mode=True)
    # Its exponential function is off by up to 4 %.
    np.testing.assert_allclose(non_local_means(image, 3, 2, 0.3), expected, atol=0.01)


@pytest.mark.parametrize("shape", [(70, 37), (9, 10, 68), (5, 1, 9)])
def test_non_local_means_is_the_mean_of_its_definition(rng, shape):
    image, patch, distance, h = rng.random(shape), 5, 2, 0.4
    sides = [n for n in shape if n > 1]
    reach = distance + patch // 2
    padded = np.pad(image.reshape(sides), reach, mode="reflect")
    total, weights = np.zeros(sides), np.zeros(sides)

    def moved(shift):
        places = (slice(reach + s, reach + s + n) for s, n in zip(shift, sides, strict=True))
        return padded[tuple(places)]

    def offsets(first, last):
        return np.ndindex(*(last - first + 1 for _ in sides))

    for shift in np.array(list(offsets(-distance, distance))) - distance:
        apart = np.zeros(sides)
        # As in scikit-image, patches of 5 reach from 1 before to 2 behind.
        for offset in np.array(list(offsets(-1, 2))) - 1:
            apart += (moved(offset) - moved(offset + shift)) ** 2
        apart /= h**2 * patch ** len(sides)
        alike = np.where(apart < 5, np.exp(-apart), 0)
        total += alike * moved(shift)
        weights += alike
    found = non_local_means(image, patch, distance, h)
    np.testing.assert_allclose(found.reshape(sides), total / weights, rtol=1e-7)


def test_non_local_means_needs_an_odd_patch():
    with pytest.raises(InputError, match=r"^patch_size is 4; it must be an odd number"):
        non_local_means(np.eye(9), 4)


def test_difference_of_gaussians_needs_the_smaller_first():
    with pytest.raises(InputError, match=r"^low_sigma is 2; it must be below high_sigma"):
        difference_of_gaussians(np.eye(9), 2, 1)


def test_difference_of_gaussians_of_an_even_image_is_nothing():
    found = difference_of_gaussians(np.full((20, 20), 500, np.uint16), 1, 2)
    np.testing.assert_allclose(found, 0, atol=1e-3)


def test_unsharp_mask_makes_steps_higher_and_leaves_even_ground():
    sharp = unsharp_mask(TRUTH, 2, 1.5)
    assert sharp.max() > 110
    assert sharp[:5].max() == pytest.approx(0, abs=1e-6)
    assert sharp[32, 35] == pytest.approx(100, abs=1e-3)


def test_rolling_ball_is_that_of_scikit_image(rng):
    image = rng.random((60, 70)) * 100
    expected = restoration.rolling_ball(image, radius=9)
    np.testing.assert_allclose(background(image, 9), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("shape", "radius", "spacing"),
    [((11, 21, 30), 7, (1, 1, 1)), ((6, 17, 33), 8, (3, 1, 0.75)), ((40, 90), 60, (1, 2))],
)
def test_rolling_ball_on_a_grid_of_any_spacing_is_that_of_scikit_image(rng, shape, radius, spacing):
    image = rng.random(shape) * 40
    reach = [min(int(radius / step), n - 1) for step, n in zip(spacing, shape, strict=True)]
    offsets = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), -1)
    left = radius**2 - ((offsets * spacing) ** 2).sum(-1)
    # Heights count in voxels of the smallest side.
    kernel = np.where(left >= 0, np.sqrt(np.maximum(left, 0)) / min(spacing), np.inf)
    expected = restoration.rolling_ball(image, kernel=kernel)
    np.testing.assert_allclose(background(image, radius, spacing=spacing), expected, atol=1e-9)


def test_rolling_paraboloid_is_the_lowest_by_its_definition(rng):
    image = rng.random((5, 7, 8)) * 10
    spacing = np.array([2.0, 1.0, 0.5])
    places = np.stack(np.indices(image.shape), -1).reshape(-1, 3) * spacing
    # In voxels of the smallest side.
    apart = ((places[:, None] - places[None]) ** 2).sum(-1) / 0.5**2
    lowest = (image.reshape(1, -1) + apart / (2 * 6 / 0.5)).min(axis=1)
    found = background(image, 6.0, "paraboloid", spacing)
    np.testing.assert_allclose(found, lowest.reshape(image.shape))


@pytest.mark.parametrize("method", ["rolling_ball", "paraboloid", "tophat", "gaussian"])
@pytest.mark.parametrize("light", [False, True])
def test_slanted_ground_goes_and_spots_stay(method, light):
    y, x = np.indices((80, 90))
    ground = 0.5 * y + 0.25 * x
    image = ground.copy()
    image[40:43, 40:43] += -50 if light else 50
    found = subtract_background(image, 12, method, light_ground=light)
    inner = found[20:60, 20:70]
    assert np.abs(inner[21, 21]) > 40
    assert np.median(np.abs(inner)) < 10
    assert np.ptp(inner) < 60


@pytest.mark.parametrize(
    ("shape", "block"), [((20, 41, 22), (7, 16, 15)), ((1, 33, 40), (1, 8, 9)), ((31,), (7,))]
)
def test_noise_of_blocks_is_that_of_the_image(rng, shape, block):
    image = rng.normal(100, 7, shape).astype(np.float32)
    sides = [
        [slice(start, min(n, start + size)) for start in range(0, n, size)]
        for n, size in zip(shape, block, strict=True)
    ]

    def over(function):
        for region in itertools.product(*sides):
            seen = widened(region, (NOISE_REACH,) * image.ndim, shape)
            yield function(image[seen], region, seen)

    assert noise_over(over, image.dtype) == pytest.approx(noise_level(image), rel=1e-6)
