"""A recipe applied to many files: results in a folder, with a summary."""

import json
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from napari_seedbed.core.progress import Progress, Report, ShouldStop, check_stop
from napari_seedbed.errors import Cancelled, FileError, InputError, SeedbedError
from napari_seedbed.pipeline.atomic_files import why_unwritable, written_whole
from napari_seedbed.pipeline.files import (
    image_name,
    read_image,
    write_image,
    write_labels,
    write_points,
    write_shapes,
)
from napari_seedbed.pipeline.image import Image
from napari_seedbed.pipeline.image_collection import (
    StackAxis,
    collection_files,
    collection_place,
    open_collection,
)
from napari_seedbed.pipeline.object_tables import object_table_of
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.parameters import check_parameters
from napari_seedbed.pipeline.provenance import package_version
from napari_seedbed.pipeline.recipe_model import Recipe
from napari_seedbed.pipeline.recipes import replay
from napari_seedbed.pipeline.shapes import Shapes
from napari_seedbed.pipeline.table_writing import check_parquet, save_table
from napari_seedbed.pipeline.tables import Points, Table
from napari_seedbed.pipeline.volumes import Output

SUMMARY = "summary.json"
PathLike = str | os.PathLike[str]


def run_batch(
    recipe: Recipe,
    inputs: Sequence[PathLike],
    folder: PathLike,
    *,
    recipe_name: str = "",
    overwrite: bool = False,
    report: Report | None = None,
    should_stop: ShouldStop | None = None,
    on_done: Callable[[dict[str, Any]], None] | None = None,
    other: PathLike | None = None,
    stack: StackAxis | None = None,
    step: float | None = None,
    parquet: bool = False,
) -> dict[str, Any]:
    """Apply a recipe to files; one that fails does not stop the others.

    Each input ``cells.tif`` gives ``cells_labels.ome.tif`` and so on, where shapes, points or a
    table come out ``cells_shapes.csv`` and so on, and where labels come out ``cells_objects.csv``.
    ``summary.json`` is written when all are done, also after a cancel.

    Parameters
    ----------
    recipe : Recipe
    inputs : sequence of path
    folder : path
        Made if it does not exist.
    recipe_name : str
        What the summary calls the recipe.
    overwrite : bool
        Whether results that are there already may be replaced.
    report, should_stop : callable, optional
    on_done : callable, optional
        Told the entry of each input as soon as it is finished.
    other : path, optional
        The second image of a recipe that works on two: a file, which goes with every input, or a
        folder with a file of the same name for each.
    stack : {'z', 't', 'c'}, optional
        Take all inputs together as one image, along this axis: files, or a folder or pattern of
        them. Its results are called after their folder. A second image that is a folder is then
        a stack too.
    step : float, optional
        Distance of slices in a stack along z.
    parquet : bool
        Write tables, and those of objects, as Parquet instead of CSV.

    Returns
    -------
    dict
        What is in ``summary.json``: ``version``, ``recipe``, ``cancelled`` and ``inputs``, a list
        of ``input``, ``outputs`` (file names by kind), ``objects`` (their number, None where no
        labels came out), ``seconds``, ``notes`` and ``error`` (None when all went well).

    Raises
    ------
    InputError
        When two inputs would give the same file names, when a second image is missing or
        needless, and for Parquet where pyarrow is not installed.
    FileError
        When the folder or the summary cannot be written.
    """
    if parquet:
        check_parquet()
    ending = ".parquet" if parquet else ".csv"
    paths = [Path(path) for path in inputs]
    read: Callable[[PathLike], Image] = read_image
    if stack is not None:
        files = [file for path in paths for file in _files_of(path)]
        paths = [collection_place(files)]
        read = partial(_read_stack, paths[0], files, stack, step)
    elif step is not None:
        raise InputError("step: it is the distance of slices in a stack; name --stack z too.")
    names = [image_name(path) for path in paths]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"inputs: several files are called {twice[0]!r}, so their results would have the same "
            "name; run them into different folders."
        )
    if recipe.needs_other and other is None:
        raise InputError(
            "other: the recipe works on two images; name the second one, or a folder of them, "
            "with --other."
        )
    if other is not None and not recipe.needs_other:
        raise InputError("other: the recipe works on one image; leave --other out.")
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder} could not be made: {why_unwritable(error)}.") from error
    entries: list[dict[str, Any]] = []
    cancelled = False
    for nth, path in enumerate(paths):

        def pass_on(progress: Progress, nth: int = nth, name: str = path.name) -> None:
            if report is not None:
                fraction = (nth + progress.fraction) / len(paths)
                report(Progress(fraction, f"{name}: {progress.message}"))

        try:
            entry = _run_one(
                recipe, path, other, read, folder, overwrite, ending, pass_on, should_stop
            )
        except Cancelled:
            cancelled = True
            break
        entries.append(entry)
        if on_done is not None:
            on_done(entry)
    summary = {
        "version": package_version(),
        "recipe": recipe_name,
        "cancelled": cancelled,
        "inputs": entries,
    }
    text = json.dumps(summary, indent=2, ensure_ascii=False)
    with written_whole(folder / SUMMARY) as temporary:
        temporary.write_text(text + "\n", "utf-8")
    return summary


