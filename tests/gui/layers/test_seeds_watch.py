"""Noticing that seeds changed, beside the window's thread."""

import threading

import numpy as np
from napari.layers import Labels

from napari_seedbed.gui.layers import seed_layers
from napari_seedbed.gui.layers.seeds_watch import SeedsWatch
from napari_seedbed.pipeline.data.row_digests import row_digests


def test_seeds_are_compared_beside_the_windows_thread(qtbot, monkeypatch):
    threads = []

    def noting(rows):
        threads.append(threading.current_thread())
        return row_digests(rows)

    monkeypatch.setattr(seed_layers, "row_digests", noting)
    layer, watch, changes = Labels(np.zeros((20, 30, 30), np.int32)), SeedsWatch(), []
    watch.watch(layer)
    watch.changed.connect(lambda: changes.append(watch.digest))
    threads.clear()
    layer.paint((5, 5, 5), 1)
    qtbot.waitUntil(lambda: len(changes) == 1, timeout=60000)
    layer.undo()
    qtbot.waitUntil(lambda: len(changes) == 2, timeout=60000)
    # sliders fire the same event
    seen = len(threads)
    layer.refresh()
    qtbot.waitUntil(lambda: len(threads) > seen and not watch.is_waiting, timeout=60000)
    assert len(changes) == 2
    assert threading.main_thread() not in threads
    # who asks knows at once, and nothing is told twice
    layer.paint((5, 5, 5), 2)
    assert watch.is_waiting
    watch.look_if_due()
    assert len(changes) == 3
    assert not watch.is_waiting
    qtbot.wait(300)
    assert len(set(changes)) == len(changes) == 3
