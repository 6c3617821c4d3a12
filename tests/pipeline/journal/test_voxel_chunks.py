"""Arrays in chunks: what changed is found, and nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_seedbed.pipeline.data.row_digests import ROW
from napari_seedbed.pipeline.journal.voxel_chunks import VoxelChunks, chunks_of_box, put

GRIDS = [
    ((7,), "u1"),
    ((300, 41), "i4"),
    ((12, 33, 65), "i4"),
    ((9, 3, 2000), "u2"),
    ((3, 5, 40, 64), "i8"),
    ((4, 32, 32), "f4"),  # whole chunks only
]


@pytest.mark.parametrize(("shape", "dtype"), GRIDS)
@given(data=st.data())
def test_chunks_of_a_box_are_those_of_its_voxels(shape, dtype, data):
    box = []
    for n in shape:
        start = data.draw(st.integers(0, n - 1))
        box.append(slice(start, data.draw(st.integers(start, n))))
    itemsize = np.dtype(dtype).itemsize
    places = np.arange(np.prod(shape)).reshape(shape)[tuple(box)].reshape(-1)
    bytes_ = (places[:, None] * itemsize + np.arange(itemsize)).reshape(-1)
    np.testing.assert_array_equal(chunks_of_box(shape, itemsize, box), np.unique(bytes_ // ROW))


@pytest.mark.parametrize(("shape", "dtype"), GRIDS)
@pytest.mark.parametrize("order", ["C", "F"])
def test_changes_put_together_are_the_array(rng, shape, dtype, order):
    array = np.zeros(shape, dtype, order=order)
    chunks = VoxelChunks(array)
    copy = np.zeros(shape, dtype)
    for _ in range(6):
        box = tuple(slice(a, a + int(rng.integers(1, 5))) for a in rng.integers(0, shape))
        array[box] = rng.integers(0, 4)
        clipped = [slice(side.start, min(side.stop, n)) for side, n in zip(box, shape, strict=True)]
        for numbers, contents in chunks.changes(clipped if rng.integers(2) else None):
            assert len(numbers) <= len(chunks_of_box(shape, array.itemsize, clipped))
            put(copy, numbers, contents)
        np.testing.assert_array_equal(copy, array)
        assert list(chunks.changes()) == []


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64])
def test_thin_lines_of_any_label_are_found_in_all_chunks(dtype):
    """They change one byte of some words, and an even number of words in each chunk."""
    array = np.zeros((256, 256), dtype)
    count = -(-array.nbytes // ROW)
    bits = 8 * array.itemsize
    for label in {1, 2, 3, 64, 128, 192, 2 ** (bits - 2), 2 ** (bits - 1), 2**bits - 1}:
        for column in range(8):
            array[:] = 0
            chunks = VoxelChunks(array)
            array[:, column] = label if label < 2**bits else 1
            found = np.concatenate([numbers for numbers, _ in chunks.changes()] or [[]])
            assert found.tolist() == list(range(count))


def test_what_was_noted_counts_as_kept(rng):
    array = rng.integers(0, 9, (50, 60, 7))
    chunks = VoxelChunks(array, is_kept=True)
    assert list(chunks.changes()) == []
    array[3, 4, 5] += 1
    ((numbers, _),) = chunks.changes()
    assert numbers.tolist() == [(3 * 420 + 4 * 7 + 5) * 8 // ROW]


def test_changes_that_were_not_taken_are_found_again():
    array = np.zeros((40, 4096), np.int32)
    chunks = VoxelChunks(array)
    array[:] = 5
    first = next(chunks.changes())
    again = next(chunks.changes())
    np.testing.assert_array_equal(first[0], again[0])


def test_chunks_of_another_array_are_refused():
    with pytest.raises(ValueError, match="size"):
        put(np.zeros(5000, np.uint8), np.array([2]), np.zeros((1, ROW), np.uint8))
