"""Labels drawn on one grid, carried over to another one that is scaled, shifted or turned.

Nearest neighbour loses what is thinner than the target's voxels: a one-pixel stroke drawn on a
fine grid may lie between all voxel centres of a coarse image. Seeds must not get lost, so voxels
that no target voxel looked at are carried over in the other direction.
"""

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from napari_seedbed.core.validation import check_labels
from napari_seedbed.errors import InputError

# Coordinates this close to the middle between two voxels count as the middle, so that rounding
# errors of a transform do not decide which voxel they go to.
_TIE = 1e-7
_CHUNK = 1 << 21


def resample_labels(labels: Any, affine: Any, shape: Sequence[int]) -> NDArray[np.int32]:
    """Bring labels from their own grid to the image's grid.

    Parameters
    ----------
    labels : (…) ndarray of int
        Labels on their own grid; 0 means nothing there, negative labels are kept.
    affine : (D+1, D+1) array_like
        Homogeneous matrix that takes voxel coordinates of the image to those of `labels`.
    shape : sequence of D ints
        Shape of the image.

    Returns
    -------
    ndarray of int32, of shape `shape`
        Each voxel has the label found at its centre. A labelled voxel at which no image voxel
        looks is written to the image voxel that holds it, if that is free; and where whole
        strokes would vanish under others each keeps a voxel. What lies outside is cut off.

    Raises
    ------
    InputError
        If `affine` is no invertible affine matrix, the numbers of axes differ, or none of the
        labels lies inside the image.
    """
    labels = _as_int32(check_labels(labels))
    shape = tuple(int(n) for n in shape)
    matrix, offset = _split_affine(affine, labels.ndim, shape)
    shift = _whole_shift(matrix, offset)
    out: NDArray[np.int32]
    if shift is not None:
        out = _shifted(labels, shift, shape)
        if not out.any() and labels.any():
            raise _outside(shape)
        return out
    where = np.flatnonzero(labels)
    out = np.zeros(shape, np.int32)
    if where.size == 0:
        return out
    inverse = np.asarray(np.linalg.inv(matrix), np.float64)
    seeds = np.stack(np.unravel_index(where, labels.shape), axis=1)
    hit = _look_back(labels, seeds, where, matrix, offset, inverse, out)
    centres = _nearest((seeds - offset) @ inverse.T)
    inside = ((centres >= 0) & (centres < shape)).all(axis=1)
    lost = np.flatnonzero(inside & ~hit)
    if lost.size:
        targets = np.ravel_multi_index(tuple(centres[lost].T), shape)
        _carry_forward(labels, where[lost], targets, out)
    if not out.any():
        raise _outside(shape)
    return out


def _as_int32(labels: NDArray[np.integer]) -> NDArray[np.int32]:
    info = np.iinfo(np.int32)
    if labels.dtype.itemsize >= 4 and labels.dtype != np.int32 and labels.size:
        low, high = int(labels.min()), int(labels.max())
        if low < info.min or high > info.max:
            raise InputError(
                f"labels go from {low} to {high}; they must lie between {info.min} and {info.max}."
            )
    return labels.astype(np.int32, copy=False)


