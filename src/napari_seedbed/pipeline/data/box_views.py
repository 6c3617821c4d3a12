"""Arrays whose voxels are read box by box: views on parts of them, without reading."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data import memory

Bounds = Sequence[tuple[int, int]]

_NEW = -1
"""Stands for an axis of length 1 that only the view has."""


class BoxView(ABC):
    """An array of which whole numbers, slices with steps of 1 and None give views.

    `numpy.asarray` reads the voxels of a view.

    Parameters
    ----------
    shape : sequence of int
    dtype : dtype
    """

    def __init__(self, shape: Sequence[int], dtype: DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        # along all axes that there are; those of the view are some of these, in any order
        self._bounds: tuple[tuple[int, int], ...] = tuple((0, int(n)) for n in shape)
        self._kept: tuple[int, ...] = tuple(range(len(self._bounds)))

    @abstractmethod
    def _read(self, bounds: Bounds) -> NDArray[Any]:
        """The voxels between bounds along all axes."""

    def _view(self, bounds: Bounds, kept: Sequence[int]) -> Self:
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._bounds, view._kept = tuple(bounds), tuple(kept)
        return view

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of all axes."""
        lengths = [high - low for low, high in self._bounds]
        return tuple(1 if axis == _NEW else lengths[axis] for axis in self._kept)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._kept)

    @property
    def size(self) -> int:
        """Number of voxels."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all voxels, wherever they are."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        """A view, or a number where there is one for each axis."""
        bounds, kept = self._part(index if isinstance(index, tuple) else (index,))
        if not kept:
            return self._read(bounds).astype(self.dtype, copy=False).reshape(())[()]
        return self._view(bounds, kept)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """All voxels.

        Raises
        ------
        InputError
            When they do not fit into memory.
        """
        if copy is False:
            raise ValueError("the voxels have to be copied into an array")
        if self.nbytes > memory.available_memory():
            raise InputError(
                f"voxels: all {' x '.join(map(str, self.shape))} voxels would take "
                f"{memory.bytes_in_words(self.nbytes)}, more than is free; take a part of them."
            )
        found = self._laid_out(self._read(self._bounds))
        return found.astype(self.dtype if dtype is None else dtype, copy=False)

    def astype(self, dtype: DTypeLike) -> Self:
        """The same voxels in another type."""
        view = self._view(self._bounds, self._kept)
        view.dtype = np.dtype(dtype)
        return view

    def transpose(self, axes: Sequence[int]) -> Self:
        """The same voxels with their axes in another order."""
        return self._view(self._bounds, [self._kept[axis] for axis in axes])

    def _laid_out(self, voxels: NDArray[Any]) -> NDArray[Any]:
        """Voxels along all axes as the view has them."""
        gone = tuple(axis for axis in range(len(self._bounds)) if axis not in self._kept)
        rest = sorted(axis for axis in self._kept if axis != _NEW)
        found = voxels.squeeze(gone)
        found = found.transpose([rest.index(axis) for axis in self._kept if axis != _NEW])
        return np.expand_dims(found, [i for i, axis in enumerate(self._kept) if axis == _NEW])

    def _part(self, parts: tuple[Any, ...]) -> tuple[list[tuple[int, int]], list[int]]:
        """Bounds and axes that an index leaves."""
        given = sum(part is not None and part is not Ellipsis for part in parts)
        if given > self.ndim:
            raise IndexError(f"{given} indices for {self.ndim} axes")
        rest = (slice(None),) * (self.ndim - given)
        at = next((i for i, part in enumerate(parts) if part is Ellipsis), len(parts))
        bounds, kept = list(self._bounds), []
        axes = iter(self._kept)
        for part in (*parts[:at], *rest, *parts[at + 1 :]):
            if part is None:
                kept.append(_NEW)
                continue
            axis = next(axes)
            low, high = (0, 1) if axis == _NEW else self._bounds[axis]
            if not isinstance(part, slice):
                place = range(high - low)[int(part)]
                start, stop = place, place + 1
            else:
                start, stop, step = part.indices(high - low)
                if step != 1:
                    raise IndexError(f"slices of {type(self).__name__} have steps of 1")
                kept.append(axis)
            if axis != _NEW:
                bounds[axis] = (low + start, low + max(start, stop))
        return bounds, kept
