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
from scipy.ndimage import affine_transform
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from napari_seedbed.core.validation import check_small_labels
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
    labels = check_small_labels(labels)
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
    lost = np.flatnonzero(~hit)
    centres = _nearest((seeds[lost] - offset) @ inverse.T)
    inside = ((centres >= 0) & (centres < shape)).all(axis=1)
    targets = np.ravel_multi_index(tuple(centres[inside].T), shape)
    _carry_forward(targets, labels.ravel()[where[lost[inside]]], out)
    if not out.any():
        raise _outside(shape)
    return out


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
    corners = np.array(list(product(*zip(seeds.min(axis=0), seeds.max(axis=0), strict=True))))
    corners = (corners - offset) @ inverse.T
    low = np.maximum(np.floor(corners.min(axis=0) - reach).astype(np.intp), 0)
    high = np.minimum(np.ceil(corners.max(axis=0) + reach).astype(np.intp) + 1, out.shape)
    if (high <= low).any():
        return np.zeros(len(seeds), bool)
    if len(seeds) * prod(spans) <= prod((high - low).tolist()):
        starts = (seeds - offset) @ inverse.T - reach
        return _look_back_sparse(labels, seeds, matrix, offset, starts, spans, out)
    return _look_back_dense(labels, matrix, offset, low, high, out)[where]


def _look_back_sparse(
    labels: NDArray[np.int32],
    seeds: NDArray[np.intp],
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    starts: NDArray[np.float64],
    spans: list[int],
    out: NDArray[np.int32],
) -> NDArray[np.bool_]:
    """Try, for each seed voxel, only the image voxels that can look at it."""
    hit = np.zeros(len(seeds), bool)
    steps = np.array(list(product(*(range(n) for n in spans))))
    chunk = max(1, _CHUNK // len(steps))
    for start in range(0, len(seeds), chunk):
        part = slice(start, start + chunk)
        voxels = np.floor(starts[part]).astype(np.intp)[:, None, :] + steps
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
) -> NDArray[np.bool_]:
    """Try all image voxels of the box that can hold labels; say which labels were seen."""
    small = np.int32 if labels.size < 2**31 else np.int64
    numbers = np.arange(labels.size, dtype=small).reshape(labels.shape)
    seen = np.zeros(labels.size, bool)
    box = (high - low).tolist()
    step = max(1, _CHUNK // max(1, prod(box[1:])))
    for start in range(0, box[0], step):
        size = (min(step, box[0] - start), *box[1:])
        corner = low.copy()
        corner[0] += start
        number = affine_transform(
            numbers,
            matrix,
            matrix @ corner + offset + _TIE,
            output_shape=size,
            order=0,
            mode="grid-constant",
            cval=-1,
        )
        inside = number >= 0
        number = number[inside]
        seen[number] = True
        region = tuple(slice(c, c + n) for c, n in zip(corner.tolist(), size, strict=True))
        out[region][inside] = labels.ravel()[number]
    return seen


def _carry_forward(
    targets: NDArray[np.intp], values: NDArray[np.int32], out: NDArray[np.int32]
) -> None:
    """Write unseen seed voxels to their image voxels; of strokes that get nothing, save a voxel."""
    flat = out.reshape(-1)
    free = flat[targets] == 0
    flat[targets[free]] = values[free]
    covered = flat[targets] != values
    if not covered.any():
        return
    known, rank = np.unique(values[covered], return_inverse=True)
    keys = np.unique(targets[covered] * len(known) + rank)
    targets, rank = np.divmod(keys, len(known))
    values = known[rank]
    stroke = _lost_strokes(keys, targets, values, rank, out)
    kept = np.flatnonzero(stroke >= 0)
    if not kept.size:
        return
    kept = kept[np.argsort(stroke[kept], kind="stable")]
    targets, values = targets[kept], values[kept]
    starts = np.unique(stroke[kept], return_index=True)[1].tolist()
    present, counts = np.unique(flat[flat != 0], return_counts=True)
    left = dict(zip(present.tolist(), counts.tolist(), strict=True))
    for first, last in zip(starts, [*starts[1:], len(kept)], strict=True):
        # The stroke's middle is the best place; never take the last voxel of another label.
        for i in [(first + last) // 2, *range(first, last)]:
            old, new = int(flat[targets[i]]), int(values[i])
            if left[old] > 1:
                left[old] -= 1
                left[new] = left.get(new, 0) + 1
                flat[targets[i]] = new
                break


def _lost_strokes(
    keys: NDArray[np.intp],
    targets: NDArray[np.intp],
    values: NDArray[np.int32],
    rank: NDArray[np.intp],
    out: NDArray[np.int32],
) -> NDArray[np.intp]:
    """Number the strokes among covered seeds, given as image voxel and label; -1: lives on.

    A stroke lives on where a neighbour of one of its image voxels has its label. `keys` are
    ascending, voxel times number of labels plus `rank` of the label.
    """
    shape = out.shape
    n_labels = int(rank.max()) + 1
    voxels = np.stack(np.unravel_index(targets, shape), axis=1)
    lives = np.zeros(len(targets), bool)
    rows, columns = [], []
    for step in product((-1, 0, 1), repeat=len(shape)):
        near = voxels + step
        good = np.flatnonzero(((near >= 0) & (near < shape)).all(axis=1))
        index = np.ravel_multi_index(tuple(near[good].T), shape)
        lives[good] |= out.reshape(-1)[index] == values[good]
        key = index * n_labels + rank[good]
        place = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
        also = keys[place] == key
        rows.append(good[also])
        columns.append(place[also])
    row, column = np.concatenate(rows), np.concatenate(columns)
    links = coo_array((np.ones(len(row), bool), (row, column)), shape=(len(keys),) * 2)
    count, stroke = connected_components(links, directed=False)
    alive = np.zeros(count, bool)
    alive[stroke[lives]] = True
    return np.where(alive[stroke], -1, stroke).astype(np.intp)
