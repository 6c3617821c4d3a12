"""Seeded segmentation in blocks, beside that in memory."""

import pickle

import numpy as np
import pytest
import zarr
from scipy import ndimage as ndi

from napari_seedbed.core import BlockedSegmenter, SeededSegmenter, running
from napari_seedbed.core.seeded import blocked_segmenter, seeded_segmenter
from napari_seedbed.core.seeded.stored_volumes import run_here
from napari_seedbed.errors import Cancelled, InputError

BACKGROUND = 7


def bodies(shape=(44, 60, 62)):
    """Six balls, one of which nobody marks, strokes as places and labels, and the truth."""
    grid = np.meshgrid(*map(np.arange, shape), indexing="ij", sparse=True)
    centres = ((12, 14, 14), (12, 14, 40), (14, 42, 16), (30, 44, 44), (32, 16, 18), (33, 18, 48))
    truth = np.zeros(shape, np.int32)
    for number, centre in enumerate(centres, start=1):
        truth[sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) < 10**2] = number
    image = 300 + 1500 * ndi.gaussian_filter((truth > 0).astype(float), 1)
    image += np.random.default_rng(0).normal(0, 250, shape)
    strokes = [
        (c[0], c[1], c[2] + d, n) for n, c in enumerate(centres[:5], 1) for d in range(-3, 4)
    ]
    lines = ((22, 29), (3, 56), (40, 3), (41, 31), (4, 28), (22, 3), (22, 57))
    strokes += [(z, y, x, BACKGROUND) for z, y in lines for x in range(62)]
    # Two labels in one basin.
    strokes += [(14, 42, 21, 2)]
    *places, labels = np.array(strokes).T
    return image.astype(np.uint16), np.stack(places, 1), labels, truth


def stroke_volume(shape, places, labels):
    seeds = np.zeros(shape, np.int32)
    seeds[tuple(places.T)] = labels
    return seeds


def blocked(image, block, **options):
    shape = image.shape
    stores = np.full(shape, -5, np.int32), np.full(shape, -5, np.int32)
    return BlockedSegmenter(image, *stores, block, **options)


def whole(found):
    labels = np.empty(found.grid.shape, np.int32)
    for number, region in enumerate(found.grid.regions):
        labels[region] = found.block(number)
    return labels


@pytest.mark.parametrize("spacing", [None, (2.0, 1, 1)], ids=["cubes", "thick planes"])
@pytest.mark.parametrize("background", [[], [BACKGROUND]], ids=["all objects", "background"])
def test_labels_are_those_in_memory_and_no_seam_shows(monkeypatch, spacing, background):
    monkeypatch.setattr(seeded_segmenter, "MOST_VOXELS_WALKED", 0)
    image, places, labels, _ = bodies()
    outside = np.zeros(image.shape, bool)
    outside[:, :, 57:] = True
    inside = ~outside[tuple(places.T)]
    places, labels = places[inside], labels[inside]
    seeds = stroke_volume(image.shape, places, labels)
    seeds[outside] = -1
    expected = SeededSegmenter(image, spacing, background=background or None).solve(seeds)
    segmenter = blocked(image, (16, 32, 24), spacing=spacing, outside=outside)
    found = segmenter.solve(places, labels, background=background)
    result = whole(found)
    # Sums in another order are rounded otherwise.
    assert np.count_nonzero(result != expected) < 1e-5 * result.size
    np.testing.assert_array_equal(result == 0, outside)
    region = (slice(3, 40), slice(10, 11), slice(20, 60))
    np.testing.assert_array_equal(found.read(region), result[region])
    np.testing.assert_array_equal(whole(found.settled(run_here)), result)


def dice(labels, truth, label):
    own, right = labels == label, truth == label
    return 2 * np.count_nonzero(own & right) / (own.sum() + right.sum())


