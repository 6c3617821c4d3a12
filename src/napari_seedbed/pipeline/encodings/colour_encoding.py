"""Learnt colours as text that people can read and that gives the same voxels again.

Each class begins with its label and a colon, so that line breaks mean nothing. A Gaussian::

    1: mean 0.21 0.34 sigma 0.012 0.009
    2: mean 0.4 0.31 covariance 2e-4 -1e-4 -1e-4 3e-4

A histogram, of which only bins that hold something are written, as place:count::

    1: space rg pair 1 2 bins 64 64 ranges 0 1 0 1 counts 12,21:5 12,22:17
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError

if TYPE_CHECKING:
    from napari_seedbed.core.colour.colour_gaussians import ColourGaussian
    from napari_seedbed.core.colour.colour_histograms import ColourHistogram

_WIDTH = 88
_CLASS = re.compile(r"\d{1,10}:", re.ASCII)
_COUNT = re.compile(r"(\d+(?:,\d+)*):(\d+)", re.ASCII)
_LARGEST_LABEL = int(np.iinfo(np.int32).max)
_MOST_BINS = 1 << 24


@dataclass(frozen=True, eq=False)
class GaussianText:
    """One Gaussian as it is written: its mean (K,) and covariance (K, K)."""

    label: int
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HistogramText:
    """One histogram as it is written; channels are counted from 0."""

    label: int
    space: str
    channels: tuple[int, ...]
    ranges: tuple[tuple[float, float], ...]
    counts: NDArray[np.int64]


def gaussians_as_text(gaussians: "Sequence[ColourGaussian]") -> str:
    """The text of some Gaussians, a line each."""
    lines = []
    for gaussian in gaussians:
        spread = f"sigma {_numbers(gaussian.sigma)}"
        if np.count_nonzero(gaussian.covariance - np.diag(np.diag(gaussian.covariance))):
            spread = f"covariance {_numbers(gaussian.covariance.ravel())}"
        lines.append(f"{gaussian.label}: mean {_numbers(gaussian.mean)} {spread}")
    return "\n".join(lines)


def gaussians_from_text(text: str) -> list[GaussianText]:
    """Gaussians from the text of some, by rising labels; none from an empty text.

    Raises
    ------
    InputError
        For text that is not as `gaussians_as_text` writes it, or no Gaussian.
    """
    found = []
    for label, parts in _classes(text, ("mean", "sigma", "covariance")):
        mean = _floats(parts, "mean", label)
        count = len(mean)
        if not count or ("sigma" in parts) == ("covariance" in parts):
            raise InputError(
                f"class {label} must have a mean, and sigma or covariance; write for example "
                f"'{label}: mean 0.3 0.4 sigma 0.02 0.02'."
            )
        if "sigma" in parts:
            sigma = _floats(parts, "sigma", label, count)
            if not (sigma > 0).all():
                raise InputError(f"sigma of class {label} must be above 0.")
            covariance = np.diag(np.square(sigma))
        else:
            covariance = _floats(parts, "covariance", label, count**2).reshape(count, count)
            _check_covariance(covariance, label)
        found.append(GaussianText(label, mean, covariance))
    if len({len(one.mean) for one in found}) > 1:
        raise InputError("the classes have different numbers of coordinates.")
    return found


def histograms_as_text(histograms: "Mapping[int, ColourHistogram]") -> str:
    """The text of some histograms, by label."""
    texts = []
    for label, histogram in histograms.items():
        bins = histogram.bins
        space = bins.space
        channels = ""
        if space.name in ("rg", "channels"):
            channels = f" pair {' '.join(str(c + 1) for c in space.channels)}"
        places = np.argwhere(histogram.counts > 0)
        counts = " ".join(
            f"{','.join(map(str, place))}:{histogram.counts[tuple(place)]}" for place in places
        )
        text = (
            f"{label}: space {space.name}{channels} bins {' '.join(map(str, bins.shape))} "
            f"ranges {_numbers(np.ravel(bins.ranges))} counts {counts}"
        )
        texts.append(fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False))
    return "\n".join(texts)


def histograms_from_text(text: str) -> list[HistogramText]:
    """Histograms from the text of some, by rising labels; none from an empty text.

    Raises
    ------
    InputError
        For text that is not as `histograms_as_text` writes it.
    """
    found = []
    for label, parts in _classes(text, ("space", "pair", "bins", "ranges", "counts")):
        space = " ".join(parts.get("space", ()))
        shape = tuple(_whole(parts, "bins", label))
        channels = tuple(c - 1 for c in _whole(parts, "pair", label)) or (0, 1)
        if not space or not shape or min(shape) < 1 or math.prod(shape) > _MOST_BINS:
            raise InputError(
                f"class {label} must say its space and its bins, for example 'space rg bins 64 64'."
            )
        ranges = _floats(parts, "ranges", label, 2 * len(shape)).reshape(-1, 2)
        if not (ranges[:, 0] < ranges[:, 1]).all():
            raise InputError(f"ranges of class {label} must go from low to high.")
        counts = _counts(parts.get("counts", []), shape, label)
        pairs = tuple((float(low), float(high)) for low, high in ranges)
        found.append(HistogramText(label, space, channels, pairs, counts))
    heads = {(one.space, one.channels, one.ranges, one.counts.shape) for one in found}
    if len(heads) > 1:
        raise InputError("the classes must have the same space, channels, bins and ranges.")
    return found


def outline_as_text(points: NDArray[np.floating]) -> str:
    """Corners (N, 2) as ``0.2 0.3, 0.25 0.3``."""
    text = ", ".join(_numbers(point) for point in np.asarray(points, float))
    return fill(text, _WIDTH)


def outline_from_text(text: str) -> NDArray[np.float64]:
    """Corners (N, 2) from what `outline_as_text` wrote; none from an empty text.

    Raises
    ------
    InputError
        For what are not three pairs of numbers or more.
    """
    if not text.strip():
        return np.empty((0, 2))
    rows = [part.split() for part in text.split(",")]
    if len(rows) < 3 or any(len(row) != 2 for row in rows):
        raise InputError(
            "write at least three corners, two numbers each, with commas between them: "
            "'0.2 0.3, 0.4 0.3, 0.3 0.5'."
        )
    return np.array([[_float(word, "a corner") for word in row] for row in rows])


def _classes(text: str, keywords: Sequence[str]) -> list[tuple[int, dict[str, list[str]]]]:
    """The words after each keyword, for each label."""
    classes: dict[int, dict[str, list[str]]] = {}
    parts: dict[str, list[str]] | None = None
    words: list[str] | None = None
    for word in text.split():
        if _CLASS.fullmatch(word):
            label = int(word[:-1])
            if not 1 <= label <= _LARGEST_LABEL or label in classes:
                raise InputError(f"label {label} is given twice, or is not above 0.")
            parts, words = {}, None
            classes[label] = parts
        elif parts is None:
            raise InputError(f"{word[:40]!r} is no label; begin with '1:'.")
        elif word in keywords:
            if word in parts:
                raise InputError(f"{word} is given twice.")
            words = parts[word] = []
        elif words is None:
            raise InputError(f"{word[:40]!r} is none of {', '.join(keywords)}.")
        else:
            words.append(word)
    return sorted(classes.items())


def _counts(words: Sequence[str], shape: tuple[int, ...], label: int) -> NDArray[np.int64]:
    counts = np.zeros(shape, np.int64)
    for word in words:
        match = _COUNT.fullmatch(word)
        place = tuple(map(int, match[1].split(","))) if match else ()
        if (
            not match
            or len(place) != len(shape)
            or any(i >= n for i, n in zip(place, shape, strict=True))
            or int(match[2]) > 1 << 53
        ):
            raise InputError(
                f"{word[:40]!r} of class {label} is no place:count of a histogram of "
                f"{' x '.join(map(str, shape))} bins."
            )
        counts[place] = int(match[2])
    if not counts.any():
        raise InputError(f"class {label} counts nothing.")
    return counts


def _check_covariance(covariance: NDArray[np.float64], label: int) -> None:
    if not np.array_equal(covariance, covariance.T):
        raise InputError(f"covariance of class {label} must be symmetric.")
    try:
        np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        raise InputError(
            f"covariance of class {label} must be positive definite: a spread in each direction."
        ) from None


def _floats(
    parts: Mapping[str, Sequence[str]], key: str, label: int, count: int | None = None
) -> NDArray[np.float64]:
    words = parts.get(key, [])
    if count is not None and len(words) != count:
        raise InputError(f"{key} of class {label} must have {count} numbers; got {len(words)}.")
    return np.array([_float(word, f"{key} of class {label}") for word in words])


def _float(word: str, what: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{word[:40]!r} in {what} is not a number.")
    return number


def _whole(parts: Mapping[str, Sequence[str]], key: str, label: int) -> list[int]:
    words = parts.get(key, [])
    if any(not word.isdecimal() or not word.isascii() or len(word) > 9 for word in words):
        raise InputError(f"{key} of class {label} must be whole numbers.")
    return [int(word) for word in words]


def _numbers(values: NDArray[np.floating]) -> str:
    """The shortest text of each that reads back as the same float64."""
    return " ".join(
        repr(value).removesuffix(".0") for value in np.asarray(values, np.float64).tolist()
    )
