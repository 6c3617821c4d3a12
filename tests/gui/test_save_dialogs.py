"""Where things are saved: the dialog lies within the screen, and files get their endings."""

import pytest
from qtpy.QtCore import QRect, QTimer
from qtpy.QtWidgets import QApplication, QDialogButtonBox, QLineEdit, QWidget

from napari_seedbed.gui.save_dialogs import SaveDialog, ask_where_to_save, within

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
    kinds = "CSV (*.csv);;Parquet (*.parquet)"
    assert ask_where_to_save(window, "Save table", "cells 1", kinds) == tmp_path / written
