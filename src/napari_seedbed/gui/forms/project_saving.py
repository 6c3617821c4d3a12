"""Saving a day's work as a project."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from weakref import WeakKeyDictionary

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_seedbed.core.progress import part_of
from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.panel_settings import settings_of
from napari_seedbed.gui.forms.save_dialogs import ask_where_to_save
from napari_seedbed.gui.layers.autosave import autosave_in
from napari_seedbed.gui.layers.layer_records import is_preview, is_result, is_seeds
from napari_seedbed.gui.layers.project_layers import Snapshot, keep, snapshots
from napari_seedbed.gui.layers.shown_view import view_of
from napari_seedbed.gui.qt.waiting import done_aside
from napari_seedbed.pipeline.data.memory import bytes_in_words
from napari_seedbed.pipeline.project.project_files import save_project
from napari_seedbed.pipeline.project.project_model import (
    SUFFIX,
    PanelSettings,
    Project,
    ProjectLayer,
    View,
)
from napari_seedbed.pipeline.project.source_images import ImageFiles

KINDS = f"Seedbed projects (*{SUFFIX})"
PANELS = "(Seedbed)"
"""How the titles of docks end that hold panels of this package."""

_paths: "WeakKeyDictionary[QWidget, Path]" = WeakKeyDictionary()
"""The project that a window shows."""


def remember_path(viewer: ViewerModel, path: Path) -> None:
    """Where the project of a window is from now."""
    window = window_of(viewer)
    if window is not None:
        _paths[window] = path


def project_path(viewer: ViewerModel) -> Path | None:
    """Where the project of a window is; None where it has none yet."""
    window = window_of(viewer)
    return None if window is None else _paths.get(window)


def window_of(viewer: ViewerModel) -> QWidget | None:
    """The window of a viewer; None where it has none."""
    window = getattr(viewer, "window", None)
    found: QWidget | None = None if window is None else window.main_menu.window()
    return found


def ask_for_project_path(parent: QWidget, viewer: ViewerModel) -> Path | None:
    """Ask where a project should be saved: where it is, or else beside its image."""
    known = project_path(viewer)
    if known is not None:
        return ask_where_to_save(parent, "Save project", known.stem, KINDS, str(known.parent))
    named = [layer for layer in viewer.layers if not (is_result(layer) or is_seeds(layer))]
    about = named[0].name if named else "project"
    return ask_where_to_save(parent, "Save project", about, KINDS)


def save_layers(path: Path, viewer: ViewerModel, layers: Sequence[Layer]) -> str:
    """Save layers of a viewer as a project; return what was saved, and what was not, in words.

    The window stays alive meanwhile, and waits.

    Raises
    ------
    FileError
        When the file cannot be written.
    InputError
        When there is nothing to keep.
    Cancelled
        When a person has cancelled it; a file that was there is untouched.
    """
    kept = [layer for layer in layers if not is_preview(layer)]
    if not kept:
        raise InputError("layers: there are none to save; open an image first.")
    window = window_of(viewer)
    autosave = autosave_in(window) if isinstance(window, QMainWindow) else None
    is_all = all(layer in kept or is_preview(layer) for layer in viewer.layers)
    marked = autosave.marked() if autosave is not None and is_all else None
    taken = snapshots(kept)
    panels = open_panels(viewer, kept)
    work = partial(_save, path, taken, view_of(viewer, kept), panels)
    said = work() if window is None else done_aside("Saving the project", work, window)
    remember_path(viewer, path)
    if autosave is not None and marked is not None:
        autosave.settle(path, marked)
    return said


def _save(
    path: Path, taken: Sequence[Snapshot], view: View, panels: Sequence[PanelSettings]
) -> str:
    layers: list[ProjectLayer | None] = []
    lost, files = [], ImageFiles()
    for nth, one in enumerate(taken):
        with part_of(nth, 2 * len(taken)):
            layer, words = keep(one, path.parent, files)
        layers.append(layer)
        lost += words
    places = _places_after(layers)
    active = None if view.active is None else places[view.active]
    project = Project(
        tuple(layers),
        view.model_copy(update={"active": active}),
        tuple(_moved(panel, places) for panel in panels),
    )
    with part_of(1, 2):
        save_project(path, project)
    count = sum(layer is not None for layer in layers)
    said = f"Saved {path.name}: {count} layer{'s' * (count != 1)}"
    return " ".join([f"{said}, {bytes_in_words(path.stat().st_size)}.", *lost])


def _places_after(layers: Sequence[ProjectLayer | None]) -> list[int | None]:
    """Where each layer is when those that are not kept are left out."""
    places: list[int | None] = []
    for layer in layers:
        count = sum(place is not None for place in places)
        places.append(None if layer is None else count)
    return places


def _moved(panel: PanelSettings, places: Sequence[int | None]) -> PanelSettings:
    values = {}
    for name, value in panel.values.items():
        if isinstance(value, dict) and set(value) == {"layer"}:
            place = places[value["layer"]]
            if place is None:
                continue
            value = {"layer": place}
        values[name] = value
    return panel.model_copy(update={"values": values})


def open_panels(viewer: ViewerModel, layers: Sequence[Layer]) -> list[PanelSettings]:
    """What is chosen in the panels that are open."""
    window = getattr(viewer, "window", None)
    if window is None:
        return []
    return [
        PanelSettings(panel=name, values=settings_of(widget, layers))
        for name, widget in window.dock_widgets.items()
        if name.endswith(PANELS) and isinstance(widget, QWidget) and not _is_closed(widget)
    ]


def _is_closed(widget: QWidget) -> bool:
    """Whether a person has closed the dock; one behind another's tab is open."""
    dock = widget.parentWidget()
    return dock is None or dock.isHidden()
