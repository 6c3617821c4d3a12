"""Compiled loops for convex hulls of labelled objects, in whole numbers: nothing is rounded.

References
----------
Pick G (1899). Geometrisches zur Zahlenlehre. Sitzungsberichte Lotos (Prague) 19, 311-319.
Andrew AM (1979). Another efficient algorithm for convex hulls in two dimensions. Information
Processing Letters 9(5), 216-219.
O'Rourke J (1998). Computational geometry in C, 2nd edition. Cambridge University Press.
"""

import math

import numpy as np
from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy")

_FINE = 1000
"""Flat objects in a volume get a thickness of two such parts of a voxel, to have a hull at all."""

_TETRAHEDRON = np.array([[0, 1, 2], [0, 3, 1], [1, 3, 2], [0, 2, 3]])
"""Its four sides: each leaves out one corner; seen from outside the others turn to the left."""


@_fast
def group_runs(numbers, first, following, runs):
    """Write the runs of each object one after the other, in order: plane, line, start, end."""
    for i in range(1, numbers.shape[0] - 1):
        for j in range(1, numbers.shape[1] - 1):
            x = 1
            while x < numbers.shape[2] - 1:
                number = numbers[i, j, x]
                if number == 0:
                    x += 1
                    continue
                start = x
                while x < numbers.shape[2] - 1 and numbers[i, j, x] == number:
                    x += 1
                place = following[number - 1]
                runs[place, 0] = first + i - 1
                runs[place, 1] = j - 1
                runs[place, 2] = start - 1
                runs[place, 3] = x - 2
                following[number - 1] = place + 1


@_fast
def _turns_right(hull, n, row, column):
    """Whether going on to a point means no left turn at the last point of the hull."""
    before_row, before_column = hull[n - 2, 0], hull[n - 2, 1]
    along = (hull[n - 1, 0] - before_row) * (column - before_column)
    across = (hull[n - 1, 1] - before_column) * (row - before_row)
    return along - across <= 0


@_fast
def _plane_hull(rows, first, last, axis, hull):
    """Write the corners of the convex hull of runs in order, once around, and say how many.

    `axis` is the column of `rows` that counts the lines.
    """
    n = 0
    for i in range(first, last):
        for end in range(2, 4):
            row, column = rows[i, axis], rows[i, end]
            if end == 3 and rows[i, 2] == column:
                continue
            while n >= 2 and _turns_right(hull, n, row, column):
                n -= 1
            hull[n, 0], hull[n, 1] = row, column
            n += 1
    lower = n + 1
    for i in range(last - 1, first - 1, -1):
        for end in range(3, 1, -1):
            row, column = rows[i, axis], rows[i, end]
            if row == hull[n - 1, 0] and column == hull[n - 1, 1]:
                continue
            while n >= lower and _turns_right(hull, n, row, column):
                n -= 1
            hull[n, 0], hull[n, 1] = row, column
            n += 1
    return n - 1 if n > 1 else n


@_fast
def _greatest_common_divisor(a, b):
    while b:
        a, b = b, a % b
    return a


@_fast
def flat_hulls(first, last, starts, runs, row_step, column_step, convex, feret):
    """For flat objects: pixels in the convex hull, by Pick's theorem, and the Feret diameter."""
    for k in range(first, last):
        hull = np.empty((4 * (starts[k + 1] - starts[k]) + 2, 2), np.int64)
        n = _plane_hull(runs, starts[k], starts[k + 1], 0, hull)
        twice_area = border = 0
        for i in range(n):
            j = (i + 1) % n
            twice_area += hull[i, 0] * hull[j, 1] - hull[j, 0] * hull[i, 1]
            border += _greatest_common_divisor(
                abs(hull[i, 0] - hull[j, 0]), abs(hull[i, 1] - hull[j, 1])
            )
        convex[k] = (abs(twice_area) + border) // 2 + 1
        squares = 0.0
        for i in range(n):
            for j in range(i, n):
                rows = (abs(hull[i, 0] - hull[j, 0]) + 1) * row_step
                columns = (abs(hull[i, 1] - hull[j, 1]) + 1) * column_step
                squares = max(squares, rows * rows + columns * columns)
        feret[k] = math.sqrt(squares)


