"""How probable a pixel has the colour of a patch, colours being spread as a Gaussian."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.colour.colour_spaces import (
    ColourSpace,
    check_colour_image,
    colour_space,
    result_type,
)
from napari_seedbed.core.colour.patches import check_patch, check_patches
from napari_seedbed.core.slabs import Slab, in_slabs
from napari_seedbed.core.validation import check_number
from napari_seedbed.errors import InputError

GaussianModel = Literal["independent", "joint"]
GAUSSIAN_MODELS: tuple[GaussianModel, ...] = get_args(GaussianModel)

MIN_SIGMA = 1e-3
"""Smallest standard deviation of a chromaticity: a third of a grey level of an 8-bit mid grey."""

_ROUNDING = 12**-0.5
"""Standard deviation of what rounding to whole numbers takes away or adds."""


@dataclass(frozen=True)
class ColourGaussian:
    """The colours of a patch.

    Attributes
    ----------
    label : int
        Label of the patch; 1 for a mask.
    space : ColourSpace
        Where the coordinates come from: the chromaticities of all channels but the last.
    mean : (K,) ndarray
        Mean of each coordinate.
    covariance : (K, K) ndarray
        Covariance of the coordinates, with enough spread in each direction to be inverted;
        diagonal where the coordinates are taken as independent.
    n_pixels : int
        Pixels that it was taken from: those of the patch that have a colour.
    """

    label: int
    space: ColourSpace
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    n_pixels: int

    @property
    def sigma(self) -> NDArray[np.float64]:
        """Standard deviation of each coordinate."""
        deviation: NDArray[np.float64] = np.sqrt(np.diag(self.covariance))
        return deviation

    @cached_property
    def _whitening(self) -> NDArray[np.float64] | None:
        """Matrix that turns deviations into independent ones of size 1; None if diagonal."""
        if np.array_equal(self.covariance, np.diag(np.diag(self.covariance))):
            return None
        return np.linalg.inv(np.linalg.cholesky(self.covariance))

    def probability(self, coordinates: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return ``exp(-d**2 / 2)``, `d` being the Mahalanobis distance; 1 at the mean.

        Parameters
        ----------
        coordinates : (K, …) ndarray of float
            Coordinates in `space`.

        Returns
        -------
        (…) ndarray of the same type
        """
        number = coordinates.dtype.type
        whitening = self._whitening
        total = np.zeros(coordinates.shape[1:], number)
        if whitening is None:
            for values, mean, sigma in zip(coordinates, self.mean, self.sigma, strict=True):
                total += _squared_deviation(values, mean, sigma)
        else:
            centred = [v - number(m) for v, m in zip(coordinates, self.mean, strict=True)]
            for i, row in enumerate(whitening):
                z = centred[0] * number(row[0])
                for j in range(1, i + 1):
                    z += centred[j] * number(row[j])
                total += np.square(z, out=z)
        return _falling(total)

    def coordinate_probabilities(self, coordinates: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return ``exp(-d**2 / 2)`` for each coordinate by itself, (K, …); see `probability`."""
        out = np.empty_like(coordinates)
        for values, mean, sigma, place in zip(coordinates, self.mean, self.sigma, out, strict=True):
            place[...] = _falling(_squared_deviation(values, mean, sigma))
        return out

    def ellipse(self, n_sigmas: float = 2.0, n_points: int = 64) -> NDArray[np.float64]:
        """Return the outline of the colours at `n_sigmas` from the mean, for drawing.

        Parameters
        ----------
        n_sigmas : float
            Mahalanobis distance of the outline.
        n_points : int
            Points on it.

        Returns
        -------
        (n_points, 2) ndarray
            The first two coordinates; the outline is closed by going back to its first point.
        """
        angles = np.linspace(0, 2 * np.pi, n_points, endpoint=False)
        circle = np.stack([np.cos(angles), np.sin(angles)])
        spread = self.covariance[:2, :2]
        if len(self.mean) < 2:
            raise InputError("An outline of colours needs an image of at least three channels.")
        outline: NDArray[np.float64] = (
            self.mean[:2] + n_sigmas * (np.linalg.cholesky(spread) @ circle).T
        )
        return outline


def fit_colour_gaussians(
    image: Any,
    patch_labels: Any,
    channel_axis: int | None = -1,
    *,
    model: str = "independent",
    min_sigma: float | None = None,
    black_level: float = 0.0,
    saturation_level: float | None = None,
) -> list[ColourGaussian]:
    """Learn the chromaticity of each labelled patch.

    Parameters
    ----------
    image : (…, C[, …]) array_like
        Image of any number of spatial axes and at least two channels. Negative values count as 0.
    patch_labels : ndarray of int or bool
        Labels of the patches, of the image's shape without its channels; below 1 is no patch.
    channel_axis : int
        Axis of the channels.
    model : {'independent', 'joint'}
        'independent': each coordinate has a Gaussian of its own. 'joint': one Gaussian with the
        full covariance, which does not depend on the order of the channels.
    min_sigma : float, optional
        Smallest standard deviation in any direction, so that a patch of one colour still finds
        its like. None: 0.001, or more in images of whole numbers so dark that rounding makes
        more.
    black_level : float
        Pixels whose channels have this mean or less are black; they have no colour and are not
        learnt from.
    saturation_level : float, optional
        Pixels with a channel at this value or above are not learnt from either. None: they are.

    Returns
    -------
    list of ColourGaussian
        One for each label, in ascending order.

    Raises
    ------
    InputError
        If there is no patch, or one has no pixel with a colour, or a parameter is wrong.
    """
    pixels, _ = check_colour_image(image, channel_axis)
    space = _chromaticity_space(pixels.shape[-1], black_level, saturation_level)
    labels, found = check_patches(patch_labels, pixels.shape[:-1])
    return _fit(pixels, labels, found, space, model, min_sigma)


def gaussian_probabilities(
    image: Any, gaussians: Sequence[ColourGaussian], channel_axis: int | None = -1
) -> NDArray[np.floating]:
    """Return how probable each pixel has the colour of each patch.

    Parameters
    ----------
    image : (…, C[, …]) array_like
        The image that the patches were on, a part of it, or another with as many channels.
    gaussians : sequence of ColourGaussian
        From `fit_colour_gaussians`.
    channel_axis : int
        Axis of the channels.

    Returns
    -------
    (K, …) ndarray of float
        For each patch 1 for its mean colour, falling to 0; exactly 0 for pixels without a colour.

    Raises
    ------
    InputError
        If the image has another number of channels than the patches.
    """
    pixels, _ = check_colour_image(image, channel_axis)
    _check_same_channels(pixels.shape[-1], gaussians)
    shape = pixels.shape[:-1]
    out = np.empty((len(gaussians), *shape), result_type(pixels.dtype))

    def work(slab: Slab) -> None:
        coordinates, coloured = gaussians[0].space.coordinates(pixels[slab])
        for gaussian, place in zip(gaussians, out, strict=True):
            place[slab] = gaussian.probability(coordinates)
            if coloured is not None:
                place[slab][~coloured] = 0

    in_slabs(work, shape)
    return out


def class_coordinates(
    image: Any, gaussians: Sequence[ColourGaussian], channel_axis: int | None = -1
) -> NDArray[np.floating]:
    """Return `coordinate_probabilities` of several Gaussians behind each other.

    Parameters
    ----------
    image : (…, C[, …]) array_like
    gaussians : sequence of K ColourGaussian
    channel_axis
        As in `gaussian_probabilities`.

    Returns
    -------
    (K * (C - 1), …) ndarray
    """
    parts = [coordinate_probabilities(image, one, channel_axis) for one in gaussians]
    return np.concatenate(parts)


def coordinate_probabilities(
    image: Any, gaussian: ColourGaussian, channel_axis: int | None = -1
) -> NDArray[np.floating]:
    """Return how probable each coordinate by itself is: (C - 1, …) maps, as for r and for g.

    The product of the maps is the probability of the 'independent' model.

    Parameters
    ----------
    image : (…, C[, …]) array_like
    gaussian : ColourGaussian
    channel_axis
        As in `gaussian_probabilities`.
    """
    pixels, _ = check_colour_image(image, channel_axis)
    _check_same_channels(pixels.shape[-1], [gaussian])
    shape = pixels.shape[:-1]
    out = np.empty((len(gaussian.mean), *shape), result_type(pixels.dtype))

    def work(slab: Slab) -> None:
        coordinates, coloured = gaussian.space.coordinates(pixels[slab])
        place = out[(slice(None), *slab)]
        place[...] = gaussian.coordinate_probabilities(coordinates)
        if coloured is not None:
            place[:, ~coloured] = 0

    in_slabs(work, shape)
    return out


def chromaticity_gaussian(
    image: Any,
    patch_mask: Any,
    channel_axis: int | None = -1,
    *,
    model: str = "independent",
    min_sigma: float | None = None,
    black_level: float = 0.0,
    saturation_level: float | None = None,
) -> NDArray[np.floating]:
    """Return how probable each pixel has the chromaticity of a patch, as a Gaussian says.

    Parameters
    ----------
    image : (…, C[, …]) array_like
        Image of any number of spatial axes and at least two channels. Negative values count as 0.
    patch_mask : ndarray of bool or int
        True (above 0) where the wanted colour is, of the image's shape without its channels.
    channel_axis : int
        Axis of the channels.
    model : {'independent', 'joint'}
        'independent': the product of one Gaussian for each chromaticity (r and g of RGB), as in
        the literature. 'joint': one Gaussian with the full covariance.
    min_sigma : float, optional
        Smallest standard deviation of a chromaticity in any direction. None: 0.001, or more in
        images of whole numbers so dark that rounding makes more.
    black_level : float
        Pixels whose channels have this mean or less are black. They have no colour: they are not
        learnt from, and their probability is 0.
    saturation_level : float, optional
        Pixels with a channel at this value or above are treated in the same way, as the sensor cut
        off their colour; `saturation_level` gives the value of an image. None: the chromaticity
        of the clipped values counts.

    Returns
    -------
    ndarray of float, of the image's shape without its channels
        ``exp(-d**2 / 2)``: 1 for the mean colour of the patch, 0.61 one standard deviation away
        from it, falling to 0. float64 for float64 images, else float32. Never NaN.

    Raises
    ------
    InputError
        If the patch is empty, of another shape or has no pixel with a colour; if the image has
        fewer than two channels or values that are no finite numbers; if a parameter is wrong.
    """
    pixels, _ = check_colour_image(image, channel_axis)
    mask = check_patch(patch_mask, pixels.shape[:-1])
    space = _chromaticity_space(pixels.shape[-1], black_level, saturation_level)
    one = np.array([1], np.int32)
    gaussians = _fit(pixels, mask.view(np.uint8), one, space, model, min_sigma)
    return gaussian_probabilities(pixels, gaussians)[0]


def chromaticity_gaussians(
    image: Any,
    patch_labels: Any,
    channel_axis: int | None = -1,
    *,
    model: str = "independent",
    min_sigma: float | None = None,
    black_level: float = 0.0,
    saturation_level: float | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.floating]]:
    """Return the labels of several patches, and a map of probability for each of them.

    Parameters
    ----------
    image : (…, C[, …]) array_like
    patch_labels : ndarray of int
        A label for each patch, of the image's shape without its channels; below 1 is no patch.
    channel_axis, model, min_sigma, black_level, saturation_level
        As in `chromaticity_gaussian`.

    Returns
    -------
    labels : (K,) ndarray of int32
        Rising.
    maps : (K, …) ndarray of float
        One for each label; `most_probable` makes one labelled image of them.
    """
    gaussians = fit_colour_gaussians(
        image, patch_labels, channel_axis, model=model, min_sigma=min_sigma,
        black_level=black_level, saturation_level=saturation_level,
    )  # fmt: skip
    labels = np.array([gaussian.label for gaussian in gaussians], np.int32)
    maps = gaussian_probabilities(image, gaussians, channel_axis)
    return labels, maps


def _chromaticity_space(
    n_channels: int, black_level: float, saturation_level: float | None
) -> ColourSpace:
    return colour_space("rg", n_channels, range(n_channels - 1), black_level, saturation_level)


def _check_same_channels(n_channels: int, gaussians: Sequence[ColourGaussian]) -> None:
    if not gaussians:
        raise InputError("gaussians are empty; there must be at least one.")
    wanted = len(gaussians[0].mean) + 1
    if n_channels != wanted:
        raise InputError(
            f"image has {n_channels} channels, but the patches were learnt from {wanted}."
        )


def _squared_deviation(
    values: NDArray[np.floating], mean: float, sigma: float
) -> NDArray[np.floating]:
    number = values.dtype.type
    z = values - number(mean)
    z *= number(1 / sigma)
    return np.square(z, out=z)


def _falling(squared_distance: NDArray[np.floating]) -> NDArray[np.floating]:
    squared_distance *= squared_distance.dtype.type(-0.5)
    return np.exp(squared_distance, out=squared_distance)


@dataclass
class _Moments:
    """Number, sum and spread of coordinates, put together piece by piece.

    Beside them the sum of brightness, and whether all colours are whole numbers.
    """

    number: int
    mean: NDArray[np.float64]
    scatter: NDArray[np.float64]
    brightness: float
    rounded: bool

    @classmethod
    def of(cls, coordinates: NDArray[np.floating], colours: NDArray[Any]) -> "_Moments":
        brightness = float(colours.sum(dtype=np.float64))
        rounded = colours.dtype.kind != "f" or bool((colours == np.rint(colours)).all())
        values = coordinates.astype(np.float64)
        mean = values.mean(axis=1)
        values -= mean[:, np.newaxis]
        return cls(values.shape[1], mean, values @ values.T, brightness, rounded)

    def joined(self, other: "_Moments") -> "_Moments":
        """Chan, Golub and LeVeque (1979), Updating formulae and a pairwise algorithm."""
        number = self.number + other.number
        step = other.mean - self.mean
        weight = self.number * other.number / number
        return _Moments(
            number,
            self.mean + step * (other.number / number),
            self.scatter + other.scatter + weight * np.outer(step, step),
            self.brightness + other.brightness,
            self.rounded and other.rounded,
        )


def _fit(
    pixels: NDArray[Any],
    labels: NDArray[np.integer],
    found: NDArray[np.int32],
    space: ColourSpace,
    model: str,
    min_sigma: float | None,
) -> list[ColourGaussian]:
    if model not in GAUSSIAN_MODELS:
        raise InputError(
            f"model must be one of {', '.join(map(repr, GAUSSIAN_MODELS))}; got {model!r}."
        )
    if min_sigma is not None:
        min_sigma = check_number(min_sigma, "min_sigma", allow_zero=False)
    moments: dict[int, list[tuple[int, _Moments]]] = {int(label): [] for label in found}

    def work(slab: Slab) -> None:
        marks = labels[slab]
        for label in moments:
            colours = pixels[slab][marks == label]
            if not len(colours):
                continue
            coordinates, coloured = space.coordinates(colours)
            if coloured is not None:
                coordinates, colours = coordinates[:, coloured], colours[coloured]
            if len(colours):
                part = _Moments.of(coordinates, colours)
                moments[label].append((slab[-1].start or 0, part))

    in_slabs(work, labels.shape)
    return [_gaussian(label, space, parts, model, min_sigma) for label, parts in moments.items()]


def _gaussian(
    label: int,
    space: ColourSpace,
    parts: list[tuple[int, _Moments]],
    model: str,
    min_sigma: float | None,
) -> ColourGaussian:
    if not parts:
        what = "black" if space.saturation_level is None else "black or saturated"
        raise InputError(
            f"patch {label} has only {what} pixels, which have no colour; mark pixels of the "
            "wanted colour."
        )
    # In the order of the image, so that the last bits do not depend on the threads.
    first, *others = (part for _, part in sorted(parts, key=lambda item: item[0]))
    moments = first
    for other in others:
        moments = moments.joined(other)
    if min_sigma is None:
        min_sigma = MIN_SIGMA
        if moments.rounded and moments.brightness > 0:
            min_sigma = max(min_sigma, _ROUNDING * moments.number / moments.brightness)
    covariance = moments.scatter / moments.number
    if model == "independent":
        covariance = np.diag(np.maximum(np.diag(covariance), min_sigma**2))
    else:
        covariance = _with_spread(covariance, min_sigma**2)
    return ColourGaussian(label, space, moments.mean, covariance, moments.number)


def _with_spread(covariance: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    """Return a covariance with no variance below `least` in any direction."""
    variances, directions = np.linalg.eigh(covariance)
    if variances[0] >= least:
        return covariance
    widened: NDArray[np.float64] = (directions * np.maximum(variances, least)) @ directions.T
    return (widened + widened.T) / 2
