"""Any sequence of edits, undone entirely, gives back the first labels; redone, the last."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from numpy.testing import assert_array_equal

from napari_seedbed.core.proofreading import shape_edits
from napari_seedbed.core.proofreading.chosen_objects import Chosen
from napari_seedbed.core.proofreading.cuts import split_by_cut
from napari_seedbed.core.proofreading.edit_history import MOST_BYTES, EditHistory
from napari_seedbed.core.proofreading.label_edits import edit_of_voxels
from napari_seedbed.core.proofreading.slice_drawing import (
    fill_slice,
    interpolate_between_slices,
)
from napari_seedbed.core.proofreading.splits import (
    split_by_necks,
    split_by_points,
    split_by_strokes,
)
from napari_seedbed.core.proofreading.whole_objects import (
    delete_objects,
    keep_largest_piece,
    merge_objects,
    renumber,
    separate_pieces,
)
from napari_seedbed.errors import InputError

TYPES = (np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64)
SHAPES = ((9, 11), (5, 7, 8))
SPACINGS = (None, 0.5, "anisotropic")


def place(draw, labels):
    """Draw a voxel of the labels."""
    return [draw(st.integers(0, n - 1)) for n in labels.shape]


def places_in(draw, labels, value):
    """Draw two or three voxels of a label, or of all labels where there is none of it."""
    inside = np.argwhere(labels == value)
    inside = inside if len(inside) else np.argwhere(np.ones_like(labels))
    return [inside[draw(st.integers(0, len(inside) - 1))] for _ in range(draw(st.integers(2, 3)))]


def places(draw, labels):
    """Draw two to four voxels of the labels."""
    return [place(draw, labels) for _ in range(draw(st.integers(2, 4)))]


def first_of(chosen):
    return replace(chosen, objects=chosen.objects[0])


def radius(draw):
    return draw(st.sampled_from((0.5, 1.0, 2.0)))


# Each is called with what is chosen, and what draws.
EDITS = {
    "delete": lambda chosen, draw: delete_objects(chosen),
    "merge": lambda chosen, draw: merge_objects(chosen),
    "renumber": lambda chosen, draw: renumber(
        first_of(chosen), draw(st.none() | st.integers(1, 12))
    ),
    "renumber all": lambda chosen, draw: renumber(replace(chosen, objects=None)),
    "largest piece": lambda chosen, draw: keep_largest_piece(chosen),
    "pieces": lambda chosen, draw: separate_pieces(chosen),
    "fill holes": lambda chosen, draw: shape_edits.fill_holes(
        chosen, slicewise=draw(st.booleans())
    ),
    **{
        name: lambda chosen, draw, name=name: getattr(shape_edits, name)(chosen, radius(draw))
        for name in ("smooth", "open_objects", "close_objects", "grow", "shrink")
    },
    "cut": lambda chosen, draw: split_by_cut(
        first_of(chosen), path=places(draw, chosen.labels), axis=0
    ),
    "plane": lambda chosen, draw: split_by_cut(
        first_of(chosen), plane=(place(draw, chosen.labels), place(draw, chosen.labels))
    ),
    "points": lambda chosen, draw: split_by_points(
        first_of(chosen), places_in(draw, chosen.labels, chosen.objects[0])
    ),
    "strokes": lambda chosen, draw: split_by_strokes(
        first_of(chosen), [places_in(draw, chosen.labels, chosen.objects[0]) for _ in range(2)]
    ),
    "necks": lambda chosen, draw: split_by_necks(chosen, radius(draw)),
    "fill": lambda chosen, draw: fill_slice(first_of(chosen), places_in(draw, chosen.labels, 0)[0]),
    "interpolate": lambda chosen, draw: interpolate_between_slices(chosen, draw(st.integers(0, 3))),
}
# What changes objects may touch no other, and what makes new ones takes new labels.
ALONE = set(EDITS) - {"renumber all"}


class Proofreading(RuleBasedStateMachine):
    """Edits, brush strokes, undo and redo in any order; two objects are locked."""

    kinds: ClassVar[set[str]] = set()

    @initialize(
        seed=st.integers(0, 2**32 - 1),
        shape=st.sampled_from(SHAPES),
        dtype=st.sampled_from(TYPES),
        spacing=st.sampled_from(SPACINGS),
        n_steps=st.sampled_from((3, 200)),
        turned=st.booleans(),
    )
    def start(self, seed, shape, dtype, spacing, n_steps, turned):
        rng = np.random.default_rng(seed)
        coarse = rng.integers(0, 6, [-(-n // 3) for n in shape])
        blocks = coarse.repeat(3, 0).repeat(3, 1)
        blocks = blocks.repeat(3, 2) if len(shape) == 3 else blocks
        labels = blocks[tuple(slice(n) for n in shape)].astype(dtype)
        # Holes, specks and rough borders.
        odd = rng.random(shape) < 0.15
        labels[odd] = rng.permutation(labels[odd])
        # A view whose voxels do not lie one behind the other, as transposed labels are.
        self.labels = np.asfortranarray(labels) if turned else labels
        self.spacing = tuple(range(1, len(shape) + 1)) if spacing == "anisotropic" else spacing
        self.locked = (1, 2)
        self.states = [self.labels.copy()]
        self.at = 0
        self.forgotten = 0
        self.history = EditHistory(max_steps=n_steps)
        self.max_steps = n_steps

    def made(self, edit):
        unchanged = self.labels.copy()
        assert_array_equal(unchanged, self.states[self.at])
        edit.apply(self.labels)
        assert (self.labels != unchanged).sum() == edit.voxels
        outside = np.ones(self.labels.shape, bool)
        outside[edit.box] = False
        assert_array_equal(self.labels[outside], unchanged[outside])
        touched = np.isin(unchanged, edit.objects) | np.isin(self.labels, edit.objects)
        assert touched[self.labels != unchanged].all()
        self.history.push(edit)
        assert self.history.undo_name == edit.name
        assert self.history.redo_name is None
        del self.states[self.at + 1 :]
        self.states.append(self.labels.copy())
        self.at += 1
        self.forgotten = max(self.forgotten, self.at - self.max_steps)

    @rule(kind=st.sampled_from(sorted(EDITS)), data=st.data())
    def edit(self, kind, data):
        present = set(np.unique(self.labels).tolist()) - {0}
        free = sorted(present - set(self.locked))
        # One in ten is about what is locked, or not there.
        odd = not free or data.draw(st.integers(0, 9)) == 9
        chosen = st.integers(1, 12) if odd else st.sampled_from(free)
        objects = data.draw(st.lists(chosen, min_size=1, max_size=3))
        before = self.labels.copy()
        try:
            edit = EDITS[kind](Chosen(self.labels, objects, self.spacing, self.locked), data.draw)
        except InputError:
            assert_array_equal(self.labels, before)
            return
        self.made(edit)
        self.kinds.add(kind)
        for value in set(self.locked) & set(np.unique(before)):
            assert_array_equal(self.labels == value, before == value)
        if kind in ALONE:
            others = (before > 0) & ~np.isin(before, objects)
            assert_array_equal(self.labels[others], before[others])

    @rule(data=st.data())
    def stroke(self, data):
        """A brush of napari's, which writes over whatever is there."""
        free = np.flatnonzero(~np.isin(self.labels, self.locked))
        where = data.draw(st.lists(st.integers(0, len(free) - 1), min_size=1, max_size=9))
        value = data.draw(st.sampled_from((0, 3, 4, 9)))
        flat = free[where]
        before = self.labels.ravel()[flat]
        if (before == value).all():
            return
        self.made(edit_of_voxels(flat, before, value, "stroke", shape=self.labels.shape))

    @rule()
    def undo(self):
        name = self.history.undo_name
        edit = self.history.undo(self.labels)
        if edit is None:
            assert name is None
            return
        assert edit.name == name == self.history.redo_name
        self.at -= 1

    @rule()
    def redo(self):
        name = self.history.redo_name
        edit = self.history.redo(self.labels)
        if edit is None:
            assert name is None
            assert self.at == len(self.states) - 1
            return
        assert edit.name == name == self.history.undo_name
        self.at += 1

    @invariant()
    def labels_are_those_of_the_step(self):
        if hasattr(self, "at"):
            assert_array_equal(self.labels, self.states[self.at])

    def teardown(self):
        if not hasattr(self, "at"):
            return
        while self.history.undo(self.labels) is not None:
            self.at -= 1
        assert self.at == self.forgotten
        assert_array_equal(self.labels, self.states[self.at])
        while self.history.redo(self.labels) is not None:
            self.at += 1
        assert self.at == len(self.states) - 1
        assert_array_equal(self.labels, self.states[-1])


