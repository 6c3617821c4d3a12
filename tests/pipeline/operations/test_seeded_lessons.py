"""Seeded segmentation that learnt on other images: as text, in recipes, in words."""

import json
from dataclasses import replace

import numpy as np
import pytest

from napari_seedbed.core import Lesson
from napari_seedbed.errors import InputError, RecipeError
from napari_seedbed.pipeline.cli import main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.encodings.lesson_encoding import lesson_as_text, lesson_from_text
from napari_seedbed.pipeline.operations import Context, run
from napari_seedbed.pipeline.operations.seeded import last_lesson
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe
from napari_seedbed.pipeline.recipes.methods_text import recipe_to_methods_text

NAME = "seeded_segmentation"
BACKGROUND = 3


@pytest.fixture
def lesson(cells, seeds):
    """What the scene of the fixtures teaches."""
    context = Context()
    run(NAME, {"image": cells, "seeds": seeds}, {"background": BACKGROUND}, context=context)
    return last_lesson(context.cache)


@pytest.fixture
def other(cells):
    """Another image of the kind, and few marks on it."""
    array = np.random.default_rng(5).integers(0, 100, (9, 22, 26)).astype(np.uint16)
    array[3:7, 4:10, 12:20] += 500
    marks = np.zeros(array.shape, np.int32)
    marks[5, 7, 15:17] = 1
    marks[0, 0, :3] = BACKGROUND
    image = replace(cells, array=array, name="other")
    return {"image": image, "seeds": Image(marks, image.axes, image.spacing, image.units)}


def test_text_keeps_every_bit(lesson):
    back = lesson_from_text(lesson_as_text(lesson))
    np.testing.assert_array_equal(back.values, lesson.values)
    np.testing.assert_array_equal(back.is_background, lesson.is_background)
    assert (back.ndim, back.n_objects, back.n_patches) == (3, 2, lesson.n_patches)
    assert lesson_from_text(" \n") is None


def test_recipe_repeats_the_labels_and_says_what_was_learnt(lesson, other, tmp_path, capsys):
    settings = {"background": BACKGROUND, "training": lesson_as_text(lesson)}
    result = run(NAME, other, settings)
    labels = result.image("labels").array
    path = save_recipe(tmp_path / "cells.yaml", recipe_from_record(result.record))
    again = replay(load_recipe(path), other["image"])
    np.testing.assert_array_equal(again.image("labels").array, labels)
    count = len(lesson.is_background)
    expected = f"{count} voxels of 2 objects and background marked by hand on other images"
    told = recipe_to_methods_text(load_recipe(path))
    assert f"from 5 seed voxels of 2 labels marked by hand and {expected}" in told
    assert len(told) < 1000
    assert main(["info", str(path)]) == 0
    assert len(capsys.readouterr().out) < 3000
    text = path.read_text("utf-8")
    start = text.index("checksum")
    path.write_text(text[: start + 200] + text[start + 210 :], "utf-8")
    with pytest.raises(RecipeError, match="training"):
        load_recipe(path)


def test_a_lesson_changes_nothing_for_good_on_a_prepared_image(lesson, other):
    context = Context()
    taught = {"background": BACKGROUND, "training": lesson_as_text(lesson)}
    for settings in (taught, {"background": BACKGROUND}, taught):
        found = run(NAME, other, settings, context=context).image("labels").array
        np.testing.assert_array_equal(found, run(NAME, other, settings).image("labels").array)


def test_only_an_engine_that_told_objects_from_background_teaches(cells, seeds):
    for settings in ({}, {"engine": "watershed", "background": BACKGROUND}):
        context = Context()
        run(NAME, {"image": cells, "seeds": seeds}, settings, context=context)
        assert last_lesson(context.cache) is None


def test_a_series_teaches_what_its_time_points_teach_together(cells, seeds):
    """However few of them a run works on, and nothing of the runs before."""
    film = [replace(cells, array=np.roll(cells.array, 2 * t, -1)) for t in range(3)]
    marks = [replace(seeds, array=np.roll(seeds.array, 2 * t, -1)) for t in range(3)]
    alone = []
    for image, seeded in zip(film, marks, strict=True):
        context = Context()
        run(NAME, {"image": image, "seeds": seeded}, {"background": BACKGROUND}, context=context)
        alone.append(last_lesson(context.cache))
    series = {
        name: replace(
            ones[0], array=np.stack([one.array for one in ones]), axes=("t", *ones[0].axes)
        )
        for name, ones in (("image", film), ("seeds", marks))
    }
    context = Context()
    for times in ([0, 1, 2], [2, 0], [1]):
        run(NAME, series, {"background": BACKGROUND}, times=times, context=context)
        found = last_lesson(context.cache)
        first, *others = (alone[t] for t in sorted(times))
        expected = first.joined(*others)
        np.testing.assert_array_equal(found.values, expected.values)
        assert (found.n_objects, found.n_patches) == (expected.n_objects, expected.n_patches)
    run(NAME, series, {"engine": "watershed"}, context=context)
    assert last_lesson(context.cache) is None


def test_text_that_was_changed_is_refused(lesson, other):
    text = lesson_as_text(lesson)
    head, _, body = text.partition("\n")
    told = json.loads(head)
    forged = [
        "cos\nsystem\n(S'echo'\ntR.",
        text[:-40],
        text.replace('"objects": 2', '"objects": 3'),
        "\n".join([json.dumps({**told, "voxels": [10**12, 5]}), body]),
        "\n".join([json.dumps({**told, "voxels": [0, 5]}), body]),
        "\n".join([json.dumps({**told, "format": 2}), body]),
        "\n".join([head, body[:200] + ("A" if body[200] != "A" else "B") + body[201:]]),
    ]
    for wrong in forged:
        with pytest.raises(InputError, match=r"^training: .*\.$"):
            run(NAME, other, {"background": BACKGROUND, "training": wrong})


def test_a_lesson_of_images_of_another_kind_is_refused(lesson, other):
    flat = Lesson(2, lesson.values[:16], lesson.is_background, 2, lesson.n_patches)
    with pytest.raises(InputError, match=r"^training: it was learnt on a 2D image"):
        run(NAME, other, {"background": BACKGROUND, "training": lesson_as_text(flat)})
