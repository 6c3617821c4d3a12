"""Typed declarations of what an operation lets people set."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np

from napari_seedbed.errors import InputError

# Filters of longer reach than any image has voxels along an axis give nothing but trouble.
_MOST_VOXELS = 1e7

Value = float | int | bool | str
Kind = Literal["float", "int", "bool", "choice", "text"]


@dataclass(frozen=True)
class Parameter:
    """One thing that people can set; form, check, command line and recipe come from it.

    Attributes
    ----------
    name : str
        The name of the argument in `core`.
    type : {'float', 'int', 'bool', 'choice', 'text'}
    default : float, int, bool or str
    label : str
        What the form says.
    help : str
        One plain sentence.
    minimum, maximum : float or None
        Bounds, both allowed values themselves.
    unit : str or None
        'physical' means the unit of the image's voxel size, 'physical_size' that unit squared in
        2D and cubed in 3D; None is a plain number.
    choices : tuple of str
        The allowed values of a 'choice'.
    choice_labels : tuple of str
        What the form says for each of `choices`; the values themselves when empty.
    advanced : bool
        Whether the form hides it at first.
    in_voxels : bool
        Whether `default` counts voxels. It is then a length (or a size) for the image at hand, see
        `default_for`; values that are given are physical all the same.
    check_text : callable or None
        Raises InputError for a 'text' that cannot be used; its message does not name the parameter.
        Of the array that it may give for one that can, the form shows a picture.
    scale_text : callable or None
        Gives a 'text' with the lengths in it multiplied by a number, where there are some.
    presets : tuple of (str, str)
        What the form calls texts to begin with, and these.
    lines : int
        How many lines of a 'text' the form shows.
    only_with : (str, tuple of str) or None
        A choice and those of its values with which this parameter counts; forms hide it otherwise.
    is_output : bool
        Whether this 'bool' asks for an output of its name, beside the main one.
    names_methods : bool
        Whether the values of this 'choice' are methods that people look for by their names.
    """

    name: str
    type: Kind
    default: Value
    label: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    unit: str | None = None
    choices: tuple[str, ...] = ()
    choice_labels: tuple[str, ...] = ()
    advanced: bool = False
    in_voxels: bool = False
    check_text: Callable[[str], object] | None = None
    scale_text: Callable[[str, float], str] | None = None
    presets: tuple[tuple[str, str], ...] = ()
    lines: int = 7
    only_with: tuple[str, tuple[str, ...]] | None = None
    is_output: bool = False
    names_methods: bool = False

    def default_for(self, spacing: Sequence[float] | None) -> Value:
        """The default for an image of that voxel size, whose smallest edge counts as a voxel.

        Twelve digits are kept, so that three voxels of 0.1 are 0.3 and forms show all of it.
        """
        if not self.in_voxels or not spacing:
            return self.default
        return float(f"{float(self.default) * self.one_voxel(spacing):.12g}")

    def one_voxel(self, spacing: Sequence[float]) -> float:
        """The smallest edge of a voxel, or all of its area or volume, in the parameter's unit."""
        return math.prod(spacing) if self.unit == "physical_size" else min(spacing)

    def check(self, value: Any) -> Value:
        """Return `value` in the declared type, or raise InputError saying what would be right."""
        if self.type == "choice":
            if value not in self.choices:
                raise InputError(
                    f"{self.name}: {value!r} is not a choice; take one of "
                    f"{', '.join(self.choices)}."
                )
            return str(value)
        if self.type == "text":
            return self._check_text(value)
        if self.type == "bool":
            if not isinstance(value, bool) and value not in (0, 1):
                raise InputError(f"{self.name}: {value!r} is neither true nor false.")
            return bool(value)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float | np.number)
            or not math.isfinite(value)
        ):
            raise InputError(f"{self.name}: {value!r} is not a number.")
        if self.type == "int" and value != int(value):
            raise InputError(f"{self.name}: {value!r} is not a whole number.")
        number = int(value) if self.type == "int" else float(value)
        low = self.minimum is not None and number < self.minimum
        if low or (self.maximum is not None and number > self.maximum):
            raise InputError(f"{self.name}: {value!r} is out of bounds; it must be {self.bounds}.")
        return number

    def _check_text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise InputError(f"{self.name}: {value!r} is not a text.")
        if self.check_text is not None:
            try:
                self.check_text(value)
            except InputError as error:
                raise InputError(f"{self.name}: {error}") from None
        return value

    @property
    def bounds(self) -> str:
        """The bounds in words, empty where there are none."""
        if self.minimum is not None and self.maximum is not None:
            return f"from {self.minimum:g} to {self.maximum:g}"
        if self.minimum is not None:
            return f"at least {self.minimum:g}"
        if self.maximum is not None:
            return f"at most {self.maximum:g}"
        return ""


