"""A number for each row of bytes that changes when the row does, much faster than a hash."""

import numpy as np
from numpy.typing import NDArray

ROW = 4096
"""Bytes of a row."""

# Odd random numbers: a sum of 32-bit words weighted by them, modulo 2^64, is different for any two
# rows that differ, except with a chance of about 1 in 2^32. Words of 64 bits would not do: voxels
# of uint8 that get the label 128 change the highest bit alone, and two such give the same sum.
_WEIGHTS = np.random.default_rng(0).integers(0, 2**63, ROW // 4, dtype=np.uint64) * 2 + 1
_BATCH = 64
"""Rows that are widened at a time: they stay in the processor's cache."""


def row_digests(rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Digest rows; one of zeros has the digest 0. It takes 13 to 18 ms for 64 MB.

    Parameters
    ----------
    rows : (N * ROW,) ndarray of uint8

    Returns
    -------
    (N,) ndarray of uint64
    """
    words = rows.view(np.uint32).reshape(-1, ROW // 4)
    digests = np.empty(len(words), np.uint64)
    for start in range(0, len(words), _BATCH):
        some = slice(start, start + _BATCH)
        digests[some] = words[some].astype(np.uint64) @ _WEIGHTS
    return digests
