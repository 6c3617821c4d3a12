"""The default engine: whole segmentations, and what must never change them."""

import threading

import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage.segmentation import watershed

from napari_seedbed.core import RandomWalker, SeededSegmenter, running, seeded_segmentation
from napari_seedbed.core import threads as kernel_threads
from napari_seedbed.core.seeded import seeded_segmenter
from napari_seedbed.core.seeded.label_painting import Painter
from napari_seedbed.core.seeded.seed_problems import Solution
from napari_seedbed.errors import Cancelled, InputError

BACKGROUND = 9


def discs(seed=0, noise=0.15):
    """Five discs of different brightness, some touching; a dot in each, a line of background."""
    yy, xx = np.mgrid[:96, :112]
    truth = np.zeros((96, 112), np.int32)
    centres = ((24, 24), (24, 52), (60, 30), (66, 62), (40, 90))
    image = np.zeros(truth.shape)
    for number, (y, x) in enumerate(centres, start=1):
        inside = (yy - y) ** 2 + (xx - x) ** 2 <= 13**2
        truth[inside] = number
        image[inside] = 0.6 + 0.1 * number
    rng = np.random.default_rng(seed)
    image = ndi.gaussian_filter(image, 1) + rng.normal(0, noise, truth.shape)
    seeds = np.zeros_like(truth)
    for number, (y, x) in enumerate(centres, start=1):
        seeds[y - 1 : y + 2, x - 1 : x + 2] = number
    seeds[88:90, 5:105] = BACKGROUND
    seeds[5:85, 108:110] = BACKGROUND
    return image, truth, seeds


def balls(spacing=(2.0, 1.0, 1.0)):
    zz, yy, xx = np.mgrid[:20, :48, :48]
    truth = np.zeros(zz.shape, np.int32)
    for number, centre in enumerate(((10, 14, 14), (10, 14, 32), (10, 33, 22)), start=1):
        distance = sum(
            ((g - c) * s) ** 2 for g, c, s in zip((zz, yy, xx), centre, spacing, strict=True)
        )
        truth[distance <= 9.5**2] = number
    image = ndi.gaussian_filter((truth > 0).astype(float), [0.5, 1, 1])
    image += np.random.default_rng(0).normal(0, 0.15, truth.shape)
    seeds = np.zeros_like(truth)
    for number, (y, x) in enumerate(((14, 14), (14, 32), (33, 22)), start=1):
        seeds[10, y - 1 : y + 2, x - 3 : x + 4] = number
    seeds[10, 45:47, 3:45] = BACKGROUND
    seeds[1, 5:40, 24] = BACKGROUND
    return image, truth, seeds


def dice(result, truth, number):
    a, b = result == number, truth == number
    return 2 * np.count_nonzero(a & b) / (a.sum() + b.sum())


def worst(result, truth):
    return min(dice(result, truth, n) for n in range(1, truth.max() + 1))


def test_a_dot_in_each_object_is_enough():
    image, truth, seeds = discs()
    found = seeded_segmentation(image, seeds, background=BACKGROUND)
    assert found.dtype == seeds.dtype
    assert set(np.unique(found)) == {1, 2, 3, 4, 5, BACKGROUND}
    assert worst(found, truth) > 0.9
    np.testing.assert_array_equal(found[seeds > 0], seeds[seeds > 0])


def test_it_bears_more_noise_than_a_watershed():
    for seed in range(3):
        image, truth, seeds = discs(seed, noise=0.5)
        found = seeded_segmentation(image, seeds, background=BACKGROUND)
        flooded = watershed(ndi.gaussian_gradient_magnitude(image, 1), seeds)
        assert worst(found, truth) > 0.8
        assert worst(found, truth) > worst(flooded, truth) + 0.05


def test_volumes_with_spacing():
    image, truth, seeds = balls()
    found = seeded_segmentation(image, seeds, (2.0, 1.0, 1.0), background=BACKGROUND)
    assert worst(found, truth) > 0.85


def test_colours():
    _, truth, seeds = discs()
    rng = np.random.default_rng(1)
    image = np.where((truth > 0)[..., None], (0.5, 0.3, 0.5), (0.4, 0.4, 0.4))
    image = np.clip(image + rng.normal(0, 0.03, image.shape), 0, 1)
    found = seeded_segmentation(image, seeds, channel_axis=-1, background=BACKGROUND)
    assert worst(found, truth) > 0.9
    moved = seeded_segmentation(
        np.moveaxis(image, -1, 0), seeds, channel_axis=0, background=BACKGROUND
    )
    np.testing.assert_array_equal(moved, found)


