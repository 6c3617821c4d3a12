"""Names of result layers, which tell how they were made: 'nuclei > Gaussian > Otsu'."""

import re
from collections.abc import Mapping
from typing import Any

from napari.layers import Layer

from napari_seedbed.gui.layers.layer_records import is_result
from napari_seedbed.pipeline.engine.declarations import Operation

ARROW = " > "
LONGEST = 48
"""Letters that a list of layers shows without being pulled wide."""

_DOTS = "…"
_LONGEST_SOURCE = 20
# what napari puts behind a name that there is already
_COUNTED = re.compile(r" \[\d+\]$")
_IN_BRACKETS = re.compile(r" \([^()]*\)$")
# operations that people call by the choice of a parameter
_NAMED_BY = {
    "threshold": "method",
    "subtract_background": "method",
    "slope": "kernel",
    "morphology": "kind",
    "reconstruction": "kind",
    "label_morphology": "kind",
    "combine_labels": "how",
}
_NO_NAME = "Manual"
_OF_SEVERAL = re.compile(r"Superpixels \((.*)\)")


def uncounted(name: str) -> str:
    """A name without the number that napari puts behind names that there are already."""
    return _COUNTED.sub("", name)


def step_name(operation: Operation, parameters: Mapping[str, Any]) -> str:
    """What people call a step, in a word or two: 'Gaussian', 'Otsu', 'Top-hat'."""
    chosen = _NAMED_BY.get(operation.name)
    for parameter in operation.parameters:
        if parameter.name == chosen or parameter.names_methods:
            labels = dict(zip(parameter.choices, parameter.choice_labels, strict=True))
            label = labels.get(parameters.get(parameter.name, parameter.default), _NO_NAME)
            if label != _NO_NAME:
                return _IN_BRACKETS.sub("", label.split(":")[0])
    kind = _OF_SEVERAL.fullmatch(operation.title)
    if kind is not None:
        return kind[1]
    return _IN_BRACKETS.sub("", operation.title).removesuffix(" filter")


def name_in_chain(source: Layer) -> str:
    """The name of a layer as names of what is made from it begin."""
    return uncounted(str(source.name)) if is_result(source) else str(source.name)


def bounded(name: str) -> str:
    """A chain of at most `LONGEST` letters where its last step is no longer than 26.

    The first name is cut in its middle, where files of one experiment differ least, and steps
    before the last are left out.
    """
    source, *steps = name.split(ARROW)
    if len(name) <= LONGEST or not steps:
        return name
    if len(source) > _LONGEST_SOURCE:
        half = _LONGEST_SOURCE // 2
        source = source[:half].rstrip() + _DOTS + source[1 - half :].lstrip()
    steps = [step for step in steps if step != _DOTS]
    for left_out in range(len(steps)):
        dots = [_DOTS] if left_out or _DOTS in name.split(ARROW) else []
        shorter = ARROW.join([source, *dots, *steps[left_out:]])
        if len(shorter) <= LONGEST:
            break
    return shorter
