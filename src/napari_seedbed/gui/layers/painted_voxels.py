"""What a stroke of napari's own tools has changed, as its event tells."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Voxels = tuple[NDArray[np.int64], NDArray[np.integer], NDArray[np.integer]]


def painted_voxels(atoms: Sequence[Any], shape: Sequence[int]) -> Voxels:
    """Voxels of a paint event, in the order in which they were written.

    Parameters
    ----------
    atoms : sequence
        ``event.value`` of `Labels.events.paint`. Brush, fill and polygon give masks in a box,
        `data_setitem` gives indices; the polygon and `data_setitem` tell before they write.
    shape : sequence of int
        Of the layer's data.

    Returns
    -------
    indices : (N,) ndarray of int
        Flat; a voxel that was written twice comes twice.
    before, after : (N,) ndarray of int
    """
    parts = [_of_mask(atom) if hasattr(atom, "slice_key") else _of_indices(atom) for atom in atoms]
    if not parts:
        nothing = np.empty(0, np.int64)
        return nothing, nothing, nothing
    indices, before, after = zip(*parts, strict=True)
    flat = [np.ravel_multi_index(places, tuple(shape)) for places in indices]
    return np.concatenate(flat), np.concatenate(before), np.concatenate(after)


def _of_mask(atom: Any) -> tuple[Any, Any, Any]:
    starts = [int(side.start or 0) for side in atom.slice_key]
    old = np.asarray(atom.old_values)
    mask = np.ones(old.shape, bool) if atom.mask is None else np.asarray(atom.mask)
    places = tuple(found + start for found, start in zip(np.nonzero(mask), starts, strict=True))
    before = old.ravel()
    return places, before, np.full(len(before), atom.new_value, before.dtype)


def _of_indices(atom: Any) -> tuple[Any, Any, Any]:
    indices, old, new = atom
    before = np.asarray(old).ravel()
    places = tuple(np.asarray(found, np.int64).ravel() for found in indices)
    return places, before, np.broadcast_to(np.asarray(new, before.dtype), before.shape)
