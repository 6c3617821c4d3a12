"""Planted changes are found, boxed and listed, and noise is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage as ndi
from skimage import io

from napari_seedbed.core import (
    change_mask,
    compare_images,
    difference_noise,
    image_difference,
    list_changes,
)
from napari_seedbed.errors import InputError


@pytest.fixture
def planted(rng):
    """A noisy difference with three planted changes, and where they are."""
    difference = rng.normal(2, 3, (200, 300))
    truth = np.zeros(difference.shape, bool)
    truth[20:30, 40:60] = truth[100:104, 200:203] = truth[150:190, 10:12] = True
    difference[truth] += 60
    return difference, truth


def test_the_noise_is_that_of_what_did_not_change(planted):
    noise = difference_noise(planted[0])
    assert noise.centre == pytest.approx(2, abs=0.05)
    assert noise.sigma == pytest.approx(3, rel=0.02)
    absolute = difference_noise(np.abs(planted[0] - 2), mode="absolute")
    assert (absolute.centre, absolute.sigma) == (0, pytest.approx(3, rel=0.02))


def test_planted_changes_are_found_and_nothing_else(planted):
    difference, truth = planted
    assert np.array_equal(change_mask(difference), truth)
    assert np.array_equal(change_mask(-difference), truth)
    assert np.array_equal(change_mask(np.abs(difference - 2), mode="absolute"), truth)


@given(gain=st.floats(0.01, 100), offset=st.floats(-100, 100))
def test_the_mask_follows_gain_and_offset(gain, offset):
    difference = np.random.default_rng(3).normal(size=(60, 70))
    difference[10:15, 10:20] += 30
    expected = change_mask(difference)
    assert np.array_equal(change_mask(gain * difference + offset), expected)


def test_half_and_double_are_equal_changes(rng):
    ratio = np.exp(rng.normal(0, 0.02, (100, 100)))
    ratio[:5], ratio[-5:] = 2, 0.5
    ratio[50, 50] = 0
    found = change_mask(ratio, mode="ratio")
    assert found[:5].all()
    assert found[-5:].all()
    assert found[50, 50]
    assert found.sum() == 1001
    assert not change_mask(ratio, mode="ratio", min_difference=1.5)[:5].any()


def test_without_noise_every_difference_counts_unless_it_is_small():
    difference = np.zeros((20, 20))
    difference[3, 3], difference[8, 8] = 1, -9
    assert change_mask(difference).sum() == 2
    assert np.argwhere(change_mask(difference, min_difference=1)).tolist() == [[8, 8]]
    assert not change_mask(np.zeros((4, 4))).any()
    assert not change_mask(np.full((4, 4), 5)).any()


def test_pixels_outside_the_mask_neither_count_nor_change(planted):
    difference, truth = planted
    difference[:, 250:] = 1e6
    inside = np.ones(difference.shape, bool)
    inside[:, 250:] = False
    assert np.array_equal(change_mask(difference, mask=inside), truth)


def test_changes_are_boxed_and_measured_in_physical_units(planted):
    difference, truth = planted
    found = list_changes(truth, spacing=(2, 0.5), unit="um", difference=difference)
    assert found.boxes.tolist() == [
        [[20, 40], [30, 60]],
        [[100, 200], [104, 203]],
        [[150, 10], [190, 12]],
    ]
    assert found.table["area"].tolist() == [200, 12, 80]
    assert found.table["mean_intensity"] == pytest.approx([62] * 3, abs=1.5)
    assert np.array_equal(found.labels > 0, truth)


def test_small_changes_are_left_out_and_the_rest_numbered_through(planted):
    found = list_changes(planted[1], 30, spacing=1)
    assert found.table["label"].tolist() == [1, 2]
    assert found.table["area"].tolist() == [200, 80]
    assert found.labels[101, 201] == 0


def test_pieces_near_each_other_are_one_change():
    mask = np.zeros((40, 40), bool)
    mask[10, 10], mask[10, 14], mask[30, 30] = True, True, True
    assert len(list_changes(mask).boxes) == 3
    assert list_changes(mask, max_gap=4).boxes.tolist() == [
        [[10, 10], [11, 15]],
        [[30, 30], [31, 31]],
    ]
    assert len(list_changes(mask, max_gap=4, spacing=2).boxes) == 3
    assert np.array_equal(list_changes(mask, max_gap=4).labels > 0, mask)


def test_volumes_touch_at_corners_too():
    mask = np.zeros((4, 5, 6), bool)
    mask[1, 1, 1] = mask[2, 2, 2] = True
    found = list_changes(mask, spacing=(3, 1, 1))
    assert found.boxes.tolist() == [[[1, 1, 1], [3, 3, 3]]]
    assert found.table["volume"].tolist() == [6]


def test_no_change_is_an_empty_list():
    found = list_changes(np.zeros((5, 5), bool), max_gap=2, difference=np.zeros((5, 5)))
    assert found.boxes.shape == (0, 2, 2)
    assert not found.labels.any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: change_mask(np.ones((4, 4)), -1), "n_mads"),
        (lambda: change_mask(np.ones((4, 4)), mode="xor"), "mode"),
        (lambda: change_mask(np.ones((4, 4)), mask=np.zeros((4, 4), bool)), "mask is empty"),
        (lambda: change_mask(np.ones((4, 4)), mask=np.zeros((4, 5), bool)), "mask"),
        (lambda: change_mask(np.full((4, 4), np.nan)), "NaN"),
        (lambda: list_changes(np.zeros(5, bool)), "mask has 1 axes"),
        (lambda: list_changes(np.zeros((5, 5), bool), -1), "min_size"),
        (lambda: list_changes(np.zeros((5, 5), bool), max_gap=-1), "max_gap"),
        (lambda: list_changes(np.zeros((5, 5), bool), spacing=0), "spacing"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_changes_planted_into_a_photograph_taken_again(shared_data, rng):
    image = io.imread(shared_data / "tutorial" / "Bells-Beach.jpg").astype(float)
    inner = np.s_[40:-40, 40:-40]
    again = ndi.shift(image, (3.4, -5.7, 0), order=3, mode="mirror")[inner] * 0.9 + 10
    boxes = [np.s_[300:320, 500:530], np.s_[600:612, 200:215], np.s_[100:130, 900:905]]
    again[boxes[0]], again[boxes[1]] = (200, 30, 30), (250, 250, 250)
    again[boxes[2]] += 40
    pair = [
        np.clip(picture + rng.normal(0, 1, picture.shape), 0, 255).astype(np.uint8)
        for picture in (image[inner], again)
    ]
    found = compare_images(
        *pair, channel_axis=-1, channels="largest", register="shift", match="percentiles"
    )
    changed = change_mask(found.difference, mask=found.covered)
    listed = list_changes(changed, 30, max_gap=3)
    # Boxes are on the first image's grid, where the content lies elsewhere.
    assert len(listed.boxes) == 3
    wanted = np.array([[[b[0].start, b[1].start], [b[0].stop, b[1].stop]] for b in boxes])
    wanted = wanted[np.argsort(wanted[:, 0, 0])] - [3.4, -5.7]
    assert np.abs(listed.boxes - wanted).max() < 5


def _pair(folder, number):
    return [io.imread(folder / "pairs" / f"pixelmatch_{number}{k}.png")[..., :3] for k in "ab"]


def test_the_word_that_moved_is_found_among_edges_drawn_a_little_otherwise(shared_data):
    truth = io.imread(shared_data / "pairs" / "pixelmatch_1diffmask.png")[..., 3] > 0
    difference = image_difference(*_pair(shared_data, 1), channel_axis=-1, channels="largest")
    changed = change_mask(difference, min_difference=32)
    # Of what is marked by hand nearly all is found, and nothing far from it.
    assert changed[truth].mean() > 0.75
    found = list_changes(changed, 20, max_gap=3)
    (largest,) = list_changes(truth, 20, max_gap=3).boxes
    assert len(found.boxes) == 1
    assert np.abs(found.boxes[0] - largest).max() <= 2


def test_the_lake_that_disappeared_is_the_largest_change(shared_data):
    a, b = _pair(shared_data, 2)
    lake = ndi.binary_opening((a[..., 2] > 225) & (a[..., 0] < 195), iterations=3)
    difference = image_difference(a, b, channel_axis=-1, channels="largest")
    found = list_changes(change_mask(difference, min_difference=32))
    largest = 1 + int(np.argmax(found.table["area"]))
    assert (found.labels == largest)[lake].mean() > 0.95  # words are drawn over some of it
    assert lake[found.labels == largest].mean() > 0.6
