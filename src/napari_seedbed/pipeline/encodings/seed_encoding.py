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

from napari_seedbed.errors import InputError, RecipeError
from napari_seedbed.pipeline.data.sparse_labels import SparseLabels

_RUN = 3  # gap, length, label
_LARGEST = 1 << 40  # voxels; a forged recipe must not ask for petabytes
_MOST_RUNS = 1 << 30


def encode_seeds(seeds: NDArray[np.integer] | SparseLabels, axes: Sequence[str]) -> dict[str, Any]:
    """Seeds as a small dict of plain values that YAML or JSON can hold.

    Parameters
    ----------
    seeds : ndarray of int or SparseLabels
        Zero where there is no seed.
    axes : sequence of str
        Names of the axes of `seeds`.

    Returns
    -------
    dict
        ``shape``, ``axes``, ``labels`` (the values that occur, rising), ``voxels`` and ``runs``
        (their numbers), ``data`` (base64 of zlib of three rows of little-endian int64: voxels
        skipped since the run before, in the flattened array; length; label) and ``checksum``.

    Raises
    ------
    InputError
        For labels that do not fit 32 bits.
    """
    where, values = _marks(seeds)
    limits = np.iinfo(np.int32)
    if values.size and (values.min() < limits.min or values.max() > limits.max):
        raise InputError(f"seeds: labels must lie between {limits.min} and {limits.max}.")
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
        "voxels": int(where.size),
        "runs": int(starts.size),
        "data": base64.b64encode(zlib.compress(raw, 9)).decode("ascii"),
        "checksum": _checksum(raw, seeds.shape),
    }


def _marks(
    seeds: NDArray[np.integer] | SparseLabels,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where seeds are in the flattened array, rising, and their labels."""
    if isinstance(seeds, SparseLabels):
        places = seeds.marked_places()
        where = np.ravel_multi_index(places, seeds.shape).astype(np.int64)
        order = np.argsort(where)
        return where[order], seeds[places][order].astype(np.int64)
    flat = np.ascontiguousarray(seeds).reshape(-1)
    where = np.flatnonzero(flat)
    return where, flat[where].astype(np.int64)


def decode_seeds(encoded: Mapping[str, Any]) -> NDArray[np.int32]:
    """Seeds from what `encode_seeds` gave.

    Raises
    ------
    RecipeError
        Where the text was changed or cut, or the numbers beside it are not those of the seeds.
    """
    places, values = _voxels_of(encoded)
    shape = tuple(int(n) for n in encoded["shape"])
    seeds = np.zeros(math.prod(shape), np.int32)
    seeds[places] = values
    return seeds.reshape(shape)


def decode_sparse_seeds(encoded: Mapping[str, Any]) -> SparseLabels:
    """The same, with memory only for what is marked.

    Raises
    ------
    RecipeError
        As `decode_seeds`.
    """
    places, values = _voxels_of(encoded)
    seeds = SparseLabels([int(n) for n in encoded["shape"]])
    if len(places):
        seeds[np.unravel_index(places, seeds.shape)] = values
    return seeds


def _voxels_of(encoded: Mapping[str, Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of all seeds in the flattened array, and their labels."""
    gaps, lengths, values = runs_of_seeds(encoded)
    skipped = np.repeat(np.cumsum(gaps), lengths)
    return np.arange(skipped.size) + skipped, np.repeat(values, lengths)


def runs_of_seeds(encoded: Mapping[str, Any]) -> NDArray[np.int64]:
    """Gaps, lengths and labels of the runs, (3, N), without unfolding them.

    Raises
    ------
    RecipeError
        As `decode_seeds`.
    """
    shape = tuple(int(n) for n in encoded["shape"])
    size = math.prod(shape)
    n_runs = int(encoded["runs"])
    expected = _RUN * 8 * n_runs
    damaged = RecipeError(
        "The seeds in the recipe are damaged: their checksum does not fit. Take an undamaged copy "
        "of the recipe, or save it again from napari."
    )
    if not 0 <= n_runs <= min(size, _MOST_RUNS) or min(shape, default=0) < 0 or size > _LARGEST:
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
    limits = np.iinfo(np.int32)
    if n_runs and (
        gaps.min() < 0
        or lengths.min() < 1
        or gaps.sum(dtype=float) + lengths.sum(dtype=float) > size
        or values.min() < limits.min
        or values.max() > limits.max
        or not values.all()
    ):
        raise damaged
    found = {"voxels": int(lengths.sum()), "labels": np.unique(values).tolist()}
    for name, right in found.items():
        told = encoded[name]
        if (told if name == "voxels" else list(told)) != right:
            raise RecipeError(
                f"The seeds in the recipe are damaged: {name} is not what its data hold. Take an "
                "undamaged copy of the recipe, or save it again from napari."
            )
    return np.stack([gaps, lengths, values])


def _checksum(raw: bytes, shape: Sequence[int]) -> str:
    text = "x".join(str(int(n)) for n in shape).encode()
    return hashlib.blake2b(text + b"|" + raw, digest_size=16).hexdigest()
