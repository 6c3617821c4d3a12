"""The picture of an input in the summary's page."""

import tracemalloc

import dask.array
import numpy as np
import pytest

from napari_seedbed.pipeline.batch.pictures import picture_of_result
from napari_seedbed.pipeline.data.image import Image
from napari_seedbed.pipeline.engine.results import Result

BLOCK = 512


@pytest.mark.parametrize("axes", ["yx", "zyx", "yxc"])
def test_picture_of_what_stays_on_the_disk_is_that_of_memory_and_takes_little(axes):
    lengths = {"y": 4500, "x": 5000, "z": 2, "c": 3}
    rows = dask.array.arange(lengths["y"], chunks=BLOCK, dtype=np.uint16)
    columns = dask.array.arange(lengths["x"], chunks=BLOCK, dtype=np.uint16)
    plane = rows[:, None] // 16 + columns // 16
    labels = (rows[:, None] // 900 + columns // 700).astype(np.int32)
    spatial = tuple(axis for axis in axes if axis != "c")

    def laid_out(one):
        if "z" in axes:
            one = dask.array.stack([dask.array.zeros_like(one), one])
        return one

    voxels = dask.array.stack([laid_out(plane)] * 3, -1) if "c" in axes else laid_out(plane)
    image = Image(voxels, tuple(axes), rgb="c" in axes)
    found = Image(laid_out(labels), spatial)
    tracemalloc.start()
    try:
        lazy = picture_of_result(image, Result({"labels": found}, {}))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < plane.nbytes / 2
    in_memory = [Image(np.asarray(one.array), one.axes, rgb=one.rgb) for one in (image, found)]
    assert lazy == picture_of_result(in_memory[0], Result({"labels": in_memory[1]}, {}))
