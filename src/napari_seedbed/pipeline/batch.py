"""A recipe applied to many files: results in a folder, with a summary."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from napari_seedbed.core.progress import Progress, Report, ShouldStop, check_stop
from napari_seedbed.errors import Cancelled, FileError, InputError, SeedbedError
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
    is_folder,
    open_collection,
)
from napari_seedbed.pipeline.object_tables import object_table_of
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.parameters import check_parameters
from napari_seedbed.pipeline.recipe_model import Recipe
from napari_seedbed.pipeline.recipes import replay
from napari_seedbed.pipeline.result_folder import ResultFolder
from napari_seedbed.pipeline.shapes import Shapes
from napari_seedbed.pipeline.slice_runs import object_table_by_slice, replay_by_slice
from napari_seedbed.pipeline.table_writing import check_parquet, save_table
from napari_seedbed.pipeline.tables import Points, Table
from napari_seedbed.pipeline.volumes import Output

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
    by_slice: bool = False,
    series: int | None = None,
) -> dict[str, Any]:
    """Apply a recipe to files; one that fails does not stop the others.

    Each input ``cells.tif`` gives ``cells_labels.ome.tif`` and so on, where shapes, points or a
    table come out ``cells_shapes.csv`` and so on, and where labels come out ``cells_objects.csv``.
    ``summary.json`` is written as it goes. No input is replaced, and no file that is not listed
    there as a result.

    Parameters
    ----------
    recipe : Recipe
    inputs : sequence of path
    folder : path
        Made if it does not exist.
    recipe_name : str
        What the summary calls the recipe.
    overwrite : bool
        Whether results that are there already may be replaced. Those of one input are replaced
        together when all of them are made.
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
        Distance of slices in a stack along z, in the unit of the files or, where they have none,
        of the recipe. It counts also where the recipe has another one.
    parquet : bool
        Write tables, and those of objects, as Parquet instead of CSV.
    by_slice : bool
        Apply a recipe that was made on a 2D image to volumes, slice by slice.
    series : int, optional
        Which image of each input, counted from 1; the first by default. Second images are the
        first ones of their files.

    Returns
    -------
    dict
        What is in ``summary.json``: ``version``, ``recipe``, ``cancelled``, ``inputs``, a list
        of ``input``, ``outputs`` (file names by kind), ``objects`` (their number, None where no
        labels came out), ``seconds``, ``notes`` and ``error`` (None when all went well), and
        ``earlier``, such entries of earlier runs whose results are in the folder still. Where all
        inputs were refused because of results that are there, the file stays as it was.

    Raises
    ------
    InputError
        When two inputs would give the same file names, when a second image is missing or
        needless, and for Parquet where pyarrow is not installed.
    FileError
        When the folder or the summary cannot be written, or the folder has a ``summary.json`` of
        another program.
    """
    if parquet:
        check_parquet()
    ending = ".parquet" if parquet else ".csv"
    paths = [Path(path) for path in inputs]
    read: Callable[[PathLike], Image] = partial(_read_file, series=series)
    read_second: Callable[[PathLike], Image] = _read_file
    if stack is not None and series is not None:
        raise InputError("series: it names an image of each input, which a stack cannot have.")
    files: list[Path] = []
    if stack is not None:
        files = [file for path in paths for file in _files_of(path)]
        paths = [collection_place(files)]
        read = read_second = partial(_read_stack, paths[0], files, stack, step)
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
    sources = [*paths, *files]
    if other is not None:
        partners = [_partner(path, Path(other)) for path in paths]
        sources += [file for partner in partners for file in _files_of(partner)]
    results = ResultFolder(Path(folder), sources, recipe_name, overwrite)
    job = _Job(recipe, other, read, read_second, results, ending, step, by_slice)
    cancelled = False
    for nth, path in enumerate(paths):

        def pass_on(progress: Progress, nth: int = nth, name: str = path.name) -> None:
            if report is not None:
                fraction = (nth + progress.fraction) / len(paths)
                report(Progress(fraction, f"{name}: {progress.message}"))

        try:
            check_stop(should_stop)
            entry = _new_entry(path)
            try:
                results.refuse_existing(_names_of_results(recipe, path, ending))
            except FileError as error:
                entry["error"] = str(error)
            else:
                results.begin()
                job.run(path, entry, pass_on, should_stop)
        except Cancelled:
            cancelled = True
            break
        results.add(entry)
        if on_done is not None:
            on_done(entry)
    results.finish(cancelled=cancelled)
    return results.summary


def _new_entry(path: Path) -> dict[str, Any]:
    return {
        "input": str(path),
        "outputs": {},
        "objects": None,
        "seconds": 0.0,
        "notes": [],
        "error": None,
    }


@dataclass(frozen=True)
class _Job:
    """What is done with each input."""

    recipe: Recipe
    other: PathLike | None
    read: Callable[[PathLike], Image]
    read_second: Callable[[PathLike], Image]
    results: ResultFolder
    ending: str
    step: float | None
    by_slice: bool

    def run(
        self, path: Path, entry: dict[str, Any], report: Report, should_stop: ShouldStop | None
    ) -> None:
        """Fill the summary's entry of one input; its results are all written, or none is."""
        begin = time.perf_counter()
        outputs: dict[str, str] = {}
        try:
            report(Progress(0.0, "reading"))
            image = self.read(path)
            entry["notes"] += image.notes
            second = None
            if self.other is not None:
                second = self.read_second(_partner(path, Path(self.other)))
            in_slices = self.by_slice and "z" in image.axes
            apply = replay_by_slice if in_slices else replay
            result = apply(self.recipe, image, report, should_stop, other=second, step=self.step)
            entry["notes"] += result.record["notes"]
            check_stop(should_stop)
            report(Progress(1.0, "writing"))
            n_objects = None
            with self.results.results() as place:
                for key, output in result.outputs.items():
                    outputs[key] = _file_name(path, key, self.recipe, self.ending)
                    _write(place / outputs[key], key, output)
                if "labels" in result.outputs:
                    labels = result.image("labels")
                    if self.recipe.channels is not None:
                        image = image.select_channels(self.recipe.channels)
                    same_grid = labels.spatial_shape == image.spatial_shape
                    measure = object_table_by_slice if in_slices else object_table_of
                    table = measure(labels, image if same_grid else None)
                    outputs["objects"] = _objects_name(path, self.ending)
                    save_table(place / outputs["objects"], table)
                    n_objects = len(table["label"])
                check_stop(should_stop)
            entry |= {"outputs": outputs, "objects": n_objects}
        except Cancelled:
            raise
        except SeedbedError as error:
            entry["error"] = str(error)
        except MemoryError:
            entry["error"] = f"There is not enough memory for {path.name}; close other programs."
        except Exception as error:  # noqa: BLE001 - whatever it is, the other inputs do not have it
            entry["error"] = (
                f"It stopped with an unexpected error, {type(error).__name__}: {error}. The other "
                "inputs are not concerned; please report this one."
            )
        entry["seconds"] = round(time.perf_counter() - begin, 3)


