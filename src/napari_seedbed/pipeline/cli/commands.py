"""The command ``seedbed``: the same operations as in the window, on files."""

import argparse
import gc
import json
import logging
import os
from collections.abc import Iterable, Sequence
from contextlib import nullcontext, suppress
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_seedbed.core.progress import running
from napari_seedbed.errors import Cancelled, InputError, RecipeError, SeedbedError
from napari_seedbed.pipeline.cli.conversion import add_convert
from napari_seedbed.pipeline.cli.interruption import INTERRUPTED, end_as_ctrl_c_does, interruptible
from napari_seedbed.pipeline.cli.output_streams import (
    ProgressLine,
    Spoken,
    complain,
    open_closed_descriptors,
    patient_streams,
    remark,
    say,
)
from napari_seedbed.pipeline.cli.run_options import add_run, add_series
from napari_seedbed.pipeline.data.visible_text import visible
from napari_seedbed.pipeline.files.places import is_url, place_of
from napari_seedbed.pipeline.files.readers import kinds_in_words
from napari_seedbed.pipeline.files.vector_readers import vector_kinds_in_words
from napari_seedbed.version import __version__

if TYPE_CHECKING:
    from napari_seedbed.pipeline.batch.batch_inputs import Series
    from napari_seedbed.pipeline.batch.block_steps import InBlocks
    from napari_seedbed.pipeline.data.image import Image
    from napari_seedbed.pipeline.recipes.recipe_model import Recipe

