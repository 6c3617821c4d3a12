"""What was learnt, as text: a line of JSON that says what it is, then numbers in base64.

Numbers are checked, nothing is executed.
"""

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_seedbed.errors import InputError

LEARNT = "training"
"""Name of the parameter that holds such a text."""

MOST_NUMBERS = 1 << 26
DAMAGED = "what was learnt is damaged; take an undamaged copy of it, or learn anew from marks."

_WIDTH = 88


def learnt_as_text(head: Mapping[str, Any], values: NDArray[np.float32]) -> str:
    """The text of some numbers (F, N), and of what is said about them.

    Their bytes are zlib's: the first byte of each number together, then the second ones, because
    alike bytes lie side by side then.
    """
    flat = np.ascontiguousarray(values, "<f4").view(np.uint8).reshape(-1, 4)
    raw = np.ascontiguousarray(flat.T).tobytes()
    first = json.dumps({**head, "checksum": _checksum(head, raw)})
    packed = base64.b64encode(zlib.compress(raw, 6)).decode("ascii")
    return "\n".join([first, *(packed[i : i + _WIDTH] for i in range(0, len(packed), _WIDTH))])


class Head(BaseModel):
    """The first line of such a text, whatever was learnt."""

    model_config = ConfigDict(extra="forbid")

    format: int = Field(ge=1)
    ndim: int = Field(ge=2, le=3)
    channels: int = Field(ge=1, le=1000)
    checksum: str


AnyHead = TypeVar("AnyHead", bound=Head)


def split_text(text: str, kind: type[AnyHead], otherwise: str) -> tuple[AnyHead, str]:
    """The first line of a text, and the others.

    Raises
    ------
    InputError
        Saying `otherwise` where the line is not of this kind, and where it is of a later version.
    """
    first, _, body = text.strip().partition("\n")
    try:
        head = kind.model_validate_json(first)
    except ValidationError:
        raise InputError(otherwise) from None
    if head.format > 1:
        raise InputError("it was written by a newer napari-seedbed; update napari-seedbed.")
    return head, body


def values_from_text(
    body: str, head: Mapping[str, Any], checksum: str, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Numbers from what `learnt_as_text` wrote, bit for bit.

    Raises
    ------
    InputError
        Where they are not as many, or text or head were changed or cut.
    """
    numbers = shape[0] * shape[1]
    if not 0 < numbers <= MOST_NUMBERS:
        raise InputError(DAMAGED)
    raw = _unpacked(body, 4 * numbers)
    if checksum != _checksum(head, raw):
        raise InputError(DAMAGED)
    values = np.frombuffer(raw, np.uint8).reshape(4, -1).T.copy().view("<f4")
    if not np.isfinite(values).all():
        raise InputError(DAMAGED)
    return values.reshape(shape).astype(np.float32)


def _unpacked(body: str, size: int) -> bytes:
    try:
        packed = base64.b64decode("".join(body.split()), validate=True)
        unpacker = zlib.decompressobj()
        # The limit keeps a forged text from unpacking to more than it declares.
        raw = unpacker.decompress(packed, size)
    except (binascii.Error, zlib.error, ValueError):
        raise InputError(DAMAGED) from None
    if len(raw) != size or not unpacker.eof:
        raise InputError(DAMAGED)
    return raw


def _checksum(head: Mapping[str, Any], raw: bytes) -> str:
    told = json.dumps(head, sort_keys=True).encode()
    return hashlib.blake2b(told + b"|" + raw, digest_size=16).hexdigest()
