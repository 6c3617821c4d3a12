"""The Gaussian of a patch's colours equals its formula, whatever the image's layout."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import io

from napari_seedbed.core import (
    chromaticity_gaussian,
    chromaticity_gaussians,
    coordinate_probabilities,
    fit_colour_gaussians,
    gaussian_probabilities,
    rg_chromaticity,
    running,
)
from napari_seedbed.errors import Cancelled, InputError


@pytest.fixture
def scene(rng):
    image = rng.random((40, 50, 3)) + 0.2
    patch = np.zeros((40, 50), bool)
    patch[5:20, 8:30] = True
    image[patch] = 0.3 * image[patch] + [0.6, 0.2, 0.1]
    return image, patch


def _coordinates(image):
    return image[..., :2] / image.sum(axis=-1, keepdims=True)


def test_independent_is_the_product_of_a_gaussian_a_coordinate(scene):
    image, patch = scene
    rg = _coordinates(image)
    z = (rg - rg[patch].mean(axis=0)) / rg[patch].std(axis=0)
    out = chromaticity_gaussian(image, patch)
    assert np.allclose(out, np.exp(-(z**2).sum(axis=-1) / 2), atol=1e-12)


def test_maps_of_coordinates_multiply_to_the_independent_one(scene):
    image, patch = scene
    (gaussian,) = fit_colour_gaussians(image, patch)
    maps = coordinate_probabilities(image, gaussian)
    rg = _coordinates(image)
    z = (rg[..., 1] - rg[patch][:, 1].mean()) / rg[patch][:, 1].std()
    assert np.allclose(maps[1], np.exp(-(z**2) / 2))
    assert np.allclose(maps.prod(axis=0), chromaticity_gaussian(image, patch))


def test_joint_is_the_gaussian_of_the_full_covariance(scene):
    image, patch = scene
    rg = _coordinates(image)
    d = rg - rg[patch].mean(axis=0)
    inverse = np.linalg.inv(np.cov(rg[patch].T, bias=True))
    expected = np.exp(-np.einsum("...i,ij,...j", d, inverse, d) / 2)
    assert np.allclose(chromaticity_gaussian(image, patch, model="joint"), expected, atol=1e-12)


def test_a_known_covariance_is_found(rng):
    mean, covariance = np.array([0.4, 0.3]), np.array([[4e-4, -2e-4], [-2e-4, 3e-4]])
    rg = rng.multivariate_normal(mean, covariance, (300, 400))
    image = np.concatenate([rg, 1 - rg.sum(axis=-1, keepdims=True)], axis=-1)
    image *= rng.uniform(1, 9, (300, 400, 1))  # whatever the brightness
    (found,) = fit_colour_gaussians(image, np.ones((300, 400), int), model="joint")
    assert np.allclose(found.mean, mean, atol=2e-4)
    assert np.allclose(found.covariance, covariance, atol=1e-5)
    assert found.n_pixels == 120000


@given(order=st.permutations(range(4)), seed=st.integers(0, 20))
def test_joint_does_not_depend_on_the_order_of_channels(order, seed):
    rng = np.random.default_rng(seed)
    image = rng.random((10, 12, 4)) + 0.1
    patch = np.zeros((10, 12), bool)
    patch[2:7, 3:9] = True
    expected = chromaticity_gaussian(image, patch, model="joint")
    out = chromaticity_gaussian(image[..., order], patch, model="joint")
    assert np.allclose(out, expected, atol=1e-9)


@given(scale=st.floats(1e-6, 1e6), seed=st.integers(0, 20))
def test_brightness_does_not_change_the_probability(scale, seed):
    rng = np.random.default_rng(seed)
    image = rng.random((10, 12, 3)) + 0.1
    shading = rng.uniform(0.1, 1, (10, 12, 1))
    patch = np.zeros((10, 12), bool)
    patch[2:7, 3:9] = True
    out = chromaticity_gaussian(image * shading * scale, patch)
    assert np.allclose(out, chromaticity_gaussian(image, patch), atol=1e-9)


@pytest.mark.parametrize("model", ["independent", "joint"])
def test_the_mean_colour_has_probability_one_and_all_lie_between_zero_and_one(rng, model):
    image = rng.integers(0, 256, (64, 64, 3), np.uint8)
    patch = np.zeros((64, 64), bool)
    patch[:8, :8] = True
    (gaussian,) = fit_colour_gaussians(image, patch, model=model)
    peak = np.append(gaussian.mean, 1 - gaussian.mean.sum())[np.newaxis, np.newaxis]
    assert gaussian_probabilities(peak, [gaussian])[0, 0, 0] == pytest.approx(1)
    out = chromaticity_gaussian(image, patch, model=model)
    assert out.dtype == np.float32
    assert 0 <= out.min() < out.max() <= 1


@pytest.mark.parametrize("model", ["independent", "joint"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_a_patch_of_one_colour_finds_just_its_like(model, dtype):
    image = np.full((20, 20, 3), (90, 60, 30), dtype)
    image[10:] = (30, 60, 90)
    image[:, 15:] = (60, 40, 20)  # the same colour, darker
    patch = np.zeros((20, 20), bool)
    patch[2:4, 2:4] = True
    expected = np.ones((20, 20))
    expected[10:, :15] = 0
    assert np.allclose(chromaticity_gaussian(image, patch, model=model), expected, atol=1e-5)


def test_a_patch_on_a_line_in_colour_space_can_be_inverted(rng):
    share = rng.uniform(0.2, 0.5, (30, 30, 1))
    image = np.concatenate([share, share, 1 - 2 * share], axis=-1)
    patch = np.ones((30, 30), bool)
    out = chromaticity_gaussian(image, patch, model="joint")
    z = (share[..., 0] - share.mean()) / share.std()
    assert np.allclose(out, np.exp(-(z**2) / 2), atol=1e-6)


def test_black_and_saturated_pixels_have_probability_zero_and_are_not_learnt_from(rng):
    image = rng.integers(50, 200, (30, 30, 3)).astype(np.uint8)
    patch = np.zeros((30, 30), bool)
    patch[5:15, 5:15] = True
    clean = fit_colour_gaussians(image, patch)[0]
    spoilt = np.concatenate([image, np.zeros((4, 30, 3), np.uint8)])
    spoilt[-2:] = (255, 10, 10)
    longer = np.concatenate([patch, np.ones((4, 30), bool)])
    (found,) = fit_colour_gaussians(spoilt, longer, saturation_level=255)
    assert np.allclose(found.mean, clean.mean)
    assert np.allclose(found.covariance, clean.covariance)
    out = chromaticity_gaussian(spoilt, longer, saturation_level=255)
    assert (out[-4:] == 0).all()
    assert chromaticity_gaussian(spoilt, longer)[-1].min() > 0


def test_each_labelled_patch_has_a_map_of_its_own(scene):
    image, patch = scene
    labels = np.where(patch, 7, 0)
    labels[30:35, 40:45] = 2
    labels[0] = -1
    found, maps = chromaticity_gaussians(image, labels)
    assert found.tolist() == [2, 7]
    assert np.allclose(maps[1], chromaticity_gaussian(image, patch))
    assert np.allclose(maps[0], chromaticity_gaussian(image, labels == 2))


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
def test_volumes_with_channels_anywhere(rng, axis):
    image = rng.random((6, 7, 8, 5)) + 0.1
    patch = np.zeros((6, 7, 8), np.uint8)
    patch[2:4, 2:5, 2:6] = 255
    expected = chromaticity_gaussian(image.reshape(-1, 5), patch.reshape(-1))
    out = chromaticity_gaussian(np.moveaxis(image, -1, axis), patch, channel_axis=axis)
    assert np.allclose(out.ravel(), expected)


def test_large_images_equal_small_parts_of_them(rng):
    image = rng.integers(0, 256, (1200, 1100, 3), np.uint8)
    patch = np.zeros(image.shape[:2], bool)
    patch[100:1150, 500:520] = True
    (gaussian,) = fit_colour_gaussians(image, patch, model="joint")
    rg = rg_chromaticity(image)[patch].astype(float)
    assert np.allclose(gaussian.mean, rg.mean(axis=0), atol=1e-6)
    assert np.allclose(gaussian.covariance, np.cov(rg.T, bias=True), rtol=1e-4)
    whole = chromaticity_gaussian(image, patch, model="joint")
    part = gaussian_probabilities(image[600:640, 30:77], [gaussian])[0]
    assert np.array_equal(whole[600:640, 30:77], part)


def test_the_outline_of_colours_lies_at_its_distance(scene):
    (gaussian,) = fit_colour_gaussians(*scene, model="joint")
    d = gaussian.ellipse(1.5) - gaussian.mean
    assert np.allclose(np.einsum("ni,ij,nj->n", d, np.linalg.inv(gaussian.covariance), d), 1.5**2)


def test_two_channels_have_one_coordinate(rng):
    image = rng.random((20, 20, 2)) + 0.1
    patch = np.ones((20, 20), bool)
    share = image[..., 0] / image.sum(axis=-1)
    z = (share - share.mean()) / share.std()
    assert np.allclose(chromaticity_gaussian(image, patch), np.exp(-(z**2) / 2))


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (np.zeros((8, 8), bool), "marks no pixel"),
        (np.ones((8, 9), bool), r"\(8, 9\).*\(8, 8\)"),
        (np.ones((8, 8, 3), bool), "shape"),
        (np.ones((8, 8)), "whole numbers"),
        (np.full((8, 8), -1), "marks no pixel"),
    ],
)
def test_wrong_patches_are_refused(patch, message):
    with pytest.raises(InputError, match=message):
        chromaticity_gaussian(np.ones((8, 8, 3)), patch)


def test_a_black_patch_is_refused():
    with pytest.raises(InputError, match="only black"):
        chromaticity_gaussian(np.zeros((8, 8, 3)), np.ones((8, 8), bool))


@pytest.mark.parametrize(
    "wrong",
    [{"model": "student"}, {"min_sigma": 0}, {"black_level": -1}, {"saturation_level": np.nan}],
)
def test_wrong_parameters_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        chromaticity_gaussian(np.ones((8, 8, 3)), np.ones((8, 8), bool), **wrong)


def test_another_number_of_channels_is_refused(scene):
    with pytest.raises(InputError, match=r"4 channels.*3"):
        gaussian_probabilities(np.ones((4, 4, 4)), fit_colour_gaussians(*scene))


def test_it_stops_when_asked():
    calls = iter([False] * 3)
    with running(should_stop=lambda: next(calls, True)), pytest.raises(Cancelled):
        chromaticity_gaussian(np.ones((3000, 3000, 3), np.uint8), np.ones((3000, 3000), bool))


def test_blue_water_is_told_from_bushes_and_sand(shared_data):
    image = io.imread(shared_data / "tutorial" / "Bells-Beach.jpg")
    patch = np.zeros(image.shape[:2], bool)
    patch[320:460, 150:400] = True
    out = chromaticity_gaussian(image, patch)
    assert np.median(out[320:540, 100:450]) > 0.2
    assert np.median(out[750:]) < 1e-3  # bushes
    assert np.median(out[470:540, 860:950]) < 1e-3  # sand
