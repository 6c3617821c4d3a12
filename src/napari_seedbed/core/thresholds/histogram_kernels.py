"""Compiled loops that count grey values, smooth histograms and cut them into classes."""

import numpy as np
from numba import njit

_fast = njit(nogil=True, cache=True, error_model="numpy")


@_fast
def count_values(values, low, counts):
    """Add to `counts` how often each whole number occurs; `counts[0]` is for `low`."""
    n = values.size
    odd = np.zeros_like(counts)
    # Two tables: neighbours are often equal, and adding to one number twice has to wait.
    for i in range(0, n - 1, 2):
        counts[values[i] - low] += 1
        odd[values[i + 1] - low] += 1
    if n % 2:
        counts[values[n - 1] - low] += 1
    counts += odd


@_fast
def count_in_bins(values, low, span, counts):
    """Add to `counts` how many values lie in each of its equal bins; return the sum of places.

    A place is 0 at `low` and the number of bins at the upper end. A quarter of `low` and of the
    span is given: the span of large numbers is more than a float64 holds.
    """
    bins = counts.size
    total = 0.0
    for i in range(values.size):
        place = (0.25 * np.float64(values[i]) - low) / span * bins
        total += place
        counts[min(int(place), bins - 1)] += 1
    return total


@_fast
def smooth_until_two_peaks(counts, iterations):
    """Smooth with the mean of three, in place, until fewer than three peaks are left.

    Step by step as `scipy.ndimage.uniform_filter1d` does, to the last bit. Returns how many steps
    that took and the number of peaks left.
    """
    n = counts.size
    padded = np.empty(n + 2, np.float64)
    peaks = 3
    for iteration in range(iterations):
        padded[1 : n + 1] = counts
        padded[0] = padded[1]
        padded[n + 1] = padded[n]
        mean = (padded[0] + padded[1] + padded[2]) / 3.0
        counts[0] = mean
        peaks = 0
        is_rising = True
        for i in range(1, n):
            mean += (padded[i + 2] - padded[i - 1]) / 3.0
            counts[i] = mean
            if is_rising:
                if counts[i] < counts[i - 1]:
                    is_rising = False
                    peaks += 1
            elif counts[i] > counts[i - 1]:
                is_rising = True
        if peaks < 3:
            return iteration + 1, peaks
    return iterations, peaks


@_fast
def best_classes(weights, sums, classes, cuts):
    """Cut values into classes whose means differ most from each other.

    `weights` and `sums` are running totals with a zero before the first value. `cuts[k]` becomes
    the first value of class k + 1. Where the best place for a cut lies cannot move back when more
    values are added, so halving finds all places of a class in a few passes.

    Wu (1991), Optimal quantization by matrix searching.
    """
    n = weights.size - 1
    scores = np.empty(n + 1)
    for stop in range(1, n + 1):
        scores[stop] = sums[stop] ** 2 / weights[stop]
    scores[0] = -np.inf
    places = np.zeros((classes, n + 1), np.int64)
    stack = np.empty((2 * 64, 4), np.int64)
    for k in range(1, classes):
        better = np.full(n + 1, -np.inf)
        stack[0] = (k + 1, n, k, n - 1)
        depth = 1
        while depth:
            depth -= 1
            first, last, low, high = stack[depth]
            if first > last:
                continue
            stop = (first + last) // 2
            best, place = -np.inf, low
            for start in range(low, min(high, stop - 1) + 1):
                total = sums[stop] - sums[start]
                score = scores[start] + total * total / (weights[stop] - weights[start])
                if score > best:
                    best, place = score, start
            better[stop] = best
            places[k, stop] = place
            stack[depth] = (first, stop - 1, low, place)
            stack[depth + 1] = (stop + 1, last, place, high)
            depth += 2
        scores = better
    stop = n
    for k in range(classes - 1, 0, -1):
        stop = places[k, stop]
        cuts[k - 1] = stop
