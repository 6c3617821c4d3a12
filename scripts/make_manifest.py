"""Writes the parts of the manifest that follow from the operations: commands, widgets, menus."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from napari_seedbed.pipeline.declarations import Operation
from napari_seedbed.pipeline.operations import operations

MANIFEST = Path(__file__).resolve().parents[1] / "src" / "napari_seedbed" / "napari.yaml"
BEGIN, END = "# made from the operations", "# written by hand"


def first_of_each_command() -> list[Operation]:
    """One operation for each command: several share the command of their panel."""
    found: dict[str, Operation] = {}
    for operation in operations.values():
        found.setdefault(operation.command, operation)
    return list(found.values())


def python_name(operation: Operation) -> str:
    """Where the widget of a command is: a panel of its own, or the form made for all others."""
    name = "".join(word.capitalize() for word in operation.command.split("_"))
    module = f"napari_seedbed.gui.{operation.command}_panel"
    if find_spec(module) is not None:
        return f"{module}:{name}Panel"
    return f"napari_seedbed.gui.operation_form:{name}Form"


def commands() -> Iterator[str]:
    """Lines of the commands."""
    for operation in first_of_each_command():
        yield f"    - id: napari-seedbed.{operation.command}"
        yield f"      title: {operation.command_title}"
        yield f"      python_name: {python_name(operation)}"


def widgets() -> Iterator[str]:
    """Lines of the widgets."""
    for operation in first_of_each_command():
        yield f"    - command: napari-seedbed.{operation.command}"
        yield f"      display_name: {operation.command_title}"


def menus() -> Iterator[str]:
    """Lines of the menus."""
    shown = first_of_each_command()
    for menu in dict.fromkeys(operation.menu for operation in shown):
        yield f"    {menu}:"
        for operation in shown:
            if operation.menu == menu:
                yield f"      - command: napari-seedbed.{operation.command}"


def manifest() -> str:
    """The whole manifest, with these parts anew."""
    text = MANIFEST.read_text(encoding="utf-8")
    for part in (commands, widgets, menus):
        name = part.__name__
        text = re.sub(
            rf"(\n  {name}:\n    {BEGIN}\n).*?(    {END}\n)",
            lambda found, part=part: found[1] + "\n".join(part()) + "\n" + found[2],
            text,
            flags=re.DOTALL,
        )
    return text


if __name__ == "__main__":
    MANIFEST.write_text(manifest(), encoding="utf-8")
    print(f"wrote {MANIFEST}")
