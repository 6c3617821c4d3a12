"""Writes docs/operations.md from the declarations of the operations."""

from pathlib import Path

from napari_seedbed.pipeline.operations import operations
from napari_seedbed.pipeline.parameters import Parameter

PAGE = Path(__file__).with_name("operations.md")
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
GIVES = {"image": "an image", "labels": "labels", "mask": "a mask"}
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
        return f"{parameter.default:g}"
    return str(parameter.default)


def values_of(parameter: Parameter) -> str:
    """Return what may be given: the choices, or the bounds with the unit."""
    if parameter.choices:
        return " or ".join(f"`{choice}`" for choice in parameter.choices)
    if parameter.type == "bool":
        return "on, off"
    kind = "whole number" if parameter.type == "int" else "number"
    unit = " in the image's unit" if parameter.unit == "physical" else ""
    return " ".join(part for part in (f"{kind}{unit}", parameter.bounds) if part)


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for operation in operations.values():
        takes = " + ".join(operation.takes)
        gives = " and, on request, ".join(
            [GIVES[operation.gives], *filter(None, [", ".join(operation.extra_outputs)])]
        )
        menu = " → ".join(part.capitalize() for part in operation.menu.split("/")[1:])
        parts.append(
            f"""
## {operation.title}

{operation.help}

| | |
|---|---|
| name | `{operation.name}` |
| menu | {menu} |
| takes | {takes} |
| gives | {gives} |
| dimensions | {" and ".join(f"{ndim}D" for ndim in operation.ndim)}; time points one by one |
| channels | {CHANNELS[operation.channels]} |
"""
        )
        if operation.parameters:
            parts.append(
                "\n| parameter | in the form | default | values | what it does |\n"
                "|---|---|---|---|---|\n"
            )
        parts.extend(
            f"| `{parameter.name}` | {cell(parameter.label)} | {default_of(parameter)} "
            f"| {cell(values_of(parameter))} | {cell(parameter.help)} |\n"
            for parameter in operation.parameters
        )
        parts.append(f"\nReference: {operation.reference}\n")
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
