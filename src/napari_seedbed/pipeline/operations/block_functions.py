"""What operations do in blocks, imported when it is first wanted."""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_seedbed.pipeline.engine.block_jobs import BlockJob


@dataclass(frozen=True)
class BlockFunction:
    """The `in_blocks` of an operation: a function of a module that costs time to import.

    Attributes
    ----------
    module : str
        Beside this one.
    name : str
        Of the function.
    """

    module: str
    name: str

    def __call__(self, job: "BlockJob") -> dict[str, Any] | None:
        """What the function gives for a job."""
        home = import_module(f"napari_seedbed.pipeline.operations.{self.module}")
        found: dict[str, Any] | None = getattr(home, self.name)(job)
        return found
