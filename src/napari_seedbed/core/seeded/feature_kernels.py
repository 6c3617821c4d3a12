"""Kernels over voxels and their features: made, put into bytes, and weighed."""

import math

import numpy as np
from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy")


@_fast
def describe(rows, image, flat, steps, sigma, out):
    """Features of some rows of a smoothed volume.

    Parameters
    ----------
    rows : (R,) ndarray of int64
        Which rows, of those of all planes, one plane after the other.
    image : (Z, Y, X) ndarray of float32
    flat : bool
        The volume is one plane: slopes along z are 0, and there are two curvatures.
    steps : (3,) ndarray of float64
        Voxel size over the finest one.
    sigma : float
        What slopes are multiplied with, and with its square curvatures.
    out : (4 or 5, R, X) ndarray of float32
        The image itself, the magnitude of its gradient, and the eigenvalues of its Hessian, the
        largest first.
    """
    n_z, n_y, n_x = image.shape
    s = np.float32(sigma)
    a_z, a_y, a_x = np.float32(1 / steps[0]), np.float32(1 / steps[1]), np.float32(1 / steps[2])
    half, quarter, third = np.float32(0.5), np.float32(0.25), np.float32(1 / 3)
    one, two, three, root = np.float32(1), np.float32(2), np.float32(3), np.float32(math.sqrt(3))
    for nth in range(len(rows)):
        z, y = rows[nth] // n_y, rows[nth] % n_y
        z0, z1 = max(z - 1, 0), min(z + 1, n_z - 1)
        y0, y1 = max(y - 1, 0), min(y + 1, n_y - 1)
        for x in range(n_x):
            x0, x1 = max(x - 1, 0), min(x + 1, n_x - 1)
            c = image[z, y, x]
            out[0, nth, x] = c
            g_y = (image[z, y1, x] - image[z, y0, x]) * half * a_y
            g_x = (image[z, y, x1] - image[z, y, x0]) * half * a_x
            yy = (image[z, y1, x] - two * c + image[z, y0, x]) * a_y * a_y * s * s
            xx = (image[z, y, x1] - two * c + image[z, y, x0]) * a_x * a_x * s * s
            yx = (
                (image[z, y1, x1] - image[z, y1, x0] - image[z, y0, x1] + image[z, y0, x0])
                * quarter * a_y * a_x * s * s
            )  # fmt: skip
            if flat:
                out[1, nth, x] = s * math.sqrt(g_y * g_y + g_x * g_x)
                middle = (yy + xx) * half
                apart = math.sqrt(yx * yx + (yy - xx) * (yy - xx) * quarter)
                out[2, nth, x] = middle + apart
                out[3, nth, x] = middle - apart
                continue
            g_z = (image[z1, y, x] - image[z0, y, x]) * half * a_z
            out[1, nth, x] = s * math.sqrt(g_z * g_z + g_y * g_y + g_x * g_x)
            zz = (image[z1, y, x] - two * c + image[z0, y, x]) * a_z * a_z * s * s
            zy = (
                (image[z1, y1, x] - image[z1, y0, x] - image[z0, y1, x] + image[z0, y0, x])
                * quarter * a_z * a_y * s * s
            )  # fmt: skip
            zx = (
                (image[z1, y, x1] - image[z1, y, x0] - image[z0, y, x1] + image[z0, y, x0])
                * quarter * a_z * a_x * s * s
            )  # fmt: skip
            # Smith (1961): eigenvalues of a symmetric 3 x 3 matrix in closed form.
            middle = (zz + yy + xx) / three
            p, q, r = zz - middle, yy - middle, xx - middle
            spread = (p * p + q * q + r * r + two * (zy * zy + zx * zx + yx * yx)) * third * half
            # Its third power must not vanish.
            if spread <= np.float32(1e-24):
                out[2, nth, x] = out[3, nth, x] = out[4, nth, x] = middle
                continue
            spread = math.sqrt(spread)
            determinant = p * (q * r - yx * yx) - zy * (zy * r - yx * zx) + zx * (zy * yx - q * zx)
            cosine = determinant * half / (spread * spread * spread)
            angle = math.acos(min(max(cosine, -one), one)) * third
            along, across = math.cos(angle), math.sin(angle)
            first = middle + two * spread * along
            last = middle - spread * (along + root * across)
            out[2, nth, x] = first
            out[3, nth, x] = three * middle - first - last
            out[4, nth, x] = last