def test_without_a_background_all_labels_are_equals():
    image, truth, seeds = discs(noise=0.02)
    two = np.where((seeds > 0) & (seeds < BACKGROUND), 1, seeds)
    found = seeded_segmentation(image, two)
    assert dice(found == 1, truth > 0, True) > 0.9
    swapped = seeded_segmentation(image, np.where(two == 1, 20, two))
    # The order of the labels changes roundings, and which of equal splits a tree takes: that moves
    # a few voxels of the border, none to three of 10752 on ten such scenes.
    assert ((found == BACKGROUND) != (swapped == BACKGROUND)).sum() <= 10


def test_the_result_depends_on_the_seeds_alone():
    image, _, seeds = discs()
    cold = SeededSegmenter(image, background=BACKGROUND).solve(seeds)
    live = SeededSegmenter(image, background=BACKGROUND)
    order = np.random.default_rng(3).permutation(5) + 1
    drawn = np.where(seeds == BACKGROUND, seeds, 0)
    drawn[seeds == order[0]] = order[0]
    live.solve(drawn)
    for number in order[1:]:
        drawn[seeds == number] = number
        # A stroke that is erased again, and one that is given to another label.
        wrong = drawn.copy()
        wrong[50:54, 50:90] = number
        live.solve(wrong)
        wrong[wrong == number] = order[0]
        live.solve(wrong)
    np.testing.assert_array_equal(live.solve(drawn), cold)
    outside = drawn.copy()
    outside[:, :20] = -1
    live.solve(outside)
    np.testing.assert_array_equal(live.solve(drawn), cold)


def test_the_result_does_not_depend_on_the_number_of_threads(monkeypatch):
    image, _, seeds = balls()
    many = seeded_segmentation(image, seeds, background=BACKGROUND)
    monkeypatch.setattr(kernel_threads, "thread_count", lambda: 1)
    one = seeded_segmentation(image, seeds, background=BACKGROUND)
    np.testing.assert_array_equal(one, many)


@pytest.mark.parametrize("scale", [1e-20, 1e-3, 1e20])
def test_brightness_and_contrast_do_not_matter(scale):
    image, _, seeds = discs()
    unit = np.rint(255 * (image - image.min()) / np.ptp(image))
    wanted = seeded_segmentation(unit, seeds, background=BACKGROUND)
    found = seeded_segmentation(unit * scale + 7 * scale, seeds, background=BACKGROUND)
    np.testing.assert_array_equal(found, wanted)


def look(engine, seeds, view, **options):
    """The result, and the slice in view that came before it."""
    told = []
    found = engine.solve(seeds, report=told.append, view=view, **options)
    (preview,) = [p.preview for p in told if p.preview is not None]
    assert (preview.axis, preview.index) == view
    fractions = [p.fraction for p in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    return found, preview.labels


def test_the_slice_in_view_comes_first():
    image, _, seeds = balls()
    engine = SeededSegmenter(image, background=BACKGROUND)
    for axis, index in ((0, 10), (1, 20), (2, 47)):
        view = (axis, index)
        found, seen = look(SeededSegmenter(image, background=BACKGROUND), seeds, view)
        np.testing.assert_array_equal(seen, np.take(found, index, axis))
        # After a stroke it is a quick look, which begins with what was known before.
        few = np.where(seeds == 2, 0, seeds)
        engine.solve(few)
        found, seen = look(engine, seeds, view)
        assert (seen == np.take(found, index, axis)).mean() > 0.97
    with pytest.raises(InputError, match="view is axis 3"):
        engine.solve(seeds, view=(3, 0))


def test_a_first_look_knows_that_the_background_is_another(monkeypatch):
    monkeypatch.setattr(seeded_segmenter, "MOST_VOXELS_WALKED", 0)
    image, _, seeds = discs()
    for before, after in ((BACKGROUND, None), (None, BACKGROUND), (BACKGROUND, [1, BACKGROUND])):
        engine = SeededSegmenter(image)
        engine.solve(np.where(seeds == 3, 0, seeds) if before else seeds, background=before)
        # As when a stroke stops the solve with the other background.
        marked = seeds.copy()
        marked[70:72, 20:40] = BACKGROUND
        found, seen = look(engine, marked, (0, 0), background=after)
        np.testing.assert_array_equal(found, SeededSegmenter(image).solve(marked, background=after))
        assert (seen == found).mean() > 0.97


def test_large_numbers_of_labels_are_told_apart_in_every_type():
    image, _, seeds = discs()
    names = np.array([0, *(2**53 + np.arange(5)), 2**62, 2**63 - 1])
    numbers = np.where(seeds == BACKGROUND, 7, seeds)
    wanted = SeededSegmenter(image).solve(numbers, background=7)
    for dtype in (np.int64, np.uint64):
        engine = SeededSegmenter(image)
        found = engine.solve(names.astype(dtype)[numbers], background=int(names[7]))
        np.testing.assert_array_equal(found, names.astype(dtype)[wanted])
        chosen = engine.probabilities.argmax(axis=0)
        np.testing.assert_array_equal(np.array(engine.label_values, dtype)[chosen], found)


def test_probabilities_and_uncertainty_go_with_the_labels():
    image, truth, seeds = discs()
    engine = SeededSegmenter(image, background=BACKGROUND)
    found = engine.solve(seeds)
    assert engine.label_values == (1, 2, 3, 4, 5, BACKGROUND)
    probabilities = engine.probabilities
    assert probabilities.shape == (6, *image.shape)
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, atol=1e-5)
    named = np.array(engine.label_values)[probabilities.argmax(axis=0)]
    np.testing.assert_array_equal(named, found)
    uncertainty = engine.uncertainty
    assert uncertainty.min() >= 0
    assert uncertainty.max() <= 1
    assert (uncertainty[seeds > 0] == 0).all()
    edge = ndi.binary_dilation(truth > 0, iterations=2) & ~ndi.binary_erosion(truth > 0)
    assert uncertainty[edge].mean() > 3 * uncertainty[~edge].mean()


