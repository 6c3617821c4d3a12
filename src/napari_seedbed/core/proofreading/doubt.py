"""Which objects to look at first: those in doubt by an image, or unlike the others."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.errors import InputError

UNCERTAINTY = "uncertainty"
"""Column of a table with what `mean_uncertainty` gives."""

_NORMAL = 1.4826
"""Standard deviation of normal values whose median deviation is 1."""

_SIZES = ("volume", "area")
# Low solidity is a sign of two objects under one label, high elongation as well.
_SIGNS = {"solidity": -1, "elongation": 1}
_LEAST_SPREAD = {"size": 0.05, "solidity": 0.01, "elongation": 0.05, UNCERTAINTY: 0.01}
"""Differences that are none: where most objects are alike, any other would be infinitely so."""


def doubt_of(columns: Mapping[str, Any]) -> tuple[NDArray[np.float64], list[str]]:
    """Say how doubtful each object of a table is, and why.

    Parameters
    ----------
    columns : mapping of str to (K,) array_like
        Where it has a column `UNCERTAINTY`, that is the doubt; `shape_outliers` else.

    Returns
    -------
    scores : (K,) ndarray of float64
    reasons : list of K str
        'uncertain' for an uncertainty that is 2 standard deviations or more above the others.
    """
    if UNCERTAINTY not in columns:
        return shape_outliers(columns)
    means = np.asarray(columns[UNCERTAINTY], float)
    above = _scores(means, UNCERTAINTY)
    return means, ["uncertain" if score >= 2 else "" for score in above]


def mean_uncertainty(
    uncertainty: NDArray[Any], labels: NDArray[np.integer], objects: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Mean of an image, of the shape of the labels, within each of some objects that are there."""
    if not len(objects):
        return np.empty(0)
    found = call_aside(partial(ndi.mean, uncertainty, labels, objects))
    return np.asarray(found, np.float64)


def shape_outliers(columns: Mapping[str, Any]) -> tuple[NDArray[np.float64], list[str]]:
    """Say how unlike the others each object of a table is, and in what.

    Parameters
    ----------
    columns : mapping of str to (K,) array_like
        A table of `measure_objects`: ``volume`` or ``area``, ``solidity`` and ``elongation``, as
        far as there are some.

    Returns
    -------
    scores : (K,) ndarray of float64
        The largest robust z-score of an object: how many standard deviations, estimated from the
        median absolute deviation, its logarithmic size is from the median, its solidity below it,
        or its elongation above it. Never below 0.
    reasons : list of K str
        What that is: 'small', 'large', 'not convex' or 'elongated'; '' for scores below 2.

    Raises
    ------
    InputError
        If none of these columns is there.

    References
    ----------
    Iglewicz B, Hoaglin DC (1993). How to detect and handle outliers. ASQC Quality Press.
    """
    kinds: list[tuple[str, NDArray[np.float64]]] = []
    for name in _SIZES:
        if name in columns:
            sizes = np.maximum(np.asarray(columns[name], float), np.finfo(float).tiny)
            away = _scores(np.log(sizes), "size")
            kinds += [("large", away), ("small", -away)]
            break
    for name, sign in _SIGNS.items():
        if name in columns:
            word = "not convex" if name == "solidity" else "elongated"
            kinds.append((word, sign * _scores(np.asarray(columns[name], float), name)))
    if not kinds:
        wanted = ", ".join([*_SIZES, *_SIGNS])
        raise InputError(f"columns are {', '.join(columns) or 'none'}; one of {wanted} is needed.")
    return _largest([score for _, score in kinds], [word for word, _ in kinds])


def _largest(
    scores: Sequence[NDArray[np.float64]], words: Sequence[str]
) -> tuple[NDArray[np.float64], list[str]]:
    together = np.maximum(np.stack(scores), 0.0)
    which = together.argmax(axis=0)
    top = together.max(axis=0)
    return top, [words[n] if score >= 2 else "" for n, score in zip(which, top, strict=True)]


def _scores(values: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    """Robust z-scores; 0 for what is not known."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(values.shape)
    middle = np.median(values[known])
    spread = _NORMAL * np.median(np.abs(values[known] - middle))
    found = (values - middle) / max(float(spread), _LEAST_SPREAD[kind])
    return np.where(known, found, 0.0)
