"""Calls that are written down as Python instead of being made: how an operation becomes a script.

The function of an operation is run with expressions in place of voxels. Core's functions, NumPy's
and operators, given one, add a line to the script and give another expression.
"""

import re
import zlib
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from inspect import Parameter, signature
from typing import Any, get_args, get_origin

import numpy as np

from napari_seedbed.errors import InputError

_MOST_NUMBERS = 64

PACKED = "array_of"
"""The function that a script has for arrays of more numbers."""
_OWN = "_writer", "_text", "_is_simple", "_shape"

_BINARY = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "and": "&", "or": "|",
    "xor": "^", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=",
}  # fmt: skip
_UFUNCS = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.true_divide: "/", np.less: "<",
    np.less_equal: "<=", np.greater: ">", np.greater_equal: ">=", np.equal: "==",
    np.not_equal: "!=", np.bitwise_and: "&", np.bitwise_or: "|",
}  # fmt: skip


class NotWritable(InputError):
    """What an operation does cannot be said in a script: it depends on what the voxels are."""


class Expression:
    """What stands in a script for a value that is known when the script runs.

    Parameters
    ----------
    writer : ScriptWriter
    text : str
        In Python.
    is_simple : bool
        Whether no brackets are needed around it.
    shape : tuple of int, optional
        Of an array of which it is known.
    """

    __hash__ = object.__hash__
    __slots__ = _OWN

    def __init__(
        self,
        writer: "ScriptWriter",
        text: str,
        *,
        is_simple: bool = True,
        shape: tuple[int, ...] | None = None,
    ) -> None:
        self._writer, self._text, self._is_simple, self._shape = writer, text, is_simple, shape

    @property
    def in_brackets(self) -> str:
        """The text, in brackets where it is an operation."""
        return self._text if self._is_simple else f"({self._text})"

    @property
    def ndim(self) -> Any:
        """Number of axes."""
        if self._shape is not None:
            return len(self._shape)
        return Expression(self._writer, f"{self.in_brackets}.ndim")

    @property
    def shape(self) -> Any:
        """Lengths of the axes."""
        text = f"{self.in_brackets}.shape"
        if self._shape is not None:
            return Named(self._shape, text)
        return Expression(self._writer, text)

    def __str__(self) -> str:
        return self._text

    def __format__(self, _: str) -> str:
        return self._text

    def __getattr__(self, name: str) -> "Expression":
        if name.startswith("__"):
            raise AttributeError(name)
        return Expression(self._writer, f"{self.in_brackets}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> "Expression":
        # What can be None is None by default.
        named = {key: value for key, value in kwargs.items() if value is not None}
        return self._writer.call(self.in_brackets, args, named)

    def __getitem__(self, index: Any) -> "Expression":
        shape = None if self._shape is None else _shape_of_part(self._shape, index)
        return Expression(self._writer, f"{self.in_brackets}[{_index(index)}]", shape=shape)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._writer.line(f"{self.in_brackets}[{_index(index)}] = {literal(value)}")

    def __invert__(self) -> "Expression":
        return Expression(self._writer, f"~{self.in_brackets}", is_simple=False)

    def __neg__(self) -> "Expression":
        return Expression(self._writer, f"-{self.in_brackets}", is_simple=False)

    def __len__(self) -> int:
        if not self._shape:
            raise self._unknown("how long")
        return self._shape[0]

    def __iter__(self) -> Iterator["Expression"]:
        return iter(self._writer.unpacked(self))

    def __bool__(self) -> bool:
        raise self._unknown("whether")

    def __float__(self) -> float:
        raise self._unknown("how large")

    def __index__(self) -> int:
        raise self._unknown("how large")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise self._unknown("what")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> "Expression":
        if method != "__call__":
            raise self._unknown("what")
        if ufunc in _UFUNCS and len(inputs) == 2 and not kwargs:
            return _binary(self._writer, inputs[0], _UFUNCS[ufunc], inputs[1])
        return self._writer.call(f"np.{ufunc.__name__}", inputs, kwargs)

    def __array_function__(
        self, function: Any, _: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> "Expression":
        if function is np.moveaxis and args[1] == args[2]:
            return self
        return self._writer.call(f"np.{function.__name__}", args, kwargs)

    def _unknown(self, what: str) -> NotWritable:
        return NotWritable(f"a script does not know {what} {self._text} is before it runs.")


def _binary(writer: "ScriptWriter", left: Any, sign: str, right: Any) -> Expression:
    texts = [
        one.in_brackets if isinstance(one, Expression) else literal(one) for one in (left, right)
    ]
    return Expression(writer, f"{texts[0]} {sign} {texts[1]}", is_simple=False)


def _operator(sign: str, *, swapped: bool = False) -> Callable[[Expression, Any], Expression]:
    def operate(self: Expression, other: Any) -> Expression:
        left, right = (other, self) if swapped else (self, other)
        return _binary(self._writer, left, sign, right)

    return operate


for _name, _sign in _BINARY.items():
    setattr(Expression, f"__{_name}__", _operator(_sign))
    if _sign[0] not in "<>=!":
        setattr(Expression, f"__r{_name}__", _operator(_sign, swapped=True))


class Named(tuple[Any, ...]):
    """A tuple that is known, and has a name in the script."""

    name: str

    def __new__(cls, values: Sequence[Any], name: str) -> "Named":
        """Name some values."""
        made = super().__new__(cls, values)
        made.name = name
        return made

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return Named(found, f"{self.name}[{_index(index)}]") if isinstance(index, slice) else found


class ScriptWriter:
    """The lines of a script so far, and what it needs.

    Attributes
    ----------
    lines : list of str
        Of the block that is being written.
    core_names, modules, helpers : set of str
        What is imported: functions of core, and other import lines; and small functions of its own.
    constants : list of str
        Lines that come before all others.
    suffix : str
        What names of variables end in.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.core_names: set[str] = set()
        self.modules: set[str] = {"import numpy as np"}
        self.helpers: set[str] = set()
        self.constants: list[str] = []
        self.suffix = ""
        self.outer: list[str] | None = None
        self._used: Counter[str] = Counter()
        self._parts: dict[str, Sequence[str]] = {}

    def line(self, text: str) -> None:
        """Add a line, broken where it is long."""
        self.lines.append(text)

    def variable(self, wish: str) -> str:
        """A name that no other variable has."""
        name = f"{wish}{self.suffix}"
        self._used[name] += 1
        return name if self._used[name] == 1 else f"{name}_{self._used[name]}"

    def assigned(self, text: str, wish: str) -> Expression:
        """A new variable with a value."""
        name = self.variable(wish)
        self.line(f"{name} = {text}")
        return Expression(self, name)

    def constant(self, name: str, value: Any) -> Expression:
        """A new constant of the script."""
        written = f"{name.upper()}{self.suffix}"
        self.constants.append(f"{written} = {literal(value)}")
        return Expression(self, written)

    def call(
        self,
        function: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        *,
        parts: Sequence[str] = (),
    ) -> Expression:
        """A call, the result of which gets a name; `parts` are those of a tuple that it gives."""
        given = [literal(value) for value in args]
        given += [f"{key}={literal(value)}" for key, value in kwargs.items()]
        text = f"{function}({', '.join(given)})"
        is_pure = function.startswith("np.") or function in self.core_names
        if is_pure and (known := self._known(text)) is not None:
            return Expression(self, known)
        found = self.assigned(text, _noun(function))
        self._parts[found._text] = parts
        return found

    def _known(self, text: str) -> str | None:
        """The variable of this block that holds what a call gives, where nothing was changed."""
        for line in reversed(self.lines):
            name, sign, value = line.partition(" = ")
            if value == text and name.isidentifier():
                return name
            if "[" in name or not sign:
                return None
        return None

    def unpacked(self, value: Expression) -> list[Expression]:
        """The parts of a tuple that core's function gives, in the line of its call."""
        name, parts = value._text, self._parts.get(value._text, ())
        if not parts or not self.lines or not self.lines[-1].startswith(f"{name} = "):
            raise NotWritable(f"a script does not know how many parts {name} has before it runs.")
        names = [self.variable(part) for part in parts]
        self.lines[-1] = ", ".join(names) + self.lines[-1].removeprefix(name)
        return [Expression(self, one) for one in names]

    def tidy(self, start: int, kept: Container[str]) -> None:
        """Take away what no later line needs, and the names of what is done for its effect.

        Parameters
        ----------
        start : int
            The first line to look at.
        kept : container of str
            Variables that are needed all the same.
        """
        for nth in range(len(self.lines) - 1, start - 1, -1):
            name, sign, value = self.lines[nth].strip().partition(" = ")
            if not sign or not name.isidentifier() or name in kept:
                continue
            used = re.compile(rf"\b{name}\b")
            if any(used.search(line) for line in self.lines[nth + 1 :]):
                continue
            function = value.partition("(")[0]
            if function.startswith("np.") or function in self.core_names:
                del self.lines[nth]
            else:
                indent = self.lines[nth][: -len(self.lines[nth].lstrip())]
                self.lines[nth] = f"{indent}{value}"

    @contextmanager
    def block(self) -> Iterator[list[str]]:
        """Lines that are kept apart, to be put into a block."""
        before, self.lines = self.lines, []
        inner = self.lines
        try:
            yield inner
        finally:
            self.lines = before

    @contextmanager
    def loop(self, is_loop: bool) -> Iterator[list[str]]:
        """Lines that come before a loop, where there is one, which is written meanwhile."""
        before, self.outer = self.outer, [] if is_loop else None
        try:
            yield [] if self.outer is None else self.outer
        finally:
            self.outer = before

    @contextmanager
    def before_loop(self) -> Iterator[None]:
        """Lines that are the same for all turns of the outermost loop."""
        inner = self.lines
        self.lines = inner if self.outer is None else self.outer
        try:
            yield
        finally:
            self.lines = inner


class WrittenCore:
    """Stands for `napari_seedbed.core`: its functions write that they are called."""

    def __init__(self, writer: ScriptWriter) -> None:
        self._writer = writer

    def __getattr__(self, name: str) -> "CoreFunction":
        if name.startswith("__"):
            raise AttributeError(name)
        return CoreFunction(self._writer, name)


class CoreFunction:
    """A function or class of core that a script calls."""

    def __init__(self, writer: ScriptWriter, name: str) -> None:
        from napari_seedbed import core

        self.name, self._writer, self._of = name, writer, getattr(core, name)

    @property
    def __signature__(self) -> Any:
        return signature(self._of)

    def __call__(self, *args: Any, **kwargs: Any) -> Expression:
        """Write the call: what comes after the image by its name, what is None by default not."""
        self.use()
        named = _by_name(self._of, args, kwargs)
        return self._writer.call(self.name, named[0], named[1], parts=_parts_of(self._of))

    def use(self) -> str:
        """Its name, which is imported from now on."""
        self._writer.core_names.add(self.name)
        return self.name


def _by_name(
    function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    declared = list(signature(function).parameters.values())
    if any(one.kind is Parameter.VAR_POSITIONAL for one in declared):
        return list(args), dict(kwargs)
    first = list(args[:1])
    named = dict(zip([one.name for one in declared[1:]], args[1:], strict=False))
    named.update(kwargs)
    defaults = {one.name: one.default for one in declared}
    return first, {
        key: value
        for key, value in named.items()
        if not (value is None and defaults.get(key, 0) is None)
    }


def _parts_of(function: Any) -> list[str]:
    """What the parts of a tuple are called that a function gives; none where it gives one thing."""
    given = getattr(function, "__annotations__", {}).get("return")
    parts = get_args(given) if get_origin(given) is tuple else ()
    noun = _noun(function.__name__)
    return [] if Ellipsis in parts else [_part(one, noun) for one in parts]


def _part(kind: Any, noun: str) -> str:
    return {dict: "columns", list: "notes"}.get(get_origin(kind), noun)


def _noun(function: str) -> str:
    """What a variable is called that holds what a function gives."""
    last = function.rsplit(".", 1)[-1]
    noun = re.split(r"_(?:in|of|at|from|with|by)(?:_|$)", last)[0]
    words = re.findall(r"[A-Z]?[a-z][a-z0-9]*", noun)
    return words[-1].lower() if words else "value"


def _shape_of_part(shape: tuple[int, ...], index: Any) -> tuple[int, ...] | None:
    """The shape of a part of an array, where that can be told from the index."""
    places = index if isinstance(index, tuple) else (index,)
    if any(isinstance(one, Expression) for one in places):
        return None
    return np.broadcast_to(np.False_, shape)[index].shape


def _index(index: Any) -> str:
    if isinstance(index, tuple):
        return ", ".join(_index(one) for one in index)
    if isinstance(index, slice):
        parts = ["" if one is None else literal(one) for one in (index.start, index.stop)]
        step = "" if index.step is None else f":{literal(index.step)}"
        return f"{parts[0]}:{parts[1]}{step}"
    return "..." if index is Ellipsis else literal(index)


def literal(value: Any) -> str:
    """A value as Python, or NotWritable."""
    if isinstance(value, Expression):
        return str(value)
    if isinstance(value, Named):
        return value.name
    if isinstance(value, CoreFunction):
        return value.use()
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str | bytes):
        return repr(value) if not isinstance(value, str) else _quoted(value)
    if isinstance(value, float):
        return repr(value) if np.isfinite(value) else f'float("{value}")'
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(k)}: {literal(v)}' for k, v in value.items())}}}"
    if isinstance(value, slice):
        return f"slice({literal(value.start)}, {literal(value.stop)}, {literal(value.step)})"
    if isinstance(value, type) and issubclass(value, np.generic):
        return f"np.{value.__name__}"
    if isinstance(value, np.ndarray):
        if value.size <= _MOST_NUMBERS:
            return f"np.array({literal(value.tolist())}, dtype=np.{value.dtype.name})"
        packed = b64encode(zlib.compress(np.ascontiguousarray(value).tobytes(), 9)).decode()
        return f'{PACKED}("{packed}", "{value.dtype.str}", {value.shape})'
    if is_dataclass(value) and not isinstance(value, type) and _is_of_core(type(value)):
        return f"{type(value).__name__}({', '.join(_arguments(value))})"
    if isinstance(value, type) and value in (bool, int, float, str):
        return value.__name__
    if isinstance(value, np.dtype):
        return f"np.dtype({value.name!r})"
    raise NotWritable(f"a script cannot hold a {type(value).__name__}.")


def _arguments(value: Any) -> list[str]:
    """Arguments that make an object of a dataclass anew; what is so by default is left out."""
    found = []
    for one in fields(value):
        text = literal(getattr(value, one.name))
        default = one.default if one.default_factory is MISSING else one.default_factory()
        if one.init and (default is MISSING or text != literal(default)):
            found.append(f"{one.name}={text}")
    return found


def _is_of_core(kind: type) -> bool:
    from napari_seedbed import core

    return getattr(core, kind.__name__, None) is kind


def _quoted(text: str) -> str:
    """A text in double quotes."""
    shown = repr(text)
    if shown[0] == "'" and '"' not in text:
        return f'"{shown[1:-1]}"'
    return shown
