"""The panel of all operations, and the commands that open forms from the menus."""

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_seedbed.gui.operation_form import OperationForm
from napari_seedbed.gui.operation_widgets import methods
from napari_seedbed.gui.operations_panel import OperationsPanel
from napari_seedbed.pipeline import operations


@pytest.fixture
def panel(qtbot, viewer_model):
    made = OperationsPanel(viewer_model)
    qtbot.addWidget(made)
    made.resize(320, 720)
    made.show()
    return made


def chosen_in(form):
    """The operation that a form with several shows; None where it has but one."""
    choosers = (getattr(form, name, None) for name in ("method", "kind", "source"))
    return next((one.currentData() for one in choosers if one is not None), None)


def type_search(panel, qtbot, text):
    panel.search.clear()
    qtbot.keyClicks(panel.search, text)


def test_every_operation_is_listed(panel):
    assert sorted(panel.shown()) == sorted(operations.names())


@pytest.mark.parametrize(
    ("text", "found", "not_found"),
    [
        ("gauss", "gaussian", "median"),
        ("Otsu thresh", "threshold_otsu", "gaussian"),
        ("parametric chromaticity", "chromaticity_gaussian", "gaussian"),
    ],
)
def test_search_finds_titles_and_terms(panel, qtbot, text, found, not_found):
    type_search(panel, qtbot, text)
    assert found in panel.shown()
    assert not_found not in panel.shown()


def test_enter_opens_the_first_that_is_found(panel, qtbot):
    type_search(panel, qtbot, "median filter")
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    form = panel.forms.currentWidget()
    assert isinstance(form, OperationForm)
    assert form.operation.name == "median"


def test_nothing_is_found_for_nonsense(panel, qtbot):
    type_search(panel, qtbot, "xyzzy")
    assert panel.shown() == []
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)


def test_forms_keep_what_was_set_while_another_one_is_shown(panel):
    panel.choose("gaussian").parameters.set_value("sigma", 7.0)
    panel.choose("median")
    assert panel.choose("gaussian").parameters.values()["sigma"] == 7.0


def test_forms_offer_layers_that_come_later(panel, viewer_model):
    form = panel.choose("gaussian")
    layer = viewer_model.add_image(np.zeros((8, 9), np.uint8))
    panel.reset_choices()
    assert form.image.layer() is layer


def test_preview_ends_where_another_form_is_chosen(panel, viewer_model, qtbot):
    image = viewer_model.add_image(np.random.default_rng(0).random((20, 24)))
    form = panel.choose("gaussian")
    form.follow.setChecked(True)
    qtbot.waitUntil(lambda: not form.preview.is_busy, timeout=20_000)
    assert len(viewer_model.layers) == 2
    panel.choose("median")
    assert list(viewer_model.layers) == [image]


@pytest.mark.display
def test_commands_of_the_menus_open_each_form_once(make_napari_viewer):
    from napari._app_model import get_app_model

    viewer = make_napari_viewer(show=True)
    run = get_app_model().commands.execute_command
    for name in ("gaussian", "median", "gaussian"):
        run(f"napari-seedbed.{name}").result()
    docks = viewer.window.dock_widgets
    assert {"Gaussian filter (Seedbed)", "Median filter (Seedbed)"} <= set(docks)
    assert docks["Gaussian filter (Seedbed)"].isVisible()
    _, panel = viewer.window.add_plugin_dock_widget("napari-seedbed", "All operations")
    assert isinstance(panel, OperationsPanel)


@pytest.mark.display
def test_the_palette_opens_panels_by_the_names_of_their_methods(make_napari_viewer, qtbot):
    from napari._app_model import get_app_model
    from napari._qt.widgets.qt_command_palette import QCommandPalette

    viewer = make_napari_viewer(show=True)
    palette = QCommandPalette(viewer.window._qt_window)

    def choose(text):
        palette._list.update_for_text(text)
        found = [
            one for one in palette._list.iter_command() if one.id.startswith("napari-seedbed.")
        ]
        get_app_model().commands.execute_command(found[0].id).result()

    docks = viewer.window.dock_widgets
    for text, engine in (
        ("random walker", "random_walker"),
        ("watershed from seeds", "watershed"),
        ("grady", "random_walker"),
    ):
        choose(text)
        panel = docks["Seeded segmentation (Seedbed)"]
        assert panel.isVisible()
        assert panel.parameters.values()["engine"] == engine
    # The menu shows and hides the same panel.
    get_app_model().commands.execute_command("napari-seedbed.seeded_segmentation").result()
    assert not panel.isVisible()
    choose("random walker")
    assert panel.isVisible()
    for method in methods():
        get_app_model().commands.execute_command(f"napari-seedbed.{method.command}").result()
        panel = docks[f"{method.operation.command_title} (Seedbed)"]
        assert panel.isVisible()
        assert chosen_in(panel.form) in (method.operation.name, None)
    _, every = viewer.window.add_plugin_dock_widget("napari-seedbed", "All operations")
    for name in ("region_surface", "sauvola", "histogram_backprojection", "series_changes"):
        assert chosen_in(every.choose(name).form) == name
    assert every.choose("random_walker").parameters.values()["engine"] == "random_walker"


@pytest.mark.display
def test_table_opens_below_the_picture_in_a_real_window(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    viewer.add_labels(np.pad(np.ones((4, 5), np.uint8), 3))
    from napari_seedbed.gui.operation_form import form_class

    form = form_class("branch_table")(viewer)
    viewer.window.add_dock_widget(form, name="Branches")
    form.run()
    qtbot.waitUntil(lambda: form.job is None, timeout=60_000)
    (name,) = [name for name in viewer.window.dock_widgets if name.endswith(": table")]
    assert viewer.window.dock_widgets[name].isVisible()
