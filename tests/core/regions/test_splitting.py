import itertools

import numpy as np
import pytest
from skimage import data, filters, measure

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
    with pytest.raises(Cancelled):
        split_touching(data.binary_blobs(128, rng=0), should_stop=lambda: next(calls) > 1)


def test_an_image_without_objects_gives_none():
    assert not split_touching(np.zeros((5, 6), bool)).any()


def test_grey_values_are_refused():
    with pytest.raises(InputError, match="whole numbers"):
        split_touching(np.zeros((5, 6)))