def test_one_more_stroke_paints_what_changes_and_shows_the_slice_in_view_first():
    image, places, labels, truth = bodies()
    segmenter = blocked(image, (11, 20, 16))
    first = whole(segmenter.solve(places, labels, background=[BACKGROUND]))
    new = np.array([(33, 18, x) for x in range(45, 52)])
    more = np.concatenate([places, new]), np.concatenate([labels, np.full(len(new), 6)])
    looks = []
    with running(report=lambda told: told.preview and looks.append(told.preview)):
        later = segmenter.solve(*more, background=[BACKGROUND], view=(0, 33), anew=False)
    result = whole(later)
    assert (first != 6).all()
    assert min(dice(result, truth, label) for label in range(1, 7)) > 0.85
    # The second label had flooded the body that had no stroke.
    assert min(dice(result, first, label) for label in (1, 3, 4, 5)) > 0.98
    assert (looks[0].axis, looks[0].index) == (0, 33)
    assert np.count_nonzero(looks[0].labels != result[33]) < 0.01 * result[33].size
    assert later.grid.numbers_at(new.T)[0] in later.changed
    unchanged = [n for n in range(len(later.grid.regions)) if n not in later.changed]
    assert len(unchanged) > 5
    for number in unchanged:
        region = later.grid.region(number)
        np.testing.assert_array_equal(result[region], first[region])
    # What a cancelled solve has painted already is painted again.
    stop = []

    def cancel_late(told):
        if told.message == "Painting" and told.fraction > 0.8:
            stop.append(told)

    with pytest.raises(Cancelled), running(report=cancel_late, should_stop=lambda: bool(stop)):
        segmenter.solve(places, labels, background=[BACKGROUND], anew=False)
    again = segmenter.solve(*more, background=[BACKGROUND], anew=False)
    np.testing.assert_array_equal(whole(again), result)
    back = segmenter.solve(places, labels, background=[BACKGROUND], anew=False)
    assert np.count_nonzero(whole(back) != first) < 1e-3 * image.size


def test_an_image_of_few_voxels_is_walked_voxel_by_voxel_as_in_memory():
    image, places, labels, _ = bodies()
    image = image[12]
    here = (places[:, 0] == 12) & np.isin(labels, [1, 2])
    places, labels = places[here][:, 1:], labels[here]
    expected = SeededSegmenter(image).solve(stroke_volume(image.shape, places, labels))
    stores = np.empty((1, *image.shape), np.int32), np.empty((1, *image.shape), np.int32)
    segmenter = BlockedSegmenter(image, *stores, (1, 32, 32))
    np.testing.assert_array_equal(whole(segmenter.solve(places, labels))[0], expected)


def test_wrong_seeds_and_images_are_refused_and_a_solve_ends_when_it_should(monkeypatch):
    image, places, labels, _ = bodies()
    segmenter = blocked(image, (22, 30, 31))
    for given, message in (
        ((places[:0], labels[:0]), "hold no seeds"),
        ((places[:3], labels[:3]), r"only one label \(1\)"),
        ((places + 30, labels), r"outside of the image, whose shape is \(44, 60, 62\)"),
        ((places, labels - 1), "must be 1 or more"),
        ((places[:, :2], labels), "3 for each of the"),
    ):
        with pytest.raises(InputError, match=message):
            segmenter.solve(*given)
    with pytest.raises(InputError, match="complex"):
        blocked(image.astype(complex), (22, 30, 31))
    with running(should_stop=lambda: True), pytest.raises(Cancelled):
        segmenter.solve(places, labels, background=[BACKGROUND])
    monkeypatch.setattr(blocked_segmenter, "MOST_WALKS", 100)
    with pytest.raises(InputError, match="more than 100 walks at once"):
        segmenter.solve(places, labels, background=[BACKGROUND])


def pickled_tasks(function, tasks, *shared):
    """Run tasks as other processes would, of which some are lost after their task is done.

    All that tasks are given comes out of a pickle, and each is done twice.
    """
    for task in tasks:
        call, own, *others = pickle.loads(pickle.dumps((function, task, *shared)))
        call(own, *others)
        yield pickle.loads(pickle.dumps(call(own, *others)))


def test_tasks_may_run_in_other_processes(tmp_path):
    image, places, labels, _ = bodies()
    stores = [
        zarr.create_array(tmp_path / name, shape=image.shape, chunks=(22, 30, 31), dtype=dtype)
        for name, dtype in (("image", image.dtype), ("basins", np.int32), ("painted", np.int32))
    ]
    stores[0][:] = image
    segmenter = BlockedSegmenter(*stores, (22, 30, 31), run=pickled_tasks)
    found = segmenter.solve(places, labels, background=[BACKGROUND])
    here = blocked(image, (22, 30, 31)).solve(places, labels, background=[BACKGROUND])
    np.testing.assert_array_equal(whole(found), whole(here))
