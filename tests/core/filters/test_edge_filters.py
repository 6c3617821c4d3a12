"""Slopes by physical length, against scikit-image, SciPy and closed formulas."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, feature, filters

from napari_seedbed.core import canny, gradient_magnitude, laplacian_of_gaussian, slope
from napari_seedbed.core.filters.gaussian_derivatives import gaussian_derivative, gaussian_weights
from napari_seedbed.errors import InputError

KERNELS = pytest.mark.parametrize("kernel", ["sobel", "scharr", "prewitt", "farid"])
SPACING = (0.5, 0.2, 0.1)


@pytest.fixture(scope="module")
def camera():
    return data.camera()[100:220, 150:330].astype(float)


@KERNELS
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slope_along_an_axis_has_the_shape_of_that_of_scikit_image(rng, kernel, axis):
    volume = rng.random((8, 9, 10))
    theirs = getattr(filters, kernel)(volume, axis=axis)
    # scikit-image gives 2 for a ramp of 1, and 0.9918 for Farid's.
    rise = 2 if kernel != "farid" else 2 * (2 * 0.109603762960254 + 0.276690988455557)
    np.testing.assert_allclose(slope(volume, kernel, axis), theirs / rise, atol=1e-12)


@KERNELS
def test_slope_of_a_ramp_is_exact(kernel):
    z, y, x = (n * step for n, step in zip(np.indices((9, 10, 11)), SPACING, strict=True))
    found = slope(3 * z + 4 * y - 12 * x, kernel, spacing=SPACING)
    np.testing.assert_allclose(found[2:-2, 2:-2, 2:-2], 13)
    along = slope(3 * z + 4 * y - 12 * x, kernel, 2, SPACING)
    np.testing.assert_allclose(along[2:-2, 2:-2, 2:-2], -12)


@pytest.mark.parametrize("sigma", [0.0, 0.05, 0.3, 1.0, 2.5])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_weights_are_exact_for_polynomials_of_their_order(sigma, order):
    weights = gaussian_weights(sigma, order)
    x = np.arange(len(weights)) - len(weights) // 2
    moments = [(weights * x**power).sum() for power in range(order + 1)]
    expected = [0.0] * order + [float(np.prod(np.arange(1, order + 1)))]
    np.testing.assert_allclose(moments, expected, atol=1e-12)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_kernel_longer_than_the_image_is_as_if_all_of_it_were_there(rng, order):
    line = rng.random((1, 7))
    whole = ndimage.correlate1d(line, gaussian_weights(5.0, order), 1, mode="nearest")
    found = gaussian_derivative(line, 5.0, (1, 1), (0, order))
    np.testing.assert_allclose(found, whole, atol=1e-12)


def test_gradient_magnitude_is_close_to_that_of_scipy(camera):
    expected = ndimage.gaussian_gradient_magnitude(camera, 2, mode="nearest")
    np.testing.assert_allclose(gradient_magnitude(camera, 2), expected, rtol=2e-3, atol=1e-9)


def test_laplacian_is_close_to_that_of_scipy(camera):
    expected = ndimage.gaussian_laplace(camera - camera.mean(), 2, mode="nearest")
    found = laplacian_of_gaussian(camera - camera.mean(), 2)
    np.testing.assert_allclose(found, expected, atol=0.01 * np.abs(expected).max())


def test_laplacian_of_a_paraboloid_is_exact_whatever_the_voxels():
    z, y, x = (n * step for n, step in zip(np.indices((30, 40, 50)), SPACING, strict=True))
    found = laplacian_of_gaussian(z**2 + 2 * y**2 + 4 * x**2, 0.3, SPACING)
    np.testing.assert_allclose(found[5:-5, 10:-10, 15:-15], 14, rtol=1e-6)


@pytest.mark.parametrize("function", [slope, gradient_magnitude, laplacian_of_gaussian])
def test_even_image_has_no_slope(function):
    found = function(np.full((12, 13), 40_000, np.uint16))
    np.testing.assert_allclose(found, 0, atol=0.02)


def test_blobs_of_all_sizes_answer_equally_when_normalised():
    distance = np.hypot(*np.ogrid[-40:41, -40:41])
    answers = [
        -laplacian_of_gaussian(np.exp(-0.5 * (distance / width) ** 2), width, normalize=True).min()
        for width in (3, 6)
    ]
    # By a closed formula: a Gaussian of twice the variance has half the height.
    np.testing.assert_allclose(answers, 0.5, rtol=1e-2)


def test_canny_is_that_of_scikit_image(camera):
    unit = (camera - camera.min()) / np.ptp(camera)
    expected = feature.canny(unit, 2, 0.05, 0.1, mode="nearest")
    np.testing.assert_array_equal(canny(camera, 2, 0.05, 0.1), expected)
    quantiles = feature.canny(unit, 2, 0.8, 0.9, use_quantiles=True, mode="nearest")
    found = canny(camera, 1.0, 0.8, 0.9, (0.5, 0.5), thresholds="share")
    np.testing.assert_array_equal(found, quantiles)


def test_canny_takes_slopes_in_intensities(camera):
    contrast = np.ptp(camera)
    expected = canny(camera, 2, 0.05, 0.1)
    found = canny(camera, 2, 0.05 * contrast, 0.1 * contrast, thresholds="intensity")
    np.testing.assert_array_equal(found, expected)
    assert found.any()


def test_canny_works_slice_by_slice(camera):
    # The same range in both, since thresholds are shares of it.
    stack = np.stack([camera, camera.max() + camera.min() - camera])
    found = canny(stack, 2)
    np.testing.assert_array_equal(found[1], canny(stack[1], 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spacing": (0.1, 0.2)}, "^image has pixels of"),
        ({"low": 3}, "^low is 3 and high 0.2"),
        ({"thresholds": "share", "high": 2}, "^high is 2; a share"),
        ({"thresholds": "x"}, "^thresholds is 'x'"),
    ],
)
def test_canny_says_what_is_wrong(arguments, message):
    with pytest.raises(InputError, match=message):
        canny(np.zeros((9, 9)), **arguments)


def test_sigma_of_a_million_voxels_is_refused():
    with pytest.raises(InputError, match=r"^sigma is 1e\+06 voxels wide"):
        gradient_magnitude(np.zeros((9, 9)), 1e6)
