"""When a mask is smoothed along which axes, and pushed along which, if its voxels are not cubes.

A smoothing of a binary mask with a cube of 3 x 3 x 3 voxels moves its surface by its curvature,
counted in voxels. Where voxels are h long, one smoothing stands for a time in proportion to h^2
[1]_, [2]_. So an axis with coarse voxels must be smoothed along correspondingly less often.

References
----------
.. [1] Pablo Márquez-Neila, Luis Baumela, Luis Álvarez, "A morphological approach to
   curvature-based evolution of curves and surfaces", IEEE Trans. PAMI 36 (2014) 2-17.
.. [2] Barry Merriman, James Bence, Stanley Osher, "Motion of multiple junctions: a level set
   approach", Journal of Computational Physics 112 (1994) 334-363.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.validation import check_spacing

# A ratio of spacings that rounding has put just below a half is a half.
_ROUNDING = 1e-6
# Voxels longer than this many others are as good as infinitely long.
_LONGEST = 1e6


class Smoothing(NamedTuple):
    """One smoothing: along how many axes (3, or 2 in each plane), and which operator is first."""

    n_axes: int
    dilate_first: bool


class Turn(NamedTuple):
    """What one iteration does: its smoothings, and by how many voxels a balloon moves."""

    smoothings: tuple[Smoothing, ...]
    reach_z: int
    reach_y: int


@dataclass(frozen=True)
class SmoothingSchedule:
    """What the iterations of a snake do, in turn.

    Attributes
    ----------
    order : tuple of int
        The axes of the image from the coarsest to the finest, as they are unless spacings differ.
        All that follows is in this order, for three axes; an image of two has one plane.
    n_axes : int
        Number of axes.
    pair, all_axes : int
        In how many smoothings the two finest axes are due, and in how many of these all axes.
    strides : tuple of 3 ints
        In how many iterations a balloon moves once along each axis.
    weights : tuple of 3 floats
        The square of the smallest spacing over that of each axis: what a product of two slopes in
        voxels is worth.
    """

    order: tuple[int, ...]
    n_axes: int
    pair: int
    all_axes: int
    strides: tuple[int, int, int]
    weights: tuple[float, float, float]

    def smoothing(self, number: int) -> Smoothing | None:
        """Return the smoothing of a number, from 1 on; None if there is nothing to smooth."""
        if number % self.pair:
            return None
        number //= self.pair
        n_all = number // self.all_axes
        # Each kind has its own turns, so that either operator is first in it.
        if number % self.all_axes == 0:
            return Smoothing(self.n_axes, n_all % 2 == 1)
        return Smoothing(2, (number - n_all) % 2 == 1)

    def turn(self, iteration: int, count: int) -> Turn:
        """Return what an iteration (from 1 on) does if masks are smoothed `count` times in it."""
        first = (iteration - 1) * count + 1
        due = (self.smoothing(number) for number in range(first, first + count))
        reach = (int(iteration % stride == 0) for stride in self.strides[:2])
        return Turn(tuple(smoothing for smoothing in due if smoothing is not None), *reach)

    def period(self, count: int, *, has_balloon: bool) -> int:
        """Return after how many iterations, 2 or more, everything comes again.

        When nothing has changed for so long, nothing will.
        """
        cycle = 2 * self.pair * self.all_axes
        period = cycle // math.gcd(cycle, count)
        return max(2, math.lcm(period, *self.strides) if has_balloon else period)

    def sort_axes(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return an array whose last axes are those of the image with these in `order`."""
        return self._moved(array, self.order)

    def restore_axes(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return an array whose last axes are in `order` with these as in the image."""
        return self._moved(array, sorted(range(len(self.order)), key=self.order.__getitem__))

    def _moved(self, array: NDArray[Any], axes: Sequence[int]) -> NDArray[Any]:
        if list(axes) == sorted(axes):
            return array
        before = array.ndim - len(axes)
        moved = array.transpose(*range(before), *(before + axis for axis in axes))
        return np.ascontiguousarray(moved)


def smoothing_schedule(spacing: float | Sequence[float] | None, n_axes: int) -> SmoothingSchedule:
    """Return when a mask is smoothed and pushed along which axes.

    Parameters
    ----------
    spacing : sequence of float, optional
        Voxel size along each axis; only its ratios matter. Cubes when None.
    n_axes : {2, 3}
        Number of axes.

    Returns
    -------
    SmoothingSchedule
        The finest axis is due in all smoothings, one with voxels h times as long in one of h^2, to
        the nearest whole number, and the coarsest never without the middle one. Where fewer than
        two axes are due there is nothing to smooth. The smoothings of three axes, and those of
        two, each alternate between dilation and erosion first.

    Raises
    ------
    InputError
        If the spacing is not one positive number for each axis.
    """
    lengths = check_spacing(spacing, n_axes)
    order = tuple(sorted(range(n_axes), key=lambda axis: -lengths[axis]))
    ratios = [min(lengths[axis] / min(lengths), _LONGEST) for axis in order]
    # An image of two axes is a single plane.
    z, y, x = (1.0, *ratios)[-3:]
    return SmoothingSchedule(
        order,
        n_axes,
        _nearest(ratios[-2] ** 2),
        _nearest((ratios[0] / ratios[-2]) ** 2),
        (_nearest(z), _nearest(y), _nearest(x)),
        (1 / z**2, 1 / y**2, 1 / x**2),
    )


def _nearest(ratio: float) -> int:
    return math.floor(ratio + 0.5 + _ROUNDING)
