"""Voxels and the labels that they get, as a word of text."""

import base64
import binascii
import hashlib
import math
import zlib

import numpy as np

from napari_seedbed.core.proofreading.voxel_runs import VoxelRuns
from napari_seedbed.errors import InputError

_LARGEST = 1 << 40  # voxels; a forged text must not ask for petabytes
_MOST_RUNS = 1 << 28
_DAMAGED = "the runs of voxels are damaged; take an undamaged copy of the recipe."


def voxel_runs_as_text(runs: VoxelRuns) -> str:
    """The word for some runs of voxels."""
    raw = runs.runs.astype("<i8").tobytes()
    packed = base64.b64encode(zlib.compress(raw, 9)).decode("ascii")
    shape = "x".join(map(str, runs.shape))
    return f"{shape}:{runs.runs.shape[1]}:{packed}:{_checksum(raw, runs.shape)}"


def voxel_runs_from_text(text: str) -> VoxelRuns:
    """Read what `voxel_runs_as_text` gave.

    Raises
    ------
    InputError
        Where the text was changed or cut.
    """
    parts = text.split(":")
    try:
        shape = tuple(int(n) for n in parts[0].split("x"))
        count, packed = int(parts[1]), base64.b64decode(parts[2], validate=True)
        size = math.prod(shape)
        if not 0 < count <= min(size, _MOST_RUNS) or min(shape) < 1 or size > _LARGEST:
            raise ValueError
        unpacker = zlib.decompressobj()
        # The limit keeps a forged text from unpacking to more than it declares.
        raw = unpacker.decompress(packed, 24 * count)
        if len(raw) != 24 * count or not unpacker.eof or parts[3] != _checksum(raw, shape):
            raise ValueError
    except (binascii.Error, zlib.error, ValueError, IndexError):
        raise InputError(_DAMAGED) from None
    runs = np.frombuffer(raw, "<i8").reshape(3, count).astype(np.int64)
    gaps, lengths, _ = runs
    if gaps.min() < 0 or lengths.min() < 1 or runs[:2].sum(dtype=float) > size:
        raise InputError(_DAMAGED)
    return VoxelRuns(shape, runs)


def _checksum(raw: bytes, shape: tuple[int, ...]) -> str:
    text = "x".join(map(str, shape)).encode()
    return hashlib.blake2b(text + b"|" + raw, digest_size=8).hexdigest()
