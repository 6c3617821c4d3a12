"""Putting two label images or masks together."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.objects.label_lookup import counted, kept, object_labels, renumbered
from napari_seedbed.errors import InputError

Combination = Literal["and", "or", "xor", "minus", "pairs", "overlapping", "apart"]
_COMBINATIONS = ("and", "or", "xor", "minus", "pairs", "overlapping", "apart")


def combine_labels(
    labels: Any, other: Any, how: Combination, *, renumber: bool = False
) -> NDArray[np.int32]:
    """Combine two label images or masks, voxel by voxel or object by object.

    Parameters
    ----------
    labels : (M, N[, P]) array_like of int or bool
    other : array_like of int or bool
        Of the same shape.
    how : {'and', 'or', 'xor', 'minus', 'pairs', 'overlapping', 'apart'}
        'and' keeps the part of `labels` that lies in objects of `other`, 'minus' what lies outside
        of them; 'or' adds the objects of `other` where `labels` has none; 'xor' keeps what lies in
        objects of one of the two only. 'pairs' gives each pair of labels that lie on each other a
        label of its own. 'overlapping' keeps the whole objects of `labels` that have a voxel in
        common with any of `other`, 'apart' those that have none.
    renumber : bool
        For 'or' and 'xor': objects of `other` get labels above those of `labels`, so that no
        two objects share one. Otherwise all keep their labels.

    Returns
    -------
    (M, N[, P]) ndarray of int32

    Raises
    ------
    InputError
        If the shapes differ, or labels would not fit 32 bits.
    """
    first, second = object_labels(labels), object_labels(other, "other")
    if first.shape != second.shape:
        raise InputError(
            f"other has the shape {second.shape}; it must have that of the labels, {first.shape}."
        )
    if how not in _COMBINATIONS:
        raise InputError(f"how is {how!r}; it must be one of {', '.join(_COMBINATIONS)}.")
    if how in ("or", "xor") and renumber:
        second = _above(second, int(first.max()))
    if how == "and":
        return np.where(second > 0, first, 0)
    if how == "minus":
        return np.where(second > 0, 0, first)
    if how == "or":
        return np.where(first > 0, first, second)
    if how == "xor":
        # Where one of the two is 0 their sum is the other.
        return np.where((first > 0) & (second > 0), 0, first + second)
    if how == "pairs":
        return _pairs(first, second)
    meeting = np.unique(first[(second > 0) & (first > 0)])
    if how == "apart":
        meeting = np.setdiff1d(counted(first)[0], meeting)
    return kept(first, meeting)


def _above(labels: NDArray[np.int32], lowest: int) -> NDArray[np.int32]:
    values, _ = counted(labels)
    if lowest + len(values) > np.iinfo(np.int32).max:
        raise InputError(f"labels go up to {lowest}; number them without gaps first.")
    return renumbered(labels, values, lowest + 1 + np.arange(len(values)))


def _pairs(first: NDArray[np.int32], second: NDArray[np.int32]) -> NDArray[np.int32]:
    both = np.flatnonzero((first > 0) & (second > 0))
    codes = first.ravel()[both].astype(np.int64) << 32 | second.ravel()[both]
    out = np.zeros(first.shape, np.int32)
    out.ravel()[both] = 1 + np.unique(codes, return_inverse=True)[1]
    return out
