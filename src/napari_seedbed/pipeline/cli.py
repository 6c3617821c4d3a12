"""The command ``seedbed``: the same operations as in the window, on files."""

import argparse
import gc
import json
import logging
import os
import sys
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from napari_seedbed import __version__
from napari_seedbed.errors import Cancelled, InputError, RecipeError, SeedbedError
from napari_seedbed.pipeline.interruption import INTERRUPTED, end_as_ctrl_c_does, interruptible
from napari_seedbed.pipeline.output_streams import (
    ProgressLine,
    Spoken,
    complain,
    open_closed_descriptors,
    patient_streams,
    remark,
    say,
)
from napari_seedbed.pipeline.visible_text import visible

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
        help="show the operations and their parameters",
        description="Show the operations, their parameters, defaults and bounds.",
    )
    command.add_argument("--json", action="store_true", help="print JSON, for other programs")
    command.set_defaults(command=_list)

    command = commands.add_parser(
        "run",
        help="apply a recipe to images",
        description="Apply a recipe, saved in napari with 'Save recipe…', to images. Each input "
        "gives NAME_labels.ome.tif and so on, and a table of objects NAME_objects.csv; "
        "summary.json says how it went.",
    )
    command.add_argument("recipe", metavar="RECIPE", help="the recipe, a .yaml file")
    command.add_argument(
        "inputs", metavar="INPUT", nargs="+", help="images: TIFF, PNG, JPEG or OME-Zarr"
    )
    command.add_argument(
        "-o", "--output", metavar="FOLDER", required=True, help="where results go; made if missing"
    )
    command.add_argument(
        "--other",
        metavar="FILE",
        help="the second image of a recipe that works on two, or a folder with a file of the same "
        "name for each input",
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
    _add_series(command)
    command.add_argument(
        "--overwrite", action="store_true", help="replace earlier results of seedbed that are there"
    )
    command.add_argument(
        "--parquet",
        action="store_true",
        help="write tables as Parquet instead of CSV (needs the package pyarrow)",
    )
    command.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")
    command.set_defaults(command=_run)

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
        help="score a segmentation against a truth",
        description="Compare a label image or mask with a truth of the same size: overlap, objects "
        "found, missed, split and merged, and distances in the truth's unit.",
    )
    command.add_argument("truth", metavar="TRUTH", help="the right labels: TIFF, PNG or JPEG")
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
        "info",
        help="say what is in an image, a folder of images or a recipe",
        description="Say what is in an image or a folder of images (axes, voxel size, channels, "
        "range of values, bit depth, and what looks odd) or in a recipe (its steps, and a "
        "paragraph for a methods section).",
    )
    command.add_argument("file", metavar="FILE", help="an image, a folder, or a recipe")
    _add_series(command)
    command.set_defaults(command=_info)
    return parser


def _add_series(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--series",
        metavar="N",
        type=int,
        help="which image of files that hold several, counted from 1 (see seedbed info)",
    )


def _list(arguments: argparse.Namespace) -> int:
    if arguments.json:
        from napari_seedbed.pipeline.listing import operations_as_data

        say(json.dumps(operations_as_data(), indent=2))
        return DONE
    from napari_seedbed.pipeline.listing import operations_as_text

    say(operations_as_text())
    return DONE


def _run(arguments: argparse.Namespace) -> int:
    from napari_seedbed.errors import FileError
    from napari_seedbed.pipeline.batch import run_batch
    from napari_seedbed.pipeline.note_ranges import shortened
    from napari_seedbed.pipeline.recipes import load_recipe
    from napari_seedbed.pipeline.seeded_operations import engine_of

    try:
        recipe = load_recipe(arguments.recipe)
    except FileError as error:
        complain(str(error))
        return WRONG_USE
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
        say(visible(f"{entry['input']}: {', '.join(entry['outputs'].values())}{count}"))

    with interruptible(ends_program=arguments.owns_process) as stopped:
        summary = run_batch(
            recipe,
            _expand(arguments.inputs),
            arguments.output,
            recipe_name=Path(arguments.recipe).name,
            overwrite=arguments.overwrite,
            report=progress.show,
            should_stop=stopped,
            on_done=on_done,
            other=arguments.other,
            stack=arguments.stack,
            step=arguments.step,
            parquet=arguments.parquet,
            by_slice=arguments.by_slice,
            series=arguments.series,
        )
    progress.clear()
    if summary["cancelled"]:
        raise Cancelled
    failed = sum(entry["error"] is not None for entry in summary["inputs"])
    if failed:
        complain(f"{failed} of {len(summary['inputs'])} inputs failed.")
    return FAILED if failed else DONE


