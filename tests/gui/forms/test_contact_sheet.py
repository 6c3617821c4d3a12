"""Pictures side by side: what they show, and that a click picks one."""

import numpy as np
import pytest
from qtpy.QtCore import QSize, Qt

from napari_seedbed.errors import InputError
from napari_seedbed.gui.forms.contact_sheet import ContactSheet, thumbnail


def colour_at(pixmap, x, y):
    colour = pixmap.toImage().pixelColor(x, y)
    return colour.red(), colour.green(), colour.blue()


@pytest.fixture
def sheet(qtbot):
    made = ContactSheet("Levels", "A click takes the level.")
    qtbot.addWidget(made)
    made.show_pictures([(f"{n}", np.full((30, 40), n, np.uint8)) for n in range(5)])
    made.show()
    return made


def test_click_tells_which_picture_was_chosen_and_marks_it(sheet, qtbot):
    with qtbot.waitSignal(sheet.chosen) as told:
        qtbot.mouseClick(sheet.buttons[3], Qt.MouseButton.LeftButton)
    assert told.args == [3]
    assert [button.isChecked() for button in sheet.buttons] == [False, False, False, True, False]
    qtbot.mouseClick(sheet.buttons[1], Qt.MouseButton.LeftButton)
    assert [button.isChecked() for button in sheet.buttons].index(True) == 1


def test_other_pictures_take_the_place_of_those_before(sheet):
    sheet.show_pictures([("a", np.zeros((3, 3), bool)), ("b", np.ones((3, 3), bool))], chosen=1)
    assert [button.text() for button in sheet.buttons] == ["a", "b"]
    assert sheet.buttons[1].isChecked()
    sheet.mark(None)
    assert not any(button.isChecked() for button in sheet.buttons)


@pytest.mark.parametrize("count", [1, 4, 9, 12])
def test_sheet_fits_on_a_small_screen(qtbot, count):
    sheet = ContactSheet("Methods")
    qtbot.addWidget(sheet)
    sheet.show_pictures([("method", np.zeros((512, 512), bool))] * count)
    assert sheet.sizeHint().width() <= 1200
    assert sheet.sizeHint().height() <= 720


def test_masks_are_black_and_white(qtbot):
    mask = np.zeros((20, 40), bool)
    mask[:, 20:] = True
    picture = thumbnail(mask, QSize(40, 40))
    assert (picture.width(), picture.height()) == (40, 20)
    assert colour_at(picture, 5, 10) == (0, 0, 0)
    assert colour_at(picture, 35, 10) == (255, 255, 255)


def test_grey_values_go_from_black_to_white(qtbot):
    ramp = np.repeat(np.linspace(-3, 7, 40)[np.newaxis], 40, axis=0)
    picture = thumbnail(ramp, QSize(40, 40))
    assert colour_at(picture, 0, 0) == (0, 0, 0)
    assert colour_at(picture, 39, 0) == (255, 255, 255)


@pytest.mark.parametrize(("dtype", "one"), [(np.uint8, 255), (float, 1.0), (np.uint16, 4095)])
def test_colours_keep_their_places(qtbot, dtype, one):
    colours = np.zeros((10, 10, 3), dtype)
    colours[:, 5:, 1] = one
    picture = thumbnail(colours, QSize(10, 10))
    assert colour_at(picture, 2, 2) == (0, 0, 0)
    assert colour_at(picture, 7, 2) == (0, 255, 0)


def test_long_pictures_are_not_lost_in_shrinking(qtbot):
    picture = thumbnail(np.ones((5000, 4), bool), QSize(100, 100))
    assert picture.height() == 100


@pytest.mark.parametrize("shape", [(3,), (4, 4, 2), (0, 4), (2, 3, 4, 3)])
def test_other_arrays_are_refused(qtbot, shape):
    with pytest.raises(InputError, match="array has the shape"):
        thumbnail(np.zeros(shape), QSize(10, 10))


@pytest.mark.parametrize("shape", [(100, 100), (60, 200), (300, 90)])
@pytest.mark.parametrize("count", [1, 2, 7, 15])
def test_all_pictures_fit_on_a_small_screen(qtbot, count, shape):
    sheet = ContactSheet("Compare", "Click the best one.")
    qtbot.addWidget(sheet)
    pictures = [(f"Several classes (multi-Otsu) {i}", np.ones(shape)) for i in range(count)]
    sheet.show_pictures(pictures)
    sheet.show()
    assert sheet.width() <= 1280
    assert sheet.height() <= 768 - 60
