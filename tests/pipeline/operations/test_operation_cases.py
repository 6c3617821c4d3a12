"""The sample of combinations that every operation is tried with, where not all are."""

from itertools import combinations as pairs
from itertools import product

import pytest
from operation_cases import combinations


@pytest.mark.parametrize("lengths", [(5,), (2, 2), (7, 2), (4, 3), (12, 2), (3, 2, 2)], ids=str)
def test_sample_has_each_value_with_each_operation_and_each_pair_with_some(lengths):
    axes = [range(n) for n in lengths]
    samples = [combinations(place, axes, all_of_them=False) for place in range(24)]
    for sample in samples:
        assert len(sample) == max(lengths)
        assert [set(values) for values in zip(*sample, strict=True)] == [set(axis) for axis in axes]
    for one, other in pairs(range(len(axes)), 2):
        met = {(values[one], values[other]) for sample in samples for values in sample}
        assert met == set(product(axes[one], axes[other]))


def test_all_combinations_are_tried_where_it_is_asked_for():
    assert combinations(3, [range(2), "ab"], all_of_them=True) == [
        (0, "a"),
        (0, "b"),
        (1, "a"),
        (1, "b"),
    ]
