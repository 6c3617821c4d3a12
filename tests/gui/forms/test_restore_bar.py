"""A window that is killed, and the next one, which offers to restore what was drawn."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from npe2 import PluginManifest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMainWindow

from napari_seedbed.gui.forms import restore_bar
from napari_seedbed.gui.forms.panel import Panel
from napari_seedbed.gui.hooks.operations_panel import OperationsPanel
from napari_seedbed.gui.layers import restored_work
from napari_seedbed.gui.layers.autosave import autosave_in
from napari_seedbed.gui.qt import plugin_settings
from napari_seedbed.gui.tools.crop.crop_panel import CropPanel
from napari_seedbed.gui.tools.thresholds.threshold_panel import ThresholdPanel
from napari_seedbed.gui.tools.views.orthogonal_views import OrthogonalViews
from napari_seedbed.gui.tools.walker.seeded_segmentation_panel import SeededSegmentationPanel
from napari_seedbed.pipeline.journal import kept_work
from napari_seedbed.pipeline.journal.folders import discard, earlier_works
from napari_seedbed.pipeline.journal.kept_work import read_work

OF_THEIR_OWN = (OperationsPanel, OrthogonalViews)
"""Panels that do not build on the base of all others."""

PAINTER = Path(__file__).with_name("killed_painter.py")


def open_panel(viewer, kind=CropPanel):
    panel = kind(viewer)
    viewer.window.add_dock_widget(panel, name=kind.__name__)
    return panel


def press(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def painted_and_killed(image, folder, meanwhile):
    """Let a process paint, kill it at any time, and return how many strokes it had said."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(PAINTER.parents[1]), os.environ.get("PYTHONPATH", "")]),
    }
    process = subprocess.Popen(
        [sys.executable, str(PAINTER), str(image), str(folder), meanwhile],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        if line.split(" ")[0].isdigit():
            said.append(tuple(map(int, line.split(" "))))
        if len(said) == 3:
            break
    assert len(said) == 3, "the painter has not painted"
    try:
        process.wait(timeout=random.Random(meanwhile).uniform(0.2, 1.5))
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
    rest = process.communicate()[0].splitlines()
    assert process.returncode == -signal.SIGKILL
    said += [tuple(map(int, line.split(" "))) for line in rest if line.split(" ")[0].isdigit()]
    assert all(count for _, count in said), "a stroke left nothing"
    return said[-1][0]


@pytest.fixture
def killed(qtbot, journals):
    """Leave the work of two windows that were killed, the newer one with points."""
    folders = []
    for name in ("older", "newer"):
        model, window = ViewerModel(), QMainWindow()
        qtbot.addWidget(window)
        autosave = restore_bar.begin_autosave(model, window)
        layer = model.add_labels(np.zeros((30, 40), np.int32), name=f"{name} seeds")
        layer.paint((10, 10), 3)
        model.add_points([(1.0, 2.0)] if name == "newer" else [], ndim=2, name="clicks")
        autosave.flush(20)
        folder = autosave.folder
        folders.append(folder.with_name(name))
        shutil.copytree(folder, folders[-1])
        os.utime(next(folders[-1].glob("*.journal")), (0, time.time() - 60 + len(folders)))
        window.close()
        discard(folder)
    return folders


def bar_of(panel):
    return panel.findChild(restore_bar.RestoreBar)


def wait_looked(qtbot, panel):
    """Wait until the panel has looked for earlier work."""
    qtbot.waitUntil(lambda: autosave_in(panel.window()) is not None, timeout=20000)
    qtbot.waitUntil(lambda: not bar_of(panel).jobs, timeout=20000)


def test_works_are_offered_one_after_the_other(make_napari_viewer, qtbot, killed, journals):
    viewer = make_napari_viewer(show=True)
    panel = open_panel(viewer)
    bar = bar_of(panel)
    qtbot.waitUntil(bar.isVisible, timeout=20000)
    assert "'clicks' and 'newer seeds'" in bar.sentence.text()
    press(qtbot, bar.not_now)
    assert "restored: 'older seeds'" in bar.sentence.text()
    press(qtbot, bar.restore)
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=20000)
    assert viewer.layers[0].data[10, 10] == 3
    qtbot.waitUntil(lambda: not bar.isVisible(), timeout=20000)
    # what was put off is kept, and not offered again
    (work,) = earlier_works(journals)
    assert work.folder == killed[1]
    assert work.is_closed


