"""Objects linked through time, against moving discs whose numbers are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from napari_seedbed.core.tracking.links import link_objects
from napari_seedbed.errors import InputError


def discs(shape, centres, radius=6):
    """Return labels of balls; the number of a centre is its key."""
    out = np.zeros(shape, np.int32)
    grid = np.indices(shape)
    for value, centre in centres.items():
        away = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True))
        out[away <= radius**2] = value
    return out


@given(
    seed=st.integers(0, 1000),
    ndim=st.sampled_from((2, 3)),
    dtype=st.sampled_from((np.uint8, np.uint16, np.int64)),
)
def test_moving_discs_keep_their_number_whatever_they_were_called(seed, ndim, dtype):
    rng = np.random.default_rng(seed)
    shape = (40, 50) if ndim == 2 else (9, 40, 50)
    lead = (4,) * (ndim - 2)
    starts = {n + 1: (10 + 18 * (n // 2), 12 + 24 * (n % 2)) for n in range(4)}
    truth, given_labels = [], []
    for _ in range(4):
        truth.append(discs(shape, {n: (*lead, *c) for n, c in starts.items()}))
        names = np.append(0, rng.permutation(np.arange(1, 40))[:4])
        given_labels.append(names[truth[-1]].astype(dtype))
        starts = {n: tuple(np.array(c) + rng.integers(-2, 3, 2)) for n, c in starts.items()}
    given_labels[0] = truth[0].astype(dtype)
    linked = link_objects(np.stack(given_labels))
    assert_array_equal(linked.labels, np.stack(truth))
    assert len(linked.events["time"]) == 0


def test_splits_merges_losses_and_appearances_are_listed_with_their_places():
    shape = (60, 90)
    a, b, c = (15, 15), (15, 45), (45, 20)
    first = discs(shape, {5: a, 6: b, 7: c})
    wide = discs(shape, {7: c})
    wide[41:50, 14:20] = 7
    # 5 divides, 6 is lost, 7 stays, and an object appears.
    second = np.zeros(shape, np.int32)
    second[9:15, 9:22][first[9:15, 9:22] == 5] = 1
    second[16:22, 9:22][first[16:22, 9:22] == 5] = 2
    second[second == 0] = np.where(wide == 7, 3, 0)[second == 0]
    second += discs(shape, {4: (30, 75)}).astype(np.int32)
    # The two halves become one again.
    third = np.where((second == 1) | (second == 2), 9, second)
    third[15, 9:22] = 9
    linked = link_objects(np.stack([first, second, third]))
    events = linked.events
    rows = [
        tuple(events[name][n].item() for name in ("time", "event", "label", "other"))
        for n in range(len(events["time"]))
    ]
    assert sorted(rows) == sorted(
        [(1, "split", 8, 5), (1, "appearance", 9, 0), (1, "loss", 6, 0), (2, "merge", 8, 5)]
    ) or sorted(rows) == sorted(
        [(1, "split", 8, 5), (1, "appearance", 9, 0), (1, "loss", 6, 0), (2, "merge", 5, 8)]
    )
    where = {(row[1]): n for n, row in enumerate(rows)}
    place = [events[f"voxel_{axis}"][where["loss"]] for axis in "yx"]
    np.testing.assert_allclose(place, b)
    place = [events[f"voxel_{axis}"][where["appearance"]] for axis in "yx"]
    np.testing.assert_allclose(place, (30, 75))
    assert (linked.labels[:, 45, 20] == 7).all()


def test_the_best_assignment_is_that_of_all_objects_together():
    # The first old object overlaps the second new one more than the first, but all fit best as
    # they follow each other.
    series = np.zeros((2, 10, 40), np.uint8)
    series[0, :, 0:10], series[0, :, 10:20] = 1, 2
    series[1, :, 4:14], series[1, :, 14:24] = 1, 2
    linked = link_objects(series)
    assert_array_equal(linked.labels, series)


def test_a_small_overlap_is_none_where_more_is_wanted():
    series = np.zeros((2, 10, 40), np.uint8)
    series[0, :, 0:10] = series[1, :, 7:17] = 3
    assert link_objects(series, 0.3).labels.max() == 3
    apart = link_objects(series, 0.31)
    assert set(np.unique(apart.labels[1])) == {0, 4}
    assert apart.events["event"].tolist() == ["appearance", "loss"]


@pytest.mark.parametrize(
    ("first", "dtype", "wanted"),
    [
        ([1, 254], np.uint8, [255, 2, 3]),
        ([*range(1, 255)], np.uint8, [255, 256, 257]),
        ([3, 2**31 - 1], np.int32, [1, 2, 4]),
        ([1, 2**40], np.int64, [2**40 + 1, 2**40 + 2, 2**40 + 3]),
    ],
    ids=["free between", "none free", "int32", "int64"],
)
def test_new_objects_have_numbers_where_the_type_of_the_labels_ends(first, dtype, wanted):
    """Objects of one voxel in a row; three more come below them."""
    series = np.zeros((2, 2, len(first) + 3), dtype)
    series[:, 0, : len(first)] = first
    series[1, 1, [0, 1, 2]] = np.setdiff1d(np.arange(1, 259), first)[:3].astype(dtype)
    if len(first) == 254:
        series[1, 0, 0] = series[1, 0, 2] = 0
        series[1, 1, [0, 1, 2]] = 1, 3, 255
    linked = link_objects(series)
    assert linked.labels[1, 1, :3].tolist() == wanted
    assert linked.labels[0, 0, : len(first)].tolist() == first
    assert linked.events["label"][linked.events["event"] == "appearance"].tolist() == wanted


@pytest.mark.parametrize(
    ("labels", "overlap", "message"),
    [
        (np.zeros((4, 4), int), 0.2, "must be time points"),
        (np.zeros((2, 4, 4)), 0.2, "whole numbers"),
        (np.zeros((2, 4, 4), int), 1.5, "least_overlap is 1.5"),
        (np.full((2, 4, 4), (1 << 64) - 1, np.uint64), 0.2, "Number them anew"),
    ],
)
def test_what_cannot_be_linked_is_refused(labels, overlap, message):
    with pytest.raises(InputError, match=message):
        link_objects(labels, overlap)
