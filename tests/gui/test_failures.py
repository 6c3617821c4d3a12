"""Each thing that can go wrong gives one clear message in the window, and no seed is lost."""

import errno
import time

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from seeded_window import SeededWindow, ball

from bounds import bound
from napari_seedbed.core.progress import check_stop
from napari_seedbed.errors import Cancelled, FileError, InputError, MemoryForecastError
from napari_seedbed.gui.qt import errors
from napari_seedbed.pipeline import operations
from napari_seedbed.pipeline.data import memory

pytestmark = pytest.mark.display


@pytest.fixture
def window(make_napari_viewer, qtbot):
    made = SeededWindow(make_napari_viewer, qtbot)
    notification_manager.records.clear()
    return made


def messages():
    """What popped up in the window; napari's own remark on mixed units is not ours."""
    found = [str(record.message) for record in notification_manager.records]
    return [message for message in found if "Inconsistent units" not in message]


def slow_run(monkeypatch):
    """Make runs last until they are cancelled."""
    started = []

    def run(*args, **options):
        started.append(1)
        while True:
            check_stop()
            time.sleep(0.002)

    monkeypatch.setattr(operations, "run", run)
    return started


def press_run(window):
    """Run and wait for the end, whichever it is."""
    window.form.run.click()
    window.wait_idle()


def expect_one_message(window, *words):
    """One popup, the same text in the status line, and the seeds as they were."""
    found = messages()
    assert len(found) == 1, found
    for word in words:
        assert word in found[0]
    assert window.status == found[0]


# Seeds


def test_no_seeds_layer(window):
    assert not window.form.run.isEnabled()
    window.panel.run()
    window.wait_idle()
    expect_one_message(window, "New seeds")


def test_empty_seeds(window):
    window.new_seeds()
    press_run(window)
    expect_one_message(window, "No seeds yet")


def test_one_label_only(window):
    seeds = window.new_seeds()
    window.form.live.setChecked(False)
    seeds.data_setitem((np.array([10]), np.array([16]), np.array([16])), 1)
    press_run(window)
    expect_one_message(window, "Only one label", "background")
    assert seeds.data[10, 16, 16] == 1


def test_one_label_only_is_a_quiet_hint_while_drawing(window):
    seeds = window.new_seeds()
    seeds.data_setitem((np.array([10]), np.array([16]), np.array([16])), 1)
    window.qtbot.waitUntil(lambda: "Only one label" in window.status)
    assert messages() == []


def test_seeds_of_another_shape_beside_the_image(window):
    far = window.viewer.add_labels(
        np.ones((4, 4, 4), int), translate=(900, 900, 900), units=window.image.units
    )
    window.form.seeds.choose(far)
    press_run(window)
    expect_one_message(window, "check the scale")
    assert far.data.all()


def test_seeds_with_too_few_axes(window):
    flat = window.viewer.add_labels(np.eye(8, dtype=int))
    window.form.seeds.choose(flat)
    press_run(window)
    expect_one_message(window, "axes")


# The image


@pytest.mark.parametrize(
    ("spoil", "word"),
    [(lambda a: np.where(a > 1900, np.nan, a), "NaN"), (lambda a: a * np.inf, "infinite")],
)
def test_not_finite_image(window, spoil, word):
    window.image.data = spoil(window.image.data.astype(float))
    window.form.live.setChecked(False)
    seeds = window.seed_by_program()
    kept = seeds.data.copy()
    press_run(window)
    expect_one_message(window, word)
    np.testing.assert_array_equal(seeds.data, kept)


def test_error_while_drawing_pops_up_once_not_at_each_stroke(window):
    window.image.data = np.full(window.image.data.shape, np.nan)
    seeds = window.seed_by_program()
    window.qtbot.waitUntil(lambda: bool(messages()))
    for x in (5, 6, 7):
        seeds.data_setitem((np.array([3]), np.array([3]), np.array([x])), 2)
        window.panel.seeds.look_if_due()
        window.qtbot.wait(100)
    window.wait_idle()
    expect_one_message(window, "NaN")


def test_complex_image(make_napari_viewer, qtbot):
    window = SeededWindow(make_napari_viewer, qtbot, ball()[0].astype(float))
    window.form.live.setChecked(False)
    window.seed_by_program()
    notification_manager.records.clear()
    window.image._data = window.image.data * 1j  # as some loaders give; napari cannot draw it
    window.panel.images.look_again()
    press_run(window)
    expect_one_message(window, "complex")


def test_constant_image_is_split_by_distance(window):
    window.image.data = np.full(window.image.data.shape, 7, np.uint16)
    window.seed_by_program()
    window.wait_final()
    assert messages() == []
    assert window.result.data[10, 16, 18] == 1
    assert window.result.data[10, 16, 4] == 2


def test_image_with_a_one_pixel_axis(make_napari_viewer, qtbot):
    window = SeededWindow(make_napari_viewer, qtbot, ball()[0][10:11])
    seeds = window.new_seeds()
    seeds.data_setitem((np.zeros(5, int), np.full(5, 16), np.arange(14, 19)), 1)
    seeds.data_setitem((np.zeros(30, int), np.full(30, 1), np.arange(30)), 2)
    window.wait_final()
    assert 300 < np.count_nonzero(window.result.data == 1) < 330  # pi * 10^2, up to the border


def test_image_with_unclear_axes_says_what_to_do(make_napari_viewer, qtbot):
    window = SeededWindow(make_napari_viewer, qtbot, np.zeros((2, 3, 8, 8)))
    notification_manager.records.clear()
    window.panel.make_seeds()
    expect_one_message(window, "Label the time axis 't'")


# Layers and windows that go away during a run