@_fast
def add_squared_slopes(start, stop, image, flat, steps, sigma, factor, out):
    """Add the squared magnitude of the gradient, as `describe` gives it, times a factor.

    Parameters
    ----------
    start, stop : int
        Rows of all planes, one plane after the other.
    image : (Z, Y, X) ndarray of float32
    flat, steps, sigma :
        As for `describe`.
    factor : float32
    out : (Z, Y, X) ndarray of float32
    """
    n_z, n_y, n_x = image.shape
    s = np.float32(sigma)
    a_z, a_y, a_x = np.float32(1 / steps[0]), np.float32(1 / steps[1]), np.float32(1 / steps[2])
    half = np.float32(0.5)
    for row in range(start, stop):
        z, y = row // n_y, row % n_y
        z0, z1 = max(z - 1, 0), min(z + 1, n_z - 1)
        y0, y1 = max(y - 1, 0), min(y + 1, n_y - 1)
        for x in range(n_x):
            x0, x1 = max(x - 1, 0), min(x + 1, n_x - 1)
            g_y = (image[z, y1, x] - image[z, y0, x]) * half * a_y
            g_x = (image[z, y, x1] - image[z, y, x0]) * half * a_x
            square = g_y * g_y + g_x * g_x
            if not flat:
                g_z = (image[z1, y, x] - image[z0, y, x]) * half * a_z
                square = g_z * g_z + g_y * g_y + g_x * g_x
            slope = np.float32(s * math.sqrt(square))
            out[z, y, x] += slope * slope * factor


@_fast
def put_bytes(values, low, per_step, first_row, out):
    """Write ``(values - low) * per_step``, rounded, as bytes.

    Parameters
    ----------
    values : (F, R, X) ndarray of float32
    low, per_step : (F,) ndarray of float32
    first_row : int
        Where in `out` the rows begin.
    out : (F, R', X) ndarray of uint8
    """
    n_features, n_rows, n_x = values.shape
    for f in range(n_features):
        for r in range(n_rows):
            row = out[f, first_row + r]
            for x in range(n_x):
                scaled = (values[f, r, x] - low[f]) * per_step[f] + np.float32(0.5)
                row[x] = np.uint8(min(max(scaled, np.float32(0)), np.float32(255)))


@_fast
def average(start, stop, image, factor, out):
    """Write the means over boxes of voxels, for rows of the result.

    Parameters
    ----------
    start, stop : int
        Rows of all planes of the result, one plane after the other.
    image : (Z, Y, X) ndarray of float32
    factor : (3,) ndarray of int64
        Size of the boxes; those at the end may be smaller.
    out : (Z', Y', X') ndarray of float32
    """
    n_z, n_y, n_x = image.shape
    f_z, f_y, f_x = factor
    wide = out.shape[2]
    for row in range(start, stop):
        z, y = row // out.shape[1], row % out.shape[1]
        sums = np.zeros(wide, np.float32)
        z0, z1 = z * f_z, min((z + 1) * f_z, n_z)
        y0, y1 = y * f_y, min((y + 1) * f_y, n_y)
        for dz in range(z0, z1):
            for dy in range(y0, y1):
                for x in range(wide):
                    for dx in range(x * f_x, min((x + 1) * f_x, n_x)):
                        sums[x] += image[dz, dy, dx]
        for x in range(wide):
            count = (z1 - z0) * (y1 - y0) * (min((x + 1) * f_x, n_x) - x * f_x)
            out[z, y, x] = sums[x] / np.float32(count)


