"""One input of a batch: read, worked on, its results and its log written."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_seedbed.core.progress import check_stop, tell, unwatched
from napari_seedbed.errors import (
    Cancelled,
    FileError,
    MemoryForecastError,
    SeedbedError,
)
from napari_seedbed.pipeline.batch.batch_inputs import Item, Stack, absolute, files_of
from napari_seedbed.pipeline.batch.block_steps import BlockSteps, InBlocks, may_be_large
from napari_seedbed.pipeline.batch.classes import (
    ClassOf,
    class_in_result,
    class_in_table,
    with_classes,
)
from napari_seedbed.pipeline.batch.companion_marks import (
    Marked,
    MissingMarksError,
    companion,
    recipe_with_marks,
)
from napari_seedbed.pipeline.batch.logs import (
    Log,
    digest_of_paths,
    digest_of_text,
    log_path,
    read_log,
    write_log,
)
from napari_seedbed.pipeline.batch.pictures import picture_of_result
from napari_seedbed.pipeline.batch.slice_runs import object_table_by_slice, replay_by_slice
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.tables import Table
from napari_seedbed.pipeline.engine.forecasts import forecast
from napari_seedbed.pipeline.engine.parameters import check_parameters
from napari_seedbed.pipeline.engine.results import Result
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.files.atomic_files import moved_together
from napari_seedbed.pipeline.files.image_collection import (
    is_folder,
    open_collection,
)
from napari_seedbed.pipeline.files.image_reading import digest_at_url
from napari_seedbed.pipeline.files.places import is_url
from napari_seedbed.pipeline.files.writers import usual_suffix, write_result
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.operations.object_tables import object_table_of
from napari_seedbed.pipeline.recipes import replay
from napari_seedbed.pipeline.recipes.recipe_model import OTHER, Recipe, Step

OBJECTS = "objects"
"""What the table of the objects of a label image is called among the results."""

NEEDS = "needs"
"""Marks an entry of an input without its file of seeds or shapes: where this would lie, by kind."""

SHORT_OF_MEMORY = "is short of memory"
"""Marks an entry of an input that may fit where nothing else runs beside it."""

_STORES = "ome-zarr"
"""The format that steps in blocks write."""

_AT_LEAST = 400_000_000
"""Bytes that a process takes with its libraries."""
_MOST_SIZES = 2000
"""Of the objects of an input, for the histogram in the summary's page."""


