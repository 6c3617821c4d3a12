"""Seeds and shapes of each input from files: what other programs marked starts a recipe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from napari_seedbed.errors import FileError, InputError
from napari_seedbed.pipeline.batch.classes import classes_of_marks
from napari_seedbed.pipeline.data.annotation_places import seeds_on, shapes_on
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.shapes import Shapes
from napari_seedbed.pipeline.files import image_name, read_image
from napari_seedbed.pipeline.files.atomic_files import why_unwritable
from napari_seedbed.pipeline.files.image_collection import is_folder
from napari_seedbed.pipeline.files.places import is_url
from napari_seedbed.pipeline.files.vector_readers import is_vector_file, read_annotations
from napari_seedbed.pipeline.files.writers import usual_suffix, write_result
from napari_seedbed.pipeline.recipes.other_marks import recipe_from
from napari_seedbed.pipeline.recipes.recipe_model import Recipe

_KINDS = {"seeds": "labels", "shapes": "shapes"}
"""What marks are to those who write results."""
_ENDINGS = ("", "_seeds", "_shapes", "_points", "_rois", "_labels")
_ENDINGS_OF_TABLES = ("", "_classes", "_objects", "_table")


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


class MissingMarksError(FileError):
    """There is no file of marks for an input in the folder of them.

    Parameters
    ----------
    message : str
    what : str
        'seeds' or 'shapes'.
    expected : Path
        Where a file that Seedbed writes would lie.
    """

    def __init__(self, message: str, what: str, expected: Path) -> None:
        super().__init__(message)
        self.what, self.expected = what, expected


def recipe_with_marks(
    recipe: Recipe, path: Path, image: Image, marks: Mapping[str, Path], name: str = ""
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
    name : str
        What the input's results are called after; the name of its file by default.

    Raises
    ------
    MissingMarksError
        Where there is no file for the input.
    FileError
        Where there are several, or it cannot be read.
    InputError
        Where the marks do not lie on the image.
    RecipeError
        Where the recipe starts from no such marks.
    """
    notes: list[str] = []
    classes: dict[int, str] = {}
    if "seeds" in marks:
        file = companion(path, marks["seeds"], "seeds", name)
        seeds = _seeds(file, image, notes, classes)
        recipe = recipe_from(recipe, seeds=seeds, source=file.name)
    if "shapes" in marks:
        file = companion(path, marks["shapes"], "shapes", name)
        annotations = read_annotations(file)
        drawn, left_out = shapes_on(annotations, image)
        notes += [*annotations.notes, *left_out]
        classes |= classes_of_marks(annotations)
        recipe = recipe_from(recipe, shapes=drawn, source=file.name)
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


def companion(path: Path, given: Path, what: str, name: str = "") -> Path:
    """The file of marks that goes with an input.

    Parameters
    ----------
    path : Path
        The input.
    given : Path
        The file, or a folder of such files, which may be still to come.
    what : str
        'seeds', 'shapes' or 'classes'.
    name : str
        What the input's results are called after, where that is not its file alone: a file called
        so goes before one that is called after the input's file.

    Raises
    ------
    MissingMarksError
        Where there are no seeds or shapes for it in a folder of them.
    FileError
        Where there are several files, or none with classes.
    """
    is_coming = not (given.suffix or is_url(given) or given.exists())
    if not is_coming and not is_folder(given):
        return given
    there = [] if is_coming else sorted(given.iterdir())
    found: list[Path] = []
    endings = _ENDINGS_OF_TABLES if what == "classes" else _ENDINGS
    called = [one for one in dict.fromkeys((name, image_name(path))) if one]
    for one in called:
        names = [f"{one}{ending}" for ending in endings]
        named = [file for file in there if image_name(file) in names]
        found = [file for file in named if file.resolve() != path.resolve()]
        if found:
            break
    if len(found) == 1:
        return found[0]
    how_many = ", ".join(file.name for file in found) or "none"
    message = f"{given} has no single file of {what} for {path.name}: {how_many}. Call it "
    alike = f"{called[0]}.zip, {called[0]}.geojson or the like."
    if what == "classes":
        alike = f"{called[0]}_table.csv or the like."
    if found or what not in _KINDS:
        raise FileError(message + alike)
    expected = given / f"{called[0]}_{what}{usual_suffix(_KINDS[what])}"
    raise MissingMarksError(f"{message}{expected.name}, {alike}", what, expected)


def save_marks(path: Path, what: str, marks: Image | Shapes) -> None:
    """Write what was marked on an input as the file that goes with it; its folder is made.

    Parameters
    ----------
    path : Path
        As `MissingMarksError.expected` has it.
    what : str
        'seeds' or 'shapes'.
    marks : Image or Shapes

    Raises
    ------
    FileError
        When the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{path.parent} could not be made: {why_unwritable(error)}.") from error
    write_result(path, _KINDS[what], marks)
