"""The images that a recipe works on beside the first one: their names, and how they fit."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from napari_seedbed.errors import InputError, RecipeError
from napari_seedbed.pipeline.data.fingerprint import fingerprint
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.units import convert
from napari_seedbed.pipeline.engine.inputs import in_one_unit
from napari_seedbed.pipeline.recipes.recipe_fitting import is_calibrated, with_size_of
from napari_seedbed.pipeline.recipes.recipe_model import OtherImage, Recipe

_ORDINALS = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def nth_image(recipe: Recipe, name: str) -> str:
    """What people call a further image of a recipe: ``second image``."""
    place = list(recipe.others or [name]).index(name)
    return f"{_ORDINALS[place]} image" if place < len(_ORDINALS) else f"image {place + 2}"


def made_on_in_words(recipe: Recipe, name: str) -> str:
    """The image that the recipe was made on, as far as it says: ``, made on 'nuclei'``."""
    return f", made on '{recipe.others[name].name}'" if name in recipe.others else ""


def other_files_in_words(recipe: Recipe) -> list[str]:
    """What a command line is given for the further images: ``other_2=THIRD_IMAGE``."""
    names = recipe.other_names
    words = [nth_image(recipe, name).upper().replace(" ", "_") for name in names]
    if len(names) < 2:
        return words
    return [f"{name}={word}" for name, word in zip(names, words, strict=True)]


def files_by_name(recipe: Recipe, given: Sequence[str]) -> dict[str, str]:
    """The files of further images, each as ``NAME=FILE`` or in the order of the recipe.

    Parameters
    ----------
    recipe : Recipe
    given : sequence of str
        NAME is what steps call the image, or the name of the one that the recipe was made on.

    Raises
    ------
    InputError
        For two files of one image, and for more files than images.
    """
    names = recipe.other_names
    called = {recipe.others[name].name: name for name in names if name in recipe.others}
    called |= {name: name for name in names}
    found: dict[str, str] = {}
    in_order = []
    for text in given:
        word, sign, file = text.partition("=")
        if not sign or word not in called:
            in_order.append(text)
        elif called[word] in found:
            raise InputError(f"other: two files are given for {word}; give one.")
        else:
            found[called[word]] = file
    free = [name for name in names if name not in found]
    if len(in_order) > len(free):
        raise InputError(
            f"other: {in_order[len(free)]} is one image too many: the recipe works on "
            f"{_images_in_words(recipe)}; leave it out."
        )
    return found | dict(zip(free, in_order, strict=False))


def check_names(recipe: Recipe, given: Mapping[str, object]) -> None:
    """Refuse a further image that lacks, or that the recipe does not work on.

    Raises
    ------
    InputError
    """
    names = recipe.other_names
    missing = [name for name in names if name not in given]
    if missing:
        wanted = ", ".join(f"--other {one}" for one in other_files_in_words(recipe))
        which = " and ".join(f"the {nth_image(recipe, name)}" for name in missing)
        made_on = made_on_in_words(recipe, missing[0]) if len(missing) == 1 else ""
        raise InputError(
            f"other: the recipe works on {_images_in_words(recipe)}; name {which}{made_on}, too, "
            f"each a file or a folder of them: {wanted}."
        )
    needless = [name for name in given if name not in names]
    if needless:
        raise InputError(
            f"other: the recipe works on {_images_in_words(recipe)}; leave --other out"
            + (f" for {', '.join(needless)}." if names else ".")
        )


def others_by_name(recipe: Recipe, given: Image | Mapping[str, Image] | None) -> dict[str, Image]:
    """The further images that a recipe works on.

    Raises
    ------
    RecipeError
        Where one of them lacks.
    """
    names = recipe.other_names
    if isinstance(given, Image):
        given = {names[0]: given} if names else {}
    found = {name: image for name, image in (given or {}).items() if name in names}
    missing = [name for name in names if name not in found]
    if missing:
        which = " and ".join(
            f"the {nth_image(recipe, name)}{made_on_in_words(recipe, name)}" for name in missing
        )
        raise RecipeError(f"The recipe works on {_images_in_words(recipe)}; give {which}, too.")
    return {name: found[name] for name in names}


def fitted_other(
    recipe: Recipe,
    name: str,
    given: Image,
    image: Image,
    *,
    step: float | None = None,
    is_part: bool = False,
) -> tuple[Image, list[str]]:
    """A further image with the voxel size that counts, in the unit of the first, and what differs.

    Parameters
    ----------
    recipe : Recipe
    name : str
        What the recipe calls it.
    given : Image
        With all channels of its file.
    image : Image
        The first one, with the voxel size that counts.
    step, is_part
        As `fitted` takes them.

    Raises
    ------
    RecipeError
        Where it has fewer channels than the recipe takes.
    """
    made_on, notes, calibrated = recipe.others.get(name), [], is_calibrated(given)
    same = made_on is not None and _is_that(given, made_on, name)
    if made_on is not None and not same:
        notes.append(
            f"{given.name} is not the {nth_image(recipe, name)} that the recipe was made on "
            f"({made_on.name}): its fingerprint differs."
        )
    has_axes = made_on is not None and len(made_on.spatial_shape) == len(given.spatial_shape)
    if made_on is not None and has_axes and ((same and not is_part) or not calibrated):
        given = with_size_of(made_on, given, calibrated, step)[0]
    elif not calibrated and given.spatial_shape == image.spatial_shape:
        given = replace(given, spacing=image.spacing, units=image.units)
    return _in_unit_of(image, in_one_unit(given)), notes


def _in_unit_of(image: Image, given: Image) -> Image:
    """A further image with its lengths in the unit of the first one, which steps count in."""
    factor = convert(1.0, given.unit, image.unit)
    if given.unit == image.unit:
        return given
    if factor is None:
        is_same_grid = given.spatial_shape == image.spatial_shape
        return replace(given, spacing=image.spacing, units=image.units) if is_same_grid else given
    spacing = tuple(float(f"{length * factor:.12g}") for length in given.spacing)
    translate = tuple(length * factor for length in given.translate)
    units = (image.unit,) * len(spacing)
    return replace(given, spacing=spacing, translate=translate, units=units)


def _is_that(given: Image, made_on: OtherImage, name: str) -> bool:
    """Whether an image holds the voxels that the recipe was made on."""
    if made_on.channels is not None:
        if max(made_on.channels) >= given.n_channels:
            raise RecipeError(
                f"The recipe uses channel {max(made_on.channels) + 1} of the image that it calls "
                f"{name!r}, but {given.name} has only {given.n_channels}."
            )
        given = given.select_channels(made_on.channels)
    alike = (given.spatial_shape, given.dtype.name) == (made_on.spatial_shape, made_on.dtype)
    # Reading and hashing all voxels is needless where the shape decides already.
    return alike and fingerprint(given) == made_on.fingerprint


def _images_in_words(recipe: Recipe) -> str:
    count = len(recipe.other_names) + 1
    return {1: "one image", 2: "two images"}.get(count, f"{count} images")
