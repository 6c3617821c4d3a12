"""What was learnt on one image helps on the next: the line under 'More options'."""

import numpy as np
import pytest
from seeded_window import SHAPE, SeededWindow, ball
from strokes_window import PLACE, SCALE

from napari_seedbed.gui.layers.seed_roles import set_background
from napari_seedbed.gui.tools.walker.lessons_line import NOTHING
from napari_seedbed.pipeline.encodings.lesson_encoding import lesson_from_text
from napari_seedbed.pipeline.recipes import load_recipe

pytestmark = pytest.mark.display

OTHER_CENTRE = (9, 20, 12)


@pytest.fixture
def window(make_napari_viewer, qtbot):
    """Two images; the first has seeds whose label 2 is background, and is segmented."""
    window = SeededWindow(make_napari_viewer, qtbot)
    place = {"scale": SCALE, "translate": PLACE, "units": ("um",) * 3}
    window.other = window.viewer.add_image(ball(centre=OTHER_CENTRE)[0], name="other", **place)
    set_background(window.seed_by_program(), 2)
    window.wait_final()
    return window


def keep(window):
    """Press the button, and wait until it is kept."""
    line = window.panel.lessons
    line.keep.click()
    window.qtbot.waitUntil(lambda: "for the next one" in line.shown.text(), timeout=30000)


def go_on(window):
    """Choose the other image and mark it with a few voxels."""
    window.form.image.choose(window.other)
    window.image = window.other
    seeds = window.new_seeds()
    set_background(seeds, 2)
    seeds.data_setitem(tuple(np.array([[9, 9], [20, 20], [12, 13]])), 1)
    seeds.data_setitem(tuple(np.array([[9, 9], [2, 2], [2, 3]])), 2)
    window.wait_final()


def test_what_is_kept_serves_the_next_image_and_its_recipe(window, tmp_path):
    line = window.panel.lessons
    assert line.shown.text() == NOTHING
    assert not line.forget.isEnabled()
    keep(window)
    assert line.training == ""  # an image does not learn from itself
    go_on(window)
    lesson = lesson_from_text(line.training)
    count = 3 * 5 * 5 + 3 * 30 * 2
    assert len(lesson.is_background) == count
    assert line.shown.text() == f"From cells, {count} voxels."
    shown = window.result.data.copy()
    np.testing.assert_array_equal(shown, window.expected())
    assert window.panel.requests.parameters()["training"] == line.training
    path = tmp_path / "other.yaml"
    window.panel.save_recipe(path)
    window.qtbot.waitUntil(path.exists, timeout=30000)
    assert load_recipe(path).steps[-1].parameters["training"] == line.training
    line.forget.click()
    assert line.shown.text() == NOTHING
    window.wait_final()
    assert window.panel.requests.parameters()["training"] == ""
    np.testing.assert_array_equal(window.result.data, window.expected())
    window.panel.open_recipe(path)
    assert line.shown.text() == f"From other, {count} voxels."
    window.wait_final()
    np.testing.assert_array_equal(window.result.data, shown)


def test_images_of_another_kind_and_their_own_learn_nothing_from_it(window):
    keep(window)
    line = window.panel.lessons
    flat = window.viewer.add_image(np.zeros(SHAPE[1:], np.uint8), name="flat")
    window.form.image.choose(flat)
    assert line.training == ""
    assert line.shown.text() == "Nothing from images of this kind."
    window.form.image.choose(window.image)
    assert line.training == ""
    assert line.shown.text().startswith("From this image")


def test_the_line_shows_only_where_it_counts(window):
    """The automatic engine alone learns, and only to tell objects from background."""
    line, panel = window.panel.lessons, window.panel
    keep(window)
    go_on(window)
    assert not line.isHidden()
    assert panel.requests.parameters()["training"] == line.training != ""
    for engine in ("watershed", "random_walker"):
        panel.parameters.set_value("engine", engine)
        assert line.isHidden()
        assert panel.requests.parameters()["training"] == ""
    panel.parameters.set_value("engine", "automatic")
    assert not line.isHidden()
    window.form.background.setValue(0)
    assert line.isHidden()
    assert panel.requests.parameters()["training"] == ""
    window.form.background.setValue(2)
    assert not line.isHidden()
    window.form.seeds.choose(window.viewer.add_labels(np.zeros(SHAPE, np.int32), name="plain"))
    assert line.isHidden()


def test_it_says_why_nothing_can_be_kept(window):
    layer = window.seeds
    layer.data_setitem(np.nonzero(layer.data == 2), 3)
    window.panel.lessons.keep.click()
    window.qtbot.waitUntil(lambda: "Nothing was learnt" in window.status, timeout=30000)
    assert window.panel.lessons.shown.text() == NOTHING


def test_a_series_teaches_what_all_its_time_points_show(make_napari_viewer, qtbot):
    film = np.stack([ball(SHAPE[1:], SCALE[1:], (8 + 3 * t, 10), 0.05)[0] for t in range(4)])
    window = SeededWindow(make_napari_viewer, qtbot, film, axis_labels=("t", "y", "x"))
    seeds = window.new_seeds()
    set_background(seeds, 2)
    counts = []
    for t, size in ((0, 3), (2, 5)):
        window.viewer.dims.set_point(0, t)
        seeds.data_setitem((np.full(size, t), np.full(size, 8 + 3 * t), np.arange(9, 9 + size)), 1)
        seeds.data_setitem((np.full(9, t), np.full(9, 1), np.arange(9)), 2)
        window.wait_final()
        counts.append(size + 9)
    # In view is the first one, which was not solved last.
    window.viewer.dims.set_point(0, 0)
    keep(window)
    assert f" {sum(counts)} voxels" in window.panel.lessons.shown.text()