@pytest.mark.parametrize("n_labels", [2, 6])
@pytest.mark.parametrize("engine", [SeededSegmenter, RandomWalker])
def test_second_label_is_the_next_probable_one(engine, n_labels):
    image, _, seeds = discs()
    seeds[seeds > n_labels] = n_labels
    segmenter = engine(image)
    found = segmenter.solve(seeds)
    uncertainty, second = segmenter.find_doubt()
    np.testing.assert_array_equal(uncertainty, segmenter.uncertainty)
    probabilities = segmenter.probabilities
    ranked = np.argsort(-probabilities, axis=0)
    values = np.array(segmenter.label_values)
    first, following = np.take_along_axis(probabilities, ranked, axis=0)[:2]
    doubtful = (following > 0.02) & (first - following > 1e-3) & (seeds == 0)
    if n_labels > 2:
        doubtful &= following - np.sort(probabilities, axis=0)[-3] > 1e-3
    assert doubtful.sum() > 50
    np.testing.assert_array_equal(second[doubtful], values[ranked[1]][doubtful])
    assert not second[seeds > 0].any()
    assert (second != found)[second > 0].all()


def test_second_label_of_what_no_object_holds_is_the_object_that_it_looks_like():
    """An object that nobody marked is given to the background, and says so."""
    image, truth, seeds = discs()
    seeds[seeds == 5] = 0
    engine = SeededSegmenter(image, background=BACKGROUND)
    found = engine.solve(seeds)
    _, second = engine.find_doubt()
    unmarked = ndi.binary_erosion(truth == 5, iterations=2)
    assert (found[unmarked] == BACKGROUND).all()
    assert (second[unmarked] != BACKGROUND).all()


def test_negative_labels_are_not_part_of_the_problem():
    image, _, seeds = discs()
    seeds[:, 70:75] = -1
    engine = SeededSegmenter(image, background=BACKGROUND)
    found = engine.solve(seeds)
    assert (found[:, 70:75] == 0).all()
    # Cut off, the right part knows its own seeds only.
    assert set(np.unique(found[:, 75:])) == {5, BACKGROUND}
    assert (engine.probabilities[:, seeds < 0] == 0).all()
    seeds[:, 75:] = np.where(seeds[:, 75:] > 0, 0, seeds[:, 75:])
    assert (engine.solve(seeds)[:, 75:] == 0).all()


