"""Where labels are marked, against NumPy."""

import numpy as np
import pytest

from napari_seedbed.core.marks.marked_voxels import marked_labels_of, marked_places

SHAPES = [(0, 5), (3, 4), (64, 64), (70, 90), (2, 40, 50, 60)]


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32, np.uint64])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("share", [0.0, 1e-4, 0.3, 1.0])
def test_marks_are_those_of_numpy(rng, shape, kind, share):
    values = rng.integers(1, 90, shape) * (rng.random(shape) < share)
    if np.dtype(kind).kind == "i":
        values[values > 80] = -1
    labels = values.astype(kind)
    for one in (labels, np.swapaxes(labels, 0, -1), np.asfortranarray(labels)):
        for found, wanted in zip(marked_places(one), np.nonzero(one), strict=True):
            np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(marked_labels_of(one), np.unique(one[one > 0]))
