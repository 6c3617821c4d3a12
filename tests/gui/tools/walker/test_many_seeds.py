"""Seeds of many objects at once: peaks, points, and a stroke an object."""

import threading

import numpy as np
import pytest
from napari.layers import Labels
from painting import drag, press_key
from qtpy.QtCore import Qt
from seeded_window import SeededWindow
from strokes_window import SCALE

from napari_seedbed.gui.layers.seed_layers import seeds_image
from napari_seedbed.gui.layers.seed_roles import background_of
from napari_seedbed.gui.tools.walker import many_seeds
from napari_seedbed.gui.tools.walker.many_seeds import NAME

pytestmark = pytest.mark.display

SHAPE = (16, 48, 48)
CENTRES = [(5, 10, 10), (5, 10, 36), (9, 24, 24), (10, 38, 10), (10, 38, 38)]
BRIGHTNESS = [1.0, 1.0, 0.8, 0.8, 0.3]
RADIUS = 3.0
"""In the unit of the scale: 1.5 planes, 6 rows and columns."""


def balls():
    """Five noisy balls, one of them dim, and which voxels each holds."""
    image, truth = np.zeros(SHAPE), np.zeros(SHAPE, np.int32)
    grids = np.ogrid[tuple(slice(n) for n in SHAPE)]
    for label, (centre, bright) in enumerate(zip(CENTRES, BRIGHTNESS, strict=True), start=1):
        away = sum(((g - c) * s) ** 2 for g, c, s in zip(grids, centre, SCALE, strict=True))
        image[away < RADIUS**2], truth[away < RADIUS**2] = bright, label
    noise = np.random.default_rng(2).normal(0, 0.03, SHAPE)
    return (1000 * (1 + image + noise)).clip(0).astype(np.uint16), truth


@pytest.fixture
def window(make_napari_viewer, qtbot):
    image, truth = balls()
    window = SeededWindow(
        make_napari_viewer, qtbot, image, engine="watershed", scale=SCALE, units=("um",) * 3
    )
    window.truth = truth
    window.form.live.setChecked(False)
    window.many = window.form.many
    window.form.many_section.toggle()
    return window


def show_peaks(window, diameter=6.0):
    window.many.diameter.setValue(diameter)
    window.click(window.many.show_peaks)
    window.qtbot.waitUntil(lambda: "peak" in window.many.count.text(), timeout=30000)


def take(window):
    window.qtbot.mouseClick(window.many.take, Qt.MouseButton.LeftButton)
    window.qtbot.waitUntil(lambda: "taken" in window.status, timeout=30000)


def peaks(window):
    return next((layer for layer in window.viewer.layers if layer.name == NAME), None)


