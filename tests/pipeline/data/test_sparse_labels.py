"""Labels that take memory only where something is marked, against NumPy arrays."""

import pickle

import numpy as np
import pytest

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data import box_views
from napari_seedbed.pipeline.data.sparse_labels import SparseLabels

SHAPES = [(300, 290), (20, 300, 290), (3, 20, 150, 290)]


def _same(shape, rng):
    """Sparse labels and an array, with the same marks; blocks are crossed."""
    sparse, dense = SparseLabels(shape), np.zeros(shape, np.int32)
    for _ in range(6):
        starts = [int(rng.integers(n)) for n in shape]
        box = tuple(slice(start, start + int(rng.integers(1, 60))) for start in starts)
        values = rng.integers(-2, 4, dense[box].shape)
        for labels in (sparse, dense):
            labels[box] = values
    return sparse, dense


@pytest.mark.parametrize("shape", SHAPES, ids=len)
def test_all_ways_to_read_and_write_are_those_of_numpy(shape, rng):
    sparse, dense = _same(shape, rng)
    np.testing.assert_array_equal(sparse, dense)
    for _ in range(20):
        indexes = [
            int(rng.integers(-n, n)) if rng.random() < 0.4
            else slice(int(rng.integers(n)), int(rng.integers(n)))
            for n in shape
        ]  # fmt: skip
        index = tuple(indexes[: rng.integers(1, len(shape) + 1)])
        np.testing.assert_array_equal(np.asarray(sparse[index]), dense[index])
        value = rng.integers(0, 3, dense[index].shape)
        sparse[index] = value
        dense[index] = value
        places = tuple(rng.integers(-n, n, 40) for n in shape)
        np.testing.assert_array_equal(sparse[places], dense[places])
        sparse[places] = dense[places] = 7
    sparse[..., 5] = dense[..., 5] = 9
    np.testing.assert_array_equal(sparse, dense)
    np.testing.assert_array_equal(sparse.marked_labels(), np.unique(dense[dense > 0]))
    order = list(range(len(shape)))[::-1]
    np.testing.assert_array_equal(sparse.transpose(order), dense.transpose(order))


@pytest.mark.parametrize("shape", SHAPES, ids=len)
def test_views_show_and_write_the_same_voxels(shape, rng):
    sparse, dense = _same(shape, rng)
    view, part = sparse[1:, 5:200], dense[1:, 5:200]
    view[0, 3:190] = part[0, 3:190] = 8
    np.testing.assert_array_equal(sparse, dense)
    inner, expected = view[1, 10:], part[1, 10:]
    np.testing.assert_array_equal(inner, expected)
    found = np.zeros(expected.shape, np.int32)
    found[inner.marked_places()] = 1
    np.testing.assert_array_equal(found, expected != 0)
    other = pickle.loads(pickle.dumps(inner))
    np.testing.assert_array_equal(other, expected)
    assert len(pickle.dumps(sparse[:0])) < 1000
    kept = view.copy()
    view[0] = 3
    np.testing.assert_array_equal(kept, part)


def test_memory_is_taken_where_marks_are_and_given_back():
    sparse = SparseLabels((1000, 2048, 2048))
    sparse[500, :, :] = 0
    assert sparse.bytes_in_memory == 0
    sparse[500, 1000:1010, 1000:1010] = 2
    assert 0 < sparse.bytes_in_memory <= 1 << 20
    sparse[500, 1000:1010, 1000:1010] = 0
    assert sparse.bytes_in_memory == 0


def test_digest_tells_where_what_is_marked(rng):
    one, other = SparseLabels((40, 300, 300)), SparseLabels((40, 300, 300))
    assert one.digest() == other.digest()
    one[3, 10, 10] = 1
    other[4, 10, 10] = 1
    assert len({one.digest(), other.digest(), SparseLabels((40, 300, 300)).digest()}) == 3
    other[4, 10, 10], other[3, 10, 10] = 0, 1
    assert one.digest() == other.digest()
    other[3, 10, 10] = 2
    assert one.digest() != other.digest()


def test_what_it_cannot_do_is_refused(monkeypatch):
    sparse = SparseLabels((9, 20, 20))
    for wrong in (np.array([1, 2]), (slice(None, None, 2),), (0, 0, 0, 0), (np.array([0.5]),) * 3):
        with pytest.raises(IndexError):
            sparse[wrong]
    with pytest.raises(IndexError):
        sparse[np.array([9]), np.array([0]), np.array([0])]
    monkeypatch.setattr(box_views.memory, "available_memory", lambda: 10_000)
    with pytest.raises(InputError, match="9 x 20 x 20 voxels would take"):
        np.asarray(sparse)
