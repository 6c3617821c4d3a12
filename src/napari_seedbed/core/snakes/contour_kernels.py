"""Compiled parts of the active contours: image energy, its spline, and steps of one contour.

The spline is the quadratic tensor spline through all pixel centres whose knots lie halfway between
them, save the outermost two of each axis (Dierckx' choice, thus SciPy's): n pixels along an axis
give n coefficients, and a point feels three by three of them.

Points are (2, N): rows, then columns, both counted in the smallest voxel size.
"""

import math

import numpy as np
from numba import njit

FIXED, FREE, JOINED = 0, 1, 2
"""What an end of a contour is; a closed contour has its ends joined."""

RUNNING, CONVERGED, SHRUNK = 0, 1, 2

MEMORY = 10
"""So many earlier states are looked at, since contours may swing to and fro."""

_compiled = njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")
_inline = njit(nogil=True, fastmath={"contract"}, error_model="numpy", inline="always")


@_compiled
def add_energy(start, stop, channel, w_line, w_edge, row_size, column_size, energy):
    """Add the weighted grey values and Sobel edges of a channel to the rows `start` to `stop`."""
    n_rows, n_columns = channel.shape
    for r in range(start, stop):
        above, below = max(r - 1, 0), min(r + 1, n_rows - 1)
        for c in range(n_columns):
            left, right = max(c - 1, 0), min(c + 1, n_columns - 1)
            energy[r, c] += w_line * channel[r, c]
            if w_edge != 0:
                down = (
                    (channel[below, left] - channel[above, left])
                    + 2 * (channel[below, c] - channel[above, c])
                    + (channel[below, right] - channel[above, right])
                ) / (4 * row_size)
                across = (
                    (channel[above, right] - channel[above, left])
                    + 2 * (channel[r, right] - channel[r, left])
                    + (channel[below, right] - channel[below, left])
                ) / (4 * column_size)
                energy[r, c] += w_edge * math.sqrt((down * down + across * across) / 2)


@_inline
def _weights(x, n):
    """First of three coefficients, and their weights for the value and the slope at `x`."""
    k = min(int(x - 0.5), n - 3)
    if 2 <= k <= n - 5:
        right = x - (k + 0.5)
        left = 1 - right
        first, last = 0.5 * left * left, 0.5 * right * right
        d_first, d_last = -left, right
    else:
        low = 0.0 if k == 0 else k + 0.5
        high = n - 1.0 if k == n - 3 else k + 1.5
        before = 0.0 if k <= 1 else k - 0.5
        after = n - 1.0 if k >= n - 4 else k + 2.5
        left, right = (high - x) / (high - low), (x - low) / (high - low)
        first = left * (high - x) / (high - before)
        last = right * (x - low) / (after - low)
        d_first, d_last = -2 * left / (high - before), 2 * right / (after - low)
    return k, first, 1 - first - last, last, d_first, -d_first - d_last, d_last


@_compiled
def spline_sweeps(n):
    """Return the three columns by which a line of `n` values becomes coefficients.

    The system is tridiagonal and diagonally dominant. Columns: factor of the way there, factor of
    the way back, and the inverse pivot.
    """
    sweeps = np.zeros((n, 3))
    for i in range(n):
        lower, middle, upper = 0.0, 1.0, 0.0
        if 0 < i < n - 1:
            _, lower, middle, upper, _, _, _ = _weights(float(i), n)
        if i > 0:
            sweeps[i, 0] = lower * sweeps[i - 1, 2]
            middle -= sweeps[i, 0] * sweeps[i - 1, 1]
        sweeps[i, 1] = upper
        sweeps[i, 2] = 1 / middle
    return sweeps


@_compiled
def fit_columns(start, stop, values, sweeps):
    """Turn values into spline coefficients along the rows' axis, in place."""
    n = values.shape[0]
    for r in range(1, n):
        for c in range(start, stop):
            values[r, c] -= sweeps[r, 0] * values[r - 1, c]
    for c in range(start, stop):
        values[n - 1, c] *= sweeps[n - 1, 2]
    for r in range(n - 2, -1, -1):
        for c in range(start, stop):
            values[r, c] = (values[r, c] - sweeps[r, 1] * values[r + 1, c]) * sweeps[r, 2]


@_compiled
def fit_rows(start, stop, values, sweeps):
    """Turn values into spline coefficients along the columns' axis, in place."""
    n = values.shape[1]
    for r in range(start, stop):
        row = values[r]
        for c in range(1, n):
            row[c] -= sweeps[c, 0] * row[c - 1]
        row[n - 1] *= sweeps[n - 1, 2]
        for c in range(n - 2, -1, -1):
            row[c] = (row[c] - sweeps[c, 1] * row[c + 1]) * sweeps[c, 2]