def _partner(path: Path, other: Path) -> Path:
    """The second image that goes with an input; for a stack, which is a folder, a whole one."""
    return other / path.name if is_folder(other) and not is_folder(path) else other


def _read_file(path: PathLike, series: int | None = None) -> Image:
    if is_folder(Path(path)):
        raise FileError(
            f"{path} is a folder. Name the images in it, {Path(path) / '*.tif'}, or take them "
            "together as one image with --stack z, t or c."
        )
    return read_image(path, series=series)


def _files_of(path: Path) -> list[Path]:
    return collection_files(path) if is_folder(path) else [path]


def _read_stack(
    place: Path, files: Sequence[Path], axis: StackAxis, step: float | None, path: PathLike
) -> Image:
    """The stack of the inputs, or a second image, which may be a stack or one file."""
    if Path(path) == place:
        return open_collection(files, axis, step)
    return open_collection(path, axis, step) if is_folder(Path(path)) else read_image(path)


def _write(target: Path, key: str, output: Output) -> None:
    if isinstance(output, Shapes):
        write_shapes(target, output)
    elif isinstance(output, Points):
        write_points(target, output)
    elif isinstance(output, Table):
        save_table(target, output.columns)
    elif key in ("labels", "mask"):
        write_labels(target, output)
    else:
        write_image(target, output)


def _file_name(path: Path, key: str, recipe: Recipe, ending: str) -> str:
    kind = recipe.steps[-1].operation if key == "image" else key
    own = {"table": ending, "shapes": ".csv", "points": ".csv"}
    return f"{image_name(path)}_{kind}{own.get(key, '.ome.tif')}"


def _objects_name(path: Path, ending: str) -> str:
    return f"{image_name(path)}_objects{ending}"


def _names_of_results(recipe: Recipe, path: Path, ending: str) -> list[str]:
    """Names of the files that will come out."""
    step = recipe.steps[-1]
    operation = get(step.operation)
    values = check_parameters(operation.parameters, step.parameters)
    keys = [operation.gives, *(key for key in operation.extra_outputs if values[key])]
    names = [_file_name(path, key, recipe, ending) for key in keys]
    return [*names, _objects_name(path, ending)] if operation.gives == "labels" else names
