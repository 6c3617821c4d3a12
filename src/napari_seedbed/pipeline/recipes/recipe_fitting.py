"""A recipe made to fit another image: its channels, its voxel size, and the unit of its lengths."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from napari_seedbed.errors import RecipeError
from napari_seedbed.pipeline.data.fingerprint import fingerprint
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.units import convert
from napari_seedbed.pipeline.engine.inputs import in_one_unit
from napari_seedbed.pipeline.engine.parameters import Parameter, Value
from napari_seedbed.pipeline.engine.provenance import library_versions, package_version
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.recipes.recipe_model import Recipe, SourceImage, Step

# Sizes that differ by less are those of one microscope, rounded by two programs.
_SAME_SIZE = 1e-3


def fitted(
    recipe: Recipe, image: Image, *, step: float | None = None, is_part: bool = False
) -> tuple[Recipe, Image, list[str]]:
    """The recipe with lengths for the image, its channels of the image, and what differs.

    Parameters
    ----------
    recipe : Recipe
    image : Image
    step : float, optional
        Distance of slices that the image was given by hand.
    is_part : bool
        Whether the image is a part of another one, whose voxel size counts for all its parts.

    Returns
    -------
    recipe : Recipe
        With lengths in the unit of the image.
    image : Image
        With the voxel size that counts.
    notes : list of str
        In plain words.

    Raises
    ------
    RecipeError
        When the recipe does not fit the image.
    """
    _check_dimensions(recipe, image)
    image, same = _choose_channels(recipe, image)
    notes = []
    if not same:
        notes.append(
            f"{image.name} is not the image that the recipe was made on ({recipe.image.name}): its "
            f"fingerprint differs. The recipe's {_reused(recipe)} were reused{_made_anew(recipe)}."
        )
    calibrated = is_calibrated(image)
    if (same and not is_part) or not calibrated:
        image, more = with_size_of(recipe.image, image, calibrated, step)
    else:
        image = in_one_unit(image)
        recipe, more = _with_lengths_for(recipe, image)
    return recipe, image, [*notes, *more, *_other_versions(recipe)]


def is_calibrated(image: Image) -> bool:
    """Whether an image states a unit of length."""
    return any(unit != "pixel" for unit in image.units)


def lengths_for(recipe: Recipe, step: Step, image: Image) -> dict[str, Value]:
    """The parameters of a step with its lengths in the unit of an image.

    Where one of the two has no unit of length, they count as many voxels as they did.
    """
    return _converted(step, _scale(recipe.image, in_one_unit(image))[0])


def _check_dimensions(recipe: Recipe, image: Image) -> None:
    n_axes = len(recipe.image.spatial_shape)
    if len(image.spatial_axes) == n_axes:
        return
    raise RecipeError(
        f"The recipe was made on a {n_axes}D image, but {image.name} is "
        f"{len(image.spatial_axes)}D. "
        + (
            "Run it on every slice by itself with --by-slice, or make a recipe on a volume."
            if n_axes == 2
            else "If it is a slice of a volume, take all slices together with --stack z."
        )
    )


def with_size_of(
    made_on: SourceImage, image: Image, calibrated: bool, step: float | None
) -> tuple[Image, list[str]]:
    """The image with the recipe's voxel size, but for a distance of slices given by hand.

    Parameters
    ----------
    made_on : SourceImage
    image : Image
    calibrated : bool
        Whether the image states a unit.
    step : float or None
        The distance of slices, in the unit of the image or else of the recipe.

    Returns
    -------
    image : Image
    notes : list of str
        In plain words.
    """
    spacing = made_on.spacing
    if step is not None and len(spacing) == 3:
        known = convert(step, image.unit, made_on.units[0]) if calibrated else None
        spacing = (step if known is None else known, *spacing[1:])
    if (image.spacing, image.units) == (spacing, made_on.units):
        return image, []
    note = f"The voxel size was taken from the recipe: {_size(spacing)} {made_on.units[-1]}."
    if spacing != made_on.spacing:
        note = (
            f"The voxel size was taken from the recipe, but for the distance of slices, which was "
            f"given: {_size(spacing)} {made_on.units[-1]}."
        )
    if not calibrated and made_on.units[-1] != "pixel":
        note = f"{image.name} states no voxel size, so lengths count as many pixels. {note}"
    return replace(image, spacing=spacing, units=made_on.units), [note]


def _with_lengths_for(recipe: Recipe, image: Image) -> tuple[Recipe, list[str]]:
    """The recipe with its lengths in the unit of the image."""
    made_on = recipe.image
    scale, comparable = _scale(made_on, image)
    steps = tuple(
        step.model_copy(update={"parameters": _converted(step, scale)}) for step in recipe.steps
    )
    notes = []
    if not comparable:
        notes.append(
            f"The recipe's lengths are in {made_on.units[-1]} and {image.name} is in {image.unit}; "
            "they count as many voxels as they did"
            + (f": {told}." if (told := _told(recipe.steps, steps, image.unit)) else ".")
        )
    else:
        before = [convert(n, made_on.units[-1], image.unit) or n for n in made_on.spacing]
        pairs = zip(before, image.spacing, strict=True)
        if not all(math.isclose(one, other, rel_tol=_SAME_SIZE) for one, other in pairs):
            notes.append(
                f"The recipe was made on voxels of {_size(before)} {image.unit}; those of "
                f"{image.name} are {_size(image.spacing)} {image.unit}. Lengths are the same in "
                f"{image.unit}, and another number of voxels."
            )
    return recipe.model_copy(update={"steps": steps}), notes


def _scale(made_on: SourceImage, image: Image) -> tuple[Callable[[Parameter], float], bool]:
    """By what lengths and sizes are multiplied, and whether the two units can be compared."""
    factor = convert(1.0, made_on.units[-1], image.unit)

    def scale(parameter: Parameter) -> float:
        if factor is None:
            return parameter.one_voxel(image.spacing) / parameter.one_voxel(made_on.spacing)
        return float(factor ** (len(image.spacing) if parameter.unit == "physical_size" else 1))

    return scale, factor is not None


def _converted(step: Step, scale: Callable[[Parameter], float]) -> dict[str, Value]:
    """The parameters of a step, twelve digits of what is converted."""
    values: dict[str, Value] = dict(step.parameters)
    for parameter in get(step.operation).parameters:
        given, by = values.get(parameter.name), scale(parameter)
        if by == 1:
            continue
        if parameter.unit is not None and isinstance(given, int | float):
            values[parameter.name] = float(f"{given * by:.12g}")
        if parameter.scale_text is not None and isinstance(given, str):
            values[parameter.name] = parameter.scale_text(given, by)
    return values


def _told(before: Sequence[Step], after: Sequence[Step], unit: str) -> str:
    """``sigma 2 is 0.4 micrometer``, for each length that was converted."""
    return ", ".join(
        f"{name} {old.parameters[name]:g} is {value:g} {unit}"
        for old, new in zip(before, after, strict=True)
        for name, value in new.parameters.items()
        if value != old.parameters[name] and not isinstance(value, str)
    )


def _size(spacing: Sequence[float]) -> str:
    return " x ".join(f"{step:g}" for step in spacing)


def _other_versions(recipe: Recipe) -> list[str]:
    now: Mapping[str, str] = {"napari-seedbed": package_version(), **library_versions()}
    then = {"napari-seedbed": recipe.created_with, **recipe.libraries}
    changed = [f"{k} {then[k]}" for k in then if k in now and then[k] != now[k]]
    if not changed:
        return []
    return [
        f"The recipe was made with {', '.join(changed)}; other versions may differ in the last "
        "digits."
    ]


def _choose_channels(recipe: Recipe, image: Image) -> tuple[Image, bool]:
    """The recipe's channels of an image, and whether they are those it was made on."""
    made_on = recipe.image

    def is_source(candidate: Image) -> bool:
        # Reading and hashing all voxels is needless where the shape decides already.
        alike = (candidate.spatial_shape, candidate.dtype.name) == (
            made_on.spatial_shape,
            made_on.dtype,
        )
        return alike and fingerprint(candidate) == made_on.fingerprint

    if recipe.channels is not None:
        if max(recipe.channels) >= image.n_channels:
            raise RecipeError(
                f"The recipe uses channel {max(recipe.channels) + 1}, but {image.name} has only "
                f"{image.n_channels}."
            )
        image = image.select_channels(recipe.channels)
    wanted = made_on.shape[made_on.axes.index("c")] if "c" in made_on.axes else 1
    if made_on.rgb and image.rgb:
        wanted = image.n_channels
    if image.n_channels == wanted:
        return image, is_source(image)
    if wanted == 1 and recipe.channels is None:
        # Some readers split a file into one layer a channel and do not say which is which.
        for channel in range(image.n_channels):
            candidate = image.select_channels([channel])
            if is_source(candidate):
                return candidate, True
    raise RecipeError(
        f"The recipe was made on {wanted} channel(s), but {image.name} has {image.n_channels}. "
        "Write the channels to use into the recipe, counted from 0: for example channels: [0]."
    )


def _reused(recipe: Recipe) -> str:
    return " and ".join([*recipe.own_starts, "parameters"])


def _made_anew(recipe: Recipe) -> str:
    """Which operations make seeds of the new image; nothing where none does."""
    makers = {step.name: get(step.operation).title for step in recipe.steps}
    found = [makers[s.seeds_from.partition(".")[0]] for s in recipe.steps if s.seeds_from]
    return f", and seeds were made anew by {' and '.join(found)}" if found else ""
