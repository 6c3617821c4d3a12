"""Labels that take memory only where something is marked, for images larger than memory."""

import math
import zlib
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_seedbed.core.marks.marked_voxels import marked_labels_of, marked_places
from napari_seedbed.pipeline.data.box_views import Bounds, BoxView
from napari_seedbed.pipeline.data.row_digests import ROW, row_digests

# Voxels: a stroke lies on one plane and is long, so blocks are flat; of int32 one takes 512 KiB.
_BLOCK = (8, 128, 128)

Place: TypeAlias = tuple[int, ...]
Blocks: TypeAlias = dict[Place, NDArray[np.integer]]


class SparseLabels(BoxView):
    """An array of labels, 0 wherever nothing was written, in blocks that are made when needed.

    It is read and written as a NumPy array is, as far as napari's Labels layers do that: whole
    numbers and slices with steps of 1 give a view on the same voxels (`numpy.asarray` of it gives
    these voxels), arrays of indices give the voxels.

    Parameters
    ----------
    shape : sequence of int
    dtype : dtype
        Of whole numbers.
    """

    def __init__(self, shape: Sequence[int], dtype: DTypeLike = np.int32) -> None:
        super().__init__(shape, dtype)
        before = len(self._bounds) - len(_BLOCK)
        self._block = (1,) * max(0, before) + _BLOCK[-len(self._bounds) :]
        # all views share the blocks
        self._blocks: Blocks = {}

    @property
    def block(self) -> tuple[int, ...]:
        """Voxels of a block along each axis."""
        return tuple(self._block[axis] for axis in self._kept)

    @property
    def name(self) -> str:
        """By which the same marks are known again, as lazy arrays are."""
        return f"sparse-labels-{self.digest():08x}"

    @property
    def bytes_in_memory(self) -> int:
        """What its blocks take."""
        return sum(block.nbytes for _, block in self._written())

    # Reading

    def __getitem__(self, index: Any) -> Any:
        """A view for whole numbers and slices; voxels for arrays of indices."""
        parts = index if isinstance(index, tuple) else (index,)
        if _is_fancy(parts, self.ndim):
            return self._at(self._places(parts))
        if any(part is None for part in parts):
            raise IndexError("sparse labels get no further axes")
        return super().__getitem__(parts)

    def copy(self) -> "SparseLabels":
        """The same voxels, which no longer change with these."""
        own = self._view(self._bounds, self._kept)
        own._blocks = {place: block.copy() for place, block in self._written()}
        return own

    def marked_labels(self) -> NDArray[np.int64]:
        """The positive labels that there are, rising."""
        found = [marked_labels_of(voxels) for _, voxels in self.marked_parts()]
        return np.unique(np.concatenate([np.empty(0, np.int64), *found]))

    def marked_places(self) -> tuple[NDArray[np.intp], ...]:
        """Where labels are not 0, as `numpy.nonzero`, but block by block."""
        found: list[list[NDArray[np.intp]]] = [[] for _ in self._kept]
        for corner, voxels in self.marked_parts():
            for along, start, places in zip(found, corner, np.nonzero(voxels), strict=True):
                along.append(places + start)
        nothing = np.empty(0, np.intp)
        return tuple(np.concatenate([nothing, *along]) for along in found)

    def marked_parts(self) -> Iterator[tuple[Place, NDArray[np.integer]]]:
        """The parts that hold marks: their first voxel, and their voxels; all else is 0."""
        for place, block in sorted(self._written()):
            inner = self._inside(place)
            voxels = block[inner]
            if voxels.any():
                starts = [
                    n * size + part.start - low
                    for n, size, part, (low, _) in zip(
                        place, self._block, inner, self._bounds, strict=True
                    )
                ]
                corner = tuple(starts[axis] for axis in self._kept)
                yield corner, self._laid_out(voxels)

    def digest(self, check: int = 0) -> int:
        """A number that changes with the voxels, going on from `check`."""
        check = zlib.crc32(f"{self.shape} {self.dtype}".encode(), check)
        for corner, voxels in self.marked_parts():
            flat = np.ascontiguousarray(voxels).reshape(-1).view(np.uint8)
            whole = flat.size // ROW * ROW
            check = zlib.crc32(repr((corner, voxels.shape)).encode(), check)
            check = zlib.crc32(row_digests(flat[:whole]).tobytes(), check)
            check = zlib.crc32(flat[whole:].tobytes(), check)
        return check

    # Writing

    def __setitem__(self, index: Any, value: Any) -> None:
        """Write a number or an array where the index says."""
        parts = index if isinstance(index, tuple) else (index,)
        if _is_fancy(parts, self.ndim):
            self._put(self._places(parts), value)
            return
        bounds, kept = self._part(parts)
        shape = tuple(bounds[axis][1] - bounds[axis][0] for axis in kept)
        given = np.broadcast_to(np.asarray(value, self.dtype), shape)
        rest = sorted(kept)
        given = given.transpose([kept.index(axis) for axis in rest])
        given = given.reshape([high - low for low, high in bounds])
        for place in self._touched(bounds):
            inner, outer = _common(place, self._block, bounds)
            self._write(place, inner, given[outer])

    def _write(self, place: Place, inner: tuple[Any, ...], values: NDArray) -> None:
        block = self._blocks.get(place)
        has_marks = bool(np.any(values))
        if block is None:
            if not has_marks:
                return
            block = np.zeros(self._block, self.dtype)
        block[inner] = values
        if has_marks or block.any():
            self._blocks[place] = block
        else:
            self._blocks.pop(place, None)

    def _put(self, places: NDArray[np.intp], value: Any) -> None:
        values = np.broadcast_to(np.asarray(value, self.dtype), places.shape[1:]).ravel()
        for place, which, within in self._by_block(places.reshape(len(places), -1)):
            self._write(place, within, values[which])

    # Where things are

    def _places(self, parts: tuple[Any, ...]) -> NDArray[np.intp]:
        """Indices (D, …) along all axes of the blocks."""
        given = np.broadcast_arrays(*(np.asarray(part) for part in parts))
        places = np.empty((len(self._bounds), *given[0].shape), np.intp)
        for axis, (low, _) in enumerate(self._bounds):
            places[axis] = low
        for axis, n, along in zip(self._kept, self.shape, given, strict=True):
            if along.size and not (-n <= along.min() and along.max() < n):
                raise IndexError(f"an index along axis {axis} is outside of its {n} voxels")
            places[axis] += np.where(along < 0, along + n, along)
        return places

    def _at(self, places: NDArray[np.intp]) -> NDArray[np.integer]:
        found = np.zeros(places[0].size, self.dtype)
        for place, which, within in self._by_block(places.reshape(len(places), -1)):
            block = self._blocks.get(place)
            if block is not None:
                found[which] = block[within]
        return found.reshape(places.shape[1:])

    def _by_block(self, places: NDArray[np.intp]) -> Iterator[tuple[Place, Any, Any]]:
        """The blocks that places (D, N) lie in, which of them, and where within."""
        if not places.size:
            return
        size = np.array(self._block)[:, None]
        of_blocks = places // size
        blocks, numbers = np.unique(of_blocks, axis=1, return_inverse=True)
        order = np.argsort(numbers.ravel(), kind="stable")
        ends = np.cumsum(np.bincount(numbers.ravel(), minlength=blocks.shape[1]))
        for place, which in zip(blocks.T, np.split(order, ends[:-1]), strict=True):
            yield tuple(int(n) for n in place), which, tuple((places % size)[:, which])

    def _read(self, bounds: Bounds) -> NDArray[np.integer]:
        found = np.zeros([high - low for low, high in bounds], self.dtype)
        touched = math.prod(
            (high - 1) // n - low // n + 1
            for (low, high), n in zip(bounds, self._block, strict=True)
        )
        # the fewer: what there is, or what was asked for
        places = list(self._blocks) if touched > len(self._blocks) else self._touched(bounds)
        for place in places:
            block = self._blocks.get(place)
            if block is not None:
                inner, outer = _common(place, self._block, bounds)
                found[outer] = block[inner]
        return found

    def _touched(self, bounds: Bounds) -> Iterator[Place]:
        return product(
            *(
                range(low // n, -(-high // n)) if high > low else ()
                for (low, high), n in zip(bounds, self._block, strict=True)
            )
        )

    def _written(self) -> list[tuple[Place, NDArray[np.integer]]]:
        """The blocks of the view that there are; somebody may paint meanwhile."""
        return [
            (place, block)
            for place, block in list(self._blocks.items())
            if all(part.stop > part.start for part in self._inside(place))
        ]

    def _inside(self, place: Place) -> tuple[slice, ...]:
        return _common(place, self._block, self._bounds)[0]

    def __getstate__(self) -> dict[str, Any]:
        """Other processes get the blocks of the view alone."""
        return {**self.__dict__, "_blocks": dict(self._written())}


def labels_in(labels: NDArray[np.integer] | SparseLabels) -> NDArray[np.int64]:
    """The positive labels of an array of either kind, rising."""
    if isinstance(labels, SparseLabels):
        return labels.marked_labels()
    return marked_labels_of(labels)


def places_in(labels: NDArray[np.integer] | SparseLabels) -> tuple[NDArray[np.intp], ...]:
    """Where an array of either kind is not 0, one array an axis."""
    if isinstance(labels, SparseLabels):
        return labels.marked_places()
    return marked_places(labels)


def _common(
    place: Place, size: tuple[int, ...], bounds: Bounds
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """What a block and bounds have in common, in voxels of the block and of the bounds."""
    inner, outer = [], []
    for n, length, (low, high) in zip(place, size, bounds, strict=True):
        begin, end = max(n * length, low), min((n + 1) * length, high)
        end = max(begin, end)
        inner.append(slice(begin - n * length, end - n * length))
        outer.append(slice(begin - low, end - low))
    return tuple(inner), tuple(outer)


def _is_fancy(parts: tuple[Any, ...], ndim: int) -> bool:
    """Whether arrays of whole numbers say the places, one along each axis."""
    arrays = [isinstance(part, np.ndarray | list) for part in parts]
    if not any(arrays):
        return False
    indexes = [np.asarray(part) for part in parts if not isinstance(part, slice)]
    if len(indexes) < ndim or any(one.dtype.kind not in "iu" and one.size for one in indexes):
        raise IndexError("sparse labels take one array of whole numbers for each axis")
    return True
