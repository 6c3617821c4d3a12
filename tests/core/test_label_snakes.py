"""Many objects that move at once: alone as one snake, together without eating each other."""

import itertools

import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_seedbed.core.label_snakes import evolve_labels
from napari_seedbed.core.morphological_snakes import (
    evolve_chan_vese,
    evolve_geodesic,
)
from napari_seedbed.core.snake_inputs import (
    disk_level_set,
    inverse_gaussian_gradient,
)
from napari_seedbed.core.stop_reasons import LIMIT, SETTLED, SHRUNK_AWAY
from napari_seedbed.errors import Cancelled, InputError

# Two discs that touch, and a third one.
CENTRES, RADIUS = [(30, 30), (30, 52), (60, 80)], 12


def scene(shape=(90, 110), start_radius=5, centres=CENTRES):
    """Noisy bright discs, and small labels in their middles."""
    image, labels = np.zeros(shape), np.zeros(shape, np.int32)
    for number, centre in enumerate(centres, start=1):
        image[disk_level_set(shape, center=centre, radius=RADIUS) > 0] = 1
        labels[disk_level_set(shape, center=centre, radius=start_radius) > 0] = number
    image += 0.1 * np.random.default_rng(0).normal(size=shape)
    return image, labels


def soft_image(shape):
    image = ndi.gaussian_filter(np.random.default_rng(0).random(shape), 2)
    return (image - image.min()) / np.ptp(image)


@pytest.mark.parametrize("shape", [(60, 90), (24, 40, 70)], ids=str)
@pytest.mark.parametrize("smoothing", [0, 1, 2])
def test_one_label_seeks_regions_as_one_snake(shape, smoothing):
    image, start = soft_image(shape), disk_level_set(shape, radius=6)
    alone = evolve_chan_vese(image, start, num_iter=25, smoothing=smoothing, lambda2=1.5)
    labels = evolve_labels(
        image, 7 * start.astype(int), num_iter=25, smoothing=smoothing, lambda2=1.5
    )
    for expected, state in zip(alone, labels, strict=False):
        np.testing.assert_array_equal(state.labels, 7 * expected.level_set)


@pytest.mark.parametrize("shape", [(60, 90), (24, 40, 70)], ids=str)
@pytest.mark.parametrize("balloon", [-1, 0, 1])
def test_one_label_seeks_edges_as_one_snake(shape, balloon):
    edges = inverse_gaussian_gradient(soft_image(shape), 100, 1.5)
    start = disk_level_set(shape, radius=8)
    alone = evolve_geodesic(edges, start, num_iter=20, balloon=balloon)
    labels = evolve_labels(edges, start.astype(int), "edges", num_iter=20, balloon=balloon)
    for expected, state in zip(alone, labels, strict=False):
        np.testing.assert_array_equal(state.labels, expected.level_set)


def test_objects_fill_their_discs_and_meet_at_a_line():
    image, labels = scene()
    *_, last = evolve_labels(image, labels, num_iter=200)
    assert last.reason == SETTLED
    assert last.lost == ()
    for number, centre in enumerate(CENTRES, start=1):
        truth = disk_level_set(image.shape, center=centre, radius=RADIUS) > 0
        found = last.labels == number
        assert 2 * (truth & found).sum() / (truth.sum() + found.sum()) > 0.9
    first, second = (ndi.binary_dilation(last.labels == n) for n in (1, 2))
    assert (first & second & (last.labels == 0)).any()


def test_no_label_takes_what_another_has():
    image, labels = scene()
    for before, after in itertools.pairwise(evolve_labels(image, labels, num_iter=60)):
        both = (before.labels > 0) & (after.labels > 0)
        np.testing.assert_array_equal(before.labels[both], after.labels[both])
        assert after.changed == (before.labels != after.labels).sum()


def test_the_order_of_labels_does_not_matter():
    image, labels = scene()
    renamed = np.array([0, 9, 4, 2])
    *_, one = evolve_labels(image, labels, num_iter=60)
    *_, other = evolve_labels(image, renamed[labels], num_iter=60)
    np.testing.assert_array_equal(other.labels, renamed[one.labels])


def test_labels_that_begin_side_by_side_keep_their_border():
    image = np.zeros((40, 60))
    image[10:30, 10:50] = 1
    labels = np.zeros((40, 60), int)
    labels[15:25, 20:30], labels[15:25, 30:40] = 1, 2
    *_, last = evolve_labels(image, labels, num_iter=60)
    assert set(np.unique(last.labels[:, :29])) == {0, 1}
    assert set(np.unique(last.labels[:, 31:])) == {0, 2}


def test_what_shrinks_to_nothing_is_reported():
    flat = np.ones((40, 60))
    labels = np.zeros((40, 60), int)
    labels[5:9, 5:9], labels[12:30, 20:45] = 3, 8
    states = list(evolve_labels(flat, labels, "edges", num_iter=50, threshold=0.5, balloon=-1))
    gone = [state.iteration for state in states if state.lost == (3,)]
    assert gone
    assert states[-1].lost == (3, 8)
    assert states[-1].reason == SHRUNK_AWAY


def test_channels_count_together():
    image, labels = scene()
    noise = 0.5 * np.random.default_rng(1).normal(size=image.shape)
    # The discs show in the difference of the channels only as far as both are looked at.
    pair = np.stack([image + noise, image - noise])
    *_, last = evolve_labels(pair, labels, num_iter=60, channel_axis=0)
    truth = sum(disk_level_set(image.shape, center=c, radius=RADIUS) for c in CENTRES) > 0
    assert ((last.labels > 0) != truth).mean() < 0.03


def test_it_ends_at_the_limit_and_can_be_cancelled():
    image, labels = scene()
    *_, last = evolve_labels(image, labels, num_iter=2)
    assert (last.iteration, last.reason) == (2, LIMIT)
    asked = iter([False] * 5 + [True] * 99)
    with pytest.raises(Cancelled):
        list(evolve_labels(image, labels, num_iter=50, should_stop=asked.__next__))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seek": "lines"}, "seek is 'lines'"),
        ({"labels": np.zeros((90, 110), int)}, "at least one object"),
        ({"labels": -np.ones((90, 110), int)}, "labels must be 0 or more"),
        ({"labels": np.ones((9, 9), int)}, "labels has the shape"),
        ({"labels": np.ones((90, 110))}, "hold integers"),
        ({"num_iter": -1}, "num_iter must be .* got -1"),
        ({"lambda2": -1}, "lambda2 must be .* got -1"),
        ({"seek": "edges", "threshold": "low"}, "threshold is 'low'"),
        ({"seek": "edges", "channel_axis": 0}, "edge map"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    image, labels = scene()
    with pytest.raises(InputError, match=message):
        evolve_labels(**{"image": image, "labels": labels, "num_iter": 5} | options)