@_fast
def outermost_points(first, last, starts, runs, points, counts):
    """Write the corners of the hulls of each object's planes, which hold those of its own hull.

    `points` has room for two points a run; those of an object begin at twice its first run.
    """
    for k in range(first, last):
        hull = np.empty((4 * (starts[k + 1] - starts[k]) + 2, 2), np.int64)
        begin, found = starts[k], 2 * starts[k]
        while begin < starts[k + 1]:
            end = begin
            while end < starts[k + 1] and runs[end, 0] == runs[begin, 0]:
                end += 1
            n = _plane_hull(runs, begin, end, 1, hull)
            for i in range(n):
                points[found, 0] = runs[begin, 0]
                points[found, 1] = hull[i, 0]
                points[found, 2] = hull[i, 1]
                found += 1
            begin = end
        counts[k] = found - 2 * starts[k]


@_fast
def solid_hulls(first, last, starts, points, counts, steps, most, convex, feret):
    """Voxels in the convex hull, and the Feret diameter, for objects of up to `most` points.

    `convex` is set to -1 for the others.
    """
    for k in range(first, last):
        if counts[k] > most:
            convex[k] = -1
            continue
        n = counts[k]
        own = np.empty((n, 3), np.int64)
        for axis in range(3):
            low = points[2 * starts[k], axis]
            for i in range(n):
                low = min(low, points[2 * starts[k] + i, axis])
            for i in range(n):
                own[i, axis] = points[2 * starts[k] + i, axis] - low
        is_corner = np.zeros(n, np.bool_)
        planes = np.empty((4 * n + 8, 4), np.int64)
        found = _hull_planes(own, planes, is_corner)
        if found:
            convex[k] = _points_below(planes, found, own, 1)
        else:
            thick = np.empty((6 * n, 3), np.int64)
            for i in range(6 * n):
                for axis in range(3):
                    thick[i, axis] = own[i // 6, axis] * _FINE
                thick[i, i % 3] += 1 if i % 6 < 3 else -1
            planes = np.empty((24 * n + 8, 4), np.int64)
            found = _hull_planes(thick, planes, np.zeros(6 * n, np.bool_))
            convex[k] = _points_below(planes, found, own, _FINE)
            is_corner[:] = True
        feret[k] = _widest(own, is_corner, steps)


@_fast
def _write_plane(points, corners, plane):
    """Write the normal of a triangle, outwards, and its product with points of the plane."""
    a, b, c = points[corners[0]], points[corners[1]], points[corners[2]]
    for i in range(3):
        j, m = (i + 1) % 3, (i + 2) % 3
        plane[i] = (b[j] - a[j]) * (c[m] - a[m]) - (b[m] - a[m]) * (c[j] - a[j])
    plane[3] = plane[0] * a[0] + plane[1] * a[1] + plane[2] * a[2]


@_fast
def _above(plane, point):
    product = plane[0] * point[0] + plane[1] * point[1] + plane[2] * point[2]
    return product - plane[3]


@_fast
def _first_corners(points, corners):
    """Find four points that are not in one plane; say whether there are."""
    plane = np.zeros(4, np.int64)
    corners[0], corners[1] = 0, len(points) - 1
    for second in range(1, len(points)):
        corners[1] = second
        same = 0
        for axis in range(3):
            same += points[second, axis] == points[0, axis]
        if same < 3:
            break
    for third in range(1, len(points)):
        corners[2] = third
        _write_plane(points, corners, plane)
        if plane[0] != 0 or plane[1] != 0 or plane[2] != 0:
            break
    for fourth in range(1, len(points)):
        above = _above(plane, points[fourth])
        if above != 0:
            corners[3] = fourth
            if above > 0:
                corners[1], corners[2] = corners[2], corners[1]
            return True
    return False


@_fast
def _hull_planes(points, planes, is_corner):
    """Write the planes of the convex hull of points (N, 3), normals outwards, and say how many.

    None if the points are flat.
    The hull grows point by point: the triangles that a point lies above make way for new ones
    between it and their rim. `is_corner` is set for the corners of the hull.
    """
    n = len(points)
    corners = np.zeros(4, np.int64)
    if n < 4 or not _first_corners(points, corners):
        return 0
    triangles = np.empty((4 * n + 8, 3), np.int64)
    # -1 is free, 0 stays, 1 makes way.
    state = np.full(4 * n + 8, -1, np.int8)
    triangle_of = np.full((n, n), -1, np.int32)
    count = 4
    for i in range(4):
        for m in range(3):
            triangles[i, m] = corners[_TETRAHEDRON[i, m]]
        for m in range(3):
            triangle_of[triangles[i, m], triangles[i, (m + 1) % 3]] = i
        _write_plane(points, triangles[i], planes[i])
        state[i] = 0
    rim = np.empty((4 * n + 8, 2), np.int64)
    free = np.empty(4 * n + 8, np.int64)
    for p in range(n):
        hidden = 0
        for i in range(count):
            if state[i] == 0 and _above(planes[i], points[p]) > 0:
                state[i] = 1
                hidden += 1
        if hidden == 0:
            continue
        edges = places = 0
        for i in range(count):
            if state[i] != 1:
                continue
            for m in range(3):
                a, b = triangles[i, m], triangles[i, (m + 1) % 3]
                if state[triangle_of[b, a]] == 0:
                    rim[edges, 0], rim[edges, 1] = a, b
                    edges += 1
        for i in range(count):
            if state[i] == 1:
                state[i] = -1
                free[places] = i
                places += 1
        for e in range(edges):
            if places:
                places -= 1
                i = free[places]
            else:
                i = count
                count += 1
            triangles[i, 0], triangles[i, 1], triangles[i, 2] = rim[e, 0], rim[e, 1], p
            for m in range(3):
                triangle_of[triangles[i, m], triangles[i, (m + 1) % 3]] = i
            _write_plane(points, triangles[i], planes[i])
            state[i] = 0
    found = 0
    for i in range(count):
        if state[i] == 0:
            for m in range(3):
                is_corner[triangles[i, m]] = True
            for m in range(4):
                planes[found, m] = planes[i, m]
            found += 1
    return found


@_fast
def _points_below(planes, n_planes, points, fine):
    """Count whole-numbered points that no plane leaves out; planes are in parts of `fine`.

    `points` hold the hull, and have no negative coordinates.
    """
    end = np.zeros(3, np.int64)
    for i in range(len(points)):
        for axis in range(3):
            end[axis] = max(end[axis], points[i, axis])
    count = 0
    for z in range(end[0] + 1):
        for y in range(end[1] + 1):
            low, high = 0, end[2]
            for i in range(n_planes):
                room = planes[i, 3] - fine * (planes[i, 0] * z + planes[i, 1] * y)
                slope = planes[i, 2] * fine
                if slope > 0:
                    high = min(high, room // slope)
                elif slope < 0:
                    low = max(low, -(room // -slope))
                elif room < 0:
                    high = -1
                if high < low:
                    break
            count += max(0, high - low + 1)
    return count


@_fast
def _widest(points, is_corner, steps):
    """Largest distance between corners of voxels, from the voxels at a hull's corners."""
    found = 0.0
    for i in range(len(points)):
        if not is_corner[i]:
            continue
        for j in range(i, len(points)):
            squares = 0.0
            for axis in range(3):
                squares += ((abs(points[i, axis] - points[j, axis]) + 1) * steps[axis]) ** 2
            if is_corner[j]:
                found = max(found, squares)
    return math.sqrt(found)
