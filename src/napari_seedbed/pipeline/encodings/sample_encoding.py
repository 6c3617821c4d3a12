"""What a classifier has learnt from, as text."""

import math
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.encodings.learnt_text import (
    DAMAGED,
    Head,
    learnt_as_text,
    split_text,
    values_from_text,
)

if TYPE_CHECKING:
    from napari_seedbed.core.classifier.samples import TrainingSamples


class _Head(Head):
    """The first line."""

    sigmas: tuple[float, ...] = Field(min_length=1, max_length=8)
    intensities: str = Field(pattern="^(contrast|absolute)$")
    classes: dict[int, int]


def samples_as_text(samples: "TrainingSamples") -> str:
    """The text of some samples: labels as runs, and values, see `learnt_text`."""
    order = np.argsort(samples.labels, kind="stable")
    labels = samples.labels[order]
    classes = {int(v): int(n) for v, n in zip(*np.unique(labels, return_counts=True), strict=True)}
    features = samples.features
    head: dict[str, Any] = {
        "format": 1,
        "ndim": features.ndim,
        "channels": features.n_channels,
        "sigmas": list(features.sigmas),
        "intensities": samples.intensities,
        "classes": classes,
    }
    return learnt_as_text(head, samples.values[order].T)


def scaled_samples(text: str, factor: float) -> str:
    """The text of the same samples, their scales multiplied: those lengths in another unit."""
    samples = samples_from_text(text)
    if samples is None:
        return text
    finest, *coarser = samples.features.sigmas
    # Twelve digits, as of all lengths that are converted; twice as coarse stays exactly that.
    first = float(f"{finest * factor:.12g}")
    sigmas = (first, *(first * (sigma / finest) for sigma in coarser))
    return samples_as_text(replace(samples, features=replace(samples.features, sigmas=sigmas)))


@lru_cache(maxsize=4)
def samples_from_text(text: str) -> "TrainingSamples | None":
    """Samples from what `samples_as_text` wrote, bit for bit; None from an empty text.

    Raises
    ------
    InputError
        Where the text is something else, or was changed or cut.
    """
    from napari_seedbed.core import TrainingSamples
    from napari_seedbed.core.classifier.features import FeatureSet

    if not text.strip():
        return None
    head, body = split_text(
        text,
        _Head,
        "it is not what a pixel classifier writes; save a recipe of one, or leave it empty.",
    )
    features = FeatureSet(head.sigmas, head.ndim, head.channels)
    counts = list(head.classes.values())
    if not counts or min(counts) < 1 or min(head.classes) < 1:
        raise InputError(DAMAGED)
    told = head.model_dump(exclude={"checksum"})
    values = values_from_text(body, told, head.checksum, (features.count, sum(counts)))
    if not all(0 < sigma < math.inf for sigma in head.sigmas):
        raise InputError(DAMAGED)
    labels: NDArray[np.int32] = np.repeat(np.array(list(head.classes), np.int32), counts)
    return TrainingSamples(features, head.intensities, np.ascontiguousarray(values.T), labels)
