"""The options of ``seedbed run``."""

import argparse
import json
from collections.abc import Callable
from typing import Any

from napari_seedbed.pipeline.files.readers import kinds_in_words
from napari_seedbed.pipeline.files.writers import image_formats


def add_run(commands: Any, run: Callable[[argparse.Namespace], int]) -> None:
    """Add the command to those that there are."""
    command = commands.add_parser(
        "run",
        help="apply a recipe to images",
        description="Apply a recipe, saved in napari with 'Save recipe…', to images. Each input "
        "gives NAME_labels.ome.tif and so on, and a table of objects NAME_objects.csv; "
        "summary.json says how it went.",
    )
    command.add_argument(
        "recipe", metavar="RECIPE", help="the recipe, a .yaml file, or a .seedbed project with one"
    )
    command.add_argument("inputs", metavar="INPUT", nargs="+", help=f"images: {kinds_in_words()}")
    command.add_argument(
        "-o", "--output", metavar="FOLDER", required=True, help="where results go; made if missing"
    )
    command.add_argument(
        "--layer", metavar="NAME", help="which result of a project to make again, by its layer"
    )
    command.add_argument(
        "--other",
        metavar="[NAME=]FILE",
        action="append",
        default=[],
        help="the second image of a recipe that works on two, or a folder with a file of the same "
        "name for each input; once for each further image, in the order of the recipe or with the "
        "names that it gives them (seedbed info says which)",
    )
    seeds = command.add_mutually_exclusive_group()
    seeds.add_argument(
        "--seeds",
        metavar="FILE",
        help="start from these instead of the seeds in the recipe: shapes or points (ROIs of Fiji, "
        "annotations of QuPath), a label each, or a label image; or a folder with a file of the "
        "name of each input",
    )
    seeds.add_argument(
        "--make-seeds",
        metavar="OPERATION",
        type=_maker,
        help="make the seeds anew on each input instead of taking those in the recipe, by "
        "local_maxima, h_maxima, find_blobs or threshold with parameters, for example "
        "'local_maxima distance=2 threshold=0.3'",
    )
    command.add_argument(
        "--shapes",
        metavar="FILE",
        help="start from these instead of the shapes in the recipe; a file or folder, as --seeds",
    )
    command.add_argument(
        "--classes",
        metavar="FILE",
        help="the classes of the objects: a table with the columns label and class, as Seedbed and "
        "ilastik write them; a file or folder, as --seeds",
    )
    command.add_argument(
        "--wells",
        metavar="PATTERN",
        help="a regular expression that finds the well in the name of each input, for the table of "
        "all: its group 'well', its groups 'row' and 'column', its first group, or all that it "
        "matches; 'none' for no wells (by default the usual ways to name files count)",
    )
    command.add_argument(
        "--stack",
        choices=("z", "t", "c"),
        help="take all inputs, files or folders, together as one image: as slices, time points or "
        "channels, in the order of the numbers in their names",
    )
    command.add_argument(
        "--step",
        metavar="LENGTH",
        type=float,
        help="distance of slices, with --stack z, in the unit of the files or else of the recipe",
    )
    command.add_argument(
        "--by-slice",
        action="store_true",
        help="apply a recipe that was made on a 2D image to every slice of volumes, by itself",
    )
    add_series(command, all_too=True)
    command.add_argument(
        "--overwrite", action="store_true", help="replace earlier results of seedbed that are there"
    )
    command.add_argument(
        "--parquet",
        action="store_true",
        help="write tables as Parquet instead of CSV (needs the package pyarrow)",
    )
    command.add_argument(
        "--format",
        choices=image_formats(),
        help=f"how to write images and labels (default: {image_formats()[0]})",
    )
    command.add_argument(
        "--resume",
        action="store_true",
        help="go on with a run that was ended: leave results as they are that the same recipe made "
        "from the same inputs",
    )
    command.add_argument(
        "--blocks",
        choices=("auto", "always", "never"),
        default="auto",
        help="work on images block by block and write OME-Zarr: where memory does not do (auto), "
        "or always where a step can; the same command goes on with a run that was ended",
    )
    command.add_argument(
        "--forecast",
        action="store_true",
        help="say what memory and time each step takes on each input, whole and in blocks, and "
        "run nothing",
    )
    where = command.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        metavar="N",
        type=int,
        help="work on so many inputs at a time, each in a process of its own (by default as many "
        "as cores and memory allow, where there is work enough)",
    )
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="let the workers of a dask scheduler work, tcp://host:8786 for example; they see the "
        "same folders. Of one large image they do the blocks",
    )
    command.add_argument(
        "--threads",
        metavar="N",
        type=int,
        help="cores that each worker computes with (by default they share them; those of a "
        "scheduler take one each)",
    )
    command.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")
    command.set_defaults(command=run)


def add_series(command: argparse.ArgumentParser, *, all_too: bool = False) -> None:
    """Let a command choose an image of files that hold several, or each of them."""
    each = ", or 'all' for each of them as an input: the fields of a plate; or some: 1,4-6"
    command.add_argument(
        "--series",
        metavar="N",
        type=_series_or_all if all_too else int,
        help="which image of files that hold several, counted from 1 (see seedbed info)"
        + (each if all_too else ""),
    )


def _maker(text: str) -> tuple[str, dict[str, Any]]:
    """An operation, and its parameters, which are numbers, true, false or words."""
    name, *settings = text.split()
    parameters = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        try:
            parameters[key] = json.loads(value)
        except ValueError:
            parameters[key] = value
    return name, parameters


def _series_or_all(text: str) -> int | str | list[int]:
    """A number, 'all', or several numbers and ranges of them."""
    if text == "all":
        return text
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found if {",", "-"} & set(text) else found[0]