@pytest.mark.parametrize("which", ["image", "seeds"])
def test_layer_removed_during_a_run(window, monkeypatch, which):
    seeds = window.seed_by_program()
    window.wait_final()
    kept = seeds.data.copy()
    started = slow_run(monkeypatch)
    window.form.run.click()
    window.qtbot.waitUntil(lambda: bool(started))
    layer = window.image if which == "image" else seeds
    window.viewer.layers.remove(layer)
    window.qtbot.waitUntil(lambda: bool(messages()))
    expect_one_message(window, layer.name, "removed")
    window.qtbot.waitUntil(lambda: not window.panel.session.is_running)
    np.testing.assert_array_equal(seeds.data, kept)


def test_result_removed_during_a_run_comes_back_with_it(window):
    window.seed_by_program()
    window.wait_final()
    window.form.run.click()
    window.viewer.layers.remove(window.result)
    window.wait_final()
    np.testing.assert_array_equal(window.result.data, window.expected())
    assert messages() == []


def test_layers_renamed_during_a_run(window):
    window.seed_by_program()
    window.wait_final()
    result = window.result
    window.form.run.click()
    window.image.name, window.seeds.name, result.name = "a", "b", "c"
    window.wait_final()
    assert window.form.image.currentText() == "a"
    assert window.form.seeds.currentText() == "b"
    assert window.result is result
    assert result.name == "c"
    assert messages() == []


@pytest.mark.timing
def test_viewer_closed_during_a_run(make_napari_viewer, qtbot, monkeypatch):
    window = SeededWindow(make_napari_viewer, qtbot)
    window.seed_by_program()
    started = slow_run(monkeypatch)
    window.form.run.click()
    qtbot.waitUntil(lambda: bool(started))
    notification_manager.records.clear()
    began = time.monotonic()
    window.viewer.close()
    assert time.monotonic() - began < bound(3)
    qtbot.waitUntil(lambda: not window.panel.session.is_running)
    assert messages() == []


def test_dock_closed_during_a_run(window, monkeypatch):
    window.seed_by_program()
    started = slow_run(monkeypatch)
    window.form.run.click()
    window.qtbot.waitUntil(lambda: bool(started))
    session = window.panel.session
    window.viewer.window.remove_dock_widget(window.panel)
    window.panel.deleteLater()
    window.qtbot.waitUntil(lambda: not session.is_busy)
    assert messages() == []


# Machine


def test_too_little_memory_is_said_before_anything_is_computed(
    make_napari_viewer, qtbot, monkeypatch
):
    # From the start: a window that opens prepares its image at once.
    monkeypatch.setattr(memory, "available_memory", lambda: 1000)
    window = SeededWindow(make_napari_viewer, qtbot)
    notification_manager.records.clear()
    window.form.live.setChecked(False)
    window.seed_by_program()
    window.wait_idle()
    assert messages() == []
    press_run(window)
    expect_one_message(window, "memory and only 1.0 kB are free")
    assert window.result is None


def test_too_little_memory_for_more_labels_than_the_image_was_prepared_for(window, monkeypatch):
    window.form.live.setChecked(False)
    seeds = window.seed_by_program()
    window.wait_idle()
    press_run(window)
    shown = window.result.data.copy()
    z, y, x = np.mgrid[0:20, 0:20, 31:32].reshape(3, -1)
    seeds.data_setitem((z, y, x), 3 + np.arange(len(z)))
    monkeypatch.setattr(memory, "available_memory", lambda: 1000)
    press_run(window)
    expect_one_message(window, "memory and only 1.0 kB are free")
    np.testing.assert_array_equal(window.result.data, shown)


def test_memory_that_runs_out_during_a_run(window, monkeypatch):
    window.form.live.setChecked(False)
    seeds = window.seed_by_program()

    def run(*args, **options):
        raise MemoryError

    monkeypatch.setattr(operations, "run", run)
    kept = seeds.data.copy()
    press_run(window)
    expect_one_message(window, "not enough memory", "seeds are untouched")
    np.testing.assert_array_equal(seeds.data, kept)


def test_full_disk_when_a_recipe_is_saved(window, monkeypatch, tmp_path):
    window.seed_by_program()
    window.wait_final()

    def full(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    monkeypatch.setattr("pathlib.Path.replace", full)
    window.panel.save_recipe(tmp_path / "mine.yaml")
    window.qtbot.waitUntil(lambda: bool(messages()))
    expect_one_message(window, "full")
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_not_there_when_a_recipe_is_saved(window, tmp_path):
    window.seed_by_program()
    window.wait_final()
    window.panel.save_recipe(tmp_path / "gone" / "mine.yaml")
    window.qtbot.waitUntil(lambda: bool(messages()))
    assert len(messages()) == 1


# The one place that turns errors into messages


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InputError("beta must be positive."), "beta must be positive."),
        (FileError("The file is cut off."), "The file is cut off."),
        (MemoryForecastError("needs 9 GB"), "needs 9 GB"),
        (MemoryError(), "not enough memory"),
        (OSError(errno.ENOSPC, "x", "a.tif"), "disk is full"),
        (PermissionError(errno.EACCES, "x", "a.tif"), "No permission"),
        (OSError(errno.EIO, "Input/output error", "a.tif"), "Input/output error"),
        (KeyError("beta"), "KeyError"),
    ],
)
def test_message_is_plain(error, words):
    assert words in errors.message_of(error)


def test_cancelling_is_no_error():
    notification_manager.records.clear()
    errors.show(Cancelled("stopped"))
    assert messages() == []


def test_bug_is_shown_with_its_traceback():
    notification_manager.records.clear()
    errors.show(KeyError("bug"))
    assert notification_manager.records[0].exception.args == ("bug",)
