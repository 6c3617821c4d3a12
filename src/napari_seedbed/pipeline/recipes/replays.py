"""Recipes: how a result was made, with its seeds and shapes, as a YAML file that replays it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from napari_seedbed.core.progress import part_of
from napari_seedbed.errors import RecipeError
from napari_seedbed.pipeline.data.fingerprint import Fingerprint
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.data.tables import Points
from napari_seedbed.pipeline.engine.block_plans import Blocks
from napari_seedbed.pipeline.engine.volumes import Output
from napari_seedbed.pipeline.engine.windows import region_from_bounds
from napari_seedbed.pipeline.files import atomic_files
from napari_seedbed.pipeline.operations import Result, get, run
from napari_seedbed.pipeline.recipes.kept_results import KeptResults, steps_to_run
from napari_seedbed.pipeline.recipes.other_images import (
    fitted_other,
    other_files_in_words,
    others_by_name,
)
from napari_seedbed.pipeline.recipes.recipe_fitting import fitted
from napari_seedbed.pipeline.recipes.recipe_model import (
    FORMAT_VERSION,
    DrawnShape,
    Recipe,
    Seeds,
    SourceImage,
    Step,
)
from napari_seedbed.pipeline.recipes.recipe_text import read_yaml, yaml_text
from napari_seedbed.pipeline.recipes.recorded_files import RecordedFiles

_QUOTED = 200

BlocksOf = Callable[[Step, Mapping[str, Image | Shapes]], Blocks | None]
"""Whether a step works in blocks on its inputs, and where its voxels go."""


def recipe_from_record(record: Mapping[str, Any]) -> Recipe:
    """The recipe that repeats what `record` (`Result.record`, a layer's metadata) describes.

    Earlier operations that the image went through come first, as far as its records say.

    Raises
    ------
    RecipeError
        For a record of a live run, which is not exact, or one that is incomplete.
    """
    return making_of(record).recipe


@dataclass(frozen=True)
class Making:
    """How a result was made.

    Attributes
    ----------
    recipe : Recipe
    records : dict of str to mapping
        Of each step, the record of the run that it repeats.
    """

    recipe: Recipe
    records: Mapping[str, Mapping[str, Any]]


def making_of(record: Mapping[str, Any]) -> Making:
    """The recipe that repeats what a record describes, and where each step comes from.

    Raises
    ------
    RecipeError
        As `recipe_from_record`.
    """
    tree = _Tree()
    tree.add(record)
    source = tree.files.first
    recipe = Recipe(
        created_with=record["version"],
        libraries=record["libraries"],
        image=SourceImage(**{name: source[name] for name in SourceImage.model_fields}),
        channels=source["channels"],
        others=tree.files.others(),
        steps=tuple(tree.steps),
        notes=tuple(record.get("lacks", ())),
    )
    return Making(recipe, {name: made for made, name in tree.names})


class _Tree:
    """Steps of a recipe, from the records of a result and of all that it was made from."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.files = RecordedFiles()
        self.names: list[tuple[Mapping[str, Any], str]] = []

    def add(self, record: Mapping[str, Any]) -> str:
        """Add the steps that lead to a record, each once; return the name of the last."""
        if record.get("live"):
            raise RecipeError(
                "This result is a live preview; run once more before saving the recipe."
            )
        known = next((name for entry, name in self.names if entry == record), None)
        if known is not None:
            return known
        inputs = {entry.get("role", "image"): entry for entry in record["inputs"]}
        image, image_channels = self._input(inputs["image"])
        other, other_channels = None, None
        if "other" in inputs:
            other, other_channels = self._input(inputs["other"])
        seeds_from = self._input(inputs["seeds"])[0] if "seeds" in inputs else None
        operation = record["operation"]
        same = sum(step.operation == operation for step in self.steps)
        name = operation + (f"_{same + 1}" if same else "")
        self.steps.append(
            Step(
                name=name,
                operation=operation,
                parameters=record["parameters"],
                image=image,
                channels=image_channels,
                times=record["times"] if record["skipped_times"] else None,
                region=record.get("region"),
                other=other,
                other_channels=other_channels,
                seeds=None if seeds_from else record["seeds"],
                seeds_from=seeds_from,
                shapes=record.get("shapes"),
            )
        )
        self.names.append((record, name))
        return name

    def _input(self, entry: Mapping[str, Any]) -> tuple[str, Any]:
        """What a step calls an input, and its channels of that."""
        made = entry.get("made_by")
        if made:
            name = self.add(made)
            key = entry.get("made_as") or "image"
            if key != get(made["operation"]).gives:
                name = f"{name}.{key}"
            return name, entry["channels"]
        return self.files.place_of(entry)


def replay(
    recipe: Recipe,
    image: Image,
    *,
    other: Image | Mapping[str, Image] | None = None,
    step: float | None = None,
    is_part: bool = False,
    also_labels: str | None = None,
    kept: KeptResults | None = None,
    blocks_of: BlocksOf | None = None,
) -> Result:
    """Run a recipe on an image: bit for bit the same result on the same image.

    On the same voxels the recipe's voxel size counts, because it may have been set by hand. On
    others the image's own does, where it states a unit, and lengths are converted to that unit.

    Parameters
    ----------
    recipe : Recipe
    image : Image
        With all channels of its file.
    other : Image or dict of str to Image, optional
        The further images of a recipe that works on several, by their names in the recipe
        (`Recipe.other_names`), each with all channels of its file; alone where there is one.
    step : float, optional
        Distance of slices that the image was given by hand: it counts whatever the recipe says.
    is_part : bool
        Whether the image is a part of another one, whose voxel size counts for all its parts.
    also_labels : str, optional
        An earlier step, whose labels are among the outputs too.
    kept : KeptResults, optional
        What earlier replays have given: steps that nothing has changed for are not run again.
    blocks_of : callable, optional
        Says for a step and its inputs whether it works in blocks, and where its voxels go.

    Returns
    -------
    Result
        Of the last step that is not switched off. ``record['notes']`` says in plain words which are
        switched off, and what differs from the image and the versions that the recipe was made
        with.

    Raises
    ------
    RecipeError
        When the recipe does not fit the image.
    """
    recipe, image, notes = fitted(recipe.in_force, image, step=step, is_part=is_part)
    notes = [*recipe.notes, *notes]
    sources = {"image": image}
    for name, given in others_by_name(recipe, other).items():
        sources[name], said = fitted_other(recipe, name, given, image, step=step, is_part=is_part)
        notes += said
    found = None if kept is None else kept.find(recipe, sources)
    known = {} if found is None else found.known
    to_run = steps_to_run(recipe.steps, known, [also_labels] if also_labels else [])
    made: dict[str, Output] = {**sources}
    for part in recipe.steps:
        result = known.get(part.name)
        if part.name in to_run:
            with part_of(to_run.index(part.name), len(to_run)):
                inputs = _inputs_for(part, made)
                blocks = None
                if blocks_of is not None and part.region is None:
                    blocks = blocks_of(part, inputs)
                result = run(
                    part.operation,
                    inputs,
                    part.parameters,
                    times=part.times,
                    region=region_from_bounds(part.region),
                    blocks=blocks,
                )
            if found is not None:
                found.add(part, result)
        if result is None:
            # nothing that is wanted comes of it
            continue
        notes += result.record["notes"]
        main = get(part.operation).gives
        for key, output in result.outputs.items():
            made[part.name if key == main else f"{part.name}.{key}"] = output
    if found is not None:
        found.end()
    assert result is not None
    record = {**result.record, "notes": notes}
    outputs = {key: replace(out, record=record) for key, out in result.outputs.items()}
    if also_labels is not None:
        outputs["labels"] = made[also_labels]
    return Result(outputs, record)


def _inputs_for(step: Step, made: Mapping[str, Output]) -> dict[str, Image | Shapes]:
    """The inputs of a step, out of what there is so far."""
    image = _image_named(step.image, step.channels, step, made)
    inputs: dict[str, Image | Shapes] = {"image": image}
    if step.other is not None:
        inputs["other"] = _image_named(step.other, step.other_channels, step, made)
    if step.seeds_from is not None:
        inputs["seeds"] = _made_seeds(step, step.seeds_from, image, made)
    if step.seeds is not None:
        inputs["seeds"] = _seeds_for(step.seeds, image)
    if step.shapes_from is not None:
        shapes = _made(step.shapes_from, step, made)
        if not isinstance(shapes, Shapes):
            raise RecipeError(
                f"The recipe's step {step.name!r}: {step.shapes_from!r} gives no shapes."
            )
        inputs["shapes"] = shapes
    if step.shapes is not None:
        inputs["shapes"] = _shapes_for(step.shapes, image)
    return inputs


def _made(name: str, step: Step, made: Mapping[str, Output]) -> Output:
    if name not in made:
        raise RecipeError(
            f"The recipe's step {step.name!r} needs {name!r}, which no step before it gives; "
            "perhaps it is an output that has to be switched on there."
        )
    return made[name]


def _image_named(
    name: str, channels: Sequence[int] | None, step: Step, made: Mapping[str, Output]
) -> Image:
    image = _made(name, step, made)
    if not isinstance(image, Image):
        raise RecipeError(f"The recipe's step {step.name!r}: {name!r} gives no image.")
    return image if channels is None else image.select_channels(channels)


def _made_seeds(step: Step, name: str, image: Image, made: Mapping[str, Output]) -> Image:
    """Labels of an earlier step, or its points as balls of a voxel's size, numbered from 1."""
    from napari_seedbed.core import seeds_from_points

    given = _made(name, step, made)
    if isinstance(given, Image):
        return given
    if not isinstance(given, Points):
        raise RecipeError(f"The recipe's step {step.name!r}: {name!r} gives no seeds.")
    axes = tuple(axis for axis in image.axes if axis != "c")
    labels = np.arange(1, len(given) + 1)
    drawn = []
    for t in range(image.n_times):
        now = given.times == t
        drawn.append(seeds_from_points(given.points[now], labels[now], image.spatial_shape, 0))
    array = drawn[0] if image.time_axis is None else np.stack(drawn, axis=axes.index("t"))
    seeds = Image(array, axes, image.spacing, image.units, name="seeds")
    assert given.record is not None
    # So a record of what is grown from them knows that these voxels are the points.
    outputs = {**given.record["outputs"], "points": Fingerprint(seeds).channels()}
    return replace(seeds, record={**given.record, "outputs": outputs})


def _seeds_for(seeds: Seeds, image: Image) -> Image:
    wanted = tuple(n for n, axis in zip(image.shape, image.axes, strict=True) if axis != "c")
    axes = tuple(axis for axis in image.axes if axis != "c")
    stored = dict(zip(seeds.axes, seeds.shape, strict=False))
    if stored != dict(zip(axes, wanted, strict=True)):
        raise RecipeError(
            f"The recipe's seeds are for an image of shape {seeds.shape}, but {image.name} "
            f"has shape {wanted}. Open the image in napari and mark seeds on it."
        )
    array = seeds.decode_sparsely() if image.is_lazy else seeds.decode()
    return Image(array, seeds.axes, image.spacing, image.units, name="seeds")


def _shapes_for(drawn: Sequence[DrawnShape], image: Image) -> Shapes:
    shapes = tuple(shape.decode() for shape in drawn)
    latest = max(shape.time for shape in shapes)
    if latest >= image.n_times:
        raise RecipeError(
            f"The recipe has a shape at time point {latest}, counted from 0, but {image.name} has "
            f"{image.n_times}. Open the image in napari and draw shapes on it."
        )
    return Shapes(shapes)


def save_recipe(path: str | PathLike[str], recipe: Recipe) -> Path:
    """Write a recipe; whole or not at all.

    Raises
    ------
    FileError
        When the file cannot be written.
    """
    content = recipe.model_dump(mode="json", exclude_none=True)
    for name in ("others", "notes"):
        if not content[name]:
            del content[name]
    for step in content["steps"]:
        if not step["skip"]:
            del step["skip"]
        if "seeds" in step:
            step["seeds"]["data"] = "\n".join(re.findall(".{1,88}", step["seeds"]["data"]))
    text = yaml_text(content)
    images = " ".join(["IMAGE", *(f"--other {one}" for one in other_files_in_words(recipe))])
    path = Path(path)
    with atomic_files.written_whole(path) as temporary:
        temporary.write_text(
            f"# napari-seedbed recipe: seedbed run {path.name} {images}\n{text}", "utf-8"
        )
    return path


def load_recipe(path: str | PathLike[str]) -> Recipe:
    """Read a recipe; nothing in it is executed.

    Raises
    ------
    FileError
        When the file cannot be read.
    RecipeError
        When it is no recipe, is damaged, or comes from a newer version.
    """
    path = Path(path)
    content = read_yaml(path)
    if not isinstance(content, dict) or "format_version" not in content:
        raise RecipeError(f"{path} is not a recipe: it has no format_version.")
    version = content["format_version"]
    if not isinstance(version, int) or version < 1:
        raise RecipeError(f"{path} is not a recipe: its format_version is {_short(repr(version))}.")
    if version > FORMAT_VERSION:
        maker = _short(str(content.get("created_with", "?")))
        raise RecipeError(
            f"{path} was made with a newer napari-seedbed ({maker}): "
            f"its format is {version} and this version reads up to {FORMAT_VERSION}. Update "
            "napari-seedbed: pip install --upgrade napari-seedbed."
        )
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        own = first.get("ctx", {}).get("error")
        place = ".".join(str(part) for part in first["loc"])
        if isinstance(own, RecipeError):
            where = f" at {place}" if place else ""
            raise RecipeError(f"{path}{where}: {_short(str(own))}") from error
        raise RecipeError(
            f"{path} is damaged at {_short(place) or 'the file'}: {first['msg']}."
        ) from error


def _short(text: str) -> str:
    """A text that may quote a recipe, so that it stays one to read."""
    return text if len(text) <= 2 * _QUOTED else f"{text[:_QUOTED]} … {text[-_QUOTED:]}"
