"""A day's work is saved and opened in real windows, by the ways that napari and panels offer."""

import shutil

import numpy as np
import pytest
from napari import current_viewer, save_layers
from napari.components import ViewerModel
from napari.layers import Labels, Points
from painting import drag, drop
from qtpy.QtCore import Qt
from seeded_window import ball

from napari_seedbed.gui.forms import panel as panels
from napari_seedbed.gui.forms.panel_settings import settings_of
from napari_seedbed.gui.forms.preparation import preparation
from napari_seedbed.gui.forms.project_saving import window_of
from napari_seedbed.gui.forms.restore_bar import RestoreBar
from napari_seedbed.gui.hooks import project_opening
from napari_seedbed.gui.hooks.operation_widgets import show_form
from napari_seedbed.gui.layers.autosave import autosave_in
from napari_seedbed.gui.layers.layer_descriptions import described
from napari_seedbed.gui.layers.seed_roles import background_of, set_background
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.plain_values import from_plain
from napari_seedbed.pipeline.files import write_image
from napari_seedbed.pipeline.journal.folders import earlier_works

PLUGIN = "napari-seedbed"
pytestmark = pytest.mark.usefixtures("plugin_found")
pytestmark = pytest.mark.display


@pytest.fixture
def told(monkeypatch):
    """What is said in the window."""
    said = []
    for module in (panels, project_opening):
        monkeypatch.setattr(module, "show_info", said.append)
    monkeypatch.setattr(project_opening, "show_warning", said.append)
    return said


@pytest.fixture
def window(make_napari_viewer, qtbot):
    """Make a window of a size that is quickly drawn."""

    def made():
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(900, 560)
        return viewer

    return made


@pytest.fixture
def day(window, tmp_path, qtbot):
    """A window after some work on an image in a file."""
    image, _ = ball()
    (tmp_path / "images").mkdir()
    spacing = {"spacing": (2.0, 0.5, 0.5), "units": ("micrometer",) * 3}
    write_image(tmp_path / "images" / "cells.ome.tif", Image(image, ("z", "y", "x"), **spacing))
    viewer = window()
    viewer.open(tmp_path / "images" / "cells.ome.tif", plugin=PLUGIN)
    panel = show_form(viewer, "seeded_segmentation")
    qtbot.waitUntil(lambda: preparation.is_done, timeout=300000)
    qtbot.mouseClick(panel.form.new_seeds, Qt.MouseButton.LeftButton)
    seeds = panel.form.seeds.layer()
    at = viewer.layers[0].data_to_world
    viewer.dims.set_point(0, at((10, 0, 0))[0])
    qtbot.wait(50)
    drag(viewer, at((10, 16, 13)), at((10, 16, 19)))
    seeds.selected_label = 2
    drag(viewer, at((10, 2, 2)), at((10, 2, 29)))
    set_background(seeds, 2)
    panel.seeds.look_if_due()
    qtbot.waitUntil(lambda: panel.session.is_final, timeout=60000)
    place = {key: getattr(seeds, key) for key in ("scale", "translate", "units", "axis_labels")}
    objects = viewer.add_labels(
        (image > 1500).astype(np.uint16),
        name="kept",
        features={"index": [0, 1], "class": ["", "round"], "checked": [False, True]},
        **place,
    )
    objects.locked = True
    viewer.add_points(
        [[3, 4, 5], [10, 11, 12]], name="clicks", features={"label": ["1", "x"]}, **place
    )
    viewer.add_shapes(
        [np.array([[5, 1, 1], [5, 1, 9], [5, 9, 9]])], shape_type="polygon", name="out", **place
    )
    viewer.add_image(image.astype(np.float32) / 7, name="in memory", colormap="magma", **place)
    viewer.layers["in memory"].visible = False
    add_what_other_plugins_show(viewer)
    panel.form.live.setChecked(False)
    panel.parameters.set_value("engine", "random_walker")
    viewer.dims.order = (1, 0, 2)
    viewer.dims.set_point(1, 3.5)
    viewer.scene.camera.zoom = 3.25
    viewer.layers.selection.active = objects
    return viewer


def add_what_other_plugins_show(viewer):
    rng = np.random.default_rng(1)
    places = np.column_stack([[1, 1, 2, 2, 2], [0, 1, 1, 2, 3], rng.uniform(0, 30, (5, 2))])
    viewer.add_tracks(places, name="tracks", graph={2: [1]}, features={"speed": np.arange(5.0)})
    viewer.add_vectors(rng.uniform(0, 30, (20, 2, 2)), name="vectors", edge_width=2)
    faces = np.array([[0, 1, 2], [1, 2, 3]])
    viewer.add_surface((rng.uniform(0, 30, (4, 3)), faces, np.arange(4.0)), name="surface")


