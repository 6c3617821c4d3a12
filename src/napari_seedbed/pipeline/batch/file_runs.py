"""A recipe applied to many files: results in a folder, with a summary."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_seedbed.errors import Cancelled, FileError, InputError
from napari_seedbed.pipeline.batch.batch_inputs import Item, Series, Stack, chosen_images, files_of
from napari_seedbed.pipeline.batch.block_steps import InBlocks, may_be_large
from napari_seedbed.pipeline.batch.items import OBJECTS, Job, new_entry
from napari_seedbed.pipeline.batch.joined_tables import write_joined
from napari_seedbed.pipeline.batch.logs import log_if_read
from napari_seedbed.pipeline.batch.result_folder import ResultFolder
from napari_seedbed.pipeline.batch.summary_page import summary_page
from napari_seedbed.pipeline.batch.wells import check_wells
from napari_seedbed.pipeline.batch.workers import Numbered, Workers, run_items
from napari_seedbed.pipeline.files.atomic_files import written_whole
from napari_seedbed.pipeline.files.image_collection import (
    StackAxis,
    collection_place,
    is_folder,
)
from napari_seedbed.pipeline.files.places import place_of
from napari_seedbed.pipeline.files.table_writing import check_parquet
from napari_seedbed.pipeline.files.writers import image_formats, usual_suffix
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.recipes.other_images import check_names
from napari_seedbed.pipeline.recipes.recipe_model import OTHER, Recipe

PathLike = str | os.PathLike[str]

PAGE = "summary.html"


def run_batch(
    recipe: Recipe,
    inputs: Sequence[PathLike],
    folder: PathLike,
    *,
    recipe_name: str = "",
    overwrite: bool = False,
    resume: bool = False,
    on_done: Callable[[dict[str, Any]], None] | None = None,
    other: PathLike | Mapping[str, PathLike] | None = None,
    stack: StackAxis | None = None,
    step: float | None = None,
    parquet: bool = False,
    format: str | None = None,
    by_slice: bool = False,
    series: Series = None,
    seeds: PathLike | None = None,
    shapes: PathLike | None = None,
    classes: PathLike | None = None,
    wells: str | None = None,
    workers: Workers | None = None,
    in_blocks: InBlocks = "auto",
) -> dict[str, Any]:
    """Apply a recipe to files; one that fails does not stop the others.

    Each input ``cells.tif`` gives ``cells_labels.ome.tif`` and so on, where shapes, points or a
    table come out ``cells_shapes.csv`` and so on, and where labels come out ``cells_objects.csv``.
    A recipe that ends with measuring labels of its own gives these labels, too. The tables of
    several inputs together are ``objects.csv`` or ``table.csv``. ``logs`` holds what is known of
    each input, ``summary.json`` is written as it goes, and ``summary.html`` shows it. No input is
    replaced, and no file that is not listed there as a result.

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
    resume : bool
        Go on with a run that was ended: inputs whose results are there, made by the same recipe
        from the same voxels and not changed since, are left as they are.
    on_done : callable, optional
        Called with the entry of each input as soon as it is finished.
    other : path or dict of str to path, optional
        The further images of a recipe that works on several, by their names in it
        (`Recipe.other_names`): each a file, which goes with every input, or a folder with a file of
        the same name for each. A path alone is the only one of them.
    stack : {'z', 't', 'c'}, optional
        Take all inputs together as one image, along this axis: files, or a folder or pattern of
        them. Its results are called after their folder. A further image that is a folder is then
        a stack too.
    step : float, optional
        Distance of slices in a stack along z, in the unit of the files or, where they have none,
        of the recipe. It counts also where the recipe has another one.
    parquet : bool
        Write tables, and those of objects, as Parquet instead of CSV.
    format : str, optional
        Of images, labels and masks, one of `image_formats`; compressed OME-TIFF by default.
    by_slice : bool
        Apply a recipe that was made on a 2D image to volumes, slice by slice.
    series : int, 'all' or mapping, optional
        Which image of each input, counted from 1; the first by default. 'all' takes each image of
        each file as an input: fields of a plate, positions of a stage. A mapping has the numbers of
        those to take of files; of others it is each. Further images are the first ones of their
        files.
    seeds, shapes : path, optional
        What the recipe starts from instead of what is stored in it: a file, which goes with every
        input, or a folder with a file of the name of each. Seeds are shapes and points, one label
        each, or labels; shapes are outlines and paths.
    classes : path, optional
        Tables with the columns ``label`` and ``class``, as a file or folder: the classes of the
        objects. Without them those of seeds and shapes count, and those of a pixel classifier.
    wells : str, optional
        A regular expression that finds the well in the name of each file, for the table of all
        inputs: by its group ``well``, its groups ``row`` and ``column``, its first group, or all
        that it matches. 'none': names tell no wells. By default the usual ways to name files
        count. Fields of plates have theirs.
    workers : Workers, optional
        Where the inputs are worked on; by default one after the other in this process. Where a
        scheduler is named and the only input is worked on in blocks, its workers do the blocks.
    in_blocks : {'auto', 'always', 'never'}
        Which steps work block by block, and write OME-Zarr: those that do not fit into memory, all
        that can, or none. What a run that was ended has written is gone on with.

    Returns
    -------
    dict
        What is in ``summary.json``: ``version``, ``recipe``, ``cancelled``, ``outputs`` (names of
        files about all inputs, by kind), ``inputs``, a list of ``input``, ``outputs`` (file names
        by kind), ``objects`` (their number, None where no labels came out), ``seconds``, ``notes``
        and ``error`` (None when all went well), with ``resumed`` where the results were there, and
        ``earlier``, such entries of earlier runs whose results are in the folder still. Where all
        inputs were refused because of results that are there, the file stays as it was.

    Raises
    ------
    InputError
        When two inputs would give the same file names, when a further image is missing or
        needless, when no name has a well as `wells` describes it, when another run uses the
        folder, when no scheduler answers, and for Parquet where pyarrow is not installed.
    FileError
        When the folder or the summary cannot be written, or the folder has a ``summary.json`` of
        another program.
    """
    recipe = recipe.in_force
    if parquet:
        check_parquet()
    if format is not None and format not in image_formats():
        raise InputError(
            f"format: {format!r} given; it must be one of {', '.join(image_formats())}."
        )
    paths = [place_of(path) for path in inputs]
    together = None
    if stack is not None:
        if series is not None:
            raise InputError("series: it names an image of each input, which a stack cannot have.")
        files = tuple(file for path in paths for file in files_of(path))
        together = Stack(collection_place(files), files, stack, step)
        paths = [together.place]
    elif step is not None:
        raise InputError("step: it is the distance of slices in a stack; name --stack z too.")
    others = _others(recipe, other)
    check_wells(wells, [path.name for path in paths])
    marks = {
        role: place_of(given)
        for role, given in (("seeds", seeds), ("shapes", shapes), ("classes", classes))
        if given is not None
    }
    if by_slice and not marks.keys() <= {"classes"}:
        raise InputError(
            "seeds: a recipe that is applied by slice has those that are stored in it."
        )
    items = [
        one
        for path in paths
        for one in chosen_images(
            Item(
                str(path),
                path,
                tuple((name, _partner(path, given)) for name, given in others.items()),
            ),
            series,
        )
    ]
    if series is not None and not items:
        raise InputError("series: no image of the inputs is chosen; choose one.")
    names = [item.name for item in items]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"inputs: several files are called {twice[0]!r}, so their results would have the same "
            "name; run them into different folders."
        )
    sources = [*paths, *(together.files if together else ())]
    sources += [file for file in marks.values() if not is_folder(file)]
    sources += [file for item in items for _, path in item.others for file in files_of(path)]
    job = Job(
        recipe,
        Path(folder),
        stack=together,
        tables="parquet" if parquet else "csv",
        images=format,
        marks=marks,
        by_slice=by_slice,
        overwrite=overwrite,
        resume=resume,
        in_blocks=in_blocks,
    )
    is_large = together is None and len(items) == 1 and may_be_large(items[0].path, in_blocks)
    if is_large and workers is not None and workers.scheduler is not None:
        job = replace(job, block_scheduler=workers.scheduler)
        workers = Workers(threads=workers.threads)
    ending = usual_suffix("table", job.tables)
    with ResultFolder(
        Path(folder), sources, recipe_name, overwrite=overwrite, resume=resume
    ) as results:
        if len(items) > 1:
            results.refuse_foreign([PAGE, *_joined_name(recipe, ending)])

        def done(number: int, entry: dict[str, Any]) -> None:
            results.add(number, entry)
            if on_done is not None:
                on_done(entry)

        accepted: list[Numbered] = []
        for number, item in enumerate(items):
            try:
                results.refuse_existing(item.name, job.names_of_results(item))
            except FileError as error:
                done(number, new_entry(item) | {"error": str(error)})
            else:
                accepted.append((number, item))
        cancelled = False
        try:
            if accepted:
                results.begin()
                run_items(job, accepted, workers or Workers(), results.token, done)
        except Cancelled:
            cancelled = True
        if accepted and len(items) > 1:
            _write_what_is_about_all(results, items, recipe, ending, wells, cancelled=cancelled)
        results.finish(cancelled=cancelled)
        return results.summary


def _others(recipe: Recipe, given: PathLike | Mapping[str, PathLike] | None) -> dict[str, Path]:
    """Where the further images lie, by their names in the recipe and in its order."""
    if given is None:
        given = {}
    elif not isinstance(given, Mapping):
        given = {(recipe.other_names or (OTHER,))[0]: given}
    check_names(recipe, given)
    return {name: place_of(given[name]) for name in recipe.other_names}


def _partner(path: Path, other: Path) -> Path:
    """The further image that goes with an input; for a stack, which is a folder, a whole one."""
    return other / path.name if is_folder(other) and not is_folder(path) else other


def _joined_name(recipe: Recipe, ending: str) -> list[str]:
    """Name of the table of all inputs together; none where the recipe gives no table."""
    kind = {"labels": OBJECTS, "table": "table"}.get(get(recipe.steps[-1].operation).gives)
    return [] if kind is None else [f"{kind}{ending}"]


def _write_what_is_about_all(
    results: ResultFolder,
    items: Sequence[Item],
    recipe: Recipe,
    ending: str,
    wells: str | None,
    *,
    cancelled: bool,
) -> None:
    """The table of all inputs together, and the page."""
    folder, summary = results.folder, results.summary
    entries = summary["inputs"]
    for name in _joined_name(recipe, ending):
        kind = name.removesuffix(ending)
        with_table = [entry for entry in entries if kind in entry["outputs"]]
        if with_table:
            write_joined(
                folder / name,
                with_table,
                [folder / entry["outputs"][kind] for entry in with_table],
                wells,
            )
            summary["outputs"][kind] = name
    summary["outputs"]["page"] = PAGE
    names = {(item.shown, item.title): item.name for item in items}
    logs = [
        log_if_read(folder, names[entry["input"], entry.get("image", "")])
        if entry["error"] is None
        else None
        for entry in entries
    ]
    page = summary_page({**summary, "cancelled": cancelled}, logs)
    with written_whole(folder / PAGE) as temporary:
        temporary.write_bytes(page.encode("utf-8", "backslashreplace"))