def test_work_that_is_restored_elsewhere_is_offered_no_more(make_napari_viewer, qtbot, killed):
    viewer = make_napari_viewer(show=True)
    panel = open_panel(viewer)
    bar = bar_of(panel)
    qtbot.waitUntil(bar.isVisible, timeout=20000)
    discard(killed[1])
    panel.hide()
    panel.show()
    assert "restored: 'older seeds'" in bar.sentence.text()


def test_only_the_first_panel_of_a_window_offers(make_napari_viewer, qtbot, killed):
    viewer = make_napari_viewer(show=True)
    first = open_panel(viewer)
    qtbot.waitUntil(bar_of(first).isVisible, timeout=20000)
    second = open_panel(viewer, ThresholdPanel)
    wait_looked(qtbot, second)
    assert not bar_of(second).isVisible()


def test_two_windows_keep_their_own_and_offer_none_of_the_other(
    make_napari_viewer, qtbot, journals
):
    viewers = [make_napari_viewer(show=True) for _ in range(2)]
    autosaves = []
    for nth, viewer in enumerate(viewers):
        panel = open_panel(viewer)
        wait_looked(qtbot, panel)
        assert not bar_of(panel).isVisible()
        layer = viewer.add_labels(np.zeros((30, 40), np.int32), name=f"seeds {nth}")
        layer.paint((10, 10), nth + 1)
        autosaves.append(autosave_in(panel.window()))
        autosaves[-1].flush(20)
    assert autosaves[0].folder != autosaves[1].folder
    for nth, autosave in enumerate(autosaves):
        (layer,) = read_work(autosave.folder).layers.values()
        assert layer.name == f"seeds {nth}"
        assert layer.voxels.max() == nth + 1


def test_work_that_another_window_restores_comes_once(make_napari_viewer, qtbot, killed):
    viewers = [make_napari_viewer(show=True) for _ in range(2)]
    panels = [open_panel(viewer) for viewer in viewers]
    for panel in panels:
        qtbot.waitUntil(bar_of(panel).isVisible, timeout=20000)
    for panel in panels:
        press(qtbot, bar_of(panel).restore)
    qtbot.waitUntil(lambda: not any(bar_of(panel).jobs for panel in panels), timeout=20000)
    qtbot.wait(100)
    names = [layer.name for viewer in viewers for layer in viewer.layers]
    assert sorted(names) == ["clicks", "newer seeds"]


def test_autosave_can_be_switched_off(make_napari_viewer, qtbot, killed, journals, monkeypatch):
    monkeypatch.setattr(plugin_settings, "setting", lambda section, name: 0.0)
    viewer = make_napari_viewer(show=True)
    panel = open_panel(viewer)
    layer = viewer.add_labels(np.zeros((30, 40), np.int32))
    layer.paint((10, 10), 3)
    qtbot.wait(300)
    assert autosave_in(panel.window()) is None
    assert len(list(journals.iterdir())) == 2


def test_a_damaged_or_vanished_work_is_said_and_the_window_goes_on(
    make_napari_viewer, qtbot, killed
):
    viewer = make_napari_viewer(show=True)
    panel = open_panel(viewer)
    bar = bar_of(panel)
    qtbot.waitUntil(bar.isVisible, timeout=20000)
    shutil.rmtree(killed[1])
    press(qtbot, bar.restore)
    qtbot.waitUntil(lambda: "'older seeds'" in bar.sentence.text(), timeout=20000)
    assert len(viewer.layers) == 0


