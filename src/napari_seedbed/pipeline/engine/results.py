"""What a run gives: outputs by name, with the record of how they were made."""

from dataclasses import dataclass
from typing import Any, TypeVar

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Points, Table
from napari_seedbed.pipeline.engine.volumes import Output

Kind = TypeVar("Kind", Image, Shapes, Points, Table)


@dataclass(frozen=True)
class Result:
    """What `run` gives: outputs by name, the main one under `Operation.gives`, and their record.

    Those called 'shapes' are `Shapes`, 'points' `Points`, 'table' a `Table`, all others images.
    """

    outputs: dict[str, Output]
    record: dict[str, Any]

    def image(self, name: str) -> Image:
        """An output that is an image."""
        return self._of_kind(name, Image)

    def shapes(self, name: str = "shapes") -> Shapes:
        """An output that holds shapes."""
        return self._of_kind(name, Shapes)

    def points(self, name: str = "points") -> Points:
        """An output that holds points."""
        return self._of_kind(name, Points)

    def table(self, name: str = "table") -> Table:
        """An output that is a table."""
        return self._of_kind(name, Table)

    def _of_kind(self, name: str, kind: type[Kind]) -> Kind:
        output = self.outputs.get(name)
        if not isinstance(output, kind):
            there = ", ".join(f"{key} ({type(out).__name__})" for key, out in self.outputs.items())
            raise InputError(
                f"{name}: there is no output of that name that is of the kind {kind.__name__}; "
                f"there are {there}."
            )
        return output
