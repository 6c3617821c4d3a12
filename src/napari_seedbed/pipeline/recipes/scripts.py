"""A recipe as a plain Python script, which calls core's functions and needs nothing else of us."""

import re
import textwrap
from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np

from napari_seedbed import core
from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import SPATIAL
from napari_seedbed.pipeline.data.units import convert
from napari_seedbed.pipeline.engine.parameters import check_parameters
from napari_seedbed.pipeline.engine.written_calls import PACKED, NotWritable, ScriptWriter, literal
from napari_seedbed.pipeline.files import atomic_files
from napari_seedbed.pipeline.operations import get
from napari_seedbed.pipeline.recipes.other_images import nth_image
from napari_seedbed.pipeline.recipes.recipe_model import OTHER, Recipe, Step
from napari_seedbed.pipeline.recipes.replays import save_recipe
from napari_seedbed.pipeline.recipes.script_jobs import CANONICAL, SPACING, Made
from napari_seedbed.pipeline.recipes.script_lines import broken
from napari_seedbed.pipeline.recipes.script_parts import HELPERS
from napari_seedbed.pipeline.recipes.script_steps import StepWriter

SUFFIX = ".py"

_MODULES = {
    "unpacked": ("import base64", "import zlib"),
    PACKED: ("import base64", "import zlib"),
    "read": ("import tifffile",),
    "write": ("import csv", "import tifffile"),
}
_WIDTH = 88


USE = "Run it with: python {} IMAGE"
"""What is said of a script that was saved."""


def save_recipe_or_script(path: str | PathLike[str], recipe: Recipe) -> Path:
    """Write a recipe: as a Python script where the path ends so, otherwise as YAML.

    Raises
    ------
    InputError, FileError
        As `save_script`.
    """
    save = save_script if Path(path).suffix == SUFFIX else save_recipe
    return save(path, recipe)


def save_script(path: str | PathLike[str], recipe: Recipe) -> Path:
    """Write a recipe as a Python script; whole or not at all.

    Raises
    ------
    InputError
        For a recipe with a step that a script cannot do.
    FileError
        When the file cannot be written.
    """
    path = Path(path)
    text = recipe_as_script(recipe, path.name)
    with atomic_files.written_whole(path) as temporary:
        temporary.write_text(text, "utf-8")
    return path


def recipe_as_script(recipe: Recipe, name: str = "script.py") -> str:
    """The script that gives what a recipe gives on its image, voxel by voxel.

    It imports `napari_seedbed.core`, NumPy and tifffile. Its function `process` takes arrays with
    the axes t, c, z, y, x, as far as there are such, and gives the outputs of the last step by
    their names: arrays in the recipe's order of axes, tables and points as dicts of columns, and
    lists of shapes.

    Parameters
    ----------
    recipe : Recipe
    name : str
        Of the file, for the line that says how it is called.

    Raises
    ------
    InputError
        For a recipe with a step that a script cannot do.
    """
    recipe = recipe.in_force
    writer = ScriptWriter()
    _check_voxel_sizes(recipe)
    source, read_axes = _source(recipe, writer)
    others = {name: _other(recipe, name, source) for name in recipe.other_names}
    steps = StepWriter(recipe, writer, {"image": source, **others})
    constants = [f"{SPACING} = {literal(recipe.image.spacing)}  # {_unit(recipe)}"]
    for number, step in enumerate(recipe.steps, start=1):
        operation = get(step.operation)
        parameters = check_parameters(operation.parameters, step.parameters, recipe.image.spacing)
        writer.line("")
        writer.line(f"# Step {number}, {operation.title}")
        try:
            outputs = steps.write(number, step, operation, parameters)
        except NotWritable as error:
            raise InputError(
                f"script: the step {step.name!r} ({operation.title}) cannot be written as a "
                f"script, since {_lower(str(error))} Save the recipe as YAML, and run it with "
                "seedbed run."
            ) from error
        constants += _marks(number, step)
    returned = [_returned(key, made, writer) for key, made in outputs.items()]
    writer.line("")
    writer.line(f"return {{{', '.join(returned)}}}")
    axes = [read_axes, *(_axes_of_file(recipe, one, read_axes) for one in others)]
    return _document(recipe, name, writer, steps, constants, axes)