@_fast
def _between(place, factor, count):
    """The two places of a coarser grid that a place lies between, and the share of the second."""
    at = (place - (factor - 1) * 0.5) / factor
    at = min(max(at, 0.0), count - 1.0)
    first = int(at)
    return first, min(first + 1, count - 1), np.float32(at - first)


@_fast
def _add_stretched_row(values, factor, z, y, first_x, out):
    """Add a row, interpolated between the four nearest rows of a coarser grid."""
    n_z, n_y, n_x = values.shape
    z0, z1, share_z = _between(z, factor[0], n_z)
    y0, y1, share_y = _between(y, factor[1], n_y)
    one = np.float32(1)
    row = np.empty(n_x, np.float32)
    for x in range(n_x):
        row[x] = (one - share_z) * (
            (one - share_y) * values[z0, y0, x] + share_y * values[z0, y1, x]
        ) + share_z * ((one - share_y) * values[z1, y0, x] + share_y * values[z1, y1, x])
    for x in range(out.size):
        x0, x1, share = _between(first_x + x, factor[2], n_x)
        out[x] += (one - share) * row[x0] + share * row[x1]


@_fast
def stretch(start, stop, values, factor, out):
    """Write a coarser grid's values for rows of a volume, linearly interpolated.

    Parameters
    ----------
    start, stop : int
        Rows of all planes, one plane after the other.
    values : (Z', Y', X') ndarray of float32
    factor : (3,) ndarray of int64
        How many voxels of the volume are one of the grid.
    out : (Z, Y, X) ndarray of float32
    """
    for row in range(start, stop):
        z, y = row // out.shape[1], row % out.shape[1]
        for x in range(out.shape[2]):
            out[z, y, x] = 0
        _add_stretched_row(values, factor, z, y, 0, out[z, y])


@_fast
def pick(values, factor, z, y, x, gain, offset, out):
    """Write ``gain * value + offset`` at some voxels, interpolated on a coarser grid.

    Parameters
    ----------
    values : (F, Z', Y', X') ndarray of uint8
    factor : (3,) ndarray of int64
    z, y, x : (S,) ndarray of int64
    gain, offset : (F,) ndarray of float32
    out : (F, S) ndarray of float32
    """
    n_features, n_z, n_y, n_x = values.shape
    one = np.float32(1)
    for s in range(z.size):
        z0, z1, c = _between(z[s], factor[0], n_z)
        y0, y1, b = _between(y[s], factor[1], n_y)
        x0, x1, a = _between(x[s], factor[2], n_x)
        for f in range(n_features):
            v = values[f]
            near = (one - b) * ((one - a) * v[z0, y0, x0] + a * v[z0, y0, x1]) + b * (
                (one - a) * v[z0, y1, x0] + a * v[z0, y1, x1]
            )
            if c > 0:
                far = (one - b) * ((one - a) * v[z1, y0, x0] + a * v[z1, y0, x1]) + b * (
                    (one - a) * v[z1, y1, x0] + a * v[z1, y1, x1]
                )
                near = (one - c) * near + c * far
            out[f, s] = gain[f] * near + offset[f]


@_fast
def add_up_bytes(values, z, first_y, first_x, low, high, coefficients, scores):
    """Add ``coefficients @ clip(values, low, high)`` for a part of a plane.

    Parameters
    ----------
    values : (F, Z, Y, X) ndarray of uint8
    z, first_y, first_x : int
        Where the part begins.
    low, high : (F,) ndarray of uint8
    coefficients : (C, F) ndarray of float32
    scores : (C, R, X') ndarray of float32
    """
    n_rows, n_x = scores.shape[1:]
    for c in range(len(coefficients)):
        for r in range(n_rows):
            for f in range(len(values)):
                factor = coefficients[c, f]
                row = values[f, z, first_y + r, first_x : first_x + n_x]
                for x in range(n_x):
                    scores[c, r, x] += factor * np.float32(min(max(row[x], low[f]), high[f]))


