"""From a difference of images to a mask of what changed, and a list of the changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.differences.image_differences import DIFFERENCE_MODES
from napari_seedbed.core.objects.object_measurement import object_table
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.validation import (
    check_image,
    check_labels,
    check_number,
    check_spacing,
)
from napari_seedbed.errors import InputError

N_MADS = 6.0
"""Two in a thousand million pixels of Gaussian noise are further out."""

_NORMAL = 1.4826
"""Standard deviation of Gaussian noise over its median absolute deviation."""


@dataclass(frozen=True)
class DifferenceNoise:
    """What differences are where nothing changed.

    Attributes
    ----------
    centre : float
        Their middle: the median, or 0 for absolute differences.
    sigma : float
        Their standard deviation, if they are Gaussian: 1.4826 times the median absolute deviation.
        For a ratio, both are of its natural logarithm.
    """

    centre: float
    sigma: float


def difference_noise(difference: Any, *, mode: str = "signed", mask: Any = None) -> DifferenceNoise:
    """Measure noise in a difference of images, most of which has not changed.

    Parameters
    ----------
    difference : ndarray
        From `image_difference`.
    mode : {'signed', 'absolute', 'ratio'}
        What kind of difference it is.
    mask : ndarray of bool or int, optional
        Pixels that count, of the shape of `difference`.

    Returns
    -------
    DifferenceNoise

    Raises
    ------
    InputError
        If the mask is empty or of another shape, or `mode` is wrong.
    """
    values, inside = _checked(difference, mode, mask)
    return _noise(values if inside is None else values[inside], mode)


def change_mask(
    difference: Any,
    n_mads: float = N_MADS,
    *,
    mode: str = "signed",
    mask: Any = None,
    min_difference: float = 0.0,
) -> NDArray[np.bool_]:
    """Return where a difference is larger than its noise explains.

    Parameters
    ----------
    difference : ndarray
        From `image_difference`; of any shape.
    n_mads : float
        How far from the middle a change must be: times the median absolute deviation, scaled to
        the standard deviation of Gaussian noise.
    mode : {'signed', 'absolute', 'ratio'}
        What kind of difference it is. Ratios are judged by their logarithms, so that half and
        double are changes of one size.
    mask : ndarray of bool or int, optional
        Pixels that count, of the shape of `difference` (as `Comparison.covered`); no change is
        found elsewhere.
    min_difference : float
        Differences of this size or less are no change, however little noise there is: a grey level
        or two for images that were compressed. For ratios, how far from 1 (0.1: up to 1.1 and down
        to 1 / 1.1).

    Returns
    -------
    ndarray of bool
        Of the shape of `difference`. Where more than half of the pixels are equal, there is no
        noise, and every difference above `min_difference` is a change.

    Raises
    ------
    InputError
        If the mask is empty or of another shape, or a parameter is wrong.
    """
    values, inside = _checked(difference, mode, mask)
    times = check_number(n_mads, "n_mads")
    least = check_number(min_difference, "min_difference")
    check_stop()
    noise = _noise(values if inside is None else values[inside], mode)
    limit = times * noise.sigma
    out = np.zeros(values.shape, bool)

    def work(slab: Slab) -> None:
        part: NDArray[np.floating] = values[slab].astype(np.float64)
        if mode == "ratio":
            part = _logarithm(part)
        far = np.abs(part - noise.centre)
        smallest = np.log1p(least) if mode == "ratio" else least
        out[slab] = (far > limit) & (far > smallest)
        if inside is not None:
            out[slab] &= inside[slab]

    in_slabs(work, values.shape)
    return out


@dataclass(frozen=True)
class Changes:
    """Changes one by one.

    Attributes
    ----------
    labels : ndarray of int32
        Number of the change that each pixel belongs to; 0 for none.
    table : dict of (K,) arrays
        A row a change: label, size, place and bounding box as in `object_table`, and where a
        difference was given its mean, smallest and largest value there.
    """

    labels: NDArray[np.int32]
    table: dict[str, NDArray[Any]]

    @property
    def boxes(self) -> NDArray[np.int64]:
        """First voxel and the one after the last, along each axis: (K, 2, D)."""
        names = ("z", "y", "x")[-self.labels.ndim :]
        sides = [
            np.stack([self.table[f"bbox_{name}_{end}"] for name in names], axis=-1)
            for end in ("start", "stop")
        ]
        return np.stack(sides, axis=1).astype(np.int64)


def list_changes(
    mask: Any,
    min_size: float = 0.0,
    spacing: float | Sequence[float] | None = None,
    *,
    max_gap: float = 0.0,
    unit: str = "pixel",
    difference: Any = None,
    counted: Any = None,
) -> Changes:
    """Number the changes of a mask, and list them with their boxes.

    Parameters
    ----------
    mask : (M, N[, P]) ndarray of bool or int
        Where something changed.
    min_size : float
        Smaller changes are left out: area (2D) or volume (3D) in physical units.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    max_gap : float
        Pieces up to so far apart, in physical units, are one change; 0: those that touch, be it at
        a corner.
    unit : str
        Unit of `spacing`, for the table.
    difference : (M, N[, P]) ndarray, optional
        Difference of the images, to be summed up for each change.
    counted : (M, N[, P]) ndarray of bool or int, optional
        Only pixels of this mask count for `min_size`.

    Returns
    -------
    Changes

    Raises
    ------
    InputError
        If the mask has not two or three axes, the difference has another shape, or a parameter is
        wrong.
    """
    changed = check_labels(mask, name="mask") > 0
    if changed.ndim not in (2, 3):
        raise InputError(f"mask has {changed.ndim} axes; changes are listed in 2 or 3.")
    size = check_spacing(spacing, changed.ndim)
    least = check_number(min_size, "min_size")
    gap = check_number(max_gap, "max_gap")
    touching = np.ones((3,) * changed.ndim, bool)
    check_stop()
    if gap > 0 and changed.any():
        near = ndi.distance_transform_edt(~changed, sampling=size) <= gap / 2
        check_stop()
        labels, _ = ndi.label(near, touching, output=np.int32)
        labels[~changed] = 0
    else:
        labels, _ = ndi.label(changed, touching, output=np.int32)
    check_stop()
    counts = np.bincount(labels.ravel())
    judged = counts
    if counted is not None:
        core = check_labels(counted, changed.shape, "counted") > 0
        judged = np.bincount(labels[core], minlength=len(counts))
    kept = judged * float(np.prod(size)) >= least
    kept[0] = False
    kept &= counts > 0
    renumbered = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    labels = renumbered[labels]
    return Changes(labels, object_table(labels, spacing, unit, difference))


def _checked(
    difference: Any, mode: str, mask: Any
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    values = check_image(difference, "difference", allow_bool=False)
    if mode not in DIFFERENCE_MODES:
        raise InputError(
            f"mode must be one of {', '.join(map(repr, DIFFERENCE_MODES))}; got {mode!r}."
        )
    if mask is None:
        return values, None
    inside = check_labels(mask, values.shape, "mask") > 0
    if not inside.any():
        raise InputError("mask is empty; there are no differences to take noise from.")
    return values, None if inside.all() else inside


def _noise(values: NDArray[Any], mode: str) -> DifferenceNoise:
    wide = values.dtype.kind != "f" or values.dtype.itemsize > 4
    values = values.astype(np.float64 if wide else np.float32)
    if mode == "absolute":
        return DifferenceNoise(0.0, _NORMAL * float(np.median(np.abs(values, out=values))))
    if mode == "ratio":
        values = _logarithm(values)
    centre = float(np.median(values))
    values -= centre
    return DifferenceNoise(centre, _NORMAL * float(np.median(np.abs(values, out=values))))


def _logarithm(ratio: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the logarithm; of 0 and less, that of the smallest number."""
    return np.log(np.maximum(ratio, np.finfo(np.float32).tiny))
