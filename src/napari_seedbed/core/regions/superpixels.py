"""Regions of like voxels without seeds, by scikit-image's methods.

Intensities are scaled so that they go from 0 to 1 over all channels. Images of three channels are
compared as the eye sees them, in Lab; others as if they were the lightness of Lab, from 0 to 100,
so that one compactness fits all.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.library_calls import call_aside
from napari_seedbed.core.library_warnings import silence
from napari_seedbed.core.objects.labelling import label
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.regions.channel_stacks import channel_stack, unit_range
from napari_seedbed.core.validation import check_count, check_labels, check_number
from napari_seedbed.errors import InputError

Colours = Literal["auto", "plain"]
Floats = NDArray[np.float64]

_LIGHTNESS = 100.0
_RGB = 3


def slic_regions(
    image: Any,
    n_segments: int = 250,
    compactness: float = 10.0,
    sigma: float = 0.0,
    spacing: float | Sequence[float] | None = None,
    channel_axis: int | None = None,
    *,
    mask: Any = None,
    max_num_iter: int = 10,
    colours: Colours = "auto",
) -> NDArray[np.int32]:
    """Cut an image into about so many compact regions, by ``skimage.segmentation.slic``.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like, with channels where `channel_axis` says so
    n_segments : int
        About how many regions, in all of a volume.
    compactness : float
        How much nearness counts against likeness: 100 gives blocks, 1 follows every edge.
    sigma : float
        Standard deviation of a Gaussian that smooths first, in the unit of `spacing`.
    spacing : sequence of float, optional
        Voxel size; 1 when None. Only its ratios count for the compactness.
    channel_axis : int, optional
        Channels count together.
    mask : ([Z, ]Y, X) array_like of bool, optional
        Where regions are made. Voxels that do not touch, at a corner at least, are in regions of
        their own.
    max_num_iter : int
    colours : {'auto', 'plain'}
        'auto' compares three channels in Lab; 'plain' compares all channels as they are.

    Returns
    -------
    ([Z, ]Y, X) ndarray of int32
        From 1 on; 0 outside the mask.

    Raises
    ------
    InputError
        If a number makes no sense, or the mask does not fit or is empty.

    References
    ----------
    Achanta R and others (2012). SLIC superpixels compared to state-of-the-art superpixel methods.
    IEEE Transactions on Pattern Analysis and Machine Intelligence 34(11), 2274-2282.
    Irving B (2016). maskSLIC: regional superpixel generation with application to local pathology
    characterisation in medical images. arXiv:1606.09518.
    """
    from skimage.segmentation import slic

    channels, size = channel_stack(image, channel_axis, spacing)
    shape = channels.shape[1:]
    wanted = _at_least_one(n_segments, "n_segments")
    rounds = _at_least_one(max_num_iter, "max_num_iter")
    weight = check_number(compactness, "compactness", allow_zero=False)
    width = _check_width(sigma, shape, size)
    inside = None
    if mask is not None:
        inside = check_labels(mask, shape, "mask") > 0
        if not inside.any():
            raise InputError("mask is empty; it must hold at least one voxel.")
        wanted = min(wanted, int(np.count_nonzero(inside)))
        # It would cut off a part of one voxel from an image of no other.
        channels = np.where(inside, channels, channels[:, inside].min(axis=1)[(..., *_new(shape))])
    as_lab = _is_lab(channels, colours)
    values = unit_range(channels)
    smallest = min(size)
    found = call_aside(
        partial(
            slic,
            np.moveaxis(values, 0, -1) if len(values) > 1 else values[0],
            n_segments=wanted,
            compactness=weight if as_lab else weight / _LIGHTNESS,
            sigma=width / smallest,
            spacing=tuple(step / smallest for step in size),
            max_num_iter=rounds,
            convert2lab=as_lab,
            start_label=1,
            mask=inside,
            channel_axis=-1 if len(values) > 1 else None,
        ),
    )  # fmt: skip
    labels = found.astype(np.int32)
    if inside is None:
        return labels
    labels = _filled_up(labels, inside)
    pieces, number = label(labels, return_num=True)
    return pieces if number > len(np.unique(labels[inside])) else labels


def felzenszwalb_regions(
    image: Any,
    scale: float = 100.0,
    sigma: float = 0.8,
    min_size: int = 50,
    spacing: float | Sequence[float] | None = None,
    channel_axis: int | None = None,
) -> NDArray[np.int32]:
    """Join pixels by their differences, by ``skimage.segmentation.felzenszwalb``.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like, with channels where `channel_axis` says so
        Slices of a volume are worked on one by one.
    scale : float
        Larger gives larger regions. It counts against intensities from 0 to 255.
    sigma : float
        Standard deviation of a Gaussian that smooths first, in the unit of `spacing`, within the
        slice.
    min_size : int
        Fewest pixels of a region.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    channel_axis : int, optional
        Any number of channels, which count together.

    Returns
    -------
    ([Z, ]Y, X) ndarray of int32
        From 1 on; those of one slice go on from those of the slice before.

    Raises
    ------
    InputError
        If a number makes no sense, or the image is no image.

    References
    ----------
    Felzenszwalb PF, Huttenlocher DP (2004). Efficient graph-based image segmentation. International
    Journal of Computer Vision 59(2), 167-181.
    """
    from skimage.segmentation import felzenszwalb

    channels, size = channel_stack(image, channel_axis, spacing)
    strength = check_number(scale, "scale")
    width = _check_width(sigma, channels.shape[1:], size)
    fewest = check_count(min_size, "min_size")
    values = unit_range(channels)

    def one(plane: Floats) -> NDArray[np.integer]:
        silence("Got image with third dimension of", __name__)
        found = felzenszwalb(
            np.moveaxis(_smooth(plane, width, size), 0, -1),
            scale=strength, sigma=0, min_size=fewest, channel_axis=-1,
        )  # fmt: skip
        return np.asarray(found)

    return _by_slice(one, values)


def quickshift_regions(
    image: Any,
    kernel_size: float = 5.0,
    max_dist: float = 10.0,
    ratio: float = 1.0,
    sigma: float = 0.0,
    spacing: float | Sequence[float] | None = None,
    channel_axis: int | None = None,
    *,
    colours: Colours = "auto",
) -> NDArray[np.int32]:
    """Join pixels with the next denser place, by ``skimage.segmentation.quickshift``.

    Parameters
    ----------
    image : ([Z, ]Y, X) array_like, with channels where `channel_axis` says so
        Slices of a volume are worked on one by one.
    kernel_size : float
        Width in pixels of the Gaussian that measures density.
    max_dist : float
        How far apart, in place and colour together, pixels of a region may be linked.
    ratio : float
        From 0 to 1: how much colour counts against nearness.
    sigma : float
        Standard deviation of a Gaussian that smooths first, in the unit of `spacing`, within the
        slice.
    spacing : sequence of float, optional
        Voxel size; 1 when None.
    channel_axis : int, optional
        Any number of channels, which count together.
    colours : {'auto', 'plain'}
        'auto' compares three channels in Lab; 'plain' compares all channels as they are.

    Returns
    -------
    ([Z, ]Y, X) ndarray of int32
        From 1 on; those of one slice go on from those of the slice before.

    Raises
    ------
    InputError
        If a number makes no sense, or the image is no image.

    References
    ----------
    Vedaldi A, Soatto S (2008). Quick shift and kernel methods for mode seeking. European Conference
    on Computer Vision, 705-718.
    """
    from skimage.segmentation import quickshift

    channels, size = channel_stack(image, channel_axis, spacing)
    width, reach = check_number(kernel_size, "kernel_size"), check_number(max_dist, "max_dist")
    if width < 1:
        raise InputError(f"kernel_size must be 1 or more; got {kernel_size!r}.")
    share = check_number(ratio, "ratio")
    blur = _check_width(sigma, channels.shape[1:], size)
    if share > 1:
        raise InputError(f"ratio must be from 0 to 1; got {ratio!r}.")
    as_lab = _is_lab(channels, colours)
    values = unit_range(channels)

    def one(plane: Floats) -> NDArray[np.integer]:
        smooth = np.moveaxis(_smooth(plane, blur, size), 0, -1)
        found = quickshift(
            np.ascontiguousarray(smooth if as_lab else _LIGHTNESS * smooth),
            kernel_size=width, max_dist=reach, ratio=share, convert2lab=as_lab, channel_axis=-1,
        )  # fmt: skip
        return np.asarray(found)

    return _by_slice(one, values)


def _filled_up(labels: NDArray[np.int32], inside: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Give voxels of the mask that came out without a region, as in tiny masks, the nearest one."""
    if not labels.any():
        return inside.astype(np.int32)
    left = inside & (labels == 0)
    if left.any():
        nearest = ndi.distance_transform_edt(
            labels == 0, return_distances=False, return_indices=True
        )
        labels[left] = labels[tuple(nearest[:, left])]
    return labels


