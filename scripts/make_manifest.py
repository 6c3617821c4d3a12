"""Writes the parts of the manifest that follow from operations, settings and kinds of files.

napari lists all widgets of a plugin in one flat menu. So only panels are widgets; the forms of all
other operations are commands, found by their groups in the menus of the layers, in the panel
'All operations' and in the command palette. The palette and the menus show a panel under its title;
the methods in it have commands of their own for those who look for them by name: in the palette,
and the few that stand for a panel to many people in the menu beside it.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from napari_seedbed.gui.hooks.operation_widgets import (
    first_of_each_command,
    has_panel,
    methods,
    widget_name,
)
from napari_seedbed.gui.hooks.recipe_opening import RECIPES
from napari_seedbed.gui.layers.layer_descriptions import KINDS
from napari_seedbed.gui.qt.plugin_settings import SECTIONS
from napari_seedbed.pipeline.engine.declarations import GROUPS, Operation
from napari_seedbed.pipeline.files.mesh_writing import write_meshes
from napari_seedbed.pipeline.files.readers import napari_patterns
from napari_seedbed.pipeline.files.vector_readers import vector_patterns
from napari_seedbed.pipeline.files.writers import writers_of
from napari_seedbed.pipeline.files.zarr_writing import write_zarr
from napari_seedbed.pipeline.project.project_model import SUFFIX

MANIFEST = Path(__file__).resolve().parents[1] / "src" / "napari_seedbed" / "napari.yaml"
ALL = "operations"
BEGIN, END = "# made by scripts/make_manifest.py", "# written by hand"


def python_name(operation: Operation) -> str:
    """What a command calls: the class of a panel, or a function that opens the form."""
    if has_panel(operation):
        return widget_name(operation)
    return f"napari_seedbed.gui.hooks.operation_widgets:open_{operation.command}"


def grouped() -> dict[str, dict[str, list[Operation]]]:
    """By menu and group, those without a panel."""
    found: dict[str, dict[str, list[Operation]]] = {}
    for group in GROUPS:
        for operation in first_of_each_command():
            if operation.group == group and not has_panel(operation):
                found.setdefault(operation.menu, {}).setdefault(group, []).append(operation)
    return found


def submenu_id(menu: str, group: str) -> str:
    """Of the submenu of a group in a menu."""
    return f"napari-seedbed/{menu.rsplit('/', 1)[-1]}/{group.lower()}"


def commands() -> Iterator[str]:
    """Lines of the commands."""
    yield f"    - id: napari-seedbed.{ALL}"
    yield "      title: All operations"
    yield "      python_name: napari_seedbed.gui.hooks.operations_panel:OperationsPanel"
    for operation in first_of_each_command():
        yield f"    - id: napari-seedbed.{operation.command}"
        yield f"      title: {operation.command_title}"
        yield f"      python_name: {python_name(operation)}"
    for method in methods():
        yield f"    - id: napari-seedbed.{method.command}"
        yield f"      title: {json.dumps(method.title)}"
        yield f"      python_name: napari_seedbed.gui.hooks.operation_widgets:open_{method.command}"


def readers() -> Iterator[str]:
    """Lines of the one reader, which all kinds of files share."""
    others = (f"*{suffix}" for suffix in (SUFFIX, *RECIPES))
    patterns = list(dict.fromkeys([*napari_patterns(), *vector_patterns(), *others]))
    yield "    - command: napari-seedbed.read_images"
    yield f"      filename_patterns: {json.dumps(patterns)}"
    yield "      accepts_directories: true"


def writers() -> Iterator[str]:
    """Lines of the writers: for each type of layer, what is made of it, and each kind of file."""
    made = (
        ("labels", "labels", "{}"),
        ("image", "image", "{}"),
        ("labels", "table", "Table of objects ({})"),
        ("shapes", "shapes", "{}"),
        ("points", "points", "{}"),
    )
    for layer, kind, title in made:
        for writer in filter(lambda row: row.in_napari, writers_of(kind)):
            shown = title.format(writer.title or writer.name)
            yield from _writer(f"write_{kind}", [layer], writer.suffixes, shown)
    for writer in writers_of("labels"):
        if writer.writes is write_meshes:
            title = f"{writer.name}, a file an object"
            yield from _writer("write_meshes_each", ["labels"], writer.suffixes, title)
    title = "Picture with outlines and scale bar (PNG)"
    yield from _writer("write_picture", ["image", "labels"], (".png",), title)
    zarr = next(row for row in writers_of("image") if row.writes is write_zarr)
    for layers, title in (
        (["image+", "labels+"], "image with labels"),
        (["image{2,1000}"], "layers as channels"),
    ):
        yield from _writer("write_zarr", layers, zarr.suffixes, f"{zarr.name}, {title}")
    yield "    - command: napari-seedbed.write_project"
    yield f"      layer_types: {json.dumps([f'{kind}*' for kind in KINDS])}"
    yield f'      filename_extensions: ["{SUFFIX}"]'
    yield "      display_name: Seedbed project"


def _writer(
    command: str, layers: list[str], suffixes: tuple[str, ...], title: str
) -> Iterator[str]:
    yield f"    - command: napari-seedbed.{command}"
    yield f"      layer_types: {json.dumps(layers)}"
    yield f"      filename_extensions: {json.dumps(suffixes)}"
    yield f"      display_name: {title}"


def widgets() -> Iterator[str]:
    """Lines of the widgets."""
    yield f"    - command: napari-seedbed.{ALL}"
    yield "      display_name: All operations"
    for operation in first_of_each_command():
        if has_panel(operation):
            yield f"    - command: napari-seedbed.{operation.command}"
            yield f"      display_name: {operation.command_title}"


def submenus() -> Iterator[str]:
    """Lines of the submenus."""
    for menu, groups in grouped().items():
        for group in groups:
            yield f"    - id: {submenu_id(menu, group)}"
            yield f"      label: {group} (Seedbed)"


def menus() -> Iterator[str]:
    """Lines of the menus: panels first, then a submenu for each group."""
    forms = grouped()
    panels = [operation for operation in first_of_each_command() if has_panel(operation)]
    for menu in dict.fromkeys([*(operation.menu for operation in panels), *forms]):
        yield f"    {menu}:"
        for operation in panels:
            if operation.menu == menu:
                yield f"      - command: napari-seedbed.{operation.command}"
                yield "        group: 1_seedbed_panels"
        for method in methods():
            if method.is_known and method.operation.menu == menu:
                yield f"      - command: napari-seedbed.{method.command}"
                yield "        group: 1_seedbed_panels"
        for nth, group in enumerate(forms.get(menu, {})):
            yield f"      - submenu: {submenu_id(menu, group)}"
            yield f"        group: 2_seedbed_groups@{nth}"
    for menu, groups in forms.items():
        for group, shown in groups.items():
            yield f"    {submenu_id(menu, group)}:"
            for operation in shown:
                yield f"      - command: napari-seedbed.{operation.command}"


def configurations() -> Iterator[str]:
    """Lines of the preferences."""
    for section, (title, settings) in SECTIONS.items():
        yield f"    {section}:"
        yield f"      title: {title}"
        yield "      properties:"
        for one in settings:
            yield f"        {one.name}:"
            yield f"          type: {'string' if isinstance(one.default, str) else 'number'}"
            yield f"          default: {json.dumps(one.default)}"
            if one.choices:
                yield f"          enum: {json.dumps(one.choices)}"
            yield f"          title: {one.title}"
            yield f"          description: {json.dumps(one.description)}"


def manifest() -> str:
    """The whole manifest, with these parts anew."""
    text = MANIFEST.read_text(encoding="utf-8")
    for part in (commands, configurations, readers, writers, widgets, submenus, menus):
        name = part.__name__
        text = re.sub(
            rf"(\n  {name}:\n    {BEGIN}\n).*?(    {END}\n)",
            lambda found, part=part: found[1] + "\n".join([*part(), ""]) + found[2],
            text,
            flags=re.DOTALL,
        )
    return text


if __name__ == "__main__":
    MANIFEST.write_text(manifest(), encoding="utf-8")
    print(f"wrote {MANIFEST}")
