"""Labels from another grid land where their world position is, and no stroke gets lost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi

from napari_seedbed.core import resample_labels
from napari_seedbed.core.marks import label_resampling
from napari_seedbed.errors import InputError

quick = settings(max_examples=60, deadline=None)


def affine(matrix, offset):
    full = np.eye(len(offset) + 1)
    full[:-1, :-1], full[:-1, -1] = matrix, offset
    return full


def turn(angle):
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


@st.composite
def transforms(draw):
    scale = np.diag([draw(st.floats(0.25, 4)), draw(st.floats(0.25, 4))])
    offset = [draw(st.floats(-8, 8)), draw(st.floats(-8, 8))]
    return affine(turn(draw(st.floats(0, 2 * np.pi))) @ scale, offset)


def test_the_same_grid_gives_a_copy():
    labels = np.arange(-3, 9, dtype=np.int16).reshape(3, 4)
    out = resample_labels(labels, np.eye(3), (3, 4))
    assert np.array_equal(out, labels)
    assert out.dtype == np.int32
    assert not np.shares_memory(out, labels)


@quick
@given(shift=st.tuples(st.integers(-6, 6), st.integers(-6, 6)), seed=st.integers(0, 99))
def test_a_shift_by_whole_voxels_moves_labels_exactly(shift, seed):
    labels = np.random.default_rng(seed).integers(1, 5, (7, 9))
    out = resample_labels(labels, affine(np.eye(2), shift), (8, 8))
    wide = np.pad(labels, 20)
    assert np.array_equal(out, wide[20 + shift[0] :, 20 + shift[1] :][:8, :8])


@quick
@given(transform=transforms(), seed=st.integers(0, 99))
def test_solid_regions_equal_nearest_neighbour(transform, seed):
    blocks = np.random.default_rng(seed).integers(1, 4, (3, 3))
    labels = np.kron(blocks, np.ones((8, 8), int))
    shape = (15, 13)
    expected = ndi.map_coordinates(
        labels,
        np.tensordot(transform[:2, :2], np.indices(shape), 1) + transform[:2, 2, None, None],
        order=0,
        cval=0,
        mode="constant",
    )
    try:
        out = resample_labels(labels, transform, shape)
    except InputError:
        assert not expected.any()
        return
    seen = expected != 0
    # A block of which only a corner lies in the image may take one voxel from another.
    assert (out[seen] != expected[seen]).sum() <= blocks.size
    assert np.isin(out, [0, 1, 2, 3]).all()


@quick
@given(transform=transforms(), seed=st.integers(0, 999))
def test_sparse_and_dense_roads_agree(transform, seed):
    rng = np.random.default_rng(seed)
    labels = np.where(rng.random((12, 14)) < 0.3, rng.integers(1, 4, (12, 14)), 0).astype(np.int32)
    where = np.flatnonzero(labels)
    seeds = np.stack(np.unravel_index(where, labels.shape), 1)
    matrix, offset = transform[:2, :2], transform[:2, 2]
    inverse = np.linalg.inv(matrix)
    outs = [np.zeros((15, 13), np.int32) for _ in range(2)]
    seen = label_resampling._look_back_dense(
        labels, matrix, offset, np.zeros(2, int), np.array([15, 13]), outs[0]
    )
    reach = 0.5 * np.abs(inverse).sum(axis=1)
    spans = [int(np.floor(2 * r + 1e-6)) + 2 for r in reach]
    corners = (seeds - offset) @ inverse.T - reach
    hit = label_resampling._look_back_sparse(labels, seeds, matrix, offset, corners, spans, outs[1])
    assert np.array_equal(*outs)
    assert np.array_equal(hit, seen[where])


@quick
@given(transform=transforms(), row=st.integers(0, 30), slant=st.integers(-1, 1))
def test_a_thin_stroke_keeps_every_image_voxel_that_it_runs_through(transform, row, slant):
    labels = np.zeros((31, 31), np.int32)
    columns = np.arange(31)
    rows = np.clip(row + slant * columns, 0, 30)
    labels[rows, columns] = 5
    shape = (20, 20)
    inverse = np.linalg.inv(transform)
    centres = np.stack([rows, columns], 1) @ inverse[:2, :2].T + inverse[:2, 2]
    voxels = np.floor(centres + 0.5 + 1e-7).astype(int)
    inside = ((voxels >= 0) & (voxels < shape)).all(axis=1)
    if not inside.any():
        return
    out = resample_labels(labels, transform, shape)
    # The voxel that holds a seed voxel's centre is marked, or a neighbour that looks at it is.
    marked = ndi.binary_dilation(out == 5, np.ones((3, 3)))
    assert marked[tuple(voxels[inside].T)].all()


@quick
@given(factor=st.integers(2, 6), at=st.integers(2, 40))
def test_thin_strokes_on_a_finer_grid_are_not_lost(factor, at):
    labels = np.zeros((48, 48), np.int32)
    labels[at, 5:40] = 1
    labels[:, 45] = 2
    transform = affine(np.eye(2) * factor, [(factor - 1) / 2] * 2)
    out = resample_labels(labels, transform, (48 // factor, 48 // factor))
    if at // factor < out.shape[0]:
        assert (out[at // factor, 1 + 5 // factor : 39 // factor] == 1).all()
    if 45 // factor < out.shape[1]:
        assert (out[:, 45 // factor] == 2).sum() >= out.shape[0] - 1


def test_a_stroke_buried_in_another_keeps_a_voxel():
    labels = np.ones((40, 40), np.int32)
    labels[17, 8:30] = 2  # centres of the coarse voxels look at rows 2, 6, 10, …
    labels[29, 29] = 3
    out = resample_labels(labels, affine(np.eye(2) * 4, [2, 2]), (10, 10))
    assert (out == 2).any()
    assert (out == 3).any()
    assert (out == 1).sum() >= 90


def test_strokes_that_live_elsewhere_do_not_grow():
    labels = np.ones((40, 40), np.int32)
    labels[:, 19:] = 2
    out = resample_labels(labels, affine(np.eye(2) * 4, [2, 2]), (10, 10))
    assert np.array_equal(out, np.where(np.arange(10) * 4 + 2 >= 19, 2, 1)[None].repeat(10, 0))


def test_a_coarse_voxel_fills_its_whole_box():
    labels = np.zeros((5, 5, 5), np.int32)
    labels[2, 3, 1] = 9
    out = resample_labels(labels, affine(np.eye(3) / 4, [-3 / 8] * 3), (20, 20, 20))
    expected = np.zeros_like(out)
    expected[8:12, 12:16, 4:8] = 9
    assert np.array_equal(out, expected)


def test_a_turned_volume_keeps_the_amount_of_label():
    labels = np.zeros((40, 40, 40), np.int32)
    labels[10:30, 12:28, 14:26] = 1
    angle = 0.5
    matrix = np.eye(3)
    matrix[1:, 1:] = turn(angle)
    centre = np.full(3, 19.5)
    out = resample_labels(labels, affine(matrix, centre - matrix @ centre), (40, 40, 40))
    assert np.count_nonzero(out) == pytest.approx(20 * 16 * 12, rel=0.03)


def test_strokes_far_apart_in_a_large_volume_are_quick():
    labels = np.zeros((200, 200, 200), np.uint8)
    labels[100, 20:180, 100:103] = 1
    labels[100, 20:180, 30:33] = 2
    transform = affine(np.diag([1.0, 0.9, 0.9]), [0.3, 4, 4])
    out = resample_labels(labels, transform, (200, 200, 200))
    assert set(np.unique(out)) == {0, 1, 2}


def test_labels_outside_the_image_are_refused_in_words():
    labels = np.zeros((5, 5), int)
    labels[0, 0] = 1
    for shift in ([20, 0], [20.5, 0]):
        with pytest.raises(InputError, match="None of the seeds lies inside the image"):
            resample_labels(labels, affine(np.eye(2), shift), (5, 5))
    assert not resample_labels(labels * 0, affine(np.eye(2), [20.5, 0]), (5, 5)).any()


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.eye(4), "shape"),
        (np.diag([1, 0, 1]), "flattens"),
        (np.diag([1, np.nan, 1]), "finite"),
        (np.array([[1, 0, 0], [0, 1, 0], [0.1, 0, 1]]), "perspective"),
    ],
)
def test_wrong_transforms_are_refused(matrix, words):
    with pytest.raises(InputError, match=words):
        resample_labels(np.ones((4, 4), int), matrix, (4, 4))


def test_labels_beyond_32_bits_and_other_types_are_refused():
    with pytest.raises(InputError, match="between"):
        resample_labels(np.full((2, 2), 2**40), np.eye(3), (2, 2))
    with pytest.raises(InputError, match="whole numbers"):
        resample_labels(np.ones((2, 2)), np.eye(3), (2, 2))
