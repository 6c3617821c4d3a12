"""Differences and changes as operations: on channels, in series, in recipes and beside a window."""

import itertools
import re

import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import Context, run
from napari_seedbed.pipeline.operations.no_changes import Strongest, no_changes_in_words
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe

YX, CYX, YXC, TYX = ("y", "x"), ("c", "y", "x"), ("y", "x", "c"), ("t", "y", "x")


def pair(first, second, axes=YX, **about):
    return {"image": Image(first, axes, **about), "other": Image(second, axes, **about)}


@pytest.fixture
def scene(rng):
    smooth = ndi.gaussian_filter(rng.random((90, 110)), 2)
    return np.interp(smooth, (smooth.min(), smooth.max()), (20, 180)).astype(np.uint8)


@pytest.fixture
def changed(scene):
    second = scene.copy()
    second[20:30, 40:60] = 250
    return second


@pytest.fixture
def film(scene, changed):
    third = scene.copy()
    third[60:75, 10:22] = 255
    return Image(np.stack([scene, changed, third]), TYX, name="film")


def test_unsigned_numbers_do_not_wrap_around(scene, changed):
    difference = run("image_difference", pair(scene, changed)).image("image").array
    assert np.array_equal(difference, scene.astype(float) - changed)


def test_absolute_difference_and_ratio_are_what_they_say(scene, changed):
    images = pair(scene, changed)
    absolute = run("image_difference", images, {"mode": "absolute"}).image("image").array
    assert np.array_equal(absolute, np.abs(scene.astype(float) - changed))
    ratio = run("image_difference", images, {"mode": "ratio"}).image("image").array
    assert np.allclose(ratio, scene / changed.astype(float))


def test_similarity_is_that_of_scikit_image(scene, changed):
    from skimage.metrics import structural_similarity

    found = run("image_difference", pair(scene, changed), {"mode": "similarity"})
    expected = structural_similarity(scene, changed, data_range=255, full=True)[1]
    assert np.allclose(found.image("image").array, expected)


