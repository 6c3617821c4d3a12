"""Labels that take memory only where something is marked, against NumPy arrays."""

import pickle

import numpy as np
import pytest

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data import box_views
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.sparse_labels import SparseLabels
from napari_seedbed.pipeline.encodings.seed_encoding import decode_seeds
from napari_seedbed.pipeline.engine.block_plans import Blocks
from napari_seedbed.pipeline.engine.provenance import encode_image_seeds

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


def test_recipes_hold_the_same_text_of_them_as_of_an_array(rng):
    sparse, dense = _same((3, 20, 150, 290), rng)
    seeds = [Image(array, ("z", "t", "y", "x")) for array in (sparse, dense)]
    one, other = (encode_image_seeds(image) for image in seeds)
    assert one == other
    assert one["axes"] == ["t", "z", "y", "x"]
    np.testing.assert_array_equal(decode_seeds(one), dense.transpose(1, 0, 2, 3))


@pytest.mark.parametrize("blocked", [False, True], ids=["in memory", "in blocks"])
def test_operations_take_them_as_seeds(rng, tmp_path, blocked):
    voxels = rng.integers(0, 255, (20, 90, 150)).astype(np.uint8)
    sparse, dense = SparseLabels(voxels.shape), np.zeros(voxels.shape, np.int32)
    for labels in (sparse, dense):
        labels[2, 10:20, 10:20], labels[15, 50:70, 120:140] = 1, 2
    image, axes = Image(voxels, ("z", "y", "x")), ("z", "y", "x")
    found = []
    for number, labels in enumerate((sparse, dense)):
        blocks = Blocks(tmp_path / str(number), shape=(20, 64, 64)) if blocked else None
        inputs = {"image": image, "seeds": Image(labels, axes)}
        result = operations.run("seeded_segmentation", inputs, blocks=blocks)
        found.append((np.asarray(result.image("labels").array), result.record["seeds"]))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]
