"""Values as JSON can hold them, with the arrays apart."""

import math
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.errors import InputError

TAG = "$"
"""The key that marks what JSON has no word for."""

_INLINE = 256
"""Arrays of no more elements are written out, so that a file is not a heap of tiny members."""

_NUMBERS = "biuf"

_LARGEST_TEXTS = 1 << 28
"""Letters of an array of texts, each counted as long as the longest."""


def to_plain(value: Any, arrays: dict[str, NDArray], name: str) -> Any:
    """Give a value as JSON can hold it; larger arrays go into `arrays` under names of their own.

    Tuples come back as lists, members of an enumeration as what they stand for, and arrays of
    objects as arrays of objects. No array is copied.

    Parameters
    ----------
    value : object
        None, numbers, texts, lists, mappings, arrays of numbers and of texts, nested at will.
    arrays : dict
        Grows.
    name : str
        What the value is called, as a path: arrays in it are named by it.

    Raises
    ------
    InputError
        For a value of another type.
    """
    if isinstance(value, Enum):
        return to_plain(value.value, arrays, name)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {TAG: "float", "value": repr(float(value))}
    if isinstance(value, np.ndarray | np.generic):
        return _plain_array(np.asarray(value), arrays, name)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [to_plain(one, arrays, f"{name}/{i}") for i, one in enumerate(value)]
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value) and TAG not in value:
            return {key: to_plain(one, arrays, f"{name}/{key}") for key, one in value.items()}
        pairs = [
            [to_plain(key, arrays, f"{name}/key{i}"), to_plain(one, arrays, f"{name}/{i}")]
            for i, (key, one) in enumerate(value.items())
        ]
        return {TAG: "pairs", "items": pairs}
    raise InputError(
        f"{name}: a value of type {type(value).__name__} cannot be kept; give numbers, texts, "
        "lists, mappings or arrays of them."
    )


def _plain_array(array: NDArray, arrays: dict[str, NDArray], name: str) -> Any:
    kind = array.dtype.kind
    if kind == "O":
        items = _plain_objects(array.ravel().tolist(), arrays, name)
        return {TAG: "objects", "shape": list(array.shape), "items": items}
    if kind == "U" and array.ndim == 0:
        return str(array)
    if kind == "U" or (kind in _NUMBERS and array.size <= _INLINE):
        # Texts are written out however many they are: in a member each is as long as the longest.
        items = array.ravel().tolist()
        if kind == "f":
            items = [to_plain(one, arrays, name) for one in items]
        return {
            TAG: "array",
            "dtype": "U" if kind == "U" else array.dtype.str,
            "shape": list(array.shape),
            "items": items,
        }
    if kind in _NUMBERS:
        key = name
        while key in arrays:
            key = f"{key}'"
        arrays[key] = array
        return {TAG: "member", "name": key}
    raise InputError(
        f"{name}: an array of {array.dtype} cannot be kept; give one of numbers or texts."
    )


def _plain_objects(items: list[Any], arrays: dict[str, NDArray], name: str) -> list[Any]:
    """Each item; one by one, texts and members of enumerations take 3 ms a thousand."""
    kinds = {type(one) for one in items}
    if kinds == {str}:
        return items
    if len(kinds) == 1 and issubclass(kinds.pop(), Enum):
        # as keys they are slow, too: their hash is that of their text
        members = {id(one): one for one in items}
        plain = {key: to_plain(one, arrays, name) for key, one in members.items()}
        return [plain[id(one)] for one in items]
    return [to_plain(one, arrays, f"{name}/{i}") for i, one in enumerate(items)]


def from_plain(plain: Any, arrays: Mapping[str, NDArray]) -> Any:
    """Give what `to_plain` was given, from values of a file that may be damaged.

    Raises
    ------
    InputError
        For what `to_plain` never gives, and for an array that is not in `arrays`.
    """
    if plain is None or isinstance(plain, bool | int | float | str):
        return plain
    try:
        if isinstance(plain, list):
            return [from_plain(one, arrays) for one in plain]
        if not isinstance(plain, dict):
            raise InputError(f"value: {type(plain).__name__} is no value of JSON.")
        if TAG not in plain:
            return {str(key): from_plain(one, arrays) for key, one in plain.items()}
        return _TAGGED[plain[TAG]](plain, arrays)
    except InputError:
        raise
    except RecursionError as error:
        raise InputError("value: it is nested too deeply.") from error
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"value: {str(plain)[:80]} is damaged.") from error


def _from_pairs(plain: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> dict[Any, Any]:
    pairs = [(from_plain(key, arrays), from_plain(one, arrays)) for key, one in plain["items"]]
    return dict(pairs)


def _from_objects(plain: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> NDArray:
    items = [from_plain(one, arrays) for one in plain["items"]]
    array = np.empty(len(items), object)
    array[:] = items
    return array.reshape(plain["shape"])


def _from_array(plain: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> Any:
    items = [from_plain(one, arrays) for one in plain["items"]]
    dtype = plain["dtype"]
    if dtype == "U":
        items = [str(item) for item in items]
        if len(items) * max(map(len, items), default=0) > _LARGEST_TEXTS:
            raise InputError("value: an array of texts is too large.")
    elif not re.fullmatch(f"[<>|][{_NUMBERS}][0-9]{{1,2}}", dtype):
        raise InputError(f"value: an array of {dtype[:20]} is never kept.")
    array = np.array(items, dtype).reshape(plain["shape"])
    return array if array.ndim else array[()]


def _from_member(plain: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> NDArray:
    if plain["name"] not in arrays:
        raise InputError(f"value: the array '{plain['name']}' is missing.")
    return arrays[plain["name"]]


def _from_float(plain: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> float:
    return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[plain["value"]]


_TAGGED = {
    "pairs": _from_pairs,
    "objects": _from_objects,
    "array": _from_array,
    "member": _from_member,
    "float": _from_float,
}