def test_colours_have_a_difference_each_or_one_of_their_mean(scene, changed):
    first = np.stack([scene, scene // 2, scene], axis=-1)
    second = np.stack([changed, scene // 2, scene], axis=-1)
    images = pair(first, second, YXC, rgb=True)
    each = run("image_difference", images).image("image")
    assert each.channel_names == ("Red", "Green", "Blue")
    assert np.array_equal(each.array[0], scene.astype(float) - changed)
    assert not each.array[1:].any()
    mean = run("image_difference", images, {"channels": "mean"}).image("image")
    assert np.allclose(mean.array, first.mean(axis=-1) - second.mean(axis=-1))


def test_transparency_is_no_channel(scene, changed):
    first, second = (
        np.dstack([image, image, image, np.full(image.shape, alpha, np.uint8)])
        for image, alpha in ((scene, 255), (changed, 0))
    )
    difference = run("image_difference", pair(first, second, YXC, rgb=True)).image("image")
    assert difference.n_channels == 3


def test_grey_and_colour_are_compared_by_their_mean_alone(scene):
    images = {
        "image": Image(np.stack([scene] * 3), CYX),
        "other": Image(scene, YX),
    }
    with pytest.raises(InputError, match=r"^other: .* is 1, that of the image's 3"):
        run("image_difference", images)
    assert not run("image_difference", images, {"channels": "mean"}).image("image").array.any()


def test_images_of_different_size_are_refused_by_both_shapes(scene):
    with pytest.raises(InputError, match=r"\(90, 100\).*\(90, 110\)"):
        run("changes", pair(scene, scene[:, :100]))


def test_changes_are_marked_boxed_and_listed(scene, changed):
    result = run(
        "changes", pair(scene, changed, spacing=(0.5, 0.5), units=("micrometer",) * 2),
        {"difference": True},
    )  # fmt: skip
    truth = np.zeros(scene.shape, bool)
    truth[20:30, 40:60] = True
    assert np.array_equal(result.image("mask").array, truth)
    box = result.shapes().shapes[0]
    assert (box.label, box.points.min(axis=0).tolist()) == (1, [19.5, 39.5])
    assert box.points.max(axis=0).tolist() == [29.5, 59.5]
    table = result.table().columns
    assert table["area"].tolist() == [50]
    assert table["bbox_x_stop"].tolist() == [60]
    assert table["centroid_y"].tolist() == [12.25]
    assert table["mean_difference"][0] == pytest.approx((scene[truth] - 250.0).mean())
    difference = result.image("difference").array
    assert np.array_equal(difference, scene.astype(float) - changed)
    assert "1 change was found." in result.record["notes"]


def test_equal_images_give_an_empty_mask_and_an_empty_list(scene):
    result = run("changes", pair(scene, scene))
    assert not result.image("mask").array.any()
    assert (len(result.shapes().shapes), len(result.table())) == (0, 0)
    assert "0 changes were found: nothing of the minimum size differs." in result.record["notes"]


PLAIN = {"register": "none", "match": "none"}


@pytest.mark.parametrize("name", ["changes", "series_changes"])
def test_nothing_found_says_what_came_near_and_how_to_see_it(scene, rng, name):
    first = scene.astype(float) * 4
    second = first + (rng.normal(0, 0.01, scene.shape))
    second[20:30, 40:60] += 0.02 * np.ptp(first)

    def found(**parameters):
        if name == "changes":
            return run(name, pair(first, second), {**PLAIN, **parameters})
        film = Image(np.stack([first, second]), ("t", "y", "x"))
        return run(name, {"image": film}, {**PLAIN, **parameters})

    (note,) = (note for note in found().record["notes"] if "0 changes" in note)
    assert "5 % of the contrast" in note
    near = float(re.search(r"strongest differences are (\S+) %", note)[1])
    assert 0.5 < near < 3
    assert "1 change was found." in found(min_contrast=near / 100 - 1e-9).record["notes"]


def test_nothing_found_says_that_pieces_are_too_small():
    """Without noise and with no least contrast, any difference is enough."""
    first = np.zeros((60, 60))
    first[::2] = 10
    second = first.copy()
    for y, x in itertools.product((5, 30), (5, 30)):
        second[y : y + 9, x : x + 9] += 3
    given = {**PLAIN, "min_contrast": 0.0}
    (note,) = run("changes", pair(first, second), {**given, "min_size": 200.0}).record["notes"]
    assert "smaller than the minimum size" in note
    assert "4 changes were found." in run("changes", pair(first, second), given).record["notes"]


def test_boxes_of_a_volume_are_on_each_of_its_slices():
    first = np.full((8, 20, 30), 50, np.uint8)
    second = first.copy()
    second[2:5, 5:10, 8:20] = 200
    shapes = run("changes", pair(first, second, ("z", "y", "x"))).shapes().shapes
    assert [(shape.label, set(shape.points[:, 0])) for shape in shapes] == [
        (1, {2.0}),
        (1, {3.0}),
        (1, {4.0}),
    ]


def test_a_moved_image_is_said_to_be_moved(scene):
    wide = np.pad(scene, 6, mode="reflect")
    images = pair(wide[6:-6, 6:-6], wide[3:-9, 2:-10])
    notes = " ".join(run("image_difference", images, {"register": "shift"}).record["notes"])
    assert "shifted by 3.00, 4.00 pixels (y, x); it was moved back" in notes


def test_a_doubtful_registration_is_named(rng):
    noise = [rng.random((60, 60)) for _ in range(2)]
    notes = run("image_difference", pair(*noise), {"register": "shift"}).record["notes"]
    assert any("doubtful" in note and "correlation" in note for note in notes)


def test_frames_are_compared_with_those_before(film):
    difference = run("series_difference", {"image": film}).image("image")
    frames = film.array.astype(float)
    assert difference.axes == TYX
    assert not difference.array[0].any()
    assert np.array_equal(difference.array[1:], frames[1:] - frames[:-1])


def test_frames_are_compared_with_one_of_them(film):
    parameters = {"against": "frame", "frame": 2}
    difference = run("series_difference", {"image": film}, parameters).image("image")
    frames = film.array.astype(float)
    assert np.array_equal(difference.array, frames - frames[2])


def test_a_frame_that_is_not_there_is_refused(film):
    with pytest.raises(InputError, match=r"^frame: .* 3; the image has 3"):
        run("series_difference", {"image": film}, {"against": "frame", "frame": 3})


def test_changes_of_a_series_are_those_of_its_pairs(film):
    result = run("series_changes", {"image": film}, {"difference": True})
    assert result.image("mask").axes == result.image("difference").axes == TYX
    for t in (1, 2):
        alone = run(
            "changes",
            {"image": film.select_time(t), "other": film.select_time(t - 1)},
            {"difference": True},
        )
        for name in ("mask", "difference"):
            assert np.array_equal(result.image(name).array[t], alone.image(name).array)
    table = result.table().columns
    assert table["time_point"].tolist() == [1, 2, 2]
    assert table["change"].tolist() == [1, 1, 2]
    assert [shape.time for shape in result.shapes().shapes] == [1, 2, 2]


def test_a_single_time_point_has_no_changes_and_says_so(scene):
    result = run("series_changes", {"image": Image(scene, YX)})
    assert not result.image("mask").array.any()
    assert "single time point" in result.record["notes"][0]


def test_channels_of_a_series_keep_their_names(film):
    stack = np.stack([film.array, film.array], axis=1)
    image = Image(stack, ("t", "c", "y", "x"), channel_names=("DNA", "actin"))
    difference = run("series_difference", {"image": image}).image("image")
    assert (difference.axes, difference.channel_names) == (image.axes, ("DNA", "actin"))


@pytest.mark.parametrize("moved", [False, True])
def test_live_runs_with_other_thresholds_give_what_a_fresh_run_gives(scene, changed, moved):
    images = pair(scene, np.roll(changed, 3, axis=1) if moved else changed)
    context = Context(live=True)
    for parameters in ({}, {"n_mads": 2.0, "min_size": 0.0}, {"tolerance": 0.0}):
        live = run("changes", images, parameters, context=context)
        fresh = run("changes", images, parameters)
        assert np.array_equal(live.image("mask").array, fresh.image("mask").array)


def test_live_runs_see_that_the_second_image_was_changed_in_place(scene, changed):
    images, context = pair(scene, changed.copy()), Context(live=True)
    assert run("changes", images, context=context).image("mask").array.any()
    images["other"].array[...] = scene
    assert not run("changes", images, context=context).image("mask").array.any()


def test_a_recipe_finds_the_same_changes(scene, changed, tmp_path):
    images = pair(scene, changed)
    result = run("changes", images, {"n_mads": 8.0})
    recipe = load_recipe(save_recipe(tmp_path / "r.yaml", recipe_from_record(result.record)))
    again = replay(recipe, images["image"], other=images["other"])
    assert np.array_equal(again.image("mask").array, result.image("mask").array)
    assert len(again.shapes().shapes) == 1


def test_the_note_is_about_the_pair_that_came_nearest_to_a_change():
    # of the first the noise is weaker, of the second the contrast, which both are judged by
    parameters = {"n_mads": 3.0, "min_contrast": 0.1}
    pairs = [Strongest(5.0, 20.0, 1.0, 200.0), Strongest(9.0, 10.0, 3.0, 100.0)]
    for order in (pairs, pairs[::-1]):
        words = no_changes_in_words(order, parameters)
        assert "10 % of the contrast, which is 100 " in words
        assert "are 9 %" in words