@dataclass(frozen=True)
class Job:
    """What is done with each input.

    Attributes
    ----------
    recipe : Recipe
    folder : Path
        Of the results.
    stack : Stack or None
        What the one input is made of.
    tables : str
        `Writer.format` of tables.
    images : str or None
        `Writer.format` of images, labels and masks; None for the usual one.
    marks : mapping
        'seeds' and 'shapes' that the recipe starts from, and 'classes', tables of the classes of
        its objects, as files or folders of them.
    by_slice : bool
        Whether the recipe is for pictures and volumes are worked on slice by slice.
    overwrite : bool
        Whether results that are there may be replaced.
    resume : bool
        Whether an input whose results are there, unchanged, is left as it is.
    in_blocks : {'auto', 'always', 'never'}
        Which steps work in blocks; see `BlockSteps`.
    block_scheduler : str or None
        Address of a dask scheduler, whose workers work on the blocks.
    """

    recipe: Recipe
    folder: Path
    stack: Stack | None = None
    tables: str = "csv"
    images: str | None = None
    marks: Mapping[str, Path] = field(default_factory=dict)
    by_slice: bool = False
    overwrite: bool = False
    resume: bool = False
    in_blocks: InBlocks = "auto"
    block_scheduler: str | None = None

    @cached_property
    def digest(self) -> str:
        """Of all that the results depend on beside the inputs."""
        recipe = self.recipe.model_dump_json(exclude={"created_with", "libraries"})
        stack = self.stack and (self.stack.axis, self.stack.step)
        return digest_of_text(repr((recipe, self.tables, self.images, self.by_slice, stack)))

    def names_of_results(self, item: Item) -> list[str]:
        """Names of the files that will come out."""
        step = self.recipe.steps[-1]
        operation = get(step.operation)
        values = check_parameters(operation.parameters, step.parameters)
        keys = [operation.gives, *(key for key in operation.extra_outputs if values[key])]
        if operation.gives == "labels":
            keys.append(OBJECTS)
        if measured_labels(self.recipe) is not None:
            keys.append("labels")
        names = [self._file_name(item, key) for key in keys]
        if self._may_be_large(item):
            names += [self._file_name(item, key, _STORES) for key in keys]
        return list(dict.fromkeys(names))

    def _may_be_large(self, item: Item) -> bool:
        paths = self.stack.files if self.stack else (item.path,)
        return self.in_blocks == "always" or (
            len(paths) == 1 and may_be_large(paths[0], self.in_blocks)
        )

    def for_any_folder(self) -> "Job":
        """The same, found from any folder that a process works in."""
        stack = self.stack and replace(
            self.stack,
            place=absolute(self.stack.place),
            files=tuple(map(absolute, self.stack.files)),
        )
        marks = {role: absolute(place) for role, place in self.marks.items()}
        return replace(self, folder=self.folder.absolute(), stack=stack, marks=marks)

    def bytes_for(self, item: Item) -> int:
        """Bytes that a process takes for an input, about; 0 where it cannot be read."""
        try:
            image = self._read(item.path, item.series)
            if self.recipe.channels is not None:
                image = image.select_channels(self.recipe.channels)
            costs = [
                forecast(step.operation, {"image": image}, step.parameters).bytes
                for step in self.recipe.steps
            ]
        except (SeedbedError, OSError):
            return 0
        return _AT_LEAST + 2 * image.array.nbytes + max(costs)

    def run(self, item: Item) -> dict[str, Any]:
        """Work on an input; its results are all written, or none is.

        Returns
        -------
        dict
            The summary's entry.

        Raises
        ------
        Cancelled
            When the running job should stop.
        """
        begin = time.perf_counter()
        entry = new_entry(item)
        try:
            made_from = self._made_from(item)
            before = read_log(self.folder, item.name)
            if self.resume and before is not None:
                if made_from == before.made_from and before.is_whole(self.folder):
                    return {**before.entry, "input": item.shown, "resumed": True}
                self._refuse_to_replace(before, made_from)
            entry |= self._make(item, made_from, begin)
        except Cancelled:
            raise
        except MissingMarksError as error:
            entry |= {"error": str(error), NEEDS: {error.what: str(error.expected)}}
        except MemoryForecastError as error:
            entry |= {"error": str(error), SHORT_OF_MEMORY: True}
        except SeedbedError as error:
            entry["error"] = str(error)
        except MemoryError:
            name = item.path.name
            entry["error"] = f"There is not enough memory for {name}; close other programs."
            entry[SHORT_OF_MEMORY] = True
        except Exception as error:  # noqa: BLE001 - whatever it is, the other inputs do not have it
            entry["error"] = (
                f"It stopped with an unexpected error, {type(error).__name__}: {error}. The other "
                "inputs are not concerned; please report this one."
            )
        entry["seconds"] = round(time.perf_counter() - begin, 3)
        return entry

    def _made_from(self, item: Item) -> dict[str, str]:
        """Digests of all that the results are made from; of what can be read."""
        made_from = {"recipe": self.digest}
        sources: dict[str, Sequence[Path]] = {
            "input": self.stack.files if self.stack else (item.path,)
        }
        if item.series is not None:
            made_from["series"] = str(item.series)
        for name, path in item.others:
            # a file may be called as what else a log knows
            sources[name if name == OTHER else f"{OTHER} {name}"] = files_of(path)
        for role, place in self.marks.items():
            sources[role] = [companion(item.path, place, role, item.name)]
        for role, paths in sources.items():
            if is_url(paths[0]):
                series = item.series if role == "input" else None
                made_from[role] = digest_at_url(paths[0], series)
                continue
            try:
                made_from[role] = digest_of_paths(paths)
            except OSError:
                # reading it says what is wrong with it
                made_from[role] = ""
        return made_from

    def _refuse_to_replace(self, before: Log, made_from: dict[str, str]) -> None:
        if self.overwrite or before.is_moving:
            return
        changed = before.changed(self.folder)
        if changed:
            raise FileError(
                f"{self.folder / changed[0]} was changed since seedbed made it; pass --overwrite "
                "to make it again, or choose another folder."
            )
        if made_from != before.made_from:
            what = "recipe" if made_from["recipe"] != before.made_from["recipe"] else "input"
            raise FileError(
                f"The results of {before.entry['input']} in {self.folder} were made from another "
                f"{what}; pass --overwrite to replace them, or choose another folder."
            )

    def _make(self, item: Item, made_from: dict[str, str], begin: float) -> dict[str, Any]:
        """Make and write the results; give what the entry says of them."""
        tell(0.0, "reading")
        image = self._read(item.path, item.series)
        others = {name: self._read(path) for name, path in item.others}
        in_slices = self.by_slice and "z" in image.axes
        apply: Callable[..., Result] = replay_by_slice if in_slices else replay
        marked = recipe_with_marks(self.recipe, item.path, image, self.marks, item.name)
        class_of = self._class_of(item, marked)
        images = {name: known for name, known in made_from.items() if name != "recipe"}
        steps = BlockSteps(
            self.in_blocks,
            self._work_folder(item),
            digest_of_text(repr(sorted(images.items()))),
            self.block_scheduler,
        )
        about_blocks = {}
        if not in_slices and self._may_be_large(item):
            about_blocks = {"blocks_of": steps.of_step}
        result = apply(
            marked.recipe,
            image,
            other=others,
            step=self.stack.step if self.stack else None,
            also_labels=measured_labels(self.recipe),
            **about_blocks,
        )
        check_stop()
        tell(1.0, "writing")
        if self.recipe.channels is not None:
            shown = image.select_channels(self.recipe.channels)
        else:
            shown = image
        outputs: dict[str, Any] = dict(result.outputs)
        if get(self.recipe.steps[-1].operation).gives == "labels":
            labels = result.image("labels")
            same_grid = labels.spatial_shape == shown.spatial_shape
            measure = object_table_by_slice if in_slices else object_table_of
            measured_on = shown if same_grid else None
            with unwatched():
                table = steps.table_of_objects(labels, measured_on) if labels.is_lazy else None
                if table is None:
                    table = measure(labels, measured_on)
            outputs[OBJECTS] = with_classes(table, class_of)
        table = outputs.get(OBJECTS, {})
        if isinstance(measured := outputs.get("table"), Table):
            table = with_classes(measured.columns, class_of)
            outputs["table"] = replace(measured, columns=table)
        stores = self._stores(steps, outputs)
        names = {
            key: self._file_name(item, key, _STORES if key in stores else None) for key in outputs
        }
        picture = picture_of_result(shown, result)
        about: dict[str, Any] = {
            "outputs": names,
            "objects": len(table["label"]) if "label" in table else None,
            "notes": [*image.notes, *marked.notes, *result.record["notes"]],
            "error": None,
        }
        log_file = log_path(self.folder, item.name)
        before = log_file.read_bytes() if log_file.exists() else None
        try:
            with moved_together(self.folder) as stage:
                for key, output in outputs.items():
                    if key not in stores:
                        kind = "table" if key == OBJECTS else key
                        write_result(stage / names[key], kind, output)
                check_stop()
                # Last, so that a run that ends before them is gone on with.
                for key, store in stores.items():
                    store.rename(stage / names[key])
                log = Log(
                    made_from=made_from,
                    made={path.name: digest_of_paths([path]) for path in sorted(stage.iterdir())},
                    entry=new_entry(item)
                    | about
                    | {"seconds": round(time.perf_counter() - begin, 3)},
                    picture=picture,
                    sizes=_sizes_of(table),
                )
                # Whatever happens from here on, a later run knows whose these files are.
                moving = replace(log, is_moving=True, picture="", sizes=())
                write_log(self.folder, item.name, moving)
        except BaseException:
            if before is None:
                log_file.unlink(missing_ok=True)
            else:
                log_file.write_bytes(before)
            raise
        write_log(self.folder, item.name, log)
        steps.remove()
        return about

    def _work_folder(self, item: Item) -> Path:
        """Where voxels of an input go that are worked on in blocks, until all of it is done."""
        return self.folder / f".{item.name}.blocks"

    def _stores(self, steps: BlockSteps, outputs: Mapping[str, Any]) -> dict[str, Path]:
        """The results that are OME-Zarr on the disk already, and are wanted so."""
        if self.images not in (None, _STORES):
            return {}
        last, found = self.recipe.in_force.steps[-1], {}
        for key in outputs:
            place = steps.store_of(last.name, key)
            if place is None and key == "labels" and (made := measured_labels(self.recipe)):
                name, _, output = made.partition(".")
                place = steps.store_of(name, output or get(self._step(name).operation).gives)
            if place is not None:
                found[key] = place
        return found

    def _step(self, name: str) -> Step:
        return next(step for step in self.recipe.steps if step.name == name)

    def _read(self, path: Path, series: int | None = None) -> Image:
        if self.stack is None:
            return _read_file(path, series)
        if path == self.stack.place:
            return open_collection(self.stack.files, self.stack.axis, self.stack.step)
        if is_folder(path):
            return open_collection(path, self.stack.axis, self.stack.step)
        return read_image(path)

    def _class_of(self, item: Item, marked: Marked) -> ClassOf | None:
        if "classes" in self.marks:
            table = companion(item.path, self.marks["classes"], "classes", item.name)
            return class_in_table(table)
        last = self.recipe.steps[-1]
        key = last.name if get(last.operation).gives == "labels" else measured_labels(self.recipe)
        return None if key is None else class_in_result(marked.recipe, key, marked.classes)

    def _file_name(self, item: Item, key: str, images: str | None = None) -> str:
        kind = self.recipe.steps[-1].operation if key == "image" else key
        if key in ("table", OBJECTS):
            return f"{item.name}_{kind}{usual_suffix('table', self.tables)}"
        return f"{item.name}_{kind}{usual_suffix(key, images or self.images)}"


