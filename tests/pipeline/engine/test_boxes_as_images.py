"""Arrays that are read box by box, as of results that are being written, as images of a run."""

import numpy as np
import pytest

from napari_seedbed.pipeline.data.box_views import BoxView
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.block_plans import Blocks
from napari_seedbed.pipeline.operations import run


class Boxes(BoxView):
    """Gives the voxels of an array, and knows nothing of chunks and names."""

    def __init__(self, array):
        super().__init__(array.shape, array.dtype)
        self._array = array

    def _read(self, bounds):
        return self._array[tuple(slice(*pair) for pair in bounds)]


@pytest.mark.parametrize("operation", ["invert", "threshold", "rescale_intensity"])
def test_statistics_are_those_of_the_voxels_now(tmp_path, rng, operation):
    for number, largest in enumerate((50, 200)):
        array = rng.uniform(0, largest, (20, 30, 40)).astype(np.float32)
        expected = run(operation, {"image": Image(array, ("z", "y", "x"))})
        given = {"image": Image(Boxes(array), ("z", "y", "x"))}
        at_once = run(operation, given)
        in_blocks = run(operation, given, blocks=Blocks(tmp_path / str(number), (10, 16, 16)))
        for found in (at_once, in_blocks):
            assert found.record == expected.record
            for name, image in expected.outputs.items():
                np.testing.assert_array_equal(found.outputs[name].array, image.array)
