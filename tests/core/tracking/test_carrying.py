"""Objects carried to the next time point, where their truth is known."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage as ndi

from napari_seedbed.core.tracking.carrying import carry_objects
from napari_seedbed.errors import InputError


def scene(shift, seed=0, shape=(14, 70, 80)):
    """Return labels and an image of two time points; all but one object move by the shift."""
    rng = np.random.default_rng(seed)
    grid = np.indices(shape)
    volumes = []
    for time in range(2):
        labels = np.zeros(shape, np.uint16)
        for number in range(1, 7):
            centre = np.array([7, 16 + 18 * ((number - 1) // 2), 20 + 26 * ((number - 1) % 2)])
            centre = centre + time * np.array(shift)
            away = sum(((g - c) * s) ** 2 for g, c, s in zip(grid, centre, (2, 1, 1), strict=True))
            labels[away <= 8**2] = 3 * number
        image = ndi.gaussian_filter(20 + 80.0 * (labels > 0), 1) + rng.normal(0, 5, shape)
        volumes.append((labels, image))
    return volumes


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("shift", [(0, 0, 0), (0, 9, -7), (1, -6, 8)])
def test_objects_are_found_again_where_the_image_has_moved_to(shift):
    (labels, image), (truth, image_after) = scene(shift)
    nothing = np.zeros_like(labels)
    edit = carry_objects(labels, nothing, image, image_after, spacing=(2, 1, 1))
    found = nothing.copy()
    edit.apply(found)
    for value in np.unique(labels[labels > 0]):
        assert dice(found == value, truth == value) > 0.85
    assert edit.name == "carry 6 objects"


def test_what_is_there_already_is_a_wall_and_only_those_wanted_are_carried():
    (labels, image), (truth, image_after) = scene((0, 5, 4))
    there = np.where(truth == 3, 3, 0).astype(np.uint16)
    edit = carry_objects(labels, there, image, image_after, [6, 9], spacing=(2, 1, 1))
    found = there.copy()
    edit.apply(found)
    assert_array_equal(found[there > 0], there[there > 0])
    assert set(np.unique(found)) == {0, 3, 6, 9}
    assert dice(found == 6, truth == 6) > 0.85
    rest = carry_objects(labels, found, image, image_after, spacing=(2, 1, 1))
    assert set(rest.objects) == {12, 15, 18}


def test_what_is_not_part_of_the_problem_stays_so():
    (labels, image), (truth, image_after) = scene((0, 5, 4))
    there = np.zeros(truth.shape, np.int32)
    there[:, 20:24] = -1
    assert (truth[there < 0] > 0).any()
    found = there.copy()
    carry_objects(labels, there, image, image_after, spacing=(2, 1, 1)).apply(found)
    assert_array_equal(found < 0, there < 0)
    assert set(np.unique(found)) == {-1, 0, 3, 6, 9, 12, 15, 18}


def test_pictures_with_channels_are_carried_too():
    (labels, image), (truth, image_after) = scene((0, 4, -3))
    pair = [np.stack([one[7], one[7] * 0.5], axis=-1) for one in (image, image_after)]
    found = np.zeros_like(labels[7])
    carry_objects(labels[7], found.copy(), *pair, channel_axis=-1).apply(found)
    for value in np.unique(labels[7][labels[7] > 0]):
        assert dice(found == value, truth[7] == value) > 0.85


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"objects": [3]}, "3 is in the next time point already"),
        ({"objects": [99]}, "Object 99 is not in these labels"),
        ({"objects": [6], "locked": [6]}, "Object 6 is locked"),
        ({"following": np.zeros((3, 3), np.uint16)}, "following has the shape"),
    ],
)
def test_what_cannot_be_carried_is_refused(change, message):
    (labels, image), (truth, image_after) = scene((0, 0, 0))
    following = change.pop("following", np.where(truth == 3, 3, 0).astype(np.uint16))
    with pytest.raises(InputError, match=message):
        carry_objects(labels, following, image, image_after, **change)
    with pytest.raises(InputError, match="all of them are in the next"):
        carry_objects(labels, truth, image, image_after)
