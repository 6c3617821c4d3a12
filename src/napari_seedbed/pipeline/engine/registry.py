"""The registry of operations: which there are, by name."""

from collections.abc import Iterable, Mapping
from typing import Any

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.engine.declarations import Operation

operations: dict[str, Operation] = {}

RENAMED: dict[str, tuple[str, dict[str, Any]]] = {
    "threshold_otsu": ("threshold", {"method": "otsu", "objects": "light", "per": "volume"}),
}
"""Names of earlier versions: the operation that each is now, and the parameters that go with it."""


def register(declared: Iterable[Operation]) -> None:
    """Add operations to those that there are."""
    operations.update((operation.name, operation) for operation in declared)


def names() -> tuple[str, ...]:
    """Names of all operations."""
    return tuple(operations)


def get(name: str) -> Operation:
    """The operation that has or had that name, or InputError listing those that there are."""
    name, _ = renamed(name)
    if name not in operations:
        raise InputError(f"operation: there is no {name!r}; known are {', '.join(operations)}.")
    return operations[name]


def renamed(
    name: str, parameters: Mapping[str, Any] | None = None
) -> tuple[str, Mapping[str, Any]]:
    """The name that an operation has now, and its parameters with those that go with the name."""
    name, fixed = RENAMED.get(name, (name, {}))
    return name, {**fixed, **(parameters or {})}


def former_names(operation: Operation) -> tuple[str, ...]:
    """Names that the operation had in earlier versions."""
    return tuple(old for old, (new, _) in RENAMED.items() if new == operation.name)


def resolved(
    operation: Operation | str, parameters: Mapping[str, Any] | None
) -> tuple[Operation, Mapping[str, Any]]:
    """An operation, given itself or by a name of any version, and the parameters that it gets."""
    if isinstance(operation, Operation):
        return operation, parameters or {}
    name, parameters = renamed(operation, parameters)
    return get(name), parameters