def everything(viewer):
    """What of each layer a person sees or has done."""
    found = []
    for layer in viewer.layers:
        about = described(layer)
        state = {key: one for key, one in about.state.items() if key not in ("id", "slot")}
        plain = {"data": about.data, "state": state, **about.attributes}
        values = from_plain(plain, about.arrays)
        values["metadata"].get("napari_seedbed", {}).pop("source", None)
        found.append((about.kind, values))
    return found


def in_view(viewer):
    dims = viewer.dims
    return (dims.ndisplay, dims.order, tuple(dims.point), viewer.scene.camera.zoom)


def save_by_button(viewer, path, qtbot, monkeypatch):
    """Press the button of the panel; the dialog for the file is answered."""
    monkeypatch.setattr(panels, "ask_for_project_path", lambda parent, viewer: path)
    panel = viewer.window.dock_widgets["Seeded segmentation (Seedbed)"]
    qtbot.mouseClick(panel.save_project, Qt.MouseButton.LeftButton)


def test_day_is_saved_by_a_button_and_goes_on_after_a_drop(
    day, window, tmp_path, qtbot, told, monkeypatch
):
    before, place = everything(day), in_view(day)
    panel = day.window.dock_widgets["Seeded segmentation (Seedbed)"]
    chosen = settings_of(panel, list(day.layers))
    save_by_button(day, tmp_path / "day.seedbed", qtbot, monkeypatch)
    assert told[0].startswith("Saved day.seedbed: 10 layers, ")
    day.close()
    again = window()
    assert current_viewer() is again
    drop(again, tmp_path / "day.seedbed")
    qtbot.waitUntil(lambda: len(told) == 2, timeout=20000)
    assert told[1] == "Opened day.seedbed."
    np.testing.assert_equal(everything(again), before)
    assert in_view(again) == place
    assert again.layers.selection.active.name == "kept"
    panel = again.window.dock_widgets["Seeded segmentation (Seedbed)"]
    assert settings_of(panel, list(again.layers)) == chosen
    # the next stroke changes the result that is there
    seeds = panel.form.seeds.layer()
    assert background_of(seeds) == 2
    panel.form.live.setChecked(True)
    qtbot.waitUntil(lambda: panel.session.is_final, timeout=60000)
    assert len(again.layers) == len(before)
    result = panel.results.labels(panel.images.layer)
    assert (result.data != before[again.layers.index(result)][1]["data"]).any()


def left_as_killed(viewer, journals, qtbot):
    """What the next window would find if this one were killed now."""
    autosave = autosave_in(window_of(viewer))
    qtbot.wait(400)  # what sliders and results settle for
    autosave.flush(20)
    folder = journals / "killed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(autosave.folder, folder)
    (work,) = [one for one in earlier_works(journals) if one.folder == folder]
    return work


def test_what_a_project_holds_is_not_offered_until_it_changes(
    day, window, tmp_path, qtbot, told, monkeypatch, journals
):
    path = tmp_path / "day.seedbed"
    assert left_as_killed(day, journals, qtbot).project is None
    save_by_button(day, path, qtbot, monkeypatch)
    day.layers["kept"].opacity = 0.3
    day.layers["cells"].contrast_limits = (1, 900)
    day.dims.set_point(1, 5.5)
    assert left_as_killed(day, journals, qtbot).project == path
    # nothing is offered
    other = window()
    first = show_form(other, "crop")
    qtbot.waitUntil(lambda: autosave_in(window_of(other)) is not None, timeout=20000)
    bar = first.findChild(RestoreBar)
    qtbot.waitUntil(lambda: not bar.jobs, timeout=20000)
    assert not bar.isVisible()
    other.close()
    day.layers["clicks"].add([[5, 5, 5]])
    assert left_as_killed(day, journals, qtbot).project is None
    # a part of the work is not all of it
    day.layers.selection = {day.layers["kept"]}
    assert day.layers.save(str(tmp_path / "some.seedbed"), selected=True)
    assert left_as_killed(day, journals, qtbot).project is None
    save_by_button(day, path, qtbot, monkeypatch)
    assert left_as_killed(day, journals, qtbot).project == path
    # opened and not touched, it is where it was; a stroke is more
    day.close()
    again = window()
    drop(again, path)
    qtbot.waitUntil(lambda: told[-1] == "Opened day.seedbed.", timeout=20000)
    assert left_as_killed(again, journals, qtbot).project == path
    again.layers["kept"].paint((3, 3, 3), 9)
    assert left_as_killed(again, journals, qtbot).project is None
    save_by_button(again, path, qtbot, monkeypatch)
    assert left_as_killed(again, journals, qtbot).project == path
    # without the file it is all that there is
    path.unlink()
    assert left_as_killed(again, journals, qtbot).project is None


