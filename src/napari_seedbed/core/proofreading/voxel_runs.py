"""Voxels and the labels that they get."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.proofreading.label_edits import LabelEdit, edit_of_voxels
from napari_seedbed.errors import InputError


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
