import itertools

import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage import data, filters, measure

from napari_seedbed.core.progress import running
from napari_seedbed.core.regions.splitting import split_touching
from napari_seedbed.errors import Cancelled, InputError


def balls(shape, centres, radius, spacing):
    grid = np.indices(shape).transpose(*range(1, len(shape) + 1), 0) * spacing
    return [np.linalg.norm(grid - np.array(c), axis=-1) < radius for c in centres]


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.25, 0.25), (2.0, 0.5)])
def test_two_discs_are_cut_where_they_touch(spacing):
    extent = np.array([40.0, 60.0])
    shape = tuple((extent / spacing).astype(int))
    one, two = balls(shape, [(20, 20), (20, 37)], 11, spacing)
    found = split_touching(one | two, 2.0, spacing)
    assert found.max() == 2
    assert np.array_equal(found > 0, one | two)
    for disc, other in ((one, two), (two, one)):
        values = found[disc & ~other]
        assert np.mean(values == np.bincount(values).argmax()) > 0.98


def test_two_balls_in_an_anisotropic_volume_are_cut():
    spacing = (3.0, 1.0, 1.0)
    one, two = balls((14, 40, 60), [(20, 20, 20), (20, 20, 37)], 11, spacing)
    assert split_touching(one | two, 2.0, spacing).max() == 2


def test_a_neck_that_is_not_deep_enough_stays():
    one, two = balls((40, 60), [(20, 20), (20, 37)], 11, (1, 1))
    # From 11 in the middles to about 7 in the neck.
    assert split_touching(one | two, 5).max() == 1


def test_labels_that_touch_are_never_joined():
    labels = np.zeros((20, 40), int)
    labels[:, :20], labels[:, 20:] = 7, 3
    found = split_touching(labels, 100)
    pairs = set(zip(found.ravel().tolist(), labels.ravel().tolist(), strict=True))
    assert len(pairs) == 2


def test_small_objects_stay_however_large_the_depth():
    mask = np.zeros((9, 9), bool)
    mask[1, 1] = mask[5:7, 5:7] = True
    found = split_touching(mask, 50)
    assert np.array_equal(found > 0, mask)
    assert found.max() == 2


def test_no_voxel_is_lost_or_won():
    mask = data.binary_blobs(128, rng=0)
    assert np.array_equal(split_touching(mask, 0.5) > 0, mask)


def test_coins_that_do_not_touch_are_left_alone():
    image = filters.gaussian(data.coins()[160:], 2)
    mask = image > filters.threshold_otsu(image)
    expected = measure.label(mask, connectivity=1).max()
    assert split_touching(mask, 8).max() == expected


def test_cancel_between_objects():
    calls = itertools.count()
    with running(should_stop=lambda: next(calls) > 1), pytest.raises(Cancelled):
        split_touching(data.binary_blobs(128, rng=0))


def test_an_image_without_objects_gives_none():
    assert not split_touching(np.zeros((5, 6), bool)).any()


def test_grey_values_are_refused():
    with pytest.raises(InputError, match="whole numbers"):
        split_touching(np.zeros((5, 6)))


def rough_pair(rng):
    """Two discs that touch, with bitten borders, and specks around them."""
    one, two = balls((90, 130), [(45, 40), (45, 79)], 22, (1, 1))
    pair = one | two
    border = measure.label(pair) != ndi.minimum_filter(measure.label(pair), 5)
    pair &= ~(border & (rng.random(pair.shape) < 0.5))
    specks = (rng.random(pair.shape) < 0.01) & ~ndi.binary_dilation(one | two, iterations=3)
    return one, two, pair | specks


def test_smoothing_and_a_smallest_size_leave_the_objects(rng):
    one, two, mask = rough_pair(rng)
    assert split_touching(mask, 0.5).max() > 20
    for options in ({"smallest": 200.0}, {"smallest": 200.0, "sigma": 2.0}):
        found = split_touching(mask, 0.5, **options)
        assert np.bincount(found.ravel())[1:].min() >= 200
        for disc, other in ((one, two), (two, one)):
            values = found[disc & ~other & mask & (found > 0)]
            assert np.mean(values == np.bincount(values).argmax()) > 0.95
    assert found.max() == 2


def test_no_object_is_smaller_than_the_smallest_and_none_large_enough_is_lost(rng):
    mask = ndi.gaussian_filter(rng.random((20, 60, 60)), 1.5) > 0.52
    spacing, smallest = (2.0, 0.5, 0.5), 40.0
    found = split_touching(mask, 0.3, spacing, smallest=smallest)
    pieces, count = ndi.label(mask)
    sizes = ndi.sum_labels(mask, pieces, range(count + 1)) * np.prod(spacing)
    large = (sizes >= smallest)[pieces] & mask
    np.testing.assert_array_equal(found > 0, large)
    parts = np.bincount(found.ravel())[1:] * np.prod(spacing)
    assert (parts >= smallest).all()
    assert found.max() >= (sizes >= smallest).sum()
    np.testing.assert_array_equal(np.unique(found), np.arange(found.max() + 1))