def _split_affine(
    affine: Any, ndim: int, shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if len(shape) != ndim:
        raise InputError(f"labels have {ndim} axes, the image has {len(shape)}; they must agree.")
    try:
        full = np.asarray(affine, dtype=float)
    except (TypeError, ValueError):
        raise InputError("affine must be a matrix of numbers.") from None
    if full.shape != (ndim + 1, ndim + 1):
        raise InputError(
            f"affine has the shape {full.shape}; for {ndim} axes it must be {(ndim + 1, ndim + 1)}."
        )
    if not np.isfinite(full).all() or not np.allclose(full[-1], [0] * ndim + [1]):
        raise InputError(
            "affine must be finite and end with the row 0 … 0 1 (no perspective transform)."
        )
    matrix = full[:-1, :-1]
    # A scale of 1e-9 metres is a good matrix: judge the columns, not the determinant's size.
    columns = np.linalg.norm(matrix, axis=0)
    if (columns == 0).any() or abs(np.linalg.det(matrix / columns)) < 1e-9:
        raise InputError("affine flattens the image (it cannot be inverted); check the scale.")
    return matrix, full[:-1, -1]


def _whole_shift(
    matrix: NDArray[np.float64], offset: NDArray[np.float64]
) -> NDArray[np.intp] | None:
    """Return the shift in whole voxels if that is all the transform does."""
    if not np.allclose(matrix, np.eye(len(matrix)), rtol=0, atol=1e-9):
        return None
    whole = _nearest(offset)
    return whole if np.allclose(offset, whole, rtol=0, atol=_TIE) else None


def _shifted(
    labels: NDArray[np.int32], shift: NDArray[np.intp], shape: tuple[int, ...]
) -> NDArray[np.int32]:
    out = np.zeros(shape, np.int32)
    source, target = [], []
    for have, want, step in zip(labels.shape, shape, shift.tolist(), strict=True):
        start, stop = max(0, -step), min(want, have - step)
        if stop <= start:
            return out
        target.append(slice(start, stop))
        source.append(slice(start + step, stop + step))
    out[tuple(target)] = labels[tuple(source)]
    return out


def _outside(shape: tuple[int, ...]) -> InputError:
    return InputError(
        f"None of the seeds lies inside the image (shape {shape}); "
        "check the scale and position of the seeds layer."
    )


def _nearest(coordinates: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.floor(coordinates + (0.5 + _TIE)).astype(np.intp)


def _look_back(
    labels: NDArray[np.int32],
    seeds: NDArray[np.intp],
    where: NDArray[np.intp],
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    inverse: NDArray[np.float64],
    out: NDArray[np.int32],
) -> NDArray[np.bool_]:
    """Give each image voxel the label at its centre; say which of `seeds` were seen."""
    # A seed voxel is a box; its picture on the image grid fits into centre +- reach.
    reach = 0.5 * np.abs(inverse).sum(axis=1)
    spans = [int(np.floor(2 * r + 1e-6)) + 2 for r in reach]
    centres = (seeds - offset) @ inverse.T
    low = np.maximum(np.floor(centres.min(axis=0) - reach).astype(np.intp), 0)
    high = np.minimum(np.ceil(centres.max(axis=0) + reach).astype(np.intp) + 1, out.shape)
    if (high <= low).any():
        return np.zeros(len(seeds), bool)
    if len(seeds) * prod(spans) <= prod((high - low).tolist()):
        return _look_back_sparse(labels, seeds, matrix, offset, centres - reach, spans, out)
    seen = np.zeros(labels.size, bool)
    _look_back_dense(labels, matrix, offset, low, high, out, seen)
    return seen[where]


def _look_back_sparse(
    labels: NDArray[np.int32],
    seeds: NDArray[np.intp],
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    corners: NDArray[np.float64],
    spans: list[int],
    out: NDArray[np.int32],
) -> NDArray[np.bool_]:
    """Try, for each seed voxel, only the image voxels that can look at it."""
    hit = np.zeros(len(seeds), bool)
    steps = np.array(list(product(*(range(n) for n in spans))))
    chunk = max(1, _CHUNK // len(steps))
    for start in range(0, len(seeds), chunk):
        part = slice(start, start + chunk)
        voxels = np.floor(corners[part]).astype(np.intp)[:, None, :] + steps
        good = ((voxels >= 0) & (voxels < out.shape)).all(axis=2)
        row, column = np.nonzero(good)
        voxels = voxels[row, column]
        same = (_nearest(voxels @ matrix.T + offset) == seeds[part][row]).all(axis=1)
        row, voxels = row[same] + start, voxels[same]
        out[tuple(voxels.T)] = labels[tuple(seeds[row].T)]
        hit[row] = True
    return hit


def _look_back_dense(
    labels: NDArray[np.int32],
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    low: NDArray[np.intp],
    high: NDArray[np.intp],
    out: NDArray[np.int32],
    seen: NDArray[np.bool_],
) -> None:
    """Try all image voxels of the box that can hold labels, a few slices at a time."""
    ndim = labels.ndim
    box = (high - low).tolist()
    step = max(1, _CHUNK // max(1, prod(box[1:])))
    for start in range(int(low[0]), int(high[0]), step):
        stop = min(start + step, int(high[0]))
        ranges = [np.arange(start, stop)]
        ranges += [np.arange(low[a], high[a]) for a in range(1, ndim)]
        grids = np.ix_(*ranges)
        size = tuple(len(r) for r in ranges)
        inside = np.ones(size, bool)
        flat = np.zeros(size, np.intp)
        for axis in range(ndim):
            position = sum((matrix[axis, a] * grids[a] for a in range(ndim)), offset[axis])
            index = _nearest(np.broadcast_to(position, size))
            inside &= (index >= 0) & (index < labels.shape[axis])
            flat *= labels.shape[axis]
            flat += index
        flat = flat[inside]
        seen[flat] = True
        region = (slice(start, stop), *(slice(low[a], high[a]) for a in range(1, ndim)))
        out[region][inside] = labels.ravel()[flat]


def _carry_forward(
    labels: NDArray[np.int32],
    where: NDArray[np.intp],
    targets: NDArray[np.intp],
    out: NDArray[np.int32],
) -> None:
    """Write unseen seed voxels to their image voxels; of strokes that get nothing, save a voxel."""
    values = labels.ravel()[where]
    flat = out.reshape(-1)
    free = flat[targets] == 0
    flat[targets[free]] = values[free]
    covered = flat[targets] != values
    if not covered.any():
        return
    where, targets, values = where[covered], targets[covered], values[covered]
    stroke = _lost_strokes(labels, where, values)
    kept = stroke >= 0
    if not kept.any():
        return
    order = np.argsort(stroke[kept], kind="stable")
    where, targets, values = where[kept][order], targets[kept][order], values[kept][order]
    starts = np.unique(stroke[kept][order], return_index=True)[1].tolist()
    present, counts = np.unique(flat[flat != 0], return_counts=True)
    left = dict(zip(present.tolist(), counts.tolist(), strict=True))
    for first, last in zip(starts, [*starts[1:], len(where)], strict=True):
        middle = (first + last) // 2
        # The stroke's middle is the best place; never take the last voxel of another label.
        for i in [middle, *range(first, last)]:
            old = int(flat[targets[i]])
            if left[old] > 1:
                left[old] -= 1
                left[int(values[i])] = left.get(int(values[i]), 0) + 1
                flat[targets[i]] = values[i]
                break


def _lost_strokes(
    labels: NDArray[np.int32], where: NDArray[np.intp], values: NDArray[np.int32]
) -> NDArray[np.intp]:
    """Number the strokes among the covered seed voxels; -1 where a stroke lives on elsewhere."""
    order = np.argsort(where)
    ordered = where[order]
    seeds = np.stack(np.unravel_index(where, labels.shape), axis=1)
    rows, columns = [], []
    lives = np.zeros(len(where), bool)
    for step in product((-1, 0, 1), repeat=labels.ndim):
        if not any(step):
            continue
        near = seeds + step
        good = np.flatnonzero(((near >= 0) & (near < labels.shape)).all(axis=1))
        index = np.ravel_multi_index(tuple(near[good].T), labels.shape)
        same = labels.ravel()[index] == values[good]
        good, index = good[same], index[same]
        place = np.minimum(np.searchsorted(ordered, index), len(ordered) - 1)
        also = ordered[place] == index
        lives[good[~also]] = True
        rows.append(good[also])
        columns.append(order[place[also]])
    row, column = np.concatenate(rows), np.concatenate(columns)
    links = coo_array((np.ones(len(row), bool), (row, column)), shape=(len(where),) * 2)
    count, stroke = connected_components(links, directed=False)
    alive = np.zeros(count, bool)
    alive[stroke[lives]] = True
    return np.where(alive[stroke], -1, stroke).astype(np.intp)