def test_second_project_leaves_what_is_chosen_in_a_panel(day, tmp_path, qtbot, told, monkeypatch):
    save_by_button(day, tmp_path / "day.seedbed", qtbot, monkeypatch)
    panel = day.window.dock_widgets["Seeded segmentation (Seedbed)"]
    panel.parameters.set_value("engine", "watershed")
    place = in_view(day)
    drop(day, tmp_path / "day.seedbed")
    qtbot.waitUntil(lambda: len(told) == 2, timeout=20000)
    assert len(day.layers) == 20
    assert panel.parameters.values()["engine"] == "watershed"
    assert panel.images.layer is day.layers[0]
    assert in_view(day)[:2] == place[:2]


def test_files_menu_saves_the_chosen_layers(day, window, tmp_path, qtbot, told):
    path = str(tmp_path / "some.seedbed")
    for name in ("kept", "clicks"):
        day.layers.selection.add(day.layers[name])
    day.layers.selection = {day.layers["kept"], day.layers["clicks"]}
    assert day.layers.save(path, selected=True) == [path]
    day.close()
    again = window()
    assert again.open(path, plugin=PLUGIN) == []
    qtbot.waitUntil(lambda: len(told) == 1, timeout=20000)
    assert [layer.name for layer in again.layers] == ["kept", "clicks"]
    assert again.layers["kept"].locked
    assert list(again.layers["kept"].features["class"]) == ["", "round"]


def test_moved_image_is_asked_for_and_a_changed_one_is_said(
    day, window, tmp_path, qtbot, told, monkeypatch
):
    path = tmp_path / "day.seedbed"
    save_by_button(day, path, qtbot, monkeypatch)
    day.close()
    (tmp_path / "far").mkdir()
    image, _ = ball(noise=0.2)
    write_image(tmp_path / "far" / "other.ome.tif", Image(image, ("z", "y", "x")))
    (tmp_path / "images" / "cells.ome.tif").unlink()
    asked = []

    def answer(viewer, path, source):
        asked.append(source.absolute)
        return tmp_path / "far" / "other.ome.tif"

    monkeypatch.setattr(project_opening, "ask_for_image", answer)
    again = window()
    drop(again, path)
    qtbot.waitUntil(lambda: len(told) == 2, timeout=20000)
    assert asked == [str(tmp_path / "images" / "cells.ome.tif")]
    assert "other.ome.tif has other voxels than when the project was saved" in told[1]
    np.testing.assert_array_equal(again.layers[0].data, image)
    again.close()
    monkeypatch.setattr(project_opening, "ask_for_image", lambda *_: None)
    last = window()
    drop(last, path)
    qtbot.waitUntil(lambda: len(told) == 3, timeout=20000)
    assert "'cells' is missing: cells.ome.tif was not found" in told[2]
    assert len(last.layers) == 9


def test_image_in_memory_that_is_too_large_is_said(day, tmp_path, qtbot, told, monkeypatch):
    from napari_seedbed.gui.layers import project_layers

    monkeypatch.setattr(project_layers, "MOST_KEPT", 1000)
    save_by_button(day, tmp_path / "day.seedbed", qtbot, monkeypatch)
    assert "Saved day.seedbed: 9 layers" in told[0]
    assert "'in memory' is not kept: it is in no file as it is and takes 82 kB" in told[0]


def test_layers_are_saved_and_opened_without_a_window(tmp_path):
    """As a script does it that has no viewer."""
    path = str(tmp_path / "two.seedbed")
    first, second = Labels(np.eye(9, dtype=int), name="a"), Points(np.eye(2), name="b")
    assert save_layers(path, [first, second]) == [path]
    again = ViewerModel()
    again.open(path, plugin=PLUGIN)
    assert [layer.name for layer in again.layers] == ["a", "b"]
    np.testing.assert_array_equal(again.layers[0].data, first.data)


def test_damaged_project_opens_as_far_as_it_can(day, window, tmp_path, qtbot, told, monkeypatch):
    path = tmp_path / "day.seedbed"
    save_by_button(day, path, qtbot, monkeypatch)
    day.close()
    path.write_bytes(path.read_bytes()[:-9000])
    again = window()
    drop(again, path)
    qtbot.waitUntil(lambda: len(told) == 2, timeout=20000)
    assert "damaged or was cut off" in told[1]
    assert "The layer 'in memory' is missing" in told[1]
    assert again.layers["kept"].locked
