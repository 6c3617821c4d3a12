"""What a classifier has learnt from, as text: numbers that are checked, nothing to execute."""

import base64
import binascii
import hashlib
import json
import math
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_seedbed.errors import InputError

if TYPE_CHECKING:
    from napari_seedbed.core.classifier.samples import TrainingSamples

LEARNT = "training"
"""Name of the parameter that holds such a text."""

_WIDTH = 88
_MOST_NUMBERS = 1 << 26
_DAMAGED = "what was learnt is damaged; take an undamaged copy of it, or learn anew from marks."


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
    """The text of some samples: a line of JSON that says what they are, then base64.

    Their bytes are zlib's of the labels, as runs, and of the values, the first byte of each of one
    feature together, then the second ones: alike bytes lie side by side.
    """
    order = np.argsort(samples.labels, kind="stable")
    labels = samples.labels[order]
    classes = {int(v): int(n) for v, n in zip(*np.unique(labels, return_counts=True), strict=True)}
    values = np.ascontiguousarray(samples.values[order].T, "<f4")
    raw = np.ascontiguousarray(values.view(np.uint8).reshape(-1, 4).T).tobytes()
    features = samples.features
    head: dict[str, Any] = {
        "format": 1,
        "ndim": features.ndim,
        "channels": features.n_channels,
        "sigmas": list(features.sigmas),
        "intensities": samples.intensities,
        "classes": classes,
    }
    head["checksum"] = _checksum(head, raw)
    packed = base64.b64encode(zlib.compress(raw, 6)).decode("ascii")
    lines = [packed[i : i + _WIDTH] for i in range(0, len(packed), _WIDTH)]
    return "\n".join([json.dumps(head), *lines])


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
    first, _, body = text.strip().partition("\n")
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
    n_samples = sum(counts)
    numbers = n_samples * features.count
    if not counts or min(counts) < 1 or min(head.classes) < 1 or numbers > _MOST_NUMBERS:
        raise InputError(_DAMAGED)
    raw = _unpacked(body, 4 * numbers)
    if head.checksum != _checksum(head.model_dump(exclude={"checksum"}), raw):
        raise InputError(_DAMAGED)
    values = np.frombuffer(raw, np.uint8).reshape(4, -1).T.copy().view("<f4")
    values = values.reshape(features.count, n_samples).T.astype(np.float32)
    if not np.isfinite(values).all() or not all(0 < sigma < math.inf for sigma in head.sigmas):
        raise InputError(_DAMAGED)
    labels: NDArray[np.int32] = np.repeat(np.array(list(head.classes), np.int32), counts)
    return TrainingSamples(features, head.intensities, values, labels)


def _unpacked(body: str, size: int) -> bytes:
    try:
        packed = base64.b64decode("".join(body.split()), validate=True)
        unpacker = zlib.decompressobj()
        # The limit keeps a forged text from unpacking to more than it declares.
        raw = unpacker.decompress(packed, size)
    except (binascii.Error, zlib.error, ValueError):
        raise InputError(_DAMAGED) from None
    if len(raw) != size or not unpacker.eof:
        raise InputError(_DAMAGED)
    return raw


def _checksum(head: dict[str, Any], raw: bytes) -> str:
    told = json.dumps({**head, "sigmas": list(head["sigmas"])}, sort_keys=True).encode()
    return hashlib.blake2b(told + b"|" + raw, digest_size=16).hexdigest()