def test_work_that_cannot_be_restored_is_kept_for_another_try(
    make_napari_viewer, qtbot, killed, journals, monkeypatch
):
    def fails(*_, **__):
        raise OSError(5, "Input/output error", str(killed[1]))

    viewer = make_napari_viewer(show=True)
    panel = open_panel(viewer)
    bar = bar_of(panel)
    qtbot.waitUntil(bar.isVisible, timeout=20000)
    with monkeypatch.context() as broken:
        broken.setattr(restored_work, "read_work", fails)
        press(qtbot, bar.restore)
        qtbot.waitUntil(lambda: "could not be restored" in bar.sentence.text(), timeout=20000)
    assert "Input/output error" in bar.sentence.text()
    assert "Restore tries it again" in bar.sentence.text()
    assert bar.isVisible()
    # a window without memory for it says what is missing, and nothing is lost either
    with monkeypatch.context() as full:
        full.setattr(kept_work, "available_memory", lambda: 100)
        press(qtbot, bar.restore)
        qtbot.waitUntil(lambda: "'older seeds'" in bar.sentence.text(), timeout=20000)
    assert [layer.name for layer in viewer.layers] == ["clicks"]
    press(qtbot, bar.restore)
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=20000)
    # from the list, later
    qtbot.waitUntil(lambda: [one.folder for one in earlier_works(journals)] == [killed[1]])
    (left,) = earlier_works(journals)
    assert left.is_closed
    restore_bar.restore(viewer, panel.window(), left, panel.jobs, lambda failed: None)
    qtbot.waitUntil(lambda: len(viewer.layers) == 5, timeout=20000)
    assert viewer.layers["newer seeds"].data[10, 10] == 3
    qtbot.waitUntil(lambda: not earlier_works(journals), timeout=20000)


def test_all_panels_build_on_the_base_that_offers():
    manifest = PluginManifest.from_file(files("napari_seedbed") / "napari.yaml")
    commands = {one.id: one.python_name for one in manifest.contributions.commands}
    for widget in manifest.contributions.widgets:
        module, name = commands[widget.command].split(":")
        kind = getattr(import_module(module), name)
        assert issubclass(kind, (Panel, *OF_THEIR_OWN))


@pytest.mark.parametrize("kind", [*OF_THEIR_OWN, ThresholdPanel])
def test_whichever_panel_opens_first_offers(make_napari_viewer, qtbot, killed, kind):
    viewer = make_napari_viewer(show=True)
    panel = open_panel(viewer, kind)
    bar = bar_of(panel)
    qtbot.waitUntil(bar.isVisible, timeout=20000)
    assert autosave_in(panel.window()) is not None
    # closed unanswered, the next one offers
    viewer.window.remove_dock_widget(panel)
    second = open_panel(viewer)
    qtbot.waitUntil(bar_of(second).isVisible, timeout=20000)
    assert "'newer seeds'" in bar_of(second).sentence.text()


@pytest.mark.slow
@pytest.mark.display
@pytest.mark.parametrize("meanwhile", ["paint", "run", "save"])
def test_a_killed_window_loses_at_most_its_last_stroke(
    make_napari_viewer, qtbot, samples, journals, tmp_path, meanwhile
):
    image = samples / "nuclei.ome.tif"
    done = painted_and_killed(image, tmp_path, meanwhile)
    truth = np.load(tmp_path / "painted.npy")
    viewer = make_napari_viewer(show=True)
    panel = open_panel(viewer, SeededSegmentationPanel)
    bar = panel.findChild(restore_bar.RestoreBar)
    qtbot.waitUntil(bar.isVisible, timeout=20000)
    assert bar.sentence.text().startswith("napari ended unexpectedly ")
    assert "'clicks' and 'seeds of nuclei'" in bar.sentence.text()
    press(qtbot, bar.restore)
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=60000)
    layer, seeds, points = viewer.layers
    found = np.where(seeds.data > done, 0, seeds.data)
    np.testing.assert_array_equal(found, np.where(truth > done, 0, truth))
    assert seeds.data.max() in (done, done + 1)
    assert len(points.data) in (done, done + 1)
    np.testing.assert_array_equal(seeds.scale, layer.scale)
    np.testing.assert_array_equal(seeds.translate, layer.translate)
    assert panel.form.seeds.layer() is seeds
    qtbot.waitUntil(lambda: not bar.isVisible(), timeout=20000)
    # the old journal goes when the new one has all
    qtbot.waitUntil(lambda: len(list(journals.iterdir())) == 1, timeout=20000)
    assert [*journals.iterdir()] == [autosave_in(panel.window()).folder]