def new_entry(item: Item) -> dict[str, Any]:
    """The summary's entry of an input of which nothing is known yet."""
    return {
        "input": item.shown,
        **item.called,
        "outputs": {},
        "objects": None,
        "seconds": 0.0,
        "notes": [],
        "error": None,
    }


def measured_labels(recipe: Recipe) -> str | None:
    """The step whose labels a recipe that ends in a table measures; None for other recipes."""
    last = recipe.steps[-1]
    if get(last.operation).gives != "table":
        return None
    makers = {step.name: get(step.operation) for step in recipe.steps[:-1]}
    made = {
        (name if kind == maker.gives else f"{name}.{kind}"): kind
        for name, maker in makers.items()
        for kind in (maker.gives, *maker.extra_outputs)
    }
    return last.image if made.get(last.image) == "labels" else None


def _read_file(path: Path, series: int | None) -> Image:
    if is_folder(path):
        raise FileError(
            f"{path} is a folder. Name the images in it, {path / '*.tif'}, or take them "
            "together as one image with --stack z, t or c."
        )
    return read_image(path, series=series)


def _sizes_of(table: Mapping[str, NDArray]) -> tuple[float, ...]:
    """Sizes of objects, in the table's unit; every so many of very many."""
    sizes = next((table[name] for name in table if name.startswith(("volume", "area"))), None)
    if sizes is None:
        return ()
    values = np.sort(np.asarray(sizes, dtype=float))
    step = -(-len(values) // _MOST_SIZES) or 1
    return tuple(float(f"{value:.6g}") for value in values[::step])
