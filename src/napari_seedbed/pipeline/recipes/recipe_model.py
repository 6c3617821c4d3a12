"""What a recipe holds, and what makes it a sound one."""

import math
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)

from napari_seedbed.errors import InputError, RecipeError
from napari_seedbed.pipeline.data.image import SPATIAL
from napari_seedbed.pipeline.data.sparse_labels import SparseLabels
from napari_seedbed.pipeline.encodings.seed_encoding import (
    decode_seeds,
    decode_sparse_seeds,
    runs_of_seeds,
)
from napari_seedbed.pipeline.encodings.shape_encoding import decode_shapes, points_from_text
from napari_seedbed.pipeline.engine.declarations import Operation, Role
from napari_seedbed.pipeline.engine.parameters import check_parameters
from napari_seedbed.pipeline.engine.provenance import package_version
from napari_seedbed.pipeline.engine.registry import renamed
from napari_seedbed.pipeline.operations import get, operations
from napari_seedbed.pipeline.recipes.switched_off import steps_in_force

if TYPE_CHECKING:
    from napari_seedbed.core.marks.shapes import Shape

FORMAT_VERSION = 1
OTHER = "other"
"""What steps call the second file; those after it are other_2, other_3 and so on."""

# A tenth of a picometre in metres, and much less than that in other units.
_FINEST = 1e-13
_MOST_VOXELS = 1 << 48

WORDS: dict[Role, str] = {"other": "second image", "seeds": "seeds", "shapes": "shapes"}

IMAGES = ("image", "labels", "mask")
"""Kinds of main outputs that a later step can work on."""


Index = Annotated[int, Field(ge=0)]

OtherName = Annotated[str, Field(pattern=r"^[A-Za-z]\w*$")]
"""What steps can call a file: a word of letters, digits and underscores."""


