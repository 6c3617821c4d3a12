"""What labels look like, learnt from their strokes, and how far that is to be trusted.

Strokes of all objects together are separated from strokes of the background where there is one:
objects look alike. Without a background each label is a class of its own. The trust comes from
strokes that were left out while learning: a class that only one stroke shows cannot vouch for
itself. What was learnt on other images is never left out: it is trusted as far as it predicts the
strokes of this one.

References
----------
Breiman L (2001). Random forests. Machine Learning 45(1), 5-32.
Wolpert DH (1992). Stacked generalization. Neural Networks 5(2), 241-259 (left-out predictions).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from napari_seedbed.core.classifier.flat_forests import FlatForest
from napari_seedbed.core.library_warnings import silence
from napari_seedbed.core.one_thread import one_library_thread
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.seeded.lessons import Lesson

Floats = NDArray[np.float32]

TREES = 16
TREES_LEFT_OUT = 4
LEAF = 5
SAMPLES = 3000
SAMPLES_LEFT_OUT = 800
FOLDS = 4
RIDGE = 0.005
MOST_POOLED = 20
"""Inverse strength of the ridge in the logistic regression, for each label that is pooled in a
class up to so many: what many objects have in common may be learnt more exactly."""

APART = 8.0
"""Seeds so many of the finest voxels apart count as independent."""

MOST_SEEDS_APART = 50_000
BOX = 4.0
"""With more seeds of a class, those of one box, so many of the finest voxels wide, count as one
when strokes are classified."""

MOST_PATCHES = 32
HALF_TRUSTED = 6.0
"""A class of so many independent patches has half of the trust that its score earns."""

FULL_TRUST = 3.0
LEAST_TRUST = 0.05
LEAST_PROBABILITY = 0.02

MOST_CLASSES = 8
"""With more classes and no background among them, a stroke each says too little of any."""


@dataclass(frozen=True, eq=False)
class Appearance:
    """Classifies voxels by their features.

    Attributes
    ----------
    trust : float
        Exponent of the probabilities when they are multiplied with others.
    """

    trust: float
    coefficients: Floats
    intercepts: Floats
    forest: FlatForest
    low: Floats
    high: Floats

    def probabilities(self, values: Floats) -> Floats:
        """Probability of each class (C, N) for voxels with these features (F, N).

        The mean of the regression and of the forest; the forest is only asked where the regression
        is in doubt.
        """
        known = np.clip(values, self.low[:, np.newaxis], self.high[:, np.newaxis])
        scores = self.coefficients @ known + self.intercepts[:, np.newaxis]
        scores -= scores.max(axis=0)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=0)
        doubtful = np.flatnonzero(scores.max(axis=0) < 1 - LEAST_PROBABILITY)
        scores[:, doubtful] = (scores[:, doubtful] + self.forest.vote(values[:, doubtful])) / 2
        return scores


def learn_appearance(
    values: Floats,
    classes: NDArray[np.int32],
    places: NDArray[np.float64],
    n_classes: int,
    *,
    n_pooled: int = 1,
    lesson: Lesson | None = None,
) -> Appearance | None:
    """Learn from seeds; None where nothing can be trusted.

    Parameters
    ----------
    values : (F, S) ndarray of float32
        Features of the seeds.
    classes : (S,) ndarray of int32
        Class of each seed, from 0.
    places : (S, 3) ndarray
        Where each seed is, in units of the finest voxel size.
    n_classes : int
    n_pooled : int
        How many labels the class of most labels has.
    lesson : Lesson, optional
        What other images taught, where the classes are objects and background.
    """
    patches = count_patches(classes, places, n_classes)
    if lesson is not None:
        n_pooled += lesson.n_objects
        patches = [n + more for n, more in zip(patches, lesson.n_patches, strict=True)]
    ridge = RIDGE * min(n_pooled, MOST_POOLED)
    if max(patches) < 2:
        return None
    trust = _trust(values, classes, places, n_classes, patches, ridge, lesson)
    if trust < LEAST_TRUST:
        return None
    kept = _balanced(classes, n_classes, SAMPLES)
    taught = _with_lesson(values[:, kept], classes[kept], lesson)
    check_stop()
    return Appearance(trust, *_fit(*taught, n_classes, ridge, TREES))


def count_patches(
    classes: NDArray[np.int32], places: NDArray[np.float64], n_classes: int
) -> list[int]:
    """How many independent places each class has."""
    return [_count_patches(places[classes == c]) for c in range(n_classes)]


def _with_lesson(
    values: Floats, classes: NDArray[np.int32], lesson: Lesson | None
) -> tuple[Floats, NDArray[np.int32]]:
    if lesson is None:
        return values, classes
    return (
        np.concatenate([values, lesson.values], axis=1),
        np.concatenate([classes, lesson.classes]),
    )


def _trust(
    values: Floats,
    classes: NDArray[np.int32],
    places: NDArray[np.float64],
    n_classes: int,
    patches: Sequence[int],
    ridge: float,
    lesson: Lesson | None,
) -> float:
    """How well strokes that were left out are predicted by the others, times the full trust."""
    fold = _folds(classes, places, n_classes, whole=lesson is not None)
    lesson = None if lesson is None else lesson.at_most(SAMPLES_LEFT_OUT // n_classes)
    kept = _balanced(classes, n_classes, SAMPLES_LEFT_OUT)
    values, classes, fold = values[:, kept], classes[kept], fold[kept]
    found = np.full(len(classes), 1 / n_classes)
    known = np.array([n >= 2 for n in patches])[classes]
    for number in range(FOLDS):
        check_stop()
        left_out = known & (fold == number)
        rest = _with_lesson(values[:, ~left_out], classes[~left_out], lesson)
        if not left_out.any() or len(np.unique(rest[1])) < n_classes:
            continue
        told = Appearance(1.0, *_fit(*rest, n_classes, ridge, TREES_LEFT_OUT))
        own = told.probabilities(np.ascontiguousarray(values[:, left_out]))
        found[left_out] = own[classes[left_out], np.arange(own.shape[1])]
    gains = [
        (1 + np.log(np.maximum(found[classes == c], 0.01)).mean() / np.log(n_classes))
        * n
        / (n + HALF_TRUSTED)
        for c, n in enumerate(patches)
        if n >= 2
    ]
    return FULL_TRUST * max(0.0, float(sum(gains)) / n_classes)


def learners() -> tuple[Any, Any]:
    """Return scikit-learn's forest and regression; importing them takes a second."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    return RandomForestClassifier, LogisticRegression


