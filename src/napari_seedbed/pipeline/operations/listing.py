"""Operations and images in words, for the command line."""

from collections import Counter
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.image_statistics import range_of_image
from napari_seedbed.pipeline.data.visible_text import visible
from napari_seedbed.pipeline.engine.declarations import GROUPS, Operation
from napari_seedbed.pipeline.engine.parameters import Parameter
from napari_seedbed.pipeline.files import readers, vector_readers, writers
from napari_seedbed.pipeline.files.voxels_in_file import LAZY_ABOVE
from napari_seedbed.pipeline.operations import operations

_WIDTH = 88


def by_group() -> dict[str, list[Operation]]:
    """All operations under the headings of their groups, in the order of `GROUPS`."""
    grouped = {
        group: [operation for operation in operations.values() if operation.group == group]
        for group in GROUPS
    }
    return {group: found for group, found in grouped.items() if found}


def operations_as_text() -> str:
    """All operations, those of a group together under its name."""
    return "\n\n".join(
        "\n\n".join([f"== {group} ==", *map(operation_as_text, found)])
        for group, found in by_group().items()
    )


def operation_as_text(operation: Operation) -> str:
    """Name, what it takes and gives, what it does, and its parameters."""
    takes = takes_in_words(operation)
    lines = [
        f"{operation.name}   {operation.title}: {takes} -> {operation.gives}, 2D and 3D",
        *wrap(operation.help, _WIDTH, initial_indent="  ", subsequent_indent="  "),
    ]
    for parameter in operation.parameters:
        lines.append(f"    {parameter.name}   {_domain(parameter)}")
        indent = " " * 8
        lines += wrap(parameter.help, _WIDTH, initial_indent=indent, subsequent_indent=indent)
    return "\n".join(lines)


def takes_in_words(operation: Operation) -> str:
    """``image + seeds``; ``image + shapes or seeds`` where one of the two is needed."""
    words = {"image": operation.image_kind, "other": operation.other_title.lower()}
    parts = [words.get(role, role) for role in operation.takes]
    parts += filter(None, [" or ".join(operation.one_of)])
    parts += [f"{words.get(role, role)} (if wanted)" for role in operation.optional]
    return " + ".join(parts)


def _domain(parameter: Parameter) -> str:
    if parameter.type == "choice":
        return f"{' or '.join(parameter.choices)}, default {parameter.default}"
    if parameter.type == "bool":
        return f"true or false, default {str(parameter.default).lower()}"
    if parameter.type == "text":
        parts = [f"text, default {in_one_line(parameter.default)!r}"]
        parts += [f"{name} is {in_one_line(text)!r}" for name, text in parameter.presets]
        return "; ".join(parts)
    kind = "whole number" if parameter.type == "int" else "number"
    parts = [kind, parameter.bounds, f"default {_number_of(parameter)}"]
    if parameter.unit == "physical":
        parts.append("in the unit of the voxel size")
    if parameter.unit == "physical_size":
        parts.append("an area (2D) or volume (3D) in the unit of the voxel size")
    return ", ".join(filter(None, parts))


def in_one_line(value: object) -> str:
    """A value as text, its lines joined by semicolons."""
    return "; ".join(str(value).strip().splitlines())


def _number_of(parameter: Parameter) -> str:
    shown = f"{parameter.default:g}"
    if not parameter.in_voxels:
        return shown
    return f"{shown} voxel" if parameter.default == 1 else f"{shown} voxels"


def operations_as_data() -> list[dict[str, Any]]:
    """All declarations in plain values."""
    return [
        {
            "name": operation.name,
            "title": operation.title,
            "group": operation.group,
            "menu": operation.menu,
            "takes": list(operation.takes),
            "one_of": list(operation.one_of),
            "optional": list(operation.optional),
            "image_kind": operation.image_kind,
            "other_kind": operation.other_kind,
            "gives": operation.gives,
            "extra_outputs": list(operation.extra_outputs),
            "ndim": [2, 3],
            "channels": operation.channels,
            "series": operation.series,
            "panel": operation.panel,
            "help": operation.help,
            "reference": operation.reference,
            "parameters": [
                {
                    "name": parameter.name,
                    "type": parameter.type,
                    "default": parameter.default,
                    "label": parameter.label,
                    "help": parameter.help,
                    "minimum": parameter.minimum,
                    "maximum": parameter.maximum,
                    "unit": parameter.unit,
                    "in_voxels": parameter.in_voxels,
                    "choices": list(parameter.choices),
                    "presets": dict(parameter.presets),
                    "advanced": parameter.advanced,
                }
                for parameter in operation.parameters
            ],
        }
        for operation in operations.values()
    ]


def files_as_text() -> str:
    """The kinds of files that are read and written, a line each."""
    lines = ["== Files =="]
    lines += [f"reads {row}: {row.help}" for row in readers.READERS]
    lines += [f"reads shapes from {row}: {row.keeps}" for row in vector_readers.VECTOR_READERS]
    lines += [f"writes {' and '.join(row.takes)} as {row}: {row.help}" for row in writers.WRITERS]
    return "\n".join(lines)


def image_as_text(image: Image) -> str:
    """What is known about an image, a line each."""
    lengths = ", ".join(f"{axis} {n}" for axis, n in zip(image.axes, image.shape, strict=True))
    size = " x ".join(f"{step:g}" for step in image.spacing)
    lines = [
        f"Name        {visible(image.name)}",
        f"Axes        {lengths}" + (" (colours: red, green, blue)" if image.rgb else ""),
        f"Type        {image.dtype.name}",
        f"Values      {_range_as_text(image)}",
        f"Voxel size  {size} {image.unit} ({', '.join(image.spatial_axes)})",
    ]
    if image.n_channels > 1 and not image.rgb:
        names = image.channel_names or ("",) * image.n_channels
        colors = image.channel_colors or (None,) * image.n_channels
        for index, (name, color) in enumerate(zip(names, colors, strict=True)):
            text = " ".join(filter(None, (name, color))) or "(no name)"
            lines.append(f"Channel {index + 1:<3} {visible(text)}")
    lines += [f"Note        {visible(note)}" for note in image.notes]
    return "\n".join(lines)


def annotations_as_text(path: Path) -> str:
    """What a file of shapes and points holds, a line each."""
    found = vector_readers.read_annotations(path)
    row = vector_readers.vector_reader_of(path)
    lines = [f"Format      {row.name if row else ''}", f"Name        {visible(found.name)}"]
    forms = Counter(item.form for item in found.items)
    lines += [f"{form.capitalize():11} {count}" for form, count in forms.items()]
    if found.groups:
        lines.append(f"Classes     {', '.join(found.groups)}")
    for word, axis in (
        ("Slices", "z"),
        ("Times", "t"),
        ("Channels", "c"),
        ("In stack", "position"),
    ):
        places = [getattr(item, axis) for item in found.items]
        known = [place + 1 for place in places if place is not None]
        if known:
            on_all = f", {len(places) - len(known)} on all" if len(known) < len(places) else ""
            lines.append(f"{word:11} {min(known)} to {max(known)}{on_all}")
    lines += [f"Note        {visible(note)}" for note in found.notes]
    return "\n".join(lines)


def _range_as_text(image: Image) -> str:
    if int(np.prod(image.shape)) * image.dtype.itemsize > LAZY_ABOVE:
        return "not looked at, because the image is large"
    try:
        return range_of_image(image).text
    except InputError as error:
        return str(error)
