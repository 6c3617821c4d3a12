"""Objects that touch cut apart block by block; each block sees its objects whole."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.blocks.block_places import BlockPlace
from napari_seedbed.core.filters.gaussian_derivatives import gaussian_halo
from napari_seedbed.core.regions.region_graphs import numbered
from napari_seedbed.core.regions.splitting import necks_and_seeds
from napari_seedbed.core.regions.watersheds import watershed


def split_halo(longest: Sequence[int], spacing: tuple[float, ...], sigma: float) -> tuple[int, ...]:
    """Return how far, in voxels along each axis, a block must see to see its objects whole.

    Parameters
    ----------
    longest : sequence of int
        Voxels of the longest connected object along each axis.
    spacing, sigma
        As for `split_touching`.
    """
    if not sigma:
        return tuple(longest)
    # Smoothing mixes in the objects beside, which then must be seen whole, too.
    around = gaussian_halo(sigma, spacing, 0)
    return tuple(2 * n + more for n, more in zip(longest, around, strict=True))


def split_codes(
    seen: NDArray[np.integer],
    place: BlockPlace,
    depth: float,
    spacing: tuple[float, ...],
    sigma: float,
) -> NDArray[np.int64]:
    """Cut the objects of a block, without halo, into parts that have the same codes everywhere.

    Parameters
    ----------
    seen : ([Z, ]Y, X) ndarray of int
        Labels, with a halo of `split_halo`.
    place : BlockPlace
    depth, spacing, sigma
        As for `split_touching`.

    Returns
    -------
    ([Z, ]Y, X) ndarray of int64
        One more than the place, in the image's memory, of the first voxel in the middle of each
        part; 0 outside of objects.
    """
    _, territory = numbered(seen)
    away, seeds = necks_and_seeds(territory, depth, spacing, sigma)
    parts = watershed(-away, seeds, territory, spacing=spacing)
    where = np.flatnonzero(seeds)
    codes = np.zeros(int(seeds.max()) + 1, np.int64)
    places = np.stack(np.unravel_index(where[::-1], seeds.shape), axis=1)
    places += [part.start for part in place.seen]
    # Of several values for one place the last stays: the first voxel.
    codes[seeds.ravel()[where[::-1]]] = np.ravel_multi_index(tuple(places.T), place.shape) + 1
    return codes[place.own(parts)]


def code_numbers(codes: NDArray[np.int64], all_codes: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the labels, from 1 on, of parts by their codes; 0 stays.

    Parameters
    ----------
    codes : (…) ndarray of int64
    all_codes : (K,) ndarray of int64
        Those of the image above 0, rising.
    """
    found = np.searchsorted(all_codes, codes) + 1
    return np.where(codes > 0, found, 0).astype(np.int32)


def codes_in(codes: Any) -> NDArray[np.int64]:
    """Return the codes above 0 of a block, rising."""
    found = np.unique(codes)
    return found[found > 0]
