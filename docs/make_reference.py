"""Writes what docs/ derives from declarations: operations, kinds of files, schema of recipes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.engine.parameters import Parameter
from napari_seedbed.pipeline.files import readers, vector_readers, writers
from napari_seedbed.pipeline.operations.listing import by_group, in_one_line, takes_in_words
from napari_seedbed.pipeline.recipes.recipe_schema import recipe_schema

PAGE = Path(__file__).with_name("operations.md")
FILES_PAGE = Path(__file__).with_name("files.md")
SCHEMA = Path(__file__).with_name("recipe.schema.json")
HEAD = """# Operations

<!-- Written by docs/make_reference.py from the declarations; edit those and run `make docs`. -->

Every operation is the same in a menu of napari, in `seedbed run`, in a recipe and in Python:

```python
from napari_seedbed.pipeline.files import read_image
from napari_seedbed.pipeline.operations import run

smooth = run("gaussian", {"image": read_image("stack.tif")}, {"sigma": 0.5}).outputs["image"]
```

Lengths are in the unit of the image's voxel size (pixels where the image has none).
"""
GIVES = {
    "image": "an image",
    "labels": "labels",
    "mask": "a mask",
    "shapes": "shapes",
    "points": "points",
    "table": "a table",
}
UNITS = {"physical": " in the image's unit", "physical_size": " in the image's unit, ² or ³"}
CHANNELS = {
    "joint": "all chosen channels count together",
    "each": "one by one, a result for each",
}


def cell(text: str) -> str:
    """Return text that is safe inside a Markdown table."""
    return text.replace("|", "\\|")


def default_of(parameter: Parameter) -> str:
    """Return the default as a person would type it."""
    if parameter.type == "bool":
        return "on" if parameter.default else "off"
    if parameter.type == "float":
        voxels = f" voxel{'' if parameter.default == 1 else 's'}" if parameter.in_voxels else ""
        return f"{parameter.default:g}{voxels}"
    if parameter.type == "text":
        return f"`{in_one_line(parameter.default)}`"
    return str(parameter.default)


def values_of(parameter: Parameter) -> str:
    """Return what may be given: the choices, or the bounds with the unit."""
    if parameter.choices:
        return " or ".join(f"`{choice}`" for choice in parameter.choices)
    if parameter.type == "bool":
        return "on, off"
    if parameter.type == "text":
        texts = [f"{name} `{in_one_line(text)}`" for name, text in parameter.presets]
        return ", ".join(["text", *texts])
    kind = "whole number" if parameter.type == "int" else "number"
    unit = UNITS.get(str(parameter.unit), "")
    return " ".join(part for part in (f"{kind}{unit}", parameter.bounds) if part)


def outputs_of(operation: Operation) -> str:
    """Return what comes out, and which of it has to be asked for or can be left out."""
    extra = operation.extra_outputs
    asked = ", ".join(name for name in extra if not operation.parameter(name).default)
    usual = ", ".join(name for name in extra if operation.parameter(name).default)
    text = GIVES[operation.gives]
    text += f" and, unless switched off, {usual}" if usual else ""
    return text + (f" and, on request, {asked}" if asked else "")


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for group, operations in by_group().items():
        parts.append(f"\n## {group}\n")
        parts += map(section, operations)
    return "".join(parts)


def section(operation: Operation) -> str:
    """Return what the page says of one operation."""
    menu = " → ".join(part.capitalize() for part in operation.menu.split("/")[1:])
    if operation.panel:
        menu += f" → {operation.command_title}"
    times = "all time points at once" if operation.series else "time points one by one"
    parts = [
        f"""
### {operation.title}

{operation.help}

| | |
|---|---|
| name | `{operation.name}` |
| menu | {menu} |
| takes | {takes_in_words(operation)} |
| gives | {outputs_of(operation)} |
| dimensions | 2D and 3D; {times} |
| channels | {CHANNELS[operation.channels]} |
"""
    ]
    if operation.term:
        parts.append(f"| in the literature | {operation.term} |\n")
    if operation.parameters:
        parts.append(
            "\n| parameter | in the form | default | values | what it does |\n"
            "|---|---|---|---|---|\n"
        )
    parts.extend(
        f"| `{parameter.name}` | {cell(parameter.label)} | {cell(default_of(parameter))} "
        f"| {cell(values_of(parameter))} | {cell(parameter.help)} |\n"
        for parameter in operation.parameters
    )
    parts.append(f"\nReference: {operation.reference}\n")
    return "".join(parts)


def read() -> Iterator[str]:
    """Lines of the table of files that are read."""
    yield "| kind | endings | beside the pixels | several images | larger than memory | in napari |"
    yield "|---|---|---|---|---|---|"
    for row in readers.READERS:
        napari = "yes" if row.in_napari else "by napari's own reader"
        if row.labels_in_napari and not row.in_napari:
            napari += ", labels by Seedbed"
        several, lazy = ("yes" if has else "no" for has in (row.lists, row.is_lazy))
        yield (
            f"| {row.name}: {row.help} | {code(row.suffixes)} | {', '.join(row.keeps)} | {several} "
            f"| {lazy} | {napari} |"
        )


def shapes() -> Iterator[str]:
    """Lines of the table of files that shapes and points are read from."""
    yield "| kind | endings | what it can hold |"
    yield "|---|---|---|"
    for row in vector_readers.VECTOR_READERS:
        yield f"| {row.name} | {code(row.suffixes)} | {row.keeps} |"


def written() -> Iterator[str]:
    """Lines of the table of files that are written."""
    yield "| result | kind | endings |"
    yield "|---|---|---|"
    for row in writers.WRITERS:
        yield f"| {', '.join(row.takes)} | {row.name}, {row.help} | {code(row.suffixes)} |"


def code(texts: tuple[str, ...]) -> str:
    """Return texts as code, with commas between them."""
    return ", ".join(f"`{text}`" for text in texts)


def files_page() -> str:
    """Return the page on files, with these tables anew."""
    text = FILES_PAGE.read_text(encoding="utf-8")
    for part in (read, shapes, written):
        text = re.sub(
            rf"(<!-- kinds that are {part.__name__}, .*? -->\n).*?(<!-- end -->)",
            lambda found, part=part: "\n".join([found[1], *part(), "", found[2]]),
            text,
            flags=re.DOTALL,
        )
    return text


def schema() -> str:
    """Return the JSON Schema of recipes."""
    return json.dumps(recipe_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for path, made in ((PAGE, page), (FILES_PAGE, files_page), (SCHEMA, schema)):
        path.write_text(made(), encoding="utf-8")
        print(f"wrote {path}")
