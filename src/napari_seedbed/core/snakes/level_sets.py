"""The classical Chan-Vese level set: a smooth surface between two regions of different mean.

References
----------
Tony Chan, Luminita Vese, "Active contours without edges", IEEE Trans. Image Processing 10 (2001)
266-277.
Pascal Getreuer, "Chan-Vese segmentation", Image Processing On Line 2 (2012) 214-224.
Tony Chan, Berta Sandberg, Luminita Vese, "Active contours without edges for vector-valued images",
J. Visual Communication and Image Representation 11 (2000) 130-141.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from napari_seedbed.core.magnitudes import moderate
from napari_seedbed.core.snakes import level_set_kernels
from napari_seedbed.core.snakes.stop_reasons import CONVERGED, LIMIT
from napari_seedbed.core.threads import run_ranges, split
from napari_seedbed.core.validation import (
    channels_first,
    check_channel_axis,
    check_count,
    check_image,
    check_number,
    check_spacing,
    check_spatial_axes,
)
from napari_seedbed.errors import InputError

Floats = NDArray[np.floating]

_VOXELS_PER_TASK = 1 << 16


@dataclass(frozen=True)
class SmoothLevelSetState:
    """A level set after some iterations.

    Attributes
    ----------
    phi : (M, N[, P]) ndarray of float
        Positive inside.
    iteration : int
        How many iterations were made.
    change : float
        Root mean square change of the last one.
    reason : str or None
        Why the evolution has stopped; None while it goes on.
    """

    phi: Floats
    iteration: int
    change: float
    reason: str | None


def chan_vese(
    image: NDArray[Any],
    mu: float = 0.25,
    lambda1: float = 1.0,
    lambda2: float = 1.0,
    tol: float = 1e-3,
    max_num_iter: int = 500,
    dt: float = 0.5,
    init_level_set: str | NDArray[Any] = "checkerboard",
    extended_output: bool = False,
    *,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
) -> Any:
    """Segment an image into two regions by a level set, with scikit-image's arguments.

    Parameters
    ----------
    image : (M, N[, P]) ndarray, or with channels where `channel_axis` says so
        Image; each channel is scaled to 0..1.
    mu : float
        Weight of the length (in 3D, the area) of the border: larger values make it rounder.
    lambda1, lambda2 : float
        Weights of the spread of intensities inside and outside.
    tol : float
        Stop when the root mean square change of the level set in one iteration is at most this.
    max_num_iter : int
        Largest number of iterations.
    dt : float
        Step: larger is faster, and may not converge.
    init_level_set : (M, N[, P]) ndarray of float, 'checkerboard', 'disk' or 'small disk'
        Where to begin; positive inside.
    extended_output : bool
        Also return the level set and the energies.
    spacing : sequence of float, optional
        Voxel size along the spatial axes; 1 by default. `mu` then is a length in the same unit.
    channel_axis : int, optional
        Which axis holds channels; the mean of their squared differences counts.

    Returns
    -------
    segmentation : (M, N[, P]) ndarray of bool
        True inside.
    phi : (M, N[, P]) ndarray of float
        The level set, if asked for.
    energies : list of float
        The energy before each iteration, if asked for.

    Raises
    ------
    InputError
        If an argument makes no sense.
    """
    states = evolve_level_set(
        image, mu, lambda1, lambda2, tol, max_num_iter, dt, init_level_set, spacing=spacing,
        channel_axis=channel_axis,
    )  # fmt: skip
    if not extended_output:
        # One state at a time: together they would fill gigabytes.
        (last,) = deque(states, maxlen=1)
        return last.phi > 0
    volume, spaces = _prepared(image, channel_axis, spacing)
    energies: list[float] = []
    for last in states:
        energies.append(_energy(volume, last.phi, mu, lambda1, lambda2, spaces))
    return last.phi > 0, last.phi, energies[:-1]


def evolve_level_set(
    image: NDArray[Any],
    mu: float = 0.25,
    lambda1: float = 1.0,
    lambda2: float = 1.0,
    tol: float = 1e-3,
    max_num_iter: int = 500,
    dt: float = 0.5,
    init_level_set: str | NDArray[Any] = "checkerboard",
    *,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
) -> Iterator[SmoothLevelSetState]:
    """Yield the states of `chan_vese`, the first one before any iteration.

    Parameters
    ----------
    image, mu, lambda1, lambda2, tol, max_num_iter, dt, init_level_set, spacing
        As in `chan_vese`.
    channel_axis
        As in `chan_vese`.
    """
    channels, spaces = _prepared(image, channel_axis, spacing)
    phi = _start(init_level_set, channels.shape[1:], channels.dtype)
    weights = (
        check_number(mu, "mu"),
        check_number(lambda1, "lambda1"),
        check_number(lambda2, "lambda2"),
        check_number(dt, "dt", allow_zero=False),
    )
    limit, enough = check_count(max_num_iter, "max_num_iter"), check_number(tol, "tol")
    return _states(channels, phi, weights, enough, limit, spaces)


def _states(
    channels: Floats,
    phi: Floats,
    weights: tuple[float, float, float, float],
    tol: float,
    max_num_iter: int,
    spacing: tuple[float, ...],
) -> Iterator[SmoothLevelSetState]:
    shape = phi.shape
    in_volume = phi.ndim == 3
    image = channels if in_volume else channels[:, np.newaxis]
    old = phi if in_volume else phi[np.newaxis]
    spaces = tuple(float(h) for h in (spacing if in_volume else (1.0, *spacing)))
    planes = split(old.shape[0], 1 + old.size // _VOXELS_PER_TASK)
    sums = np.zeros((old.shape[0], 2 + image.shape[0]))
    run_ranges(level_set_kernels.inside_sums, planes, old, image, sums)
    whole = image.sum(axis=(1, 2, 3), dtype=np.float64)
    yield SmoothLevelSetState(old.reshape(shape), 0, np.inf, LIMIT if max_num_iter == 0 else None)
    for iteration in range(1, max_num_iter + 1):
        total = sums.sum(axis=0)
        n_inside = total[1]
        means = np.stack(
            [total[2:] / max(n_inside, 1), (whole - total[2:]) / max(old.size - n_inside, 1)]
        )
        new = np.empty_like(old)
        run_ranges(
            level_set_kernels.step,
            planes, old, image, means, *weights, spaces, in_volume, new, sums,
        )  # fmt: skip
        change = float(np.sqrt(sums[:, 0].sum() / old.size))
        reason = CONVERGED if change <= tol else LIMIT if iteration == max_num_iter else None
        yield SmoothLevelSetState(new.reshape(shape), iteration, change, reason)
        if reason is not None:
            return
        old = new


def _prepared(
    image: NDArray[Any], channel_axis: int | None, spacing: Sequence[float] | None
) -> tuple[Floats, tuple[float, ...]]:
    """Return the channels, (C, M, N[, P]), each scaled to 0..1, and the spacing."""
    array = check_image(image)
    axis = check_channel_axis(channel_axis, array.ndim)
    ndim = check_spatial_axes(array.shape, axis)
    single = array.dtype in (np.float16, np.float32)
    array, _ = moderate(array)
    channels = channels_first(array, axis)
    channels = channels.astype(np.float32 if single else np.float64)
    for channel in channels:
        channel -= channel.min()
        largest = channel.max()
        if largest != 0:
            channel /= largest
    return channels, check_spacing(spacing, ndim)


def _start(
    init_level_set: str | NDArray[Any], shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Floats:
    if not isinstance(init_level_set, str):
        start = np.asarray(init_level_set)
        if start.shape != shape:
            raise InputError(
                f"init_level_set has the shape {start.shape}; it must have that of the image, "
                f"{shape}."
            )
        return np.ascontiguousarray(start, dtype)
    if init_level_set == "checkerboard":
        waves = [np.sin(np.pi / 5 * np.arange(n, dtype=dtype)) for n in shape]
        result = np.ones((1,) * len(shape), dtype)
        for axis, wave in enumerate(waves):
            result = result * wave.reshape([-1 if a == axis else 1 for a in range(len(shape))])
        return np.ascontiguousarray(result, dtype)
    if init_level_set not in ("disk", "small disk"):
        raise InputError(
            f"init_level_set is {init_level_set!r}; it must be an array, 'checkerboard', 'disk' or "
            "'small disk'."
        )
    middle = tuple((n - 1) // 2 for n in shape)
    away = np.ones(shape)
    away[middle] = 0
    radius = max(float(min(middle)), 1.0)
    distance = distance_transform_edt(away)
    if init_level_set == "disk":
        return ((radius - distance) / radius).astype(dtype)
    return ((radius / 2 - distance) / (1.5 * radius)).astype(dtype)


def _energy(
    channels: Floats,
    phi: Floats,
    mu: float,
    lambda1: float,
    lambda2: float,
    spacing: tuple[float, ...],
) -> float:
    """Spread of intensities inside and outside, and the length of the border."""
    inside = 0.5 * (1 + 2 / np.pi * np.arctan(phi))
    outside = 1 - inside
    spread = 0.0
    for channel in channels:
        for weight, part in ((lambda1, inside), (lambda2, outside)):
            size = part.sum()
            mean = (channel * part).sum() / (size if size != 0 else 1)
            spread += weight * float(((channel - mean) ** 2 * part).sum()) / len(channels)
    slopes = []
    for axis, h in enumerate(spacing):
        padded = np.pad(phi, [(1, 1) if a == axis else (0, 0) for a in range(phi.ndim)], "edge")
        ahead = [slice(2, None) if a == axis else slice(None) for a in range(phi.ndim)]
        behind = [slice(None, -2) if a == axis else slice(None) for a in range(phi.ndim)]
        slopes.append((padded[tuple(ahead)] - padded[tuple(behind)]) / (2 * h))
    length = np.sqrt(np.sum(np.square(slopes), axis=0)) / (1 + phi**2)
    return spread + mu * float(length.sum())


def region_of_objects(
    image: NDArray[Any],
    region: NDArray[np.bool_],
    objects: str = "bright",
    channel_axis: int | None = None,
) -> NDArray[np.bool_]:
    """Return of a region and the rest of an image the one that is bright, or dark.

    Parameters
    ----------
    image : (M, N[, P]) ndarray, or with channels where `channel_axis` says so
    region : (M, N[, P]) ndarray of bool
    objects : {'bright', 'dark'}
        By the mean over all channels.
    channel_axis : int, optional

    Returns
    -------
    (M, N[, P]) ndarray of bool
        The region itself where it is empty or all of the image.
    """
    if not region.any() or region.all():
        return region
    values, _ = moderate(image)
    if channel_axis is not None:
        values = values.mean(axis=channel_axis, dtype=np.float64)
    is_bright = float(values[region].mean()) >= float(values[~region].mean())
    return region if is_bright == (objects == "bright") else ~region
