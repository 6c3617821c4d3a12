"""Seeds and shapes of each input from files: what other programs marked starts a recipe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.batch.classes import classes_of_marks
from napari_seedbed.pipeline.data.annotation_places import seeds_on, shapes_on
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import image_name, read_image
from napari_seedbed.pipeline.files.image_collection import is_folder
from napari_seedbed.pipeline.files.vector_readers import is_vector_file, read_annotations
from napari_seedbed.pipeline.recipes.other_marks import recipe_from
from napari_seedbed.pipeline.recipes.recipe_model import Recipe

_ENDINGS = (
    "",
    "_seeds",
    "_shapes",
    "_points",
    "_rois",
    "_labels",
    "_objects",
    "_table",
    "_classes",
)


@dataclass(frozen=True)
class Marked:
    """A recipe with the marks of one input.

    Attributes
    ----------
    recipe : Recipe
    notes : list of str
        What a person should know of the marks.
    classes : dict of int to str
        Of their labels.
    """

    recipe: Recipe
    notes: list[str] = field(default_factory=list)
    classes: dict[int, str] = field(default_factory=dict)


def recipe_with_marks(
    recipe: Recipe, path: Path, image: Image, marks: Mapping[str, Path]
) -> Marked:
    """The recipe for one input.

    Parameters
    ----------
    recipe : Recipe
    path : Path
        The input.
    image : Image
        What was read from it.
    marks : mapping
        'seeds' and 'shapes' count, each a file, or a folder with one for each input.

    Raises
    ------
    FileError
        Where there is no file for the input, or it cannot be read.
    InputError
        Where the marks do not lie on the image.
    RecipeError
        Where the recipe starts from no such marks.
    """
    notes: list[str] = []
    classes: dict[int, str] = {}
    if "seeds" in marks:
        file = companion(path, marks["seeds"], "seeds")
        recipe = recipe_from(recipe, seeds=_seeds(file, image, notes, classes))
    if "shapes" in marks:
        annotations = read_annotations(companion(path, marks["shapes"], "shapes"))
        drawn, left_out = shapes_on(annotations, image)
        notes += [*annotations.notes, *left_out]
        classes |= classes_of_marks(annotations)
        recipe = recipe_from(recipe, shapes=drawn)
    return Marked(recipe, notes, classes)


def _seeds(file: Path, image: Image, notes: list[str], classes: dict[int, str]) -> Image:
    if is_vector_file(file):
        annotations = read_annotations(file)
        notes += annotations.notes
        classes |= classes_of_marks(annotations)
        return seeds_on(annotations, image)
    labels = read_image(file)
    notes += labels.notes
    if labels.dtype.kind not in "iub" or labels.n_channels > 1:
        raise InputError(f"seeds: {file.name} holds {labels.dtype}; labels are whole numbers.")
    labels = labels.channels()[0]
    wanted = tuple(axis for axis in image.axes if axis != "c")
    if labels.axes != wanted:
        raise InputError(
            f"seeds: {file.name} has the axes {labels.axes} and {image.name} has {wanted}."
        )
    return labels


def companion(path: Path, given: Path, what: str) -> Path:
    """The file of marks that goes with an input.

    Raises
    ------
    FileError
        Where there is none, or several, in a folder of them.
    """
    if not is_folder(given):
        return given
    name = image_name(path)
    names = [f"{name}{ending}" for ending in _ENDINGS]
    named = [file for file in sorted(given.iterdir()) if image_name(file) in names]
    found = [file for file in named if file.resolve() != path.resolve()]
    if len(found) != 1:
        how_many = ", ".join(file.name for file in found) or "none"
        raise FileError(
            f"{given} has no single file of {what} for {path.name}: {how_many}. Call it "
            f"{name}.zip, {name}.geojson or the like."
        )
    return found[0]
