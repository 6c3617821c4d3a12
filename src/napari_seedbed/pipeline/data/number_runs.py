"""Whole numbers as runs of those that follow each other."""

from collections.abc import Iterable


def number_runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The first and the last of each run of numbers, which rise."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
