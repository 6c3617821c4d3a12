"""Random walks in one call that can stand in for scikit-image's."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.validation import check_labels
from napari_seedbed.core.walker.edge_weights import Normalization
from napari_seedbed.core.walker.random_walks import RandomWalker
from napari_seedbed.core.walker.seed_map import unreached
from napari_seedbed.errors import InputError


def random_walker(
    data: NDArray[Any],
    labels: NDArray[Any],
    beta: float = 130,
    mode: str | None = "auto",
    tol: float = 1e-3,
    copy: bool = True,
    return_full_prob: bool = False,
    spacing: Sequence[float] | None = None,
    *,
    prob_tol: float = 1e-3,
    channel_axis: int | None = None,
    normalization: Normalization = "std",
) -> NDArray[Any]:
    """Segment an image from seeds by random walks, with scikit-image's arguments.

    Parameters
    ----------
    data : (M, N[, P][, C]) ndarray
        Image in 2D or 3D, with channels where `channel_axis` says so.
    labels : (M, N[, P]) ndarray
        Seeds, as whole numbers of any type: positive labels, 0 for unknown, negative for voxels
        that are not taken into account.
    beta : float
        How strongly a difference of intensity holds the walker back.
    mode : str, optional
        Accepted for compatibility ('cg', 'cg_j', 'cg_mg', 'bf', 'auto', None); the solver is the
        same for all.
    tol : float
        Largest error of a probability.
    copy : bool
        If False, the result is written into `labels`, unless probabilities are asked for.
    return_full_prob : bool
        Return the probabilities instead of the labels.
    spacing : sequence of float, optional
        Voxel size along each spatial axis; 1 by default.
    prob_tol : float
        Accepted for compatibility: probabilities always lie in [0, 1].
    channel_axis : int, optional
        Which axis holds channels.
    normalization : {'std', 'contrast'}
        'std' is scikit-image's weighting; 'contrast' makes the result the same for
        ``a * image + b``. See `edge_weights`.

    Returns
    -------
    ndarray
        Labels (M, N[, P]) in the type of `labels`, numbered 1, 2, ... in the order of the seeds'
        labels as scikit-image does, and -1, -2, ... for negative ones; 0 where those cut a voxel
        off from all seeds. Or probabilities (K, M, N[, P]) as float32.

        Where nothing can be found out, `labels` comes back with a warning, as in scikit-image:
        as it is if no voxel is unknown, with -1 for the unknown ones if all are cut off from all
        seeds. The probabilities are then masks of the labels, joined along the last axis (M, N, K)
        of an image in 2D, and side by side (M, N, P * K) of one in 3D.

    Raises
    ------
    InputError
        If the image or the seeds make no sense. Unlike in `RandomWalker`, one label will do: it
        takes all that it can reach.
    NotConvergedError
        If the equations could not be solved to `tol`.

    See Also
    --------
    RandomWalker : keeps what it has computed for the next stroke.

    References
    ----------
    Leo Grady, "Random walks for image segmentation", IEEE Trans. PAMI 28 (2006) 1768-1783.
    """
    if mode not in ("cg", "cg_j", "cg_mg", "bf", "auto", None):
        raise InputError(
            f"mode is {mode!r}; it must be 'auto', or one of scikit-image's: 'cg', 'cg_j', "
            "'cg_mg', 'bf', None."
        )
    if spacing is not None and np.ndim(spacing) == 1 and len(spacing) != np.ndim(labels):
        raise InputError(
            f"spacing has {len(spacing)} values; the image has {np.ndim(labels)} spatial axes and "
            "needs as many."
        )
    walker = RandomWalker(data, spacing, channel_axis, beta, normalization)
    given = np.asarray(labels)
    seeds = check_labels(given, walker.shape, any_type=True)
    if seeds.max() <= 0:
        raise InputError(
            "No seeds provided in labels: mark at least one region with a positive number."
        )
    unknown = seeds == 0
    lost = unreached(seeds) if seeds.min() < 0 else np.zeros_like(unknown)
    if np.array_equal(lost, unknown):
        return _as_provided(given, lost, copy, return_full_prob)
    values = np.unique(seeds[seeds > 0])
    numbered: NDArray[Any]
    if values.size == 1:
        result = (seeds >= 0) & ~lost
        if return_full_prob:
            return result[np.newaxis].astype(np.float32)
        numbered = result.astype(np.int32)
    else:
        found = walker.solve(seeds, tol, warm=False)
        if return_full_prob:
            return walker.probabilities
        numbered = np.where(found > 0, np.searchsorted(values, found) + 1, 0)
    for rank, value in enumerate(np.unique(seeds[seeds < 0])[::-1], start=1):
        numbered[seeds == value] = -rank
    if not copy:
        given[...] = numbered
        return given
    return numbered.astype(given.dtype)


def _as_provided(
    labels: NDArray[Any], lost: NDArray[np.bool_], copy: bool, masks: bool
) -> NDArray[Any]:
    """Return the labels or their masks, as nothing can be found out about the unknown voxels."""
    if lost.any():
        message = "All unlabeled pixels are isolated: negative labels cut them off from all seeds."
    else:
        message = "No pixel is unlabeled (0). Returning provided labels."
    warnings.warn(message, stacklevel=3)
    if masks:
        values = np.unique(labels[labels > 0])
        return np.concatenate([np.atleast_3d(labels == value) for value in values], axis=-1)
    if copy:
        labels = labels.copy()
    labels[lost] = -1
    return labels
