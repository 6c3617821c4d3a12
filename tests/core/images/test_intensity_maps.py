"""Maps of single values equal scikit-image's where it has them, and keep the ends of a range."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage import exposure, util

from napari_seedbed.core import apply_gamma, apply_logarithm, inverted, stretch
from napari_seedbed.errors import InputError

UNIT = hnp.arrays(np.float64, 9, elements=st.floats(0, 1))


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64"])
def test_stretch_as_scikit_image(rng, dtype):
    image = (rng.random((20, 30)) * 200).astype(dtype)
    wanted = exposure.rescale_intensity(
        image.astype(np.float64), in_range=(20, 150), out_range=(-1, 3)
    )
    np.testing.assert_allclose(stretch(image, 20, 150, (-1, 3)), wanted, atol=1e-5)


def test_stretch_between_equal_values_is_a_step():
    image = np.array([0, 5, 5, 6])
    assert stretch(image, 5, 5, (0, 10)).tolist() == [0, 0, 0, 10]


@settings(max_examples=40)
@given(image=UNIT, gamma=st.floats(0.1, 5))
def test_gamma_as_scikit_image(image, gamma):
    wanted = exposure.adjust_gamma(image, gamma)
    np.testing.assert_allclose(apply_gamma(image, gamma, limits=(0, 1)), wanted, atol=1e-12)


@settings(max_examples=40)
@given(image=UNIT)
def test_logarithm_as_scikit_image(image):
    ours = apply_logarithm(image, limits=(0, 1))
    np.testing.assert_allclose(ours, exposure.adjust_log(image), atol=1e-12)
    back = apply_logarithm(image, limits=(0, 1), inverse=True)
    np.testing.assert_allclose(back, exposure.adjust_log(image, inv=True), atol=1e-12)


@settings(max_examples=40)
@given(image=UNIT, strength=st.floats(0.01, 1000))
def test_the_inverse_logarithm_undoes_the_logarithm(image, strength):
    there = apply_logarithm(image, strength, limits=(0, 1))
    back = apply_logarithm(there, strength, limits=(0, 1), inverse=True)
    np.testing.assert_allclose(back, image, atol=1e-9)


@pytest.mark.parametrize("change", [apply_gamma, apply_logarithm])
def test_the_ends_of_twelve_bits_stay(change):
    image = np.array([0, 1000, 4095], np.uint16)
    found = change(image, 0.5)
    assert (found[0], found[2]) == (0, 4095)
    assert found[1] > 1000


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "uint16", "int32", "uint64", "int64"])
def test_inverting_within_the_type_as_scikit_image(rng, dtype):
    if dtype == "bool":
        image, limits = rng.random(50) < 0.5, None
    else:
        holds = np.iinfo(dtype)
        image = rng.integers(holds.min, holds.max, 50, dtype, endpoint=True)
        limits = (int(holds.min), int(holds.max))
    np.testing.assert_array_equal(inverted(image, limits=limits), util.invert(image))


def test_twelve_bits_are_inverted_within_twelve_bits():
    image = np.array([0, 95, 4095], np.uint16)
    assert inverted(image).tolist() == [4095, 4000, 0]


@settings(max_examples=40)
@given(hnp.arrays(np.uint16, 9, elements=st.integers(0, 4095)))
def test_inverting_twice_changes_nothing(image):
    twice = inverted(inverted(image, limits=(0, 4095)), limits=(0, 4095))
    np.testing.assert_array_equal(twice, image)


def test_inverting_cuts_off_what_the_type_cannot_hold():
    assert inverted(np.array([0, 200], np.uint8), limits=(0, 100)).tolist() == [100, 0]


def test_constant_image_stays():
    image = np.full((4, 4), -3.5)
    for change in (apply_gamma, apply_logarithm, inverted):
        np.testing.assert_array_equal(change(image), image)


@pytest.mark.parametrize("gamma", [0, -1, np.nan])
def test_gamma_that_is_not_positive_is_refused(gamma):
    with pytest.raises(InputError, match="gamma"):
        apply_gamma(np.ones(3), gamma)
