"""The threshold panel: lines dragged and names clicked with the mouse, masks, and comparison."""

import dask.array
import numpy as np
import pytest
from napari.layers import Labels
from napari.utils.theme import get_theme
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from scipy import ndimage as ndi
from skimage import data, filters

from napari_seedbed.gui.tools.thresholds.threshold_panel import ThresholdPanel
from napari_seedbed.pipeline.operations import run
from napari_seedbed.pipeline.operations.thresholds import METHOD_TITLES
from napari_seedbed.pipeline.recipes import load_recipe, replay

coins = data.coins()[60:220, 40:240]


class Bench:
    """The panel on a viewer without a window."""

    def __init__(self, viewer, qtbot, image=coins, *, settle=True, **layer) -> None:
        self.viewer, self.qtbot = viewer, qtbot
        self.image = viewer.add_image(image, **{"name": "coins", "rgb": False, **layer})
        self.panel = ThresholdPanel(viewer)
        self.form, self.plot = self.panel.form, self.panel.form.plot
        qtbot.addWidget(self.panel)
        self.panel.resize(340, 900)
        self.panel.show()
        if settle:
            self.settle()

    def settle(self):
        """Wait until the histogram and the mask of what is in view are there."""
        self.qtbot.wait(60)
        self.qtbot.waitUntil(lambda: not self.panel.is_busy, timeout=10000)

    # What is shown

    def preview(self):
        """The mask that is shown for a moment."""
        (layer,) = self.panel.preview.layers
        return np.asarray(layer.data) > 0

    def result(self):
        """The layer that Apply made."""
        found = [
            layer
            for layer in self.viewer.layers
            if isinstance(layer, Labels) and layer not in self.panel.preview.layers
        ]
        return found[-1]

    @property
    def status(self):
        return self.form.status.text()

    # What people do

    def pixel(self, value, height=0.3):
        """Where a grey value is on the plot, in pixels of what takes the mouse."""
        place = self.plot.getViewBox().mapViewToScene(QPointF(value, height))
        return self.plot.mapFromScene(place)

    def drag(self, start, end, steps=5):
        """Drag from one grey value to another, with the mouse."""
        a, b = self.pixel(start), self.pixel(end)
        self._mouse(QEvent.Type.MouseMove, a, None)
        self._mouse(QEvent.Type.MouseButtonPress, a, Qt.MouseButton.LeftButton)
        for step in range(1, steps + 1):
            # pyqtgraph takes moves that come at once for one
            QTest.qWait(20)
            self._mouse(QEvent.Type.MouseMove, a + (b - a) * step / steps, "held")
        self._mouse(QEvent.Type.MouseButtonRelease, b, Qt.MouseButton.LeftButton)
        QApplication.processEvents()

    def click_name(self, method):
        """Click the name of an automatic value."""
        _, name = self.plot._marks[method]
        middle = name.mapToScene(name.boundingRect().center())
        QTest.mouseMove(self.plot.viewport(), self.plot.mapFromScene(middle))
        QTest.qWait(20)
        QTest.mouseClick(
            self.plot.viewport(),
            Qt.MouseButton.LeftButton,
            pos=self.plot.mapFromScene(middle),
        )
        QApplication.processEvents()

    def click(self, button):
        self.form.ensureWidgetVisible(button)
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def apply(self):
        self.click(self.form.run)
        self.settle()

    def choose(self, box, value):
        row = box.findData(value)
        assert row >= 0, value
        box.setCurrentIndex(row)
        self.settle()

    def _mouse(self, kind, place, button):
        widget = self.plot.viewport()
        place = QPoint(round(place.x()), round(place.y()))
        is_move = kind == QEvent.Type.MouseMove
        held = Qt.MouseButton.LeftButton
        none = Qt.MouseButton.NoButton
        down = button is not None and kind != QEvent.Type.MouseButtonRelease
        event = QMouseEvent(
            kind,
            QPointF(place),
            QPointF(widget.mapToGlobal(place)),
            none if is_move else button,
            held if down else none,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(widget, event)


@pytest.fixture
def bench(viewer_model, qtbot):
    return Bench(viewer_model, qtbot)


def stack(n_times=None, depth=4):
    """Boxes that fade with depth and time, uint16."""
    rng = np.random.default_rng(3)
    array = rng.normal(100, 10, (n_times or 1, depth, 30, 32))
    for t, z in np.ndindex(array.shape[:2]):
        array[t, z, 8:20, 9:21] += 900 - 150 * t - 100 * z
    array = array.astype(np.uint16)
    return array if n_times else array[0]


def test_all_automatic_values_are_marked_on_the_histogram(bench):
    assert set(bench.plot.marked) == {*METHOD_TITLES, "multi_otsu_1", "multi_otsu_2"}
    for method in METHOD_TITLES:
        wanted = getattr(filters, f"threshold_{method}")(coins)
        assert bench.plot.marked[method] == np.floor(wanted)
    classes = [bench.plot.marked[f"multi_otsu_{n}"] for n in (1, 2)]
    np.testing.assert_allclose(classes, filters.threshold_multiotsu(coins, 3))
    heights, edges = bench.plot._counts, bench.plot._edges
    assert np.array_equal(heights, np.bincount(coins.ravel())[coins.min() :])
    assert edges[0] == coins.min() - 0.5


def test_mask_of_otsu_is_shown_at_first(bench):
    assert bench.plot.values == (filters.threshold_otsu(coins),)
    assert np.array_equal(bench.preview(), coins > filters.threshold_otsu(coins))


def test_histogram_lies_on_the_colour_of_the_theme(bench):
    for theme in ("light", "dark"):
        bench.viewer.theme = theme
        wanted = get_theme(theme).background.as_hex(format="long")
        assert bench.plot.backgroundBrush().color().name() == wanted


def test_line_that_is_dragged_moves_the_mask(bench):
    bench.drag(bench.plot.values[0], 160)
    (value,) = bench.plot.values
    assert value == pytest.approx(160, abs=2)
    typed = bench.form.fields().values()
    assert (typed["method"], typed["value"]) == ("manual", int(value))
    bench.settle()
    assert np.array_equal(bench.preview(), coins > value)


@pytest.mark.parametrize("method", ["triangle", "minimum"])
def test_name_that_is_clicked_is_used(bench, method):
    bench.click_name(method)
    bench.settle()
    value = bench.plot.marked[method]
    assert bench.form.fields().values()["method"] == method
    assert bench.plot.values == (value,)
    assert np.array_equal(bench.preview(), coins > value)


def test_click_on_a_value_of_three_classes_shows_these(bench):
    bench.click_name("multi_otsu_2")
    bench.settle()
    wanted = filters.threshold_multiotsu(coins, 3)
    assert bench.form.kind_name() == "multi_otsu"
    (layer,) = bench.panel.preview.layers
    np.testing.assert_array_equal(layer.data, np.digitize(coins, wanted, right=True))


def test_typed_value_is_taken_instead_of_the_automatic_one(bench):
    bench.form.fields().set_value("value", 140.0)
    bench.settle()
    assert bench.form.fields().values()["method"] == "manual"
    assert bench.plot.values == (140,)
    assert np.array_equal(bench.preview(), coins > 140)
    bench.form.fields().set_value("method", "li")
    bench.settle()
    assert bench.plot.values == (bench.plot.marked["li"],)


def noisy():
    """A bright square in noise that gives hundreds of specks."""
    image = np.random.default_rng(3).normal(100, 40, (120, 130))
    image[40:80, 45:90] += 70
    return np.clip(image, 0, 255).astype(np.uint8)


def test_specks_go_live_with_smoothing_and_a_smallest_size(viewer_model, qtbot):
    bench = Bench(viewer_model, qtbot, noisy(), scale=(0.5, 0.5), units=("um", "um"))
    counts = [ndi.label(bench.preview())[1]]
    line = bench.form.plot.values
    for name, value in (("sigma", 0.5), ("smallest", 20.0)):
        bench.form.cleaning.set_value(name, value)
        bench.settle()
        counts.append(ndi.label(bench.preview())[1])
    assert counts[0] > 200
    assert counts[0] > counts[1] > counts[2] == 1
    assert bench.form.plot.values != line, "Otsu's value is that of the smoothed image"
    shown = bench.preview()
    bench.click(bench.form.run)
    bench.settle()
    np.testing.assert_array_equal(np.asarray(bench.result().data) > 0, shown)
    parameters = bench.panel.record["parameters"]
    assert (parameters["sigma"], parameters["smallest"]) == (0.5, 20.0)


def test_grey_values_of_whole_numbers_are_whole(viewer_model, qtbot):
    bench = Bench(viewer_model, qtbot, noisy())
    bench.form.choose("threshold", method="li")
    bench.settle()
    exact = filters.threshold_li(noisy())
    assert exact != int(exact)
    np.testing.assert_array_equal(bench.preview(), noisy() > exact)
    bench.drag(bench.form.plot.values[0], 140.3)
    bench.settle()
    value = bench.form.fields().values()["value"]
    assert value == int(value)
    np.testing.assert_array_equal(bench.preview(), noisy() > value)
    fractions = viewer_model.add_image(noisy() / 7.0, name="fractions", rgb=False)
    bench.form.inputs.image.choose(fractions)
    bench.settle()
    bench.form.choose("threshold", method="manual", value=15.25)
    assert bench.form.fields().values()["value"] == 15.25


def test_dark_objects_are_the_other_part(bench):
    bench.choose(bench.form.objects, "dark")
    assert np.array_equal(bench.preview(), coins <= filters.threshold_otsu(coins))


@pytest.mark.parametrize("kind", ["threshold_between", "threshold_hysteresis"])
def test_two_lines_are_dragged_one_by_one(bench, kind):
    bench.choose(bench.form.kind, kind)
    low, high = filters.threshold_multiotsu(coins)
    assert bench.plot.values == (low, high)
    bench.drag(high, 200)
    bench.drag(low, 40)
    bench.settle()
    low, high = bench.plot.values
    assert (low, high) == (pytest.approx(40, abs=2), pytest.approx(200, abs=2))
    expected = (
        (low < coins) & (high >= coins)
        if kind == "threshold_between"
        else filters.apply_hysteresis_threshold(coins, low, high)
    )
    assert np.array_equal(bench.preview(), expected)


def test_lines_that_pass_each_other_stay_in_order(bench):
    bench.choose(bench.form.kind, "threshold_between")
    low, high = bench.plot.values
    bench.drag(low, high + 40)
    bench.settle()
    values = bench.form.fields().values()
    assert values["low"] == pytest.approx(high)
    assert values["high"] == pytest.approx(high + 40, abs=2)


def test_as_many_classes_as_asked_for_are_shown(bench):
    bench.choose(bench.form.kind, "multi_otsu")
    bench.form.fields().set_value("classes", 4)
    bench.settle()
    values = filters.threshold_multiotsu(coins, 4)
    assert bench.plot.values == tuple(values)
    assert bench.form.values.text() == f"Classes end at {', '.join(f'{v:g}' for v in values)}."
    (layer,) = bench.panel.preview.layers
    assert np.array_equal(layer.data, np.digitize(coins, values, right=True))


@pytest.mark.parametrize("kind", ["threshold_local", "sauvola", "niblack"])
def test_local_methods_have_a_live_mask_and_no_line(bench, kind):
    bench.choose(bench.form.kind, kind)
    assert bench.plot.values == ()
    expected = run(kind, {"image": bench.form.inputs.main_image()}, {"objects": "light"})
    assert np.array_equal(bench.preview(), expected.image("mask").array)


def test_histogram_follows_the_slice_and_comes_back_at_once(viewer_model, qtbot):
    image = stack()
    bench = Bench(viewer_model, qtbot, image, axis_labels=("z", "y", "x"))
    assert bench.plot.values == (filters.threshold_otsu(image),)
    bench.choose(bench.form.scope, "slice")
    for z in (3, 1):
        viewer_model.dims.set_point(0, z)
        bench.settle()
        value = filters.threshold_otsu(image[z])
        assert bench.plot.values == (value,)
        assert np.array_equal(bench.preview().squeeze(), image[z] > value)
    found = bench.panel.counted
    assert found.is_complete
    for z in (2, 1):
        viewer_model.dims.set_point(0, z)
        bench.settle()
    assert bench.panel.counted is found


@pytest.mark.parametrize("is_lazy", [False, True])
def test_value_of_a_series_is_found_in_all_of_it(viewer_model, qtbot, is_lazy):
    image = stack(n_times=3)
    shown = dask.array.from_array(image, chunks=(1, 2, 30, 32)) if is_lazy else image
    bench = Bench(viewer_model, qtbot, shown, axis_labels=("t", "z", "y", "x"))
    viewer_model.dims.set_point(0, 2)
    bench.settle()
    assert bench.plot.values == (filters.threshold_otsu(image[2]),)
    bench.choose(bench.form.scope, "series")
    value = filters.threshold_otsu(image)
    assert bench.plot.values == (value,)
    bench.choose(bench.form.apply_to, "all")
    bench.apply()
    assert np.array_equal(np.asarray(bench.result().data) > 0, image > value)
    assert "for the whole series" in bench.status


@pytest.mark.parametrize("part", ["slice", "time", "all"])
def test_apply_makes_a_layer_of_what_is_asked_for(viewer_model, qtbot, part):
    image = stack(n_times=2)
    bench = Bench(viewer_model, qtbot, image, axis_labels=("t", "z", "y", "x"))
    viewer_model.dims.set_point(0, 1)
    viewer_model.dims.set_point(1, 2)
    bench.settle()
    bench.choose(bench.form.apply_to, part)
    bench.apply()
    values = [filters.threshold_otsu(volume) for volume in image]
    masks = np.stack([volume > value for volume, value in zip(image, values, strict=True)])
    expected = {"slice": masks[1:2, 2:3], "time": masks[1:2], "all": masks}[part]
    found = np.asarray(bench.result().data) > 0
    assert np.array_equal(found.reshape(expected.shape), expected)
    assert f"{values[1]:.6g}" in bench.status


def test_result_takes_the_place_of_the_preview(bench):
    bench.apply()
    assert bench.panel.preview.layers == ()
    assert np.array_equal(
        np.asarray(bench.result().data) > 0, coins > filters.threshold_otsu(coins)
    )
    bench.drag(bench.plot.values[0], 160)
    bench.settle()
    assert len(bench.panel.preview.layers) == 1


def test_preview_is_taken_away_when_it_is_switched_off(bench):
    bench.click(bench.form.follow)
    bench.settle()
    assert [layer.name for layer in bench.viewer.layers] == ["coins"]


def test_channels_have_histograms_of_their_own(viewer_model, qtbot):
    picture = data.astronaut()[:120, :100]
    bench = Bench(viewer_model, qtbot, picture, rgb=True)
    boxes = bench.form.inputs.channels
    assert [choice.name for choice in boxes.choices()] == ["Red"]
    assert bench.plot.values == (filters.threshold_otsu(picture[..., 0]),)
    bench.qtbot.mouseClick(boxes._boxes[2], Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
    bench.settle()
    assert [choice.name for choice in boxes.choices()] == ["Blue"]
    assert bench.plot.values == (filters.threshold_otsu(picture[..., 2]),)


def test_pictures_of_all_methods_are_compared_and_one_is_picked(bench):
    bench.click(bench.form.compare)
    bench.settle()
    sheet = bench.panel.comparison.sheet
    titles = [button.text() for button in sheet.buttons]
    assert len(titles) == 7 + 3 + 3 + 2
    assert titles[0] == f"Otsu, {filters.threshold_otsu(coins)}"
    bench.qtbot.mouseClick(sheet.buttons[titles.index("Local, median")], Qt.MouseButton.LeftButton)
    bench.settle()
    assert "Click" not in bench.form.status.text()
    assert bench.form.kind_name() == "threshold_local"
    assert bench.form.parameters()["method"] == "median"
    expected = filters.threshold_local(coins, 35, "median")
    assert np.array_equal(bench.preview(), expected < coins)
    sheet.close()


def test_saved_recipe_repeats_the_mask(bench, tmp_path):
    bench.drag(bench.plot.values[0], 150)
    bench.settle()
    bench.apply()
    bench.panel.save_recipe(tmp_path / "mask.yaml")
    again = replay(load_recipe(tmp_path / "mask.yaml"), bench.form.inputs.main_image())
    assert np.array_equal(again.image("mask").array, np.asarray(bench.result().data) > 0)
    assert bench.status.startswith("Saved mask.yaml.")


def test_method_without_a_value_says_why(viewer_model, qtbot):
    ramp = np.arange(3000, dtype=np.uint16).reshape(50, 60)
    bench = Bench(viewer_model, qtbot, ramp)
    assert "minimum" not in bench.plot.marked
    bench.form.fields().set_value("method", "minimum")
    bench.settle()
    assert "two peaks" in bench.form.values.text()
    assert bench.panel.preview.layers == ()


def test_constant_image_has_a_histogram_and_no_values(viewer_model, qtbot):
    bench = Bench(viewer_model, qtbot, np.full((20, 30), 7, np.uint8))
    assert bench.plot.marked == {}
    assert bench.plot.values == ()
    assert "constant" in bench.form.values.text()


def test_voxels_that_change_are_counted_again(bench):
    bench.image.data = 255 - coins
    bench.settle()
    assert bench.plot.values == (filters.threshold_otsu(255 - coins),)


def test_without_an_image_there_is_nothing_to_do(viewer_model, qtbot):
    panel = ThresholdPanel(viewer_model)
    qtbot.addWidget(panel)
    panel.show()
    qtbot.wait(80)
    assert not panel.form.run.isEnabled()
    layer = viewer_model.add_image(coins, name="late")
    qtbot.waitUntil(lambda: panel.counted is not None, timeout=5000)
    assert panel.form.run.isEnabled()
    viewer_model.layers.remove(layer)
    qtbot.wait(80)
    assert not panel.form.run.isEnabled()


def test_narrow_bars_are_drawn_together_as_far_as_they_are_in_view(viewer_model, qtbot):
    image = np.random.default_rng(0).integers(0, 60000, (90, 100), dtype=np.uint16)
    bench = Bench(viewer_model, qtbot, image, settle=False)
    # Before the method that takes longest is done.
    qtbot.waitUntil(lambda: bench.panel.counted is not None, timeout=5000)
    plot = bench.plot
    for low, high in [(0, 60000), (20000, 20400), (30000, 34000)]:
        plot.setXRange(low, high, padding=0)
        edges, heights = plot._curve.getData()
        expected, _ = np.histogram(image, edges)
        assert 100 < len(heights) <= 601
        assert edges[0] <= max(low, image.min())
        assert edges[-1] >= min(high, image.max())
        top = np.log1p(expected.max())
        assert heights == pytest.approx(0.5 * np.log1p(expected) / top)


def test_counts_are_drawn_by_their_logarithm_or_as_they_are(bench):
    def heights():
        return bench.plot._curve.getData()[1]

    counts = np.bincount(coins.ravel())[coins.min() :]
    bench.plot.setXRange(coins.min(), coins.max())
    assert heights() == pytest.approx(0.5 * np.log(1 + counts) / np.log(1 + counts.max()))
    bench.click(bench.form.log)
    assert heights() == pytest.approx(0.5 * counts / counts.max())


def test_other_layers_are_no_channels(bench):
    bench.viewer.add_image(coins, name="coins again")
    assert [choice.name for choice in bench.form.inputs.channels.all_choices()] == ["coins"]
    assert not bench.form.inputs.channels.isVisible()
