"""Masks of 64 voxels a machine word, and compiled operations on them.

A mask is (Z, Y, W) with ``W = ceil(X / 64)`` words a row; bit i of word k is voxel 64 k + i, and
bits beyond the end of a row are 0. A 2D mask has one plane. All kernels work on the planes `z0` to
`z1` and write to arrays of their own, so that planes can be worked on side by side.

References
----------
Pablo Márquez-Neila, Luis Baumela, Luis Álvarez, "A morphological approach to curvature-based
evolution of curves and surfaces", IEEE Trans. PAMI 36 (2014) 2-17.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_seedbed.core.threads import run_ranges, split

Bits = NDArray[np.uint64]

_WORDS_PER_TASK = 1 << 13

_fast = njit(nogil=True, cache=True, error_model="numpy")
_inline = njit(nogil=True, error_model="numpy", inline="always")

_0, _1, _63 = np.uint64(0), np.uint64(1), np.uint64(63)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)

# The place of a word's only bit, by multiplication with a de Bruijn sequence.
_SEQUENCE = 0x03F79D71B4CB0A89
_PLACE = np.zeros(64, np.int64)
for _bit in range(64):
    _PLACE[((_SEQUENCE << _bit) & 0xFFFFFFFFFFFFFFFF) >> 58] = _bit
_SEQUENCE_64, _58 = np.uint64(_SEQUENCE), np.uint64(58)


def pack(mask: NDArray[np.bool_]) -> Bits:
    """Pack a (Z, Y, X) mask into words."""
    n_z, n_y, n_x = mask.shape
    n_bytes = 8 * -(-n_x // 64)
    packed = np.zeros((n_z, n_y, n_bytes), np.uint8)
    rows = np.packbits(mask, axis=-1, bitorder="little")
    packed[..., : rows.shape[-1]] = rows
    return packed.view("<u8").astype(np.uint64, copy=False)


def unpack(bits: Bits, n_x: int) -> NDArray[np.int8]:
    """Return the (Z, Y, X) mask as 0 and 1."""
    rows = bits.astype("<u8", copy=False).view(np.uint8)
    return np.unpackbits(rows, axis=-1, count=n_x, bitorder="little").view(np.int8)


def bounds(bits: Bits) -> tuple[slice, slice, slice] | None:
    """Return the smallest box that holds a mask, in voxels; None if the mask is empty."""
    rows = (bits != 0).any(axis=2)
    planes, lines = rows.any(axis=1), rows.any(axis=0)
    if not planes.any():
        return None
    columns = unpack(np.bitwise_or.reduce(bits, axis=(0, 1), keepdims=True), 64 * bits.shape[2])
    z, y, x = (np.flatnonzero(axis)[[0, -1]].tolist() for axis in (planes, lines, columns))
    return slice(z[0], z[1] + 1), slice(y[0], y[1] + 1), slice(x[0], x[1] + 1)


def places(bits: Bits) -> NDArray[np.intp]:
    """Return where a mask is set, as an (N, 3) array of z, y and x in their order."""
    out = np.empty((int(np.bitwise_count(bits).sum(dtype=np.int64)), 3), np.intp)
    _list_places(bits, out)
    return out


def in_planes(
    kernel: Callable[..., Any],
    bits: Bits,
    *args: object,
) -> None:
    """Call ``kernel(z0, z1, bits, *args)`` for ranges of planes, on all cores."""
    planes = split(bits.shape[0], 1 + bits.size // _WORDS_PER_TASK)
    run_ranges(kernel, planes, bits, *args)


def at_once(
    kernel: Callable[..., Any],
    bits: Bits,
    *args: object,
) -> None:
    """Call ``kernel(0, Z, bits, *args)`` in this thread; `in_planes` for masks that are small."""
    kernel(0, bits.shape[0], bits, *args)


def smooth(
    bits: Bits,
    n_x: int,
    smoothings: Iterable[tuple[int, bool]],
    spare: Bits,
    run: Callable[..., None] = in_planes,
) -> None:
    """Smooth a mask in place.

    Parameters
    ----------
    bits : (Z, Y, W) ndarray
        The mask.
    n_x : int
        Length of its rows, in voxels.
    smoothings : iterable of (int, bool)
        How many axes each smoothing regards, 3, or 2 for each plane by itself; and whether
        dilation comes first and erosion then, or the other way.
    spare : (Z, Y, W) ndarray
        Room to work in.
    run : callable
        What runs the kernels: `in_planes` or `at_once`.
    """
    for n_axes, dilate_first in smoothings:
        curve = curve_2d if n_axes == 2 else curve_3d
        first, second = (_0, _ALL) if dilate_first else (_ALL, _0)
        run(curve, bits, n_x, first, spare)
        run(curve, spare, n_x, second, bits)


@_inline
def _word(u, z, y, k, flip):
    """One word, or what lies beyond the border."""
    inside = 0 <= z < u.shape[0] and 0 <= y < u.shape[1] and 0 <= k < u.shape[2]
    return (u[z, y, k] if inside else _0) ^ flip


@_inline
def _triple(u, z, y, k, flip):
    """The word at a place, and it moved by one voxel: what lies before and behind each voxel."""
    here = _word(u, z, y, k, flip)
    before = (here << _1) | (_word(u, z, y, k - 1, flip) >> _63)
    behind = (here >> _1) | (_word(u, z, y, k + 1, flip) << _63)
    return before, here, behind


@_inline
def _uniform(u, z, y, k):
    """Whether a word and all that its voxels touch are 0, or all are 1."""
    n_z, n_y, n_words = u.shape
    here = u[z, y, k]
    if here != _0 and here != _ALL:
        return False
    if here == _ALL and (z == 0 or z + 1 == n_z or y == 0 or y + 1 == n_y):
        return False
    if here == _ALL and (k == 0 or k + 1 == n_words):
        return False
    for plane in range(max(z - 1, 0), min(z + 2, n_z)):
        for row in range(max(y - 1, 0), min(y + 2, n_y)):
            if u[plane, row, k] != here:
                return False
            if k > 0 and (u[plane, row, k - 1] ^ here) >> _63 != _0:
                return False
            if k + 1 < n_words and (u[plane, row, k + 1] ^ here) & _1 != _0:
                return False
    return True


@_inline
def _ends(u, n_x, k):
    """The bits of word k that lie within a row."""
    left = n_x - 64 * k
    return _ALL if left >= 64 else (_1 << np.uint64(left)) - _1


@_fast
def curve_3d(z0, z1, u, n_x, flip, out):
    """Erosion of the dilations of a volume by the nine planes of a 3 x 3 x 3 cube.

    With `flip`, all bits set, it is the dilation of its erosions. Nothing is beyond the border.
    """
    _, n_y, n_words = u.shape
    for z in range(z0, z1):
        for y in range(n_y):
            for k in range(n_words):
                if _uniform(u, z, y, k):
                    # As in most places.
                    out[z, y, k] = u[z, y, k]
                    continue
                l00, c00, r00 = _triple(u, z - 1, y - 1, k, flip)
                l01, c01, r01 = _triple(u, z - 1, y, k, flip)
                l02, c02, r02 = _triple(u, z - 1, y + 1, k, flip)
                l10, c10, r10 = _triple(u, z, y - 1, k, flip)
                l11, c11, r11 = _triple(u, z, y, k, flip)
                l12, c12, r12 = _triple(u, z, y + 1, k, flip)
                l20, c20, r20 = _triple(u, z + 1, y - 1, k, flip)
                l21, c21, r21 = _triple(u, z + 1, y, k, flip)
                l22, c22, r22 = _triple(u, z + 1, y + 1, k, flip)
                middle = l11 | c11 | r11
                # Across each axis.
                result = c00 | c01 | c02 | c10 | c11 | c12 | c20 | c21 | c22
                result &= l01 | c01 | r01 | middle | l21 | c21 | r21
                result &= l10 | c10 | r10 | middle | l12 | c12 | r12
                # Along both diagonals of y and x, of z and x, of z and y.
                result &= l00 | l10 | l20 | c01 | c11 | c21 | r02 | r12 | r22
                result &= r00 | r10 | r20 | c01 | c11 | c21 | l02 | l12 | l22
                result &= l00 | l01 | l02 | c10 | c11 | c12 | r20 | r21 | r22
                result &= r00 | r01 | r02 | c10 | c11 | c12 | l20 | l21 | l22
                result &= l00 | c00 | r00 | middle | l22 | c22 | r22
                result &= l02 | c02 | r02 | middle | l20 | c20 | r20
                out[z, y, k] = (result ^ flip) & _ends(u, n_x, k)


@_fast
def curve_2d(z0, z1, u, n_x, flip, out):
    """The same in each plane, by the four lines of a 3 x 3 square."""
    _, n_y, n_words = u.shape
    for z in range(z0, z1):
        for y in range(n_y):
            for k in range(n_words):
                l0, c0, r0 = _triple(u, z, y - 1, k, flip)
                l1, c1, r1 = _triple(u, z, y, k, flip)
                l2, c2, r2 = _triple(u, z, y + 1, k, flip)
                result = (l0 | c1 | r2) & (c0 | c1 | c2) & (l2 | c1 | r0) & (l1 | c1 | r1)
                out[z, y, k] = (result ^ flip) & _ends(u, n_x, k)


@_fast
def grow(z0, z1, u, n_x, flip, where, reach_z, reach_y, out):
    """Dilation by a box (a rectangle in 2D), where the mask `where` allows it.

    The box reaches one voxel to both sides along x, and 1 or 0 voxels along y and z. With `flip`,
    all bits set, it is an erosion. Nothing is beyond the border.
    """
    n_z, n_y, n_words = u.shape
    if n_z == 1:
        reach_z = 0
    for z in range(z0, z1):
        for y in range(n_y):
            for k in range(n_words):
                total = _0
                for plane in range(z - reach_z, z + reach_z + 1):
                    for row in range(y - reach_y, y + reach_y + 1):
                        before, here, behind = _triple(u, plane, row, k, flip)
                        total |= before | here | behind
                total = (total ^ flip) & _ends(u, n_x, k)
                out[z, y, k] = (total & where[z, y, k]) | (u[z, y, k] & ~where[z, y, k])


@_inline
def _neighbours(u, n_x, z, y, k):
    """The words before and behind a word along z, y and x, the word itself beyond the border."""
    n_z, n_y, n_words = u.shape
    here = u[z, y, k]
    z_before = u[z - 1, y, k] if z > 0 else here
    z_behind = u[z + 1, y, k] if z + 1 < n_z else here
    y_before = u[z, y - 1, k] if y > 0 else here
    y_behind = u[z, y + 1, k] if y + 1 < n_y else here
    before = u[z, y, k - 1] >> _63 if k > 0 else here & _1
    x_before = (here << _1) | before
    x_behind = here >> _1
    if k + 1 < n_words:
        x_behind |= u[z, y, k + 1] << _63
    else:
        last = np.uint64(n_x - 1 - 64 * k)
        x_behind |= here & (_1 << last)
    return z_before, z_behind, y_before, y_behind, x_before, x_behind


@_inline
def _first(bits):
    """The lowest bit of a word that is not 0, and its place."""
    low = bits & (~bits + _1)
    return low, _PLACE[(low * _SEQUENCE_64) >> _58]


@_fast
def _list_places(bits, out):
    """Write down where bits are set."""
    n = 0
    for z in range(bits.shape[0]):
        for y in range(bits.shape[1]):
            for k in range(bits.shape[2]):
                left = bits[z, y, k]
                while left != _0:
                    bit, place = _first(left)
                    left ^= bit
                    out[n, 0], out[n, 1], out[n, 2] = z, y, 64 * k + place
                    n += 1


@_fast
def attach_to_regions(z0, z1, u, n_x, image, inner, outer, lambda1, lambda2, margin, out, unsure):
    """Let each voxel of the front join the side whose mean it is closer to.

    `image` is (C, Z, Y, X), `inner` and `outer` hold the means of each channel. The arithmetic is
    that of their type. `unsure[z]` becomes 1 where the choice is closer than `margin` times the
    differences, so that rounding of the means may matter.
    """
    n_c = image.shape[0]
    for z in range(z0, z1):
        unsure[z] = 0
        for y in range(u.shape[1]):
            for k in range(u.shape[2]):
                zb, za, yb, ya, xb, xa = _neighbours(u, n_x, z, y, k)
                word = u[z, y, k]
                front = (zb ^ za) | (yb ^ ya) | (xb ^ xa)
                front &= _ends(u, n_x, k)
                while front != _0:
                    bit, place = _first(front)
                    front ^= bit
                    x = 64 * k + place
                    cost = size = lambda1 * 0
                    for c in range(n_c):
                        to_inner = image[c, z, y, x] - inner[c]
                        to_outer = image[c, z, y, x] - outer[c]
                        cost += lambda1 * (to_inner * to_inner) - lambda2 * (to_outer * to_outer)
                        size += lambda1 * abs(to_inner) + lambda2 * abs(to_outer)
                    if abs(cost) <= margin * size:
                        unsure[z] = 1
                    if cost < 0:
                        word |= bit
                    elif cost > 0:
                        word &= ~bit
                out[z, y, k] = word


@_fast
def attach_to_edges(z0, z1, u, n_x, image, half, weights, out):
    """Let each voxel of the front move down the slope of the image (Z, Y, X).

    The arithmetic is that of the image's type, which `half` has as well. `weights` say what the
    slope along z, y and x counts.
    """
    n_z, n_y, n_words = u.shape
    push = np.empty(1, image.dtype)
    one = half + half
    for z in range(z0, z1):
        up, down = max(z - 1, 0), min(z + 1, n_z - 1)
        for y in range(n_y):
            front_y, back_y = max(y - 1, 0), min(y + 1, n_y - 1)
            for k in range(n_words):
                zb, za, yb, ya, xb, xa = _neighbours(u, n_x, z, y, k)
                word = u[z, y, k]
                front = (zb ^ za) | (yb ^ ya) | (xb ^ xa)
                front &= _ends(u, n_x, k)
                while front != _0:
                    bit, place = _first(front)
                    front ^= bit
                    x = 64 * k + place
                    left, right = max(x - 1, 0), min(x + 1, n_x - 1)
                    push[0] = 0
                    # Between two neighbours half the difference; at a border, all of it.
                    share = half if down - up == 2 else one
                    slope = (image[down, y, x] - image[up, y, x]) * share
                    rise = _rise(zb, za, bit, share) * weights[0]
                    push[0] = push[0] + np.float64(slope) * rise
                    share = half if back_y - front_y == 2 else one
                    slope = (image[z, back_y, x] - image[z, front_y, x]) * share
                    rise = _rise(yb, ya, bit, share) * weights[1]
                    push[0] = push[0] + np.float64(slope) * rise
                    share = half if right - left == 2 else one
                    slope = (image[z, y, right] - image[z, y, left]) * share
                    rise = _rise(xb, xa, bit, share) * weights[2]
                    push[0] = push[0] + np.float64(slope) * rise
                    if push[0] > 0:
                        word |= bit
                    elif push[0] < 0:
                        word &= ~bit
                out[z, y, k] = word


@_inline
def _rise(before, behind, bit, share):
    """Derivative of the mask along an axis."""
    difference = np.float64((behind & bit) != _0) - np.float64((before & bit) != _0)
    return difference * np.float64(share)


@_fast
def add_changes(z0, z1, old, new, image, totals, counts):
    """Add up what changed: `totals[z, c]` the image where bits were set less where they were
    cleared, `counts[z, 0 and 1]` the number of bits set and of bits cleared."""
    n_c = image.shape[0]
    for z in range(z0, z1):
        totals[z] = 0
        counts[z] = 0
        for y in range(old.shape[1]):
            for k in range(old.shape[2]):
                changed = old[z, y, k] ^ new[z, y, k]
                while changed != _0:
                    bit, place = _first(changed)
                    changed ^= bit
                    is_set = (new[z, y, k] & bit) != _0
                    counts[z, 0 if is_set else 1] += 1
                    for c in range(n_c):
                        value = np.float64(image[c, z, y, 64 * k + place])
                        totals[z, c] += value if is_set else -value
