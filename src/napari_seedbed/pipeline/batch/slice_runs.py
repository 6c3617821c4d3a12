"""A recipe for pictures applied to every slice of a volume, each by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import part_of
from napari_seedbed.errors import RecipeError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Columns, Points, Table, joined
from napari_seedbed.pipeline.engine.results import Result
from napari_seedbed.pipeline.engine.volumes import Output
from napari_seedbed.pipeline.operations.object_tables import object_table_of
from napari_seedbed.pipeline.recipes import replay
from napari_seedbed.pipeline.recipes.other_images import others_by_name
from napari_seedbed.pipeline.recipes.recipe_model import Recipe

SLICE = "slice"
"""Column of tables with the slice, counted from 0."""


def replay_by_slice(
    recipe: Recipe,
    image: Image,
    *,
    other: Image | Mapping[str, Image] | None = None,
    step: float | None = None,
    also_labels: str | None = None,
) -> Result:
    """Run a recipe that was made on a 2D image on every slice of a volume.

    Parameters
    ----------
    recipe : Recipe
        Without marks of people: those were made on one picture.
    image : Image
        With an axis z.
    other : Image or dict of str to Image, optional
        The further images of a recipe, as `replay` takes them: each a volume of as many slices, or
        a picture, which goes with every slice.
    step : float, optional
        Distance of slices that the image was given by hand.
    also_labels : str, optional
        An earlier step, whose labels are among the outputs too.

    Returns
    -------
    Result
        The slices' results together, as they are: labels count anew on every slice. Points and
        shapes have their slice as z, and tables a column ``slice``, counted from 0.

    Raises
    ------
    RecipeError
        When the recipe is for volumes or starts from marks.
    """
    if "z" in recipe.image.axes:
        raise RecipeError("The recipe was made on a volume; run it without --by-slice.")
    marked = next((s.name for s in recipe.steps if s.seeds or s.shapes), None)
    if marked is not None:
        raise RecipeError(
            f"The recipe's step {marked!r} starts from marks on one picture, which do not fit the "
            "slices of a volume. Open the volume in napari, mark it there, and save that recipe."
        )
    n_slices = image.shape[image.axes.index("z")]
    others = others_by_name(recipe, other)
    for one in others.values():
        if "z" in one.axes and one.shape[one.axes.index("z")] != n_slices:
            raise RecipeError(
                f"{one.name} has {one.shape[one.axes.index('z')]} slices and {image.name} "
                f"{n_slices}; give images of as many slices."
            )
    results = []
    for z in range(n_slices):
        here = {name: slice_of(one, z) for name, one in others.items()}
        with part_of(z, n_slices, f"slice {z + 1} of {n_slices}: "):
            results.append(
                replay(
                    recipe,
                    slice_of(image, z),
                    other=here,
                    is_part=True,
                    also_labels=also_labels,
                )
            )
    notes = _joined_notes([result.record["notes"] for result in results])
    notes.append(f"Each of the {n_slices} slices was worked on by itself; labels count anew on it.")
    record = {**results[-1].record, "notes": notes}
    outputs = {
        key: replace(
            _joined([result.outputs[key] for result in results], image, step), record=record
        )
        for key in results[0].outputs
    }
    return Result(outputs, record)


def slice_of(image: Image, z: int) -> Image:
    """One slice, without the axis z; the image itself where it has none."""
    if "z" not in image.axes:
        return image
    position = image.axes.index("z")
    return replace(
        image,
        array=image.array[(slice(None),) * position + (z,)],
        axes=tuple(axis for axis in image.axes if axis != "z"),
        spacing=image.spacing[1:],
        units=image.units[1:],
        translate=image.translate[1:],
        record=None,
    )


def object_table_by_slice(labels: Image, image: Image | None = None) -> dict[str, NDArray]:
    """As `object_table_of`, of every slice, which the first column counts from 0."""
    tables = []
    for z in range(labels.shape[labels.axes.index("z")]):
        here = None if image is None else slice_of(image, z)
        tables.append(_at_slice(z, object_table_of(slice_of(labels, z), here)))
    return joined(tables)


def _at_slice(z: int, columns: Columns) -> Columns:
    n_rows = len(next(iter(columns.values()), ()))
    return {SLICE: np.full(n_rows, z), **columns}


def _joined_notes(by_slice: Sequence[Sequence[str]]) -> list[str]:
    """What every slice says once, and what only some say with the slice, counted from 1."""
    common = [note for note in by_slice[0] if all(note in notes for notes in by_slice)]
    found = list(common)
    for number, notes in enumerate(by_slice, start=1):
        found += [f"Slice {number}: {note}" for note in notes if note not in common]
    return found


def _joined(parts: Sequence[Output], image: Image, step: float | None) -> Output:
    """The outputs of all slices as one, at the place of the volume."""
    first: Any = parts[0]
    if isinstance(first, Table):
        tables = [p for p in parts if isinstance(p, Table)]
        return replace(
            first, columns=joined([_at_slice(z, p.columns) for z, p in enumerate(tables)])
        )
    distance, unit = image.spacing[0], image.units[0]
    if first.units[:1] != image.units[1:2]:
        # The size of pixels is the recipe's, so what is not given is as high as they are.
        unit = first.units[0]
        distance = step or distance / image.spacing[1] * first.spacing[0]
    place: dict[str, Any] = {
        "spacing": (distance, *first.spacing),
        "units": (unit, *first.units),
        "translate": (image.translate[0], *first.translate),
    }
    if isinstance(first, Points):
        points = [p for p in parts if isinstance(p, Points)]
        return replace(
            first,
            points=np.concatenate([_with_z(z, p.points) for z, p in enumerate(points)]),
            times=np.concatenate([p.times for p in points]),
            columns=joined([p.columns for p in points]),
            **place,
        )
    if isinstance(first, Shapes):
        shapes = tuple(
            replace(shape, points=_with_z(z, shape.points))
            for z, part in enumerate(parts)
            if isinstance(part, Shapes)
            for shape in part.shapes
        )
        return replace(first, shapes=shapes, **place)
    position = first.axes.index("y")
    axes = (*first.axes[:position], "z", *first.axes[position:])
    arrays = [part.array for part in parts if isinstance(part, Image)]
    return replace(first, array=np.stack(arrays, axis=position), axes=axes, **place)


def _with_z(z: int, points: NDArray) -> NDArray:
    return np.insert(points, 0, z, axis=1)
