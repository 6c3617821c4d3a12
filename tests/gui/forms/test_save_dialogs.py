"""Where things are saved: the dialog lies within the screen, and files get their endings."""

import numpy as np
import pytest
from qtpy.QtCore import QRect, Qt, QTimer
from qtpy.QtWidgets import QApplication, QComboBox, QDialogButtonBox, QLineEdit, QWidget

from napari_seedbed.gui.forms.operation_form import form_class
from napari_seedbed.gui.forms.save_dialogs import (
    SaveDialog,
    ask_where_to_save,
    folder_beside,
    kinds_of_files,
    within,
)
from napari_seedbed.gui.layers.layer_records import METADATA_KEY

SCREEN = QRect(0, 0, 1366, 768)


@pytest.mark.parametrize(
    ("place", "found"),
    [
        (QRect(100, 100, 600, 400), QRect(100, 100, 600, 400)),
        (QRect(300, 500, 600, 400), QRect(300, 368, 600, 400)),
        (QRect(-50, -20, 2000, 1000), SCREEN),
        (QRect(1300, 10, 300, 900), QRect(1066, 0, 300, 768)),
    ],
)
def test_place_is_moved_and_made_smaller_no_more_than_needed(place, found):
    assert within(place, SCREEN) == found


def test_buttons_are_on_the_screen_wherever_the_window_is(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    screen = window.screen().availableGeometry()
    window.setGeometry(400, screen.height() - 100, 900, 1200)
    window.show()
    dialog = SaveDialog(window, "Save list", "changes.csv", "Tables (*.csv)")
    dialog.setOption(dialog.Option.DontUseNativeDialog)
    dialog.setGeometry(500, screen.height() - 300, 800, screen.height() + 200)
    dialog.show()
    qtbot.waitExposed(dialog)
    (box,) = dialog.findChildren(QDialogButtonBox)
    for button in box.buttons():
        corner = button.mapToGlobal(button.rect().bottomRight())
        assert screen.contains(corner)
        assert dialog.geometry().contains(corner)
    dialog.reject()


@pytest.mark.parametrize(
    ("typed", "written"),
    [("mine", "mine.csv"), ("cells 1.5 um", "cells 1.5 um.csv"), ("mine.parquet", "mine.parquet")],
)
def test_file_has_one_of_the_endings(qtbot, tmp_path, typed, written):
    window = QWidget()
    qtbot.addWidget(window)

    def type_and_save():
        (dialog,) = [one for one in QApplication.topLevelWidgets() if isinstance(one, SaveDialog)]
        field = dialog.findChild(QLineEdit)
        assert field.text() == "cells_1.csv"
        field.setText(str(tmp_path / typed))
        dialog.accept()

    QTimer.singleShot(200, type_and_save)
    kinds = kinds_of_files("table")
    assert "CSV (*.csv);;Parquet (*.parquet *.pq)" in kinds
    assert ask_where_to_save(window, "Save table", "cells 1", kinds) == tmp_path / written


@pytest.fixture
def panel(viewer_model, qtbot, tmp_path):
    """A form beside two images in folders of their own, and one that is in no file."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        source = {"path": str(tmp_path / name / "cells.tif")}
        metadata = {METADATA_KEY: {"source": source}}
        viewer_model.add_image(np.eye(9), name=name, metadata=metadata)
    viewer_model.add_image(np.eye(9), name="in memory")
    form = form_class("gaussian")(viewer_model)
    qtbot.addWidget(form)
    return form


@pytest.mark.parametrize("chosen", ["first", "second"])
def test_dialog_begins_beside_the_image_of_the_panel(panel, viewer_model, tmp_path, chosen):
    panel.image.choose(viewer_model.layers[chosen])
    begun = []

    def look_and_leave():
        (dialog,) = [one for one in QApplication.topLevelWidgets() if isinstance(one, SaveDialog)]
        begun.append(dialog.directory().absolutePath())
        dialog.reject()

    QTimer.singleShot(200, look_and_leave)
    panel.save_button.setEnabled(True)
    panel.save_button.click()
    assert begun == [str(tmp_path / chosen)]


def test_result_lies_beside_the_image_that_it_was_made_from(panel, viewer_model, tmp_path):
    deeper = {"operation": "gaussian", "inputs": [{"name": "second"}]}
    record = {"operation": "threshold", "inputs": [{"name": "smooth", "made_by": deeper}]}
    result = viewer_model.add_image(np.eye(9), metadata={METADATA_KEY: record})
    panel.image.choose(result)
    assert folder_beside(panel, viewer_model) == str(tmp_path / "second")
    result.metadata = {METADATA_KEY: {"operation": "snakes", "live": True}}
    assert folder_beside(panel, viewer_model) == str(tmp_path / "first")


def test_recipe_is_saved_as_a_script_where_that_kind_is_chosen(
    panel, viewer_model, qtbot, tmp_path
):
    panel.image.choose(viewer_model.layers["first"])
    panel.run()
    qtbot.waitUntil(panel.save_button.isEnabled, timeout=60_000)
    offered = []

    def choose_kind_and_save():
        (dialog,) = [one for one in QApplication.topLevelWidgets() if isinstance(one, SaveDialog)]
        (kinds,) = [one for one in dialog.findChildren(QComboBox) if one.count() == 2]
        kinds.setFocus()
        qtbot.keyClick(kinds, Qt.Key.Key_Down)
        offered.extend([dialog.selectedNameFilter(), dialog.findChild(QLineEdit).text()])
        dialog.findChild(QLineEdit).setText(str(tmp_path / "mine"))
        dialog.accept()

    QTimer.singleShot(200, choose_kind_and_save)
    qtbot.mouseClick(panel.save_button, Qt.MouseButton.LeftButton)
    assert offered == ["Python script (*.py)", "first_gaussian.py"]
    script = (tmp_path / "mine.py").read_text("utf-8")
    assert "from napari_seedbed.core import gaussian" in script
    compile(script, "mine.py", "exec")
    assert "python mine.py IMAGE" in panel.controls.status.text()
