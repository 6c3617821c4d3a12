"""What the panel shows, the command line gives again: bit for bit."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from seeded_window import SeededWindow, ball

from napari_seedbed.gui.forms.save_dialogs import SaveDialog
from napari_seedbed.pipeline.cli import main
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.files import read_image, write_image

pytestmark = pytest.mark.display


def replay(recipe, image, folder):
    """Labels that the command line writes."""
    assert main(["run", str(recipe), str(image), "-o", str(folder)]) == 0
    summary = json.loads((folder / "summary.json").read_text())
    assert len(summary["inputs"]) == 1
    (labels,) = folder.glob("*labels.ome.tif")
    return tifffile.imread(labels)


def save(window, path):
    """Save the recipe as the button does once a file is chosen, and wait for it."""
    window.panel.save_recipe(path)
    window.qtbot.waitUntil(path.exists, timeout=30000)


def test_saved_recipe_gives_the_same_labels_on_the_command_line(
    make_napari_viewer, qtbot, tmp_path
):
    file = tmp_path / "cells.ome.tif"
    array, _ = ball()
    write_image(file, Image(array, ("z", "y", "x"), (2.0, 0.5, 0.5), ("micrometer",) * 3))
    window = SeededWindow(
        make_napari_viewer, qtbot, array, scale=(2.0, 0.5, 0.5), units=("um",) * 3
    )
    window.seed_by_program()
    save(window, tmp_path / "cells.yaml")
    shown = window.result.data
    again = replay(tmp_path / "cells.yaml", file, tmp_path / "out")
    np.testing.assert_array_equal(np.squeeze(again), shown)


def test_file_dialog_leads_to_the_file(make_napari_viewer, qtbot, tmp_path, monkeypatch):
    window = SeededWindow(make_napari_viewer, qtbot)
    window.seed_by_program()
    offered = []

    def choose(dialog):
        offered.append(Path(dialog.selectedFiles()[0]).name)
        dialog.selectFile(str(tmp_path / "mine"))
        return True

    monkeypatch.setattr(SaveDialog, "exec", choose)
    window.form.save_recipe.click()
    qtbot.waitUntil((tmp_path / "mine.yaml").exists, timeout=30000)
    assert offered == ["cells_seeded_segmentation.yaml"]
    assert "seedbed run mine.yaml" in window.status


def test_two_channels_opened_from_a_file(make_napari_viewer, qtbot, tmp_path):
    file = tmp_path / "two.ome.tif"
    array, _ = ball()
    other = np.random.default_rng(3).integers(0, 2000, array.shape, dtype=np.uint16)
    write_image(file, Image(np.stack([array, other]), ("c", "z", "y", "x"), (2.0, 0.5, 0.5)))
    viewer_image = read_image(file)
    window = SeededWindow(
        make_napari_viewer,
        qtbot,
        viewer_image.array,
        axis_labels=viewer_image.axes,
        scale=(1.0, 2.0, 0.5, 0.5),
    )
    window.form.channels._boxes[1].setChecked(False)
    seeds = window.new_seeds()
    assert seeds.data.shape == array.shape
    window.seed_by_program()
    save(window, tmp_path / "first.yaml")
    again = replay(tmp_path / "first.yaml", file, tmp_path / "out")
    np.testing.assert_array_equal(np.squeeze(again), np.squeeze(window.result.data))


def series():
    """Three time points of a ball that moves, (t, z, y, x)."""
    return np.stack([ball(centre=(10, 16, x))[0] for x in (12, 16, 20)])


def mark(seeds, t, x):
    z, y, xs = np.mgrid[9:12, 14:19, x - 2 : x + 3].reshape(3, -1)
    seeds.data_setitem((np.full(z.size, t), z, y, xs), 1)
    z, y, xs = np.mgrid[9:12, 1:31, 1:3].reshape(3, -1)
    seeds.data_setitem((np.full(z.size, t), z, y, xs), 2)


@pytest.fixture
def movie(make_napari_viewer, qtbot):
    window = SeededWindow(
        make_napari_viewer,
        qtbot,
        series(),
        axis_labels=("t", "z", "y", "x"),
        scale=(1, 2.0, 0.5, 0.5),
    )
    qtbot.mouseClick(window.form.new_seeds, _left())
    return window


def _left():
    from qtpy.QtCore import Qt

    return Qt.MouseButton.LeftButton


def test_time_points_are_solved_one_after_the_other_and_kept(movie):
    assert movie.form.times.isVisibleTo(movie.form)
    movie.viewer.dims.set_point(0, 0)
    mark(movie.seeds, 0, 12)
    movie.wait_final()
    first = movie.result.data.copy()
    assert first[0].any()
    assert not first[1:].any()
    movie.viewer.dims.set_point(0, 2)
    mark(movie.seeds, 2, 20)
    movie.wait_final()
    both = movie.result.data
    np.testing.assert_array_equal(both[0], first[0])
    assert both[2].any()
    assert not both[1].any()


def test_time_points_without_seeds_say_so_and_those_with_seeds_are_segmented(movie):
    movie.viewer.dims.set_point(0, 0)
    mark(movie.seeds, 0, 12)
    movie.wait_final()
    movie.viewer.dims.set_point(0, 1)
    movie.qtbot.waitUntil(lambda: "No seeds at this time point" in movie.status)
    movie.viewer.dims.set_point(0, 0)
    movie.qtbot.waitUntil(lambda: movie.status.startswith("Up to date"))
    assert movie.panel.session.is_final
    # marked from elsewhere, with nobody looking there
    movie.form.live.setChecked(False)
    mark(movie.seeds, 2, 20)
    movie.panel.seeds.look_if_due()
    movie.form.live.setChecked(True)
    movie.wait_final()
    assert not movie.result.data[2].any()
    movie.viewer.dims.set_point(0, 2)
    movie.qtbot.waitUntil(lambda: movie.result.data[2].any(), timeout=30000)


def test_all_time_points_with_seeds_at_once(movie, tmp_path):
    movie.form.live.setChecked(False)
    movie.form.times.setCurrentIndex(1)
    mark(movie.seeds, 0, 12)
    mark(movie.seeds, 1, 16)
    movie.viewer.dims.set_point(0, 2)
    movie.form.run.click()
    movie.wait_final()
    # what is on screen is empty, however recent it is
    assert movie.status.startswith("No seeds at this time point yet")
    movie.viewer.dims.set_point(0, 1)
    movie.qtbot.waitUntil(lambda: movie.status.startswith("Up to date"))
    mark(movie.seeds, 1, 20)
    movie.panel.seeds.look()
    movie.viewer.dims.set_point(0, 2)
    movie.qtbot.waitUntil(lambda: movie.status.startswith("No seeds at this time point yet"))
    movie.viewer.dims.set_point(0, 1)
    movie.qtbot.waitUntil(lambda: movie.status.startswith("1 stroke since the last run"))
    movie.form.run.click()
    movie.wait_final()
    data = movie.result.data
    assert data[0].any()
    assert data[1].any()
    assert not data[2].any()
    record = movie.result.metadata["napari_seedbed"]
    assert (record["times"], record["skipped_times"]) == ([0, 1], [2])


def test_series_recipe_gives_the_same_labels(movie, tmp_path):
    file = tmp_path / "movie.ome.tif"
    write_image(file, Image(series(), ("t", "z", "y", "x"), (2.0, 0.5, 0.5)))
    movie.viewer.dims.set_point(0, 1)
    mark(movie.seeds, 1, 16)
    save(movie, tmp_path / "movie.yaml")
    again = replay(tmp_path / "movie.yaml", file, tmp_path / "out")
    np.testing.assert_array_equal(np.squeeze(again), movie.result.data)