def test_peaks_are_counted_live_and_become_one_label_an_object(window):
    show_peaks(window)
    window.many.set_share(0.5)
    assert window.many.count.text() == "4 peaks"
    window.many.set_share(0.15)
    assert window.many.count.text() == "5 peaks"
    window.viewer.dims.ndisplay = 3
    away = np.linalg.norm((peaks(window).data[:, None] - CENTRES) * SCALE, axis=2)
    assert sorted(away.argmin(axis=1)) == [0, 1, 2, 3, 4]
    assert away.min(axis=1).max() < 1
    window.viewer.dims.ndisplay = 2
    take(window)
    seeds = window.seeds
    assert isinstance(seeds, Labels)
    assert set(np.unique(seeds.data)) == {0, 1, 2, 3, 4, 5}
    held = window.truth[seeds.data > 0]
    assert (held > 0).all()
    pairs = set(zip(seeds.data[seeds.data > 0].tolist(), held.tolist(), strict=True))
    assert len(pairs) == len(CENTRES)
    assert peaks(window) is None
    assert "5 seeds taken. Press G" in window.status
    assert seeds.selected_label == 6
    window.viewer.layers.selection.active = seeds
    press_key(window.viewer, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not seeds.data.any()


def test_objects_that_are_marked_already_keep_their_stroke(window):
    seeds = window.new_seeds()
    seeds.data_setitem((np.full(3, 9), np.full(3, 24), np.arange(23, 26)), 7)
    before = seeds.data.copy()
    show_peaks(window)
    window.many.set_share(0.15)
    take(window)
    np.testing.assert_array_equal(seeds.data[before > 0], before[before > 0])
    assert set(np.unique(seeds.data)) == {0, 7, 8, 9, 10, 11}
    assert "4 seeds taken" in window.status


def test_each_stroke_takes_the_next_label_and_the_background_stays(window):
    seeds = window.new_seeds()
    window.many.next_label.click()
    for z, y, x in CENTRES[:3]:
        window.viewer.dims.set_point(0, window.world((z, 0, 0))[0])
        drag(window.viewer, window.world((z, y, x - 2)), window.world((z, y, x + 2)))
    for label, (z, y, x) in enumerate(CENTRES[:3], start=1):
        assert seeds.data[z, y, x] == label
    press_key(window.viewer, Qt.Key.Key_G)
    for y in (2, 17):
        drag(window.viewer, window.world((9, y, 3)), window.world((9, y, 44)))
    assert set(np.unique(seeds.data)) == {0, 1, 2, 3, 4}
    assert seeds.data[9, 2, 20] == seeds.data[9, 17, 20] == background_of(seeds) == 4


def test_points_become_strokes_with_their_labels_and_background(window, monkeypatch):
    points = window.viewer.add_points(
        [window.world(place) for place in (*CENTRES, (2, 24, 4))],
        size=2,
        features={"label": [*"abcde", "background"]},
        name="clicks",
    )
    window.form.seeds.choose(points)
    wanted = np.array(seeds_image(points, window.image).array)
    threads = []

    def drawn(*args):
        threads.append(threading.current_thread())
        return seeds_image(*args)

    monkeypatch.setattr(many_seeds, "seeds_image", drawn)
    window.click(window.many.from_points)
    window.qtbot.waitUntil(lambda: not points.visible, timeout=60000)
    assert threads
    assert threading.main_thread() not in threads, "the window waits meanwhile"
    seeds = window.seeds
    assert isinstance(seeds, Labels)
    np.testing.assert_array_equal(seeds.data, wanted)
    assert background_of(seeds) == wanted[2, 24, 4]
    assert not points.visible
    window.form.run.click()
    window.wait_final()
    for place in CENTRES:
        assert window.result.data[place] == wanted[place]
    assert window.result.data[2, 24, 4] == 0


def test_peaks_of_a_series_are_those_of_the_time_point_on_screen(make_napari_viewer, qtbot):
    image, _ = balls()
    film = np.stack([image[9], image[5], image[9]])
    window = SeededWindow(
        make_napari_viewer, qtbot, film, engine="watershed", scale=(1, 0.5, 0.5),
        axis_labels=("t", "y", "x"),
    )  # fmt: skip
    window.form.live.setChecked(False)
    window.many = window.form.many
    window.form.many_section.toggle()
    window.viewer.dims.set_point(0, 1)
    show_peaks(window)
    window.many.set_share(0.5)
    assert window.many.count.text() == "2 peaks"
    take(window)
    seeds = window.seeds.data
    assert not seeds[[0, 2]].any()
    assert {int(seeds[1, 10, 10]), int(seeds[1, 10, 36])} == {1, 2}


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_peaks_are_seen_on_all_slices_that_cut_their_objects(window, order):
    show_peaks(window)
    window.many.set_share(0.5)
    window.viewer.dims.order = order
    axis = order[0]
    first = np.array(CENTRES[0], dtype=float)
    for away, is_cut in ((0, True), (2.5, True), (3.5, False)):
        place = first.copy()
        place[axis] += away / SCALE[axis]
        window.viewer.dims.set_point(axis, window.world(place)[axis])
        layer = peaks(window)
        index = round(place[axis])
        others = [other for other in range(3) if other != axis]
        near = np.abs(layer.data[:, others] - first[others]).max(axis=1) < 2
        on_slice = near & (layer.data[:, axis] == index)
        assert on_slice.any() == is_cut


def test_peaks_go_with_the_panel(window):
    show_peaks(window)
    assert peaks(window) is not None
    window.panel.parentWidget().close()
    assert peaks(window) is None
    assert not window.many.show_peaks.isChecked()


def test_other_way_to_segment_takes_peaks_and_suggestions_away(window):
    show_peaks(window)
    take(window)
    show_peaks(window)
    window.form.way.setCurrentIndex(1)
    assert peaks(window) is None
    assert not window.form.many_section.isVisible()
    assert len(np.unique(window.seeds.data)) == 6
    press_key(window.viewer, Qt.Key.Key_U)
    assert window.status.startswith("Suggestions are for all labels at once")
    window.form.way.setCurrentIndex(0)
    assert window.form.many_section.isVisible()
