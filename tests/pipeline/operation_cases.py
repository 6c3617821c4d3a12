"""Which operations a test is about, and how many combinations of values it tries with each.

A test has one id an operation and loops over the values. With SEEDBED_TESTS=all, as
`make test-all` sets it, all combinations are tried; otherwise a sample in which each operation
meets each value, and operations that follow each other meet them in other combinations.
"""

import os
from itertools import product

import pytest

from napari_seedbed.pipeline.operations import operations

ALL_COMBINATIONS = os.environ.get("SEEDBED_TESTS") == "all"
_PLACES = {name: place for place, name in enumerate(operations)}


def every(applies=lambda operation: True):
    """Parametrize a test by the operations that it applies to."""
    chosen = {name: one for name, one in operations.items() if applies(one)}
    return pytest.mark.parametrize("operation", chosen.values(), ids=chosen)


def combinations(place, axes, *, all_of_them=ALL_COMBINATIONS):
    """Tuples of one value an axis: all, or the sample for the operation at a place."""
    if all_of_them:
        return list(product(*axes))
    return [
        tuple(axis[(i + (place >> number)) % len(axis)] for number, axis in enumerate(axes))
        for i in range(max(map(len, axes)))
    ]


def with_each(**axes):
    """Call a test of an operation with combinations of values of its other arguments."""

    def decorate(check):
        def looped(operation):
            for values in combinations(_PLACES[operation.name], list(axes.values())):
                named = dict(zip(axes, values, strict=True))
                try:
                    check(operation, **named)
                except BaseException as error:
                    error.add_note(f"with {named}")
                    raise

        looped.__name__, looped.__doc__ = check.__name__, check.__doc__
        return looped

    return decorate
