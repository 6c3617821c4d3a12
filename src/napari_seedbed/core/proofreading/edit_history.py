"""Undo and redo of edits, within a bound of memory."""

import zlib
from collections import deque

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.proofreading.label_edits import LabelEdit
from napari_seedbed.errors import InputError

MOST_STEPS = 200
MOST_BYTES = 256 << 20
_WORTH_PACKING = 1 << 12
"""Bytes of a step below which packing saves next to nothing."""


class EditHistory:
    """Edits of one label image that can be undone and redone, in order.

    Steps are kept as differences. Where they come near to the bound of memory, they are packed, the
    oldest first, to about a fifth; where that is not enough, or where there are too many, the
    oldest are forgotten. A hundred steps that each move all of 1000 objects of 512 x 512 x 60
    voxels fit.

    Parameters
    ----------
    max_steps : int
        Steps that can be undone and redone together.
    max_bytes : int
        Memory that they take at most.
    """

    def __init__(self, max_steps: int = MOST_STEPS, max_bytes: int = MOST_BYTES) -> None:
        if max_steps < 1 or max_bytes < 1:
            raise InputError(
                f"max_steps is {max_steps} and max_bytes {max_bytes}; both must be at least 1."
            )
        self._max_steps, self._max_bytes = max_steps, max_bytes
        self._done: deque[LabelEdit | _Packed] = deque()
        self._undone: list[LabelEdit | _Packed] = []
        self._bytes = 0

    def __len__(self) -> int:
        """Number of steps that can be undone."""
        return len(self._done)

    @property
    def undo_name(self) -> str | None:
        """What `undo` would take back; None where there is nothing."""
        return self._done[-1].name if self._done else None

    @property
    def redo_name(self) -> str | None:
        """What `redo` would make again; None where there is nothing."""
        return self._undone[-1].name if self._undone else None

    @property
    def nbytes(self) -> int:
        """Memory that all steps take."""
        return self._bytes

    def last_done(self) -> LabelEdit | None:
        """The step that `undo` would take back."""
        return _plain(self._done[-1]) if self._done else None

    def last_undone(self) -> LabelEdit | None:
        """The step that `redo` would make again."""
        return _plain(self._undone[-1]) if self._undone else None

    def push(self, edit: LabelEdit) -> None:
        """Remember an edit that was made; what was undone before can be redone no more."""
        self._bytes -= sum(step.nbytes for step in self._undone)
        self._undone.clear()
        self._done.append(edit)
        self._bytes += edit.nbytes
        while len(self._done) > self._max_steps:
            self._forget()
        if self._bytes > self._max_bytes // 2:
            self._pack()
        while self._bytes > self._max_bytes and len(self._done) > 1:
            self._forget()

    def undo(self, labels: NDArray[np.integer]) -> LabelEdit | None:
        """Take back the last step in place and return it; None where there is nothing."""
        if not self._done:
            return None
        edit = _plain(self._done[-1])
        edit.revert(labels)
        self._undone.append(self._done.pop())
        return edit

    def redo(self, labels: NDArray[np.integer]) -> LabelEdit | None:
        """Make the step that was undone last again in place and return it; None without one."""
        if not self._undone:
            return None
        edit = _plain(self._undone[-1])
        edit.apply(labels)
        self._done.append(self._undone.pop())
        return edit

    def forget_last(self, count: int) -> None:
        """Forget the last steps and all that were undone; somebody else has taken them back."""
        kept = max(len(self._done) - count, 0)
        while len(self._done) > kept:
            self._bytes -= self._done.pop().nbytes
        self._bytes -= sum(step.nbytes for step in self._undone)
        self._undone.clear()

    def clear(self) -> None:
        """Forget all steps, as when other labels have taken the place of those edited."""
        self._done.clear()
        self._undone.clear()
        self._bytes = 0

    def _forget(self) -> None:
        self._bytes -= self._done.popleft().nbytes

    def _pack(self) -> None:
        """Pack the oldest steps until half of the memory is free."""
        for place, step in enumerate(self._done):
            if self._bytes <= self._max_bytes // 2:
                return
            if isinstance(step, _Packed) or step.nbytes < _WORTH_PACKING:
                continue
            packed = _Packed(step)
            self._bytes += packed.nbytes - step.nbytes
            self._done[place] = packed


class _Packed:
    """An edit whose runs are compressed."""

    def __init__(self, edit: LabelEdit) -> None:
        self.name = edit.name
        self._shape = edit.shape
        gaps = np.diff(edit.starts.astype(np.int64), prepend=0).astype(edit.starts.dtype)
        arrays = (gaps, edit.lengths, edit.values_before, edit.values_after)
        self._arrays = [(array.dtype, zlib.compress(array.tobytes(), 1)) for array in arrays]
        self.nbytes = sum(len(packed) for _, packed in self._arrays)

    def unpacked(self) -> LabelEdit:
        gaps, lengths, before, after = (
            np.frombuffer(zlib.decompress(packed), dtype) for dtype, packed in self._arrays
        )
        starts = np.cumsum(gaps, dtype=np.int64).astype(gaps.dtype)
        return LabelEdit(self.name, self._shape, starts, lengths, before, after)


def _plain(step: "LabelEdit | _Packed") -> LabelEdit:
    return step.unpacked() if isinstance(step, _Packed) else step