def test_any_sequence_of_edits_is_undone_and_redone_and_locked_objects_never_change():
    Proofreading.kinds.clear()
    run_state_machine_as_test(
        Proofreading,
        settings=settings(
            max_examples=250,
            stateful_step_count=25,
            suppress_health_check=list(HealthCheck),
        ),
    )
    # With other examples one or another kind may be refused each time.
    assert len(Proofreading.kinds) > 3 * len(EDITS) // 4


def test_history_keeps_the_newest_steps_within_its_memory(rng):
    labels = rng.integers(0, 5, (40, 50)).astype(np.int64)
    history, states = EditHistory(max_steps=200, max_bytes=60_000), [labels.copy()]
    sizes = []
    for step in range(300):
        where = np.sort(rng.choice(labels.size, 40 if step % 7 else 900, replace=False))
        edit = edit_of_voxels(
            where, labels.ravel()[where], rng.integers(5, 99, len(where)), "x", shape=labels.shape
        )
        edit.apply(labels)
        states.append(labels.copy())
        history.push(edit)
        sizes.append(edit.nbytes)
        assert history.nbytes <= 60_000
    assert sum(sizes) > 120_000
    steps = len(history)
    assert 10 < steps <= 200
    for n in range(1, steps + 1):
        history.undo(labels)
        assert_array_equal(labels, states[-1 - n])
    assert history.undo(labels) is None
    for n in range(steps):
        history.redo(labels)
        assert_array_equal(labels, states[len(states) - steps + n])


