"""Pixel classification as an operation: what it keeps, on parts, through time, and its forecast."""

import json
import time
import tracemalloc

import numpy as np
import pytest

from bounds import bound
from napari_seedbed.errors import Cancelled, InputError, RecipeError
from napari_seedbed.pipeline.cli import main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.encodings.sample_encoding import samples_as_text, samples_from_text
from napari_seedbed.pipeline.operations import forecast, get, run
from napari_seedbed.pipeline.operations.pixel_classification import samples_of
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe
from napari_seedbed.pipeline.recipes.methods_text import recipe_to_methods_text

NAME = "pixel_classification"


def box(shape, seed=0):
    """A noisy bright box, with marks of class 3 in it and of class 7 around it."""
    array = np.random.default_rng(seed).normal(100, 20, shape)
    inside = tuple(slice(n // 4, n - n // 4) for n in shape)
    array[inside] += 200
    truth = np.full(shape, 7)
    truth[inside] = 3
    marks = np.zeros(shape, np.int32)
    marks[tuple(slice(n // 2 - 1, n // 2 + 2) for n in shape)] = 3
    marks[..., :2, :] = 7
    return array.astype(np.float32), truth, marks


def inputs(shape, seed=0):
    array, truth, marks = box(shape, seed)
    axes = ("z", "y", "x")[-len(shape) :]
    return {"image": Image(array, axes), "seeds": Image(marks, axes)}, truth


def learnt_text(given):
    parameters = get(NAME).defaults()
    samples = samples_of(given["image"], given["seeds"], parameters)
    return samples_as_text(samples)


@pytest.mark.parametrize("shape", [(60, 70), (14, 40, 44)], ids=["2D", "3D"])
def test_what_was_learnt_gives_the_same_bits_as_the_marks_on_all_and_on_parts(shape):
    given, truth = inputs(shape)
    result = run(NAME, given, {"probabilities": True})
    labels = result.image("labels").array
    assert np.mean(labels == truth) > 0.93
    assert result.image("probabilities").channel_names == ("label 3", "label 7")
    settings = {"training": learnt_text(given), "probabilities": True}
    again = run(NAME, {"image": given["image"]}, settings)
    region = tuple(slice(n // 3, n // 3 + 5) for n in shape)
    part = run(NAME, {"image": given["image"]}, settings, region=region)
    for key in ("labels", "probabilities"):
        whole = result.image(key).array
        np.testing.assert_array_equal(again.image(key).array, whole)
        np.testing.assert_array_equal(part.image(key).array, whole[(..., *region)])


def test_image_in_a_file_gives_the_same_as_in_memory():
    import dask.array as da

    given, _ = inputs((14, 40, 44))
    lazy = Image(da.from_array(given["image"].array, chunks=(4, 20, 44)), ("z", "y", "x"))
    settings = {"training": learnt_text(given)}
    assert learnt_text({**given, "image": lazy}) == settings["training"]
    region = (slice(3, 4), slice(0, 40), slice(5, 44))
    for image in (lazy, given["image"]):
        part = run(NAME, {"image": image}, settings, region=region).image("labels").array
        whole = run(NAME, {"image": image}, settings).image("labels").array
        np.testing.assert_array_equal(part, whole[region])


def test_marks_at_any_time_point_count_at_all_of_them():
    frames = [box((40, 44), seed) for seed in range(3)]
    array = np.stack([frame[0] for frame in frames])
    marks = np.zeros(array.shape, np.int32)
    marks[0][frames[0][2] == 3] = 3
    marks[2][frames[2][2] == 7] = 7
    axes = ("t", "y", "x")
    given = {"image": Image(array, axes), "seeds": Image(marks, axes)}
    result = run(NAME, given, {"table": True})
    for frame, found in zip(frames, result.image("labels").array, strict=True):
        assert np.mean(found == frame[1]) > 0.9
    table = result.table().columns
    assert len(table["feature"]) == 27
    assert table["importance"].sum() == pytest.approx(1)
    assert (np.diff(table["importance"]) <= 0).all()
    assert "out-of-bag error" in result.record["notes"][0]


def test_objects_are_numbered_pieces_of_a_class_that_are_large_enough():
    array = np.random.default_rng(0).normal(0, 5, (60, 90))
    marks = np.zeros(array.shape, np.int32)
    for x in (10, 40, 70):
        array[20:36, x : x + 14] += 200
        marks[26:30, x + 4 : x + 10] = 1
    array[2:9, 60:67] += 200
    marks[50:55] = 2
    given = {"image": Image(array, ("y", "x")), "seeds": Image(marks, ("y", "x"))}
    large = run(NAME, given, {"result": "objects", "min_size": 100.0}).image("labels").array
    assert np.unique(large).tolist() == [0, 1, 2, 3]
    assert [int(large[28, x]) for x in (16, 46, 76)] == [1, 2, 3]
    every = run(NAME, given, {"result": "objects", "min_size": 0.0}).image("labels").array
    assert every.max() == 4
    strict = {"result": "objects", "min_size": 0.0, "threshold": 0.99}
    assert np.count_nonzero(run(NAME, given, strict).image("labels").array) < np.count_nonzero(
        every
    )
    with pytest.raises(InputError, match=r"^object_class: 5 .* 1, 2\.$"):
        run(NAME, given, {"result": "objects", "object_class": 5})


def test_background_comes_out_as_nothing():
    given, truth = inputs((40, 44))
    labels = run(NAME, given, {"background": 7}).image("labels").array
    assert set(np.unique(labels)) == {0, 3}
    assert np.mean((labels == 3) == (truth == 3)) > 0.95


def test_text_of_what_was_learnt_keeps_every_bit():
    given, _ = inputs((40, 44))
    samples = samples_of(given["image"], given["seeds"], get(NAME).defaults())
    back = samples_from_text(samples_as_text(samples))
    assert (back.features, back.intensities) == (samples.features, samples.intensities)
    np.testing.assert_array_equal(back.values, samples.values)
    np.testing.assert_array_equal(back.labels, samples.labels)


def test_text_that_was_changed_is_refused():
    given, _ = inputs((40, 44))
    text = learnt_text(given)
    head, _, body = text.partition("\n")
    told = json.loads(head)
    forged = [
        "cos\nsystem\n(S'echo'\ntR.",
        text[:-40],
        text.replace("contrast", "absolute"),
        "\n".join([json.dumps({**told, "classes": {"3": 10**9, "7": 5}}), body]),
        "\n".join([json.dumps({**told, "format": 2}), body]),
        "\n".join([head, body[:200] + ("A" if body[200] != "A" else "B") + body[201:]]),
    ]
    for wrong in forged:
        with pytest.raises(InputError, match=r"^training: .*\.$"):
            run(NAME, {"image": given["image"]}, {"training": wrong})


def test_recipe_without_marks_applies_to_another_image_and_a_damaged_one_is_refused(
    tmp_path, capsys
):
    given, _ = inputs((40, 44))
    result = run(NAME, {"image": given["image"]}, {"training": learnt_text(given)})
    path = save_recipe(tmp_path / "learnt.yaml", recipe_from_record(result.record))
    other, truth = inputs((60, 50), seed=9)
    again = replay(load_recipe(path), other["image"])
    assert np.mean(again.image("labels").array == truth) > 0.95
    assert main(["info", str(path)]) == 0
    assert len(capsys.readouterr().out) < 3000
    told = recipe_to_methods_text(load_recipe(path))
    assert "voxels of 2 classes marked by hand before" in told
    assert "format" not in told
    assert len(told) < 1000
    text = path.read_text("utf-8")
    start = text.index("checksum")
    damaged = text[: start + 200] + text[start + 210 :]
    path.write_text(damaged, "utf-8")
    with pytest.raises(RecipeError, match="training"):
        load_recipe(path)


def test_other_channels_and_both_marks_and_samples_are_refused():
    given, _ = inputs((40, 44))
    text = learnt_text(given)
    with pytest.raises(InputError, match=r"^training: marks and samples were both given"):
        run(NAME, given, {"training": text})
    two = Image(np.stack([given["image"].array] * 2), ("c", "y", "x"))
    with pytest.raises(InputError, match=r"^image has 2 channel\(s\); .* of 1\."):
        run(NAME, {"image": two}, {"training": text})
    with pytest.raises(InputError, match=r"^seeds: there are neither"):
        run(NAME, {"image": given["image"]})


def test_memory_stays_below_the_forecast():
    given, _ = inputs((48, 160, 160))
    parameters = {"training": learnt_text(given), "probabilities": True}
    small = {"image": given["image"].crop((slice(0, 8), slice(0, 40), slice(0, 40)))}
    run(NAME, small, parameters)
    tracemalloc.start()
    run(NAME, {"image": given["image"]}, parameters)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    need = forecast(NAME, {"image": given["image"]}, parameters)
    assert need.bytes / 4 < peak < need.bytes


@pytest.mark.timing
def test_cancelling_takes_a_moment():
    given, _ = inputs((64, 128, 128))
    parameters = {"training": learnt_text(given)}
    start = time.monotonic()

    with pytest.raises(Cancelled):
        run(
            NAME,
            {"image": given["image"]},
            parameters,
            should_stop=lambda: time.monotonic() - start > 0.5,
        )
    assert time.monotonic() - start < bound(3.0)
