"""One object at a time: what a stroke proposes, and what must never change it."""

import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_seedbed.core import ObjectProposer, SeededSegmenter, running
from napari_seedbed.errors import Cancelled, InputError


def discs():
    """Four discs on a dark ground, the first two of which touch."""
    yy, xx = np.mgrid[:120, :140]
    truth = np.zeros(yy.shape, np.int32)
    for number, (y, x) in enumerate(((30, 30), (30, 61), (80, 40), (85, 100)), start=1):
        truth[(yy - y) ** 2 + (xx - x) ** 2 <= 15**2] = number
    return _noisy(truth, 1.0), truth


def balls():
    """Three balls in a volume of flat voxels; the first two touch."""
    zz, yy, xx = np.mgrid[:30, :80, :80]
    truth = np.zeros(zz.shape, np.int32)
    for number, (z, y, x) in enumerate(((14, 22, 22), (15, 22, 51), (14, 56, 40)), start=1):
        truth[((zz - z) * 2) ** 2 + (yy - y) ** 2 + (xx - x) ** 2 <= 14**2] = number
    return _noisy(truth, [0.5, 1, 1]), truth


def _noisy(truth, sigma):
    lowest = ndi.minimum_filter(np.where(truth == 0, 99, truth), 3)
    walls = lowest < ndi.maximum_filter(truth, 3)
    image = ndi.gaussian_filter((truth > 0) & ~walls, sigma, output=np.float64)
    return image + np.random.default_rng(0).normal(0, 0.08, truth.shape)


def stroke_in(truth, number):
    """A dot of five by five voxels in the middle plane of an object."""
    middle = np.round(np.argwhere(truth == number).mean(axis=0)).astype(int)
    dot = np.stack(np.mgrid[-2:3, -2:3], axis=-1).reshape(-1, 2)
    return np.concatenate([np.tile(middle[:-2], (len(dot), 1)), middle[-2:] + dot], axis=1)


def proposer_for(image, spacing=None, **about):
    return ObjectProposer(SeededSegmenter(image, spacing=spacing), **about)


def dice(proposal, own):
    mask = np.zeros(own.shape, bool)
    mask[proposal.region] = proposal.mask
    return 2 * np.count_nonzero(mask & own) / (mask.sum() + own.sum())


@pytest.mark.parametrize(
    ("scene", "spacing"), [(discs, None), (balls, (2.0, 1.0, 1.0))], ids=["2D", "3D"]
)
def test_one_dot_an_object_gives_all_objects_and_kept_ones_stay(scene, spacing):
    image, truth = scene()
    proposer = proposer_for(image, spacing)
    for number in range(1, truth.max() + 1):
        dot = stroke_in(truth, number)
        found = proposer.propose(dot)
        assert dice(found, truth == number) > 0.9
        assert ndi.label(found.mask)[1] == 1
        before = proposer.objects.copy()
        proposer.keep(number, found)
        assert (proposer.objects[tuple(dot.T)] == number).all()
        np.testing.assert_array_equal(proposer.objects[before > 0], before[before > 0])


def test_proposal_depends_on_image_strokes_and_kept_objects_alone():
    image, truth = discs()
    one, other = proposer_for(image), proposer_for(image)
    for number in (2, 3):
        other.propose(stroke_in(truth, 4))
        for proposer in (one, other):
            proposer.keep(number, proposer.propose(stroke_in(truth, number)))
    taken = other.remove(3)
    other.put_back(taken)
    first, second = (proposer.propose(stroke_in(truth, 1)) for proposer in (one, other))
    assert first.region == second.region
    np.testing.assert_array_equal(first.mask, second.mask)
    np.testing.assert_array_equal(one.objects, other.objects)


def test_looks_are_learnt_from_voxels_alone():
    image, truth = discs()
    proposer = proposer_for(image)
    for number in (1, 2, 3):
        proposer.keep(number, proposer.propose(stroke_in(truth, number)))
    kept = dict(proposer.samples)
    fresh = proposer_for(image)
    fresh.objects = proposer.objects
    fresh.learn({1: (), 2: (), 9: ()})
    assert set(fresh.samples) == {1, 2}
    for number, sample in fresh.samples.items():
        np.testing.assert_array_equal(sample.inside, kept[number].inside)
        assert sample.extent == kept[number].extent
        assert sample.around.shape[1] > 0


