"""From solutions of the random walker to labels, probabilities and uncertainty.

Solutions come in groups, so that many labels need not all be held at once: `Ballot` takes them one
after the other and keeps the best label of each voxel.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_seedbed.core.threads import run_ranges, split

_VOXELS_PER_TASK = 1 << 19

_fast = njit(nogil=True, cache=True, error_model="numpy")

Floats = NDArray[np.float32]


@_fast
def _vote(start, stop, x, number, best, winner, runner_up, second, total, information):
    for i in range(start, stop):
        p = min(max(x[i], np.float32(0)), np.float32(1))
        if p > best[i]:
            if number > 0:
                runner_up[i] = best[i]
                second[i] = winner[i]
            best[i] = p
            winner[i] = number
        elif p > runner_up[i]:
            runner_up[i] = p
            second[i] = number
        total[i] += p
        if p > 0:
            information[i] += p * np.log(p)


@_fast
def _entropy(total, information, n_labels, out):
    scale = np.float32(1 / np.log(n_labels))
    for i in range(total.size):
        s = total[i]
        if s > 0:
            h = (np.log(s) - information[i] / s) * scale
            out[i] = min(max(h, np.float32(0)), np.float32(1))
        else:
            out[i] = 0


@_fast
def _binary_entropy(x, out):
    scale = np.float32(1 / np.log(2.0))
    for i in range(x.size):
        p = min(max(x[i], np.float32(0)), np.float32(1))
        q = np.float32(1) - p
        h = np.float32(0)
        if p > 0:
            h -= p * np.log(p)
        if q > 0:
            h -= q * np.log(q)
        out[i] = h * scale


class Ballot:
    """Best two labels and entropy of each voxel, from solutions that come one at a time."""

    def __init__(self, size: int) -> None:
        self._best = np.full(size, -1, np.float32)
        self._winner = np.zeros(size, np.int32)
        self._runner_up = np.full(size, -1, np.float32)
        self._second = np.zeros(size, np.int32)
        self._total = np.zeros(size, np.float32)
        self._information = np.zeros(size, np.float32)
        self._n_labels = 0

    def cast(self, solution: Floats) -> None:
        """Count the solution of the next label (any shape, as many voxels as promised)."""
        run_ranges(
            _vote,
            split(self._best.size, 1 + self._best.size // _VOXELS_PER_TASK),
            solution.reshape(-1),
            self._n_labels,
            self._best,
            self._winner,
            self._runner_up,
            self._second,
            self._total,
            self._information,
        )
        self._n_labels += 1

    @property
    def winner(self) -> NDArray[np.int32]:
        """Number of the label with the largest probability; the first of equals."""
        return self._winner

    @property
    def second(self) -> NDArray[np.int32]:
        """Number of the label that would be next."""
        return self._second

    def entropy(self) -> Floats:
        """Entropy of each voxel's probabilities over that of even odds: 0 sure, 1 undecided."""
        out = np.empty(self._total.size, np.float32)
        _entropy(self._total, self._information, max(self._n_labels, 2), out)
        return out


def binary_entropy(solution: Floats) -> Floats:
    """Entropy in bits of a two-label solution, of its shape."""
    out = np.empty(solution.shape, np.float32)
    _binary_entropy(solution.reshape(-1), out.reshape(-1))
    return out


def normalised(solutions: Floats) -> Floats:
    """Return probabilities (K, ...) that lie in [0, 1] and sum to 1.

    One solution stands for two labels, the second being what is left.
    """
    clipped = np.clip(solutions, 0, 1)
    if clipped.shape[0] == 1:
        return np.concatenate([clipped, 1 - clipped])
    total = clipped.sum(axis=0)
    total[total == 0] = 1
    clipped /= total
    return clipped
