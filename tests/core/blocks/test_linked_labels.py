"""Labels near each other found block by block, against `join_labels`."""

import numpy as np
import pytest
from cut_blocks import chunkings, parts

from napari_seedbed.core import join_labels
from napari_seedbed.core.blocks.linked_labels import link_halo, links_in_block, lowest_labels
from napari_seedbed.core.objects.label_lookup import counted, renumbered


@pytest.mark.parametrize("shape", [(40, 52), (11, 16, 19)], ids=["2D", "3D"])
def test_labels_linked_in_blocks_are_those_of_the_whole(rng, shape):
    spacing = (2.0, 1.0, 0.6)[-len(shape) :]
    image = np.where(rng.random(shape) < 0.02, rng.integers(1, 60, shape), 0)
    values, _ = counted(image)
    changed = set()
    for distance in (0.0, 1.0, 2.4):
        for connectivity in (1, None):
            expected = join_labels(image, distance, spacing, connectivity=connectivity)
            changed.add(len(np.unique(expected)))
            for block in chunkings(shape):
                halo = link_halo(distance, spacing)
                links = [
                    links_in_block(seen, distance, spacing, connectivity)
                    for seen, _ in parts(image, block, halo)
                ]
                lowest = lowest_labels(links, values.astype(np.int64))
                np.testing.assert_array_equal(renumbered(image, values, lowest), expected)
    assert len(changed) > 1
