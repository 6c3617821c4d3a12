"""A recorded hour in a napari window: each step with the mouse and the keys, and what it took."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from demo_scene import DOCK_WIDTH, open_panel
from hour_steps import Step
from napari import Viewer
from napari.layers import Labels
from numpy.typing import NDArray
from painting import click, move_to, press_key, trace
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton
from waiting import wait_until

from napari_seedbed.gui.tools.walker.seeded_form import ALL_AT_ONCE, ONE_AT_A_TIME

BRUSH = 4
"""Voxels across."""

SETTLED = 1000
"""Milliseconds after which the outlines of what is selected have followed the view."""

WAYS = {"all": ALL_AT_ONCE, "one": ONE_AT_A_TIME}
ANSWERS = ("Proposed", "Up to date", "Only one label")
FIRST_LOOK = (*ANSWERS, "Shown for the slice")

_NONE = Qt.KeyboardModifier.NoModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier
_CONTROL = Qt.KeyboardModifier.ControlModifier


class Hour:
    """Does the steps in a window.

    Parameters
    ----------
    viewer : Viewer
    volume : (Z, Y, X) ndarray
    spacing : tuple of float
        Voxel size in µm.
    pictures : Path
        Folder for pictures of the window.

    Attributes
    ----------
    counts : Counter
        How many strokes, edits, clicks and keys there were so far.
    waits : dict of str to list of float
        Seconds from the end of a stroke, and of an edit, to what it gave, by what it was.
    """

    def __init__(
        self, viewer: Viewer, volume: NDArray, spacing: tuple[float, ...], pictures: Path
    ) -> None:
        self.viewer, self.spacing, self.pictures = viewer, np.asarray(spacing), pictures
        units = ("um",) * volume.ndim
        self.image = viewer.add_image(volume, name="nuclei", scale=spacing, units=units)
        self.image.contrast_limits = [float(v) for v in np.percentile(volume, (1, 99.8))]
        self.counts: Counter[str] = Counter()
        self.waits: dict[str, list[float]] = {}
        self._show(0, 0)
        self.panel = open_panel(viewer, self.image)
        self._seeds = self.panel.seeds.layer
        self._seeds.brush_size = BRUSH
        self.panel.seeds.changed.connect(self._notice)
        self._is_noticed = False
        self._named: dict[str, Step] = {}
        self._proofreading: Any = None
        self._labels: Labels | None = None

    @property
    def result(self) -> NDArray[np.integer]:
        """The objects that there are now."""
        if self._labels is not None:
            return np.asarray(self._labels.data)
        return np.asarray(self.panel.one_object.layers.kept(self.image).data)

    def do(self, steps: Sequence[Step]) -> None:
        """Do one step after the other."""
        for step in steps:
            getattr(self, f"_{step.verb}", self._edit)(step)

    # Strokes

    def _all(self, step: Step) -> None:
        if step.rest == "at once":
            self._begin(step)
            self.panel.form.many_section.toggle()
            self.panel.form.many.next_label.click()
        else:
            self._select_all()

    def _one(self, step: Step) -> None:
        self._begin(step)

    def _begin(self, step: Step) -> None:
        way = self.panel.form.way
        way.setCurrentIndex(way.findData(WAYS[step.verb]))
        wait_until(lambda: not self.panel.is_busy, "the image")

    @property
    def _is_one(self) -> bool:
        return bool(self.panel.one_object.is_on)

    def _new(self, step: Step) -> None:
        self._named[step.name] = step
        self._stroke(step)

    def _more(self, step: Step) -> None:
        if not self._is_one:
            first = self._named[step.name]
            self._show(first.axis, first.index)
            place = self._world(first.places[0])
            label = self._seeds.data[tuple(int(n) for n in first.places[0])]
            move_to(self.viewer, place)
            # napari holds moves of the mouse back, longer than a person's hand is quick
            wait_until(lambda: self._is_at(place), "the mouse")
            self._press(Qt.Key.Key_T)
            wait_until(lambda: self._seeds.selected_label == label, "the label")
        self._stroke(step)

    def _is_at(self, place: NDArray[np.float64]) -> bool:
        return np.allclose(self.viewer.cursor.position, place, atol=0.1)

    def _background(self, step: Step) -> None:
        if self._is_one:
            self._stroke(step, _SHIFT)
            return
        self._press(Qt.Key.Key_G)
        self._stroke(step)
        self._press(Qt.Key.Key_G)

    def _stroke(self, step: Step, modifier: Qt.KeyboardModifier = _NONE) -> None:
        self._show(step.axis, step.index)
        self._seeds.mode = "paint"
        self._is_noticed = False
        trace(self.viewer, [self._world(place) for place in step.places], modifier=modifier)
        self.counts["strokes"] += 1
        drawn = time.perf_counter()
        wait_until(lambda: self._is_noticed, "the stroke")
        self.panel._say("")
        self._wait("first look", drawn, lambda: self._says(FIRST_LOOK))
        self._wait("answer", drawn, lambda: self._says(ANSWERS))

    def _notice(self) -> None:
        self._is_noticed = True

    def _says(self, beginnings: tuple[str, ...]) -> bool:
        return str(self.panel.form.status.text()).startswith(beginnings)

    def _keep(self, step: Step) -> None:
        self._press(Qt.Key.Key_Return)
        wait_until(lambda: self._says(("Kept",)), "the object")

    # Proofreading

    def _proofread(self, step: Step) -> None:
        self._labels = self.panel.results.labels(self.image)
        self._click_button(self.panel.form.accept)
        wait_until(lambda: "is yours now" in self.panel.form.status.text(), "the result")
        self._seeds.visible = False
        self.viewer.window.remove_dock_widget(self.panel)
        dock, panel = self.viewer.window.add_plugin_dock_widget("napari-seedbed", "Proofread")
        self.viewer.window._qt_window.resizeDocks([dock], [DOCK_WIDTH], Qt.Orientation.Horizontal)
        panel.form.labels.choose(self._labels)
        panel.form.image.choose(self.image)
        self._proofreading = panel
        wait_until(lambda: bool(panel.table.columns) and not panel.is_busy, "the measurements")

    def _cut(self, step: Step) -> None:
        self._show(step.axis, step.index)
        self._press(Qt.Key.Key_S)
        trace(self.viewer, [self._world(place) for place in step.places])
        self.counts["strokes"] += 1
        self._wait_for_edit()

    def _merge(self, step: Step) -> None:
        self._show(step.axis, step.index)
        self._press(Qt.Key.Key_J, _SHIFT)
        for place in step.places:
            click(self.viewer, self._world(place))
            self.counts["clicks"] += 1
        self._wait_for_edit()
        self._press(Qt.Key.Key_Escape)

    def _select_all(self) -> None:
        table = self._proofreading.selection.view.table
        cell = table.visualRect(table.model().index(0, 0))
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=cell.center())
        self.counts["clicks"] += 1
        QTest.keyClick(table, Qt.Key.Key_A, _CONTROL)
        self.counts["keys"] += 1

    def _edit(self, step: Step) -> None:
        """A button that is named as in the panel, for what is selected."""
        form = self._proofreading.form
        if step.rest:
            form.radius.setValue(float(step.rest))
        form.edits[step.verb].click()
        self.counts["edits"] += 1
        self._wait_for_edit()

    def _wait_for_edit(self) -> None:
        wanted, panel = time.perf_counter(), self._proofreading
        self._wait("edit", wanted, lambda: not panel.is_busy)
        said = panel.form.status_line.text()
        if "done." not in said:
            raise SystemExit(f"The edit was not made: {said}")

    # The window

    def _picture(self, step: Step) -> None:
        from PIL import Image

        self._show(step.axis, step.index)
        QTest.qWait(SETTLED)
        picture = self.viewer.window.screenshot(flash=False, canvas_only=False)
        small = Image.fromarray(picture).convert("RGB").quantize(256, dither=Image.Dither.NONE)
        small.save(self.pictures / step.name, optimize=True)

    def _show(self, axis: int, index: int) -> None:
        """Show one plane, filling the canvas."""
        others = [one for one in range(3) if one != axis]
        self.viewer.dims.order = (axis, *others)
        self.viewer.dims.set_point(axis, float(self.spacing[axis]) * index)
        self.viewer.reset_view(margin=0.02)

    def _world(self, place: tuple[float, ...]) -> NDArray[np.float64]:
        return np.asarray(np.array(place) * self.spacing)

    def _press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = _NONE) -> None:
        press_key(self.viewer, key, modifier)
        self.counts["keys"] += 1

    def _click_button(self, button: QAbstractButton) -> None:
        button.click()
        self.counts["clicks"] += 1

    def _wait(self, kind: str, since: float, condition: Callable[[], bool]) -> None:
        wait_until(condition, f"the {kind}")
        self.waits.setdefault(kind, []).append(time.perf_counter() - since)