def _fit(
    values: Floats, classes: NDArray[np.int32], n_classes: int, ridge: float, n_trees: int
) -> tuple[Floats, Floats, FlatForest, Floats, Floats]:
    RandomForestClassifier, LogisticRegression = learners()
    rows = np.ascontiguousarray(values.T)
    # What has not quite converged after so many steps predicts as well.
    silence("lbfgs failed to converge", "sklearn")
    with one_library_thread():
        line = LogisticRegression(C=ridge, class_weight="balanced", max_iter=100).fit(rows, classes)
        forest = RandomForestClassifier(
            n_trees, min_samples_leaf=LEAF, class_weight="balanced", random_state=0, n_jobs=1
        ).fit(rows, classes)
    coefficients, intercepts = line.coef_, line.intercept_
    if n_classes == 2:
        # One line for two classes: half a score for and half against.
        coefficients = np.concatenate([-coefficients, coefficients]) / 2
        intercepts = np.concatenate([-intercepts, intercepts]) / 2
    return (
        coefficients.astype(np.float32),
        intercepts.astype(np.float32),
        FlatForest.of([tree.tree_ for tree in forest.estimators_]),
        values.min(axis=1),
        values.max(axis=1),
    )


def _balanced(classes: NDArray[np.int32], n_classes: int, most: int) -> NDArray[np.intp]:
    """Choose up to so many seeds, as many of each class as there are, evenly spread."""
    each = max(1, most // n_classes)
    kept = []
    for c in range(n_classes):
        own = np.flatnonzero(classes == c)
        if len(own) > each:
            own = np.random.default_rng(c).permutation(own)[:each]
            own.sort()
        kept.append(own)
    return np.concatenate(kept)


def _count_patches(places: NDArray[np.float64]) -> int:
    """How many of the places lie well apart of each other, counted greedily."""
    count = 0
    while len(places) and count < MOST_PATCHES:
        distance = ((places - places[0]) ** 2).sum(axis=1)
        places = places[distance >= APART**2]
        count += 1
    return count


def _folds(
    classes: NDArray[np.int32], places: NDArray[np.float64], n_classes: int, *, whole: bool
) -> NDArray[np.intp]:
    """Deal out strokes to folds.

    A class of few strokes has its seeds cut into pieces in a row, unless they are to stay `whole`.
    """
    fold = np.zeros(len(classes), np.intp)
    for c in range(n_classes):
        own = np.flatnonzero(classes == c)
        stroke, count = _strokes(places[own])
        if whole or count >= FOLDS:
            sizes = np.bincount(stroke)
            load = np.zeros(FOLDS)
            to = np.empty(count, np.intp)
            for number in np.argsort(-sizes, kind="stable"):
                to[number] = load.argmin()
                load[to[number]] += sizes[number]
            fold[own] = to[stroke]
        else:
            centred = places[own] - places[own].mean(axis=0)
            _, _, axes = np.linalg.svd(centred, full_matrices=False)
            along = np.argsort(np.argsort(centred @ axes[0], kind="stable"))
            fold[own] = along * FOLDS // max(1, len(own))
    return fold


def _strokes(places: NDArray[np.float64]) -> tuple[NDArray[Any], int]:
    """Number the connected strokes of one class; how many there are."""
    if len(places) > MOST_SEEDS_APART:
        # Filled areas: seeds of the same box of voxels are one.
        boxes = np.floor(places / BOX).astype(np.int64)
        boxes -= boxes.min(axis=0)
        keys = np.ravel_multi_index(tuple(boxes.T), tuple(boxes.max(axis=0) + 1))
        _, first, box_of = np.unique(keys, return_index=True, return_inverse=True)
        stroke, count = _connected(boxes[first], 1.75)
        return stroke[box_of], count
    return _connected(places, 2.0)


def _connected(places: NDArray[Any], reach: float) -> tuple[NDArray[Any], int]:
    near = cKDTree(places).query_pairs(reach, output_type="ndarray")
    n = len(places)
    links = coo_array((np.ones(len(near), np.bool_), (near[:, 0], near[:, 1])), shape=(n, n))
    count, stroke = connected_components(links, directed=False)
    return stroke, count
