"""What a classifier has learnt from, as text."""

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.learnt_text import (
    DAMAGED,
    learnt_as_text,
    split_text,
    values_from_text,
)

if TYPE_CHECKING:
    from napari_seedbed.core.classifier.samples import TrainingSamples


class _Head(BaseModel):
    """The first line."""

    model_config = ConfigDict(extra="forbid")

    format: int = Field(ge=1)
    ndim: int = Field(ge=2, le=3)
    channels: int = Field(ge=1, le=1000)
    sigmas: tuple[float, ...] = Field(min_length=1, max_length=8)
    intensities: str = Field(pattern="^(contrast|absolute)$")
    classes: dict[int, int]
    checksum: str


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
    first, body = split_text(text)
    try:
        head = _Head.model_validate_json(first)
    except ValidationError:
        raise InputError(
            "it is not what a pixel classifier writes; save a recipe of one, or leave it empty."
        ) from None
    if head.format > 1:
        raise InputError("it was written by a newer napari-seedbed; update napari-seedbed.")
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
