"""Opening, closing, shrinking and growing each object gives what SciPy gives for it alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage as ndi
from skimage.segmentation import expand_labels as expand_labels_of_skimage
from window_footprints import footprint

from napari_seedbed.core import expand_labels, label_morphology
from napari_seedbed.core.filters.windows import window_rows
from napari_seedbed.errors import InputError

SCENES = [((18, 22), (1.0, 1.0), 2.3), ((9, 11, 12), (2.0, 1.0, 1.0), 2.2), ((1, 20), (1, 1), 1.0)]
EVERYWHERE = pytest.mark.parametrize(("shape", "spacing", "radius"), SCENES)


def scene(rng, shape):
    """Rough blobs of three labels that touch here and there."""
    noise = ndi.gaussian_filter(rng.normal(size=shape), 1.5)
    return (np.digitize(noise / np.abs(noise).max(), [0.05, 0.25, 0.5])).astype(np.int32)


def ball(radius, spacing):
    return footprint(window_rows(radius, spacing, "ball"), len(spacing))


@EVERYWHERE
def test_erosion_and_opening_are_those_of_each_label(rng, shape, spacing, radius):
    labels = scene(rng, shape)
    eroded = label_morphology(labels, "erosion", radius, spacing)
    opened = label_morphology(labels, "opening", radius, spacing)
    for value in np.unique(labels[labels > 0]):
        window = ball(radius, spacing)
        expected = ndi.binary_erosion(labels == value, window, border_value=True)
        np.testing.assert_array_equal(eroded == value, expected)
        expected = ndi.binary_dilation(expected, window)
        np.testing.assert_array_equal(opened == value, expected)


@EVERYWHERE
def test_closing_of_one_object_is_that_of_scipy(rng, shape, spacing, radius):
    mask = scene(rng, shape) > 1
    window = ball(radius, spacing)
    dilated = ndi.binary_dilation(mask, window)
    expected = ndi.binary_erosion(dilated, window, border_value=True)
    np.testing.assert_array_equal(
        label_morphology(mask, "closing", radius, spacing), expected | mask
    )


def test_closing_fills_notches_and_leaves_other_objects_and_the_ground_alone():
    labels = np.zeros((7, 13), int)
    labels[:, :4] = 1
    labels[:, 6:] = 2
    labels[3, 2:4] = labels[3, 6:8] = 0
    labels[3, 3] = 9
    found = label_morphology(labels, "closing", 2.0)
    assert (found[labels > 0] == labels[labels > 0]).all()
    assert found[3, 2] == 1
    assert found[3, 7] == 2
    assert not found[:, 4:6].any()


def test_objects_that_could_both_close_a_gap_take_their_nearer_half():
    labels = np.zeros((5, 9), int)
    labels[0], labels[4] = 1, 2
    labels[:, [0, 8]] = np.array([1, 1, 1, 2, 2])[:, None]
    found = label_morphology(labels, "closing", 30.0)
    np.testing.assert_array_equal(found[:, 4], [1, 1, 1, 2, 2])


@given(
    arrays(np.int32, st.tuples(*[st.integers(1, 9)] * 2), elements=st.integers(0, 3)),
    st.integers(0, 5),
)
def test_grown_labels_are_those_of_scikit_image(labels, distance):
    found = expand_labels(labels, distance)
    expected = expand_labels_of_skimage(labels, distance)
    np.testing.assert_array_equal(found, expected)


def test_growth_is_physical():
    labels = np.zeros((5, 5, 9), int)
    labels[2, 2, 4] = 7
    found = expand_labels(labels, 3.0, (2.0, 1.0, 1.0))
    z, y, x = np.indices(labels.shape)
    near = (2 * (z - 2)) ** 2 + (y - 2) ** 2 + (x - 4) ** 2 <= 9
    np.testing.assert_array_equal(found, np.where(near, 7, 0))


@pytest.mark.parametrize("kind", ["opening", "closing", "erosion"])
def test_no_objects_stay_none(kind):
    assert not label_morphology(np.zeros((3, 3, 4), int), kind, 2).any()
    assert not expand_labels(np.zeros((3, 4), int), 2).any()


def test_unknown_kind_is_refused():
    with pytest.raises(InputError, match="kind is 'top'"):
        label_morphology(np.zeros((3, 3), int), "top", 1)
