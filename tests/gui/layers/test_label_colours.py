"""Colours of labels are made ready beside the window."""

import threading

from napari.utils.colormaps import DirectLabelColormap

from napari_seedbed.gui.layers.label_colours import prepare_colours


def test_first_look_up_of_a_colour_is_beside_the_window_and_once(qtbot, monkeypatch):
    threads = []
    look_up = DirectLabelColormap.map

    def noted(self, values):
        threads.append(threading.current_thread())
        return look_up(self, values)

    monkeypatch.setattr(DirectLabelColormap, "map", noted)
    prepare_colours.cache_clear()
    prepare_colours()
    prepare_colours()
    qtbot.waitUntil(lambda: len(threads) > 0, timeout=20_000)
    qtbot.wait(20)
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()