def _check_voxel_sizes(recipe: Recipe) -> None:
    """Refuse steps on a further image whose voxels are not those of the first: there is one size.

    Where it is the second image of a step, its place on the grid counts alone.
    """
    made_on = recipe.image
    worked_on = {step.image for step in recipe.steps}
    for name in worked_on & recipe.others.keys():
        other = recipe.others[name]
        sizes = [convert(n, other.units[-1], made_on.units[-1]) for n in other.spacing]
        if len(sizes) != len(made_on.spacing) or not np.allclose(
            [size or 0.0 for size in sizes], made_on.spacing, rtol=1e-9, atol=0
        ):
            raise InputError(
                f"script: the voxels of {other.name!r} are of another size than those of "
                f"{made_on.name!r}, and a script knows one. Save the recipe as YAML, and run it "
                "with seedbed run."
            )


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _unit(recipe: Recipe) -> str:
    axes = ", ".join(axis for axis in recipe.image.axes if axis in SPATIAL)
    return f"voxel size along {axes} in {recipe.image.units[-1]}"


def _source(recipe: Recipe, writer: ScriptWriter) -> tuple[Made, str]:
    """The image that steps call 'image', and the axes of its file."""
    image = recipe.image
    sizes = dict(zip(image.axes, image.shape, strict=True))
    chosen = recipe.channels
    axes = [axis for axis in CANONICAL if axis in sizes or (axis == "c" and chosen is not None)]
    text = "image"
    if chosen is not None:
        lead = ":, " if "t" in sizes else ""
        places = str(list(chosen)) if "c" in sizes else str(chosen[0])
        writer.line("# The channels that count, from 0")
        writer.line(f"image = image[{lead}{places}]")
    return Made(text, "image", tuple(image.axes), sizes, image.rgb), "".join(axes)


def _other(recipe: Recipe, name: str, source: Made) -> Made:
    """A further image: laid out as the first, where the recipe does not describe it."""
    if name not in recipe.others:
        return replace(source, text=name, is_described=False)
    made_on = recipe.others[name]
    sizes = dict(zip(made_on.axes, made_on.shape, strict=True))
    axes, is_rgb = tuple(made_on.axes), made_on.rgb
    if made_on.channels is not None:
        # the file has more of them, however many
        axes = axes if "c" in sizes else ("c", *axes)
        sizes["c"], is_rgb = max(made_on.channels) + 2, False
    return Made(_variable(recipe, name), "image", axes, sizes, is_rgb)


def _variable(recipe: Recipe, name: str) -> str:
    """What a further image is called in the script, whatever steps call it."""
    place = list(recipe.others or [name]).index(name) + 1
    return OTHER if place == 1 else f"{OTHER}_{place}"


def _axes_of_file(recipe: Recipe, name: str, first: str) -> str:
    """The axes that the file of a further image has."""
    if name not in recipe.others:
        return first
    made_on = recipe.others[name]
    has_channels = made_on.channels is not None or "c" in made_on.axes
    return "".join(
        axis for axis in CANONICAL if axis in made_on.axes or (axis == "c" and has_channels)
    )


def _marks(number: int, step: Step) -> list[str]:
    found = []
    if step.seeds is not None:
        lines = textwrap.wrap("".join(step.seeds.data.split()), _WIDTH)
        found.append(f'SEEDS_{number} = """\n' + "\n".join(lines) + '\n"""')
    if step.shapes is not None:
        rows = []
        for one in step.shapes:
            shape = one.decode()
            points = literal([tuple(map(float, point)) for point in shape.points])
            rest = "" if shape.closed else ", closed=False"
            rest += f", time={shape.time}" if shape.time else ""
            rows.append(f"    Shape({shape.label}, np.array({points}){rest}),\n")
        found.append(f"SHAPES_{number} = [\n{''.join(rows)}]")
    return found


def _returned(key: str, made: Made, writer: ScriptWriter) -> str:
    text = made.text
    if made.axes and made.axes != made.written_axes:
        order = tuple(made.written_axes.index(axis) for axis in made.axes)
        text = f"np.transpose({text}, {literal(order)})"
    return f"{literal(key)}: {text}"