def test_a_hundred_steps_that_move_all_of_a_thousand_objects_fit_the_default_memory():
    labels = np.arange(1, 1001).reshape(10, 10, 10).repeat(6, 0).repeat(13, 1).repeat(13, 2)
    labels = labels.astype(np.int32)
    # A quarter of the lines, and of the memory, of 512 x 512 x 60 voxels.
    history = EditHistory(max_bytes=MOST_BYTES // 4)
    for _ in range(100):
        edit = edit_of_voxels(
            np.arange(labels.size), labels.ravel(), labels.ravel() + 1, "all", shape=labels.shape
        )
        edit.apply(labels)
        history.push(edit)
    assert len(history) == 100
    assert history.nbytes < MOST_BYTES // 4 < 100 * edit.nbytes


def test_an_edit_in_one_time_point_is_one_of_the_series(rng):
    series = rng.integers(0, 4, (3, 5, 6, 7)).astype(np.uint16)
    edit = delete_objects(Chosen(series[1], 2))
    whole = edit.within(series.shape, (1,))
    expected = series.copy()
    expected[1][series[1] == 2] = 0
    whole.apply(series)
    assert_array_equal(series, expected)
    assert [side.start for side in whole.box] == [1, *(side.start for side in edit.box)]
    whole.revert(series)
    assert edit.starts.dtype == np.uint8
    assert whole.starts.dtype == np.uint16
    with pytest.raises(InputError, match="must end with"):
        edit.within((3, 5, 6, 8), (1,))
