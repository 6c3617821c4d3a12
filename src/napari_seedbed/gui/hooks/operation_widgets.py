"""The widget of each operation, and the commands of the menus that open it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from napari_seedbed.gui.hooks.panels import PANELS
from napari_seedbed.pipeline.engine.declarations import Operation
from napari_seedbed.pipeline.engine.parameters import Value
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
    return operation.command in PANELS


def widget_name(operation: Operation) -> str:
    """``module:class`` of its widget."""
    if has_panel(operation):
        return PANELS[operation.command]
    name = "".join(word.capitalize() for word in operation.command.split("_"))
    return f"napari_seedbed.gui.forms.operation_form:{name}Form"


def widget_class(operation: Operation) -> type["QWidget"]:
    """The class of its widget; made with the viewer alone."""
    module, name = widget_name(operation).split(":")
    found: type[QWidget] = getattr(import_module(module), name)
    return found


@dataclass(frozen=True)
class Method:
    """A method of a panel by the name that people look for.

    Its command opens the panel with that method chosen; the panel's own command is no help to
    somebody who does not know what the panel is called.

    Attributes
    ----------
    command : str
    title : str
    operation : Operation
    parameters : dict
        What chooses the method within the operation.
    """

    command: str
    title: str
    operation: Operation
    parameters: Mapping[str, Value] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether people look for it by its title, and not for its panel."""
        return bool(self.parameters)


def methods() -> list[Method]:
    """All that panels do under other names than their own."""
    found = []
    for operation in operations.values():
        if not has_panel(operation):
            continue
        if operation.term and operation.title != operation.command_title:
            command = f"{operation.command}_{operation.name}"
            found.append(Method(command, f"{operation.title}: {operation.term}", operation))
        for known in operation.parameters:
            if not known.names_methods:
                continue
            for choice, label in zip(known.choices, known.choice_labels, strict=True):
                if choice != known.default:
                    command = f"{operation.command}_{choice}"
                    found.append(Method(command, label, operation, {known.name: choice}))
    return found


def choose_method(panel: Any, command: str) -> None:
    """Choose the method with this command in its panel; nothing where there is none."""
    method = next((one for one in methods() if one.command == command), None)
    if method is not None and hasattr(panel.form, "choose"):  # others have one method only
        panel.form.choose(method.operation.name, **method.parameters)


def show_form(viewer: "Viewer", command: str) -> Any:
    """Open the form of a command in a dock of the window, or bring forward the one there is."""
    from napari_seedbed.gui.layers.plain_viewers import plain
    from napari_seedbed.gui.qt.dock_tabs import bring_to_front

    viewer = plain(viewer)
    operation = next(one for one in operations.values() if one.command == command)
    name = f"{operation.command_title} ({PLUGIN})"
    form = viewer.window.dock_widgets.get(name)
    if form is None:
        # beside other panels, not under them, where there would be no room
        form = widget_class(operation)(viewer)
        viewer.window.add_dock_widget(form, name=name, area="right", tabify=True)
    bring_to_front(form.parent())
    return form


def show_panel(viewer: "Viewer", title: str) -> Any:
    """Open the panel with the title of its dock; None where this version has none of that name."""
    for operation in first_of_each_command():
        if title == f"{operation.command_title} ({PLUGIN})":
            return show_form(viewer, operation.command)
    return None


def __getattr__(name: str) -> Callable[..., None]:
    """The manifest names a command after what it opens: open_gaussian, open_median …"""
    command = name.removeprefix(_OPEN)
    panels = {method.command: method.operation.command for method in methods()}
    panels |= {operation.command: operation.command for operation in operations.values()}
    if command == name or command not in panels:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def opened(viewer: "Viewer") -> None:
        choose_method(show_form(viewer, panels[command]), command)

    opened.__name__ = name
    globals()[name] = opened
    return opened