def _document(
    recipe: Recipe,
    name: str,
    writer: ScriptWriter,
    steps: StepWriter,
    constants: list[str],
    axes: list[str],
) -> str:
    needed = {*writer.helpers, "read", "write"}
    code = [*writer.constants, *writer.lines]
    needed |= {PACKED} if any(PACKED in line for line in code) else set()
    helpers = [key for key in HELPERS if key in needed]
    modules = {*writer.modules, "import sys", "from pathlib import Path"}
    for key in helpers:
        modules.update(_MODULES.get(key, ()))
    code, packed = _without_packed(code)
    known, lines = code[: len(writer.constants)], code[len(writer.constants) :]
    text = "\n".join([*constants, *code, *(HELPERS[key] for key in helpers)])
    classes = set(core.__all__) & set(re.findall(r"(?<![\w.])([A-Z]\w+)\(", text))
    called = writer.core_names | classes
    names = ", ".join(one for one in sorted(called) if re.search(rf"\b{one}\b", text))
    body = [broken(line, 4) if line else "" for line in lines]
    arguments = ["image", *(_variable(recipe, other) for other in recipe.other_names)]
    read = [f'read(Path(sys.argv[{n}]), "{one}")' for n, one in enumerate(axes, start=1)]
    about = "; ".join(
        f"{given}: {', '.join(one)}" for given, one in zip(arguments, axes, strict=True)
    )
    if len(set(axes)) == 1:
        about = ", ".join(axes[0])
    parts = [
        _head(recipe, name),
        "",
        _imports(modules),
        broken(f"from napari_seedbed.core import {names}", 0) if names else "",
        "",
        *constants,
        *packed,
        *(f"\n{HELPERS[key]}" for key in helpers),
        *(["\n", *(broken(line, 0) for line in known)] if known else []),
        "",
        "",
        f"def process({', '.join(arguments)}):",
        f'    """What the recipe gives of arrays with the axes {about}."""',
        *body[1 if body and not body[0] else 0 :],
        "",
        "",
        'if __name__ == "__main__":',
        f"    for name, result in process({', '.join(read)}).items():"
        if len(read) == 1
        else broken(f"images = [{', '.join(read)}]", 4)
        + "\n    for name, result in process(*images).items():",
        '        write(Path(sys.argv[1]).with_suffix(""), name, result)',
    ]
    return "\n".join(part.removesuffix("\n") for part in parts) + "\n"


def _without_packed(lines: list[str]) -> tuple[list[str], list[str]]:
    """Lines with names for packed arrays, and the lines that give them these names."""
    constants: list[str] = []

    def named(found: re.Match[str]) -> str:
        wrapped = "\n".join(textwrap.wrap(found[1], _WIDTH))
        constants.append(f'ARRAY_{len(constants) + 1} = """\n{wrapped}\n"""')
        return f"{PACKED}(ARRAY_{len(constants)}"

    return [re.sub(rf'{PACKED}\("([^"]+)"', named, line) for line in lines], constants


def _head(recipe: Recipe, name: str) -> str:
    titles = ", then ".join(get(step.operation).title for step in recipe.steps)
    versions = ", ".join(f"{key} {one}" for key, one in recipe.libraries.items())
    others = [nth_image(recipe, one).upper().replace(" ", "_") for one in recipe.other_names]
    made_on = [recipe.image.name, *(recipe.others[one].name for one in recipe.others)]
    lines = [
        *textwrap.wrap(f"{titles}: a recipe of napari-seedbed as a script.", _WIDTH),
        "",
        f"    python {' '.join([name, 'IMAGE', *others])}",
        "",
        "IMAGE is a TIFF file, or NumPy's with the axes that process says. Results lie beside it.",
        "",
        *textwrap.wrap(
            f"Made on {', '.join(map(repr, made_on))} with napari-seedbed {recipe.created_with}"
            + (f" ({versions})." if versions else "."),
            _WIDTH,
        ),
    ]
    text = "\n".join(lines).replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{text}\n"""\n'


def _imports(modules: set[str]) -> str:
    ours = ("import numpy", "import tifffile")
    standard = sorted(one for one in modules if not one.startswith(ours))
    plain = [one for one in standard if one.startswith("import")]
    others = sorted(one for one in modules if one.startswith(ours))
    return "\n".join([*plain, *(one for one in standard if one not in plain), "", *others, ""])