@_inline
def _slopes(coefficients, row, column):
    """Slope of the spline along both axes; beyond the image, that of the nearest border point."""
    n_rows, n_columns = coefficients.shape
    row = min(max(row, 0.0), n_rows - 1.0)
    column = min(max(column, 0.0), n_columns - 1.0)
    r, u0, u1, u2, du0, du1, du2 = _weights(row, n_rows)
    c, v0, v1, v2, dv0, dv1, dv2 = _weights(column, n_columns)
    a0, a1, a2 = coefficients[r, c], coefficients[r, c + 1], coefficients[r, c + 2]
    b0, b1, b2 = coefficients[r + 1, c], coefficients[r + 1, c + 1], coefficients[r + 1, c + 2]
    d0, d1, d2 = coefficients[r + 2, c], coefficients[r + 2, c + 1], coefficients[r + 2, c + 2]
    down = (
        du0 * (v0 * a0 + v1 * a1 + v2 * a2)
        + du1 * (v0 * b0 + v1 * b1 + v2 * b2)
        + du2 * (v0 * d0 + v1 * d1 + v2 * d2)
    )
    across = (
        u0 * (dv0 * a0 + dv1 * a1 + dv2 * a2)
        + u1 * (dv0 * b0 + dv1 * b1 + dv2 * b2)
        + u2 * (dv0 * d0 + dv1 * d1 + dv2 * d2)
    )
    return down, across


@_compiled
def slopes(coefficients, points):
    """Slope of the spline along both axes at (2, N) points in pixels."""
    out = np.empty_like(points)
    for i in range(points.shape[1]):
        out[0, i], out[1, i] = _slopes(coefficients, points[0, i], points[1, i])
    return out


@_compiled
def factorise_band(band):
    """Factorise a matrix with two diagonals to either side, swapping rows for stability.

    `band[i]` is row i from column i - 2 to column i + 2. Returns the factors of the way down
    (M, 2), the scaled rows of the way up (M, 5), and how far down each row was swapped (M,).
    """
    m = band.shape[0]
    rows = np.zeros((m, 7))
    rows[:, :5] = band
    lower, upper, swaps = np.zeros((m, 2)), np.zeros((m, 5)), np.zeros(m, np.int64)
    for j in range(m):
        last = min(j + 2, m - 1)
        pivot = j
        for i in range(j + 1, last + 1):
            if abs(rows[i, j - i + 2]) > abs(rows[pivot, j - pivot + 2]):
                pivot = i
        swaps[j] = pivot - j
        if pivot != j:
            for c in range(j, j + 5):
                kept = rows[j, c - j + 2]
                rows[j, c - j + 2] = rows[pivot, c - pivot + 2]
                rows[pivot, c - pivot + 2] = kept
        scale = 1 / rows[j, 2]
        for i in range(j + 1, last + 1):
            factor = rows[i, j - i + 2] * scale
            lower[j, i - j - 1] = factor
            for c in range(j, j + 5):
                if c - i + 2 < 7:
                    rows[i, c - i + 2] -= factor * rows[j, c - j + 2]
        upper[j, 0] = scale
        for k in range(1, 5):
            upper[j, k] = rows[j, k + 2] * scale
    return lower, upper, swaps


@_inline
def _solve(b, lower, upper, swaps, swapped):
    """Solve the band for both rows of `b`, which is four places longer than the band."""
    m = lower.shape[0]
    first, second = b[0], b[1]
    for j in range(m - 1):
        if swapped and swaps[j] != 0:
            p = j + swaps[j]
            first[j], first[p] = first[p], first[j]
            second[j], second[p] = second[p], second[j]
        first[j + 1] -= lower[j, 0] * first[j]
        second[j + 1] -= lower[j, 0] * second[j]
        first[j + 2] -= lower[j, 1] * first[j]
        second[j + 2] -= lower[j, 1] * second[j]
    for j in range(m - 1, -1, -1):
        x, y = first[j] * upper[j, 0], second[j] * upper[j, 0]
        if swapped:
            x -= upper[j, 4] * first[j + 4] + upper[j, 3] * first[j + 3]
            y -= upper[j, 4] * second[j + 4] + upper[j, 3] * second[j + 3]
        x -= upper[j, 2] * first[j + 2]
        y -= upper[j, 2] * second[j + 2]
        first[j] = x - upper[j, 1] * first[j + 1]
        second[j] = y - upper[j, 1] * second[j + 1]


@_compiled
def solve_band(b, lower, upper, swaps):
    """Solve the factorised band for both rows of `b` (2, M + 4), in place."""
    _solve(b, lower, upper, swaps, True)


@_inline
def _push(b, q, force):
    """Add a force along a closed contour's normals; where neighbours coincide there is none."""
    n = q.shape[1]
    for i in range(n):
        before, after = (i - 1) % n, (i + 1) % n
        down, across = q[0, after] - q[0, before], q[1, after] - q[1, before]
        length = math.hypot(down, across)
        if length > 0:
            b[0, i] += force * across / length
            b[1, i] -= force * down / length


