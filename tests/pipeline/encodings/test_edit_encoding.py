"""Edits as text: what is written is read again, and what is none is refused by name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from napari_seedbed.core import EditCommand, VoxelRuns
from napari_seedbed.core.proofreading.label_edits import edit_of_voxels
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.encodings import edit_encoding
from napari_seedbed.pipeline.encodings.edit_encoding import (
    VERBS,
    edit_text,
    edits_text,
    parse_edits,
    scaled_edits,
)
from napari_seedbed.pipeline.encodings.voxel_runs import voxel_runs_as_text, voxel_runs_from_text

NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)
POINTS = st.tuples(NUMBERS, NUMBERS, NUMBERS)
LINES = st.lists(POINTS, min_size=1, max_size=3).map(tuple)
VALUES = {
    edit_encoding._NUMBER: NUMBERS,
    edit_encoding._WHOLE: st.integers(0, 1 << 60),
    edit_encoding._SWITCH: st.booleans(),
    edit_encoding._POINT: POINTS,
    edit_encoding._LINE: LINES,
    edit_encoding._LINES: st.lists(LINES, min_size=1, max_size=3).map(tuple),
}


@st.composite
def commands(draw):
    """Draw any command but those of brushes."""
    name = draw(st.sampled_from(sorted(set(VERBS) - {"write"})))
    verb = VERBS[name]
    some = st.lists(st.integers(1, 99), min_size=verb.least, max_size=min(verb.most, 4))
    chosen = draw(st.sets(st.sampled_from(sorted(verb.options)))) if verb.options else set()
    options = {
        key: draw(VALUES[kind])
        for key, kind in verb.options.items()
        if key in chosen or key in verb.needs
    }
    return EditCommand(name, tuple(draw(some)), options, draw(st.none() | st.integers(0, 9)))


@given(st.lists(commands(), max_size=5))
def test_commands_are_read_as_they_were_written(given_commands):
    text = edits_text(given_commands)
    assert list(parse_edits(text)) == given_commands
    assert edits_text(parse_edits(text)) == text


def test_people_write_commands_as_they_like():
    found = parse_edits(
        "  Merge 12 17;delete 5 t=2\n\nsmooth 3   radius=0.5 ; cut 1 path=0,2.5>9,2.5"
    )
    assert [edit_text(command) for command in found] == [
        "merge 12 17",
        "delete 5 t=2",
        "smooth 3 radius=0.5",
        "cut 1 path=0,2.5>9,2.5",
    ]
    assert parse_edits("") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("explode 3", "'explode 3' cannot be read: there is no edit 'explode'; there are delete"),
        ("merge 3", "merge takes at least 2 object"),
        ("delete", "delete takes at least 1 object"),
        ("cut 1 2 path=0,0>1,1", "cut takes 1 object"),
        ("renumber 1 2", "renumber takes at most 1 object"),
        ("delete five", "'five' is no whole number"),
        ("delete -5", "'-5' is no whole number"),
        ("smooth 3", "smooth needs radius="),
        ("smooth 3 radius=far", "'far' is no number"),
        ("smooth 3 radius=1 radius=2", "more than once"),
        ("delete 3 radius=1", "delete has no option 'radius'"),
        ("fill-holes 3 slicewise=maybe", "neither yes nor no"),
        ("delete 3 t=-1", "'-1' is no whole number"),
        ("write voxels=4x4:1:AAAA:00", "are damaged"),
        ("delete 1\nmerge 3", "'merge 3' cannot be read"),
    ],
)
def test_what_is_no_edit_is_refused_by_name(text, message):
    with pytest.raises(InputError, match=message):
        parse_edits(text)


def test_lengths_alone_are_scaled():
    text = "smooth 3 radius=0.5\nsplit-by-necks 4 depth=2\ncut 1 path=1,2>3,4\ngrow 2 radius=3 t=1"
    assert scaled_edits(text, 1000) == (
        "smooth 3 radius=500\nsplit-by-necks 4 depth=2000\ncut 1 path=1,2>3,4\n"
        "grow 2 radius=3000 t=1"
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.int64])
@pytest.mark.parametrize("shape", [(9, 11), (3, 5, 7), (2, 3, 4, 5)])
def test_what_a_brush_wrote_is_written_again(rng, shape, dtype):
    labels = rng.integers(0, 4, shape).astype(dtype)
    where = rng.choice(labels.size, labels.size // 3, replace=False)
    after = np.full(len(where), np.iinfo(dtype).max, dtype)
    edit = edit_of_voxels(where, labels.ravel()[where], after, "stroke", shape=shape)
    text = edit_text(EditCommand("write", options={"voxels": VoxelRuns.after(edit)}))
    (command,) = parse_edits(text)
    expected, found = labels.copy(), labels.copy()
    edit.apply(expected)
    command.options["voxels"].edit(labels).apply(found)
    assert_array_equal(found, expected)
    with pytest.raises(InputError, match="of labels of shape"):
        command.options["voxels"].edit(np.zeros((2, 2), dtype))
    if dtype != np.uint8:
        with pytest.raises(InputError, match="uint8 end at 255"):
            command.options["voxels"].edit(labels.astype(np.uint8))


def test_every_change_of_the_text_of_a_brush_is_found(rng):
    edit = edit_of_voxels(np.arange(3, 30, 2), 0, rng.integers(1, 9, 14), "x", shape=(6, 7))
    text = voxel_runs_as_text(VoxelRuns.after(edit))
    same = voxel_runs_from_text(text)
    assert_array_equal(same.runs, VoxelRuns.after(edit).runs)
    for place in range(len(text)):
        for letter in "0A:":
            forged = text[:place] + letter + text[place + 1 :]
            try:
                found = voxel_runs_from_text(forged)
            except InputError:
                continue
            # What reads the same is the same.
            assert_array_equal(found.runs, same.runs)
            assert found.shape == same.shape
    for cut in range(len(text)):
        with pytest.raises(InputError, match="are damaged"):
            voxel_runs_from_text(text[:cut])
    bomb = "9999999x9999999:3:" + text.split(":", 2)[2]
    with pytest.raises(InputError, match="are damaged"):
        voxel_runs_from_text(bomb)
