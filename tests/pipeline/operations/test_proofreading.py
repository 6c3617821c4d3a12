"""The record of proofread labels is a recipe: it gives the same voxels wherever it is run."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage as ndi

from napari_seedbed.core.proofreading.edit_commands import edit_of
from napari_seedbed.core.proofreading.label_edits import edit_of_voxels
from napari_seedbed.core.proofreading.named_edits import EditCommand
from napari_seedbed.core.proofreading.voxel_runs import VoxelRuns
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.encodings.edit_encoding import (
    VERBS,
    edit_text,
    edits_text,
    parse_edits,
)
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.recipes.replays import (
    load_recipe,
    recipe_from_record,
    replay,
    save_recipe,
)

SPACING = (2.0, 0.5, 0.5)

SESSION = """
delete 9
merge 1 2
smooth 3 radius=1
open 3 radius=0.6
close 3 radius=0.6
grow 4 radius=1.1
shrink 4 radius=0.5
fill-holes 5 slicewise=yes
cut 5 path=4,30,0>4,31,80
cut 6 point=4,30,30 normal=0,1,0.3
split-by-points 7 points=4,30,46>4,30,54
split-by-strokes 8 stroke=4,25,70>4,28,70 stroke=4,34,72>4,35,72 image=yes
separate-pieces 1
merge 5 6
keep-largest-piece 5
split-by-necks 10 depth=0.5
interpolate 3 every=3
redo 4
fill-slice 20 point=0,0,0
erased
renumber 4 to=300
renumber
"""


@pytest.fixture
def scene():
    """Return labels of balls in rows, and an image of them with noise."""
    rng = np.random.default_rng(7)
    labels = np.zeros((9, 62, 84), np.uint16)
    grid = np.indices(labels.shape)
    centres = [(4, 10 + 20 * row, 10 + 20 * column) for row in range(3) for column in range(4)]
    for number, centre in enumerate(centres[:10], start=1):
        away = sum(((g - c) * s) ** 2 for g, c, s in zip(grid, centre, SPACING, strict=True))
        labels[away <= (4 + rng.random()) ** 2] = number
    second = sum(((g - c) * s) ** 2 for g, c, s in zip(grid, (4, 50, 43), SPACING, strict=True))
    labels[(second <= 16) & (labels == 0)] = 10
    # Holes, and something rough.
    labels[4, 29:32, 9:12][labels[4, 29:32, 9:12] == 5] = 0
    labels[ndi.binary_dilation(labels == 3) & (rng.random(labels.shape) < 0.3)] = 3
    image = ndi.gaussian_filter((labels > 0) * 100.0, (0.5, 1, 1)) + rng.normal(0, 4, labels.shape)
    return labels, image.astype(np.float32)


def image_of(array, name="image", **about):
    axes = ("t", "z", "y", "x")[-array.ndim :]
    return Image(array, axes, spacing=SPACING, units=("micrometer",) * 3, name=name, **about)


def commands_of(labels):
    """Return the commands of a session, with a brush stroke among them."""
    stroke = edit_of_voxels(
        np.arange(900, 1400), labels.ravel()[900:1400], 40, "x", shape=labels.shape
    )
    brush = EditCommand("write", options={"voxels": VoxelRuns.after(stroke)})
    return parse_edits(SESSION.replace("erased", edit_text(brush)))


def test_a_session_in_a_window_is_a_recipe_with_the_same_voxels(scene, tmp_path):
    labels, image = scene
    commands = commands_of(labels)
    assert {command.verb for command in commands} == set(VERBS)
    by_hand = labels.copy()
    for command in commands:
        before = by_hand.copy()
        edit = edit_of(command, by_hand, image=image, spacing=SPACING)
        edit.apply(by_hand)
        assert (by_hand != before).any(), command
    inputs = {"image": image_of(labels, "labels"), "other": image_of(image)}
    result = run("proofread_labels", inputs, {"edits": edits_text(commands)})
    found = result.image("labels")
    assert_array_equal(found.array, by_hand)
    assert found.dtype == labels.dtype
    assert result.record["notes"] == [f"{len(commands)} edits made."]
    recipe = load_recipe(save_recipe(tmp_path / "day.yaml", recipe_from_record(result.record)))
    again = replay(recipe, inputs["image"], other=inputs["other"])
    assert_array_equal(again.image("labels").array, by_hand)


def test_edits_are_for_one_time_point_or_for_all_where_the_object_is(scene):
    labels, _ = scene
    series = np.stack([labels, np.where(labels == 3, 0, labels), labels])
    text = "delete 3\nmerge 1 2 t=1\nrenumber 4 to=77 t=2"
    found = run("proofread_labels", {"image": image_of(series)}, {"edits": text}).image("labels")
    expected = np.where(series == 3, 0, series)
    expected[1][expected[1] == 2] = 1
    expected[2][expected[2] == 4] = 77
    assert_array_equal(found.array, expected)


def test_what_is_refused_at_some_time_points_is_noted(scene):
    labels, _ = scene
    series = np.stack([labels, np.where(labels == 3, 0, labels), labels])
    series[2][(series[2] == 5) & (np.arange(labels.shape[-1]) > 5)] = 0
    text = "delete 3\nmerge 4 6\nmerge 3 7"
    series[1][series[1] == 6] = 0
    with pytest.raises(InputError, match=r"edits: 3 \(merge 3 7\): objects: only 7 is given"):
        run("proofread_labels", {"image": image_of(series)}, {"edits": text})
    text = "delete 3\nmerge 4 6\nshrink 5 radius=2"
    result = run("proofread_labels", {"image": image_of(series)}, {"edits": text})
    notes = result.record["notes"]
    assert notes[0] == (
        "edits: 2 (merge 4 6): not made at t 1: objects: only 4 is given; a merge needs at least "
        "two."
    )
    assert notes[1].startswith("edits: 3 (shrink 5 radius=2): not made at t 2: Object 5 would van")
    assert notes[2] == "3 edits made."


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ("merge 1 2\ndelete 99", r"^edits: 2 \(delete 99\): Object 99 is not in these labels\.$"),
        ("redo 4", r"^edits: 1 \(redo 4\): redo needs an image\.$"),
        ("delete 1 t=3", "there are 1 time points"),
        ("split-by-points 7 points=4,30,46>4,30,54 image=yes", "needs an image"),
        ("delete", "^edits: 'delete' cannot be read"),
    ],
)
def test_edits_that_cannot_be_made_are_named(scene, edits, message):
    labels, _ = scene
    with pytest.raises(InputError, match=message):
        run("proofread_labels", {"image": image_of(labels)}, {"edits": edits})


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, ">u2"])
def test_labels_of_any_type_keep_it(scene, dtype):
    labels = (scene[0] == 3).astype(dtype)
    kept = labels.copy()
    result = run("proofread_labels", {"image": image_of(labels)}, {"edits": "smooth 1 radius=1"})
    expected = labels.astype(np.uint8)
    edit_of(parse_edits("smooth 1 radius=1")[0], expected, spacing=SPACING).apply(expected)
    assert_array_equal(result.image("labels").array, expected)
    assert_array_equal(labels, kept)
    wanted = np.uint8 if dtype is bool else np.dtype(dtype).newbyteorder("=")
    assert result.image("labels").dtype == wanted
