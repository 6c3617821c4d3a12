"""Labels beyond 32 bits: kept as they are, or refused by name; never wrapped around."""

import numpy as np
import pytest

from napari_seedbed import core
from napari_seedbed.core.snakes.label_snakes import evolve_labels
from napari_seedbed.errors import InputError

SHAPE = (16, 20)


def scene():
    """Two bright boxes on a dark ground, and labels of parts of each and of the ground."""
    image = np.random.default_rng(2).normal(0, 0.05, SHAPE)
    image[3:8, 3:9] += 1
    image[9:14, 11:18] += 2
    seeds = np.zeros(SHAPE, np.int64)
    seeds[5, 4:7], seeds[11, 13:16], seeds[1, 1:19] = 1, 2, 3
    return image, seeds


def grown(image, seeds):
    *_, last = evolve_labels(image, np.where(seeds == seeds.max(), 0, seeds), num_iter=3)
    return last.labels


def scores(image, seeds):
    found = core.segmentation_scores(np.roll(seeds, 1, axis=1), seeds)
    return [value for value in found.values() if np.ndim(value) == 0]


KEPT_OR_REFUSED = {
    "random_walker": core.random_walker,
    "RandomWalker": lambda a, s: core.RandomWalker(a).solve(s),
    "seeded_segmentation": core.seeded_segmentation,
    "evolve_labels": grown,
    "measure_objects": lambda a, s: core.measure_objects(s, image=a)["label"],
    "watershed": core.watershed,
    "seeded_watershed": core.seeded_watershed,
    "flood_fill": lambda a, s: core.flood_fill(a, s, 0.3),
    "region_graph": lambda a, s: core.region_graph(s, a).labels,
    "average_colour": lambda a, s: core.average_colour(a, s),
    "split_touching": lambda a, s: core.split_touching(s),
    "label": lambda a, s: core.label(s),
    "count": lambda a, s: core.count(s),
    "skeleton": lambda a, s: core.skeleton(s),
    "relabel_sequential": lambda a, s: core.relabel_sequential(s),
    "keep_largest": lambda a, s: core.keep_largest(s, 2),
    "clear_border": lambda a, s: core.clear_border(s),
    "expand_labels": lambda a, s: core.expand_labels(s, 2),
    "contours_from_labels": lambda a, s: [o.label for o in core.contours_from_labels(s)],
    "resample_labels": lambda a, s: core.resample_labels(s, np.eye(3), SHAPE),
    "segmentation_scores": scores,
}
"""What each does with an image and labels; where it gives labels, they are those given."""


@pytest.mark.parametrize("largest", [2**31 + 1, 2**32 + 1, 2**40, 2**63 + 7])
@pytest.mark.parametrize("name", KEPT_OR_REFUSED)
def test_labels_beyond_32_bits_are_kept_or_refused(name, largest):
    image, seeds = scene()
    expected = np.asarray(KEPT_OR_REFUSED[name](image, seeds))
    dtype = np.uint64 if largest >= 2**63 else np.uint32 if largest < 2**32 else np.int64
    names = np.array([0, largest - 2, largest - 1, largest], dtype)
    message = ""
    try:
        found = np.asarray(KEPT_OR_REFUSED[name](image, names[seeds]))
    except InputError as error:
        message = str(error)
    if message:
        assert str(largest)[:-1] in message
        assert "must" in message
        return
    same = np.array_equal(found, expected)
    assert same or np.array_equal(found, names[expected.astype(int)])


def test_negative_labels_are_no_objects_to_label_count_and_measure():
    labels = np.zeros((6, 12), np.int32)
    labels[1:3, 1:3], labels[1:3, 5:7], labels[4:, 8:] = 4, 9, -1
    for given in (labels, labels.astype(np.int64)):
        _, number = core.label(given, return_num=True)
        assert number == core.count(given) == len(core.measure_objects(given)["label"]) == 2
        assert core.count(given, objects="pieces") == 2
    np.testing.assert_array_equal(core.label(labels) > 0, labels > 0)
    # A background that is named is the only one, as in scikit-image.
    assert core.label(labels, background=0, return_num=True)[1] == 3
