"""How well regions agree with the truth."""

from dataclasses import dataclass

import numpy as np
from marked_images import Marked
from numpy.typing import NDArray


@dataclass(frozen=True)
class ObjectScores:
    """Dice coefficients of many objects, summed up."""

    mean: float
    median: float
    worst_tenth: float


def dice(result: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Return twice the common area over the sum of both areas."""
    return 2 * np.count_nonzero(result & truth) / max(1, result.sum() + truth.sum())


def object_dice(result: NDArray[np.integer], marked: Marked) -> NDArray[np.float64]:
    """Return the Dice coefficient of each object that was marked."""
    truth = marked.scene.truth
    rank = np.zeros(max(int(truth.max()), *marked.targets) + 1, np.intp)
    rank[list(marked.targets)] = np.arange(1, len(marked.targets) + 1)
    size = 1 + max(len(marked.targets), int(result.max()))
    pairs = np.bincount((result.astype(np.intp) * size + rank[truth]).ravel(), minlength=size**2)
    table = pairs.reshape(size, size)
    labels = np.arange(1, len(marked.targets) + 1)
    return 2 * table[labels, labels] / (table[labels].sum(axis=1) + table[:, labels].sum(axis=0))


def summed_up(scores: NDArray[np.float64]) -> ObjectScores:
    """Return mean, median and the mean of the worst tenth."""
    worst = np.sort(scores)[: max(1, len(scores) // 10)]
    return ObjectScores(float(scores.mean()), float(np.median(scores)), float(worst.mean()))
