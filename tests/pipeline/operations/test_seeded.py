"""Seeded segmentation: its engines, the background, and what recipes keep."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage as ndi
from skimage import segmentation

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.operations import Context, get, run
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe

NAME = "seeded_segmentation"
BACKGROUND = 3
"""The stroke on the ground of the scene."""

ENGINES = get(NAME).parameter("engine").choices
ALL = pytest.mark.parametrize("engine", ENGINES)


def labels_of(cells, seeds, engine, context=None, **parameters):
    given = {"engine": engine, **parameters}
    result = run(NAME, {"image": cells, "seeds": seeds}, given, context=context)
    return result.image("labels").array


def test_published_walker_gives_what_scikit_image_gives(cells, seeds):
    expected = segmentation.random_walker(
        cells.array, seeds.array, beta=130, mode="bf", spacing=cells.spacing
    )
    found = labels_of(cells, seeds, "random_walker")
    assert np.mean(found == expected) > 0.999


def test_watershed_gives_what_scikit_image_gives(cells, seeds):
    sigma = [0.1 / step for step in cells.spacing]
    slopes = [
        ndi.gaussian_filter(cells.array.astype(float), sigma, order=order) / step
        for order, step in zip(np.eye(3, dtype=int), cells.spacing, strict=True)
    ]
    expected = segmentation.watershed(np.sqrt(np.square(slopes).sum(0)), seeds.array)
    found = labels_of(cells, seeds, "watershed")
    assert np.mean(found == expected) > 0.97


@ALL
def test_background_is_empty_and_the_objects_keep_their_labels(cells, seeds, engine):
    found = labels_of(cells, seeds, engine, background=BACKGROUND)
    assert set(np.unique(found)) == {0, 1, 2}
    truth = np.zeros(found.shape, int)
    truth[2:6, 3:9, 3:11] = 1
    truth[3:7, 12:18, 12:22] = 2
    assert np.mean(found == truth) > 0.95  # nothing found: 0.89
    assert not found[seeds.array == BACKGROUND].any()
    np.testing.assert_array_equal(found[seeds.array == 1], 1)


@ALL
def test_what_is_dark_or_masked_is_no_object(cells, seeds, engine):
    """Elsewhere the labels are the same, in first answers, too."""
    free = labels_of(cells, seeds, engine)
    line = float(np.median(cells.array))
    smooth = run("gaussian", {"image": cells}, {"sigma": min(cells.spacing)}).image("image")
    dark = smooth.array < line
    masked = np.zeros(cells.shape, np.uint8)
    masked[:, 5:8] = 7
    mask = Image(masked, cells.axes, cells.spacing, cells.units)
    given = {"engine": engine, "darker_than": line}
    shown = []
    inputs = {"image": cells, "seeds": seeds, "other": mask}
    result = run(
        NAME,
        inputs,
        given,
        report=lambda progress: shown.append(progress.preview),
        context=Context(view=(0, 4)),
    )
    found = result.image("labels").array
    no_object = dark | (masked > 0)
    assert 0.2 < no_object.mean() < 0.8
    np.testing.assert_array_equal(found, np.where(no_object, 0, free))
    for preview in filter(None, shown):
        assert not preview.labels[masked[4] > 0].any()
    recipe = recipe_from_record(result.record)
    again = replay(recipe, cells, other=mask).image("labels").array
    np.testing.assert_array_equal(again, found)
    only_masked = run(NAME, inputs, {"engine": engine}).image("labels").array
    np.testing.assert_array_equal(only_masked, np.where(masked > 0, 0, free))


@pytest.mark.parametrize("engine", ["automatic", "random_walker"])
def test_first_answers_show_no_background_either(cells, seeds, engine):
    shown = []
    run(
        NAME,
        {"image": cells, "seeds": seeds},
        {"engine": engine, "background": BACKGROUND},
        report=lambda progress: shown.append(progress.preview),
        context=Context(view=(0, 4), live=True),
    )
    (preview,) = [one for one in shown if one is not None]
    assert (preview.axis, preview.index) == (0, 4)
    assert set(np.unique(preview.labels)) == {0, 1, 2}


@ALL
def test_strokes_one_by_one_end_at_what_a_fresh_start_gives(cells, seeds, engine):
    context = Context(view=(0, 4))
    marks = np.zeros_like(seeds.array)
    marks[seeds.array == 1] = 1
    for label in (BACKGROUND, 2):
        marks = np.where(seeds.array == label, label, marks)
        found = labels_of(cells, replace(seeds, array=marks), engine, context, background=3)
    np.testing.assert_array_equal(found, labels_of(cells, seeds, engine, background=3))


@ALL
def test_prepared_engine_is_kept_for_the_next_stroke(cells, seeds, engine):
    context = Context()
    labels_of(cells, seeds, engine, context)
    kept = dict(context.cache)
    labels_of(cells, seeds, engine, context, background=0)
    assert [context.cache[key] is value for key, value in kept.items()] != []
    prepared = [key for key in kept if isinstance(key, tuple) and key[0] == "seeded engines"]
    assert len(prepared) == 1
    assert context.cache[prepared[0]] is kept[prepared[0]]


@ALL
def test_negative_seeds_are_outside(cells, seeds, engine):
    marks = seeds.array.copy()
    marks[:, :, -1] = -1
    found = labels_of(cells, replace(seeds, array=marks), engine)
    assert not found[:, :, -1].any()
    assert found[:, :, :-1].all()


@ALL
def test_all_channels_count(cells, seeds, engine):
    blank = np.full_like(cells.array, 7)
    both = Image(np.stack([blank, cells.array]), ("c", *cells.axes), cells.spacing, cells.units)
    found = labels_of(both, seeds, engine, background=BACKGROUND)
    assert set(np.unique(found)) == {0, 1, 2}
    assert found[4, 5, 6] == 1


@ALL
def test_time_points_without_seeds_stay_empty(cells, seeds, engine):
    movie = replace(cells, array=np.stack([cells.array] * 3), axes=("t", *cells.axes))
    marks = np.stack([seeds.array, 0 * seeds.array, seeds.array])
    marked = replace(seeds, array=marks, axes=("t", *seeds.axes))
    result = run(NAME, {"image": movie, "seeds": marked}, {"engine": engine})
    assert result.record["skipped_times"] == [1]
    found = result.image("labels").array
    assert not found[1].any()
    np.testing.assert_array_equal(found[0], labels_of(cells, seeds, engine))
    np.testing.assert_array_equal(found[0], found[2])


@ALL
def test_recipe_keeps_the_background_and_its_seeds(cells, seeds, engine, tmp_path):
    inputs = {"image": cells, "seeds": seeds}
    result = run(NAME, inputs, {"engine": engine, "background": BACKGROUND})
    save_recipe(tmp_path / "cells.yaml", recipe_from_record(result.record))
    recipe = load_recipe(tmp_path / "cells.yaml")
    (step,) = recipe.steps
    assert step.parameters["background"] == BACKGROUND
    np.testing.assert_array_equal(step.seeds.decode(), seeds.array)
    again = replay(recipe, cells).image("labels").array
    np.testing.assert_array_equal(again, result.image("labels").array)


@ALL
def test_one_label_is_refused(cells, seeds, engine):
    marks = np.where(seeds.array == BACKGROUND, BACKGROUND, 0)
    with pytest.raises(InputError, match=r"seeds.* one label.*\(3\)"):
        labels_of(cells, replace(seeds, array=marks), engine, background=BACKGROUND)
    with pytest.raises(InputError, match="seeds"):
        labels_of(cells, replace(seeds, array=0 * marks), engine)


def test_watershed_has_no_probabilities(cells, seeds):
    for name in ("probabilities", "uncertainty", "second_label"):
        with pytest.raises(InputError, match=f"{name}: a watershed gives labels only"):
            labels_of(cells, seeds, "watershed", **{name: True})


@pytest.mark.parametrize("engine", ["automatic", "random_walker"])
def test_probabilities_belong_to_the_labels_background_too(cells, seeds, engine):
    asked = {"engine": engine, "background": BACKGROUND}
    asked |= {"probabilities": True, "uncertainty": True, "second_label": True}
    result = run(NAME, {"image": cells, "seeds": seeds}, asked)
    probabilities = result.image("probabilities").array
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, atol=1e-4)
    winner = probabilities.argmax(axis=0) + 1
    labels = result.image("labels").array
    np.testing.assert_array_equal(np.where(winner == BACKGROUND, 0, winner), labels)
    doubt = result.image("uncertainty").array
    assert 0 <= doubt.min() <= 1
    second = result.image("second_label").array
    assert BACKGROUND not in second
    assert (second != labels)[doubt > 0.6].all()
