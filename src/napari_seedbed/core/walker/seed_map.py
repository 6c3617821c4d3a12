"""Seeds as the random walker's equations want them."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from napari_seedbed.core.walker.grid_kernels import FREE, OUTSIDE, SEED
from napari_seedbed.errors import InputError

Floats = NDArray[np.float32]
Places = NDArray[np.int64]


class SeedMap:
    """Seeds as the solver wants them.

    Attributes
    ----------
    values : (K,) ndarray
        The labels, ascending.
    n_solutions : int
        How many solutions are looked for: one if there are two labels, else one a label.
    places : (S,) ndarray
        Flat indices of all given voxels: seeds, outside, out of reach.
    state : (Z, Y, X) ndarray of uint8
        FREE, SEED or OUTSIDE.
    outside : (Z, Y, X) ndarray of bool or None
        Voxels that are not part of the problem.
    nowhere : (Z, Y, X) ndarray of bool or None
        Voxels that get no label.
    """

    def __init__(self, labels: NDArray[np.integer], shape: tuple[int, int, int]) -> None:
        flat = labels.reshape(-1)
        places = np.flatnonzero(flat)
        held = flat[places]
        self.values = np.unique(held[held > 0])
        if self.values.size == 0:
            raise InputError(
                "labels holds no seeds: mark at least two regions with two different positive "
                "numbers."
            )
        if self.values.size == 1:
            raise InputError(
                f"labels holds one label only ({self.values[0]}): mark a second region, such as "
                "the background, with another number."
            )
        self.n_solutions = 1 if self.values.size == 2 else int(self.values.size)
        self.outside: NDArray[np.bool_] | None = None
        self.nowhere: NDArray[np.bool_] | None = None
        if held.min() < 0:
            self.outside = (flat < 0).reshape(shape)
            lost = unreached(flat.reshape(shape))
            self.nowhere = self.outside | lost
            places = np.flatnonzero((flat != 0) | lost.reshape(-1))
            held = flat[places]
        self.places: Places = places.astype(np.int64, copy=False)
        self._number = np.where(held > 0, np.searchsorted(self.values, held), -1)
        state = np.full(flat.size, FREE, np.uint8)
        state[places] = np.where(held > 0, SEED, OUTSIDE)
        self.state = state.reshape(shape)

    def given(self, numbers: range) -> Floats:
        """Return what the given voxels hold in each of some solutions: (S, len(numbers))."""
        return (self._number[:, np.newaxis] == np.asarray(numbers)).astype(np.float32)


def unreached(labels: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return the unknown voxels that negative labels cut off from all seeds."""
    part, n_parts = ndi.label(labels >= 0)
    seeded = np.zeros(n_parts + 1, bool)
    seeded[part[labels > 0]] = True
    return ~seeded[part] & (labels == 0)
