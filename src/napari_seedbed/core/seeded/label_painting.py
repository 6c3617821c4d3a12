"""From walks on basins and the appearance of voxels to a label for each voxel."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.boxes import widened
from napari_seedbed.core.filters.gaussian_derivatives import gaussian_weights
from napari_seedbed.core.progress import check_stop
from napari_seedbed.core.seeded import painting_kernels
from napari_seedbed.core.seeded.basin_graphs import BasinGraph, FaceGraph
from napari_seedbed.core.seeded.evidence import Region, WeighsVoxels
from napari_seedbed.core.seeded.voxel_walks import VoxelPlaces
from napari_seedbed.core.threads import run_ranges, split

Floats = NDArray[np.float32]

SMOOTHING = 1.2
"""Standard deviation of the Gaussian over the probabilities, in the finest voxel size."""

TRUNCATE = 3.0
LEAST = 3e-3
"""Walks less probable than this are left out."""

_ROWS_PER_TASK = 32
_VOXELS_AT_ONCE = 1 << 19
_LEAST_ROWS = 64


@dataclass(frozen=True, eq=False)
class Painting:
    """What a part of a volume was painted with.

    Attributes
    ----------
    winner : ndarray of int32
        Number of the most probable label, -1 where there is none.
    second : ndarray of int32 or None
        Number of the label that would win without it, -1 where there is none.
    total, information : ndarray of float32 or None
        Sum of the probabilities p of all labels, and of ``p log p``.
    each : (K, …) ndarray of float32 or None
        All of them.
    """

    winner: NDArray[np.int32]
    second: NDArray[np.int32] | None = None
    total: Floats | None = None
    information: Floats | None = None
    each: Floats | None = None

    def with_rows(self, n_rows: int) -> "Painting":
        """Room for so many rows along y."""

        def room(array: NDArray[Any]) -> NDArray[Any]:
            return np.empty((*array.shape[:-2], n_rows, array.shape[-1]), array.dtype)

        rooms: list[Any] = [None if own is None else room(own) for own in self._arrays]
        return Painting(*rooms)

    def put(self, first: int, part: "Painting") -> None:
        """Write the rows of a part, from the first on."""
        for whole, own in zip(self._arrays, part._arrays, strict=True):
            if whole is not None:
                whole[..., first : first + own.shape[-2], :] = own

    @property
    def _arrays(self) -> list[Any]:
        return [getattr(self, own.name) for own in fields(self)]


@dataclass(frozen=True, eq=False)
class Claims:
    """Which labels are painted where.

    Attributes
    ----------
    walks : (K, N + 1) ndarray of float32
        How probable each label is in each node that it claims, 0 in others; the last is for -1.
    only : (N + 1,) ndarray of int32
        The label that alone claims a node, one of them where there are more, -1 where none does.
    in_doubt : (N,) ndarray of bool
        Which nodes more than one label claims.
    boxes : list of (low, high)
        For each label, boxes that hold where it is painted.
    """

    walks: Floats
    only: NDArray[np.int32]
    in_doubt: NDArray[np.bool_]
    boxes: list[tuple[NDArray[np.int32], NDArray[np.int32]]]


@dataclass(frozen=True, eq=False)
class Canvas:
    """What labels are painted on.

    Attributes
    ----------
    basin : (Z, Y, X) ndarray of int32
        Number of each voxel's node, -1 outside.
    claims : Claims
    smoothing : list of three (2 * reach + 1,) ndarray of float32
        What is smoothed with along each axis.
    evidence : Evidence or another that weighs voxels, or None
    class_of : (K,) ndarray of int
        Which class of the evidence each label belongs to.
    of_class : (C, N) ndarray of float32
        How probable each class is in each node.
    """

    basin: NDArray[np.int32]
    claims: Claims
    smoothing: list[Floats]
    evidence: WeighsVoxels | None
    class_of: NDArray[np.intp]
    of_class: Floats

    def paint(self, region: Region, *, entropy: bool = False, each: bool = False) -> Painting:
        """Paint a part; parts come out as in the whole. The arguments as of `Painter.paint`."""
        z, y, x = region
        n_rows = y.stop - y.start
        size = (z.stop - z.start) * n_rows * (x.stop - x.start)
        # A few parts, one after the other, need less room, and each a border of its own.
        count = min(-(-size // _VOXELS_AT_ONCE), -(-n_rows // _LEAST_ROWS))
        whole = None
        for first, last in split(n_rows, count):
            rows = slice(y.start + first, y.start + last)
            part = self._part((z, rows, x), entropy=entropy, each=each)
            if count == 1:
                return part
            if whole is None:
                whole = part.with_rows(n_rows)
            whole.put(first, part)
        assert whole is not None
        return whole

    def _part(self, region: Region, *, entropy: bool, each: bool) -> Painting:
        claims = self.claims
        reach = [len(kernel) // 2 for kernel in self.smoothing]
        z, y, x = widened(region, reach, self.basin.shape)
        around = (z, y, x)
        # One type of array, one kernel to compile.
        basin = np.ascontiguousarray(self.basin[around])
        start = np.array([part.start for part in around], np.int32)
        inner = tuple(
            slice(part.start - s, part.stop - s) for part, s in zip(region, start, strict=True)
        )
        nothing = np.empty((0, 0, 0), np.float32)
        evidence = None
        if self.evidence is not None:
            evidence = self.evidence.weigh(around, basin, self.of_class, claims.in_doubt)
        winner = np.empty_like(basin)
        best = np.zeros(basin.shape, np.float32)
        total = np.zeros(basin.shape if entropy else (0, 0, 0), np.float32)
        information, runner_up = np.zeros_like(total), np.zeros_like(total)
        second = np.full(total.shape, -1, np.int32)
        all_of_them = np.zeros((len(claims.walks), *basin.shape), np.float32) if each else None
        smoothing = tuple(self.smoothing)

        def paint_rows(first: int, last: int) -> None:
            winner[:, first:last] = claims.only[basin[:, first:last]]
            for number, (low, high) in enumerate(claims.boxes):
                check_stop()
                painting_kernels.paint_label(
                    first, last, number, low - start, high - start, claims.walks[number], basin,
                    nothing if evidence is None else evidence[self.class_of[number]], smoothing,
                    winner, best, second, runner_up, total, information,
                    nothing if all_of_them is None else all_of_them[number],
                )  # fmt: skip

        rows = split(basin.shape[1], -(-basin.shape[1] // _ROWS_PER_TASK))
        run_ranges(paint_rows, rows)
        return Painting(
            winner[inner],
            second[inner] if entropy else None,
            total[inner] if entropy else None,
            information[inner] if entropy else None,
            None if all_of_them is None else all_of_them[(slice(None), *inner)],
        )


@dataclass(frozen=True, eq=False)
class Painter:
    """Gives voxels the label with the largest product of walk and appearance, smoothed.

    Appearance distinguishes classes, not labels of one: of a class, the most probable labels of a
    basin and of those that touch it are enough to look at. Where that leaves one label, it is the
    winner, whatever it looks like there.

    Attributes
    ----------
    places : BasinGraph or VoxelPlaces
        Which node each voxel belongs to.
    walks : (K, N) ndarray of float32
    steps : (3,) ndarray
        Voxel size, the finest being 1.
    evidence : Evidence or another that weighs voxels, or None
    class_of : (K,) ndarray of int
        Which class of the evidence each label belongs to.
    """

    places: BasinGraph | VoxelPlaces
    walks: Floats
    steps: NDArray[np.float64]
    evidence: WeighsVoxels | None
    class_of: NDArray[np.intp]
    of_class: Floats = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "of_class", sums_of_classes(self.walks, self.class_of))

    def paint(
        self, region: Region | None = None, *, entropy: bool = False, each: bool = False
    ) -> Painting:
        """Paint a part of the volume, or all of it; parts come out as in the whole.

        Parameters
        ----------
        region : tuple of three slice, optional
        entropy, each : bool
            Whether to find the second label and what the entropy needs, and whether to keep all
            labels' probabilities; labels that cannot win are looked at, too, then.
        """
        shape = self.places.basin.shape
        canvas = Canvas(
            self.places.basin,
            claims_of(
                self.places,
                self.walks,
                None if self.evidence is None else self.class_of,
                every=entropy or each,
            ),
            smoothing_kernels(self.steps, shape),
            self.evidence,
            self.class_of,
            self.of_class,
        )
        whole = (slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2]))
        return canvas.paint(region or whole, entropy=entropy, each=each)


def claims_of(
    places: FaceGraph | VoxelPlaces,
    walks: Floats,
    class_of: NDArray[np.intp] | None,
    *,
    every: bool = False,
) -> Claims:
    """Which labels may win in which nodes: `every` one, or only the most probable.

    Parameters
    ----------
    places : FaceGraph or VoxelPlaces
    walks : (K, N) ndarray of float32
    class_of : (K,) ndarray of int or None
        Class of each label; None where there is no evidence.
    every : bool
    """
    claimed = walks > LEAST
    if not isinstance(places, FaceGraph):
        claimed = claimed.any(axis=1, keepdims=True) & (walks.max(axis=0) > 0)
    else:
        near = claimed.copy() if every else np.zeros_like(claimed)
        first, second = places.pair.T
        nodes = np.arange(claimed.shape[1])
        # Without evidence nothing lets the second of all win.
        classes = np.zeros(len(walks), np.intp) if class_of is None else class_of
        for number in range(int(classes.max()) + 1):
            own = np.flatnonzero(classes == number)
            best = own[walks[own].argmax(axis=0)]
            counts = claimed[best, nodes]
            for here, there in ((nodes, nodes), (first, second), (second, first)):
                kept = counts[here]
                near[best[here[kept]], there[kept]] = True
        claimed = near
    in_doubt = np.count_nonzero(claimed, axis=0) > 1
    only = np.where(claimed.any(axis=0), claimed.argmax(axis=0), -1)
    heights = np.zeros((len(claimed), len(only) + 1), np.float32)
    np.maximum(walks, np.float32(LEAST), out=heights[:, :-1], where=claimed)
    boxes = [places.boxes(own if every else own & in_doubt) for own in claimed]
    # The last one is for -1.
    return Claims(heights, np.append(only, -1).astype(np.int32), in_doubt, boxes)


def sums_of_classes(walks: Floats, class_of: NDArray[np.intp]) -> Floats:
    """How probable each class is in each node (C, N), `LEAST` at the least."""
    sums = np.zeros((int(class_of.max()) + 1, walks.shape[1]), np.float32)
    for number, walk in zip(class_of, walks, strict=True):
        sums[number] += walk
    return np.maximum(sums, np.float32(LEAST))


def reaches(steps: NDArray[np.float64], shape: Sequence[int]) -> list[int]:
    """How many voxels the smoothing reaches along each axis of a volume."""
    return [len(kernel) // 2 for kernel in smoothing_kernels(steps, shape)]


def smoothing_kernels(steps: NDArray[np.float64], shape: Sequence[int]) -> list[Floats]:
    """What probabilities are smoothed with along each axis of a volume."""
    return [
        gaussian_weights(SMOOTHING / step if n > 1 else 0.0, truncate=TRUNCATE).astype(np.float32)
        for step, n in zip(steps, shape, strict=True)
    ]
