"""Objects one after the other, on the command line and from a recipe, as the panel makes them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_seedbed.core import ObjectProposer, SeededSegmenter
from napari_seedbed.core.seeded.object_steps import ObjectStep
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.cli.__main__ import main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.encodings.object_steps import (
    steps_as_text,
    steps_from_text,
)
from napari_seedbed.pipeline.files import read_image, write_image
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.operations.object_by_object import SEVERAL_MASKS, record_of_objects
from napari_seedbed.pipeline.recipes import load_recipe, recipe_from_record, replay, save_recipe

CENTRES = ((30, 30), (30, 61), (80, 40), (85, 100))
BACKGROUND = 9


def discs():
    yy, xx = np.mgrid[:120, :140]
    truth = np.zeros(yy.shape, np.int32)
    for number, (y, x) in enumerate(CENTRES, start=1):
        truth[(yy - y) ** 2 + (xx - x) ** 2 <= 15**2] = number
    image = ndi.gaussian_filter((truth > 0).astype(float), 1)
    image += np.random.default_rng(0).normal(0, 0.05, truth.shape)
    return Image((1000 * (image + 1)).astype(np.uint16), ("y", "x"), name="discs"), truth


def dot(centre):
    return np.stack(np.mgrid[-2:3, -2:3], axis=-1).reshape(-1, 2) + centre


def steps():
    """Three objects, the second of which is reopened and gets a background stroke at the end."""
    nothing = np.empty((0, 2), np.int64)
    return [
        ObjectStep(1, dot(CENTRES[0]), nothing),
        ObjectStep(2, dot(CENTRES[1]), nothing),
        ObjectStep(7, dot(CENTRES[3]), dot((60, 60))),
        ObjectStep(2, dot(CENTRES[1]), dot((30, 80))),
    ]


def by_hand(image, told, excluded=None):
    """What a person who keeps each proposal gets."""
    proposer = ObjectProposer(SeededSegmenter(image.array))
    for step in told:
        proposer.choose_background(step.darker_than or None, excluded if step.is_masked else None)
        if step.learnt_anew:
            proposer.learn({1: told[0].background, 2: told[1].background})
        if (proposer.objects == step.number).any():
            proposer.remove(step.number)
        proposer.keep(step.number, proposer.propose(step.strokes, step.background))
    return proposer.objects


def test_steps_come_back_from_their_text():
    told = steps()
    found = steps_from_text(steps_as_text((120, 140), told))
    assert [step.number for step in found] == [1, 2, 7, 2]
    for step, other in zip(found, told, strict=True):
        for name in ("strokes", "background"):
            one, two = (np.unique(getattr(s, name), axis=0) for s in (step, other))
            np.testing.assert_array_equal(one, two)
    assert steps_from_text("  ") == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": [{"object": 0, "strokes": [[1, 2]]}]}, r"steps\.0\.object"),
        ({"steps": [{"object": 1, "strokes": []}]}, r"steps\.0\.strokes"),
        ({"steps": [{"object": 4, "strokes": [[90, 20]]}]}, "object 4 lie outside"),
        ({"format": 2}, "newer napari-seedbed"),
        (
            {
                "shape": [32768, 65536],
                "steps": [{"object": 1, "strokes": [[0, 2**31]] * 1000}],
            },
            "of memory, more than is free",
        ),
        ({"shape": [100000, 100000]}, "outside an image"),
        ({"code": "1"}, "code"),
    ],
)
def test_forged_steps_are_refused(change, message):
    good = {"format": 1, "shape": [10, 10], "steps": [{"object": 1, "strokes": [[5, 3]]}]}
    assert len(steps_from_text(json.dumps(good))) == 1
    with pytest.raises(InputError, match=message):
        steps_from_text(json.dumps({**good, **change}))


def test_record_of_kept_objects_replays_to_the_same_voxels(tmp_path):
    image, _ = discs()
    excluded = np.zeros(image.shape, np.uint8)
    excluded[:, 110:] = 1
    other = Image(excluded, ("y", "x"), name="not an object")
    # The line is moved and the mask chosen while objects are made.
    first, second, third, again = steps()
    told = [
        first,
        replace(second, darker_than=1300.0),
        replace(third, darker_than=1100.5, is_masked=True),
        again,
    ]
    kept = by_hand(image, told, excluded > 0)
    assert not (kept[:, 111:] == 7).any()
    objects = image.empty_labels()
    objects.array[...] = kept
    recipe = recipe_from_record(record_of_objects(image, objects, told, masks=[other]))
    replayed = replay(recipe, image, other=other).image("labels")
    np.testing.assert_array_equal(replayed.array, kept)
    with pytest.raises(InputError, match=r"^other: there is none"):
        run("object_by_object", {"image": image}, {"steps": steps_as_text(image.shape, told)})
    assert set(np.unique(kept)) == {0, 1, 2, 7}
    # the same from files, on the command line, without the mask
    free = by_hand(image, steps())
    objects.array[...] = free
    path = save_recipe(
        tmp_path / "objects.yaml", recipe_from_record(record_of_objects(image, objects, steps()))
    )
    assert load_recipe(path).steps[0].operation == "object_by_object"
    write_image(tmp_path / "discs.tif", image)
    assert main(["run", str(path), str(tmp_path / "discs.tif"), "-o", str(tmp_path / "out")]) == 0
    (written,) = (tmp_path / "out").glob("*.tif")
    np.testing.assert_array_equal(read_image(written).array, free)


def test_record_of_work_that_went_on_later_replays_and_says_what_it_cannot():
    image, _ = discs()
    told = steps()
    told[2] = replace(told[2], learnt_anew=True)
    objects = image.empty_labels()
    objects.array[...] = by_hand(image, told)
    record = record_of_objects(image, objects, told)
    assert record["notes"] == []
    replayed = replay(recipe_from_record(record), image).image("labels")
    np.testing.assert_array_equal(replayed.array, objects.array)
    objects.array[:2, :2] = 12
    masked = [replace(step, is_masked=True) for step in told]
    one, other = (Image(np.full(image.shape, n, np.uint8), image.axes) for n in (0, 1))
    known = record_of_objects(image, objects, masked, masks=[one])
    assert known["notes"] == ["No step makes these objects of the layer: 12."]
    described = [entry for entry in known["inputs"] if entry["role"] == "other"]
    assert len(described) == 1
    for more, notes in (([], 1), ([one], 1), ([other], 2)):
        record = record_of_objects(image, objects, masked, masks=more, known_masks=described)
        assert len(record["notes"]) == notes
        assert (SEVERAL_MASKS in record["notes"]) == (notes == 2)
        others = [entry for entry in record["inputs"] if entry["role"] == "other"]
        assert others == (described if notes == 1 else [])


def test_seeds_give_objects_in_the_order_of_their_labels():
    image, truth = discs()
    seeds = np.zeros(truth.shape, np.int32)
    for number, centre in enumerate(CENTRES, start=1):
        seeds[tuple(dot(centre).T)] = number
    seeds[112:115, 10:130] = BACKGROUND
    found = run(
        "object_by_object",
        {"image": image, "seeds": Image(seeds, ("y", "x"), name="seeds")},
        {"background": BACKGROUND},
    ).image("labels")
    assert set(np.unique(found.array)) == {0, 1, 2, 3, 4}
    agreement = np.count_nonzero(found.array == truth) / truth.size
    assert agreement > 0.98
    alone = by_hand(
        image,
        [
            ObjectStep(n, np.argwhere(seeds == n), np.argwhere((seeds > 0) & (seeds != n)))
            for n in range(1, 5)
        ],
    )
    np.testing.assert_array_equal(found.array, alone)


def test_brightness_and_a_mask_count_for_seeds_as_well():
    image, truth = discs()
    seeds, excluded = np.zeros(truth.shape, np.int32), np.zeros(truth.shape, np.uint8)
    seeds[tuple(dot(CENTRES[0]).T)], seeds[tuple(dot(CENTRES[1]).T)] = 1, 2
    excluded[:, CENTRES[0][1] + 5 :] = 1
    inputs = {"image": image, "seeds": Image(seeds, ("y", "x"), name="seeds")}
    inputs["other"] = Image(excluded, ("y", "x"), name="not an object")
    found = run("object_by_object", inputs, {"darker_than": 1900.0}).image("labels").array
    told = [
        ObjectStep(n, np.argwhere(seeds == n), np.argwhere(seeds == 3 - n), 0, 1900.0, True)
        for n in (1, 2)
    ]
    np.testing.assert_array_equal(found, by_hand(image, told, excluded > 0))
    assert not np.array_equal(
        found, by_hand(image, [replace(one, is_masked=False) for one in told])
    )
    assert not found[(excluded > 0) & (seeds == 0)].any()


def test_wrong_use_is_named():
    image, _ = discs()
    with pytest.raises(InputError, match=r"^seeds: there are neither"):
        run("object_by_object", {"image": image})
    small = steps_as_text((50, 50), [ObjectStep(1, dot((20, 20)), np.empty((0, 2), int))])
    with pytest.raises(InputError, match=r"^steps: they were made on an image of the shape"):
        run("object_by_object", {"image": image}, {"steps": small})
    told = steps_as_text(image.shape, [*steps()[:1], ObjectStep(5, dot(CENTRES[0]), dot((5, 5)))])
    result = run("object_by_object", {"image": image}, {"steps": told})
    assert any("Object 5 is missing" in note for note in result.record["notes"])


def test_time_points_have_steps_of_their_own():
    image, _ = discs()
    series = Image(np.stack([image.array, image.array]), ("t", "y", "x"), name="series")
    nothing = np.empty((0, 2), np.int64)
    told = [ObjectStep(1, dot(CENTRES[0]), nothing), ObjectStep(3, dot(CENTRES[2]), nothing, 1)]
    result = run("object_by_object", {"image": series}, {"steps": steps_as_text((120, 140), told)})
    labels = result.image("labels").array
    assert [set(np.unique(one)) for one in labels] == [{0, 1}, {0, 3}]
