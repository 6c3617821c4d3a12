"""Voxels and the labels that they get, as a word of text."""

import base64
import binascii
import hashlib
import math
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.proofreading.label_edits import LabelEdit, edit_of_voxels
from napari_seedbed.errors import InputError

_LARGEST = 1 << 40  # voxels; a forged text must not ask for petabytes
_MOST_RUNS = 1 << 28
_DAMAGED = "the runs of voxels are damaged; take an undamaged copy of the recipe."


@dataclass(frozen=True, eq=False)
class VoxelRuns:
    """Labels of some voxels.

    Attributes
    ----------
    shape : tuple of int
        Of the labels.
    runs : (3, R) ndarray of int64
        Voxels skipped since the run before, in the flattened labels; length; label.
    """

    shape: tuple[int, ...]
    runs: NDArray[np.int64]

    @classmethod
    def after(cls, edit: LabelEdit) -> "VoxelRuns":
        """What an edit wrote."""
        starts = edit.starts.astype(np.int64)
        lengths = edit.lengths.astype(np.int64)
        gaps = starts - np.append(0, (starts + lengths)[:-1])
        values = np.broadcast_to(edit.values_after.astype(np.int64), lengths.shape)
        return cls(edit.shape, np.stack([gaps, lengths, values]))

    @classmethod
    def from_text(cls, text: str) -> "VoxelRuns":
        """Read what `str` gave.

        Raises
        ------
        InputError
            Where the text was changed or cut.
        """
        parts = text.split(":")
        try:
            shape = tuple(int(n) for n in parts[0].split("x"))
            count, packed = int(parts[1]), base64.b64decode(parts[2], validate=True)
            size = math.prod(shape)
            if not 0 < count <= min(size, _MOST_RUNS) or min(shape) < 1 or size > _LARGEST:
                raise ValueError
            unpacker = zlib.decompressobj()
            # The limit keeps a forged text from unpacking to more than it declares.
            raw = unpacker.decompress(packed, 24 * count)
            if len(raw) != 24 * count or not unpacker.eof or parts[3] != _checksum(raw, shape):
                raise ValueError
        except (binascii.Error, zlib.error, ValueError, IndexError):
            raise InputError(_DAMAGED) from None
        runs = np.frombuffer(raw, "<i8").reshape(3, count).astype(np.int64)
        gaps, lengths, _ = runs
        if gaps.min() < 0 or lengths.min() < 1 or runs[:2].sum(dtype=float) > size:
            raise InputError(_DAMAGED)
        return cls(shape, runs)

    def __str__(self) -> str:
        raw = self.runs.astype("<i8").tobytes()
        packed = base64.b64encode(zlib.compress(raw, 9)).decode("ascii")
        shape = "x".join(map(str, self.shape))
        return f"{shape}:{self.runs.shape[1]}:{packed}:{_checksum(raw, self.shape)}"

    def edit(self, labels: NDArray[np.integer]) -> LabelEdit:
        """The edit that writes them into labels.

        Raises
        ------
        InputError
            If the labels have another shape, their type does not hold a label, or nothing would
            change.
        """
        if labels.shape != self.shape:
            raise InputError(
                f"voxels are of labels of shape {self.shape}; these have {labels.shape}."
            )
        gaps, lengths, values = self.runs
        limits = np.iinfo(labels.dtype)
        if values.min() < limits.min or values.max() > limits.max:
            raise InputError(
                f"voxels have labels up to {values.max()}; those of type {labels.dtype} end at "
                f"{limits.max}."
            )
        where = np.repeat(np.cumsum(gaps), lengths)
        where += np.arange(len(where))
        before = labels[np.unravel_index(where, labels.shape)]
        after = np.repeat(values, lengths).astype(labels.dtype)
        return edit_of_voxels(where, before, after, "paint", shape=labels.shape)


def _checksum(raw: bytes, shape: tuple[int, ...]) -> str:
    text = "x".join(map(str, shape)).encode()
    return hashlib.blake2b(text + b"|" + raw, digest_size=8).hexdigest()