Bounds = tuple[float | None, float | None]


def number(
    name: str, default: float, label: str, help: str, bounds: Bounds, **more: Any
) -> Parameter:
    """A number within bounds, both allowed values themselves."""
    low, high = bounds
    return Parameter(name, "float", default, label, help, minimum=low, maximum=high, **more)


def whole_number(
    name: str, default: int, label: str, help: str, bounds: Bounds, **more: Any
) -> Parameter:
    """A whole number within bounds, both allowed values themselves."""
    low, high = bounds
    return Parameter(name, "int", default, label, help, minimum=low, maximum=high, **more)


def switch(name: str, default: bool, label: str, help: str, **more: Any) -> Parameter:
    """Something that is on or off."""
    return Parameter(name, "bool", default, label, help, **more)


def output(name: str, default: bool, label: str, help: str, **more: Any) -> Parameter:
    """Whether the operation gives an output of that name, beside its main one."""
    return switch(name, default, label, help, is_output=True, **more)


def choice(
    name: str,
    label: str,
    help: str,
    choices: Mapping[str, str],
    default: str | None = None,
    **more: Any,
) -> Parameter:
    """One of some values, each with what the form says for it; the first one by default."""
    values, labels = tuple(choices), tuple(choices.values())
    chosen = values[0] if default is None else default
    return Parameter(
        name, "choice", chosen, label, help, choices=values, choice_labels=labels, **more
    )


def text(name: str, default: str, label: str, help: str, **more: Any) -> Parameter:
    """A text, see `Parameter.check_text`."""
    return Parameter(name, "text", default, label, help, **more)


def check_parameters(
    declared: Sequence[Parameter],
    given: Mapping[str, Any] | None,
    spacing: Sequence[float] | None = None,
) -> dict[str, Value]:
    """Complete set of parameters: what was given, checked, and defaults for the rest.

    Parameters
    ----------
    declared : sequence of Parameter
    given : dict or None
    spacing : sequence of float, optional
        Voxel size of the image, for defaults that count voxels; one when it is not known.

    Raises
    ------
    InputError
        For a name that is not declared, a wrong type or a value out of bounds.
    """
    given = dict(given or {})
    known = [parameter.name for parameter in declared]
    for name in given:
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
            raise InputError(f"{name}: there is no such parameter; {hint}")
    values = {
        parameter.name: parameter.check(given.get(parameter.name, parameter.default_for(spacing)))
        for parameter in declared
    }
    if spacing is not None:
        _check_lengths(declared, values, spacing)
    return values


def _check_lengths(
    declared: Sequence[Parameter], values: Mapping[str, Value], spacing: Sequence[float]
) -> None:
    for parameter in declared:
        value = values[parameter.name]
        if parameter.unit != "physical" or isinstance(value, str) or value <= 0:
            continue
        if value / min(spacing) > _MOST_VOXELS:
            raise InputError(
                f"{parameter.name}: {value:g} is {value / min(spacing):.1g} voxels of this image; "
                f"at most {_MOST_VOXELS:g} are sensible. Set the voxel size, or take a smaller "
                "value."
            )


def lengths_in_voxels(
    declared: Sequence[Parameter], values: Mapping[str, Value], spacing: Sequence[float]
) -> dict[str, Value]:
    """The values with each length and size as a number of voxels (`Parameter.one_voxel`)."""
    counted = dict(values)
    for parameter in declared:
        if parameter.unit is not None:
            one = parameter.one_voxel(spacing)
            counted[parameter.name] = float(values[parameter.name]) / one
    return counted