def _demo(arguments: argparse.Namespace) -> int:
    from napari_seedbed.pipeline.batch import run_batch
    from napari_seedbed.pipeline.recipes import load_recipe

    samples = files("napari_seedbed") / "samples"
    progress = ProgressLine(quiet=False)
    with (
        as_file(samples / _SAMPLE_RECIPE) as recipe,
        as_file(samples / _SAMPLE_IMAGE) as image,
        interruptible(ends_program=arguments.owns_process) as stopped,
    ):
        summary = run_batch(
            load_recipe(recipe),
            [image],
            arguments.output,
            recipe_name=_SAMPLE_RECIPE,
            overwrite=True,
            report=progress.show,
            should_stop=stopped,
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
    from napari_seedbed.pipeline.score_text import scores_as_text
    from napari_seedbed.pipeline.scoring import json_values, score_files

    progress = ProgressLine(quiet=False)
    with interruptible(ends_program=arguments.owns_process) as stopped:
        scoring = score_files(
            arguments.truth,
            arguments.result,
            channel=arguments.channel,
            background=arguments.background,
            report=progress.show,
            should_stop=stopped,
        )
    progress.clear()
    if arguments.json:
        say(json.dumps(json_values(scoring), indent=2))
    else:
        say(scores_as_text(scoring))
    return DONE


def _info(arguments: argparse.Namespace) -> int:
    from napari_seedbed.pipeline.learnt_text import LEARNT
    from napari_seedbed.pipeline.listing import image_as_text, in_one_line

    path = Path(arguments.file)
    if path.suffix.lower() in (".yaml", ".yml"):
        from napari_seedbed.pipeline.methods_text import recipe_to_methods_text, start_in_words
        from napari_seedbed.pipeline.recipes import load_recipe

        recipe = load_recipe(path)
        made_on = recipe.image
        say(f"Recipe of napari-seedbed {recipe.created_with}")
        say(f"Made on   {visible(made_on.name)}, {' x '.join(map(str, made_on.shape))}")
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
            say(f"Step {number}    {visible(text)}")
            if start_in_words(step):
                say(f"{'':10}from {start_in_words(step)}")
        say(f"\n{recipe_to_methods_text(recipe)}")
        return DONE
    from napari_seedbed.pipeline.files import images_of, is_folder, open_collection, read_image

    if is_folder(path) or _is_pattern(arguments.file):
        image = open_collection(arguments.file)
        say(f"Collection  of {image.shape[0]} files along {image.axes[0]}")
        say(image_as_text(image))
        return DONE
    say(image_as_text(read_image(path, series=arguments.series)))
    found = images_of(path)
    for number, one in enumerate(found if len(found) > 1 else (), start=1):
        say(f"Series {number:<4} {visible(str(one))}")
    return DONE


def _is_pattern(text: str) -> bool:
    return any(sign in text for sign in "*?[") and not os.path.lexists(text)


def _expand(inputs: Sequence[str]) -> list[Path]:
    """Files by name or by pattern: some shells leave ``*.tif`` to the program."""
    found: list[Path] = []
    for text in inputs:
        path = Path(text)
        if _is_pattern(text):
            anchor = path.parent if not any(sign in str(path.parent) for sign in "*?[") else None
            matches = sorted(anchor.glob(path.name)) if anchor is not None else []
            if not matches:
                raise InputError(f"inputs: no file fits {text}.")
            found += matches
        else:
            found.append(path)
    return found


if __name__ == "__main__":
    sys.exit(main())