def test_several_labels_can_be_background():
    image, truth, seeds = discs()
    seeds[5:85, 108:110] = 12
    found = seeded_segmentation(image, seeds, background=[BACKGROUND, 12])
    assert worst(found, truth) > 0.9
    assert {BACKGROUND, 12} < set(np.unique(found))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"background": 0}, "background is 0"),
        ({"background": [1.5]}, "background is"),
        ({"spacing": (1.0, 0.0)}, "spacing"),
        ({"channel_axis": 7}, "channel_axis"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        SeededSegmenter(np.zeros((8, 8)), **arguments)


def test_wrong_seeds_are_named():
    engine = SeededSegmenter(np.random.default_rng(0).random((16, 16)))
    with pytest.raises(InputError, match="no seeds"):
        engine.solve(np.zeros((16, 16), int))
    with pytest.raises(InputError, match=r"one label.*\(3\)"):
        engine.solve(np.full((16, 16), 3))
    with pytest.raises(InputError, match="shape"):
        engine.solve(np.ones((4, 4), int))
    with pytest.raises(InputError, match="NaN"):
        SeededSegmenter(np.full((4, 4), np.nan))
    with pytest.raises(InputError, match="call solve"):
        _ = engine.probabilities


@pytest.mark.parametrize("image", [np.zeros((20, 20)), np.eye(20), np.ones((1, 5))])
def test_images_without_anything_to_see(image):
    seeds = np.zeros(image.shape, int)
    seeds[0, 0], seeds[-1, -1] = 1, 2
    found = seeded_segmentation(image, seeds)
    assert set(np.unique(found)) == {1, 2}


def test_it_can_be_cancelled_at_any_time_and_keeps_the_last_result():
    image, _, seeds = balls()
    engine = SeededSegmenter(image, background=BACKGROUND)
    first = engine.solve(seeds)
    more = seeds.copy()
    more[4, 20:24, 5:9] = BACKGROUND
    asked = []
    engine.solve(more, should_stop=lambda: asked.append(threading.get_ident()) or False)
    engine.solve(seeds)
    # How often it is asked depends on which threads take the work.
    for when in range(0, len(asked) // 3, max(1, len(asked) // 24)):
        count = iter(range(10**9))
        with pytest.raises(Cancelled):
            engine.solve(more, should_stop=lambda c=count, w=when: next(c) >= w)
        np.testing.assert_array_equal(engine.labels, first)
    np.testing.assert_array_equal(engine.solve(seeds), first)


@pytest.mark.parametrize("engine", [SeededSegmenter, RandomWalker])
def test_what_is_made_when_asked_for_can_be_cancelled_and_comes_out_the_same(engine):
    image, _, seeds = balls()
    segmenter = engine(image)
    segmenter.solve(seeds)
    for find, expected in (
        (segmenter.find_probabilities, segmenter.probabilities),
        (segmenter.find_uncertainty, segmenter.uncertainty),
    ):
        asked = []
        with running(should_stop=lambda a=asked: a.append(0) or False):
            np.testing.assert_array_equal(find(), expected)
        assert len(asked) >= (10 if engine is SeededSegmenter else 1)
        for when in range(0, len(asked) // 3 + 1, max(1, len(asked) // 9)):
            count = iter(range(10**9))
            with (
                running(should_stop=lambda c=count, w=when: next(c) >= w),
                pytest.raises(Cancelled),
            ):
                find()
        np.testing.assert_array_equal(find(), expected)


def test_background_and_lesson_of_one_solve_are_those_of_that_solve_alone():
    image, _, seeds = discs()
    plain = SeededSegmenter(image)
    pooled = SeededSegmenter(image, background=BACKGROUND)
    without, with_it = plain.solve(seeds), pooled.solve(seeds)
    assert (without != with_it).any()
    np.testing.assert_array_equal(plain.solve(seeds, background=BACKGROUND), with_it)
    np.testing.assert_array_equal(plain.solve(seeds), without)
    found = {}
    # Solves of several threads take turns; none sees what another was told.
    askers = [
        threading.Thread(
            target=lambda n=n, of=of: found.update({n: plain.solve(seeds, background=of)})
        )
        for n, of in enumerate((None, BACKGROUND) * 3)
    ]
    for thread in askers:
        thread.start()
    for thread in askers:
        thread.join()
    for number, labels in found.items():
        np.testing.assert_array_equal(labels, with_it if number % 2 else without)
    with pytest.raises(InputError, match="background is 0"):
        plain.solve(seeds, background=0)


def test_more_voxels_than_numbers_of_32_bits_count_are_refused():
    huge = np.broadcast_to(np.uint8(0), (1300, 1300, 1300, 2))
    with pytest.raises(InputError, match=r"^data has 2197000000 voxels; .* 2147483647 at most"):
        SeededSegmenter(huge, channel_axis=-1)


@pytest.mark.parametrize("n_labels", [2, 3])
def test_small_objects_on_a_background_without_noise(n_labels):
    image = np.zeros((600, 600), np.uint8)
    truth, seeds = np.zeros(image.shape, int), np.zeros(image.shape, int)
    for label in range(1, n_labels):
        square = np.s_[300 * label - 180 : 300 * label - 160, 200:220]
        image[square], truth[square] = 200, label
        seeds[300 * label - 170, 206:214] = label
    seeds[40, 40:60] = n_labels
    found = SeededSegmenter(image, background=n_labels).solve(seeds)
    found[found == n_labels] = 0
    for label in range(1, n_labels):
        overlap = np.count_nonzero((found == label) & (truth == label))
        assert overlap > 0.9 * np.count_nonzero((found == label) | (truth == label))


def test_two_planes_are_a_volume_and_can_teach():
    image = np.random.default_rng(0).random((2, 40, 40)).astype("f4")
    image[:, 10:20, 10:20] += 3
    seeds = np.zeros(image.shape, int)
    seeds[0, 14, 12:18], seeds[1, 30, 5:35] = 1, 2
    segmenter = SeededSegmenter(image, background=2)
    segmenter.solve(seeds)
    deeper = np.concatenate([image, image, image])
    taught = SeededSegmenter(deeper, background=2, lesson=segmenter.lesson)
    assert (taught.solve(np.concatenate([seeds, seeds, seeds]))[:, 12:18, 12:18] == 1).all()


def test_a_plane_that_is_thin_is_as_good_as_a_picture():
    image, truth, seeds = balls()
    plane = len(image) // 2
    flat = SeededSegmenter(image[plane], background=BACKGROUND)
    thin = SeededSegmenter(image[[plane]], (0.1, 1, 1), background=BACKGROUND)
    marks = seeds[plane].copy()
    marks[2, 2:9] = BACKGROUND
    marks[tuple(np.argwhere(truth[plane] > 0)[0])] = truth[plane].max()
    np.testing.assert_array_equal(thin.solve(marks[np.newaxis])[0], flat.solve(marks))


def test_a_quick_look_paints_all_that_a_stroke_may_change(monkeypatch):
    image, _, seeds = (np.tile(part, (3, 3)) for part in discs())
    for number in range(9):
        tile = seeds[number // 3 * 96 :, number % 3 * 112 :][:96, :112]
        tile[(tile > 0) & (tile != BACKGROUND)] += 10 * number
    seeds[seeds == BACKGROUND] = 99
    engine = SeededSegmenter(image, background=99)
    looked = []
    original = Solution.region_of_change

    def recorded(last, problem, new, before, after):
        region = original(last, problem, new, before, after)
        painter = last.painter
        again = Painter(problem.nodes, after, painter.steps, painter.evidence, new.class_of)
        named = engine.named(again.paint().winner, new)[0]
        old = engine.named(painter.paint().winner, last.seeds)[0]
        looked.append((region[1:], named, old))
        return region

    monkeypatch.setattr(Solution, "region_of_change", recorded)
    small = 0
    for changed in (np.where(seeds == 3, 0, seeds), np.where(seeds == 44, 43, seeds), seeds):
        engine.solve(seeds if changed is not seeds else np.where(seeds == 85, 0, seeds))
        _, seen = look(engine, changed, (0, 0))
        region, named, old = looked.pop()
        outside = np.ones(seen.shape, bool)
        outside[region] = False
        small += outside.mean() > 0.5
        np.testing.assert_array_equal(named[outside], old[outside])
        np.testing.assert_array_equal(seen[region], named[region])
    assert small >= 2


def test_the_result_is_the_most_probable_label_on_islands_too():
    image, truth, seeds = discs()
    # An object that nobody marked looks like one, and is background.
    seeds[seeds == 3] = 0
    engine = SeededSegmenter(image, background=BACKGROUND)
    found = engine.solve(seeds)
    assert (found[truth == 3] == BACKGROUND).mean() > 0.9
    named = np.array(engine.label_values)[engine.probabilities.argmax(axis=0)]
    np.testing.assert_array_equal(named, found)


@pytest.mark.parametrize("shape", [(1400, 1400), (5, 1000, 1000)])
def test_two_small_strokes_share_a_large_image_without_edges(shape):
    image = np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)
    seeds = np.zeros(shape, np.int32)
    seeds[..., 100:104, 100:160], seeds[..., -104:-100, -160:-100] = 1, 2
    for background in (None, 2):
        found = SeededSegmenter(image, background=background).solve(seeds)
        # Each is on its own side, about half of it all.
        assert abs((found == 1).mean() - 0.5) < 0.15
        assert (found[..., :200, :200] == 1).mean() > 0.8
        assert (found[..., -200:, -200:] == 2).mean() > 0.8
