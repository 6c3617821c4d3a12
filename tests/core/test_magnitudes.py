"""Images of extreme numbers: the same as moderate ones, times what they are larger or smaller."""

import numpy as np
import pytest
from skimage.segmentation import random_walker as random_walker_of_scikit_image

from napari_seedbed import core
from napari_seedbed.core.magnitudes import moderate, restored
from napari_seedbed.core.scores.image_hints import local_entropy, local_noise
from napari_seedbed.errors import InputError

POWERS = (-1060, -66, 83, 1000)
"""2 to these is about 1e-319 (where digits are lost), 1e-20, 1e25 and 1e301."""

PROPORTIONAL = {
    "bilateral": lambda a: core.bilateral(a, 1.0),
    "difference_of_gaussians": lambda a: core.difference_of_gaussians(a, 1, 2),
    "gradient_magnitude": core.gradient_magnitude,
    "hessian_eigenvalue": core.hessian_eigenvalue,
    "laplacian_of_gaussian": core.laplacian_of_gaussian,
    "local_noise": lambda a: local_noise(a, 2),
    "mean": lambda a: core.mean(a, 2),
    "non_local_means": lambda a: core.non_local_means(a, 3, 2),
    "sato": lambda a: core.sato(a, [1.0, 2.0]),
    "slope": core.slope,
    "total_variation": core.total_variation,
    "unsharp_mask": core.unsharp_mask,
    "wavelet": core.wavelet,
}

THE_SAME = {
    "canny": lambda a: core.canny(a, 1.5),
    "compact_watershed": lambda a: core.compact_watershed(a, 9),
    "felzenszwalb": core.felzenszwalb_regions,
    "frangi": lambda a: core.frangi(a, [1.0, 2.0]),
    "local_entropy": lambda a: local_entropy(a, 2),
    "meijering": lambda a: core.meijering(a, [1.0, 2.0]),
    "niblack": lambda a: core.threshold_niblack(a, 7),
    "quickshift": core.quickshift_regions,
    "slic": lambda a: core.slic_regions(a, 12),
}


@pytest.fixture
def image(rng):
    """A bright box with a step on a noisy ground, -1 to about 5; with a margin of 0."""
    array = rng.normal(0, 0.3, (24, 30)).round(3)
    array[6:18, 8:22] += 3
    array[6:18, 15:22] += 1
    array[0] = 0
    return array


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("name", PROPORTIONAL)
def test_results_grow_with_the_image(name, power, image):
    found = PROPORTIONAL[name](np.ldexp(image, power))
    expected = np.ldexp(PROPORTIONAL[name](image), power)
    # Of the very smallest numbers only the first digits are kept.
    room = 0.05 if power < -1000 else 1e-12
    np.testing.assert_allclose(found, expected, rtol=0, atol=room * np.abs(expected).max())


@pytest.mark.parametrize("power", POWERS[1:])
@pytest.mark.parametrize("name", THE_SAME)
def test_what_does_not_depend_on_the_scale_is_the_same(name, power, image):
    expected = THE_SAME[name](image)
    np.testing.assert_array_equal(THE_SAME[name](np.ldexp(image, power)), expected)
    if abs(power) < 100:
        single = image.astype(np.float32)
        expected = THE_SAME[name](single)
        np.testing.assert_array_equal(THE_SAME[name](np.ldexp(single, power)), expected)


@pytest.mark.parametrize("scale", [1e-300, 1e-20, 1e25, 1e300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_seeded_engines_give_the_labels_of_scale_1(scale, dtype, image):
    if not 1e-30 < scale < 1e30 and dtype == np.float32:
        pytest.skip("float32 cannot hold it")
    image = image.astype(dtype)
    seeds = np.zeros(image.shape, np.int32)
    seeds[11, 9:12], seeds[11, 18:20], seeds[2, 3:20] = 1, 2, 3
    times = (image.astype(np.float64) * scale).astype(dtype)
    for volume, of in ((image, times), (np.stack([image] * 3), np.stack([times] * 3))):
        marks = seeds if volume.ndim == 2 else np.stack([0 * seeds, seeds, 0 * seeds])
        for engine in (core.RandomWalker, core.SeededSegmenter):
            found = engine(of).solve(marks)
            assert np.mean(found != engine(volume).solve(marks)) <= 0.005
        walker = core.RandomWalker(of, normalization="std")
        assert np.isfinite(walker.solve(marks)).all()
        assert np.isfinite(walker.probabilities).all()
    if 1e-30 < scale < 1e10:
        expected = random_walker_of_scikit_image(times, seeds, return_full_prob=True)
        found = core.random_walker(times, seeds, return_full_prob=True)
        np.testing.assert_allclose(found, expected, atol=5e-3)


def test_entropy_of_numbers_whose_range_is_no_float(image):
    low, high = np.finfo(float).min, np.finfo(float).max
    two = np.where(image > 1, high, low)
    np.testing.assert_array_equal(
        local_entropy(two, 2), local_entropy((image > 1).astype(np.uint8), 2)
    )
    # Limits count, however far the values are beyond them.
    far = local_entropy(two, 2, limits=(0.0, 5e-324))
    np.testing.assert_array_equal(far, local_entropy(two, 2))
    assert not local_entropy(two, 2, limits=(1.0, 1.0)).any()


@pytest.mark.parametrize("unit", [1e-45, 1e45])
def test_lengths_in_any_unit_give_the_same(unit, image):
    size = (unit, 2 * unit)
    np.testing.assert_allclose(
        core.bilateral(image, 1.5 * unit, spacing=size), core.bilateral(image, 1.5, spacing=(1, 2))
    )
    with pytest.raises(InputError, match=r"^spacing must be from 1e-50 to 1e\+50"):
        core.bilateral(image, 1.5, spacing=(unit, unit**5))


@pytest.mark.parametrize("strength", [1e-300, 1e300])
def test_strengths_whose_squares_are_no_numbers(strength, image):
    for found in (
        core.non_local_means(image, 3, 2, strength),
        core.bilateral(image, 1.0, strength),
    ):
        assert np.isfinite(found).all()
        if strength < 1:
            np.testing.assert_allclose(found, image, atol=1e-12)


@pytest.mark.parametrize("power", [-1060, -70, 90, 1000])
def test_changes_are_found_at_any_scale(power, image):
    other = image.copy()
    other[8:12, 10:14] -= 2
    expected = core.find_changes(core.change_evidence(image, other, register=None))
    found = core.find_changes(
        core.change_evidence(np.ldexp(image, power), np.ldexp(other, power), register=None)
    )
    assert len(expected.table["change"]) == 1
    if power > -1000:
        np.testing.assert_array_equal(found.labels, expected.labels)


def test_moderate_images_stay_as_they_are_and_what_does_not_fit_is_refused(image):
    assert moderate(image)[0] is image
    assert moderate(np.array([2**60]))[1] == 0
    tiny, exponent = moderate(np.array([5e-324]))
    assert (tiny.tolist(), restored(tiny, exponent).tolist()) == ([1.0], [5e-324])
    with pytest.raises(InputError, match="image: its values are so large"):
        core.structure_eigenvalue(np.ldexp(image, 1000))
