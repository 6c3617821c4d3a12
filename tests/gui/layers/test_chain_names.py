"""Names of results tell the chain, and stay short enough for the list of layers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari.layers import Image as ImageLayer

from napari_seedbed.gui.layers.chain_names import (
    ARROW,
    LONGEST,
    bounded,
    name_in_chain,
    step_name,
)
from napari_seedbed.pipeline import operations

STEPS = [step_name(operation, {}) for operation in operations.operations.values()]


@pytest.mark.parametrize(
    ("operation", "parameters", "expected"),
    [
        ("gaussian", {}, "Gaussian"),
        ("threshold", {"method": "otsu"}, "Otsu"),
        ("threshold", {"method": "manual"}, "Threshold"),
        ("slope", {"kernel": "scharr"}, "Scharr"),
        ("slic", {}, "SLIC"),
        ("morphology", {"kind": "white_tophat"}, "White top-hat"),
        ("combine_labels", {"how": "xor"}, "XOR"),
        ("chan_vese", {}, "Chan-Vese"),
    ],
)
def test_steps_are_called_as_people_call_them(operation, parameters, expected):
    assert step_name(operations.get(operation), parameters) == expected


@given(
    source=st.text("abcdefg _-", min_size=1, max_size=90).filter(str.strip),
    steps=st.lists(st.sampled_from([step for step in STEPS if len(step) < 27]), max_size=9),
)
def test_chain_is_bounded_and_keeps_its_beginning_and_its_last_step(source, steps):
    name = source
    for step in steps:
        name = bounded(name + ARROW + step)
    if steps:
        assert len(name) <= LONGEST
        assert name.endswith(ARROW + steps[-1])
        assert name.startswith(source[:5].rstrip())
        assert name.count("…") <= 2
    if len(ARROW.join([source, *steps])) <= LONGEST:
        assert name == ARROW.join([source, *steps])


def test_long_chain_says_where_steps_are_left_out():
    name = (
        "nuclei" + ARROW + ARROW.join(["Gaussian", "Otsu", "Fill holes", "Clear border", "Label"])
    )
    assert bounded(name) == "nuclei > … > Fill holes > Clear border > Label"
    assert bounded(
        "2024-05-31 experiment 17 ovule in water" + ARROW + "Otsu" + ARROW + "Open"
    ).startswith("2024-05-31")


def test_number_of_napari_counts_only_for_what_people_opened():
    opened = ImageLayer(np.eye(2), name="a [1]", rgb=False)
    made = ImageLayer(np.eye(2), name="a > Otsu [1]", rgb=False)
    made.metadata = {"napari_seedbed": {"operation": "threshold"}}
    assert name_in_chain(opened) == "a [1]"
    assert name_in_chain(made) == "a > Otsu"
