"""Checks of what people set."""

import numpy as np
import pytest

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.engine.parameters import Parameter, check_parameters

SIGMA = Parameter("sigma", "float", 1.0, "Sigma", "Width.", minimum=0.0, maximum=10.0)
COUNT = Parameter("count", "int", 3, "Count", "Number.", minimum=1)
FLAG = Parameter("flag", "bool", False, "Flag", "Whether.")


def _check_word(text: str) -> None:
    if " " in text:
        raise InputError("one word only.")


WORD = Parameter("word", "text", "one", "Word", "What.", check_text=_check_word)
MODE = Parameter("mode", "choice", "a", "Mode", "Which.", choices=("a", "b"))


def test_defaults_fill_in_declared_order():
    complete = check_parameters([SIGMA, COUNT, FLAG, MODE], {"mode": "b"})
    assert list(complete.items()) == [("sigma", 1.0), ("count", 3), ("flag", False), ("mode", "b")]


@pytest.mark.parametrize(
    ("parameter", "value", "expected"),
    [(SIGMA, np.float32(2), 2.0), (SIGMA, 0, 0.0), (COUNT, 4.0, 4), (FLAG, np.bool_(True), True)],
)
def test_values_take_the_declared_type(parameter, value, expected):
    checked = parameter.check(value)
    assert (checked, type(checked)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (SIGMA, -1),
        (SIGMA, 10.5),
        (SIGMA, float("nan")),
        (SIGMA, float("inf")),
        (SIGMA, "2"),
        (SIGMA, None),
        (SIGMA, True),
        (COUNT, 2.5),
        (COUNT, 0),
        (FLAG, "yes"),
        (FLAG, 2),
        (MODE, "c"),
        (MODE, ["a"]),
        (WORD, 3),
        (WORD, "two words"),
    ],
)
def test_wrong_values_name_the_parameter(parameter, value):
    with pytest.raises(InputError, match=f"^{parameter.name}: "):
        parameter.check(value)


def test_unknown_name_gets_a_suggestion():
    with pytest.raises(InputError, match="did you mean sigma"):
        check_parameters([SIGMA], {"sgima": 1})


def test_length_of_more_voxels_than_any_image_has_is_refused():
    declared = (Parameter("sigma", "float", 1.0, "Sigma", "How far.", unit="physical"),)
    assert check_parameters(declared, {"sigma": 1e-3}, (1e-9, 1e-3)) == {"sigma": 1e-3}
    with pytest.raises(InputError, match=r"sigma: 20 is 2e\+16 voxels .* at most 1e\+07"):
        check_parameters(declared, {"sigma": 20.0}, (1e-15, 1.0))
