"""The largest probability wins; levels are nested; colour stays where the mask is."""

import numpy as np
import pytest

from napari_seedbed.core import colour_composite, masks_at_levels, most_probable
from napari_seedbed.errors import InputError


def test_the_most_probable_class_wins_above_the_threshold(rng):
    maps = rng.random((3, 20, 30))
    names = np.array([4, 9, 2])
    expected = np.where(maps.max(axis=0) >= 0.6, names[maps.argmax(axis=0)], 0)
    assert np.array_equal(most_probable(names, maps, 0.6), expected)


def test_where_nothing_is_probable_there_is_no_class():
    assert (most_probable([1, 2], np.zeros((2, 4, 4)), 0) == 0).all()


def test_masks_at_levels():
    masks = masks_at_levels(np.array([0.1, 0.2, 0.5, 1.0]), (0.2, 1))
    assert masks.tolist() == [[False, True, True, True], [False, False, False, True]]


@pytest.mark.parametrize("background", ["grey", "black", "white"])
@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_colour_stays_where_the_mask_is(rng, background, axis, dtype):
    image = rng.integers(0, 200, (8, 9, 3)).astype(dtype)
    mask = rng.random((8, 9)) < 0.5
    out = colour_composite(np.moveaxis(image, -1, axis), mask, axis, background=background)
    out = np.moveaxis(out, axis, -1)
    assert out.dtype == image.dtype
    assert np.array_equal(out[mask], image[mask])
    elsewhere = {
        "grey": image[~mask].mean(axis=-1, keepdims=True),
        "black": 0,
        "white": image.max(),
    }[background]
    assert np.allclose(out[~mask], elsewhere, atol=0 if background != "grey" else 0.5)


def test_wrong_arguments_are_refused():
    image = np.ones((4, 4, 3))
    with pytest.raises(InputError, match="mask"):
        colour_composite(image, np.ones((4, 5), bool))
    with pytest.raises(InputError, match="background"):
        colour_composite(image, np.ones((4, 4), bool), background="pink")
    with pytest.raises(InputError, match="as many labels"):
        most_probable([1], np.ones((2, 4, 4)))
    with pytest.raises(InputError, match="levels"):
        masks_at_levels(np.ones(3), (0.5, 2))
