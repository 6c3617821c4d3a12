"""Every operation block by block: the voxels that it gives in memory, or a word why not."""

from pathlib import Path

import dask.array
import numpy as np
import pytest
from operation_cases import every
from operation_scenes import inputs_for, parameters_for, scene

from napari_seedbed.errors import InputError
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.data.tables import Table
from napari_seedbed.pipeline.engine.block_plans import Blocks
from napari_seedbed.pipeline.operations import run

BLOCKS = ((7, 16, 16), (20, 13, 40), (5, 40, 22))
"""Chunkings: of all axes, of the middle one alone, and of planes."""

ROUGHLY = {"bilateral": 1e-6, "non_local_means": 1e-5}
"""How far apart results may be, as a share of the largest value, where sums are rounded."""

ALIKE = {"seeded_watershed": 0.02}
"""The share of the voxels that may have another label, where the image is looked at in windows."""

NOT_IN_BLOCKS = {
    "seeded_segmentation": ("probabilities", "uncertainty", "second_label"),
    "edge_surface": ("shapes",),
    "region_surface": ("shapes",),
}
"""Outputs that an operation refuses in blocks."""

OF_REGIONS = ("edge_surface", "region_surface")
"""What these note is of regions in blocks, and of frames in memory."""


def series_of(inputs):
    """The same with two time points, the second one turned around, and lazy."""
    found = {}
    for role, given in inputs.items():
        if not isinstance(given, Image):
            found[role] = given
            continue
        axis = given.axes.index("z") + 1 if "z" in given.axes else 1
        array = np.stack([given.array, np.flip(given.array, axis - 1)])
        chunks = (1, *(max(1, n // 2 + 1) for n in array.shape[1:]))
        found[role] = Image(
            dask.array.from_array(array, chunks), ("t", *given.axes), given.spacing, name=given.name
        )
    return found


@every()
def test_voxels_are_those_of_memory(operation, tmp_path: Path):
    usual = parameters_for(operation)
    array = scene((20, 40, 22)).astype(np.uint16)
    one = inputs_for(operation, array, spacing=(2.0, 1.0, 1.0))
    flat = inputs_for(operation, array[10].astype(np.float32) / 7)
    refused = NOT_IN_BLOCKS.get(operation.name, ())
    everything = usual | dict.fromkeys(set(operation.extra_outputs) - set(refused), True)
    for output in refused:
        with pytest.raises(InputError, match=rf"^{output}: runs in blocks give labels only"):
            run(operation, one, {**usual, output: True}, blocks=Blocks(tmp_path, BLOCKS[0]))
    for number, (inputs, parameters, block) in enumerate(
        (
            (one, usual, BLOCKS[0]),
            (series_of(one), everything, BLOCKS[1]),
            (one, everything, BLOCKS[2]),
            (flat, usual, (16, 13)),
        )
    ):
        blocks = Blocks(tmp_path / str(number), block)
        blocks.folder.mkdir()
        if operation.halo is None and operation.in_blocks is None:
            with pytest.raises(InputError, match=r"cannot work in blocks .* pyramid, or crop"):
                run(operation, inputs, parameters, blocks=blocks)
            assert not list(blocks.folder.iterdir())
            return
        whole = run(operation, inputs, parameters)
        found = run(operation, inputs, parameters, blocks=blocks)
        assert found.outputs.keys() == whole.outputs.keys()
        share = ROUGHLY.get(operation.name, 0)
        for key, expected in whole.outputs.items():
            output = found.outputs[key]
            if isinstance(expected, Table):
                assert output.columns.keys() == expected.columns.keys()
                for name, column in expected.columns.items():
                    np.testing.assert_array_equal(output.columns[name], column, name)
            if not isinstance(expected, Image):
                continue
            assert (output.axes, output.dtype) == (expected.axes, expected.dtype)
            assert (output.name, output.channel_names) == (expected.name, expected.channel_names)
            assert output.is_lazy
            left = np.asarray(expected.array, np.float64)
            right = np.asarray(output.array, np.float64)
            if operation.name in ALIKE:
                assert np.mean(left != right) <= ALIKE[operation.name]
                continue
            np.testing.assert_allclose(right, left, rtol=0, atol=share * np.abs(left).max())
        if operation.name in OF_REGIONS:
            found.record["notes"] = whole.record["notes"]
        assert found.record["notes"] == whole.record["notes"]
        if not share and operation.name not in ALIKE:
            assert found.record == whole.record
