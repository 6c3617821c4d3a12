"""The widget of each operation, and the commands of the menus that open it."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from napari_seedbed.pipeline.declarations import Operation
from napari_seedbed.pipeline.operations import operations

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

PLUGIN = "Seedbed"
_OPEN = "open_"


def first_of_each_command() -> list[Operation]:
    """One operation for each command: several share the command of their panel."""
    found: dict[str, Operation] = {}
    for operation in operations.values():
        found.setdefault(operation.command, operation)
    return list(found.values())


def has_panel(operation: Operation) -> bool:
    """Whether there is a panel made for it, rather than the form made for all others."""
    return find_spec(_panel_module(operation)) is not None


def widget_name(operation: Operation) -> str:
    """``module:class`` of its widget."""
    name = "".join(word.capitalize() for word in operation.command.split("_"))
    if has_panel(operation):
        return f"{_panel_module(operation)}:{name}Panel"
    return f"napari_seedbed.gui.operation_form:{name}Form"


def widget_class(operation: Operation) -> type["QWidget"]:
    """The class of its widget; made with the viewer alone."""
    module, name = widget_name(operation).split(":")
    found: type[QWidget] = getattr(import_module(module), name)
    return found


def show_form(viewer: "Viewer", command: str) -> None:
    """Open the form of a command in a dock of the window, or bring forward the one there is."""
    operation = next(one for one in operations.values() if one.command == command)
    name = f"{operation.command_title} ({PLUGIN})"
    form = viewer.window.dock_widgets.get(name)
    if form is None:
        # beside other panels, not under them, where there would be no room
        form = widget_class(operation)(viewer)
        viewer.window.add_dock_widget(form, name=name, area="right", tabify=True)
    dock = form.parent()
    dock.show()
    dock.raise_()


def __getattr__(name: str) -> Callable[..., None]:
    """The manifest names a command after what it opens: open_gaussian, open_median …"""
    command = name.removeprefix(_OPEN)
    if name.startswith(_OPEN) and any(one.command == command for one in operations.values()):

        def opened(viewer: "Viewer") -> None:
            show_form(viewer, command)

        opened.__name__ = name
        globals()[name] = opened
        return opened
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _panel_module(operation: Operation) -> str:
    return f"napari_seedbed.gui.{operation.command}_panel"