def test_strokes_of_object_and_background_hold():
    image, truth = discs()
    proposer = proposer_for(image)
    both = np.concatenate([stroke_in(truth, 1), stroke_in(truth, 2)])
    joined = proposer.propose(both)
    assert dice(joined, (truth == 1) | (truth == 2)) > 0.9
    alone = proposer.propose(stroke_in(truth, 1), stroke_in(truth, 2))
    assert dice(alone, truth == 1) > 0.9
    mask = np.zeros(truth.shape, bool)
    mask[alone.region] = alone.mask
    assert not mask[tuple(stroke_in(truth, 2).T)].any()


def test_background_counts_that_lies_beyond_the_first_rim():
    """Two blurred discs that run into each other: one stroke gives both, as far as they look it."""
    yy, xx = np.mgrid[:100, :140]
    truth = np.zeros(yy.shape, np.int32)
    near = (yy - 50) ** 2 + (xx - 45) ** 2 <= 22**2
    far = (yy - 50) ** 2 + (xx - 71) ** 2 <= 22**2
    truth[near & (xx < 58)], truth[far & (xx >= 58)] = 1, 2
    image = ndi.gaussian_filter((truth > 0).astype(float), 2)
    image += np.random.default_rng(0).normal(0, 0.02, truth.shape)
    proposer = proposer_for(image)
    dot = stroke_in(truth, 1)
    assert dice(proposer.propose(dot), truth > 0) > 0.85
    assert dice(proposer.propose(dot, stroke_in(truth, 2)), truth == 1) > 0.8


def test_what_is_dark_or_excluded_is_no_object():
    image, truth = discs()
    half = np.zeros(truth.shape, bool)
    half[:, 30:] = True
    found = proposer_for(image, excluded=half).propose(stroke_in(truth, 1)[:10])
    assert dice(found, (truth == 1) & ~half) > 0.8
    spared = {tuple(place) for place in stroke_in(truth, 1)[:10]}
    inside = np.argwhere(found.mask) + [part.start for part in found.region]
    assert all(not half[tuple(place)] or tuple(place) in spared for place in inside)
    # the same image upside down, where the ground is bright and the objects are dark
    dark = proposer_for(1 - image, darker_than=0.5)
    ground = dark.propose(np.argwhere(truth == 0)[:50])
    mask = np.zeros(truth.shape, bool)
    mask[ground.region] = ground.mask
    core = ndi.binary_erosion(truth > 0, iterations=4)
    assert not mask[core].any()


def test_wrong_use_is_named():
    image, truth = discs()
    proposer = proposer_for(image)
    with pytest.raises(InputError, match=r"^strokes: there are none"):
        proposer.propose(np.empty((0, 2), int))
    with pytest.raises(InputError, match="outside the image"):
        proposer.propose([[200, 3]])
    with pytest.raises(InputError, match=r"shape \(1, 3\)"):
        proposer.propose([[1, 2, 3]])
    with pytest.raises(InputError, match=r"^excluded has the shape"):
        proposer_for(image, excluded=np.zeros((3, 3), bool))
    found = proposer.propose(stroke_in(truth, 3))
    proposer.keep(3, found)
    with pytest.raises(InputError, match=r"^number is 3"):
        proposer.keep(3, found)
    with pytest.raises(InputError, match="all lie in object 3"):
        proposer.propose(stroke_in(truth, 3))


def test_stops_when_asked():
    image, truth = discs()
    proposer = proposer_for(image)
    proposer.prepare()
    with pytest.raises(Cancelled), running(should_stop=lambda: True):
        proposer.propose(stroke_in(truth, 1))


def test_an_image_without_slopes_gives_the_stroke_or_all():
    proposer = proposer_for(np.zeros((20, 30)))
    found = proposer.propose([[10, 10]])
    mask = np.zeros((20, 30), bool)
    mask[found.region] = found.mask
    assert mask[10, 10]


def test_where_nothing_is_seen_an_object_is_no_larger_than_those_kept():
    yy, xx = np.mgrid[:300, :300]
    truth = np.zeros(yy.shape, np.int32)
    for number, (y, x) in enumerate(((30, 30), (30, 80), (80, 30)), start=1):
        truth[(yy - y) ** 2 + (xx - x) ** 2 <= 5**2] = number
    proposer = proposer_for(_noisy(truth, 1.0))
    nowhere = np.array([[200, 200]])
    free = proposer.propose(nowhere)
    assert np.ptp(np.argwhere(free.mask), axis=0).max() > 50
    for number in (1, 2, 3):
        proposer.keep(number, proposer.propose(stroke_in(truth, number)))
    held = proposer.propose(nowhere)
    assert np.ptp(np.argwhere(held.mask), axis=0).max() <= 2 * (2 * 11) + 2