@_fast
def add_stretched(values, factor, z, first_y, first_x, scores):
    """Add a coarser grid's values (C, Z', Y', X'), interpolated, to rows of a plane (C, R, X)."""
    for c in range(len(scores)):
        for r in range(scores.shape[1]):
            _add_stretched_row(values[c], factor, z, first_y + r, first_x, scores[c, r])


@njit(inline="always")
def _settle(evidence, v, expected, b):
    """Turn powers of the probabilities of a voxel into evidence.

    Inlined: each call would count references to the arrays, six times as much work as this.
    """
    total = together = np.float32(0)
    for c in range(len(evidence)):
        total += evidence[c, v]
        together += evidence[c, v] * expected[c, b]
    for c in range(len(evidence)):
        evidence[c, v] *= total / together


@_fast
def judge(scores, basin, expected, sure, in_doubt, trust, least, doubtful):
    """Turn scores into evidence, and list the voxels where a second opinion is needed first.

    It is where the scores are in doubt and, multiplied with what is expected of the basin, leave
    it open which class is the most probable. Evidence is the probability to the power of the
    trust, over how well it goes with what is expected.

    Parameters
    ----------
    scores : (C, N) ndarray of float32
        Logarithms of probabilities, up to a constant. Evidence afterwards; where voxels are in
        doubt, probabilities.
    basin : (N,) ndarray of int32
        Negative outside.
    expected : (C, B) ndarray of float32
        How probable each class is in each basin.
    sure : (C, B) ndarray of float32
        From which logarithm of its probability on a class is the first, whatever the second opinion
        says.
    in_doubt : (B,) ndarray of bool
        The basins where scores count; elsewhere evidence is 1.
    trust : float
        Exponent of the probabilities.
    least : float
        Probabilities below it count as this.
    doubtful : (N,) ndarray of int64
        Written from the front; how many there are is returned.
    """
    n_classes, count = len(scores), 0
    one = np.float32(1)
    lowest = np.float32(math.log(least))
    weakest = np.float32(math.exp(trust * lowest))
    gap = np.float32(math.log((n_classes - 1) * (1 - least) / least))
    for v in range(basin.size):
        b = basin[v]
        if b < 0 or not in_doubt[b]:
            for c in range(n_classes):
                scores[c, v] = one
            continue
        best, most, second = 0, scores[0, v], np.float32(-np.inf)
        for c in range(1, n_classes):
            if scores[c, v] > most:
                best, most, second = c, scores[c, v], most
            else:
                second = max(second, scores[c, v])
        if most - second >= gap:
            for c in range(n_classes):
                scores[c, v] = one if c == best else weakest
            _settle(scores, v, expected, b)
            continue
        total = one
        for c in range(n_classes):
            if c != best:
                total += np.float32(math.exp(scores[c, v] - most))
        most += np.float32(math.log(total))
        is_sure = False
        for c in range(n_classes):
            scores[c, v] -= most
            is_sure |= scores[c, v] >= sure[c, b]
        if is_sure:
            for c in range(n_classes):
                scores[c, v] = math.exp(trust * max(scores[c, v], lowest))
            _settle(scores, v, expected, b)
        else:
            for c in range(n_classes):
                scores[c, v] = math.exp(scores[c, v])
            doubtful[count] = v
            count += 1
    return count


@_fast
def reconsider(probabilities, basin, expected, trust, least, doubtful, votes):
    """Turn the probabilities of voxels in doubt into evidence, with a second opinion.

    Parameters
    ----------
    probabilities, basin, expected, trust, least :
        As `judge` left and took them.
    doubtful : (D,) ndarray of int64
    votes : (C, D) ndarray of float32
        The second opinion; the mean of both counts.
    """
    for d in range(doubtful.size):
        v = doubtful[d]
        for c in range(len(probabilities)):
            mean = (probabilities[c, v] + votes[c, d]) * np.float32(0.5)
            probabilities[c, v] = max(mean, least) ** trust
        _settle(probabilities, v, expected, basin[v])
