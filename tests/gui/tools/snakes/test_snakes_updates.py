"""Snakes move on screen without keeping the window from its work, and stop when told to."""

import time

import numpy as np
import pytest
from snakes_window import Heartbeat, SnakesBench, SnakesWindow, circle, disc, on_slice

from bounds import bound
from napari_seedbed.gui.tools.snakes.gate import UPDATE_SECONDS


def pictures(bench):
    """Iterations of the states that are shown, and when each of them was."""
    shown = []
    bench.session.moved.connect(
        lambda moving: shown.append((moving.iteration, time.perf_counter()))
    )
    return shown


def twenty_discs():
    """A picture with 4 x 5 discs, and a circle around each."""
    tile = disc((48, 48), (24, 24), 11)[0]
    rings = [circle((24 + 48 * i, 24 + 48 * j), 14) for i in range(4) for j in range(5)]
    return np.tile(tile, (4, 5)), rings


def block(n):
    """A ball in a cube of n voxels, and labels to start from that lie within."""
    centre = (n / 2,) * 3
    image = disc((n,) * 3, centre, 0.35 * n, (1.0,) * 3, noise=0.1)[0]
    start = np.zeros((n,) * 3, np.int32)
    start[disc((n,) * 3, centre, 0.15 * n, (1.0,) * 3, noise=0)[1]] = 1
    return image, start


def volume_window(make_napari_viewer, qtbot, n):
    image, start = block(n)
    window = SnakesWindow(make_napari_viewer, qtbot, image)
    window.viewer.dims.set_point(0, n // 2)
    window.form.start.choose(window.viewer.add_labels(start, name="rough"))
    window.use("region_surface", extent="volume")
    window.choose(window.form.result, "labels")
    return window


def test_slowly_shows_every_state(viewer_model, qtbot):
    bench = SnakesBench(viewer_model, qtbot)
    bench.add_shapes(circle())
    bench.use("elastic_contour", max_num_iter=100, convergence=0.0)
    shown = pictures(bench)
    bench.form.slowly.setChecked(True)
    bench.run()
    assert [iteration for iteration, _ in shown] == list(range(10, 101, 10))
    times = [when for _, when in shown]
    assert np.diff(times).min() > 0.5 * UPDATE_SECONDS


def test_slowly_can_be_switched_while_it_runs(viewer_model, qtbot):
    bench = SnakesBench(viewer_model, qtbot)
    bench.add_shapes(circle())
    bench.use("elastic_contour", max_num_iter=20000, convergence=0.0)
    bench.form.slowly.setChecked(True)
    bench.click(bench.form.run)
    bench.wait_moved(30)
    bench.click(bench.form.slowly)
    bench.wait_idle()


@pytest.mark.timing
@pytest.mark.display
def test_twenty_contours_move_beside_the_window(make_napari_viewer, qtbot):
    image, rings = twenty_discs()
    window = SnakesWindow(make_napari_viewer, qtbot, image)
    window.add_shapes(*rings)
    window.use("elastic_contour", max_num_iter=20000, convergence=0.0)
    shown = pictures(window)
    qtbot.wait(300)
    with Heartbeat() as heartbeat:
        window.run()
    assert heartbeat.stuck < bound(0.5)
    assert 1 / bound(1) < rate(shown) < 16  # however fast or busy the machine is
    print(f"20 contours: {rate(shown):.0f} updates a second, longest gap {heartbeat.longest:.3f} s")


@pytest.mark.timing
@pytest.mark.display
def test_surface_of_two_million_voxels_moves_beside_the_window(make_napari_viewer, qtbot):
    window = volume_window(make_napari_viewer, qtbot, 128)
    shown = pictures(window)
    qtbot.wait(300)
    with Heartbeat() as heartbeat:
        window.run()
    assert heartbeat.stuck < bound(0.5)
    assert 1 / bound(1) < rate(shown) < 16  # however fast or busy the machine is
    print(f"128^3: {rate(shown):.0f} updates a second, longest gap {heartbeat.longest:.3f} s")


@pytest.mark.timing
@pytest.mark.display
def test_large_surface_stops_soon(make_napari_viewer, qtbot):
    window = volume_window(make_napari_viewer, qtbot, 256)
    window.click(window.form.run)
    window.wait_moved(3)
    seconds = stop(window)
    print(f"256^3: stopped after {seconds:.3f} s while moving")
    assert seconds < bound(1)
    window.click(window.form.run)
    qtbot.wait(300)
    seconds = stop(window)
    print(f"256^3: stopped after {seconds:.3f} s at its beginning")
    assert seconds < bound(1)


def stop(window):
    """Press Stop; seconds until nothing runs any more."""
    assert window.session.is_busy
    begin = time.perf_counter()
    window.click(window.form.cancel)
    window.wait_idle()
    return time.perf_counter() - begin


def rate(shown):
    """Pictures a second; the middle one of their gaps, as the first holds compiling."""
    return 1 / np.median(np.diff([when for _, when in shown]))


def test_pause_of_a_surface_holds_within_a_step(viewer_model, qtbot):
    bench = SnakesBench(viewer_model, qtbot, disc((20, 72, 80))[0])
    bench.add_shapes(on_slice(circle(radius=8), 10))
    bench.use("region_surface", extent="volume", max_num_iter=2000)
    bench.form.slowly.setChecked(True)
    bench.click(bench.form.run)
    bench.wait_moved(2)
    bench.click(bench.form.pause)
    bench.qtbot.wait(200)
    held = bench.iteration
    bench.qtbot.wait(200)
    assert bench.iteration == held
    bench.click(bench.form.cancel)
    bench.wait_idle()
