"""Changes between two images that neither noise, nor light, nor a small move explains."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.differences.changes import (
    N_MADS,
    Changes,
    difference_noise,
    list_changes,
)
from napari_seedbed.core.differences.image_differences import Comparison, compare_images
from napari_seedbed.core.differences.registration import Registration
from napari_seedbed.core.differences.structural_similarity import structural_similarity_map
from napari_seedbed.core.filters.flat_morphology import maximum, minimum
from napari_seedbed.core.magnitudes import divided, exponent_of, restored
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.validation import (
    channels_first,
    check_channel_axis,
    check_image,
    check_number,
    check_spacing,
)
from napari_seedbed.errors import InputError

ChangeMode = Literal["signed", "absolute", "ratio", "similarity"]
CHANGE_MODES: tuple[ChangeMode, ...] = get_args(ChangeMode)

MIN_CONTRAST = 0.05
MIN_SIZE = 12.0
MAX_GAP = 5.0
TOLERANCE = 1.0
"""What finds planted changes, and nothing else, in photographs and micrographs of many kinds."""

_WEAK = 0.5
"""Pixels of so much of the threshold belong to a change where they touch it."""

_DARKEST, _BRIGHTEST = 0.5, 99.5
_SAMPLES = 1_000_000

# Interpolation knows less of the outermost pixels of an image that was moved.
_BORDER = 2


@dataclass(frozen=True, eq=False)
class ChangeEvidence:
    """What speaks for a change at each pixel, before any threshold.

    Excess, noise and contrast of images of extreme numbers are divided by one power of two.

    Attributes
    ----------
    excess : tuple of ([Z, ]Y, X) ndarray of float32
        One a channel: how far two images are apart there, beyond what a small move explains.
        Zero where the images do not cover each other.
    noise : tuple of float
        Standard deviation of the noise in the difference, one a channel.
    contrast : tuple of float
        From the dark to the bright parts of the images, one a channel.
    difference : ([Z, ]Y, X) ndarray of float
        As from `image_difference`, of the channel that differs most; or the structural
        similarity.
    mode : {'signed', 'absolute', 'ratio', 'similarity'}
    registration : Registration or None
        How the second image was moved; None if it was not.
    """

    excess: tuple[NDArray[np.float32], ...]
    noise: tuple[float, ...]
    contrast: tuple[float, ...]
    difference: NDArray[np.floating]
    mode: str
    registration: Registration | None

    def limits(self, n_mads: float, min_contrast: float) -> tuple[float, ...]:
        """Excess above which there is a change, one a channel."""
        return tuple(
            max(n_mads * noise, min_contrast * contrast)
            for noise, contrast in zip(self.noise, self.contrast, strict=True)
        )


def change_evidence(
    a: Any,
    b: Any,
    *,
    mode: str = "signed",
    channel_axis: int | None = None,
    channels: str = "each",
    register: str | Registration | None = "auto",
    match: str | None = "robust",
    tolerance: float = TOLERANCE,
    spacing: float | Sequence[float] | None = None,
) -> ChangeEvidence:
    """Compare two images of one scene, bearing with small moves.

    A pixel differs only as far as its value is out of the range that the other image has around
    it, in both directions: edges that lie a little elsewhere, or were sampled anew, do not count.

    Parameters
    ----------
    a, b : ndarray
        Images of the same shape, 2D or 3D, with or without channels. `b` is moved and matched.
    mode : {'signed', 'absolute', 'ratio', 'similarity'}
        What is compared: values, their logarithms, or the structure around each pixel (which has
        a window of its own and no `tolerance`). 'signed' and 'absolute' find the same changes.
    channel_axis : int, optional
        Axis of the channels; None if there is none.
    channels : {'each', 'mean'}
        Whether each channel is compared, or their mean.
    register, match
        As in `image_difference`.
    tolerance : float
        How far a small move goes, in the unit of `spacing`; voxels that are longer count by
        themselves.
    spacing : sequence of float, optional
        Voxel size; 1 when None.

    Returns
    -------
    ChangeEvidence

    Raises
    ------
    InputError
        If the images have different sizes (the message says both), hold no finite numbers, cannot
        be registered, or a parameter is wrong.

    References
    ----------
    Theiler J, Wohlberg B (2012). Local coregistration adjustment for anomalous change detection.
    IEEE Transactions on Geoscience and Remote Sensing 50(8), 3107-3116.
    """
    if mode not in CHANGE_MODES:
        raise InputError(f"mode must be one of {', '.join(map(repr, CHANGE_MODES))}; got {mode!r}.")
    if channels not in ("each", "mean"):
        raise InputError(f"channels must be one of 'each', 'mean'; got {channels!r}.")
    length = check_number(tolerance, "tolerance")
    a, b = check_image(a, "a"), check_image(b, "b")
    exponent = exponent_of(a, b)
    a, b = divided(a, exponent), divided(b, exponent)
    compared = compare_images(
        a, b, mode="signed" if mode == "similarity" else mode, channel_axis=channel_axis,
        channels=channels, register=register, match=match,
    )  # fmt: skip
    first, second = np.asarray(a), compared.moved
    axis = check_channel_axis(channel_axis, first.ndim)
    check_spacing(spacing, compared.covered.ndim)
    trusted = _trusted(compared)
    if mode == "similarity":
        return _of_structure(first, second, axis, channels, compared, trusted)
    if axis is not None and channels == "mean":
        pairs = [(first.mean(axis=axis, dtype=np.float64), second.mean(axis=axis))]
    else:
        pairs = list(zip(channels_first(first, axis), channels_first(second, axis), strict=True))
    excess, noise, contrast = [], [], []
    for one, other in pairs:
        check_stop()
        values, others = one.astype(np.float64), other.astype(np.float64)
        if mode == "ratio":
            values, others = _logarithms(values, others)
        noise.append(difference_noise(values - others, mask=trusted).sigma)
        contrast.append(max(_contrast(values), _contrast(others)))
        found = _excess(values, others, length, spacing)
        found[~trusted] = 0
        excess.append(found)
    difference = compared.difference
    if axis is not None and channels == "each":
        difference = _most_telling(np.moveaxis(difference, axis, 0), excess, noise)
    difference = restored(difference, 0 if mode == "ratio" else exponent)
    return ChangeEvidence(
        tuple(excess), tuple(noise), tuple(contrast), difference, mode, compared.registration
    )  # fmt: skip


def find_changes(
    evidence: ChangeEvidence,
    n_mads: float = N_MADS,
    *,
    min_contrast: float = MIN_CONTRAST,
    min_size: float = MIN_SIZE,
    max_gap: float = MAX_GAP,
    spacing: float | Sequence[float] | None = None,
    unit: str = "pixel",
) -> Changes:
    """Find the changes that images give evidence for, and list them.

    Parameters
    ----------
    evidence : ChangeEvidence
        From `change_evidence`.
    n_mads : float
        How many standard deviations of the noise, from its median absolute deviation, a change
        must be beyond.
    min_contrast : float
        Which share of the images' contrast, from 0 to 1, it must be beyond as well.
    min_size : float
        Changes with a smaller area (2D) or volume (3D) beyond both are left out; in the unit of
        `spacing`.
    max_gap : float
        Pieces up to so far apart are one change.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    unit : str
        Unit of `spacing`, for the table.

    Returns
    -------
    Changes
        Pixels of half the strength that touch a change belong to it. Columns of the table:
        ``change``, ``area`` or ``volume``, ``unit``, ``centroid_…``, ``bbox_…``,
        ``mean_difference`` and ``extreme_difference`` (the one farthest from no change).

    Raises
    ------
    InputError
        If a parameter is wrong.
    """
    times, share = check_number(n_mads, "n_mads"), check_number(min_contrast, "min_contrast")
    tiny = float(np.finfo(np.float32).tiny)
    limits = [max(limit, tiny) for limit in evidence.limits(times, share)]
    shape = evidence.difference.shape
    strong, grown = np.zeros(shape, bool), np.zeros(shape, bool)

    def work(slab: Slab) -> None:
        for excess, limit in zip(evidence.excess, limits, strict=True):
            strong[slab] |= excess[slab] > limit
            grown[slab] |= excess[slab] > _WEAK * limit

    in_slabs(work, shape)
    check_stop()
    parts, count = ndi.label(grown, np.ones((3,) * grown.ndim, bool))
    touches = np.zeros(count + 1, bool)
    touches[parts[strong]] = True
    found = list_changes(
        touches[parts], min_size, spacing, max_gap=max_gap, unit=unit,
        difference=evidence.difference, counted=strong,
    )  # fmt: skip
    return Changes(found.labels, _table(found.table, evidence.mode))


def _trusted(compared: Comparison) -> NDArray[np.bool_]:
    covered = compared.covered
    if compared.registration is None or covered.all():
        return covered
    inner = ndi.binary_erosion(
        covered, ndi.generate_binary_structure(covered.ndim, covered.ndim), _BORDER, border_value=1
    )
    return inner if inner.any() else covered


def _of_structure(
    a: NDArray[Any],
    b: NDArray[Any],
    axis: int | None,
    channels: str,
    compared: Comparison,
    trusted: NDArray[np.bool_],
) -> ChangeEvidence:
    if axis is not None and channels == "mean":
        a, b, axis = a.mean(axis=axis, dtype=np.float64), b.mean(axis=axis), None
    similarity = structural_similarity_map(a, b, channel_axis=axis, data_range=_value_range(a, b))
    similarity[~compared.covered] = 1
    excess = (1 - similarity).astype(np.float32)
    noise = difference_noise(excess, mode="absolute", mask=trusted).sigma
    excess[~trusted] = 0
    return ChangeEvidence(
        (excess,), (noise,), (1.0,), similarity, "similarity", compared.registration
    )


def _value_range(a: NDArray[Any], b: NDArray[Any]) -> float | None:
    """Return that of 8-bit images, whose second one is a float once it was moved or matched."""
    return 255.0 if a.dtype == np.uint8 else None


def _logarithms(
    a: NDArray[np.float64], b: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return logarithms; values below a thousandth of the brightest, and of 0, count as that."""
    brightest = max(float(a.max()), float(b.max()))
    least = 1e-3 * brightest if brightest > 0 else 1.0
    return np.log(np.maximum(a, least)), np.log(np.maximum(b, least))


