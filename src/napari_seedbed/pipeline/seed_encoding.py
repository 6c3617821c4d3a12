"""Seeds as text: runs of equal labels, compressed, with a checksum."""

import base64
import binascii
import hashlib
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import RecipeError

_RUN = 3  # start, length, label


def encode_seeds(seeds: NDArray[np.integer], axes: Sequence[str]) -> dict[str, Any]:
    """Seeds as a small dict of plain values that YAML or JSON can hold.

    Parameters
    ----------
    seeds : ndarray of int
        Zero where there is no seed.
    axes : sequence of str
        Names of the axes of `seeds`.

    Returns
    -------
    dict
        ``shape``, ``axes``, ``labels`` (the values that occur, rising), ``runs`` (their number),
        ``data`` (base64 of zlib of little-endian int64 triples: start in the flattened array,
        counted from the end of the run before; length; label) and ``checksum``.
    """
    flat = np.ascontiguousarray(seeds).reshape(-1)
    where = np.flatnonzero(flat)
    values = flat[where].astype(np.int64)
    new_run = np.ones(where.size, bool)
    new_run[1:] = (np.diff(where) != 1) | (np.diff(values) != 0)
    first = np.flatnonzero(new_run)
    starts = where[first]
    lengths = np.diff(np.append(first, where.size))
    gaps = starts - np.append(0, (starts + lengths)[:-1])[: starts.size]
    runs = np.stack([gaps, lengths, values[first]]).astype("<i8")
    raw = runs.tobytes()
    return {
        "shape": [int(n) for n in seeds.shape],
        "axes": [str(axis) for axis in axes],
        "labels": [int(value) for value in np.unique(values)],
        "runs": int(starts.size),
        "data": base64.b64encode(zlib.compress(raw, 9)).decode("ascii"),
        "checksum": _checksum(raw, seeds.shape),
    }


def decode_seeds(encoded: Mapping[str, Any]) -> NDArray[np.int32]:
    """Seeds from what `encode_seeds` gave.

    Raises
    ------
    RecipeError
        Where the text was changed or cut.
    """
    shape = tuple(int(n) for n in encoded["shape"])
    n_runs = int(encoded["runs"])
    expected = _RUN * 8 * n_runs
    damaged = RecipeError(
        "The seeds in the recipe are damaged: their checksum does not fit. Take an undamaged copy "
        "of the recipe, or save it again from napari."
    )
    if n_runs < 0 or n_runs > math.prod(shape):
        raise damaged
    try:
        packed = base64.b64decode("".join(str(encoded["data"]).split()), validate=True)
        unpacker = zlib.decompressobj()
        # The limit keeps a forged recipe from unpacking to more than it declares.
        raw = unpacker.decompress(packed, max(expected, 1))
    except (binascii.Error, zlib.error, ValueError) as error:
        raise damaged from error
    if len(raw) != expected or not unpacker.eof or encoded["checksum"] != _checksum(raw, shape):
        raise damaged
    gaps, lengths, values = np.frombuffer(raw, "<i8").reshape(_RUN, n_runs)
    starts = np.cumsum(gaps + lengths) - lengths
    size = math.prod(shape)
    limits = np.iinfo(np.int32)
    if n_runs and (
        gaps.min() < 0
        or lengths.min() < 1
        or (starts + lengths).max() > size
        or values.min() < limits.min
        or values.max() > limits.max
    ):
        raise damaged
    seeds = np.zeros(size, np.int32)
    for start, length, value in zip(starts, lengths, values, strict=True):
        seeds[start : start + length] = value
    return seeds.reshape(shape)


def _checksum(raw: bytes, shape: Sequence[int]) -> str:
    text = "x".join(str(int(n)) for n in shape).encode()
    return hashlib.blake2b(text + b"|" + raw, digest_size=16).hexdigest()
