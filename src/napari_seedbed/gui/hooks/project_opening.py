"""Opening projects: layers, the panels that were open, and what was in view."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Layer
from napari.utils.notifications import show_info, show_warning
from qtpy.QtCore import QEventLoop
from qtpy.QtWidgets import QApplication, QFileDialog, QMainWindow

from napari_seedbed.core.progress import part_of
from napari_seedbed.errors import Cancelled, InputError
from napari_seedbed.gui.forms.panel_settings import choose_settings
from napari_seedbed.gui.forms.project_saving import remember_path, window_of
from napari_seedbed.gui.forms.restore_bar import begin_autosave
from napari_seedbed.gui.hooks.operation_widgets import show_panel
from napari_seedbed.gui.layers.layer_descriptions import renew_slots
from napari_seedbed.gui.layers.lock_clicks import open_locks_with_a_click
from napari_seedbed.gui.layers.project_layers import layer_from
from napari_seedbed.gui.layers.shown_view import show_view
from napari_seedbed.gui.qt import errors
from napari_seedbed.gui.qt.waiting import done_aside
from napari_seedbed.pipeline.project.project_files import load_project
from napari_seedbed.pipeline.project.project_model import ImageSource, Project
from napari_seedbed.pipeline.project.source_images import (
    FoundImage,
    ImageFiles,
    file_name_of,
    find_image,
)

if TYPE_CHECKING:
    from napari.viewer import Viewer

Found = dict[int, FoundImage]
"""The images of a project that were found, by their places in it."""


def open_project(viewer: "Viewer", path: str | Path) -> None:
    """Open a project in a window; what is missing or other than it was is said."""
    path = Path(path)
    window = window_of(viewer)
    with errors.shown():
        try:
            project, found = done_aside("Opening the project", partial(_read, path), window)
            found = _ask_for_missing(viewer, path, project, found)
        except Cancelled:
            return
        is_first = not len(viewer.layers)
        # what is drawn from now on is kept, also before a panel opens
        autosave = begin_autosave(viewer, window) if isinstance(window, QMainWindow) else None
        layers, said = layers_from(project, found)
        _add(viewer, project, layers)
        remember_path(viewer, path)
        if is_first and autosave is not None:
            autosave.settle(path, autosave.marked())
        tell = show_warning if said else show_info
        tell(" ".join([f"Opened {path.name}.", *said]))


def layers_of_project(path: Path) -> list[Any]:
    """The layers of a project as napari's readers give them, for programs without a window.

    Raises
    ------
    FileError
        When it cannot be opened.
    """
    project, found = _read(path)
    layers, _ = layers_from(project, found)
    return [layer.as_layer_data_tuple() for layer in layers if layer is not None]


def _read(path: Path) -> tuple[Project, Found]:
    with part_of(0, 2):
        project = load_project(path)
    with part_of(1, 2):
        return project, _search(project, path.parent, {})


def _search(
    project: Project, folder: Path, known: Found, name: str = "", given: Path | None = None
) -> Found:
    """Look for the images that are not known; one of a name where a person says that it is."""
    found, files = dict(known), ImageFiles()
    for nth, layer in enumerate(project.layers):
        if layer is None or layer.source is None or nth in known:
            continue
        others = []
        if given is not None:
            others = [given if file_name_of(layer.source) == name else given.parent]
        with part_of(nth, len(project.layers)):
            image = find_image(layer.source, folder, others, files)
        if image is not None:
            found[nth] = image
    return found


def _ask_for_missing(viewer: "Viewer", path: Path, project: Project, found: Found) -> Found:
    """Ask where images are that were not found, once for each; others are looked for there too."""
    asked: set[str] = set()
    for nth, layer in enumerate(project.layers):
        if layer is None or layer.source is None or nth in found:
            continue
        name = file_name_of(layer.source)
        if name in asked:
            continue
        asked.add(name)
        given = ask_for_image(viewer, path, layer.source)
        if given is not None:
            # Its folder may have the others, too.
            found = done_aside(
                "Looking for the image",
                partial(_search, project, path.parent, found, name, given),
                window_of(viewer),
            )
    return found


def ask_for_image(viewer: "Viewer", path: Path, source: ImageSource) -> Path | None:
    """Ask where the file of an image is now; None where a person goes on without it."""
    name = file_name_of(source)
    given, _ = QFileDialog.getOpenFileName(
        window_of(viewer),
        f"Where is {name}? (Cancel: open the project without it)",
        str(path.parent / name),
    )
    return Path(given) if given else None


def layers_from(project: Project, found: Found) -> tuple[list[Layer | None], list[str]]:
    """The layers of a project, None for what is missing, and what to say, a sentence each."""
    said = list(project.missing)
    layers: list[Layer | None] = []
    pairs = []
    for nth, one in enumerate(project.layers):
        layers.append(None)
        if one is None:
            continue
        image = found.get(nth)
        if one.source is not None and image is None:
            said.append(
                f"'{one.description.name}' is missing: {file_name_of(one.source)} was not found "
                f"(it was {one.source.absolute})."
            )
            continue
        try:
            _breathe()
            layer, words = layer_from(one, image)
        except InputError as error:
            said.append(f"'{one.description.name}' is missing: {error}")
            continue
        if words:
            said.append(words)
        if image is not None and not image.is_same:
            said.append(
                f"{image.path.name} has other voxels than when the project was saved: seeds and "
                "results may not fit it any more."
            )
        layers[nth] = layer
        pairs.append((one.description, layer))
    renew_slots(pairs)
    return layers, list(dict.fromkeys(said))


def _add(viewer: "Viewer", project: Project, layers: Sequence[Layer | None]) -> None:
    is_first = not len(viewer.layers)
    for layer in layers:
        if layer is not None:
            viewer.layers.append(layer)
            _breathe()
    open_locks_with_a_click(viewer)
    for panel in project.panels:
        # What is chosen for other layers stays.
        if not is_first and panel.panel in viewer.window.dock_widgets:
            continue
        shown = show_panel(viewer, panel.panel)
        _breathe()
        if shown is not None:
            choose_settings(shown, panel.values, layers)
    # What was in view of one project says nothing of another one beside it.
    if project.view is not None and is_first:
        show_view(viewer, project.view, layers)


def _breathe() -> None:
    """Let the window draw between layers, each of which takes some tenths of a second."""
    if QApplication.instance() is not None:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
