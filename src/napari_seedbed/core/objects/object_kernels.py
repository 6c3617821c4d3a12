"""Compiled loops over labelled volumes: one pass each, whatever the number of objects.

Volumes hold 0 or the number of an object, counted from 1, and have one voxel more on each side of
each axis: a neighbour, or 0 beyond the image.
"""

import math

import numpy as np
from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy")


@_fast
def tally(numbers, first, sizes, runs, sums, low, high):
    """Add up voxels, runs along x and coordinates of each object, and stretch its box.

    `first` is where the first plane lies in the volume; boxes are (K, 3), the ends included.
    """
    for i in range(1, numbers.shape[0] - 1):
        z = first + i - 1
        for j in range(1, numbers.shape[1] - 1):
            y = j - 1
            x = 1
            while x < numbers.shape[2] - 1:
                number = numbers[i, j, x]
                if number == 0:
                    x += 1
                    continue
                start = x
                while x < numbers.shape[2] - 1 and numbers[i, j, x] == number:
                    x += 1
                k, length = number - 1, x - start
                sizes[k] += length
                runs[k] += 1
                sums[k, 0] += z * length
                sums[k, 1] += y * length
                sums[k, 2] += (start - 1 + x - 2) * length // 2
                low[k, 0] = min(low[k, 0], z)
                low[k, 1] = min(low[k, 1], y)
                low[k, 2] = min(low[k, 2], start - 1)
                high[k, 0] = max(high[k, 0], z)
                high[k, 1] = max(high[k, 1], y)
                high[k, 2] = max(high[k, 2], x - 2)


@_fast
def tally_moments(numbers, first, low, moments):
    """Add up products of coordinates, counted from the box of each object: zz, yy, xx, zy, zx, yx.

    Counted from there they are small: nothing is lost when the mean is taken away later.
    """
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
                k, length = number - 1, x - start
                z = first + i - 1 - low[k, 0]
                y = j - 1 - low[k, 1]
                a = start - 1 - low[k, 2]
                b = a + length - 1
                line = (a + b) * length // 2
                moments[k, 0] += z * z * length
                moments[k, 1] += y * y * length
                moments[k, 2] += (b * (b + 1) * (2 * b + 1) - (a - 1) * a * (2 * a - 1)) // 6
                moments[k, 3] += z * y * length
                moments[k, 4] += z * line
                moments[k, 5] += y * line


@_fast
def tally_surfaces(numbers, steps, euler_parts, crossings, euler):
    """Count how often lines leave or enter each object, and add up its Euler number.

    `steps` leads to the earlier neighbours in flat memory; `euler_parts` says what a voxel adds,
    by which of them belong to its object.
    """
    flat = numbers.reshape(-1)
    n_y, n_x = numbers.shape[1], numbers.shape[2]
    for i in range(1, numbers.shape[0] - 1):
        for j in range(1, n_y - 1):
            line = (i * n_y + j) * n_x
            for place in range(line + 1, line + n_x - 1):
                number = flat[place]
                if number == 0:
                    continue
                same = 0
                for d in range(steps.size):
                    if flat[place + steps[d]] == number:
                        same |= 1 << d
                    else:
                        crossings[number - 1, d] += 1
                    if flat[place - steps[d]] != number:
                        crossings[number - 1, d] += 1
                euler[number - 1] += euler_parts[same]


@_fast
def touching_pairs(numbers, steps, first_line, last_line, last_seen, pairs):
    """Write pairs of objects that meet at a face, an edge or a corner, and say how many.

    Lines are counted through all planes. `last_seen` keeps the last partner of each object, since
    the next voxel mostly touches the same one; pairs still come several times.
    """
    flat = numbers.reshape(-1)
    n_y, n_x = numbers.shape[1], numbers.shape[2]
    found = 0
    for nth in range(first_line, last_line):
        line = ((nth // (n_y - 2) + 1) * n_y + nth % (n_y - 2) + 1) * n_x
        for place in range(line + 1, line + n_x - 1):
            number = flat[place]
            if number == 0:
                continue
            for d in range(steps.size):
                other = flat[place + steps[d]]
                if other != 0 and other != number and last_seen[number - 1] != other:
                    last_seen[number - 1] = other
                    pairs[found, 0] = min(number, other) - 1
                    pairs[found, 1] = max(number, other) - 1
                    found += 1
    return found


@_fast
def group_values(numbers, values, following, grouped):
    """Write the values of each object one after the other; `following` is its next free place."""
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            for x in range(values.shape[2]):
                number = numbers[i + 1, j + 1, x + 1]
                if number:
                    grouped[following[number - 1]] = values[i, j, x]
                    following[number - 1] += 1


@_fast
def _put_in_place(values, rank):
    """Return the value of a rank; those before it are not larger afterwards."""
    low, high = 0, values.size - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            break
    # float() of a number of 32 bits stays one.
    return np.float64(values[rank])


@_fast
def describe_values(first, last, starts, grouped, table):
    """Write mean, standard deviation, smallest, largest, median and sum for objects in a range.

    Their values lose their order.
    """
    for k in range(first, last):
        values = grouped[starts[k] : starts[k + 1]]
        low, high, total = values[0], values[0], 0.0
        for value in values:
            low, high = min(low, value), max(high, value)
            total += value
        mean = total / values.size
        squares = 0.0
        for value in values:
            squares += (value - mean) ** 2
        table[k, 0] = mean
        table[k, 1] = math.sqrt(squares / values.size)
        table[k, 2] = low
        table[k, 3] = high
        half = values.size // 2
        upper = _put_in_place(values, half)
        if values.size % 2 == 0:
            lower = values[0]
            for value in values[:half]:
                lower = max(lower, value)
            upper = 0.5 * (upper + np.float64(lower))
        table[k, 4] = upper
        table[k, 5] = total
