"""What a recipe holds, and what makes it a sound one."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from napari_seedbed.errors import InputError, RecipeError
from napari_seedbed.pipeline.declarations import Operation, Role
from napari_seedbed.pipeline.operations import get, operations
from napari_seedbed.pipeline.parameters import check_parameters
from napari_seedbed.pipeline.provenance import package_version
from napari_seedbed.pipeline.seed_encoding import decode_seeds
from napari_seedbed.pipeline.shape_encoding import decode_shapes, points_from_text

if TYPE_CHECKING:
    from napari_seedbed.core.marks.shapes import Shape

FORMAT_VERSION = 1


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Seeds(_Model):
    """Seeds as text, see `seed_encoding`."""

    shape: tuple[int, ...]
    axes: tuple[str, ...]
    labels: tuple[int, ...]
    voxels: int
    runs: int
    data: str
    checksum: str

    def decode(self) -> NDArray[np.int32]:
        """The seeds as an array; zero where there is none."""
        return decode_seeds(self.model_dump())


class DrawnShape(_Model):
    """One shape to start from, see `shape_encoding`."""

    label: int = Field(ge=1, le=int(np.iinfo(np.int32).max))
    closed: bool = True
    time: int = Field(default=0, ge=0)
    points: str

    @field_validator("points")
    @classmethod
    def _check_points(cls, text: str) -> str:
        points_from_text(text)
        return text

    def decode(self) -> "Shape":
        """The shape, bit for bit as it was drawn."""
        return decode_shapes([self.model_dump()])[0]


class SourceImage(_Model):
    """The image that a recipe was made on: the chosen channels of it."""

    name: str
    fingerprint: str
    shape: tuple[int, ...]
    axes: tuple[str, ...]
    dtype: str
    rgb: bool = False
    spacing: tuple[float, ...]
    units: tuple[str, ...]

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Lengths of the spatial axes."""
        pairs = zip(self.axes, self.shape, strict=True)
        return tuple(n for axis, n in pairs if axis in ("z", "y", "x"))


class Step(_Model):
    """One operation of a recipe.

    Attributes
    ----------
    name : str
        What later steps call its output.
    operation : str
    parameters : dict
        Missing ones take their defaults.
    image : str
        What it works on: 'image' for the file, or the name of an earlier step.
    channels : tuple of int or None
        Channels of an earlier step's output; all when None.
    times : tuple of int or None
        Time points; all when None.
    seeds : Seeds or None
    shapes : tuple of DrawnShape or None
    """

    name: str
    operation: str
    parameters: dict[str, float | int | bool | str] = Field(default_factory=dict)
    image: str = "image"
    channels: tuple[int, ...] | None = None
    times: tuple[int, ...] | None = None
    seeds: Seeds | None = None
    shapes: tuple[DrawnShape, ...] | None = Field(default=None, min_length=1)

    @property
    def starts(self) -> tuple[Role, ...]:
        """The inputs that it has beside the image."""
        given: dict[Role, object] = {"seeds": self.seeds, "shapes": self.shapes}
        return tuple(role for role, value in given.items() if value is not None)


class Recipe(_Model):
    """How a result was made.

    Attributes
    ----------
    format_version : int
    created_with : str
        Version of napari-seedbed.
    libraries : dict
        Versions of what results may depend on.
    image : SourceImage
    channels : tuple of int or None
        Which channels of the file are used; all when None.
    steps : tuple of Step
        In order; the last one's outputs are the recipe's.
    """

    format_version: int = FORMAT_VERSION
    created_with: str
    libraries: dict[str, str] = Field(default_factory=dict)
    image: SourceImage
    channels: tuple[int, ...] | None = None
    steps: tuple[Step, ...] = Field(min_length=1)

    @property
    def seeds(self) -> Seeds | None:
        """Seeds of the last step that has some."""
        return next((step.seeds for step in reversed(self.steps) if step.seeds), None)

    @model_validator(mode="after")
    def _check_steps(self) -> "Recipe":
        names, known = {"image"}, {"image"}
        for step in self.steps:
            if step.operation not in operations:
                raise RecipeError(
                    f"The recipe uses the operation {step.operation!r}, which napari-seedbed "
                    f"{package_version()} does not have; update napari-seedbed."
                )
            operation = get(step.operation)
            try:
                check_parameters(operation.parameters, step.parameters, self.image.spacing)
            except InputError as error:
                raise RecipeError(f"The recipe's step {step.name!r}: {error}") from error
            if step.image not in known:
                raise RecipeError(
                    f"The recipe's step {step.name!r} works on {step.image!r}, which is neither "
                    "'image' nor the name of an earlier step that gives an image."
                )
            if step.name in names:
                raise RecipeError(f"The recipe has two steps of the name {step.name!r}.")
            _check_starts(step, operation)
            _check_axes(step, self.image)
            names.add(step.name)
            if operation.gives != "shapes":
                known.add(step.name)
        return self


def _check_starts(step: Step, operation: Operation) -> None:
    """Refuse a step without the seeds or shapes that it needs, or with needless ones."""
    for role in ("seeds", "shapes"):
        if role in operation.takes and role not in step.starts:
            raise RecipeError(f"The recipe's step {step.name!r} has no {role}.")
    chosen = [role for role in operation.one_of if role in step.starts]
    if operation.one_of and len(chosen) != 1:
        wrong = "both" if chosen else "no"
        wanted = f" {'and' if chosen else 'or'} ".join(operation.one_of)
        raise RecipeError(
            f"The recipe's step {step.name!r} has {wrong} {wanted}; it needs one of them."
        )
    for role in step.starts:
        if role not in (*operation.takes, *operation.one_of):
            raise RecipeError(
                f"The recipe's step {step.name!r} has {role}, but {operation.title} takes none."
            )


def _check_axes(step: Step, image: SourceImage) -> None:
    for number, shape in enumerate(step.shapes or (), start=1):
        n_axes = shape.decode().points.shape[1]
        if n_axes != len(image.spatial_shape):
            raise RecipeError(
                f"The recipe's step {step.name!r}: shape {number} is {n_axes}D and the recipe is "
                f"for a {len(image.spatial_shape)}D image."
            )