def _run_one(
    recipe: Recipe,
    path: Path,
    other: PathLike | None,
    read: Callable[[PathLike], Image],
    folder: Path,
    overwrite: bool,
    ending: str,
    report: Report,
    should_stop: ShouldStop | None,
) -> dict[str, Any]:
    """The summary's entry for one input; its results are all written, or none is."""
    begin = time.perf_counter()
    entry: dict[str, Any] = {
        "input": str(path),
        "outputs": {},
        "objects": None,
        "seconds": 0.0,
        "notes": [],
        "error": None,
    }
    written: list[Path] = []
    whole = False
    try:
        check_stop(should_stop)
        _refuse_existing(recipe, path, folder, overwrite, ending)
        report(Progress(0.0, "reading"))
        image = read(path)
        entry["notes"] += image.notes
        second = None if other is None else read(_partner(path, Path(other)))
        result = replay(recipe, image, report, should_stop, other=second)
        entry["notes"] += result.record["notes"]
        check_stop(should_stop)
        report(Progress(1.0, "writing"))
        for key, output in result.outputs.items():
            target = folder / _file_name(path, key, recipe, ending)
            written.append(_write(target, key, output))
            entry["outputs"][key] = target.name
        if "labels" in result.outputs:
            labels = result.image("labels")
            if recipe.channels is not None:
                image = image.select_channels(recipe.channels)
            same_grid = labels.spatial_shape == image.spatial_shape
            table = object_table_of(labels, image if same_grid else None)
            target = folder / f"{image_name(path)}_objects{ending}"
            written.append(save_table(target, table))
            entry["outputs"]["objects"] = target.name
            entry["objects"] = len(table["label"])
        whole = True
    except Cancelled:
        raise
    except SeedbedError as error:
        entry["error"] = str(error)
    except MemoryError:
        entry["error"] = f"There is not enough memory for {path.name}; close other programs."
    finally:
        if not whole:
            for target in written:
                target.unlink(missing_ok=True)
            entry["outputs"] = {}
    entry["seconds"] = round(time.perf_counter() - begin, 3)
    return entry


def _partner(path: Path, other: Path) -> Path:
    """The second image that goes with an input; for a stack, which is a folder, a whole one."""
    return other / path.name if other.is_dir() and not path.is_dir() else other


def _files_of(path: Path) -> list[Path]:
    return collection_files(path) if path.is_dir() else [path]


def _read_stack(
    place: Path, files: Sequence[Path], axis: StackAxis, step: float | None, path: PathLike
) -> Image:
    """The stack of the inputs, or a second image, which may be a stack or one file."""
    if Path(path) == place:
        return open_collection(files, axis, step)
    return open_collection(path, axis, step) if Path(path).is_dir() else read_image(path)


def _write(target: Path, key: str, output: Output) -> Path:
    if isinstance(output, Shapes):
        return write_shapes(target, output)
    if isinstance(output, Points):
        return write_points(target, output)
    if isinstance(output, Table):
        return save_table(target, output.columns)
    write = write_labels if key in ("labels", "mask") else write_image
    return write(target, output)


def _file_name(path: Path, key: str, recipe: Recipe, ending: str) -> str:
    kind = recipe.steps[-1].operation if key == "image" else key
    own = {"table": ending, "shapes": ".csv", "points": ".csv"}
    return f"{image_name(path)}_{kind}{own.get(key, '.ome.tif')}"


def _refuse_existing(
    recipe: Recipe, path: Path, folder: Path, overwrite: bool, ending: str
) -> None:
    step = recipe.steps[-1]
    operation = get(step.operation)
    values = check_parameters(operation.parameters, step.parameters)
    keys = [operation.gives, *(key for key in operation.extra_outputs if values[key])]
    targets = [folder / _file_name(path, key, recipe, ending) for key in keys]
    if operation.gives == "labels":
        targets.append(folder / f"{image_name(path)}_objects{ending}")
    for target in targets:
        if target.exists() and target.resolve() == path.resolve():
            raise FileError(f"{target} would replace its own input; choose another folder.")
        if target.exists() and not overwrite:
            raise FileError(
                f"{target} is there already; pass --overwrite to replace it, or choose another "
                "folder."
            )
