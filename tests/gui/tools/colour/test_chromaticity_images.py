"""The chromaticity panel on volumes, series, separate channels and large images."""

import numpy as np
import pytest
from colour_window import LEFT, ColourBench, agrees, two_colours
from napari.layers import Labels
from snakes_window import Heartbeat

from bounds import bound


def test_volume_previews_its_slice_and_runs_on_all_of_it(viewer_model, qtbot):
    bench = ColourBench(viewer_model, qtbot, two_colours((5, 40, 60)), scale=(2, 1, 1))
    bench.viewer.dims.set_point(0, 4.0)
    bench.wait()
    bench.add_patch(10, 4)
    bench.form.threshold.set_value(0.02)
    bench.wait()
    assert agrees(np.squeeze(bench.preview().data), LEFT)
    bench.form.apply_to.setCurrentIndex(bench.form.apply_to.findData("slice"))
    bench.run()
    (part,) = bench.layers("mask, z 2")
    assert part.data.size == 40 * 60
    bench.form.apply_to.setCurrentIndex(bench.form.apply_to.findData("all"))
    bench.run()
    (mask,) = [layer for layer in bench.layers("mask") if layer is not part]
    assert mask.data.shape == (5, 40, 60)
    np.testing.assert_array_equal(mask.data[2], np.squeeze(part.data))


def test_histogram_counts_the_slice_or_the_volume(viewer_model, qtbot):
    bench = ColourBench(viewer_model, qtbot, two_colours((5, 40, 60)))
    assert bench.panel.shown.histogram.total == 40 * 60
    bench.form.extent.setCurrentIndex(1)
    bench.wait()
    assert bench.panel.shown.histogram.total == 5 * 40 * 60


def test_colours_of_a_patch_on_one_frame_are_found_in_the_whole_series(viewer_model, qtbot):
    film = two_colours((4, 40, 60))
    bench = ColourBench(viewer_model, qtbot, film, axis_labels=("t", "y", "x"))
    bench.viewer.dims.set_point(0, 2)
    bench.add_patch(10, 4)
    bench.form.threshold.set_value(0.02)
    bench.run()
    (mask,) = bench.layers("mask")
    assert mask.data.shape == (4, 40, 60)
    assert all(agrees(frame, LEFT) for frame in mask.data)


def test_separate_channels_count_as_colours(viewer_model, qtbot):
    colours = np.moveaxis(two_colours(), -1, 0)
    stack = np.concatenate([colours, 255 - colours[:1]]).astype(np.uint16)
    bench = ColourBench(viewer_model, qtbot, stack, rgb=False, axis_labels=("c", "y", "x"))
    assert bench.form.pair.first.count() == 4
    marks = Labels(np.zeros((40, 60), np.int32), name="strokes")
    marks.data[5:15, 5:15] = 1
    bench.viewer.add_layer(marks)
    bench.form.patches.choose(marks)
    bench.form.threshold.set_value(0.001)
    bench.wait()
    found = np.squeeze(np.asarray(bench.preview().data)) > 0
    assert found[:, :30].mean() > 0.8
    assert not found[:, 30:].any()


def test_one_channel_is_told_and_not_run(viewer_model, qtbot):
    bench = ColourBench(viewer_model, qtbot, two_colours()[..., 0], rgb=False)
    assert "two channels" in bench.status
    assert not bench.form.run.isEnabled()


@pytest.mark.timing
def test_window_lives_while_a_large_image_is_worked_on(viewer_model, qtbot):
    bench = ColourBench(viewer_model, qtbot, two_colours((2048, 2048)))
    with Heartbeat() as beat:
        bench.add_patch(300, 300, size=200)
        for threshold in (0.1, 0.3, 0.5):
            bench.form.threshold.set_value(threshold)
            qtbot.wait(30)
        bench.wait()
    assert bench.preview() is not None
    assert beat.stuck < bound(0.5)
