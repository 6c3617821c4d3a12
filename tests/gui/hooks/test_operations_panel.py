"""The panel of all operations, and the commands that open forms from the menus."""

import re

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_seedbed.gui.forms.operation_form import OperationForm
from napari_seedbed.gui.hooks.also_known_as import ALSO_KNOWN_AS
from napari_seedbed.gui.hooks.operation_widgets import methods
from napari_seedbed.gui.hooks.operations_panel import OperationsPanel
from napari_seedbed.gui.hooks.other_programs import PROGRAMS
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
        ("band threshold", "threshold_between", "gaussian"),
        ("threshold Otsu", "threshold", "gaussian"),
        ("parametric chromaticity", "chromaticity_gaussian", "gaussian"),
    ],
)
def test_search_finds_titles_and_terms(panel, qtbot, text, found, not_found):
    type_search(panel, qtbot, text)
    assert found in panel.shown()
    assert not_found not in panel.shown()


FORMER_TITLES = {
    "Clear the border": "clear_border",
    "Colours in an outline": "colour_selection",
    "Combine two masks or label images": "combine_labels",
    "Edge-seeking surface": "edge_surface",
    "Elastic contour": "elastic_contour",
    "Equalise locally": "equalise_locally",
    "Expand objects": "expand_labels",
    "Find blobs": "find_blobs",
    "Frangi vessels": "frangi",
    "Join objects": "join_labels",
    "Label objects": "label",
    "Measure branches": "branch_table",
    "Meijering neurites": "meijering",
    "Number without gaps": "relabel_sequential",
    "Open, close or shrink objects": "label_morphology",
    "Peaks as seeds (h-maxima)": "h_maxima",
    "Region-seeking surface": "region_surface",
    "Sato lines": "sato",
    "Score against a truth": "scores",
    "Several classes (multi-Otsu)": "multi_otsu",
    "Sobel, Scharr, Prewitt, Farid": "slope",
    "Sort objects": "sort_labels",
    "Stack channels": "stack_channels",
    "Take one channel": "take_channel",
    "To grey": "to_grey",
    "Two regions (Chan-Vese)": "chan_vese",
    "Watershed from seeds": "seeded_watershed",
}
FORMER_LABELS = {
    "Likeness": "bilateral",
    "Evenness inside": "region_surface",
    "Lay it": "custom_kernel",
    "Lines are": "sato",
    "Thinnest": "frangi",
    "Match light": "changes",
    "What fills it": "convert_type",
    "Settled below": "elastic_contour",
    "Voxels touch at": "label",
    "Light background": "subtract_background",
    "Dark on bright": "find_blobs",
}
NAMES_ELSEWHERE = {
    "Find Edges": "slope",
    "Gaussian Blur": "gaussian",
    "Enhance Local Contrast": "equalise_locally",
    "Find Maxima": "local_maxima",
    "Analyze Particles": "measure",
    "Skeletonize": "skeleton",
    "Distance Transform Watershed": "split_touching",
    "Kill Borders": "clear_border",
    "Trainable Weka": "pixel_classification",
    "FilterObjects": "remove_by_size",
    "rolling_ball": "subtract_background",
    "equalize_adapthist": "equalise_locally",
    "denoise_nl_means": "non_local_means",
    "threshold_li": "threshold",
    "morphological_chan_vese": "region_surface",
    "regionprops": "measure",
    "peak_local_max": "local_maxima",
    "blob_log": "find_blobs",
}


@pytest.mark.parametrize("names", [FORMER_TITLES, FORMER_LABELS, NAMES_ELSEWHERE])
def test_search_finds_former_names_and_those_of_other_programs(panel, names):
    for text, operation in names.items():
        panel.search.setText(text)
        assert operation in panel.shown(), text
        assert len(panel.shown()) < 25, text


def test_other_names_are_those_of_operations():
    assert set(ALSO_KNOWN_AS) <= set(operations.names())


def test_best_match_of_a_name_in_another_program_is_what_it_stands_for(panel):
    searched = 0
    for program, names in PROGRAMS.items():
        for name, operation in names.items():
            spaced = re.sub("([a-z])([A-Z])", r"\1 \2", name)
            for text in (name, name.lower(), spaced):
                panel.search.setText(text)
                best = panel.best()
                assert best is not None, f"{name} in {program}"
                assert best.data(0, Qt.ItemDataRole.UserRole) == operation, f"{name} in {program}"
                assert panel.list.currentItem() is best
            if name.lower() not in operations.get(operation).title.lower():
                searched += 1
                panel.search.setText(name)
                assert f"{name} in" in best.text(0)
    assert searched >= 80
    assert panel.forms.count() == 1, "typing opens no form"
    panel.search.clear()
    assert best.text(0) == operations.get(operation).title


def test_enter_opens_the_best_match(panel, qtbot):
    type_search(panel, qtbot, "despeckle")
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    assert panel.forms.currentWidget().operation.name == "median"


def test_enter_opens_the_first_that_is_found(panel, qtbot):
    type_search(panel, qtbot, "median filter")
    qtbot.keyClick(panel.search, Qt.Key.Key_Return)
    form = panel.forms.currentWidget()
    assert isinstance(form, OperationForm)
    assert form.operation.name == "median"


def test_click_on_the_best_match_opens_it(panel, qtbot):
    type_search(panel, qtbot, "rolling ball")
    place = panel.list.visualItemRect(panel.list.currentItem()).center()
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert panel.forms.currentWidget().operation.name == "subtract_background"


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
    from napari_seedbed.gui.forms.operation_form import form_class

    form = form_class("branch_table")(viewer)
    viewer.window.add_dock_widget(form, name="Branches")
    form.run()
    qtbot.waitUntil(lambda: not form.is_running, timeout=60_000)
    (name,) = [name for name in viewer.window.dock_widgets if name.endswith(": table")]
    assert viewer.window.dock_widgets[name].isVisible()