DONE, FAILED, WRONG_USE = 0, 1, 2
_SAMPLE_RECIPE = "nuclei_seeded_segmentation.yaml"
_SAMPLE_IMAGE = "nuclei.ome.tif"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; return 0 done, 1 some inputs failed, 2 wrong use, 130 interrupted."""
    if argv is None:
        open_closed_descriptors()
        end_as_ctrl_c_does()
    spoken = Spoken()
    try:
        with patient_streams(spoken):
            status = _status_of(argv)
    except SystemExit as stop:
        # argparse has said its help, or what was wrong.
        if spoken.lost is not None and not stop.code:
            raise SystemExit(FAILED) from None
        raise
    return FAILED if spoken.lost is not None and status == DONE else status


def _status_of(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    arguments.owns_process = argv is None
    # Our own message says what is wrong with a file, once and in plain words.
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    try:
        return int(arguments.command(arguments))
    except (Cancelled, KeyboardInterrupt):
        complain("cancelled.")
        return INTERRUPTED
    except (InputError, RecipeError) as error:
        complain(str(error))
        return WRONG_USE
    except SeedbedError as error:
        complain(str(error))
        return FAILED
    except MemoryError:
        complain("There is not enough memory; close other programs.")
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="seedbed",
        description="Run the operations of napari-seedbed on files, without a window.",
        epilog="Exit status: 0 done, 1 some inputs failed (each is named), 2 wrong use.",
    )
    parser.add_argument("--version", action="version", version=f"napari-seedbed {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser(
        "list",
        help="show the operations and their parameters, and kinds of files",
        description="Show the operations, their parameters, defaults and bounds, and the kinds of "
        "files that are read and written.",
    )
    command.add_argument("--json", action="store_true", help="print JSON, for other programs")
    command.set_defaults(command=_list)

    add_run(commands, _run)

    command = commands.add_parser(
        "demo",
        help="segment the sample volume",
        description="Run the sample recipe on the sample volume that comes with napari-seedbed.",
    )
    command.add_argument(
        "-o",
        "--output",
        metavar="FOLDER",
        default="seedbed-demo",
        help="where results go (default: %(default)s)",
    )
    command.set_defaults(command=_demo)

    command = commands.add_parser(
        "score",
        help="score a segmentation against a ground truth",
        description="Compare a label image or mask with a truth of the same size: overlap, objects "
        "found, missed, split and merged, and distances in the truth's unit.",
    )
    command.add_argument("truth", metavar="TRUTH", help="the right labels, an image")
    command.add_argument("result", metavar="RESULT", help="the labels to score")
    command.add_argument("--json", action="store_true", help="print JSON, for other programs")
    command.add_argument(
        "--channel", metavar="N", type=int, help="which channel holds the labels, counted from 1"
    )
    command.add_argument(
        "--background",
        metavar="LABEL",
        type=int,
        default=0,
        help="a label of the result that is no object, besides 0",
    )
    command.set_defaults(command=_score)

    command = commands.add_parser(
        "script",
        help="write a recipe as a Python script",
        description="Write a recipe as a plain Python script on napari_seedbed.core and NumPy, "
        "which gives the same voxels without napari.",
    )
    command.add_argument(
        "recipe", metavar="RECIPE", help="a recipe, or a project with the recipes of its results"
    )
    command.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="where the script goes (default: it is printed)",
    )
    command.add_argument("--layer", metavar="NAME", help="the result of a project")
    command.set_defaults(command=_script)

    add_convert(commands)

    command = commands.add_parser(
        "info",
        help="say what is in an image, a folder of images, a recipe or a project",
        description="Say what is in an image or a folder of images (axes, voxel size, channels, "
        "range of values, bit depth, and what looks odd), in a file of shapes or points, in a "
        "recipe (its steps, and a paragraph for a methods section) or in a project "
        "(its layers, where their images lie, and its recipes).",
    )
    command.add_argument(
        "file",
        metavar="FILE",
        help=f"an image ({kinds_in_words()}), a folder, shapes or points "
        f"({vector_kinds_in_words()}), a recipe or a project",
    )
    add_series(command)
    command.set_defaults(command=_info)
    return parser


def _list(arguments: argparse.Namespace) -> int:
    if arguments.json:
        from napari_seedbed.pipeline.operations.listing import operations_as_data

        say(json.dumps(operations_as_data(), indent=2))
        return DONE
    from napari_seedbed.pipeline.operations.listing import files_as_text, operations_as_text

    say(f"{operations_as_text()}\n\n{files_as_text()}")
    return DONE


def _run(arguments: argparse.Namespace) -> int:
    from napari_seedbed.pipeline.engine.local_workers import scheduler_begun

    count = arguments.workers or 1
    is_sure = count <= len(arguments.inputs) and not (
        arguments.scheduler or arguments.forecast or arguments.resume or arguments.stack
    )
    # Workers take a second to start, as all that is imported here takes most of one.
    with scheduler_begun(count) if count > 1 and is_sure else nullcontext():
        return _run_batch(arguments)


def _run_batch(arguments: argparse.Namespace) -> int:
    from napari_seedbed.errors import FileError
    from napari_seedbed.pipeline.batch import Workers, run_batch
    from napari_seedbed.pipeline.cli.note_ranges import shortened
    from napari_seedbed.pipeline.operations.seeded import engine_of
    from napari_seedbed.pipeline.recipes.other_images import files_by_name
    from napari_seedbed.pipeline.recipes.other_marks import recipe_making_seeds

    workers = Workers(arguments.workers, arguments.threads, arguments.scheduler)
    try:
        recipe = _recipe_in(Path(arguments.recipe), arguments.layer)
    except FileError as error:
        complain(str(error))
        return WRONG_USE
    if arguments.make_seeds is not None:
        recipe = recipe_making_seeds(recipe, *arguments.make_seeds)
    for step in recipe.steps:
        engine = engine_of(step.operation, step.parameters)
        if engine is not None:
            from napari_seedbed.core.compiling import compile_beside

            if compile_beside(engine):
                # A twelfth of the time to compile goes into looking for cycles among what stays.
                gc.set_threshold(100_000, 20, 50)
            break
    progress = ProgressLine(quiet=arguments.quiet)

    def on_done(entry: dict[str, Any]) -> None:
        progress.clear()
        if entry["error"] is not None:
            complain(f"{entry['input']}: {entry['error']}")
            return
        if arguments.quiet:
            return
        for note in shortened(entry["notes"]):
            remark(f"{entry['input']}: note: {note}")
        count = "" if entry["objects"] is None else f", {entry['objects']} objects"
        count += ", as they were" if "resumed" in entry else ""
        say(visible(f"{entry['input']}: {', '.join(entry['outputs'].values())}{count}"))

    with (
        interruptible(ends_program=arguments.owns_process) as stopped,
        running(report=progress.show, should_stop=stopped),
    ):
        inputs, series = _expand(arguments.inputs), arguments.series
        if isinstance(series, list):
            series = {place_of(path): series for path in inputs}
        if arguments.forecast or not (arguments.quiet or arguments.stack):
            _say_forecasts(recipe, inputs, series, arguments)
        if arguments.forecast:
            return DONE
        summary = run_batch(
            recipe,
            inputs,
            arguments.output,
            recipe_name=Path(arguments.recipe).name,
            overwrite=arguments.overwrite,
            on_done=on_done,
            other=files_by_name(recipe.in_force, arguments.other),
            stack=arguments.stack,
            step=arguments.step,
            parquet=arguments.parquet,
            format=arguments.format,
            by_slice=arguments.by_slice,
            series=series,
            seeds=arguments.seeds,
            shapes=arguments.shapes,
            classes=arguments.classes,
            wells=arguments.wells,
            resume=arguments.resume,
            workers=workers,
            in_blocks=arguments.blocks,
        )
    progress.clear()
    if summary["cancelled"]:
        raise Cancelled
    failed = sum(entry["error"] is not None for entry in summary["inputs"])
    if failed:
        complain(f"{failed} of {len(summary['inputs'])} inputs failed.")
    return FAILED if failed else DONE


def _say_forecasts(
    recipe: "Recipe", inputs: Sequence[Path], series: "Series", arguments: argparse.Namespace
) -> None:
    """Say what steps take where memory does not do or blocks are wanted, or of all if asked to."""
    from napari_seedbed.pipeline.batch.block_steps import may_be_large
    from napari_seedbed.pipeline.batch.step_forecasts import (
        images_of_run,
        stack_of_run,
        step_forecasts,
    )

    # slices are worked on in memory
    how: InBlocks = "never" if arguments.by_slice else arguments.blocks

    def say_of(images: Iterable[tuple[str, "Image"]]) -> None:
        for shown, image in images:
            for step in step_forecasts(recipe, image, how, arguments.scheduler):
                if arguments.forecast:
                    say(visible(f"{shown}: {step.text}"))
                elif step.in_blocks or not step.cost.fits:
                    remark(visible(f"{shown}: {step.text}"))

    if arguments.stack:
        say_of([stack_of_run(inputs, arguments.stack, arguments.step)])
        return
    for path in inputs:
        # What is wrong with an input, the run says.
        with nullcontext() if arguments.forecast else suppress(SeedbedError, OSError):
            if arguments.forecast or may_be_large(path, how):
                say_of(images_of_run(path, series, by_slice=arguments.by_slice))


def _recipe_in(path: Path, layer: str | None) -> "Recipe":
    """The recipe in a file of its own, or in a project."""
    from napari_seedbed.pipeline.project.project_files import load_project
    from napari_seedbed.pipeline.project.project_model import SUFFIX
    from napari_seedbed.pipeline.project.project_recipes import recipe_named
    from napari_seedbed.pipeline.recipes import load_recipe

    if path.suffix.lower() == SUFFIX:
        return recipe_named(load_project(path), layer, path.name)
    if layer is not None:
        raise InputError(f"layer: {path.name} is no project; --layer names a result of one.")
    return load_recipe(path)


def _script(arguments: argparse.Namespace) -> int:
    from napari_seedbed.pipeline.recipes.scripts import recipe_as_script, save_script

    recipe = _recipe_in(Path(arguments.recipe), arguments.layer)
    if arguments.output is None:
        say(recipe_as_script(recipe).rstrip("\n"))
    else:
        say(visible(f"Saved {save_script(arguments.output, recipe)}."))
    return DONE


def _demo(arguments: argparse.Namespace) -> int:
    from napari_seedbed.pipeline.batch import run_batch
    from napari_seedbed.pipeline.recipes import load_recipe

    samples = files("napari_seedbed") / "samples"
    progress = ProgressLine(quiet=False)
    with (
        as_file(samples / _SAMPLE_RECIPE) as recipe,
        as_file(samples / _SAMPLE_IMAGE) as image,
        interruptible(ends_program=arguments.owns_process) as stopped,
        running(report=progress.show, should_stop=stopped),
    ):
        summary = run_batch(
            load_recipe(recipe),
            [image],
            arguments.output,
            recipe_name=_SAMPLE_RECIPE,
            overwrite=True,
        )
    progress.clear()
    if summary["cancelled"]:
        raise Cancelled
    entry = summary["inputs"][0]
    if entry["error"] is not None:
        complain(entry["error"])
        return FAILED
    say(
        f"{entry['objects']} objects in {entry['seconds']:.1f} s; results in {arguments.output}: "
        + ", ".join([*entry["outputs"].values(), "summary.json"])
    )
    return DONE


def _score(arguments: argparse.Namespace) -> int:
    from napari_seedbed.pipeline.cli.score_text import scores_as_text
    from napari_seedbed.pipeline.operations.scoring import json_values, score_files

    progress = ProgressLine(quiet=False)
    with (
        interruptible(ends_program=arguments.owns_process) as stopped,
        running(report=progress.show, should_stop=stopped),
    ):
        scoring = score_files(
            arguments.truth,
            arguments.result,
            channel=arguments.channel,
            background=arguments.background,
        )
    progress.clear()
    if arguments.json:
        say(json.dumps(json_values(scoring), indent=2))
    else:
        say(scores_as_text(scoring))
    return DONE


def _info(arguments: argparse.Namespace) -> int:
    from napari_seedbed.pipeline.encodings.learnt_text import LEARNT
    from napari_seedbed.pipeline.files.vector_readers import is_vector_file
    from napari_seedbed.pipeline.operations.listing import (
        annotations_as_text,
        image_as_text,
        in_one_line,
    )
    from napari_seedbed.pipeline.project.project_model import SUFFIX

    path = place_of(arguments.file)
    if is_vector_file(path):
        say(annotations_as_text(path))
        return DONE
    if path.suffix.lower() == SUFFIX:
        from napari_seedbed.pipeline.project.project_files import load_project
        from napari_seedbed.pipeline.project.project_text import project_as_text

        say(project_as_text(load_project(path), path.parent))
        return DONE
    if path.suffix.lower() in (".yaml", ".yml"):
        from napari_seedbed.pipeline.recipes import load_recipe
        from napari_seedbed.pipeline.recipes.methods_text import (
            recipe_to_methods_text,
            start_in_words,
        )

        recipe = load_recipe(path)
        made_on = recipe.image
        say(f"Recipe of napari-seedbed {recipe.created_with}")
        say(f"Made on   {visible(made_on.name)}, {' x '.join(map(str, made_on.shape))}")
        for called, other in recipe.others.items():
            shape = " x ".join(map(str, other.shape))
            say(f"{'':10}{visible(other.name)}, {shape}, which steps call {visible(called)}")
        for number, step in enumerate(recipe.steps, start=1):
            if step.seeds is not None:
                step.seeds.check()
            values = ", ".join(
                f"{name} {in_one_line(value)}"
                for name, value in step.parameters.items()
                if name != LEARNT
            )
            worked_on = " and ".join(filter(None, [step.image, step.other]))
            text = f"{step.operation} on {worked_on}: {values or 'no parameters'}"
            say(f"Step {number}    {'switched off: ' * step.skip}{visible(text)}")
            if start_in_words(step):
                say(f"{'':10}from {start_in_words(step)}")
        say(f"\n{recipe_to_methods_text(recipe)}")
        return DONE
    from napari_seedbed.pipeline.files import (
        collection_files,
        images_of,
        is_folder,
        open_collection,
        read_image,
        reader_of,
    )

    if is_folder(path) or _is_pattern(arguments.file):
        image = open_collection(arguments.file)
        say(f"Collection  of {image.shape[0]} files along {image.axes[0]}")
        say(f"Format      {reader_of(collection_files(arguments.file)[0]).name}")
        say(image_as_text(image))
        return DONE
    image = read_image(path, series=arguments.series)
    say(f"Format      {reader_of(path).name}")
    say(image_as_text(image))
    found = images_of(path)
    for number, one in enumerate(found if len(found) > 1 else (), start=1):
        say(f"Series {number:<4} {visible(str(one))}")
    return DONE


def _is_pattern(text: str) -> bool:
    is_plain = is_url(text) or os.path.lexists(text)
    return not is_plain and any(sign in text for sign in "*?[")


def _expand(inputs: Sequence[str]) -> list[Path]:
    """Files by name or by pattern: some shells leave ``*.tif`` to the program."""
    found: list[Path] = []
    for text in inputs:
        path = place_of(text)
        if _is_pattern(text):
            anchor = path.parent if not any(sign in str(path.parent) for sign in "*?[") else None
            matches = sorted(anchor.glob(path.name)) if anchor is not None else []
            if not matches:
                raise InputError(f"inputs: no file fits {text}.")
            found += matches
        else:
            found.append(path)
    return found
