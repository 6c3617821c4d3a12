"""Many objects that move at once: alone as one snake, together without eating each other."""

import itertools

import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_seedbed.core.progress import running
from napari_seedbed.core.snakes.label_snakes import evolve_labels
from napari_seedbed.core.snakes.morphological_snakes import (
    evolve_chan_vese,
    evolve_geodesic,
)
from napari_seedbed.core.snakes.snake_inputs import (
    disk_level_set,
    inverse_gaussian_gradient,
)
from napari_seedbed.core.snakes.stop_reasons import CONVERGED, LIMIT, SHRUNK_AWAY
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
    assert last.reason == CONVERGED
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


def test_states_keep_their_labels_whenever_they_are_asked():
    image, labels = scene()
    asked_at_once = [state.labels for state in evolve_labels(image, labels, num_iter=40)]
    states = list(evolve_labels(image, labels, num_iter=40))
    asked_late = [state.labels for state in reversed(states)][::-1]
    np.testing.assert_array_equal(asked_late, asked_at_once)
    np.testing.assert_array_equal(asked_late[0], labels)


def test_changing_what_a_state_gave_changes_no_state():
    image, labels = scene()
    expected = [state.labels for state in evolve_labels(image, labels, num_iter=10)]
    for state, wanted in zip(evolve_labels(image, labels, num_iter=10), expected, strict=True):
        np.testing.assert_array_equal(state.labels, wanted)
        state.labels[:] = 9


def test_a_large_object_on_all_cores_moves_as_one_snake():
    shape = (70, 200, 200)
    image = disk_level_set(shape, radius=33) + 0.3 * np.random.default_rng(0).normal(size=shape)
    start = np.zeros(shape, np.int8)
    start[5:65, 5:195, 5:195] = 1
    *_, expected = evolve_chan_vese(image, start, num_iter=6)
    *_, last = evolve_labels(image, start, num_iter=6)
    np.testing.assert_array_equal(last.labels, expected.level_set)


# --- near and far -------------------------------------------------------------------------------


def blobs_on_a_ramp():
    """Bright discs on a steep background, half of them with a label inside, and the truth."""
    shape = (120, 240)
    image = np.broadcast_to(np.linspace(0, 8, shape[1]), shape).copy()
    image += 0.1 * np.random.default_rng(0).normal(size=shape)
    labels, truth = np.zeros((2, *shape), np.int32)
    for number, x in enumerate((30, 90, 150, 210), start=1):
        drawn = disk_level_set(shape, center=(30, x), radius=14) > 0
        image[drawn] += 2
        truth[drawn] = number
        labels[disk_level_set(shape, center=(30, x), radius=8) > 0] = number
        image[disk_level_set(shape, center=(90, x), radius=14) > 0] += 6
    return image, labels, truth


def overlaps(found, truth):
    """Return the intersection over union of each object."""
    pairs = [(found == n, truth == n) for n in np.unique(truth)[1:]]
    return [(a & b).sum() / (a | b).sum() for a, b in pairs]


def test_what_is_far_away_pulls_only_where_all_free_voxels_count():
    image, labels, truth = blobs_on_a_ramp()
    *_, near = evolve_labels(image, labels, num_iter=100, smoothing=2, outer="near")
    *_, far = evolve_labels(image, labels, num_iter=100, smoothing=2, outer="all")
    assert min(overlaps(near.labels, truth)) > 0.9
    assert min(overlaps(far.labels, truth)) < 0.5


def test_the_order_of_labels_does_not_matter_where_what_is_near_counts():
    image, labels, _ = blobs_on_a_ramp()
    renamed = np.array([0, 9, 4, 2, 3])
    *_, one = evolve_labels(image, labels, num_iter=30, outer="near")
    *_, other = evolve_labels(image, renamed[labels], num_iter=30, outer="near")
    np.testing.assert_array_equal(other.labels, renamed[one.labels])


def test_what_is_near_is_what_the_box_of_an_object_says():
    # Free voxels are 0 near the object, and 10 from its own size away on: only where all count
    # are the 2 beside the object closer to its own mean of 6.
    image = np.full((60, 200), 10.0)
    image[10:50, 70:130] = 0
    labels = np.zeros(image.shape, int)
    labels[20:40, 90:110] = 1
    image[labels > 0] = 6
    image[20:40, 110:114] = 2
    *_, near = evolve_labels(image, labels, num_iter=1, smoothing=0, outer="near")
    *_, far = evolve_labels(image, labels, num_iter=1, smoothing=0)
    assert not near.labels[30, 110]
    assert far.labels[30, 110]


# --- voxels that are no cubes -------------------------------------------------------------------


@pytest.mark.parametrize("spacing", [(3, 1, 1), (1, 1, 2.5), (2, 3, 1)], ids=str)
@pytest.mark.parametrize("seek", ["regions", "edges"])
def test_one_label_of_flat_voxels_moves_as_one_snake(seek, spacing):
    shape = (24, 40, 70)
    image, start = soft_image(shape), disk_level_set(shape, radius=8)
    options = {"num_iter": 40, "smoothing": 2, "spacing": spacing}
    if seek == "regions":
        alone = evolve_chan_vese(image, start, **options)
    else:
        image = inverse_gaussian_gradient(image, 100, 1.5)
        options["balloon"] = 1
        alone = evolve_geodesic(image, start, **options)
    for expected, state in zip(
        alone, evolve_labels(image, start.astype(int), seek, **options), strict=False
    ):
        np.testing.assert_array_equal(state.labels, expected.level_set)


@pytest.mark.parametrize("outer", ["all", "near"])
def test_axes_may_come_in_any_order(outer):
    image = (200 * soft_image((14, 24, 40))).astype(np.uint8)
    labels = ndi.label(image > 120)[0]
    expected = list(evolve_labels(image, labels, num_iter=20, outer=outer, spacing=(3, 2, 1)))
    result = evolve_labels(
        image.transpose(2, 0, 1),
        labels.transpose(2, 0, 1),
        num_iter=20,
        outer=outer,
        spacing=(1, 3, 2),
    )
    for before, after in zip(expected, result, strict=True):
        np.testing.assert_array_equal(after.labels, before.labels.transpose(2, 0, 1))


def test_a_bad_spacing_is_named():
    image, labels = scene()
    with pytest.raises(InputError, match="spacing"):
        evolve_labels(image, labels, num_iter=5, spacing=(1, -1))


# --- ends and errors ----------------------------------------------------------------------------


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
    with running(should_stop=asked.__next__), pytest.raises(Cancelled):
        list(evolve_labels(image, labels, num_iter=50))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seek": "lines"}, "seek is 'lines'"),
        ({"outer": "far"}, "outer is 'far'"),
        ({"labels": np.zeros((90, 110), int)}, "at least one object"),
        ({"labels": -np.ones((90, 110), int)}, "labels must be 0 or more"),
        ({"labels": np.ones((9, 9), int)}, "labels has the shape"),
        ({"labels": np.ones((90, 110))}, "hold whole numbers"),
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