def _contrast(image: NDArray[np.float64]) -> float:
    values = image.ravel()[:: 1 + image.size // _SAMPLES]
    low, high = np.percentile(values, (_DARKEST, _BRIGHTEST))
    return float(high - low)


def _excess(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    tolerance: float,
    spacing: float | Sequence[float] | None,
) -> NDArray[np.float32]:
    """Return how far each image is out of the other's range around a pixel; the larger of both."""
    out = np.zeros(a.shape, np.float32)
    for values, others in ((a, b), (b, a)):
        low = minimum(others, tolerance, spacing, window="box")
        high = maximum(others, tolerance, spacing, window="box")
        _raise_to(out, values, low, high)
    return out


def _raise_to(
    out: NDArray[np.float32],
    values: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> None:
    def work(slab: Slab) -> None:
        beyond = np.maximum(low[slab] - values[slab], values[slab] - high[slab])
        np.maximum(out[slab], beyond, out=out[slab], casting="same_kind")

    in_slabs(work, out.shape)


def _most_telling(
    differences: NDArray[np.floating], excess: list[NDArray[np.float32]], noise: list[float]
) -> NDArray[np.floating]:
    """Return at each pixel the difference of the channel with the strongest evidence."""
    weights = [1 / sigma if sigma > 0 else 1.0 for sigma in noise]
    if not all(sigma > 0 for sigma in noise):
        weights = [1.0] * len(noise)
    best = np.zeros(excess[0].shape, np.float32)
    found = differences[0].copy()
    for nth, (part, weight) in enumerate(zip(excess, weights, strict=True)):
        stronger = part * weight > best
        best[stronger] = (part * weight)[stronger]
        found[stronger] = differences[nth][stronger]
    return found


def _table(table: dict[str, NDArray[Any]], mode: str) -> dict[str, NDArray[Any]]:
    """Return the columns of a list of changes, in words of its own."""
    least, most = table["min_intensity"], table["max_intensity"]
    if mode == "similarity":
        extreme = least
    elif mode == "ratio":
        tiny = np.finfo(np.float32).tiny
        up = np.log(np.maximum(most, tiny)) >= -np.log(np.maximum(least, tiny))
        extreme = np.where(up, most, least)
    else:
        extreme = np.where(np.abs(most) >= np.abs(least), most, least)
    kept = {
        name: column
        for name, column in table.items()
        if name in ("area", "volume", "unit") or name.startswith(("centroid_", "bbox_"))
    }
    return {
        "change": table["label"],
        **kept,
        "mean_difference": table["mean_intensity"],
        "extreme_difference": extreme,
    }
