"""Half resolutions, against scikit-image and by counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from skimage.transform import downscale_local_mean

from napari_seedbed.core.images.pyramids import halved_image, halved_labels

TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")


@pytest.mark.parametrize("axes", [(1, 2), (0, 1, 2), (2,), ()])
def test_mean_is_that_of_scikit_image(rng, axes):
    image = rng.random((4, 12, 20))
    blocks = tuple(2 if axis in axes else 1 for axis in range(3))
    np.testing.assert_allclose(halved_image(image, axes), downscale_local_mean(image, blocks))


@given(st.data())
def test_mean_of_whole_numbers_is_exact_and_rounded_in_every_type(data):
    shape = data.draw(array_shapes(min_dims=2, max_dims=2, max_side=5))
    image = data.draw(arrays(st.sampled_from(TYPES), shape))
    halved = halved_image(image, (0, 1))
    assert halved.dtype == image.dtype
    padded = np.pad(image.astype(object), [(0, n % 2) for n in shape], mode="edge")
    for y, x in np.ndindex(halved.shape):
        total = padded[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].sum()
        assert int(halved[y, x]) == (int(total) + 2) // 4


@given(arrays(st.sampled_from(TYPES), array_shapes(min_dims=3, max_dims=3, max_side=5),
              elements={"min_value": 0, "max_value": 3}))  # fmt: skip
def test_labels_are_the_most_frequent_ones_and_no_others(labels):
    halved = halved_labels(labels, (1, 2))
    assert halved.dtype == labels.dtype
    assert halved.shape == (len(labels), *(-(-n // 2) for n in labels.shape[1:]))
    padded = np.pad(labels, [(0, 0), *((0, n % 2) for n in labels.shape[1:])], mode="edge")
    for z, y, x in np.ndindex(halved.shape):
        block = padded[z, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].ravel().tolist()
        assert block.count(halved[z, y, x]) == max(map(block.count, block))