@_compiled
def signed_area(q):
    """Area in a closed contour; negative when it runs the other way round."""
    n = q.shape[1]
    area = 0.0
    # About the first point: far from the origin, products of coordinates would lose the area.
    for i in range(1, n - 1):
        r, c = q[0, i] - q[0, 0], q[1, i] - q[1, 0]
        area += r * (q[1, i + 1] - q[1, 0]) - (q[0, i + 1] - q[0, 0]) * c
    return area / 2


@_inline
def _extent(q):
    return max(q[0].max() - q[0].min(), q[1].max() - q[1].min())


@_inline
def _nearest(history, q):
    """Smallest distance to a remembered state, as the largest |row| + |column| of its points."""
    best = np.inf
    for k in range(history.shape[0]):
        largest = 0.0
        for i in range(q.shape[1]):
            move = abs(history[k, 0, i] - q[0, i]) + abs(history[k, 1, i] - q[1, i])
            largest = max(largest, move)
        best = min(best, largest)
    return best


@_compiled
def evolve(
    q,
    history,
    iteration,
    steps,
    coefficients,
    voxel,
    ends,
    lower,
    upper,
    swaps,
    border,
    across_border,
    corner,
    touching,
    gamma,
    max_move,
    convergence,
    balloon,
    turn,
):
    """Move a contour by up to `steps` steps, in place.

    The system is a band, for a closed contour bordered by its last two points: `border` is the
    band's solution for these columns, `across_border` (2, T) their entries in the band's rows
    `touching`, `corner` the inverse of the 2x2 Schur complement. `turn` is the sign of the area
    that the contour encloses at the start.

    Returns the steps made, RUNNING, CONVERGED or SHRUNK, and the largest move of a point in one
    step.
    """
    n, m = q.shape[1], lower.shape[0]
    closed = ends[0] == JOINED
    swapped = swaps.any()
    b = np.zeros((2, n + 4))
    high_row = (coefficients.shape[0] - 1) * voxel[0]
    high_column = (coefficients.shape[1] - 1) * voxel[1]
    largest = 0.0
    for step in range(steps):
        for i in range(n):
            down, across = _slopes(coefficients, q[0, i] / voxel[0], q[1, i] / voxel[1])
            b[0, i] = down / voxel[0]
            b[1, i] = across / voxel[1]
        # The ends of open contours: fixed ones feel nothing, free ones have half a neighbourhood.
        if not closed:
            for k in range(2):
                b[k, 0] *= 0.0 if ends[0] == FIXED else 2.0
                b[k, n - 1] *= 0.0 if ends[1] == FIXED else 2.0
        if balloon != 0:
            _push(b, q, balloon * turn)
        for k in range(2):
            for i in range(n):
                b[k, i] += gamma * q[k, i]
        _solve(b, lower, upper, swaps, swapped)
        if closed:
            for k in range(2):
                x, y = b[k, m], b[k, m + 1]
                for t in range(touching.size):
                    x -= across_border[0, t] * b[k, touching[t]]
                    y -= across_border[1, t] * b[k, touching[t]]
                x, y = corner[0, 0] * x + corner[0, 1] * y, corner[1, 0] * x + corner[1, 1] * y
                for i in range(m):
                    b[k, i] -= border[0, i] * x + border[1, i] * y
                b[k, m], b[k, m + 1] = x, y
        if not closed:
            for k in range(2):
                if ends[0] == FIXED:
                    b[k, 0] = q[k, 0]
                if ends[1] == FIXED:
                    b[k, n - 1] = q[k, n - 1]
        move = 0.0
        for i in range(n):
            down, across = b[0, i] - q[0, i], b[1, i] - q[1, i]
            if balloon == 0:
                down, across = max_move * math.tanh(down), max_move * math.tanh(across)
            else:
                # A limit for each axis would make squares of the circles that a balloon swells.
                length = math.hypot(down, across)
                if length > 0:
                    limit = max_move * math.tanh(length) / length
                    down, across = limit * down, limit * across
                # Nothing but the border ends the growth of a contour that no edge holds.
                down = min(max(q[0, i] + down, 0.0), high_row) - q[0, i]
                across = min(max(q[1, i] + across, 0.0), high_column) - q[1, i]
            q[0, i] += down
            q[1, i] += across
            move = max(move, down * down + across * across)
        largest = max(largest, math.sqrt(move))
        if move == 0:
            return step + 1, CONVERGED, largest
        if balloon != 0 and (_extent(q) < 1 or turn * signed_area(q) <= 0):
            return step + 1, SHRUNK, largest
        place = (iteration + step) % (MEMORY + 1)
        if place < MEMORY:
            history[place] = q
        elif _nearest(history, q) < convergence:
            return step + 1, CONVERGED, largest
    return steps, RUNNING, largest
