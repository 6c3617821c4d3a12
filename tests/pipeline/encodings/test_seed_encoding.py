"""Seeds as text and back."""

import base64
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from napari_seedbed.errors import InputError, RecipeError
from napari_seedbed.pipeline.encodings.seed_encoding import (
    decode_seeds,
    decode_sparse_seeds,
    encode_seeds,
)


@settings(max_examples=80, deadline=None)
@given(
    arrays(
        st.sampled_from([np.int32, np.int64, np.int8]),
        array_shapes(min_dims=2, max_dims=4, max_side=9),
        elements=st.integers(-3, 100),
        fill=st.just(0),
    )
)
def test_round_trip(seeds):
    encoded = encode_seeds(seeds, "tzyx"[-seeds.ndim :])
    np.testing.assert_array_equal(decode_seeds(encoded), seeds)
    np.testing.assert_array_equal(np.asarray(decode_sparse_seeds(encoded)), seeds)
    assert encoded["voxels"] == np.count_nonzero(seeds)
    assert encoded["labels"] == sorted(set(np.unique(seeds).tolist()) - {0})


def test_strokes_on_a_large_volume_are_small():
    seeds = np.zeros((100, 500, 500), np.int32)
    seeds[50, 100:110, 100:400] = 1
    seeds[50, 10:20] = 2
    encoded = encode_seeds(seeds, "zyx")
    assert len(encoded["data"]) < 400
    assert decode_sparse_seeds(encoded).bytes_in_memory < 0.1 * seeds.nbytes


def test_labels_beyond_32_bits_are_refused():
    with pytest.raises(InputError, match="seeds"):
        encode_seeds(np.full((2, 2), 1 << 40), "yx")


def forged(*rows):
    raw = np.array(rows, "<i8").tobytes()
    return base64.b64encode(zlib.compress(raw)).decode()


@pytest.mark.parametrize(
    "damage",
    [
        {"data": "AAAA"},
        {"data": "not base64!"},
        {"checksum": "0" * 32},
        {"shape": [6, 5]},
        {"shape": [-5, -6]},
        {"shape": [1 << 40, 1 << 40]},
        {"runs": 2},
        {"runs": 1 << 60},
        {"runs": -1},
        {"data": forged([0], [1 << 50], [1])},
    ],
)
def test_damage_is_told(damage):
    seeds = np.zeros((5, 6), np.int32)
    seeds[2, 3] = 7
    with pytest.raises(RecipeError, match="damaged"):
        decode_seeds({**encode_seeds(seeds, "yx"), **damage})
