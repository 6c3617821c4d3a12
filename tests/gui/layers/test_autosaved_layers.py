"""What of a layer autosave writes."""

import numpy as np
from napari.components import ViewerModel

from napari_seedbed.gui.layers.autosaved_layers import painted_box


def test_the_box_of_a_paint_event_holds_all_that_it_wrote(rng):
    layer = ViewerModel().add_labels(np.zeros((12, 40, 50), np.int32))
    layer.n_edit_dimensions = 3
    found = []
    layer.events.paint.connect(lambda event: found.append(list(event.value)))
    for nth in range(30):
        before = layer.data.copy()
        place = tuple(int(n) for n in rng.integers(0, layer.data.shape))
        with layer.block_history():
            if nth % 3 == 0:
                layer.brush_size = int(rng.integers(1, 30))
                layer.paint(place, nth + 1)
                layer.brush_size = 3
                layer.paint((0, 0, 0), nth + 1)
            elif nth % 3 == 1:
                where = tuple(rng.integers(0, n, 6) for n in layer.data.shape)
                layer.data_setitem(where, nth + 1)
            else:
                layer.fill(place, nth + 1)
        (atoms,) = found
        found.clear()
        box = painted_box(atoms, layer.data.shape)
        changed = np.argwhere(layer.data != before)
        assert box is not None
        assert all(side.start <= changed[:, i].min() for i, side in enumerate(box))
        assert all(side.stop > changed[:, i].max() for i, side in enumerate(box))