def _by_slice(one: Callable[[Floats], NDArray[np.integer]], values: Floats) -> NDArray[np.int32]:
    """Number the regions of each slice of (C, [Z, ]Y, X), going on from the slice before."""
    planes = values if values.ndim == 4 else values[:, np.newaxis]
    out = np.zeros(planes.shape[1:], np.int32)
    last = 0
    for z in range(len(out)):
        check_stop()
        found = call_aside(partial(one, planes[:, z]))
        out[z] = found + (last + 1 - int(found.min()))
        last = int(out[z].max())
    return out.reshape(values.shape[1:])


def _check_width(sigma: Any, shape: Sequence[int], spacing: Sequence[float]) -> float:
    """Return how much to smooth; what is wider than the image many times leaves its mean alone."""
    width = check_number(sigma, "sigma")
    return min(width, 10 * max(n * step for n, step in zip(shape, spacing, strict=True)))


def _smooth(plane: Floats, sigma: float, spacing: Sequence[float]) -> Floats:
    # As scikit-image does here, beyond the border as in a mirror.
    widths = (0.0, *(sigma / step for step in spacing[-2:]))
    smooth: Floats = ndi.gaussian_filter(plane, widths)
    return smooth


def _is_lab(channels: NDArray[np.floating], colours: str) -> bool:
    if colours not in ("auto", "plain"):
        raise InputError(f"colours is {colours!r}; it must be 'auto' or 'plain'.")
    return colours == "auto" and len(channels) == _RGB


def _new(shape: tuple[int, ...]) -> tuple[None, ...]:
    return (None,) * len(shape)


def _at_least_one(value: Any, name: str) -> int:
    count = check_count(value, name)
    if count < 1:
        raise InputError(f"{name} must be 1 or more; got {value!r}.")
    return count