class _Model(BaseModel):
    # A name such as 1e5 is a number to YAML.
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Seeds(_Model):
    """Seeds as text, see `seed_encoding`."""

    shape: tuple[int, ...]
    axes: tuple[str, ...]
    labels: tuple[int, ...]
    voxels: int
    runs: int
    data: str
    checksum: str

    def check(self) -> None:
        """Raise RecipeError where they are damaged, or other than the file says of them."""
        runs_of_seeds(self.model_dump())

    def decode(self) -> NDArray[np.int32]:
        """The seeds as an array; zero where there is none."""
        return decode_seeds(self.model_dump())

    def decode_sparsely(self) -> SparseLabels:
        """The same for images larger than memory."""
        return decode_sparse_seeds(self.model_dump())


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

    @model_validator(mode="after")
    def _check_axes(self) -> Self:
        spatial = tuple(axis for axis in self.axes if axis in SPATIAL)
        if spatial not in (SPATIAL, SPATIAL[1:]) or len(set(self.axes)) < len(self.axes):
            raise RecipeError(
                f"axes: {list(self.axes)} must be different names, with y, x or z, y, x in this "
                "order among them."
            )
        if len(self.shape) != len(self.axes):
            raise RecipeError(
                f"shape: {list(self.shape)} has {len(self.shape)} lengths for {len(self.axes)} "
                f"axes, {list(self.axes)}; give one for each."
            )
        if min(self.shape) < 1 or math.prod(self.shape) > _MOST_VOXELS:
            raise RecipeError(f"shape: {list(self.shape)} is not the size of an image.")
        for field, values in (("spacing", self.spacing), ("units", self.units)):
            if len(values) != len(spatial):
                raise RecipeError(
                    f"{field}: {list(values)} has {len(values)} values for the axes "
                    f"{list(spatial)}; give one for each."
                )
        if not all(_FINEST <= step <= 1 / _FINEST for step in self.spacing):
            raise RecipeError(
                f"spacing: {list(self.spacing)} is not the size of a voxel; give lengths from "
                f"{_FINEST:g} to {1 / _FINEST:g}."
            )
        return self

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Lengths of the spatial axes."""
        pairs = zip(self.axes, self.shape, strict=True)
        return tuple(n for axis, n in pairs if axis in SPATIAL)


class OtherImage(SourceImage):
    """A further image that a recipe was made on.

    Attributes
    ----------
    channels : tuple of int or None
        Which channels of its file that is; all when None.
    """

    channels: tuple[Index, ...] | None = Field(default=None, min_length=1)


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
        What it works on: 'image' for the file, the name of another file, or of an earlier step.
    channels : tuple of int or None
        Channels of an earlier step's output; all when None.
    times : tuple of int or None
        Time points; all when None.
    region : tuple of (int, int) or None
        First voxel and the one after the last along each spatial axis; all when None.
    other : str or None
        The second image: 'image', an earlier step, or the name of another file ('other').
    other_channels : tuple of int or None
        Channels of it; all when None.
    seeds : Seeds or None
    seeds_from : str or None
        An earlier step that gives labels or points to take as seeds.
    shapes : tuple of DrawnShape or None
    shapes_from : str or None
        An earlier step that gives shapes.
    skip : bool
        Whether it is switched off: what it works on is handed on to the steps after it.

    An output of an earlier step that is not its main one is named with a dot: 'walker.uncertainty'.
    """

    name: str
    operation: str
    parameters: dict[str, float | int | bool | str] = Field(default_factory=dict)
    image: str = "image"
    channels: tuple[Index, ...] | None = Field(default=None, min_length=1)
    times: tuple[Index, ...] | None = None
    region: tuple[tuple[Index, Index], ...] | None = None
    other: str | None = None
    other_channels: tuple[Index, ...] | None = Field(default=None, min_length=1)
    seeds: Seeds | None = None
    seeds_from: str | None = None
    shapes: tuple[DrawnShape, ...] | None = Field(default=None, min_length=1)
    shapes_from: str | None = None
    skip: bool = False

    @model_validator(mode="before")
    @classmethod
    def _rename(cls, fields: Any) -> Any:
        """Read the names that operations had in earlier versions as those that they have now."""
        if not isinstance(fields, dict):
            return fields
        operation, parameters = fields.get("operation"), fields.get("parameters", {})
        if not isinstance(operation, str) or not isinstance(parameters, dict):
            return fields
        operation, parameters = renamed(operation, parameters)
        return {**fields, "operation": operation, "parameters": parameters}

    @property
    def starts(self) -> tuple[Role, ...]:
        """The inputs that it has beside the image."""
        given: dict[Role, object] = {
            "other": self.other,
            "seeds": self.seeds or self.seeds_from,
            "shapes": self.shapes or self.shapes_from,
        }
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
    others : dict of str to OtherImage
        The further images that it was made on, by what steps call them, in the order in which
        people name them. Recipes of earlier versions do not describe the one that they call
        'other'.
    steps : tuple of Step
        In order; the last one's outputs are the recipe's.
    notes : tuple of str
        What the steps do not repeat of the result that the recipe is of, a sentence each.
    """

    format_version: int = FORMAT_VERSION
    created_with: str
    libraries: dict[str, str] = Field(default_factory=dict)
    image: SourceImage
    channels: tuple[Index, ...] | None = Field(default=None, min_length=1)
    others: dict[OtherName, OtherImage] = Field(default_factory=dict)
    steps: tuple[Step, ...] = Field(min_length=1)
    notes: tuple[str, ...] = ()
    _from_files: frozenset[str] = PrivateAttr(default=frozenset())

    def with_marks(self, role: str, steps: tuple[Step, ...], note: str) -> "Recipe":
        """The same with steps that start from seeds or shapes which are not its own."""
        changed = self.model_copy(update={"steps": steps, "notes": (*self.notes, note)})
        changed._from_files = self._from_files | {role}
        return changed

    @property
    def in_force(self) -> "Recipe":
        """The same without the steps that are switched off, which notes name."""
        off = [(nth, step) for nth, step in enumerate(self.steps, start=1) if step.skip]
        if not off:
            return self
        told = [f"Step {nth}, {get(step.operation).title}, is switched off." for nth, step in off]
        steps = steps_in_force(self.steps)
        return self.model_copy(update={"steps": steps, "notes": (*self.notes, *told)})

    @property
    def own_starts(self) -> list[str]:
        """'seeds' and 'shapes', where some are stored in the recipe and not given from a file."""
        held = {
            "seeds": any(step.seeds for step in self.steps),
            "shapes": any(step.shapes for step in self.steps),
        }
        return [role for role, there in held.items() if there and role not in self._from_files]

    @property
    def seeds(self) -> Seeds | None:
        """Seeds of the last step that has some."""
        return next((step.seeds for step in reversed(self.steps) if step.seeds), None)

    @property
    def other_names(self) -> tuple[str, ...]:
        """What steps call the files that they work on beside 'image', in order."""
        used = {name for step in self.steps for name in (step.image, step.other, step.seeds_from)}
        return tuple(name for name in self._possible_others if name in used)

    @property
    def _possible_others(self) -> tuple[str, ...]:
        return tuple(self.others) or (OTHER,)

    @model_validator(mode="after")
    def _check_steps(self) -> "Recipe":
        if "image" in self.others:
            raise RecipeError("others: 'image' is what steps call the first file; rename it.")
        names = {"image", *self._possible_others}
        known = set(names)
        starts: set[str] = set()
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
                    "'image' nor the name of another file, nor of an earlier step that gives an "
                    "image."
                )
            if step.other is not None and step.other not in known:
                raise RecipeError(
                    f"The recipe's step {step.name!r} takes {step.other!r} as its second image, "
                    "which is neither 'image' nor the name of another file, nor of an earlier step "
                    "that gives an image."
                )
            for start in (step.seeds_from, step.shapes_from):
                if start is not None and start not in known | starts:
                    raise RecipeError(
                        f"The recipe's step {step.name!r} starts from {start!r}, which is not the "
                        "name of an earlier step."
                    )
            if (step.seeds and step.seeds_from) or (step.shapes and step.shapes_from):
                raise RecipeError(
                    f"The recipe's step {step.name!r} starts both from what is in the recipe and "
                    "from an earlier step; leave one of them out."
                )
            if step.name in names or "." in step.name:
                what = "two steps of" if step.name in names else "a step with a dot in"
                raise RecipeError(f"The recipe has {what} the name {step.name!r}.")
            _check_starts(step, operation)
            _check_axes(step, self.image)
            names.add(step.name)
            (known if operation.gives in IMAGES else starts).add(step.name)
            for extra in operation.extra_outputs:
                home = starts if extra in ("shapes", "points", "table") else known
                home.add(f"{step.name}.{extra}")
        steps_in_force(self.steps)
        return self


def _check_starts(step: Step, operation: Operation) -> None:
    """Refuse a step without the seeds or shapes that it needs, or with needless ones."""
    for role in ("other", "seeds", "shapes"):
        if role in operation.takes and role not in step.starts:
            raise RecipeError(f"The recipe's step {step.name!r} has no {WORDS[role]}.")
    chosen = [role for role in operation.one_of if role in step.starts]
    if operation.one_of and len(chosen) != 1:
        wrong = "both" if chosen else "no"
        wanted = f" {'and' if chosen else 'or'} ".join(operation.one_of)
        raise RecipeError(
            f"The recipe's step {step.name!r} has {wrong} {wanted}; it needs one of them."
        )
    for role in step.starts:
        if role not in operation.roles:
            raise RecipeError(
                f"The recipe's step {step.name!r} has {WORDS[role]}, but {operation.title} takes "
                "none."
            )


def _check_axes(step: Step, image: SourceImage) -> None:
    for number, shape in enumerate(step.shapes or (), start=1):
        n_axes = shape.decode().points.shape[1]
        if n_axes != len(image.spatial_shape):
            raise RecipeError(
                f"The recipe's step {step.name!r}: shape {number} is {n_axes}D and the recipe is "
                f"for a {len(image.spatial_shape)}D image."
            )
